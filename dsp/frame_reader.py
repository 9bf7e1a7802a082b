"""From a sync hit to the bytes of a frame: detect chips, learn the length, decode, check, repair.

Each detector (``detection``) is asked twice: for the first bytes, whose L-field tells the length,
and for all. The CRCs decide between detectors, so a better one can only add frames. What coherent
detection was unsure of can be repaired by the CRCs, block by block (``repair``); format A's first
block, which tells the length, before all others, while format B's L-field is read both ways where
it was unsure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from dsp import line_code
from dsp.arrays import ComplexArray
from dsp.burst import Fault, FrameRules
from dsp.chip_detector import SoftChips, Track
from dsp.detection import Detect, Detected, Detectors
from dsp.plan import Channel, Variant
from dsp.repair import MOST_DOUBT, MOST_DOUBT_AS_HEARD, MOST_DOUBT_ROUGHLY, repair_span
from dsp.sync_search import SyncHit
from dsp.tuning import Tuning

_MOST_LENGTHS = 2  # other readings of an unsure L-field
_LIKENESS_BYTES = 16
_LEAST_LIKENESS = 0.9  # of chips, to code words: less is noise, or lies beneath a stronger burst
_UNSURE_LENGTH = 6.0  # other L-fields that are less likely than e^-6 are not tried


@dataclass(frozen=True, slots=True)
class Attempt:
    """One reading of one sync hit.

    Attributes:
        hit: where the search found the pattern.
        variant: how it was read.
        raw: bytes from the L-field on, as far as they were received.
        fault: None when all CRCs fit.
        bad_blocks: blocks whose CRC does not fit, from 1.
        chips: from the pattern's first chip to the frame's last.
        tuning: carrier and deviation where coherent detection measured them.
        repaired_bits: bits changed because a CRC did not fit.
        track: where reading may go on, of a frame that is still coming.
    """

    hit: SyncHit
    variant: Variant
    raw: bytes
    fault: Fault | None
    bad_blocks: tuple[int, ...]
    chips: SoftChips
    tuning: Tuning | None = None
    repaired_bits: int = 0
    track: Track | None = None

    @property
    def span(self) -> tuple[float, float]:
        """First and last baseband sample from sync pattern to frame end."""
        if self.chips.starts.size == 0:
            return float(self.hit.start), float(self.hit.start)
        return float(self.chips.starts[0]), float(self.chips.starts[-1])

    @property
    def merit(self) -> tuple[float, float]:
        """Order among failures: good blocks first, then the sync metric."""
        first_with_crc = 1 if self.variant.frame_format == "A" else 2
        good_start = (self.bad_blocks[0] - first_with_crc) if self.bad_blocks else 0
        return float(good_start), self.hit.metric


class FrameReader:
    """Reads the frames of one channel.

    Args:
        channel: what is received.
        rules: frame lengths and CRCs.
        repair: use the CRCs to mend what was unsure.
        coherent: read again coherently what one chip at a time did not give.
    """

    def __init__(
        self, channel: Channel, rules: FrameRules, *, repair: bool = True, coherent: bool = True
    ) -> None:
        self._channel = channel
        self._repair = repair
        self._rules = rules
        self._detectors = Detectors(channel, coherent=coherent)

    def read(
        self,
        baseband: ComplexArray,
        hit: SyncHit,
        variant: Variant,
        track: Track,
        *,
        thorough: bool = True,
        is_growing: bool = False,
    ) -> Attempt:
        """Read a frame as one variant, by the first detector that gives one without fault.

        Args:
            baseband: complex64 [n].
            hit: where the search found the pattern.
            variant: line code, frame format and the sync chips behind the anchor.
            track: locked at the pattern's start.
            thorough: go on with the next detector when one fails.
            is_growing: more samples follow: of a frame that they will complete, only the length is wanted.
        """
        attempts = []
        there = baseband.size if is_growing else math.inf
        for detect in self._detectors.of(baseband, variant, track, thorough=thorough):
            attempt = self._read_with(detect, hit, variant, there)
            if attempt.fault is None:
                return attempt
            attempts.append(attempt)
            if not thorough or not self._looks_like_words(attempt):
                break
        return max(attempts, key=lambda attempt: attempt.merit)

    def _looks_like_words(self, attempt: Attempt) -> bool:
        variant = attempt.variant
        n_known = len(self._channel.pattern) + len(variant.continuation)
        per_byte = variant.row.chips_per_byte
        n_bytes = min(_LIKENESS_BYTES, (attempt.chips.values.size - n_known) // per_byte)
        soft = attempt.chips.values[n_known : n_known + max(0, n_bytes) * per_byte]
        return not soft.size or line_code.likeness(soft, variant.row.line_code) >= _LEAST_LIKENESS

    def tune(self, baseband: ComplexArray, attempt: Attempt) -> Tuning | None:
        """Measure carrier and deviation of a frame by the advance of its phase, where the row allows."""
        if attempt.tuning is not None:
            return attempt.tuning
        return self._detectors.tune(baseband, attempt.variant, attempt.chips)

    def read_on(self, baseband: ComplexArray, attempt: Attempt) -> Attempt | None:
        """Read the rest of a frame that has come since; None where that gives no frame, or is not possible.

        Args:
            baseband: complex64 [n]: grown, the rest as it was.
            attempt: that gave its length.
        """
        variant, track = attempt.variant, attempt.track
        if track is None or not track.go_on(baseband):
            return None
        n_bytes = self._rules.air_length(attempt.raw[0], variant.frame_format)
        found = self._detectors.read_on(variant, track, n_bytes)
        whole = self._read_all(found, attempt.hit, variant, n_bytes)
        return whole if whole.fault is None else None

    def stop(self, variant: Variant, chips: SoftChips, n_bytes: int) -> float:
        """Tell at which baseband sample a frame ends, by where two or more of its first chips begin."""
        n_chips = (
            len(self._channel.pattern) + len(variant.continuation) + n_bytes * variant.row.chips_per_byte
        )
        period = float(chips.starts[-1] - chips.starts[0]) / (chips.starts.size - 1)
        return float(chips.starts[0]) + n_chips * period

    def _read_with(self, detect: Detect, hit: SyncHit, variant: Variant, there: float) -> Attempt:
        """Read with one detector: length from the first block, then all of it if it ends before ``there``."""
        found = detect(self._rules.first_span_bytes(variant.frame_format))
        raw = line_code.decode(found.bits, variant.row.line_code)
        if not raw:
            return Attempt(hit, variant, b"", Fault.TRUNCATED, (), found.chips)
        if variant.frame_format == "A":
            raw, _, _ = self._mend(raw, found, variant)
        if found.hopeless:
            return _given_up(hit, variant, raw, found)
        failed = None
        for l_field in self._l_fields(raw[0], found):
            n_bytes = self._rules.air_length(l_field, variant.frame_format)
            if n_bytes:
                if self.stop(variant, found.chips, n_bytes) > there:
                    return Attempt(hit, variant, raw, Fault.TRUNCATED, (), found.chips, track=found.track)
                attempt = self._read_all(detect(n_bytes), hit, variant, n_bytes)
                if attempt.fault is None:
                    return attempt
                failed = failed or attempt
        return failed or Attempt(hit, variant, raw[:1], Fault.LENGTH_INVALID, (), found.chips)

    def _l_fields(self, decided: int, found: Detected) -> Iterator[int]:
        """Give what the L-field may be: as decided, and read otherwise where no CRC has confirmed it."""
        yield decided
        if self._repair and found.repairable and found.bits.size == 8:
            others = found.others.within(0, 8)
            for i in range(min(others.costs.size, _MOST_LENGTHS)):
                if others.costs[i] < _UNSURE_LENGTH:
                    yield decided ^ int(others.mask[i]) << (7 - int(others.last[i]))

    def _read_all(self, found: Detected, hit: SyncHit, variant: Variant, n_bytes: int) -> Attempt:
        raw = line_code.decode(found.bits, variant.row.line_code)
        if len(raw) < n_bytes:
            return Attempt(hit, variant, raw, Fault.TRUNCATED, (), found.chips, found.tuning)
        raw, repaired, fits = self._mend(raw, found, variant)
        if self._rules.air_length(raw[0], variant.frame_format) != n_bytes:
            return Attempt(hit, variant, raw, Fault.LENGTH_INVALID, (), found.chips, found.tuning)
        bad_blocks = self._rules.bad_blocks(raw, variant.frame_format)
        fault = None
        if not fits:
            fault = Fault.CRC_MISMATCH if bad_blocks else Fault.CRC_AMBIGUOUS
        return Attempt(hit, variant, raw, fault, bad_blocks, found.chips, found.tuning, repaired)

    def _mend(self, raw: bytes, found: Detected, variant: Variant) -> tuple[bytes, int, bool]:
        """Repair the spans whose CRC does not fit; one that resists stays as it is.

        Returns:
            The bytes, how many bits were changed, and whether all spans together are beyond doubt.
        """
        repaired, in_doubt = 0, 0.0
        for start, stop in self._rules.crc_spans(len(raw), variant.frame_format):
            if stop > len(raw):
                return raw, repaired, False
            span, n_bits, doubt = repair_span(
                raw[start:stop],
                found.others.within(8 * start, 8 * stop),
                self._rules,
                may_change=self._repair and found.repairable,
            )
            in_doubt += doubt
            repaired += n_bits
            raw = raw[:start] + span + raw[stop:]
        return raw, repaired, in_doubt <= self._most_doubt(found)

    def _most_doubt(self, found: Detected) -> float:
        if not found.repairable:
            return MOST_DOUBT_ROUGHLY
        return MOST_DOUBT if self._repair else MOST_DOUBT_AS_HEARD


def _given_up(hit: SyncHit, variant: Variant, raw: bytes, found: Detected) -> Attempt:
    """Make an attempt that ends with the first block."""
    bad_blocks = (1,) if variant.frame_format == "A" else (2,)
    return Attempt(hit, variant, raw, Fault.CRC_MISMATCH, bad_blocks, found.chips, found.tuning)
