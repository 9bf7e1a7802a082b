"""Levels, noise and front-end faults of the simulated channel."""

from __future__ import annotations

import numpy as np
import pytest

from dsp import channel


def test_levels_follow_the_definition_of_ec_n0() -> None:
    # Ec/N0 = (A² / chip_rate) / (σ² / fs); at 1.6 MS/s and 100 kcps the SNR per sample is 12.04 dB lower.
    amplitude = channel.amplitude(12.0412, 100e3, noise_power=0.01, sample_rate_hz=1.6e6)
    assert amplitude**2 == pytest.approx(0.01, rel=1e-5)
    assert channel.power_from_dbfs(0.0) == 1.0
    assert channel.power_from_dbfs(-40.0) == pytest.approx(1e-4)


def test_noise_is_white_gaussian_and_circular() -> None:
    noise = channel.noise(200_000, 0.25, np.random.default_rng(1))
    assert noise.dtype == np.complex64
    assert np.mean(np.abs(noise) ** 2) == pytest.approx(0.25, rel=0.01)
    assert noise.real.var() == pytest.approx(noise.imag.var(), rel=0.02)
    assert abs(np.mean(noise**2)) < 0.003
    assert abs(np.mean(noise[1:] * np.conj(noise[:-1]))) < 0.003
    assert np.mean(np.abs(noise.real) > 3 * np.sqrt(0.125)) == pytest.approx(0.0027, rel=0.2)


def test_anti_alias_passes_inside_and_stops_outside() -> None:
    first, stop = 1000, 3000
    t = channel.oversampled_ticks(first, stop) / channel.OVERSAMPLING  # in samples
    for frequency, gain in ((0.0, 1.0), (0.3, 1.0), (-0.42, 1.0), (0.5, 0.5), (0.6, 0.0), (-1.2, 0.0)):
        out = channel.anti_alias(np.exp(2j * np.pi * frequency * t).astype(np.complex64))
        assert out.dtype == np.complex64
        assert out.size == stop - first
        expected = gain * np.exp(2j * np.pi * frequency * np.arange(first, stop))
        np.testing.assert_allclose(out, expected, atol=1e-3)


def test_front_end_faults() -> None:
    t = np.arange(4096)
    tone = (0.1 * np.exp(2j * np.pi * t / 16)).astype(np.complex64)
    out = channel.spoil(tone, dc=0.02 - 0.01j, iq_gain_db=1.0, gain=2.0)
    assert out.dtype == np.complex64
    spectrum = np.fft.fft(out) / t.size
    gain_i = 10 ** (1 / 20)
    assert spectrum[0] == pytest.approx(0.02 - 0.01j, abs=1e-6)
    assert spectrum[256] == pytest.approx(0.2 * (gain_i + 1) / 2, abs=1e-6)
    assert spectrum[-256] == pytest.approx(0.2 * (gain_i - 1) / 2, abs=1e-6)  # the image
    np.testing.assert_array_equal(channel.spoil(tone), tone)
    assert tone[0] == np.complex64(0.1)  # the input stays as it was
