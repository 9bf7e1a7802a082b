"""Demodulation of regions, in this process or by others: the same bursts, whoever makes them.

A region's bursts depend on its samples, its noise and the radio's constant offset, and on nothing
before it; so a task carries just these. Helpers get, with each task, how to set up demodulators;
they keep them for the next one.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from dsp.burst import Burst, FrameRules
from dsp.demodulator import Demodulator
from dsp.gate import Region
from dsp.history import History
from dsp.plan import Channel

_KEPT_SETUPS = 8


class Pending(Protocol):
    """The bursts of a region that is perhaps still being worked on; futures are such."""

    def done(self) -> bool:
        """Tell whether ``result`` would return at once."""

    def result(self, timeout: float | None = None) -> list[Burst]:
        """Wait for the bursts."""


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
    """Demodulates the regions of one stream.

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

    def begin(self, index: int, history: History, region: Region, dc: complex) -> Pending:
        """Begin to demodulate a region of the channel ``index``; ``history`` may go on at once."""
        if self._executor is None:
            return _Done(self.demodulators[index].demodulate(history, region, dc))
        reach = self.demodulators[index].reach_samples
        piece = history.cut(region.start - reach, region.stop + reach)
        return self._executor.submit(_demodulate, self._setup, index, piece, region, dc)


@dataclass(frozen=True, slots=True)
class _Done:
    """Bursts that are there."""

    bursts: list[Burst]

    def done(self) -> bool:
        return True

    def result(self, timeout: float | None = None) -> list[Burst]:
        return self.bursts


def _demodulate(setup: bytes, index: int, history: History, region: Region, dc: complex) -> list[Burst]:
    return _built(setup)[index].demodulate(history, region, dc)


@lru_cache(maxsize=_KEPT_SETUPS)
def _built(setup: bytes) -> list[Demodulator]:
    unpacked: Setup = pickle.loads(setup)
    return unpacked.demodulators()
