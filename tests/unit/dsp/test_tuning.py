"""Carrier, deviation, drift and kind of chips by the advance of the phase."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import InBaseband, in_baseband, sent_raw

from dsp.arrays import DoubleArray, IndexArray
from dsp.encoder import DIBIT_LEVELS
from dsp.modes import BY_NAME, Modulation, PhyMode
from dsp.modulator import Impairments
from dsp.tuning import Tuner

ROWS = [BY_NAME[name] for name in ("C M2O", "C2 O2M", "Na", "Nc", "N2g", "F2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def _symbols(burst: InBaseband, row: PhyMode, *, inverted: bool = False) -> IndexArray:
    """Symbols as the receiver names them: chips, or dibits for 4-GFSK."""
    levels = -burst.levels if inverted else burst.levels
    if row.modulation is Modulation.GFSK4:
        return np.argmin(np.abs(levels[:, None] - DIBIT_LEVELS[None, :]), axis=1).astype(np.int64)
    return (levels > 0).astype(np.int64)


def _starts(burst: InBaseband) -> DoubleArray:
    return burst.start + burst.channel.samples_per_chip * np.arange(burst.levels.size, dtype=np.float64)


@every_row
@pytest.mark.parametrize("inverted", [False, True], ids=["upright", "inverted"])
def test_carrier_and_deviation_from_known_symbols(row: PhyMode, inverted: bool) -> None:
    rng = np.random.default_rng(1)
    for part in (0.1, 0.5, 0.9):
        deviation_hz = row.deviation.min_hz + part * (row.deviation.max_hz - row.deviation.min_hz)
        impairments = Impairments(
            carrier_offset_hz=0.04 * row.chip_rate_hz * rng.uniform(-1, 1), deviation_hz=deviation_hz
        )
        burst = in_baseband(row, "A", rng, impairments=impairments, inverted=inverted)
        typical = -row.deviation.typical_hz if inverted else row.deviation.typical_hz
        tuner = Tuner(burst.channel, row)
        start = tuner.by_tones(-typical, typical, burst.start)
        symbols = _symbols(burst, row, inverted=inverted)
        tuning = tuner.tune(burst.samples, _starts(burst), symbols, start, sure=True)
        carrier_hz = tuning.carrier * burst.channel.baseband_rate_hz
        assert carrier_hz == pytest.approx(impairments.carrier_offset_hz, abs=0.001 * row.chip_rate_hz)
        assert tuning.deviation_hz == pytest.approx(np.copysign(deviation_hz, typical), rel=0.01)


@pytest.mark.parametrize("bandwidth_time", [None, 0.5])
def test_gaussian_chips_are_told_from_plain_ones(bandwidth_time: float | None) -> None:
    # C transmitters do or do not filter: 8 dB, 60 bytes, decisions of which one in 20 is wrong.
    row = BY_NAME["C M2O"]
    sent_as = replace(row, bandwidth_time=bandwidth_time)
    rng = np.random.default_rng(2)
    right = 0
    for _ in range(20):
        burst = in_baseband(row, "A", rng, ec_n0_db=8.0, raw=sent_raw(rng, 60, "A"), sent_as=sent_as)
        tuner = Tuner(burst.channel, row)
        symbols = _symbols(burst, row) ^ (rng.random(burst.levels.size) < 0.05)
        start = tuner.by_tones(-45e3, 45e3, burst.start)
        tuning = tuner.tune(burst.samples, _starts(burst), symbols, start)
        right += tuner.shapes[tuning.shape].reach == (0 if bandwidth_time is None else 1)
    assert right >= 18


def test_a_drift_is_followed() -> None:
    # 1 kHz within the frame, 9 dB.
    row = BY_NAME["C M2O"]
    rng = np.random.default_rng(3)
    duration_s = 700 / row.chip_rate_hz
    impairments = Impairments(carrier_drift_hz_per_s=1e3 / duration_s)
    burst = in_baseband(row, "A", rng, ec_n0_db=9.0, raw=sent_raw(rng, 60, "A"), impairments=impairments)
    tuner = Tuner(burst.channel, row)
    start = tuner.by_tones(-45e3, 45e3, _starts(burst)[burst.levels.size // 2])
    tuning = tuner.tune(burst.samples, _starts(burst), _symbols(burst, row), start, sure=True)
    drift_hz_per_s = tuning.drift * burst.channel.baseband_rate_hz**2
    assert drift_hz_per_s == pytest.approx(1e3 / duration_s, rel=0.15)


def test_too_few_chips_tell_nothing() -> None:
    row = BY_NAME["C M2O"]
    burst = in_baseband(row, "A", np.random.default_rng(7))
    tuner = Tuner(burst.channel, row)
    start = tuner.by_tones(-40e3, 50e3, burst.start)
    assert tuner.tune(burst.samples, _starts(burst)[:4], _symbols(burst, row)[:4], start) == start
    assert start.deviation_hz == row.deviation.typical_hz
    assert start.carrier * burst.channel.baseband_rate_hz == pytest.approx(5e3)
