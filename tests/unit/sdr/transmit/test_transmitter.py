"""The transmitter between telegrams and a sink: what is due when, what passes the gate, who is paused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from support import GAS_FRAME

from sdr.errors import DeviceLost, TransmissionRefused, UsageError
from sdr.frame_input import GivenFrame
from sdr.sample_format import SampleFormat, to_complex
from sdr.send_plan import Way, plan_frames
from sdr.traffic import Transmission
from sdr.transmit.burst import IqBurst, SendReport
from sdr.transmit.hackrf_burst import TRANSFER_BYTES, filter_hz, padded_bytes
from sdr.transmit.tuning import Tuning, choose_tuning
from sdr.transmitter import Transmitter, air_time_s, gain_reduction_db, make_burst


@dataclass
class Sink:
    """A radio that only remembers."""

    name: str = "fake"
    sample_format: SampleFormat = SampleFormat.CS8
    radiates: bool = True
    half_duplex: bool = True
    most_reduction_db: int = 0
    fails: bool = False
    log: list[str] = field(default_factory=list)

    def send(self, burst: IqBurst) -> SendReport:
        self.log.append("send")
        if self.fails:
            raise DeviceLost("gone")
        return SendReport(underruns=0)

    def close(self) -> None:
        self.log.append("close")

    # as the gate

    def reserve(self, sent: Transmission, air_time_s: float) -> None:
        self.log.append(f"reserve {1e3 * air_time_s:.2f} ms")
        if sent.frame_format == "B":
            raise TransmissionRefused("no")

    # as the receiver

    def pause(self) -> None:
        self.log.append("pause")

    def resume(self) -> None:
        self.log.append("resume")


@dataclass
class Clock:
    """Time that passes only by waiting."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def _sent(mode: str = "T", n: int = 1, frame_format: str = "A") -> list[Transmission]:
    way = Way(mode=mode, frame_format=frame_format)
    return plan_frames([GivenFrame(1, GAS_FRAME)], way, repeat=n, interval_s=0.5, first_s=0.1)


def _tuning(sent: Transmission) -> Tuning:
    return choose_tuning([sent], sample_rate_hz=8e6)


def test_nothing_radiates_without_a_gate() -> None:
    with pytest.raises(UsageError, match="without a safety gate"):
        Transmitter(Sink(), _tuning)
    Transmitter(Sink(radiates=False), _tuning)


def test_bursts_are_sent_when_due() -> None:
    sink, clock = Sink(), Clock()
    transmitter = Transmitter(sink, _tuning, sink, clock=clock, sleep=clock.sleep)
    times = [clock.now_s for _ in transmitter.run(_sent(n=3))]
    assert times == pytest.approx([100.1, 100.6, 101.1])
    assert sink.log == ["reserve 7.14 ms", "send"] * 3


def test_what_the_gate_refuses_does_not_reach_the_sink() -> None:
    sink, clock = Sink(), Clock()
    transmitter = Transmitter(sink, _tuning, sink, clock=clock, sleep=clock.sleep)
    with pytest.raises(TransmissionRefused):
        list(transmitter.run(_sent("C", 2, "B")))
    assert sink.log == ["reserve 4.58 ms"]  # 64 + 49 · 8 + 2 chips at 100 kcps


@pytest.mark.parametrize("fails", [False, True])
def test_receiver_on_the_same_radio_is_paused_and_always_resumed(fails: bool) -> None:
    sink, clock = Sink(fails=fails), Clock()
    transmitter = Transmitter(sink, _tuning, sink, receiver=sink, clock=clock, sleep=clock.sleep)
    (sent,) = _sent()
    burst = make_burst(sent, _tuning(sent), SampleFormat.CS8)
    if fails:
        with pytest.raises(DeviceLost):
            transmitter.send(sent, burst)
    else:
        transmitter.send(sent, burst)
    assert sink.log == ["reserve 7.14 ms", "pause", "send", "resume"]


def test_full_duplex_radio_pauses_nobody() -> None:
    sink = Sink(half_duplex=False)
    (sent,) = _sent()
    transmitter = Transmitter(sink, _tuning, sink, receiver=sink)
    transmitter.send(sent, make_burst(sent, _tuning(sent), SampleFormat.CS8))
    assert sink.log == ["reserve 7.14 ms", "send"]


def test_window_is_waited_for_or_over() -> None:
    sink, clock = Sink(), Clock()
    (sent,) = _sent()
    burst = make_burst(sent, _tuning(sent), SampleFormat.CS8)
    transmitter = Transmitter(sink, _tuning, sink, clock=clock, sleep=clock.sleep)
    # C2, fast: 99.5 to 100.5 ms after the end of the meter's frame
    transmitter.send_between(sent, burst, 100.0995, 100.1005)
    assert clock.now_s == pytest.approx(100.0995)
    with pytest.raises(TransmissionRefused, match=r"window closed 49\.5 ms ago"):
        transmitter.send_between(sent, burst, 100.0, 100.05)
    assert sink.log.count("send") == 1


# the samples


@pytest.mark.parametrize("sample_format", SampleFormat)
def test_samples_of_a_burst(sample_format: SampleFormat) -> None:
    (sent,) = _sent()
    burst = make_burst(sent, _tuning(sent), sample_format)
    assert burst.raw.dtype == sample_format.dtype
    assert burst.first_sample == round((0.1 - 10e-6) * 8e6)
    assert burst.duration_s == pytest.approx(air_time_s(sent), abs=3 / 8e6)
    power = np.abs(to_complex(burst.raw, sample_format))
    inside = power[81:-82]  # ramps of 80 samples
    np.testing.assert_allclose(inside, 10 ** (-1 / 20), atol=1.5 / 127)


def test_levels_that_clip_are_refused() -> None:
    (loud,) = plan_frames(
        [GivenFrame(1, GAS_FRAME)], Way(mode="T", level_dbfs=0.5), repeat=1, interval_s=1.0, first_s=0.1
    )
    for sample_format in SampleFormat:
        with pytest.raises(UsageError, match=r"0\.5 dBFS clips"):
            make_burst(loud, _tuning(loud), sample_format)


def test_weak_bursts_are_made_weak_by_the_gain_of_the_radio() -> None:
    sink = Sink(most_reduction_db=20)
    for level_dbfs, reduction_db in ((-1.0, 0), (-12.0, 0), (-12.5, 0), (-13.0, 1), (-30.5, 18), (-70.0, 20)):
        way = Way(mode="T", level_dbfs=level_dbfs)
        (sent,) = plan_frames([GivenFrame(1, GAS_FRAME)], way, repeat=1, interval_s=1.0, first_s=0.1)
        assert gain_reduction_db(sent, sink) == reduction_db
        burst = make_burst(sent, _tuning(sent), SampleFormat.CF32, reduction_db)
        assert burst.gain_reduction_db == reduction_db
        power = np.abs(to_complex(burst.raw, SampleFormat.CF32))[200:-200]
        np.testing.assert_allclose(20 * np.log10(power), level_dbfs + reduction_db, atol=1e-3)


def test_transfers_of_a_hackrf_are_whole_and_silence_follows() -> None:
    (sent,) = _sent()
    burst = make_burst(sent, _tuning(sent), SampleFormat.CS8)
    content = padded_bytes(burst)
    assert len(content) % TRANSFER_BYTES == 0
    lead = 2 * round(2e-3 * 8e6)
    assert not any(content[:lead])
    assert content[lead : lead + burst.raw.size] == burst.raw.tobytes()
    assert len(content) - lead - burst.raw.size >= 4 * TRANSFER_BYTES
    assert not any(content[lead + burst.raw.size :])


def test_filter_of_a_hackrf() -> None:
    assert [filter_hz(1e6 * mhz) for mhz in (0.1, 1.75, 1.8, 15.1, 40)] == [1.75e6, 1.75e6, 2.5e6, 20e6, 28e6]


# tuning


def test_oscillator_lies_in_a_gap_for_several_signals() -> None:
    sent = [*_sent("T"), *_sent("S")]
    tuning = choose_tuning(sent)
    assert tuning.sample_rate_hz == 2.4e6
    for one in sent:
        low_hz, high_hz = one.edges_hz
        assert not low_hz <= tuning.center_hz <= high_hz
        assert abs(low_hz - tuning.center_hz) < 1.2e6 and abs(high_hz - tuning.center_hz) < 1.2e6


def test_least_rate_that_holds_everything() -> None:
    assert choose_tuning(_sent("F")).sample_rate_hz == 300e3
    assert choose_tuning(_sent("T")).sample_rate_hz == 2.4e6
    apart = [
        *_sent("F"),
        *plan_frames([GivenFrame(1, GAS_FRAME)], Way("T", band="B"), repeat=1, interval_s=1.0, first_s=0),
    ]
    assert choose_tuning(apart).sample_rate_hz == 2.4e6
    with pytest.raises(UsageError, match="20 MS/s does not hold"):
        choose_tuning([*_sent("F"), *_sent("T")])
