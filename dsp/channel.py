"""The radio channel and the receiver's front end, for the simulator.

    Ec/N0 = (A² / chip_rate_hz) / (noise_power / sample_rate_hz)

A: signal amplitude, full scale 1; noise_power: E|n|² per sample over the whole recorded
band; Ec/N0 counts energy per chip at the mode's nominal chip rate.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.arrays import ComplexArray, FloatArray, IndexArray

OVERSAMPLING = 4
EDGE_SAMPLES = 20
"""Reach of the anti-aliasing filter to either side."""


def _anti_alias_taps() -> FloatArray:
    """Windowed sinc at the oversampled rate: -6 dB at half the sample rate, 75 dB beyond 0.56 of it."""
    t = np.arange(-OVERSAMPLING * EDGE_SAMPLES, OVERSAMPLING * EDGE_SAMPLES + 1) / OVERSAMPLING
    taps = np.sinc(t) * np.kaiser(t.size, 7.0)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


_ANTI_ALIAS = _anti_alias_taps()


def amplitude(ec_n0_db: float, chip_rate_hz: float, noise_power: float, sample_rate_hz: float) -> float:
    """Signal amplitude that gives the stated Ec/N0 over the stated noise."""
    return math.sqrt(10.0 ** (ec_n0_db / 10.0) * chip_rate_hz * noise_power / sample_rate_hz)


def power_from_dbfs(dbfs: float) -> float:
    """Power of a level in dBFS, where a full-scale tone (amplitude 1) is 0 dBFS."""
    return float(10.0 ** (dbfs / 10.0))


def noise(n_samples: int, noise_power: float, rng: np.random.Generator) -> ComplexArray:
    """Complex white Gaussian noise complex64 [n_samples] with E|n|² = noise_power."""
    parts = rng.standard_normal(2 * n_samples, dtype=np.float32)
    parts *= np.float32(math.sqrt(noise_power / 2.0))
    return parts.view(np.complex64)


def oversampled_ticks(first: int, stop: int) -> IndexArray:
    """Instants at which ``anti_alias`` needs a signal to give the samples ``first`` to ``stop``.

    Returns:
        int64 counts in units of 1 / (OVERSAMPLING · sample rate).
    """
    reach = OVERSAMPLING * EDGE_SAMPLES
    return np.arange(OVERSAMPLING * first - reach, OVERSAMPLING * (stop - 1) + reach + 1)


def anti_alias(oversampled: ComplexArray) -> ComplexArray:
    """Cut off what lies beyond half the sample rate, and sample.

    Args:
        oversampled: the signal at ``oversampled_ticks``, complex64 [n].

    Returns:
        One sample for each ``OVERSAMPLING`` ticks, complex64.
    """
    filtered = np.convolve(oversampled, _ANTI_ALIAS, mode="valid")
    return np.asarray(filtered[::OVERSAMPLING], dtype=np.complex64)


def spoil(
    samples: ComplexArray,
    *,
    dc: complex = 0.0,
    iq_gain_db: float = 0.0,
    iq_phase_deg: float = 0.0,
    gain: float = 1.0,
) -> ComplexArray:
    """Apply a receiver's own faults: gain, I/Q imbalance, DC spike.

    Args:
        samples: complex64 [n].
        dc: constant added, relative to full scale (the zero-Hz spike).
        iq_gain_db: gain of I over Q, which makes an image at the mirrored frequency.
        iq_phase_deg: what Q's mixer is off a right angle, which does the same.
        gain: amplitude factor; above 1 strong signals clip when they are quantised.
    """
    out = samples * np.float32(gain)
    if iq_gain_db:
        out.real *= np.float32(10.0 ** (iq_gain_db / 20.0))
    if iq_phase_deg:
        angle = math.radians(iq_phase_deg)
        out.imag *= np.float32(math.cos(angle))
        out.imag += np.float32(math.sin(angle)) * out.real
    if dc:
        out += np.complex64(dc)
    return out
