"""A live radio on a machine that does not keep up."""

from __future__ import annotations

import threading

import numpy as np

from protocol.decoder import Decoder
from sdr.live.radio import LiveRadio, RadioOptions
from sdr.radio import Deliver, Source, Tuning
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat
from sdr.session import Selection

_FAST, _SLOW = Tuning(2.4e6, 868.9e6), Tuning(1.2e6, 869.2e6)
_PIECE = np.random.default_rng(1).integers(126, 130, 2 * 1_000_000).astype(np.uint8)


class _Torrent:
    """Sends more than the ring holds before anybody takes it."""

    uri, identity, sample_format, can_wait = "fake:1", "", SampleFormat.CU8, False

    def __init__(self, tuning: Tuning) -> None:
        self.sample_rate_hz, self.center_hz = tuning.sample_rate_hz, tuning.center_hz
        self.settings: list[str] = []
        self.all_sent, self._ended = threading.Event(), threading.Event()

    def stream(self, deliver: Deliver) -> None:
        for _ in range(12):
            deliver(_PIECE, 0)
        self.all_sent.set()
        self._ended.wait(60.0)

    def stop(self) -> None:
        self._ended.set()

    def close(self) -> None:
        pass


def test_dropping_falls_back_to_what_costs_less_and_says_so() -> None:
    now_s = 0.0
    said: list[str] = []
    opened: list[_Torrent] = []

    def opener(_uri: str, tuning: Tuning) -> Source:
        opened.append(_Torrent(tuning))
        return opened[-1]

    radio = LiveRadio(
        RadioOptions("fake:1", (_FAST, _SLOW)),
        Selection(),
        Decoder(),
        opener,
        said.append,
        clock=lambda: now_s,
    )
    radio.open()
    radio.start()
    assert opened[0].all_sent.wait(60.0)
    assert radio.link.dropped == 3_000_000  # nine pieces fit into four seconds
    now_s = 11.0
    assert list(radio.receive() or ()) == []
    assert [one.sample_rate_hz for one in opened] == [2.4e6, 1.2e6]
    assert any("does not keep up; falling back to 1.2 MS/s at 869.2 MHz" in line for line in said)
    assert opened[1].all_sent.wait(60.0)
    while (receptions := radio.receive()) is not None:
        list(receptions)
    assert {channel.center_hz for channel in radio.plan.channels} == {868.95e6, 869.525e6}
    assert radio.link.dropped > 3_000_000  # counted on over the change
    radio.close()


class _Carrier:
    """A carrier in the middle of the T channel that never stops, piece by piece as it is asked for."""

    uri, identity, sample_format, can_wait = "fake:2", "", SampleFormat.CU8, False

    def __init__(self, tuning: Tuning) -> None:
        self.sample_rate_hz, self.center_hz = tuning.sample_rate_hz, tuning.center_hz
        self.settings: list[str] = []
        self.wanted, self.sent, self._ended = threading.Semaphore(0), threading.Semaphore(0), False
        n = np.arange(20 * 32_768)
        turns = np.exp(2j * np.pi * (868.95e6 - tuning.center_hz) / tuning.sample_rate_hz * n)
        noise = np.random.default_rng(2).normal(0.0, 2.0, (n.size, 2))
        quiet_then_loud = np.where(n < 10 * 32_768, 0.0, 60.0)[:, None]
        parts = 127.5 + noise + quiet_then_loud * np.stack([turns.real, turns.imag], axis=1)
        self._raw = np.clip(np.rint(parts), 0, 255).astype(np.uint8).reshape(-1)

    def stream(self, deliver: Deliver) -> None:
        for start in range(0, self._raw.size, 65_536):
            self.wanted.acquire()
            if self._ended:
                return
            deliver(self._raw[start : start + 65_536], 0)
            self.sent.release()
        self.wanted.acquire()

    def stop(self) -> None:
        self._ended = True
        self.wanted.release()

    def close(self) -> None:
        pass


def test_a_learnt_error_is_applied_though_a_burst_is_always_open() -> None:
    now_s = 0.0
    source = _Carrier(_SLOW)
    radio = LiveRadio(
        RadioOptions("fake:2", (_SLOW,), ppm=None),
        Selection(),
        Decoder(),
        lambda _uri, _tuning: source,
        lambda _text: None,
        clock=lambda: now_s,
    )
    radio.open()
    radio.start()

    def next_piece() -> StreamReceiver:
        """Decode one piece; return the receiver that did it."""
        source.wanted.release()
        assert source.sent.acquire(timeout=60.0)
        list(radio.receive() or ())
        assert radio._receiver is not None
        return radio._receiver

    for _ in range(10):
        next_piece()
    receiver = next_piece()
    assert not receiver.is_quiet  # the carrier
    radio._ppm, radio._learnt_s = 8.0, now_s
    assert next_piece() is receiver  # between bursts would be better
    now_s = 5.0
    assert next_piece() is receiver
    now_s = 11.0
    assert next_piece() is not receiver
    assert radio._learnt_s is None
    radio.close()
