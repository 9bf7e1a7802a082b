"""From a sync hit to the bytes of a frame: detect chips, learn the length, decode, check.

    one chip at a time, noncoherent    every mode but 4-GFSK; cheap and hard to disturb
    whole sequence, coherent           NRZ modes, when the first gave no frame
    whole words, coherent              3-of-6 and Manchester, when the first gave no frame

Each detector is asked twice: for the first bytes, whose L-field tells the length, and for
all. The CRCs decide between detectors, so a better one can only add frames. What coherent
detection was unsure of can be repaired by the CRCs, block by block; format A's first block,
which tells the length, before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dsp import line_code
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.burst import Fault, FrameRules
from dsp.chip_detector import ChipClock, ChipDetector, SoftChips
from dsp.code_word_detector import CodeWordDetector
from dsp.encoder import chip_string
from dsp.modes import LineCode
from dsp.plan import Channel, Variant
from dsp.repair import Alternative, repair_span
from dsp.sequence_detector import SequenceDetector, Tuning
from dsp.sync_search import SyncHit

_WEAK_PAIR = 0.4  # sum of two soft bits, of their mean size, below which both may be wrong
_FIRST_BYTES = 24  # that coherent detection tunes on before it knows the length
_TUNING_PASSES = 2
_OUTER_SYMBOLS = np.array([1, 3])  # dibits 01 and 11, which stand for chips 0 and 1 in 4-GFSK

_TRIES = {"A": 30, "B": 8}  # a block of format B is long and its CRC weaker


@dataclass(frozen=True, slots=True)
class _Detected:
    """What a detector gives for a number of bytes.

    Attributes:
        chips: from the pattern's first chip on.
        bits: soft line-coded bits of the frame.
        tuning: carrier and deviation, where measured.
        alternatives: other readings of what was unsure, in bits of the frame; empty where the
            detector does not tell.
    """

    chips: SoftChips
    bits: FloatArray
    tuning: Tuning | None = None
    alternatives: tuple[Alternative, ...] = ()


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
    """

    hit: SyncHit
    variant: Variant
    raw: bytes
    fault: Fault | None
    bad_blocks: tuple[int, ...]
    chips: SoftChips
    tuning: Tuning | None = None
    repaired_bits: int = 0

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
        self._repair = repair
        self._coherent = coherent
        self._channel = channel
        self._rules = rules
        self._chips = ChipDetector(channel)
        self._sequences = {
            variant.row.name: SequenceDetector(channel, variant.row)
            for variant in channel.variants
            if variant.row.line_code is LineCode.NRZ
        }
        self._words = {
            variant.row.name: CodeWordDetector(channel, variant.row)
            for variant in channel.variants
            if variant.row.line_code is not LineCode.NRZ
        }

    def read(
        self,
        baseband: ComplexArray,
        hit: SyncHit,
        variant: Variant,
        clock: ChipClock,
        header: SoftChips,
        *,
        thorough: bool = True,
    ) -> Attempt:
        """Read a frame as one variant, by the first detector that gives one without fault.

        Args:
            baseband: complex64 [n].
            hit: where the search found the pattern.
            variant: line code, frame format and the sync chips behind the anchor.
            clock: locked at the pattern's start.
            header: chips of the pattern and what follows; its tones are used.
            thorough: go on with the next detector when one fails.
        """
        attempts = []
        for detect in self._detectors(baseband, variant, clock, header):
            attempt = self._read_with(detect, hit, variant)
            if attempt.fault is None:
                return attempt
            attempts.append(attempt)
            if not thorough:
                break
        return max(attempts, key=lambda attempt: attempt.merit)

    def tune(self, baseband: ComplexArray, attempt: Attempt) -> Tuning | None:
        """Measure carrier and deviation of a frame by the advance of its phase, where the row allows."""
        sequence = self._sequences.get(attempt.variant.row.name)
        if attempt.tuning is not None or sequence is None or attempt.variant.row.bits_per_chip > 1:
            return attempt.tuning
        return sequence.tune(baseband, attempt.chips, (attempt.chips.values > 0).astype(np.int64))

    def _detectors(
        self, baseband: ComplexArray, variant: Variant, clock: ChipClock, header: SoftChips
    ) -> Iterator[Callable[[int], _Detected]]:
        known = self._channel.pattern + variant.continuation
        per_byte = variant.row.chips_per_byte
        tones = (header.low_hz, header.high_hz)

        def one_by_one(n_bytes: int) -> _Detected:
            chips = self._chips.detect(baseband, clock, *tones, len(known) + n_bytes * per_byte)
            return _Detected(chips, chips.values[len(known) :])

        def as_sequence(n_bytes: int) -> _Detected:
            n_chips = len(known) + max(n_bytes, _FIRST_BYTES) * per_byte
            chips = self._chips.detect(baseband, clock, *tones, n_chips + 1)
            chips, bits, tuning, rivals = self._detect_sequence(baseband, variant, clock, chips, known)
            stop = len(known) + n_bytes * per_byte
            return _Detected(
                _cut(chips, stop),
                bits[len(known) : stop].ravel(),
                tuning,
                _behind(rivals, len(known) * variant.row.bits_per_chip),
            )

        def word_by_word(n_bytes: int) -> _Detected:
            stop = len(known) + n_bytes * per_byte
            longer = len(known) + max(n_bytes, _FIRST_BYTES) * per_byte
            chips = self._chips.detect(baseband, clock, *tones, longer)
            chips, others = self._words[variant.row.name].detect(baseband, chips)
            chips = _cut(chips, stop)
            return _Detected(chips, chips.values[len(known) :], None, tuple(others))

        if variant.row.bits_per_chip == 1:
            yield one_by_one
            if not self._coherent:
                return
        yield as_sequence if variant.row.line_code is LineCode.NRZ else word_by_word

    def _detect_sequence(
        self, baseband: ComplexArray, variant: Variant, clock: ChipClock, chips: SoftChips, known: str
    ) -> tuple[SoftChips, FloatArray, Tuning, list[Alternative]]:
        """Tune on what is decided, decide anew, twice; the clock of these modes is steady."""
        sequence = self._sequences[variant.row.name]
        symbols = self._known_symbols(known, variant)
        if variant.row.bits_per_chip == 1:
            starts = _steady(chips.starts)
            symbols = np.concatenate([symbols, (chips.values[symbols.size :] > 0).astype(np.int64)])
        else:
            starts = clock.start + clock.period * np.arange(chips.starts.size, dtype=np.float64)
        steady = SoftChips(chips.values, starts, chips.low_hz, chips.high_hz)
        for _ in range(_TUNING_PASSES):
            tuning = sequence.tune(baseband, steady, symbols[: starts.size])
            symbols, bits, rivals = sequence.detect(baseband, starts, tuning)
            symbols[: len(known)] = self._known_symbols(known, variant)[: symbols.size]
        values = bits[:, 0] if variant.row.bits_per_chip == 1 else sequence.levels_of(symbols)
        found = SoftChips(values, starts[: values.size], chips.low_hz, chips.high_hz)
        return found, bits, tuning, rivals

    def _known_symbols(self, known: str, variant: Variant) -> IndexArray:
        chips = chip_string(known).astype(np.int64)
        return chips if variant.row.bits_per_chip == 1 else _OUTER_SYMBOLS[chips]

    def _read_with(self, detect: Callable[[int], _Detected], hit: SyncHit, variant: Variant) -> Attempt:
        """Read with one detector: length from the first block, then all of it."""
        found = detect(self._rules.first_span_bytes(variant.frame_format))
        raw = line_code.decode(found.bits, variant.row.line_code)
        if not raw:
            return Attempt(hit, variant, b"", Fault.TRUNCATED, (), found.chips)
        raw, _ = self._mend(raw, found, variant, first_only=True)
        n_bytes = self._rules.air_length(raw[0], variant.frame_format)
        if n_bytes == 0:
            return Attempt(hit, variant, raw[:1], Fault.LENGTH_INVALID, (), found.chips)
        found = detect(n_bytes)
        raw = line_code.decode(found.bits, variant.row.line_code)
        if len(raw) < n_bytes:
            return Attempt(hit, variant, raw, Fault.TRUNCATED, (), found.chips, found.tuning)
        raw, repaired = self._mend(raw, found, variant)
        if self._rules.air_length(raw[0], variant.frame_format) != n_bytes:
            return Attempt(hit, variant, raw, Fault.LENGTH_INVALID, (), found.chips, found.tuning)
        bad_blocks = self._rules.bad_blocks(raw, variant.frame_format)
        fault = Fault.CRC_MISMATCH if bad_blocks else None
        if fault is None and self._ambiguous(raw, found.bits, variant):
            fault = Fault.CRC_AMBIGUOUS
        return Attempt(hit, variant, raw, fault, bad_blocks, found.chips, found.tuning, repaired)

    def _mend(
        self, raw: bytes, found: _Detected, variant: Variant, *, first_only: bool = False
    ) -> tuple[bytes, int]:
        """Repair the spans whose CRC does not fit; one that resists stays as it is."""
        if not (self._repair and found.alternatives):
            return raw, 0
        spans = self._rules.crc_spans(len(raw), variant.frame_format)
        repaired = 0
        for start, stop in spans[:1] if first_only else spans:
            if stop <= len(raw) and not self._rules.span_fits(raw[start:stop]):
                mended = repair_span(
                    raw, start, stop, found.alternatives, self._rules.span_fits, _TRIES[variant.frame_format]
                )
                if mended is not None:
                    raw, n_bits = mended
                    repaired += n_bits
        return raw, repaired

    def _ambiguous(self, raw: bytes, bits: FloatArray, variant: Variant) -> bool:
        """Tell whether two bits that the CRC cannot see together are both weak.

        Only blocks longer than the CRC's order have such pairs, and only format B has such
        blocks; those are NRZ, one soft chip a bit. A repaired bit speaks against itself: its
        partner must outweigh it.
        """
        if variant.row.line_code is not LineCode.NRZ or variant.row.bits_per_chip > 1:
            return False  # margins of 4-GFSK bits differ too much among themselves to be compared
        order = self._rules.crc_order_bits
        ones = np.unpackbits(np.frombuffer(raw, dtype=np.uint8))[: bits.size]
        sizes = np.where(ones == 1, bits, -bits)
        weak = _WEAK_PAIR * float(np.abs(bits).mean())
        for start, stop in self._rules.crc_spans(bits.size // 8, variant.frame_format):
            block = sizes[8 * start : 8 * stop]
            for distance in range(order, block.size, order):
                if np.any(block[distance:] + block[:-distance] < weak):
                    return True
        return False


def _steady(starts: DoubleArray) -> DoubleArray:
    """Chip starts of a clock without drift: the straight line through the tracked ones."""
    n = starts.size
    if n < 2:
        return starts
    k = np.arange(n) - (n - 1) / 2.0
    return np.asarray(starts.mean() + k * (np.sum(k * starts) / np.sum(k * k)))


def _cut(chips: SoftChips, stop: int) -> SoftChips:
    return SoftChips(chips.values[:stop], chips.starts[:stop], chips.low_hz, chips.high_hz)


def _behind(alternatives: list[Alternative], n_bits: int) -> tuple[Alternative, ...]:
    """Alternatives that change nothing before a bit, counted from it."""
    return tuple(
        Alternative(a.cost, tuple(bit - n_bits for bit in a.bits))
        for a in alternatives
        if min(a.bits) >= n_bits
    )
