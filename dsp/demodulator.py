"""From a region of one channel to its bursts.

    samples ─▶ workspace ─▶ region_reader ─▶ frames, and failures worth a word ─▶ by time, each to its owner

A region may hold several bursts, one after another or on top of each other. What fails is
reported once, as the most complete attempt.
"""

from __future__ import annotations

import math

import numpy as np

from dsp import measure
from dsp.baseband import BasebandFilter
from dsp.burst import Burst, Fault, FrameRules, Quality
from dsp.frame_reader import Attempt
from dsp.gate import Region
from dsp.history import History
from dsp.hit_reader import HitReader
from dsp.plan import Channel
from dsp.region_reader import Reading, RegionReader
from dsp.subtraction import Subtraction
from dsp.sync_search import SyncSearch
from dsp.workspace import Workspace

_REPORTED_METRIC = 0.5  # weaker failures are noise that looked like a sync word
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
        subtraction: take decoded frames off the samples and search again beneath them.
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
        subtraction: bool = True,
    ) -> None:
        self.channel = channel
        self._sample_rate_hz = sample_rate_hz
        self._filter = BasebandFilter(channel, sample_rate_hz, center_hz)
        self._search = SyncSearch(channel)
        self._reader = HitReader(channel, rules, repair=repair, coherent=coherent)
        shift = (channel.center_hz - center_hz) / sample_rate_hz
        self._subtraction = Subtraction(channel, shift, self._filter.step)
        self._subtraction_on = subtraction

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
        noise_density = region.noise_density * self._sample_rate_hz
        workspace = Workspace(samples, first, self._filter, self._subtraction, noise_density)
        reader = RegionReader(
            self.channel,
            self._search,
            self._reader,
            workspace,
            region.noise_density * self.channel.chip_rate_hz,
            settled=region.settled,
        )
        good, failed = reader.read(subtraction=self._subtraction_on)
        told = [reader.measure(attempt) for attempt in _worth_reporting(failed, good)]
        # hits of the neighbouring parts explain likenesses here, but are theirs to report
        own_start, own_stop = self._own_span(region, first)
        own = [reading for reading in good + told if own_start <= reading.attempt.hit.start < own_stop]
        bursts = [self._burst(reading, first) for reading in own]
        return sorted(bursts, key=lambda burst: burst.first_sample)

    def _own_span(self, region: Region, first: int) -> tuple[float, float]:
        step, slack = self._filter.step, _OWN_SLACK_CHIPS * self.channel.samples_per_chip
        start = (region.own_start - first) / step - slack if region.own_start > region.start else -math.inf
        stop = (region.own_stop - first) / step if region.own_stop < region.stop else math.inf
        return start, stop

    def _burst(self, reading: Reading, first: int) -> Burst:
        """Place a reading on the stream's clock."""
        attempt = reading.attempt
        return Burst(
            row=attempt.variant.row,
            frame_format=attempt.variant.frame_format,
            raw=attempt.raw,
            fault=attempt.fault,
            bad_blocks=attempt.bad_blocks,
            repaired_bits=attempt.repaired_bits,
            first_sample=max(0, round(first + reading.start * self._filter.step)),
            duration_s=(reading.stop - reading.start) / self.channel.baseband_rate_hz,
            quality=reading.quality,
        )


def _worth_reporting(failed: list[Attempt], good: list[Reading]) -> list[Attempt]:
    """Choose the failures that are bursts of their own, the most complete first."""
    spans = [reading.attempt.span for reading in good]
    kept: list[Attempt] = []
    for attempt in sorted(failed, key=lambda a: a.merit, reverse=True):
        clear = attempt.hit.metric >= _REPORTED_METRIC or attempt.merit[0] > 0
        if clear and attempt.fault is not Fault.SYNC_NOT_FOUND:
            start, stop = attempt.span
            if all(stop < other_start or start > other_stop for other_start, other_stop in spans):
                kept.append(attempt)
                spans.append(attempt.span)
    return kept


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
