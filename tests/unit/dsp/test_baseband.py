"""Baseband of one channel: frequency, gain, selectivity, and the stream's own clock."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.arrays import ComplexArray
from dsp.baseband import BasebandFilter
from dsp.modes import BY_NAME, PhyMode
from dsp.plan import Channel, make_plan

ROWS = [BY_NAME[name] for name in ("S2 M2O", "T M2O", "C2 O2M", "Nc", "N2g", "F2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
RATES_HZ = (400e3, 1.6e6, 2.048e6, 20e6)


def _channel(row: PhyMode) -> Channel:
    plan = make_plan(20e6, row.centers_hz[0], (row.mode,), row.bands[0])
    return next(channel for channel in plan.channels if row in channel.rows)


def _tone(frequency_hz: float, rate_hz: float, n_samples: int, first: int = 0) -> ComplexArray:
    n = np.arange(first, first + n_samples)
    return np.exp(2j * np.pi * np.fmod(frequency_hz / rate_hz * n, 1.0)).astype(np.complex64)


def _n_samples(filtered: BasebandFilter) -> int:
    return int(600 * filtered.step) + 4 * filtered.reach_samples


@every_row
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_keeps_level_and_frequency(row: PhyMode, rate_hz: float) -> None:
    channel = _channel(row)
    for center_offset_hz in (0.0, 71e3, -93e3):
        filtered = BasebandFilter(channel, rate_hz, channel.center_hz - center_offset_hz)
        n_samples = _n_samples(filtered)
        for part in (-0.9, 0.0, 0.5):
            offset_hz = part * min(channel.passband_hz, 0.42 * rate_hz)  # a narrow span has less
            if abs(center_offset_hz + offset_hz) > 0.5 * rate_hz:
                continue
            out = filtered.extract(_tone(center_offset_hz + offset_hz, rate_hz, n_samples), 0)
            settled = out[int(filtered.reach_samples / filtered.step) + 2 :][:500]
            expected = _tone(offset_hz, channel.baseband_rate_hz, settled.size)
            ratio = settled / expected
            gain = np.mean(ratio)
            assert abs(20 * np.log10(abs(gain))) < 0.2
            assert np.abs(ratio / gain - 1).max() < 0.03  # the nearest of 64 fractional delays


@every_row
def test_neighbours_are_suppressed(row: PhyMode) -> None:
    # Whatever would fold onto the wanted band lies at least 50 dB down.
    channel, rate_hz = _channel(row), 8e6
    filtered = BasebandFilter(channel, rate_hz, channel.center_hz)
    n_samples = _n_samples(filtered)
    rate_out_hz = channel.baseband_rate_hz
    for multiple in (1, 2, -3):
        for part in (-0.9, 0.1, 0.9):
            offset_hz = multiple * rate_out_hz + part * channel.passband_hz
            if abs(offset_hz) > rate_hz / 2:
                continue
            out = filtered.extract(_tone(offset_hz, rate_hz, n_samples), 0)
            settled = out[int(filtered.reach_samples / filtered.step) + 2 :][:500]
            assert 10 * np.log10(np.mean(np.abs(settled) ** 2)) < -50


@every_row
@pytest.mark.parametrize("rate_hz", [2.4e6, 8e6])
def test_what_lies_beside_the_passband_is_suppressed(row: PhyMode, rate_hz: float) -> None:
    channel = _channel(row)
    filtered = BasebandFilter(channel, rate_hz, channel.center_hz)
    for part in (-1.37, 1.37, 1.6):
        out = filtered.extract(_tone(part * channel.passband_hz, rate_hz, _n_samples(filtered)), 0)
        settled = out[int(filtered.reach_samples / filtered.step) + 2 :][:500]
        assert 10 * np.log10(np.mean(np.abs(settled) ** 2)) < -50


@every_row
def test_where_a_stretch_begins_does_not_matter(row: PhyMode) -> None:
    channel = _channel(row)
    rate_hz = 4 * channel.baseband_rate_hz  # so that the output instants coincide
    filtered = BasebandFilter(channel, rate_hz, channel.center_hz - 0.1 * rate_hz)
    rng = np.random.default_rng(2)
    n_samples = 4000
    x = (rng.standard_normal(n_samples) + 1j * rng.standard_normal(n_samples)).astype(np.complex64)
    whole = filtered.extract(x, 0)
    reach = filtered.reach_samples
    for first in (400, 1200, 10 * reach - 10 * reach % 4):
        part = filtered.extract(x[first:], first)
        inner = part[reach // 4 + 2 :]
        np.testing.assert_allclose(inner, whole[first // 4 + reach // 4 + 2 :], atol=2e-5)


@every_row
def test_a_piece_of_the_baseband_can_be_made_anew(row: PhyMode) -> None:
    # As the whole, on the same instants, though the fractional delays are not the same to the last bit.
    channel = _channel(row)
    rng = np.random.default_rng(4)
    for rate_hz in (1.6e6, 2.4e6, 5 * channel.baseband_rate_hz):
        filtered = BasebandFilter(channel, rate_hz, channel.center_hz + 0.1 * rate_hz)
        n_samples = int(300 * filtered.step) + 4 * filtered.reach_samples
        x = (rng.standard_normal(n_samples) + 1j * rng.standard_normal(n_samples)).astype(np.complex64)
        whole = filtered.extract(x, 1000)
        m = int(filtered.reach_samples / filtered.step) + 10
        start = int(m * filtered.step) - filtered.reach_samples - 3
        part = filtered.extract(x[start:], 1000 + start, begin=m * filtered.step - start, n_out=200)
        error = np.mean(np.abs(part - whole[m : m + 200]) ** 2) / np.mean(np.abs(part) ** 2)
        assert part.size == 200
        assert error < 1e-4


@every_row
def test_outputs_are_equally_spaced_at_the_channel_rate(row: PhyMode) -> None:
    channel = _channel(row)
    filtered = BasebandFilter(channel, 2.048e6, channel.center_hz)
    assert filtered.step == pytest.approx(2.048e6 / (row.chip_rate_hz * channel.samples_per_chip))
    for n_samples in (1, 2, 17, 5000):
        x = np.ones(n_samples, dtype=np.complex64)
        assert filtered.extract(x, 0).size == int((n_samples - 1) / filtered.step) + 1
    assert filtered.extract(np.zeros(0, dtype=np.complex64), 5).size == 0


@every_row
def test_noise_bandwidth_is_what_noise_says(row: PhyMode) -> None:
    channel = _channel(row)
    filtered = BasebandFilter(channel, 1.6e6, channel.center_hz + 150e3)
    rng = np.random.default_rng(3)
    n_samples = int(3000 * filtered.step)
    x = (rng.standard_normal(n_samples) + 1j * rng.standard_normal(n_samples)) / np.sqrt(2)
    out = filtered.extract(x.astype(np.complex64), 0)
    assert np.mean(np.abs(out) ** 2) == pytest.approx(filtered.noise_bandwidth, rel=0.1)


def test_phase_stays_exact_far_into_a_stream() -> None:
    # An hour into a stream of 2.4 MS/s the mixer's phase is as good as at its beginning.
    channel = _channel(BY_NAME["T M2O"])
    rate_hz, offset_hz = 2.4e6, 50e3 / 3
    filtered = BasebandFilter(channel, rate_hz, channel.center_hz - offset_hz)
    first = 144 * 60_000_000  # both the tone and the mixer are at a whole number of turns here
    assert first * offset_hz / rate_hz == round(first * offset_hz / rate_hz)
    x = _tone(offset_hz + 20e3, rate_hz, 4000)
    np.testing.assert_allclose(filtered.extract(x, first), filtered.extract(x, 0), atol=1e-3)
