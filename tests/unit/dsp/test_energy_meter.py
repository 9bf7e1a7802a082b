"""Energy per channel: its scale, its selectivity, the spike at 0 Hz, any storage."""

from __future__ import annotations

import numpy as np
import pytest
from support import NOISE_POWER

from dsp import channel as radio
from dsp.energy_meter import BLOCKS_PER_STEP, EnergyMeter, fft_size
from dsp.history import RawScale
from dsp.modes import BY_NAME
from dsp.plan import make_plan
from sdr.sample_format import SampleFormat, from_complex, to_complex

RATE_HZ, CENTER_HZ = 2.4e6, 868.9e6
CHANNELS = make_plan(RATE_HZ, CENTER_HZ).channels
DENSITY = NOISE_POWER / RATE_HZ


def _meter() -> EnergyMeter:
    return EnergyMeter(CHANNELS, RATE_HZ, CENTER_HZ)


def test_white_noise_has_its_density_in_every_channel() -> None:
    noise = radio.noise(400_000, NOISE_POWER, np.random.default_rng(1))
    for densities in _meter().measure(noise):
        assert densities.dtype == np.float32
        assert densities.mean() == pytest.approx(DENSITY, rel=0.03)


def test_a_tone_shows_in_its_own_channel_only() -> None:
    meter = _meter()
    n = np.arange(20 * meter.n_fft)
    for inside, channel in enumerate(CHANNELS):
        tone = np.exp(2j * np.pi * (channel.center_hz + 30e3 - CENTER_HZ) / RATE_HZ * n).astype(np.complex64)
        means = [densities.mean() for densities in meter.measure(tone)]
        # all its power, 1, within the channel's bins
        width_hz = meter.n_bins(inside) * RATE_HZ / meter.n_fft
        assert means[inside] * width_hz == pytest.approx(1.0, rel=0.01)
        assert all(10 * np.log10(mean / means[inside]) < -50 for i, mean in enumerate(means) if i != inside)


def test_a_dc_spike_says_nothing() -> None:
    # C and T uplink with the tuner right on their carrier.
    meter = EnergyMeter(make_plan(1.6e6, 868.95e6).channels, 1.6e6, 868.95e6)
    spike = np.full(20 * meter.n_fft, 0.1, dtype=np.complex64)
    assert max(densities.max() for densities in meter.measure(spike)) < 1e-12


@pytest.mark.parametrize("rate_hz", [200e3, 1.6e6, 2.048e6, 20e6])
def test_fft_resolves_the_narrowest_channel(rate_hz: float) -> None:
    for row in ("T M2O", "Nc", "F2"):
        channels = make_plan(20e6, BY_NAME[row].centers_hz[0], (BY_NAME[row].mode,)).channels
        n_fft = fft_size(channels, rate_hz)
        assert n_fft & (n_fft - 1) == 0
        assert rate_hz / n_fft <= max(c.half_width_hz for c in channels)


@pytest.mark.parametrize("sample_format", SampleFormat, ids=[f.label for f in SampleFormat])
def test_any_storage(sample_format: SampleFormat) -> None:
    noise = radio.noise(100_000, 0.01, np.random.default_rng(2))
    stored, _ = from_complex(noise, sample_format)
    raw_scale = RawScale(sample_format.zero_offset, sample_format.scale)
    meter = _meter()
    expected = meter.measure(to_complex(stored, sample_format))
    np.testing.assert_allclose(meter.measure(stored, raw_scale), expected, rtol=1e-4)


def test_against_a_plain_fourier_transform() -> None:
    meter = _meter()
    x = radio.noise(3 * meter.n_fft, 1.0, np.random.default_rng(3))
    window = np.hanning(meter.n_fft + 1)[:-1]
    power = np.abs(np.fft.fft(x.reshape(3, -1) * window, axis=1)) ** 2
    frequency_hz = np.fft.fftfreq(meter.n_fft, 1 / RATE_HZ)
    for index, (densities, channel) in enumerate(zip(meter.measure(x), CHANNELS, strict=True)):
        off_hz = np.abs(frequency_hz - (channel.center_hz - CENTER_HZ))
        inside = np.argsort(off_hz, kind="stable")[: meter.n_bins(index)]
        near = power[:, inside].mean(axis=1) / (np.sum(window**2) * RATE_HZ)
        # the outermost bins may be chosen otherwise
        np.testing.assert_allclose(densities, near, rtol=0.25)


def test_the_mean_of_what_was_measured() -> None:
    meter = _meter()
    noise = radio.noise(64 * meter.n_fft, 1e-3, np.random.default_rng(4))
    meter.measure(noise + np.complex64(0.03 - 0.01j))
    assert meter.mean == pytest.approx(0.03 - 0.01j, abs=0.002)


def test_steps_are_whole_blocks_and_the_rest_is_left() -> None:
    meter = _meter()
    assert meter.step_samples == BLOCKS_PER_STEP * meter.n_fft
    x = np.ones(5 * meter.n_fft + meter.n_fft // 2, dtype=np.complex64)
    assert all(densities.size == 5 for densities in meter.measure(x))
    assert all(densities.size == 0 for densities in meter.measure(x[:10]))


def test_every_second_block_is_what_it_is_among_all() -> None:
    meter = _meter()
    noise = radio.noise(11 * meter.n_fft + 5, 1e-3, np.random.default_rng(5))
    np.testing.assert_array_equal(meter.measure(noise, every=2), meter.measure(noise)[:, ::2])


def test_the_blocks_between_make_up_the_whole() -> None:
    meter = _meter()
    x = radio.noise(BLOCKS_PER_STEP * meter.n_fft, 1.0, np.random.default_rng(6)) + np.complex64(0.2 + 0.1j)
    whole = meter.measure(x)
    mean = meter.mean
    halves, means = [], []
    for first in (0, 1):
        halves.append(meter.measure(x, every=2, first=first))
        means.append(meter.mean)
    np.testing.assert_array_equal(np.stack(halves, axis=2).reshape(whole.shape), whole)
    assert (means[0] + means[1]) / 2.0 == pytest.approx(mean, abs=1e-12)
