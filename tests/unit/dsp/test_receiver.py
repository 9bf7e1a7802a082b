"""The whole chain: several bursts at once and one after another, copies, leakage, damage, edges."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from support import (
    NOISE_POWER,
    Air,
    frames_of,
    narrow_air,
    on_air,
    open_receiver,
    pad_with_noise,
    place_in_noise,
    receive,
    row_plan,
    sent_raw,
)

from dsp import channel
from dsp.arrays import ComplexArray
from dsp.burst import Fault
from dsp.history import RawScale
from dsp.modes import BY_NAME
from dsp.modulator import Impairments
from dsp.plan import Plan
from dsp.receiver import Receiver
from sdr.receiver import LinkRules
from sdr.sample_format import SampleFormat, from_complex

AIR_868 = Air(2.4e6, 868.9e6)
T, C, S, C_DOWN = (BY_NAME[name] for name in ("T M2O", "C M2O", "S2 M2O", "C2 O2M"))
T_AIR = narrow_air(T)


def _settled_noise(air: Air) -> int:
    """Samples after which every gate of the 868 MHz channels knows its floor."""
    return round(0.35 * air.sample_rate_hz)


def test_frames_back_to_back_in_one_region() -> None:
    # Twelve frames of T and C without a gap between them.
    rng = np.random.default_rng(1)
    parts, raws = [], []
    for n in range(12):
        row, frame_format = ((T, "A"), (C, "A"), (C, "B"))[n % 3]
        raws.append(sent_raw(rng, int(rng.integers(9, 80)), frame_format))
        parts.append(on_air(raws[-1], row, frame_format, T_AIR, rng))
    samples = pad_with_noise(np.concatenate(parts), T_AIR, rng, 0.35)
    assert frames_of(receive(samples, T_AIR, T_AIR.plan())) == raws


def test_a_receiver_that_is_replaced_leaves_nothing_to_the_garbage_collector() -> None:
    # Live reception makes a new one after each gap; its buffers would wait for the collector.
    rng = np.random.default_rng(41)
    raws = [sent_raw(rng, 30, "A") for _ in range(2)]
    parts = [on_air(raw, T, "A", T_AIR, rng) for raw in raws]
    parts[1] += 0.3 * np.resize(parts[0], parts[1].size)  # something to separate
    samples = pad_with_noise(np.concatenate(parts), T_AIR, rng, 0.35)
    receive(samples, T_AIR, T_AIR.plan())  # imports and kernels
    gc.collect()
    gc.disable()
    try:
        found = frames_of(receive(samples, T_AIR, T_AIR.plan()))
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert raws[0] in found


def test_frames_leave_while_their_region_is_still_open() -> None:
    # Ten frames of S without a gap between them, 0.3 s, with a weaker one on top of the fourth; each must
    # leave with the step after its last chip, but for those that lie beneath another or wait for it.
    rng = np.random.default_rng(31)
    air = narrow_air(S)
    at, bursts, raws = _settled_noise(air), [], []
    for _ in range(10):
        raws.append(sent_raw(rng, int(rng.integers(20, 60)), "A"))
        bursts.append((at, on_air(raws[-1], S, "A", air, rng, ec_n0_db=25)))
        at += bursts[-1][1].size
    weak = sent_raw(rng, 30, "A")
    bursts.append((bursts[3][0] + 1500, on_air(weak, S, "A", air, rng, ec_n0_db=15)))
    samples = place_in_noise(bursts, at + round(0.1 * air.sample_rate_hz), rng)
    receiver = open_receiver(air, row_plan(S, air))
    step, late, found = receiver._meter.step_samples, {}, []
    for start in range(0, samples.size, step):
        pushed = receiver.push(samples[start : start + step].view(np.float32))
        found += frames_of(pushed)
        for burst in pushed:
            stop = burst.first_sample + burst.duration_s * air.sample_rate_hz
            late[burst.raw] = (start + step - stop) / step
    assert sorted(found) == sorted([*raws, weak])
    assert sum(steps < 2.0 for steps in late.values()) >= 9
    assert max(late.values()) < 8.0


def test_all_channels_at_the_same_time() -> None:
    rng = np.random.default_rng(3)
    raws, bursts = [], []
    first = _settled_noise(AIR_868)
    for row in (S, T, C_DOWN):
        raws.append(sent_raw(rng, 40, "A"))
        bursts.append((first, on_air(raws[-1], row, "A", AIR_868, rng)))
    samples = place_in_noise(bursts, 2 * first, rng)
    found = receive(samples, AIR_868, AIR_868.plan())
    assert sorted(frames_of(found)) == sorted(raws)
    assert len(found) == 3
    assert max(abs(burst.first_sample - first) for burst in found) < 100


def test_two_carriers_of_one_channel_at_the_same_time() -> None:
    # 15 dB apart: the stronger one comes out, and is not spoilt by the weaker one beside it.
    rng = np.random.default_rng(3)
    strong, weak = sent_raw(rng, 30, "A"), sent_raw(rng, 30, "A")
    first = _settled_noise(T_AIR)
    aside = Impairments(carrier_offset_hz=-30e3)
    bursts = [
        (first, on_air(weak, T, "A", T_AIR, rng, ec_n0_db=18, impairments=aside)),
        (first + 700, on_air(strong, T, "A", T_AIR, rng, ec_n0_db=33)),
    ]
    found = frames_of(receive(place_in_noise(bursts, 2 * first, rng), T_AIR, T_AIR.plan()))
    assert strong in found


def test_a_frame_cut_by_the_end_is_reported_as_truncated() -> None:
    rng = np.random.default_rng(4)
    raw = sent_raw(rng, 60, "A")
    burst = on_air(raw, T, "A", T_AIR, rng)
    first = _settled_noise(T_AIR)
    samples = place_in_noise([(first, burst)], first + burst.size, rng)
    whole = receive(samples, T_AIR, T_AIR.plan())
    assert frames_of(whole) == [raw]
    (cut,) = receive(samples[: first + burst.size * 2 // 3], T_AIR, T_AIR.plan())
    assert cut.fault is Fault.TRUNCATED
    assert raw.startswith(cut.raw[:-1]) and 20 < len(cut.raw) < len(raw)
    assert cut.first_sample == pytest.approx(first, abs=20)


@pytest.mark.parametrize(("name", "cut_chips"), [("T M2O", 18), ("S1 M2O", 540), ("C M2O", 20), ("F2", 50)])
def test_a_recording_that_begins_within_a_preamble(name: str, cut_chips: int) -> None:
    row = BY_NAME[name]
    air = narrow_air(row)
    rng = np.random.default_rng(17)
    raw = sent_raw(rng, 30, "A")
    samples = pad_with_noise(on_air(raw, row, "A", air, rng), air, rng, 0.1)
    first = round((0.1 + cut_chips / row.chip_rate_hz) * air.sample_rate_hz)
    (burst,) = receive(samples[first:], air, row_plan(row, air))
    assert burst.raw == raw and burst.fault is None
    assert burst.first_sample <= 3 * air.sample_rate_hz / row.chip_rate_hz


def test_a_damaged_frame_names_its_blocks() -> None:
    rng = np.random.default_rng(5)
    raw = bytearray(sent_raw(rng, 60, "A"))
    raw[30] ^= 0xFF  # block 3 holds bytes 30 to 47
    (burst,) = receive(
        pad_with_noise(on_air(bytes(raw), T, "A", T_AIR, rng), T_AIR, rng, 0.35), T_AIR, T_AIR.plan()
    )
    assert (burst.fault, burst.bad_blocks) == (Fault.CRC_MISMATCH, (3,))
    assert burst.raw == bytes(raw) and burst.frame_format == "A"
    assert burst.quality.snr_db == pytest.approx(18, abs=1)


@pytest.mark.parametrize("l_field", [0, 8])
def test_an_impossible_length_is_reported(l_field: int) -> None:
    rng = np.random.default_rng(6)
    raw = bytes([l_field]) + sent_raw(rng, 30, "A")[1:]
    (burst,) = receive(pad_with_noise(on_air(raw, T, "A", T_AIR, rng), T_AIR, rng, 0.35), T_AIR, T_AIR.plan())
    assert burst.fault is Fault.LENGTH_INVALID
    assert burst.raw[0] == l_field


def test_energy_without_a_sync_word_is_reported_once() -> None:
    # 8 ms of a bare carrier, 30 kHz off
    rng = np.random.default_rng(7)
    first, n_carrier = _settled_noise(AIR_868), round(0.008 * AIR_868.sample_rate_hz)
    offset = (868.98e6 - AIR_868.center_hz) / AIR_868.sample_rate_hz
    carrier = (0.3 * np.exp(2j * np.pi * offset * np.arange(n_carrier))).astype(np.complex64)
    (burst,) = receive(place_in_noise([(first, carrier)], 2 * first, rng), AIR_868, AIR_868.plan())
    assert burst.fault is Fault.SYNC_NOT_FOUND
    assert burst.frame_format is None and burst.raw == b""
    assert burst.row.centers_hz == (868.95e6,)
    assert abs(burst.first_sample - first) < 0.002 * AIR_868.sample_rate_hz
    assert burst.quality.rssi_dbfs == pytest.approx(20 * np.log10(0.3), abs=2)


def test_a_strong_burst_is_not_reported_by_its_neighbours() -> None:
    # 60 dB in its own channel; its skirts reach over the others.
    rng = np.random.default_rng(8)
    first = _settled_noise(AIR_868)
    raw = sent_raw(rng, 100, "A")
    burst = on_air(raw, T, "A", AIR_868, rng, ec_n0_db=60)
    found = receive(place_in_noise([(first, burst)], 2 * first, rng), AIR_868, AIR_868.plan())
    assert [(b.raw, b.fault) for b in found] == [(raw, None)]


def test_a_burst_between_two_channels_comes_out_once() -> None:
    # R2: channels are 60 kHz apart, and each listens 35 kHz to either side.
    row = BY_NAME["R2"]
    air = Air(400e3, 868.33e6)
    rng = np.random.default_rng(9)
    raw = sent_raw(rng, 20, "A")
    impairments = Impairments(carrier_offset_hz=29e3)
    burst = on_air(raw, row, "A", air, rng, impairments=impairments)
    found = receive(pad_with_noise(burst, air, rng, 0.1), air, air.plan("R"))
    assert frames_of(found) == [raw]
    assert found[0].quality.carrier_hz == pytest.approx(868.359e6, abs=300)


def test_the_same_frame_sent_twice_comes_out_twice() -> None:
    rng = np.random.default_rng(10)
    raw = sent_raw(rng, 30, "A")
    first = _settled_noise(T_AIR)
    bursts = [(first + n * 8000, on_air(raw, T, "A", T_AIR, rng)) for n in range(2)]
    assert frames_of(receive(place_in_noise(bursts, 2 * first, rng), T_AIR, T_AIR.plan())) == [raw, raw]


@pytest.mark.parametrize("gain_db", [0, 6, 20])
def test_clipped_bursts_are_received(gain_db: float) -> None:
    rng = np.random.default_rng(11)
    raw = sent_raw(rng, 60, "A")
    samples = pad_with_noise(on_air(raw, T, "A", T_AIR, rng, ec_n0_db=40), T_AIR, rng, 0.1)
    loud = samples * np.float32(10 ** (gain_db / 20) / np.abs(samples).max())
    stored, n_clipped = from_complex(loud, SampleFormat.CU8)
    assert (n_clipped > 0) is (gain_db > 0)
    raw_scale = RawScale(SampleFormat.CU8.zero_offset, SampleFormat.CU8.scale)
    receiver = open_receiver(T_AIR, T_AIR.plan(), raw_scale)
    assert frames_of(receiver.push(stored) + receiver.flush()) == [raw]


@pytest.mark.parametrize("sample_format", SampleFormat, ids=[f.label for f in SampleFormat])
def test_any_storage(sample_format: SampleFormat) -> None:
    rng = np.random.default_rng(12)
    raw = sent_raw(rng, 60, "A")
    samples = pad_with_noise(on_air(raw, T, "A", T_AIR, rng), T_AIR, rng, 0.1)
    stored, _ = from_complex(samples, sample_format)
    receiver = open_receiver(T_AIR, T_AIR.plan(), RawScale(sample_format.zero_offset, sample_format.scale))
    assert frames_of(receiver.push(stored) + receiver.flush()) == [raw]


def _spoilt(samples: ComplexArray, dc: complex) -> ComplexArray:
    return channel.spoil(samples, dc=dc, iq_gain_db=0.5)


@pytest.mark.parametrize("dc", [0.05, -0.2j])
def test_a_dongle_with_dc_spike_and_imbalance(dc: complex) -> None:
    # The spike stands on the carrier and is 10 and 22 dB stronger than the burst.
    rng = np.random.default_rng(13)
    raws = [sent_raw(rng, 40, "A") for _ in range(3)]
    first = _settled_noise(T_AIR)
    bursts = [(first + n * 9000, on_air(raw, T, "A", T_AIR, rng, ec_n0_db=20)) for n, raw in enumerate(raws)]
    samples = _spoilt(place_in_noise(bursts, 2 * first, rng), dc)
    found = receive(samples, T_AIR, T_AIR.plan())
    assert frames_of(found) == raws
    assert found[0].quality.snr_db == pytest.approx(20, abs=1)


def test_bursts_come_in_order_of_time() -> None:
    rng = np.random.default_rng(14)
    first = _settled_noise(T_AIR)
    bursts = [(first + n * 10_000, on_air(sent_raw(rng, 20, "A"), T, "A", T_AIR, rng)) for n in range(8)]
    found = receive(place_in_noise(bursts, 3 * first, rng), T_AIR, T_AIR.plan())
    firsts = [burst.first_sample for burst in found]
    assert len(firsts) == 8 and firsts == sorted(firsts)


def test_nothing_to_receive() -> None:
    receiver = Receiver(Plan((), ()), 1e6, 100e6, RawScale(0.0, 1.0), LinkRules())
    assert receiver.push(np.zeros(1000, dtype=np.float32)) == []
    assert receiver.flush() == []


@pytest.mark.parametrize("n_samples", [0, 1, 31, 1000])
def test_hardly_any_samples(n_samples: int) -> None:
    receiver = open_receiver(AIR_868, AIR_868.plan())
    samples = channel.noise(n_samples, NOISE_POWER, np.random.default_rng(15))
    assert receiver.push(samples.view(np.float32)) == []
    assert receiver.flush() == []


def test_digital_silence_is_no_burst() -> None:
    receiver = open_receiver(AIR_868, AIR_868.plan())
    found = receiver.push(np.zeros(2 * 1_000_000, dtype=np.float32)) + receiver.flush()
    assert found == []


def test_a_burst_after_digital_silence() -> None:
    # Recordings with a gate of their own hold zeros between bursts.
    rng = np.random.default_rng(16)
    raw = sent_raw(rng, 40, "A")
    burst = on_air(raw, T, "A", T_AIR, rng)
    samples = np.concatenate([np.zeros(200_000, np.complex64), burst, np.zeros(100_000, np.complex64)])
    assert frames_of(receive(samples, T_AIR, T_AIR.plan())) == [raw]


def test_a_downlink_as_far_off_as_a_meter() -> None:
    # 69 kHz: its row permits 25 ppm, but a cheap dongle and a gateway's clone may be off farther
    rng = np.random.default_rng(6)
    row = BY_NAME["C2 O2M"]
    air = Air(1.0e6, row.centers_hz[0])
    for offset_hz in (-69e3, 69e3):
        raw = sent_raw(rng, 40, "B")
        burst = on_air(
            raw, row, "B", air, rng, ec_n0_db=12.0, impairments=Impairments(carrier_offset_hz=offset_hz)
        )
        found = receive(pad_with_noise(burst, air, rng, 0.3), air, air.plan("C"))
        assert [burst.raw for burst in found if burst.fault is None] == [raw]
