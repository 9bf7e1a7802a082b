"""Demodulation of regions while they grow, in this process or by others: the same bursts, whoever makes them.

A region's bursts depend on its samples, on the noise and the radio's constant offset at its beginning, on
where it is read on while it grows, and on nothing before it. So a task carries just these. Who works here
reads on at once; others get a region when it has ended, and read it in the same portions. Helpers get, with
each task, how to set up demodulators; they keep them for the next one.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from dsp.burst import Burst, FrameRules
from dsp.demodulator import Demodulator, OpenRegion
from dsp.gate import Region
from dsp.history import History
from dsp.plan import Channel

_KEPT_SETUPS = 8


class Pending(Protocol):
    """Bursts that somebody is perhaps still working for."""

    @property
    def begun(self) -> bool:
        """Whether somebody is at work, so that ``result`` comes to an end."""

    def done(self) -> bool:
        """Tell whether ``result`` would return at once."""

    def result(self) -> list[Burst]:
        """Wait for the bursts."""


class Portion(Protocol):
    """What one step adds to a region.

    Attributes:
        frames: what could be read cheaply.
    """

    @property
    def frames(self) -> Pending:
        """What can be read cheaply."""

    def work(self) -> Pending:
        """Work for the rest, once, before the next portion; of a region that has ended with failures."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What it takes to build the demodulators of a stream.

    Attributes:
        channels: what to receive.
        sample_rate_hz: rate of the stream.
        center_hz: its middle.
        rules: frame lengths and CRCs.
        switches: ideas of the demodulator to use or not.
    """

    channels: tuple[Channel, ...]
    sample_rate_hz: float
    center_hz: float
    rules: FrameRules
    switches: Mapping[str, bool]

    def demodulators(self) -> list[Demodulator]:
        """Build one demodulator a channel."""
        return [
            Demodulator(channel, self.sample_rate_hz, self.center_hz, self.rules, **self.switches)
            for channel in self.channels
        ]


class RegionWork:
    """Demodulates the regions of one stream; of each channel one may be open.

    Args:
        setup: of the demodulators.
        executor: who works; None to work here and at once.

    Attributes:
        demodulators: one a channel.
    """

    def __init__(self, setup: Setup, executor: Executor | None = None) -> None:
        self.demodulators = setup.demodulators()
        self._executor = executor
        self._setup = b"" if executor is None else pickle.dumps(setup)
        self._here: dict[int, OpenRegion] = {}  # by channel
        self._elsewhere: dict[int, _Task] = {}

    def grow(self, index: int, history: History, region: Region, dc: complex) -> Portion:
        """Read on in a region that is open.

        Args:
            index: of the channel.
            history: where the samples are; may go on at once.
            region: as far as it goes.
            dc: the radio's constant offset; that of a region's beginning counts.
        """
        if self._executor is None:
            opened = self._open_here(index, region, dc)
            return _PortionHere(opened, _Done(opened.grow(history, region.stop)))
        task = self._open_elsewhere(index, region, dc)
        task.stops.append(region.stop)
        return _PortionElsewhere(task, len(task.stops) - 1)

    def close(self, index: int, history: History, region: Region, dc: complex, known: int) -> Portion:
        """Read the rest of a region; no sample from ``known`` on is used."""
        if self._executor is None:
            opened = self._open_here(index, region, dc)
            del self._here[index]
            return _PortionHere(opened, _Done(opened.close(history, region, known)))
        task = self._open_elsewhere(index, region, dc)
        del self._elsewhere[index]
        reach = self.demodulators[index].reach_samples
        piece = history.cut(region.start - reach, min(region.stop + reach, known))
        task.future = self._executor.submit(
            _demodulate, self._setup, index, piece, task.region, region, task.stops, task.dc
        )
        return _PortionElsewhere(task, len(task.stops))

    def drop(self, index: int, start: int | None) -> None:
        """Forget the channel's open region, unless it begins at ``start``: it was nothing."""
        here = self._here.get(index)
        if here is not None and here.start != start:
            del self._here[index]
        task = self._elsewhere.get(index)
        if task is not None and task.region.start != start:
            task.future = Future()
            task.future.set_result([[] for _ in range(2 * len(task.stops))])
            del self._elsewhere[index]

    def _open_here(self, index: int, region: Region, dc: complex) -> OpenRegion:
        if index not in self._here:
            self._here[index] = self.demodulators[index].open(region, dc)
        return self._here[index]

    def _open_elsewhere(self, index: int, region: Region, dc: complex) -> _Task:
        if index not in self._elsewhere:
            self._elsewhere[index] = _Task(region, dc)
        return self._elsewhere[index]


@dataclass(frozen=True, slots=True)
class _Done:
    """Bursts that are there."""

    bursts: list[Burst]
    begun: bool = True

    def done(self) -> bool:
        return True

    def result(self) -> list[Burst]:
        return self.bursts


@dataclass(frozen=True, slots=True)
class _PortionHere:
    opened: OpenRegion
    frames: _Done

    def work(self) -> _Done:
        return _Done(self.opened.work())


@dataclass(slots=True)
class _Task:
    """A region for others: how it began, where it is to be read on, and who reads it once it has ended."""

    region: Region
    dc: complex
    stops: list[int] = field(default_factory=list)
    future: Future[list[list[Burst]]] | None = None


@dataclass(frozen=True, slots=True)
class _PortionElsewhere:
    task: _Task
    number: int

    @property
    def frames(self) -> _Result:
        return _Result(self.task, 2 * self.number)

    def work(self) -> _Result:
        return _Result(self.task, 2 * self.number + 1)


@dataclass(frozen=True, slots=True)
class _Result:
    """One of the results of a task."""

    task: _Task
    number: int

    @property
    def begun(self) -> bool:
        return self.task.future is not None

    def done(self) -> bool:
        return self.task.future is not None and self.task.future.done()

    def result(self) -> list[Burst]:
        assert self.task.future is not None
        return self.task.future.result()[self.number]


def _demodulate(
    setup: bytes,
    index: int,
    history: History,
    begun: Region,
    region: Region,
    stops: list[int],
    dc: complex,
) -> list[list[Burst]]:
    """Read a region in portions; return of each what is read cheaply and what by work, the rest last."""
    opened = _built(setup)[index].open(begun, dc)
    found = []
    for stop in stops:
        found += [opened.grow(history, stop), opened.work()]
    return [*found, opened.close(history, region), opened.work()]


@lru_cache(maxsize=_KEPT_SETUPS)
def _built(setup: bytes) -> list[Demodulator]:
    unpacked: Setup = pickle.loads(setup)
    return unpacked.demodulators()
