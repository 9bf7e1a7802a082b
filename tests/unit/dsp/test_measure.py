"""Measured radio quality against what was sent: level, noise, carrier, deviation, clock, place.

Every row, two frames each amid a second of noise, all channels of the span listening; offsets,
rates and deviations drawn anywhere in the permitted range, Ec/N0 from 17 to 30 dB (4-GFSK 28 to
32 dB), fixed seed.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import (
    NOISE_POWER,
    ROW_AND_FORMAT_IDS,
    ROWS_AND_FORMATS,
    Air,
    amplitude,
    carrier_error_hz,
    narrow_air,
    on_air,
    pad_with_noise,
    receive,
    sent_raw,
)

from dsp.burst import Burst
from dsp.measure import dbfs
from dsp.modes import BY_NAME, FrameFormat, Modulation, PhyMode
from dsp.modulator import Impairments, chip_edges_s

PAD_S = 0.8


def _measured(
    row: PhyMode,
    air: Air,
    rng: np.random.Generator,
    impairments: Impairments,
    *,
    frame_format: FrameFormat = "A",
    ec_n0_db: float = 24.0,
    raw: bytes | None = None,
    preamble_pairs: int | None = None,
) -> tuple[Burst, bytes]:
    raw = sent_raw(rng, int(rng.integers(20, 60)), frame_format) if raw is None else raw
    burst = on_air(
        raw, row, frame_format, air, rng,
        ec_n0_db=ec_n0_db, impairments=impairments, preamble_pairs=preamble_pairs,
    )  # fmt: skip
    samples = pad_with_noise(burst, air, rng, PAD_S)
    bursts = receive(samples, air, air.plan(row.mode, band=row.bands[0]))
    good = [burst for burst in bursts if burst.fault is None]
    assert [burst.raw for burst in good] == [raw]
    return good[0], raw


@pytest.mark.parametrize(("row", "frame_format"), ROWS_AND_FORMATS, ids=ROW_AND_FORMAT_IDS)
def test_quality_is_what_was_sent(row: PhyMode, frame_format: FrameFormat) -> None:
    rng = np.random.default_rng(8)
    air = narrow_air(row)
    four_level = row.modulation is Modulation.GFSK4
    for _ in range(2):
        impairments = Impairments(
            carrier_offset_hz=rng.uniform(-0.9, 0.9) * carrier_error_hz(row),
            deviation_hz=rng.uniform(row.deviation.min_hz, row.deviation.max_hz),
            chip_rate_error=rng.uniform(-1, 1) * row.tx_chip_rate_tolerance,
        )
        ec_n0_db = rng.uniform(28, 32) if four_level else rng.uniform(17, 30)
        burst, raw = _measured(row, air, rng, impairments, frame_format=frame_format, ec_n0_db=ec_n0_db)
        quality = burst.quality
        chip_rate_hz = row.chip_rate_hz * (1 + impairments.chip_rate_error)
        # levels
        noise_dbfs = 10 * np.log10(NOISE_POWER * row.chip_rate_hz / air.sample_rate_hz)
        assert quality.noise_dbfs == pytest.approx(noise_dbfs, abs=0.5)
        assert quality.rssi_dbfs == pytest.approx(20 * np.log10(amplitude(row, air, ec_n0_db)), abs=0.5)
        assert quality.snr_db == pytest.approx(ec_n0_db, abs=1.0)
        # carrier: 1.5 kHz for 100 kcps, less in proportion, and never asked below 50 Hz
        assert quality.frequency_error_hz == pytest.approx(
            impairments.carrier_offset_hz, abs=max(50.0, 0.015 * row.chip_rate_hz)
        )
        nominal_hz = row.centers_hz[row.default_channel]
        assert quality.carrier_hz == pytest.approx(nominal_hz + quality.frequency_error_hz)
        assert quality.deviation_hz == pytest.approx(
            impairments.deviation_hz, rel=0.05 if row.bandwidth_time is None else 0.10
        )
        assert not quality.inverted
        # clock and place
        assert quality.chip_rate_hz == pytest.approx(chip_rate_hz, rel=300e-6)
        n_chips = row.header_chips + len(raw) * row.chips_per_byte
        duration_s = chip_edges_s(n_chips, row, impairments)[-1]
        first = PAD_S * air.sample_rate_hz
        assert abs(burst.first_sample - first) <= 2 * air.sample_rate_hz / chip_rate_hz
        assert burst.duration_s == pytest.approx(duration_s, abs=2 / chip_rate_hz)
        assert 0.5 < (quality.sync_metric or 0.0) <= 1.0


@pytest.mark.parametrize("name", ["S1 M2O", "S2 M2O", "T M2O", "C M2O", "C2 O2M", "Na", "F2"])
def test_first_sample_with_a_preamble_longer_than_the_least(name: str) -> None:
    # As far back as the longest preamble of the channel's rows; 279 pairs for S.
    row = BY_NAME[name]
    longest = 279 if row.mode == "S" else row.preamble_pairs
    for pairs in (row.preamble_pairs, longest):
        rng = np.random.default_rng(9)
        air = narrow_air(row)
        burst, _ = _measured(row, air, rng, Impairments(), preamble_pairs=pairs)
        first = PAD_S * air.sample_rate_hz
        assert abs(burst.first_sample - first) <= 2 * air.sample_rate_hz / row.chip_rate_hz, f"{pairs} pairs"


def test_mean_chip_rate_of_a_clock_that_slides() -> None:
    row = BY_NAME["T M2O"]
    impairments = Impairments(chip_rate_error=2600e-6, chip_rate_drift=-7200e-6)
    burst, _ = _measured(row, narrow_air(row), np.random.default_rng(10), impairments)
    assert burst.quality.chip_rate_hz == pytest.approx(100e3 * (1 + 2600e-6 - 3600e-6), rel=300e-6)


def test_an_inverted_spectrum_is_told() -> None:
    row = BY_NAME["T M2O"]
    air = narrow_air(row)
    rng = np.random.default_rng(11)
    impairments = Impairments(carrier_offset_hz=20e3, deviation_hz=55e3)
    burst = on_air(sent_raw(rng, 30, "A"), row, "A", air, rng, impairments=impairments, inverted=True)
    (found,) = receive(pad_with_noise(burst, air, rng, PAD_S), air, air.plan("T"))
    assert found.quality.inverted
    assert found.quality.frequency_error_hz == pytest.approx(20e3, abs=1500)
    assert found.quality.deviation_hz == pytest.approx(55e3, rel=0.05)


def test_levels_in_decibels() -> None:
    assert dbfs(1.0) == 0.0
    assert dbfs(0.01) == pytest.approx(-20.0)
    assert dbfs(0.0) is None


def test_snr_needs_both_levels() -> None:
    row = BY_NAME["T M2O"]
    burst, _ = _measured(row, narrow_air(row), np.random.default_rng(12), Impairments())
    quality = burst.quality
    assert quality.rssi_dbfs is not None and quality.noise_dbfs is not None
    assert quality.snr_db == pytest.approx(quality.rssi_dbfs - quality.noise_dbfs)
