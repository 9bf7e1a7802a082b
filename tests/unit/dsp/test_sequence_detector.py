"""Coherent sequence detection: decisions, soft values, rivals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import InBaseband, in_baseband, sent_raw

from dsp import channel
from dsp.arrays import IndexArray
from dsp.encoder import DIBIT_LEVELS
from dsp.modes import BY_NAME, Modulation, PhyMode
from dsp.modulator import Impairments
from dsp.sequence_detector import Sequence, SequenceDetector
from dsp.tuning import Tuner

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


def _detect(burst: InBaseband, row: PhyMode, *, carrier: float = 0.0, stop: int | None = None) -> Sequence:
    """Detect with the deviation known."""
    tuner = Tuner(burst.channel, row)
    tuning = replace(tuner.by_tones(0.0, 1.0, 0.0), carrier=carrier)
    return SequenceDetector(burst.channel, row, tuner).detect(
        burst.samples[:stop], _starts(burst), tuning, 10
    )


@every_row
def test_symbols_come_back(row: PhyMode) -> None:
    rng = np.random.default_rng(2)
    burst = in_baseband(row, "A", rng, ec_n0_db=26 if row.bits_per_chip == 2 else 16)
    found = _detect(burst, row)
    symbols, soft = found.symbols, found.soft
    sent = _symbols(burst, row)
    np.testing.assert_array_equal(symbols, sent)
    assert soft.shape == (sent.size, row.bits_per_chip)
    # a soft bit's sign is the bit
    for bit in range(row.bits_per_chip):
        mask = 1 << (row.bits_per_chip - 1 - bit)
        inner = slice(1, -1)
        assert np.array_equal(soft[inner, bit] > 0, (sent[inner] & mask) != 0)
    # matched chips without the phase of their predecessors point one way
    assert abs(found.matched.mean()) > 0.95 * np.abs(found.matched).mean()


@pytest.mark.parametrize(("name", "ec_n0_db"), [("C M2O", 8.0), ("C2 O2M", 10.0)])
def test_coherent_detection_is_worth_decibels(name: str, ec_n0_db: float) -> None:
    # Where one noncoherent chip in 50 is wrong (½ e^{-Ec/2N0} for h = 1), a sequence has few errors.
    rng = np.random.default_rng(3)
    row = BY_NAME[name]
    wrong = total = 0
    for _ in range(5):
        burst = in_baseband(row, "A", rng, ec_n0_db=ec_n0_db, raw=sent_raw(rng, 200, "A"))
        symbols = _detect(burst, row).symbols
        wrong += np.count_nonzero(symbols != _symbols(burst, row))
        total += symbols.size
    noncoherent = 0.5 * np.exp(-(10 ** (ec_n0_db / 10)) / 2)
    assert wrong / total < (0.1 if name == "C M2O" else 0.3) * noncoherent


def test_a_slow_turn_of_the_phase_is_followed() -> None:
    # 200 Hz of carrier that tuning did not see.
    row = BY_NAME["C M2O"]
    burst = in_baseband(row, "A", np.random.default_rng(4), impairments=Impairments(carrier_offset_hz=200))
    symbols = _detect(burst, row).symbols
    np.testing.assert_array_equal(symbols, _symbols(burst, row))


@pytest.mark.parametrize(("name", "ec_n0_db"), [("C M2O", 6.5), ("C2 O2M", 7.5)])
def test_rivals_are_as_likely_as_they_say(name: str, ec_n0_db: float) -> None:
    # A rival of cost c is what was sent once in 1 + e^c times; alone in its place, so single errors.
    rng = np.random.default_rng(5)
    row = BY_NAME[name]
    expected = explained = wrong = 0.0
    for _ in range(30):
        burst = in_baseband(row, "A", rng, ec_n0_db=ec_n0_db, raw=sent_raw(rng, 60, "A"))
        found = _detect(burst, row)
        rivals = found.rivals
        assert np.all(np.diff(rivals.costs) >= 0) and np.all(rivals.costs >= 0)
        errors = found.symbols != _symbols(burst, row)
        wrong += np.count_nonzero(errors)
        for cost, last, mask in zip(
            rivals.costs.tolist(), rivals.last.tolist(), rivals.mask.tolist(), strict=True
        ):
            bits = [last - j for j in range(mask.bit_length()) if mask >> j & 1]
            expected += len(bits) / (1.0 + np.exp(cost))
            if errors[bits].all():
                explained += len(bits)
                errors[bits] = False
    assert wrong > 20
    assert explained > 0.6 * wrong
    if name == "C2 O2M":  # at h = 0.9 rivals of one place exclude each other, and say too much together
        assert explained == pytest.approx(expected, rel=0.4)


def test_a_burst_that_is_cut_gives_the_symbols_there_are() -> None:
    row = BY_NAME["C M2O"]
    burst = in_baseband(row, "A", np.random.default_rng(6))
    found = _detect(burst, row, stop=int(_starts(burst)[100]))
    assert found.symbols.size in (99, 100) and found.soft.shape[0] == found.symbols.size
    nothing = _detect(burst, row, stop=3)
    assert (nothing.symbols.size, nothing.soft.size, nothing.rivals.costs.size) == (0, 0, 0)


@every_row
def test_what_is_no_signal_has_rivals_inside(row: PhyMode) -> None:
    # Noise and silence: nothing certain, and no rival that reaches beyond the chips there are.
    rng = np.random.default_rng(8)
    burst = in_baseband(row, "A", rng)
    for samples in (channel.noise(burst.samples.size, 1.0, rng), np.zeros_like(burst.samples)):
        found = _detect(replace(burst, samples=samples), row, stop=600)
        assert np.all(found.rivals.last < found.soft.size)
        assert np.all(found.rivals.costs >= 0) and np.all(np.isfinite(found.soft))
