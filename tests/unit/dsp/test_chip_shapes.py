"""Matched-filter shapes against the modulator's samples, and chips cut out of a baseband."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.chip_shapes import FRACTIONS, ChipShapes, cut_chips
from dsp.encoder import DIBIT_LEVELS
from dsp.modes import BY_NAME, Modulation
from dsp.modulator import Impairments, modulate

N = 8  # samples a chip


@pytest.mark.parametrize("name", ["C M2O", "C2 O2M", "N2g"])
def test_shapes_are_those_of_the_modulator(name: str) -> None:
    row = BY_NAME[name]
    rng = np.random.default_rng(1)
    levels = DIBIT_LEVELS if row.modulation is Modulation.GFSK4 else np.array([-1.0, 1.0], np.float32)
    symbols = rng.integers(0, levels.size, 60)
    deviation_hz = 1.07 * row.deviation.typical_hz
    rate_hz = N * row.chip_rate_hz
    fraction = 0.5 / FRACTIONS  # of a sample, from the chip's start to the first sample inside
    samples = modulate(
        levels[symbols],
        row,
        rate_hz,
        impairments=Impairments(deviation_hz=deviation_hz),
        first_sample_s=fraction / rate_hz,
    )
    shapes = ChipShapes(row, N, row.bandwidth_time)
    np.testing.assert_array_equal(shapes.levels, levels)
    chips, fractions = cut_chips(samples, N * np.arange(60.0) - fraction, N, 0.0)
    assert np.all(fractions == 0)
    bank, advance = shapes.bank(deviation_hz)
    context = shapes.contexts_of(symbols)[: len(chips)]
    matched = np.sum(chips * bank[fractions, context].conj(), axis=1)
    inner = slice(2, -2)  # Gaussian chips at the ends have neighbours of their own
    np.testing.assert_allclose(np.abs(matched[inner]), N, rtol=0.01)
    # from chip to chip the phase turns by the advance
    turns = np.angle(matched[1:] * (matched[:-1] * advance[context[:-1]]).conj())
    np.testing.assert_allclose(turns[inner], 0.0, atol=0.06)


def test_chips_are_cut_where_they_start_and_turned_back() -> None:
    carrier, drift, middle = 0.013, 2e-6, 70.0
    t = np.arange(200.0) - middle
    baseband = np.exp(2j * np.pi * (carrier + 0.5 * drift * t) * t).astype(np.complex64)
    starts = 3.3 + N * np.arange(30.0)
    chips, fractions = cut_chips(baseband, starts, N, carrier, drift, middle)
    assert chips.shape == (24, N)  # the last whole one ends at sample 196
    assert np.all(fractions == int(0.7 * FRACTIONS))
    np.testing.assert_allclose(chips, 1.0, atol=2e-3)


def test_nothing_is_cut_outside() -> None:
    baseband = np.zeros(20, dtype=np.complex64)
    assert cut_chips(baseband, np.array([-1.0, 7.0]), N, 0.0)[0].shape == (0, N)
    assert cut_chips(baseband, np.array([12.5]), N, 0.0)[0].shape == (0, N)
    assert cut_chips(baseband, np.array([12.0]), N, 0.0)[0].shape == (1, N)
