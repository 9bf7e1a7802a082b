"""From a region of one channel to its bursts: search, lock, detect, decode, check, measure.

    sync hits, best first ─▶ lock ─▶ header chips ─▶ variant by variant: continuation fits?
        ─▶ first byte ─▶ length ─▶ all chips ─▶ bytes ─▶ CRCs

A region may hold several bursts, one after another or on top of each other; each hit that
no good frame explains is tried. What fails is reported once, as the most complete attempt.
"""

from __future__ import annotations

import math

import numpy as np

from dsp import measure
from dsp.arrays import ComplexArray, FloatArray
from dsp.baseband import BasebandFilter
from dsp.burst import Burst, Fault, FrameRules, Quality
from dsp.chip_detector import ChipDetector
from dsp.encoder import chip_string
from dsp.frame_reader import Attempt, FrameReader
from dsp.gate import Region
from dsp.history import History
from dsp.plan import Channel, Variant
from dsp.sync_search import SyncHit, SyncSearch

_PATTERN_ERRORS = 0.18  # share of the sync pattern's chips that may be wrong
_CONTINUATION_FIT = 0.45  # share of soft chips that must speak for a sync continuation
_REPORTED_METRIC = 0.5  # weaker failures are noise that looked like a sync word
_NEW_BURST_METRIC = 0.75  # a hit inside a good frame must be this clear to be tried
_OWN_SLACK_CHIPS = 8.0


class Demodulator:
    """Demodulates the regions of one channel.

    Args:
        channel: what to receive.
        sample_rate_hz: rate of the stream.
        center_hz: its middle.
        rules: frame lengths and CRCs.
        repair: try other readings of what the detector was unsure of when a CRC does not fit.
        coherent: read again coherently what one chip at a time did not give.
    """

    def __init__(
        self,
        channel: Channel,
        sample_rate_hz: float,
        center_hz: float,
        rules: FrameRules,
        *,
        repair: bool = True,
        coherent: bool = True,
    ) -> None:
        self.channel = channel
        self._sample_rate_hz = sample_rate_hz
        self._filter = BasebandFilter(channel, sample_rate_hz, center_hz)
        self._search = SyncSearch(channel)
        self._detector = ChipDetector(channel)
        self._reader = FrameReader(channel, rules, repair=repair, coherent=coherent)
        self._pattern_ones = chip_string(channel.pattern) == 1

    @property
    def reach_samples(self) -> int:
        """Samples before and behind a region that its edges depend on."""
        return self._filter.reach_samples

    def demodulate(self, history: History, region: Region, dc: complex = 0.0) -> list[Burst]:
        """Find the bursts of a region.

        Args:
            history: where the samples are.
            region: what to search.
            dc: the radio's constant offset, to be taken off.

        Returns:
            Frames, and failures worth reporting, by time.
        """
        reach = self.reach_samples
        first, samples = history.samples(region.start - reach, region.stop + reach)
        samples -= np.complex64(dc)
        baseband = self._filter.extract(samples, first)
        good: list[Attempt] = []
        failed: list[Attempt] = []
        for hit in self._search.find(baseband):
            if not self._explained(hit, good):
                attempt = self._attempt(baseband, hit)
                (good if attempt.fault is None else failed).append(attempt)
        # hits of the neighbouring parts explain likenesses here, but are theirs to report
        own_start, own_stop = self._own_span(region, first)
        kept = good + self._worth_reporting(failed, good)
        own = [attempt for attempt in kept if own_start <= attempt.hit.start < own_stop]
        return sorted(
            (self._burst(baseband, attempt, first, region) for attempt in own),
            key=lambda burst: burst.first_sample,
        )

    def _own_span(self, region: Region, first: int) -> tuple[float, float]:
        step, slack = self._filter.step, _OWN_SLACK_CHIPS * self.channel.samples_per_chip
        start = (region.own_start - first) / step - slack if region.own_start > region.start else -math.inf
        stop = (region.own_stop - first) / step if region.own_stop < region.stop else math.inf
        return start, stop

    def _explained(self, hit: SyncHit, good: list[Attempt]) -> bool:
        """Tell whether a hit is merely a likeness inside a frame that is already decoded."""
        pattern_samples = len(self.channel.pattern) * self.channel.samples_per_chip
        for attempt in good:
            start, stop = attempt.span
            if abs(hit.start - start) < pattern_samples:
                return True
            if start < hit.start < stop and hit.metric < _NEW_BURST_METRIC:
                return True
        return False

    def _attempt(self, baseband: ComplexArray, hit: SyncHit) -> Attempt:
        clock, low_hz, high_hz = self._detector.lock(baseband, hit)
        n_pattern = len(self.channel.pattern)
        longest = max(len(variant.continuation) for variant in self.channel.variants)
        per_byte = max(variant.row.chips_per_byte for variant in self.channel.variants)
        header = self._detector.detect(baseband, clock, low_hz, high_hz, n_pattern + longest + per_byte)
        no_sync = Attempt(hit, self.channel.variants[0], b"", Fault.SYNC_NOT_FOUND, (), header)
        wrong = np.count_nonzero((header.values[:n_pattern] > 0) != self._pattern_ones[: header.values.size])
        if header.values.size < n_pattern or wrong > _PATTERN_ERRORS * n_pattern:
            return no_sync  # a few strong chips, the end of another burst, can look like the pattern
        attempts = []
        for variant, _ in self._plausible_variants(header.values[n_pattern:]):
            attempt = self._reader.read(baseband, hit, variant, clock, header)
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

    def _worth_reporting(self, failed: list[Attempt], good: list[Attempt]) -> list[Attempt]:
        """Choose the failures that are bursts of their own, the most complete first."""
        kept: list[Attempt] = []
        for attempt in sorted(failed, key=lambda a: a.merit, reverse=True):
            clear = attempt.hit.metric >= _REPORTED_METRIC or attempt.merit[0] > 0
            if clear and attempt.fault is not Fault.SYNC_NOT_FOUND:
                start, stop = attempt.span
                if all(stop < a.span[0] or start > a.span[1] for a in good + kept):
                    kept.append(attempt)
        return kept

    def _burst(self, baseband: ComplexArray, attempt: Attempt, first: int, region: Region) -> Burst:
        """Measure an attempt and place it on the stream's clock."""
        chips, row = attempt.chips, attempt.variant.row
        quality, start, stop = measure.measure(
            baseband,
            self._detector,
            self.channel,
            chips,
            attempt.hit.metric,
            None if attempt.fault is not None else self._reader.tune(baseband, attempt),
        )
        noise_power = region.noise_density * self.channel.chip_rate_hz
        filter_noise = region.noise_density * self._sample_rate_hz * self._filter.noise_bandwidth
        return Burst(
            row=row,
            frame_format=attempt.variant.frame_format,
            raw=attempt.raw,
            fault=attempt.fault,
            bad_blocks=attempt.bad_blocks,
            repaired_bits=attempt.repaired_bits,
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
        repaired_bits=0,
        first_sample=region.start,
        duration_s=(region.stop - region.start) / sample_rate_hz,
        quality=Quality(
            rssi_dbfs=measure.dbfs(excess_power), noise_dbfs=measure.dbfs(noise * channel.chip_rate_hz)
        ),
    )
