"""From a region of one channel to its bursts.

    samples ─▶ workspace ─▶ region_reader ─▶ frames, and failures worth a word ─▶ by time, each to its owner

A region may hold several bursts, one after another or on top of each other. What fails is
reported once, as the most complete attempt.
"""

from __future__ import annotations

import math

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
        self._idle: list[Workspace] = []  # used again, so that memory is not asked for each time

    @property
    def reach_samples(self) -> int:
        """Samples before and behind a region that its edges depend on."""
        return self._filter.reach_samples

    def open(self, region: Region, dc: complex = 0.0) -> OpenRegion:
        """Begin to read a region.

        Args:
            region: its start, and the noise; it may end later.
            dc: the radio's constant offset, to be taken off.
        """
        return OpenRegion(self, region, dc)

    def demodulate(self, history: History, region: Region, dc: complex = 0.0) -> list[Burst]:
        """Find the bursts of a region that is whole.

        Args:
            history: where the samples are.
            region: what to search.
            dc: the radio's constant offset, to be taken off.

        Returns:
            Frames, and failures worth reporting, by time.
        """
        opened = self.open(region, dc)
        found = opened.close(history, region) + opened.work()
        return sorted(found, key=lambda burst: burst.first_sample)

    def workspace(self, first: int, noise_density: float) -> Workspace:
        """Give a workspace for a region that begins with a sample, its filter's reach included."""
        workspace = self._idle.pop() if self._idle else Workspace(self._filter, self._subtraction)
        workspace.begin(first, noise_density * self._sample_rate_hz)
        return workspace

    def give_back(self, workspace: Workspace) -> None:
        """Take a workspace that is not needed any more."""
        self._idle.append(workspace)

    def reader(self, workspace: Workspace, region: Region) -> RegionReader:
        """Make the reader of a region."""
        return RegionReader(
            self.channel,
            self._search,
            self._reader,
            workspace,
            region.noise_density * self.channel.chip_rate_hz,
            settled=region.settled,
            subtraction=self._subtraction_on,
        )


class OpenRegion:
    """A region that is read while it grows: ``grow`` and ``work`` by turns, at last ``close`` and ``work``.

    What comes out depends on the samples, the noise and the offset at its beginning, and on where it was
    read on.

    Args:
        demodulator: of the channel.
        region: its start, and the noise.
        dc: the radio's constant offset, to be taken off.

    Attributes:
        start: first sample.
    """

    def __init__(self, demodulator: Demodulator, region: Region, dc: complex) -> None:
        self.start = region.start
        self._demodulator = demodulator
        self._region = region
        self._dc = dc
        self._workspace: Workspace | None = None
        self._own_stop = math.inf
        self._is_closed = False

    def grow(self, history: History, stop: int) -> list[Burst]:
        """Read on cheaply, with the samples before ``stop``; return frames that are new, by time."""
        return self._placed(self._take(history, stop, is_last=False).read_on())

    def close(self, history: History, region: Region, stop: int | None = None) -> list[Burst]:
        """Read cheaply what is left of a region; ``work`` does the rest.

        Args:
            history: where the samples are.
            region: all of it.
            stop: no sample from here on is used; None for as many behind the region as the filter reaches.

        Returns:
            Frames that are new, by time.
        """
        reach = region.stop + self._demodulator.reach_samples
        reader = self._take(history, reach if stop is None else min(stop, reach), is_last=True)
        if region.own_stop < region.stop:
            self._own_stop = (region.own_stop - self._first) / self._step
        self._is_closed = True
        reader.end(self._own_stop)
        return self._placed(reader.read_on())

    def work(self) -> list[Burst]:
        """Work for what could not be read cheaply.

        Returns:
            Frames that are new and, of a region that is closed, failures worth reporting, by time.
        """
        assert self._workspace is not None
        found = self._reader.work_on()
        if self._is_closed:
            failed = _worth_reporting(self._reader.failed, self._reader.good)
            found += [self._reader.measure(attempt) for attempt in failed]
            self._demodulator.give_back(self._workspace)
        return self._placed(found)

    def _take(self, history: History, stop: int, *, is_last: bool) -> RegionReader:
        """Let the workspace grow up to a sample."""
        if self._workspace is None:
            begin = max(self.start - self._demodulator.reach_samples, history.first)
            self._workspace = self._demodulator.workspace(begin, self._region.noise_density)
            self._reader = self._demodulator.reader(self._workspace, self._region)
            self._first, self._step = begin, self._workspace.step
        self._workspace.grow(history, stop, self._dc, is_last=is_last)
        return self._reader

    def _placed(self, readings: list[Reading]) -> list[Burst]:
        """Place readings on the stream's clock; what begins before the own part belongs to the one before.

        Hits of the neighbouring parts explain likenesses here, but their failures are theirs to report.
        """
        own_start, channel = -math.inf, self._demodulator.channel
        if self._region.own_start > self._region.start:
            slack = _OWN_SLACK_CHIPS * channel.samples_per_chip
            own_start = (self._region.own_start - self._first) / self._step - slack
        own = [reading for reading in readings if own_start <= reading.attempt.hit.start < self._own_stop]
        bursts = [_burst(reading, self._first, self._step, channel) for reading in own]
        return sorted(bursts, key=lambda burst: burst.first_sample)


def _burst(reading: Reading, first: int, step: float, channel: Channel) -> Burst:
    attempt = reading.attempt
    return Burst(
        row=attempt.variant.row,
        frame_format=attempt.variant.frame_format,
        raw=attempt.raw,
        fault=attempt.fault,
        bad_blocks=attempt.bad_blocks,
        repaired_bits=attempt.repaired_bits,
        first_sample=max(0, round(first + reading.start * step)),
        duration_s=(reading.stop - reading.start) / channel.baseband_rate_hz,
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
