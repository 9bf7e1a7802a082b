"""From a region of one channel to its bursts: search, lock, detect, decode, check, measure.

    sync hits, best first ─▶ lock ─▶ header chips ─▶ variant by variant: continuation fits?
        ─▶ first byte ─▶ length ─▶ all chips ─▶ bytes ─▶ CRCs

A region may hold several bursts, one after another or on top of each other; each hit that
no good frame explains is tried. What fails is reported once, as the most complete attempt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp import line_code, measure
from dsp.arrays import ComplexArray, FloatArray
from dsp.baseband import BasebandFilter
from dsp.burst import Burst, Fault, FrameRules, Quality
from dsp.chip_detector import ChipClock, ChipDetector, SoftChips
from dsp.encoder import chip_string
from dsp.four_level import detect_four_level
from dsp.gate import Region
from dsp.history import History
from dsp.modes import LineCode, Modulation
from dsp.plan import Channel, Variant
from dsp.sync_search import SyncHit, SyncSearch

_PATTERN_ERRORS = 0.18  # share of the sync pattern's chips that may be wrong
_CONTINUATION_FIT = 0.6  # share of soft chips that must speak for a sync continuation
_WEAK_PAIR = 0.4  # sum of two soft bits, of their mean size, below which both may be wrong
_REPORTED_METRIC = 0.5  # weaker failures are noise that looked like a sync word
_NEW_BURST_METRIC = 0.75  # a hit inside a good frame must be this clear to be tried
_OWN_SLACK_CHIPS = 8.0


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One reading of one sync hit."""

    hit: SyncHit
    variant: Variant
    raw: bytes
    fault: Fault | None
    bad_blocks: tuple[int, ...]
    chips: SoftChips  # from the pattern's first chip to the frame's last

    @property
    def span(self) -> tuple[float, float]:
        """First and last baseband sample from sync pattern to frame end."""
        if self.chips.starts.size == 0:
            return float(self.hit.start), float(self.hit.start)
        return float(self.chips.starts[0]), float(self.chips.starts[-1])

    @property
    def merit(self) -> tuple[float, float]:
        """Order among failures: good blocks first, then the sync metric."""
        good_start = (self.bad_blocks[0] - 1) if self.bad_blocks else 0
        return float(good_start), self.hit.metric


class Demodulator:
    """Demodulates the regions of one channel.

    Args:
        channel: what to receive.
        sample_rate_hz: rate of the stream.
        center_hz: its middle.
        rules: frame lengths and CRCs.
    """

    def __init__(self, channel: Channel, sample_rate_hz: float, center_hz: float, rules: FrameRules) -> None:
        self.channel = channel
        self._sample_rate_hz = sample_rate_hz
        self._rules = rules
        self._filter = BasebandFilter(channel, sample_rate_hz, center_hz)
        self._search = SyncSearch(channel)
        self._detector = ChipDetector(channel)
        self._pattern_ones = chip_string(channel.pattern) == 1

    def demodulate(self, history: History, region: Region, dc: complex = 0.0) -> list[Burst]:
        """Find the bursts of a region.

        Args:
            history: where the samples are.
            region: what to search.
            dc: the radio's constant offset, to be taken off.

        Returns:
            Frames, and failures worth reporting, by time.
        """
        reach = self._filter.reach_samples
        first, samples = history.samples(region.start - reach, region.stop + reach)
        samples -= np.complex64(dc)
        baseband = self._filter.extract(samples, first)
        own = self._own_span(region, first)
        hits = [hit for hit in self._search.find(baseband) if own[0] <= hit.start < own[1]]
        good: list[_Attempt] = []
        failed: list[_Attempt] = []
        for hit in hits:
            if not self._explained(hit, good):
                attempt = self._attempt(baseband, hit)
                (good if attempt.fault is None else failed).append(attempt)
        kept = good + self._worth_reporting(failed, good)
        return sorted(
            (self._burst(baseband, attempt, first, region) for attempt in kept),
            key=lambda burst: burst.first_sample,
        )

    def _own_span(self, region: Region, first: int) -> tuple[float, float]:
        step, slack = self._filter.step, _OWN_SLACK_CHIPS * self.channel.samples_per_chip
        start = (region.own_start - first) / step - slack if region.own_start > region.start else -math.inf
        stop = (region.own_stop - first) / step if region.own_stop < region.stop else math.inf
        return start, stop

    def _explained(self, hit: SyncHit, good: list[_Attempt]) -> bool:
        """Tell whether a hit is merely a likeness inside a frame that is already decoded."""
        pattern_samples = len(self.channel.pattern) * self.channel.samples_per_chip
        for attempt in good:
            start, stop = attempt.span
            if abs(hit.start - start) < pattern_samples:
                return True
            if start < hit.start < stop and hit.metric < _NEW_BURST_METRIC:
                return True
        return False

    def _attempt(self, baseband: ComplexArray, hit: SyncHit) -> _Attempt:
        clock, low_hz, high_hz = self._detector.lock(baseband, hit)
        n_pattern = len(self.channel.pattern)
        longest = max(len(variant.continuation) for variant in self.channel.variants)
        per_byte = max(variant.row.chips_per_byte for variant in self.channel.variants)
        header = self._detector.detect(baseband, clock, low_hz, high_hz, n_pattern + longest + per_byte)
        no_sync = _Attempt(hit, self.channel.variants[0], b"", Fault.SYNC_NOT_FOUND, (), header)
        wrong = np.count_nonzero((header.values[:n_pattern] > 0) != self._pattern_ones[: header.values.size])
        if header.values.size < n_pattern or wrong > _PATTERN_ERRORS * n_pattern:
            return no_sync  # a few strong chips, the end of another burst, can look like the pattern
        attempts = []
        for variant, _ in self._plausible_variants(header.values[n_pattern:]):
            attempt = self._read(baseband, hit, variant, clock, header)
            if attempt.fault is None:
                return attempt
            attempts.append(attempt)
        return attempts[0] if attempts else no_sync

    def _plausible_variants(self, after_anchor: FloatArray) -> list[tuple[Variant, float]]:
        """Variants whose continuation fits the chips behind the anchor, best first."""
        plausible = []
        for variant in self.channel.variants:
            n = len(variant.continuation)
            if n == 0:
                plausible.append((variant, _CONTINUATION_FIT))
            elif after_anchor.size >= n:
                signs = np.array([1.0 if chip == "1" else -1.0 for chip in variant.continuation])
                soft = after_anchor[:n]
                fit = float(np.sum(signs * soft) / (np.sum(np.abs(soft)) + 1e-30))
                if fit >= _CONTINUATION_FIT:
                    plausible.append((variant, fit))
        return sorted(plausible, key=lambda item: -item[1])

    def _read(
        self, baseband: ComplexArray, hit: SyncHit, variant: Variant, clock: ChipClock, header: SoftChips
    ) -> _Attempt:
        """Read a frame as one variant: length from its first byte, then all of it."""
        known = self.channel.pattern + variant.continuation
        n_before = len(known)
        per_byte = variant.row.chips_per_byte

        def detect(n_bytes: int) -> tuple[SoftChips, FloatArray, bytes]:
            n_chips = n_before + n_bytes * per_byte
            if variant.row.modulation is Modulation.GFSK4:
                chips, bits = detect_four_level(
                    baseband, self.channel, variant.row, clock, header, known, n_chips
                )
            else:
                chips = self._detector.detect(baseband, clock, header.low_hz, header.high_hz, n_chips)
                bits = chips.values[n_before:]
            return chips, bits, line_code.decode(bits, variant.row.line_code)

        chips, bits, raw = detect(1)
        if not raw:
            return _Attempt(hit, variant, b"", Fault.TRUNCATED, (), chips)
        n_bytes = self._rules.air_length(raw[0], variant.frame_format)
        if n_bytes == 0:
            return _Attempt(hit, variant, raw, Fault.LENGTH_INVALID, (), chips)
        chips, bits, raw = detect(n_bytes)
        if len(raw) < n_bytes:
            return _Attempt(hit, variant, raw, Fault.TRUNCATED, (), chips)
        bad_blocks = self._rules.bad_blocks(raw, variant.frame_format)
        fault = Fault.CRC_MISMATCH if bad_blocks else None
        if fault is None and self._ambiguous(bits, variant):
            fault = Fault.CRC_AMBIGUOUS
        return _Attempt(hit, variant, raw, fault, bad_blocks, chips)

    def _ambiguous(self, bits: FloatArray, variant: Variant) -> bool:
        """Tell whether two bits that the CRC cannot see together are both weak.

        Only blocks longer than the CRC's order have such pairs, and only format B has such
        blocks; those are NRZ, one soft chip a bit.
        """
        if variant.row.line_code is not LineCode.NRZ or variant.row.bits_per_chip > 1:
            return False  # margins of 4-GFSK bits differ too much among themselves to be compared
        order = self._rules.crc_order_bits
        sizes = np.abs(bits)
        weak = _WEAK_PAIR * float(sizes.mean())
        for start, stop in self._rules.crc_spans(bits.size // 8, variant.frame_format):
            block = sizes[8 * start : 8 * stop]
            for distance in range(order, block.size, order):
                if np.any(block[distance:] + block[:-distance] < weak):
                    return True
        return False

    def _worth_reporting(self, failed: list[_Attempt], good: list[_Attempt]) -> list[_Attempt]:
        """Choose the failures that are bursts of their own, the most complete first."""
        kept: list[_Attempt] = []
        for attempt in sorted(failed, key=lambda a: a.merit, reverse=True):
            clear = attempt.hit.metric >= _REPORTED_METRIC or attempt.merit[0] > 0
            if clear and attempt.fault is not Fault.SYNC_NOT_FOUND:
                start, stop = attempt.span
                if all(stop < a.span[0] or start > a.span[1] for a in good + kept):
                    kept.append(attempt)
        return kept

    def _burst(self, baseband: ComplexArray, attempt: _Attempt, first: int, region: Region) -> Burst:
        """Measure an attempt and place it on the stream's clock."""
        chips, row = attempt.chips, attempt.variant.row
        quality, start, stop = measure.measure(
            baseband, self._detector, self.channel, row, chips, attempt.hit.metric
        )
        noise_power = region.noise_density * self.channel.chip_rate_hz
        filter_noise = region.noise_density * self._sample_rate_hz * self._filter.noise_bandwidth
        return Burst(
            row=row,
            frame_format=attempt.variant.frame_format,
            raw=attempt.raw,
            fault=attempt.fault,
            bad_blocks=attempt.bad_blocks,
            first_sample=max(0, round(first + start * self._filter.step)),
            duration_s=(stop - start) / self.channel.baseband_rate_hz,
            quality=measure.with_levels(quality, baseband, start, stop, noise_power, filter_noise),
        )


def unsynchronised(channel: Channel, region: Region, sample_rate_hz: float) -> Burst:
    """Describe a region that held energy but nothing that could be read."""
    noise = region.noise_density
    width_hz = 2.0 * channel.half_width_hz
    excess_power = noise * max(region.excess - 1.0, 0.0) * width_hz
    return Burst(
        row=channel.rows[0],
        frame_format=None,
        raw=b"",
        fault=Fault.SYNC_NOT_FOUND,
        bad_blocks=(),
        first_sample=region.start,
        duration_s=(region.stop - region.start) / sample_rate_hz,
        quality=Quality(
            rssi_dbfs=measure.dbfs(excess_power), noise_dbfs=measure.dbfs(noise * channel.chip_rate_hz)
        ),
    )
