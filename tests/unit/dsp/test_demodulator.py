"""One region of one channel: which hits are tried, to whom a burst belongs, what failures are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import AS_IS, NOISE_POWER, narrow_air, on_air, place_in_noise, row_plan, sent_raw

from dsp.arrays import ComplexArray
from dsp.burst import Burst, Fault
from dsp.demodulator import Demodulator, unsynchronised
from dsp.gate import Region
from dsp.history import History
from dsp.modes import BY_NAME
from protocol import link
from sdr.receiver import LinkRules

T, C = BY_NAME["T M2O"], BY_NAME["C M2O"]
AIR = narrow_air(T)
(CHANNEL,) = row_plan(T, AIR).channels
(BOTH,) = AIR.plan("T", "C").channels
DENSITY = NOISE_POWER / AIR.sample_rate_hz


def _region(start: int, stop: int, own_start: int | None = None, own_stop: int | None = None) -> Region:
    return Region(
        start=start,
        own_start=start if own_start is None else own_start,
        own_stop=stop if own_stop is None else own_stop,
        stop=stop,
        active_samples=stop - start,
        noise_density=DENSITY,
        excess=10.0,
        settled=True,
    )


def _demodulate(samples: ComplexArray, *regions: Region, channel: object = BOTH) -> list[list[Burst]]:
    history = History(samples.size, AS_IS)
    history.append(samples.view(np.float32))
    demodulator = Demodulator(channel, AIR.sample_rate_hz, AIR.center_hz, LinkRules())  # type: ignore[arg-type]
    return [demodulator.demodulate(history, region) for region in regions]


def _whole(samples: ComplexArray) -> list[Burst]:
    return _demodulate(samples, _region(0, samples.size))[0]


def test_several_bursts_of_one_region_by_time() -> None:
    rng = np.random.default_rng(1)
    raws = [sent_raw(rng, 20 + n, "A") for n in range(5)]
    bursts = [(2000 + 6000 * n, on_air(raw, T, "A", AIR, rng)) for n, raw in enumerate(raws)]
    found = _whole(place_in_noise(bursts, 36_000, rng))
    assert [burst.raw for burst in found] == raws
    assert [burst.first_sample for burst in found] == pytest.approx(
        [2000 + 6000 * n for n in range(5)], abs=4
    )


def test_t_and_c_are_told_apart() -> None:
    rng = np.random.default_rng(2)
    kinds = [(T, "A"), (C, "A"), (C, "B")]
    raws = [sent_raw(rng, 30, frame_format) for _, frame_format in kinds]  # type: ignore[arg-type]
    bursts = [
        (2000 + 6000 * n, on_air(raw, row, frame_format, AIR, rng))  # type: ignore[arg-type]
        for n, (raw, (row, frame_format)) in enumerate(zip(raws, kinds, strict=True))
    ]
    found = _whole(place_in_noise(bursts, 24_000, rng))
    assert [(burst.row, burst.frame_format, burst.raw) for burst in found] == [
        (row, frame_format, raw) for raw, (row, frame_format) in zip(raws, kinds, strict=True)
    ]


def _two_parts(cut: int) -> tuple[bytes, list[Burst]]:
    """What two parts of a region, one owning what begins before ``cut``, say of a burst at 2000."""
    rng = np.random.default_rng(3)
    raw = sent_raw(rng, 30, "A")
    samples = place_in_noise([(2000, on_air(raw, T, "A", AIR, rng))], 10_000, rng)
    parts = _demodulate(
        samples,
        _region(0, 10_000, own_stop=cut),
        _region(max(0, cut - 900), 10_000, own_start=cut),
    )
    return raw, parts[0] + parts[1]


@pytest.mark.parametrize("cut", [1000, 1900, 2000, 2100, 2300, 2400, 4000])
def test_a_burst_belongs_to_one_of_two_parts(cut: int) -> None:
    raw, bursts = _two_parts(cut)
    good = [burst for burst in bursts if burst.fault is None]
    assert good and {burst.raw for burst in good} == {raw}
    # within the slack of a few chips both may see it, and the receiver drops the copy
    assert all(burst.first_sample == pytest.approx(2000, abs=4) for burst in good)
    assert len(good) == 1 or abs(cut - 2100) < 100


def test_no_failure_is_told_of_the_other_parts_burst() -> None:
    assert [burst.fault for burst in _two_parts(2000)[1]] == [None]


def test_a_frame_inside_a_frames_contents_is_not_reported_again() -> None:
    # The payload spells preamble and sync word of another frame.
    rng = np.random.default_rng(4)
    inner = bytes.fromhex("5555555555543D54CD") + bytes(20)
    frame = bytes([len(inner) + 3, 0x44, 0x93, 0x15]) + inner
    raw = link.add_crcs(frame, "A")
    found = _whole(place_in_noise([(2000, on_air(raw, C, "A", AIR, rng))], 12_000, rng))
    assert [burst.raw for burst in found] == [raw]


def test_a_stronger_burst_that_begins_inside_another_is_found() -> None:
    rng = np.random.default_rng(5)
    weak, strong = sent_raw(rng, 60, "A"), sent_raw(rng, 20, "A")
    samples = place_in_noise(
        [
            (2000, on_air(weak, T, "A", AIR, rng, ec_n0_db=16)),
            (2900, on_air(strong, T, "A", AIR, rng, ec_n0_db=32)),
        ],
        14_000,
        rng,
    )
    found = _whole(samples)
    assert strong in [burst.raw for burst in found if burst.fault is None]


def test_a_failure_is_told_once_with_all_that_was_read() -> None:
    rng = np.random.default_rng(6)
    raw = bytearray(sent_raw(rng, 100, "A"))
    raw[50] ^= 0x7E
    raw[90] ^= 0x7E
    (burst,) = _whole(place_in_noise([(2000, on_air(bytes(raw), T, "A", AIR, rng))], 12_000, rng))
    # blocks of 18 bytes behind the first of 12
    assert (burst.fault, burst.bad_blocks) == (Fault.CRC_MISMATCH, (4, 6))
    assert burst.raw == bytes(raw) and burst.repaired_bits == 0


def test_a_preamble_and_sync_word_without_a_frame() -> None:
    rng = np.random.default_rng(7)
    whole = on_air(sent_raw(rng, 30, "A"), T, "A", AIR, rng, ec_n0_db=25)
    header = whole[: round(60 / T.chip_rate_hz * AIR.sample_rate_hz)]  # and the L-field
    (burst,) = _whole(place_in_noise([(2000, header)], 12_000, rng))
    assert burst.fault is not None
    assert len(burst.raw) <= 290


def test_noise_gives_nothing() -> None:
    rng = np.random.default_rng(8)
    assert _whole(place_in_noise([], 60_000, rng)) == []


def test_samples_that_are_gone_from_the_history() -> None:
    history = History(1000, AS_IS)
    for _ in range(10):
        history.append(np.zeros(2000, dtype=np.float32))
    demodulator = Demodulator(CHANNEL, AIR.sample_rate_hz, AIR.center_hz, LinkRules())
    assert demodulator.demodulate(history, _region(0, 500)) == []


def test_a_silent_region_is_described_by_its_energy() -> None:
    burst = unsynchronised(CHANNEL, _region(1000, 9000), AIR.sample_rate_hz)
    assert burst.fault is Fault.SYNC_NOT_FOUND
    assert (burst.first_sample, burst.raw, burst.frame_format) == (1000, b"", None)
    assert burst.duration_s == pytest.approx(8000 / AIR.sample_rate_hz)
    # ten times the noise in the channel's width is nine times of signal
    width_hz = 2 * CHANNEL.half_width_hz
    assert burst.quality.rssi_dbfs == pytest.approx(10 * np.log10(9 * DENSITY * width_hz))
    assert burst.quality.noise_dbfs == pytest.approx(10 * np.log10(DENSITY * T.chip_rate_hz))


def test_a_weak_burst_that_begins_by_the_end_of_a_piece_is_searched() -> None:
    # a region is passed over window by window where it is silent; none may be left out between two pieces
    row = BY_NAME["Na"]
    air = narrow_air(row)
    (channel,) = row_plan(row, air).channels
    samples_per_chip = air.sample_rate_hz / row.chip_rate_hz
    found = 0
    for seed in range(16):
        rng = np.random.default_rng(seed)
        raw = sent_raw(rng, 20, "A")
        start = round(115 * samples_per_chip)  # by the end of the first piece
        burst = on_air(raw, row, "A", air, rng, ec_n0_db=9.0)
        samples = place_in_noise([(start, burst)], start + burst.size + 4000, rng)
        history = History(samples.size, AS_IS)
        history.append(samples.view(np.float32))
        region = replace(_region(0, samples.size), noise_density=NOISE_POWER / air.sample_rate_hz)
        bursts = Demodulator(channel, air.sample_rate_hz, air.center_hz, LinkRules()).demodulate(
            history, region
        )
        found += [burst.raw for burst in bursts] == [raw]
    assert found >= 15
