"""The oscillator model against the spectra it states."""

import numpy as np
import pytest
import scipy.signal

from dsp.oscillator import Oscillator

RATE_HZ = 1e6


@pytest.mark.parametrize(
    ("oscillator", "at_hz", "level_dbc_hz"),
    [
        (Oscillator(-90.0, 150e3, -200.0, 0.0, 0.0), 20e3, -90.0),
        (Oscillator(-200.0, 150e3, -80.0, 0.0, 0.0), 10e3, -80.0),
        (Oscillator(-200.0, 150e3, -80.0, 0.0, 0.0), 100e3, -100.0),
    ],
)
def test_spectrum_is_the_stated_one(oscillator: Oscillator, at_hz: float, level_dbc_hz: float) -> None:
    phase = oscillator.phase(1 << 19, RATE_HZ, np.random.default_rng(1))
    # L(f) is half the one-sided density of the phase
    frequency_hz, density = scipy.signal.welch(phase, RATE_HZ, nperseg=4096)
    near = (frequency_hz > 0.9 * at_hz) & (frequency_hz < 1.1 * at_hz)
    assert 10.0 * np.log10(np.mean(density[near]) / 2.0) == pytest.approx(level_dbc_hz, abs=0.6)


def test_walk_and_drift_of_the_frequency() -> None:
    rng, ends = np.random.default_rng(2), []
    for _ in range(300):
        phase = Oscillator(-200.0, 150e3, -200.0, 300.0, 0.0).phase(10_000, RATE_HZ, rng)
        ends.append((phase[-1] - phase[-101]) * RATE_HZ / (100 * 2.0 * np.pi))
    assert np.std(ends) == pytest.approx(300.0 * np.sqrt(0.01), rel=0.15)
    drift = Oscillator(-200.0, 150e3, -200.0, 0.0, 50e3)
    slopes = [
        np.diff(drift.phase(100, RATE_HZ, rng), 2).mean() * RATE_HZ**2 / (2.0 * np.pi) for _ in range(50)
    ]
    assert 40e3 < np.max(np.abs(slopes)) <= 50e3 * 1.001
