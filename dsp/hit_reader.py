"""From a sync hit to an attempt: lock, header chips, then variant by variant what follows the anchor."""

from __future__ import annotations

import math

import numpy as np

from dsp.arrays import ComplexArray, FloatArray
from dsp.burst import Fault, FrameRules
from dsp.chip_detector import MOST_AGAINST, NO_CHIPS, ChipDetector, SoftChips
from dsp.encoder import chip_string, levels_of
from dsp.frame_reader import Attempt, FrameReader
from dsp.plan import Channel, Variant
from dsp.sync_search import SyncHit
from dsp.tuning import Tuning

_PATTERN_ERRORS = 0.18  # share of the sync pattern's chips that may be wrong
_CONTINUATION_FIT = 0.45  # share of soft chips that must speak for a sync continuation
_MUCH_WORSE_FIT = 0.35  # than the best: wrong


class HitReader:
    """Reads the sync hits of one channel.

    Args:
        channel: what is received.
        rules: frame lengths and CRCs.
        repair: try other readings of what the detector was unsure of when a CRC does not fit.
        coherent: read again coherently what one chip at a time did not give.

    Attributes:
        detector: the channel's noncoherent chip detector.
        header_chips: from the pattern's first to the end of the first block, in the longest variant.
    """

    def __init__(
        self, channel: Channel, rules: FrameRules, *, repair: bool = True, coherent: bool = True
    ) -> None:
        self.detector = ChipDetector(channel)
        self._channel = channel
        self._rules = rules
        self._reader = FrameReader(channel, rules, repair=repair, coherent=coherent)
        self._pattern_ones = chip_string(channel.pattern) == 1
        self._signs = [levels_of(chip_string(variant.continuation)) for variant in channel.variants]
        longest = max(len(variant.continuation) for variant in channel.variants)
        per_byte = max(variant.row.chips_per_byte for variant in channel.variants)
        self.header_chips = len(channel.pattern) + max(
            len(v.continuation) + rules.first_span_bytes(v.frame_format) * v.row.chips_per_byte
            for v in channel.variants
        )
        self._sync_chips = len(channel.pattern) + longest + per_byte

    def read(
        self, baseband: ComplexArray, hit: SyncHit, *, thorough: bool = True, is_growing: bool = False
    ) -> Attempt:
        """Read a frame where the search found a sync pattern.

        Args:
            baseband: complex64 [n].
            hit: where.
            thorough: with every detector; else with the first, which takes a tenth of the time.
            is_growing: more samples follow: of a frame that they will complete, only the length is wanted.
        """
        # what is clear and not the pattern may still be amid a frame whose own was lost: chips to take off
        track = self.detector.lock(baseband, hit, most_against=math.inf if thorough else MOST_AGAINST)
        if track is None:
            return _no_sync(hit, self._channel, NO_CHIPS)
        n_pattern = len(self._channel.pattern)
        header = track.chips(self._sync_chips)
        wrong = np.count_nonzero((header.values[:n_pattern] > 0) != self._pattern_ones[: header.values.size])
        if header.values.size < n_pattern or wrong > _PATTERN_ERRORS * n_pattern:
            # a few strong chips, the end of another burst, can look like the pattern
            return _no_sync(hit, self._channel, header)
        attempts = []
        for variant in self._plausible_variants(header.values[n_pattern:]):
            attempt = self._reader.read(
                baseband, hit, variant, track, thorough=thorough, is_growing=is_growing
            )
            if attempt.fault is None:
                return attempt
            attempts.append(attempt)
        return attempts[0] if attempts else _no_sync(hit, self._channel, header)

    def read_on(self, baseband: ComplexArray, attempt: Attempt) -> Attempt | None:
        """Read the rest of a frame that has come since, as ``FrameReader.read_on``."""
        return self._reader.read_on(baseband, attempt)

    def announced_stop(self, attempt: Attempt) -> float | None:
        """Tell at which baseband sample a frame that was cut off ends; None where its length is unsure."""
        variant, raw, chips = attempt.variant, attempt.raw, attempt.chips
        first = self._rules.first_span_bytes(variant.frame_format)
        if len(raw) < first:
            return None
        if variant.frame_format == "A" and self._rules.remainder(raw[:first]):
            return None
        return self._reader.stop(variant, chips, self._rules.air_length(raw[0], variant.frame_format))

    def tune(self, baseband: ComplexArray, attempt: Attempt) -> Tuning | None:
        """Measure carrier and deviation by the advance of the phase, where the row allows."""
        return self._reader.tune(baseband, attempt)

    def _plausible_variants(self, after_anchor: FloatArray) -> list[Variant]:
        """Variants whose continuation fits the chips behind the anchor, best first."""
        plausible = []
        for variant, signs in zip(self._channel.variants, self._signs, strict=True):
            n = signs.size
            if n == 0:
                plausible.append((variant, _CONTINUATION_FIT))
            elif after_anchor.size >= n:
                soft = after_anchor[:n]
                fit = float(signs @ soft) / (float(np.abs(soft).sum()) + 1e-30)
                if fit >= _CONTINUATION_FIT:
                    plausible.append((variant, fit))
        best = max((fit for _, fit in plausible), default=0.0)
        close = [item for item in plausible if item[1] >= best - _MUCH_WORSE_FIT]
        return [variant for variant, _ in sorted(close, key=lambda item: -item[1])]


def _no_sync(hit: SyncHit, channel: Channel, chips: SoftChips) -> Attempt:
    return Attempt(hit, channel.variants[0], b"", Fault.SYNC_NOT_FOUND, (), chips)
