"""The receive chain: one wide raw stream in, the bursts of every channel out.

    raw chunk ─▶ History ─▶ steps of 256 FFT blocks ─▶ EnergyMeter ─▶ Gate per channel
                    │                                                     │ regions
                    └──────────── samples of a region, open or ended ──▶ RegionWork ─▶ bursts

Work is done in steps that sit on absolute sample numbers, so the bursts that come out do
not depend on how the stream is cut into chunks; memory is bounded by the longest burst. Regions that
are open are read on at the end of each step, so that a frame leaves with the step in which it is
complete. They may be demodulated by other processes: what they find is taken in the order of the steps,
so that changes nothing either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from dsp.arrays import RawArray
from dsp.burst import Burst, FrameRules
from dsp.dc import DcTracker
from dsp.demodulator import unsynchronised
from dsp.energy_meter import EnergyMeter
from dsp.gate import Gate, Region
from dsp.history import History, RawScale
from dsp.plan import Plan
from dsp.region_work import Pending, Portion, RegionWork, Setup

_SAME_BURST_CHIPS = 6.0
_RECENT_BURSTS = 64
_LEAKAGE_DB = 10.0
_MOST_PENDING = 64  # regions that others may be working on


@dataclass(frozen=True, slots=True)
class _Step:
    """What was read in one step, cheaply or by work, and where the regions left open had begun."""

    parts: list[_Part]
    open_since: list[int]


@dataclass(frozen=True, slots=True)
class _Part:
    """What was read of a region of one channel, and whether that is all of it."""

    index: int
    region: Region
    is_all: bool
    bursts: Pending


class Receiver:
    """Finds the bursts in one stream of raw samples.

    Args:
        plan: channels to receive.
        sample_rate_hz: rate of the stream.
        center_hz: its middle.
        raw_scale: how raw numbers become samples.
        rules: frame lengths and CRCs.
        repair: mend frames whose CRC does not fit, where the likeliest other readings do.
        coherent: read again coherently what one chip at a time did not give.
        subtraction: take decoded frames off the samples and search again beneath them.
        executor: demodulates regions elsewhere; None to do it here and at once.
    """

    def __init__(
        self,
        plan: Plan,
        sample_rate_hz: float,
        center_hz: float,
        raw_scale: RawScale,
        rules: FrameRules,
        *,
        repair: bool = True,
        coherent: bool = True,
        subtraction: bool = True,
        executor: Executor | None = None,
    ) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._raw_scale = raw_scale
        switches = {"repair": repair, "coherent": coherent, "subtraction": subtraction}
        setup = Setup(plan.channels, sample_rate_hz, center_hz, rules, switches)
        self._channels = plan.channels
        self._work = RegionWork(setup, executor)
        self._steps: deque[_Step] = deque()  # in which something may still be pending
        self._n_pending = 0
        self._wanted = {row.name for channel in plan.channels for row in channel.rows}
        self._recent: list[Burst] = []  # for telling copies and leakage
        self._spoken: set[tuple[int, int]] = set()  # channel and start of regions that gave bursts
        self._silent: list[Burst] = []  # energy without sync, not yet handed out
        self._done = 0
        if plan.channels:
            self._meter = EnergyMeter(plan.channels, sample_rate_hz, center_hz)
            self._gates = [
                Gate(channel, sample_rate_hz, self._meter.n_fft, self._meter.n_bins(i))
                for i, channel in enumerate(plan.channels)
            ]
            keep = max(gate.keep_samples for gate in self._gates) + 2 * self._meter.step_samples
            self._history = History(keep, raw_scale)
            self._dc = DcTracker()

    def push(self, raw: RawArray) -> list[Burst]:
        """Take interleaved raw I/Q [2n]; return the bursts that are complete, in the order of ``bursts``."""
        return [burst for found in self.bursts(raw) for burst in found]

    def bursts(self, raw: RawArray) -> Iterator[list[Burst]]:
        """Take interleaved raw I/Q [2n]; yield the bursts that are complete as soon as they are read.

        In each step first come those of all channels that are read cheaply, then those that take work.
        """
        if not self._channels:
            return
        step = self._meter.step_samples
        for offset in range(0, raw.size, 2 * step):  # so that the history never overtakes the gates
            self._history.append(raw[offset : offset + 2 * step])
            while self._history.end - self._done >= step:
                yield from self._advance(step)

    @property
    def is_quiet(self) -> bool:
        """Whether no gate is open."""
        return not self._channels or all(gate.open_since_sample is None for gate in self._gates)

    def flush(self) -> list[Burst]:
        """End of the stream: finish what is open."""
        if not self._channels:
            return []
        found: list[list[Burst]] = []
        rest = self._history.end - self._done
        if rest >= self._meter.n_fft:
            found += self._advance(rest)
        found += self._read([gate.flush(self._history.end) for gate in self._gates], self._history.end)
        return [burst for bursts in [*found, self._collect(0)] for burst in bursts]

    def _advance(self, n_samples: int) -> Iterator[list[Burst]]:
        raw = self._history.raw(self._done, self._done + n_samples)
        self._done += n_samples
        if n_samples == self._meter.step_samples and all(gate.is_at_rest for gate in self._gates):
            sketch = self._meter.measure(raw, self._raw_scale, every=2)
            if all(gate.is_silent(d) for gate, d in zip(self._gates, sketch, strict=True)):
                self._dc.push(self._meter.mean)
                for gate, d in zip(self._gates, sketch, strict=True):
                    gate.skim(d)
                if self._steps or self._silent:
                    yield from self._read([[] for _ in self._gates], self._done)
                return
            densities = np.empty((len(sketch), 2 * sketch.shape[1]), dtype=np.float32)
            densities[:, ::2] = sketch
            mean = self._meter.mean
            densities[:, 1::2] = self._meter.measure(raw, self._raw_scale, every=2, first=1)
            self._dc.push((mean + self._meter.mean) / 2.0)
        else:
            densities = self._meter.measure(raw, self._raw_scale)
            self._dc.push(self._meter.mean)
        ended = [gate.push(d) for gate, d in zip(self._gates, densities, strict=True)]
        yield from self._read(ended, self._done)

    def _read(self, ended: list[list[Region]], known: int) -> Iterator[list[Burst]]:
        """Have the regions read that end in one step or stay open, and yield what is complete.

        Args:
            ended: of each channel.
            known: the sample behind the step's last.
        """
        history, dc = self._history, self._dc.value
        portions: list[tuple[int, Region, bool, Portion]] = []
        for index, (gate, regions) in enumerate(zip(self._gates, ended, strict=True)):
            for region in regions:
                self._work.drop(index, region.start)
                portions.append((index, region, True, self._work.close(index, history, region, dc, known)))
            self._work.drop(index, gate.open_since_sample)
            growing = gate.growing()
            if growing is not None:
                portions.append((index, growing, False, self._work.grow(index, history, growing, dc)))
            self._n_pending += len(regions)
        open_since = [start for gate in self._gates if (start := gate.open_since_sample) is not None]
        if not portions:
            self._steps.append(_Step([], open_since))
            yield self._collect(_MOST_PENDING)
        else:
            cheap = [_Part(index, region, False, portion.frames) for index, region, _, portion in portions]
            self._steps.append(_Step(cheap, [*open_since, *(part.region.start for part in cheap)]))
            yield self._collect(_MOST_PENDING)
        for rate_hz in sorted(
            {self._channels[portion[0]].chip_rate_hz for portion in portions}, reverse=True
        ):
            # the fast first: theirs is the least work; copies come from neighbours of the same rate
            alike = [p for p in portions if self._channels[p[0]].chip_rate_hz == rate_hz]
            portions = [p for p in portions if self._channels[p[0]].chip_rate_hz != rate_hz]
            worked = [_Part(index, region, is_all, p.work()) for index, region, is_all, p in alike]
            self._steps.append(_Step(worked, [*open_since, *(region.start for _, region, _, _ in portions)]))
            yield self._collect(_MOST_PENDING)

    def _collect(self, most_pending: int) -> list[Burst]:
        """Finish the steps that are complete, and more until few enough regions are pending."""
        found: list[Burst] = []
        while self._steps:
            step = self._steps[0]
            pending = [part.bursts for part in step.parts]
            if not all(bursts.begun for bursts in pending):
                break
            if self._n_pending <= most_pending and not all(bursts.done() for bursts in pending):
                break
            self._steps.popleft()
            self._n_pending -= sum(part.is_all for part in step.parts)
            found += self._settle(step)
        return found

    def _settle(self, step: _Step) -> list[Burst]:
        """Take the bursts of one step."""
        found: list[Burst] = []
        if not step.parts and not self._silent:
            return found
        for part in step.parts:
            bursts, region, channel = part.bursts.result(), part.region, self._channels[part.index]
            found += bursts
            if bursts:
                self._spoken.add((part.index, region.start))
            shortest = channel.shortest_burst_s * self._sample_rate_hz
            whole = part.is_all and region.settled and region.own_start == region.start
            spoken = (part.index, region.start) in self._spoken
            if whole and not spoken and region.active_samples >= shortest:
                self._silent.append(unsynchronised(channel, region, self._sample_rate_hz))
            if part.is_all:
                self._spoken.discard((part.index, region.start))
        fresh = self._without_copies(found)
        self._recent = [*self._recent, *fresh][-_RECENT_BURSTS:]
        fresh += self._release_silent(step.open_since)
        wanted = [burst for burst in fresh if burst.row.name in self._wanted]
        return sorted(wanted, key=lambda burst: (burst.first_sample, burst.row.name))

    def _without_copies(self, bursts: list[Burst]) -> list[Burst]:
        """Drop what two neighbouring channels or parts of a region received twice, the worse copy."""
        fresh: list[Burst] = []
        for burst in sorted(bursts, key=_off_carrier):
            if not any(self._same(burst, other) for other in self._recent + fresh):
                fresh.append(burst)
        return fresh

    def _same(self, a: Burst, b: Burst) -> bool:
        """Tell whether a burst is a copy of another, or failed where the other was read."""
        slack = _SAME_BURST_CHIPS / a.row.chip_rate_hz * self._sample_rate_hz
        if a.row.mode != b.row.mode or abs(a.first_sample - b.first_sample) > slack:
            return False
        return a.raw == b.raw or (a.fault is not None and b.fault is None)

    def _release_silent(self, open_since: list[int]) -> list[Burst]:
        """Hand out bursts without sync once no open region can explain them as its leakage."""
        released, waiting = [], []
        for burst in self._silent:
            if any(start < self._stop(burst) for start in open_since):
                waiting.append(burst)
            elif not any(self._leaks_from(burst, other) for other in self._recent + self._silent):
                released.append(burst)
        self._silent = waiting[-_RECENT_BURSTS:]
        return released

    def _leaks_from(self, burst: Burst, other: Burst) -> bool:
        """Tell whether energy without sync is the skirt of a much stronger burst beside it."""
        overlap = burst.first_sample < self._stop(other) and other.first_sample < self._stop(burst)
        level, strong = burst.quality.rssi_dbfs, other.quality.rssi_dbfs
        return overlap and level is not None and strong is not None and strong > level + _LEAKAGE_DB

    def _stop(self, burst: Burst) -> float:
        return burst.first_sample + burst.duration_s * self._sample_rate_hz


def _off_carrier(burst: Burst) -> float:
    return abs(burst.quality.frequency_error_hz or 0.0)
