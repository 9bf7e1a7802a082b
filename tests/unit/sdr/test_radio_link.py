"""A radio link over a source and a clock that the test moves: no time passes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from sdr.errors import DeviceLost, DeviceNotFound
from sdr.live.link import BACK_OFF_S, STALL_S, START_UP_S, RadioLink
from sdr.radio import Deliver, Piece
from sdr.sample_format import SampleFormat

RATE_HZ = 1000.0


class _Source:
    """Streams what the test gives, in a thread as all sources."""

    uri = "fake:1"
    identity = ""
    sample_rate_hz = RATE_HZ
    center_hz = 868.9e6
    sample_format = SampleFormat.CU8
    can_wait = False

    def __init__(self) -> None:
        self.settings: list[str] = []
        self.closed = False
        self.fault: Exception | None = None
        self.ready = threading.Event()
        self.ended = threading.Event()
        self.deliver: Deliver | None = None

    def stream(self, deliver: Deliver) -> None:
        self.deliver = deliver
        self.ready.set()
        self.ended.wait(30.0)
        if self.fault is not None:
            raise self.fault

    def stop(self) -> None:
        self.ended.set()

    def close(self) -> None:
        self.closed = True

    def send(self, n_samples: int) -> None:
        assert self.ready.wait(30.0) and self.deliver is not None
        self.deliver(np.zeros(2 * n_samples, np.uint8), 0)


class _Bench:
    """Link, clock, what was said, and the sources that were opened."""

    def __init__(self, **options: float) -> None:
        self.now_s = 100.0
        self.said: list[str] = []
        self.sources: list[_Source] = []
        self.is_there = True
        self.link = RadioLink(self._open, self.said.append, clock=lambda: self.now_s, **options)

    def _open(self) -> _Source:
        if not self.is_there:
            raise DeviceNotFound("fake:1: is not there")
        self.sources.append(_Source())
        return self.sources[-1]

    def start(self) -> _Source:
        self.link.open()
        self.link.start()
        return self.sources[-1]

    def take(self) -> Piece:
        piece = self.link.take()
        assert piece is not None
        return piece

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the radio's thread end."""
        for _ in range(3000):
            assert self.link.take() is None
            if condition():
                return
            threading.Event().wait(0.01)
        raise AssertionError("never happened")


def test_sample_numbers_go_on_over_a_loss_and_it_is_told_once() -> None:
    bench = _Bench()
    first = bench.start()
    first.send(500)
    assert bench.take().end == 500
    first.fault = DeviceLost("fake:1: was unplugged")
    first.ended.set()
    bench.until(lambda: bool(bench.said))
    assert bench.said == ["fake:1: was unplugged; trying again"]
    bench.is_there = False
    for wait_s in BACK_OFF_S:
        bench.now_s += wait_s
        assert bench.link.take() is None
    bench.is_there = True
    bench.now_s += BACK_OFF_S[-1]
    assert bench.link.take() is None
    bench.sources[-1].send(10)
    piece = bench.take()
    away_s = sum(BACK_OFF_S) + BACK_OFF_S[-1]
    assert piece.first_sample == 500 + round(away_s * RATE_HZ)
    assert bench.said[1:] == [f"fake:1: is back after {away_s:.1f} s"]
    assert first.closed and bench.link.n_lost == 1
    bench.link.close()


def test_silence_is_a_loss_later_at_the_start_than_afterwards() -> None:
    bench = _Bench()
    bench.start()
    bench.now_s += START_UP_S - 0.1
    assert bench.link.take() is None and not bench.said
    bench.sources[-1].send(1)
    bench.take()
    bench.now_s += STALL_S - 0.1
    assert bench.link.take() is None and not bench.said
    bench.now_s += 0.2
    assert bench.link.take() is None
    assert bench.said == [
        "fake:1: fake:1: stopped sending samples for 2.1 s; trying again"
    ] or bench.said == ["fake:1: stopped sending samples for 2.1 s; trying again"]
    bench.link.close()


def test_what_came_before_a_loss_is_taken_first() -> None:
    bench = _Bench()
    source = bench.start()
    source.send(5)
    source.send(6)
    source.fault = RuntimeError("whatever a driver raises")
    source.ended.set()
    assert [bench.take().end, bench.take().end] == [5, 11]
    bench.until(lambda: bool(bench.said))
    assert "RuntimeError: whatever a driver raises" in bench.said[0]
    bench.link.close()


def test_given_up_after_the_time_that_was_asked_for() -> None:
    bench = _Bench(give_up_s=20.0)
    source = bench.start()
    source.send(1)
    bench.take()
    bench.is_there = False
    source.fault = DeviceLost("fake:1: was unplugged")
    source.ended.set()
    bench.until(lambda: bool(bench.said))
    with pytest.raises(DeviceLost, match=r"given up after 20 s: fake:1: is not there"):
        for _ in range(200):
            bench.now_s += 0.5
            bench.link.take()
    assert bench.said == ["fake:1: was unplugged; trying again for 20 s"]


def test_a_source_that_ends_is_no_loss() -> None:
    bench = _Bench()
    source = bench.start()
    source.send(1)
    source.ended.set()
    bench.take()
    bench.until(lambda: bench.link.ended)
    assert not bench.said and source.closed
