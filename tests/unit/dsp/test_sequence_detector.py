"""Coherent sequence detection: tuning on known chips, decisions, soft values, rivals."""

from __future__ import annotations

import numpy as np
import pytest
from support import InBaseband, in_baseband, sent_raw

from dsp.arrays import IndexArray
from dsp.chip_detector import SoftChips
from dsp.encoder import DIBIT_LEVELS
from dsp.modes import BY_NAME, Modulation, PhyMode
from dsp.modulator import Impairments
from dsp.sequence_detector import SequenceDetector, Tuning

ROWS = [BY_NAME[name] for name in ("C M2O", "C2 O2M", "Na", "Nc", "N2g", "F2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def _symbols(burst: InBaseband, row: PhyMode) -> IndexArray:
    """Sent symbols: chips, or dibits for 4-GFSK."""
    if row.modulation is Modulation.GFSK4:
        distance = np.abs(burst.levels[:, None] - DIBIT_LEVELS[None, :])
        return np.argmin(distance, axis=1).astype(np.int64)
    return (burst.levels > 0).astype(np.int64)


def _starts(burst: InBaseband) -> np.ndarray:
    return burst.start + burst.channel.samples_per_chip * np.arange(burst.levels.size)


def _chips(burst: InBaseband, low_hz: float, high_hz: float) -> SoftChips:
    return SoftChips(burst.levels, _starts(burst), low_hz, high_hz)


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
        detector = SequenceDetector(burst.channel, row)
        symbols = _symbols(burst, row)
        if inverted:  # chip 1 is the lower frequency: what was sent reads upside down
            symbols = symbols.max() - symbols if symbols.max() == 1 else np.array([2, 3, 0, 1])[symbols]
        tuning = detector.tune(burst.samples, _chips(burst, -typical, typical), symbols)
        carrier_hz = tuning.carrier * burst.channel.baseband_rate_hz
        assert carrier_hz == pytest.approx(impairments.carrier_offset_hz, abs=0.005 * row.chip_rate_hz)
        assert tuning.deviation_hz == pytest.approx(np.copysign(deviation_hz, typical), rel=0.04)


@every_row
def test_symbols_come_back(row: PhyMode) -> None:
    rng = np.random.default_rng(2)
    burst = in_baseband(row, "A", rng, ec_n0_db=26 if row.bits_per_chip == 2 else 16)
    detector = SequenceDetector(burst.channel, row)
    tuning = Tuning(0.0, row.deviation.typical_hz)
    symbols, soft, _ = detector.detect(burst.samples, _starts(burst), tuning)
    sent = _symbols(burst, row)
    np.testing.assert_array_equal(symbols, sent)
    assert soft.shape == (sent.size, row.bits_per_chip)
    # a soft bit's sign is the bit
    for bit in range(row.bits_per_chip):
        mask = 1 << (row.bits_per_chip - 1 - bit)
        inner = slice(1, -1)
        assert np.array_equal(soft[inner, bit] > 0, (sent[inner] & mask) != 0)
    np.testing.assert_allclose(detector.levels_of(symbols), burst.levels, atol=1e-6)


@pytest.mark.parametrize(("name", "ec_n0_db"), [("C M2O", 9.0), ("C2 O2M", 10.0)])
def test_coherent_detection_is_worth_decibels(name: str, ec_n0_db: float) -> None:
    # Where one noncoherent chip in 50 is wrong (½ e^{-Ec/2N0} for h = 1), a sequence has few errors.
    rng = np.random.default_rng(3)
    row = BY_NAME[name]
    wrong = total = 0
    for _ in range(5):
        burst = in_baseband(row, "A", rng, ec_n0_db=ec_n0_db, raw=sent_raw(rng, 200, "A"))
        detector = SequenceDetector(burst.channel, row)
        symbols, *_ = detector.detect(burst.samples, _starts(burst), Tuning(0.0, row.deviation.typical_hz))
        wrong += np.count_nonzero(symbols != _symbols(burst, row))
        total += symbols.size
    noncoherent = 0.5 * np.exp(-(10 ** (ec_n0_db / 10)) / 2)
    assert wrong / total < 0.4 * noncoherent


def test_a_slow_turn_of_the_phase_is_followed() -> None:
    # 200 Hz of carrier that tuning did not see.
    row = BY_NAME["C M2O"]
    burst = in_baseband(row, "A", np.random.default_rng(4), impairments=Impairments(carrier_offset_hz=200))
    detector = SequenceDetector(burst.channel, row)
    symbols, *_ = detector.detect(burst.samples, _starts(burst), Tuning(0.0, row.deviation.typical_hz))
    np.testing.assert_array_equal(symbols, _symbols(burst, row))


def test_rivals_name_what_was_nearly_decided() -> None:
    # At 7.5 dB the errors of a burst lie among the rivals that lost by least.
    rng = np.random.default_rng(5)
    row = BY_NAME["C M2O"]
    explained = wrong = 0
    for _ in range(12):
        burst = in_baseband(row, "A", rng, ec_n0_db=7.5, raw=sent_raw(rng, 60, "A"))
        detector = SequenceDetector(burst.channel, row)
        symbols, _, rivals = detector.detect(
            burst.samples, _starts(burst), Tuning(0.0, row.deviation.typical_hz)
        )
        costs = [rival.cost for rival in rivals]
        assert costs == sorted(costs) and all(cost >= 0 for cost in costs)
        errors = set(np.flatnonzero(symbols != _symbols(burst, row)).tolist())
        named = {bit for rival in rivals for bit in rival.bits}
        wrong += len(errors)
        explained += len(errors & named)
    assert wrong > 10
    assert explained > 0.7 * wrong


def test_a_burst_that_is_cut_gives_the_symbols_there_are() -> None:
    row = BY_NAME["C M2O"]
    burst = in_baseband(row, "A", np.random.default_rng(6))
    detector = SequenceDetector(burst.channel, row)
    tuning = Tuning(0.0, row.deviation.typical_hz)
    stop = int(_starts(burst)[100])
    symbols, soft, _ = detector.detect(burst.samples[:stop], _starts(burst), tuning)
    assert symbols.size in (99, 100) and soft.shape[0] == symbols.size
    nothing, soft, rivals = detector.detect(burst.samples[:3], _starts(burst), tuning)
    assert (nothing.size, soft.size, rivals) == (0, 0, [])


def test_too_few_chips_tell_nothing() -> None:
    row = BY_NAME["C M2O"]
    burst = in_baseband(row, "A", np.random.default_rng(7))
    chips = SoftChips(burst.levels[:4], _starts(burst)[:4], -40e3, 50e3)
    tuning = SequenceDetector(burst.channel, row).tune(burst.samples, chips, _symbols(burst, row)[:4])
    assert tuning.deviation_hz == row.deviation.typical_hz
    assert tuning.carrier * burst.channel.baseband_rate_hz == pytest.approx(5e3)
