"""Carrier, deviation and clock from the phasors of known chips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dsp.encoder import encode_levels
from dsp.known_waveform import KnownBurst, WaveformMaker, chip_phasors
from dsp.modes import BY_NAME
from dsp.waveform_fit import Fit, fit

N_SAMPLES = 16.0
CARRIER, DEVIATION = 0.01, 0.03125  # cycles a sample: 16 and 50 kHz at 1.6 MS/s


def _true(n_bytes: int = 50) -> KnownBurst:
    rng = np.random.default_rng(1)
    levels = encode_levels(rng.bytes(n_bytes), BY_NAME["T M2O"], "A")
    k = np.arange(levels.size + 1)
    edges = 3.0 + N_SAMPLES * (k + 2e-6 * k**2)  # the clock drifts by half a chip
    return KnownBurst(levels, edges, CARRIER, DEVIATION)


def _fit(true: KnownBurst, guess: KnownBurst, noise: float = 0.0) -> Fit:
    rng = np.random.default_rng(2)
    maker = WaveformMaker(None)
    first, wave, _ = maker.make(true)
    x = np.zeros(first + wave.size + 40, dtype=np.complex64)
    x[first : first + wave.size] = wave
    x += (noise * (rng.standard_normal(x.size) + 1j * rng.standard_normal(x.size))).astype(np.complex64)
    first, wave, bounds = maker.make(guess)
    return fit(guess, chip_phasors(x[first : first + wave.size], wave, bounds), 3)


def _slip(true: KnownBurst, burst: KnownBurst) -> float:
    """Largest error of an edge in chips."""
    return float(np.abs(burst.edges - true.edges).max() / N_SAMPLES)


def test_what_is_right_stays() -> None:
    true = _true()
    found = _fit(true, true)
    assert found.coherence > 0.999
    assert _slip(true, found.burst) < 1e-3
    assert found.burst.carrier == pytest.approx(CARRIER, abs=1e-7)
    assert found.burst.deviation == pytest.approx(DEVIATION, rel=1e-4)


def test_carrier_deviation_and_clock_are_mended_at_once() -> None:
    true = _true()
    x = np.linspace(-1.0, 1.0, true.edges.size)
    wrong = replace(
        true,
        carrier=CARRIER + 2e-4,  # 320 Hz
        deviation=1.01 * DEVIATION,
        edges=true.edges + 0.05 * N_SAMPLES * x**2,
    )
    found = _fit(true, wrong).burst
    assert found.carrier == pytest.approx(CARRIER, abs=5e-6)
    assert found.deviation == pytest.approx(DEVIATION, rel=2e-3)
    assert _slip(true, found) < 0.01


def test_in_noise_of_12_db() -> None:
    true = _true()
    noise = np.sqrt(N_SAMPLES / 10**1.2 / 2.0)
    found = _fit(true, replace(true, deviation=1.01 * DEVIATION), noise)
    assert _slip(true, found.burst) < 0.02
    assert found.burst.deviation == pytest.approx(DEVIATION, rel=3e-3)


def test_a_burst_that_is_not_there_moves_little() -> None:
    true = _true()
    nothing = np.zeros(true.levels.size, dtype=np.complex128)
    found = fit(true, nothing, 3)
    assert np.isfinite(found.burst.edges).all()
    assert _slip(true, found.burst) <= 0.2
