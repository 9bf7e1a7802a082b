"""The modulator against scipy and closed forms: frequency, chip edges, pulse shape, phase."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import scipy.special

from dsp.arrays import ComplexArray, FloatArray
from dsp.encoder import encode_levels
from dsp.modes import BY_NAME, MODES, PhyMode
from dsp.modulator import Impairments, chip_edges_s, modulate, waveform

T = BY_NAME["T M2O"]
C_DOWN = BY_NAME["C2 O2M"]


def _levels(text: str) -> FloatArray:
    return np.array([1.0 if chip == "1" else -1.0 for chip in text], dtype=np.float32)


def _frequency_hz(samples: ComplexArray, sample_rate_hz: float) -> FloatArray:
    """Frequency between neighbouring samples, from the phase step."""
    return np.angle(samples[1:] * np.conj(samples[:-1])) * sample_rate_hz / (2 * np.pi)


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_long_runs_reach_the_deviation_with_one_as_the_upper_frequency(row: PhyMode) -> None:
    rate = 50 * row.chip_rate_hz
    samples = modulate(_levels("0" * 9 + "1" * 9), row, rate)
    assert samples.dtype == np.complex64
    frequency_hz = _frequency_hz(samples, rate)
    dev_hz = row.deviation.typical_hz
    np.testing.assert_allclose(frequency_hz[100:350], -dev_hz, rtol=2e-3)
    np.testing.assert_allclose(frequency_hz[550:800], dev_hz, rtol=2e-3)


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_envelope_is_constant_and_phase_continuous(row: PhyMode) -> None:
    rate = 8 * row.chip_rate_hz
    samples = modulate(encode_levels(bytes(range(40)), row, "A"), row, rate, frequency_hz=0.1 * rate)
    np.testing.assert_allclose(np.abs(samples), 1.0, atol=1e-6)
    # No step between two samples is larger than the fastest frequency allows.
    step_hz = _frequency_hz(samples, rate) - 0.1 * rate
    assert np.abs(step_hz).max() <= row.deviation.typical_hz * (1 + 1e-3)


def test_fsk_phase_is_the_exact_integral_of_the_chips() -> None:
    rate, text = 1.6e6, "0110100111000"
    samples = modulate(_levels(text), T, rate)
    t = np.arange(samples.size) / rate
    fine = np.repeat([1 if chip == "1" else -1 for chip in text], 1000)
    integral = np.concatenate([[0], np.cumsum(fine)]) / (1000 * T.chip_rate_hz)
    turns = 50e3 * np.interp(t, np.arange(integral.size) / (1000 * T.chip_rate_hz), integral)
    np.testing.assert_allclose(samples, np.exp(2j * np.pi * turns), atol=1e-5)


@pytest.mark.parametrize("text", ["000010000", "0000110000", "01010101010", "111101111"])
def test_gaussian_pulse_against_scipy(text: str) -> None:
    per_chip, finer = 16, 20
    rate = per_chip * C_DOWN.chip_rate_hz
    phase_rad = np.unwrap(np.angle(modulate(_levels(text), C_DOWN, rate)).astype(np.float64))
    # A Gaussian low-pass of bandwidth B = BT · chip rate (-3 dB) has σ = √ln2 / 2πB.
    sigma_chips = np.sqrt(np.log(2)) / (2 * np.pi * 0.5)
    rectangle = np.repeat(_levels(text), per_chip * finer).astype(np.float64)
    level = scipy.ndimage.gaussian_filter1d(
        rectangle, sigma_chips * per_chip * finer, mode="nearest", truncate=8
    )
    turns = 25e3 * np.concatenate([[0.0], np.cumsum(level)]) / (rate * finer)
    np.testing.assert_allclose(phase_rad, 2 * np.pi * turns[:-1:finer], atol=1e-3)


def test_gaussian_peak_of_a_lone_chip_in_closed_form() -> None:
    per_chip = 32
    rate = per_chip * C_DOWN.chip_rate_hz
    frequency_hz = _frequency_hz(modulate(_levels("0000" + "1" + "0000"), C_DOWN, rate), rate)
    sigma_chips = np.sqrt(np.log(2)) / (2 * np.pi * 0.5)
    peak = 2 * scipy.special.erf(0.5 / (np.sqrt(2) * sigma_chips)) - 1
    assert frequency_hz[4 * per_chip + per_chip // 2] == pytest.approx(25e3 * peak, rel=3e-3)


def test_plain_fsk_is_not_filtered() -> None:
    rate = 40 * T.chip_rate_hz
    frequency_hz = _frequency_hz(modulate(_levels("0001000"), T, rate), rate)
    np.testing.assert_allclose(frequency_hz[3 * 40 + 1 : 4 * 40 - 1], 50e3, rtol=1e-3)


def test_four_level_symbols_have_four_frequencies() -> None:
    row = BY_NAME["N2g"]
    rate = 50 * row.chip_rate_hz
    symbols = {"01": -7.2e3, "00": -2.4e3, "10": 2.4e3, "11": 7.2e3}  # printed for N2g
    header = row.header_chips * 50
    for dibit, expected_hz in symbols.items():
        levels = encode_levels(bytes([int(dibit * 4, 2)] * 4), row, "A")
        frequency_hz = _frequency_hz(modulate(levels, row, rate), rate)
        np.testing.assert_allclose(frequency_hz[header + 100 : -100], expected_hz, rtol=2e-3)


@pytest.mark.parametrize("error", [-0.12, -1e-4, 0.0, 0.02, 0.12])
def test_chip_rate_error_moves_the_edges(error: float) -> None:
    rate = 4e6
    samples = modulate(_levels("01" * 200), T, rate, impairments=Impairments(chip_rate_error=error))
    assert samples.size == np.ceil(400 / (100e3 * (1 + error)) * rate)
    # Sign changes of the frequency are the chip edges; a straight line through them gives the rate.
    crossings = np.flatnonzero(np.diff(np.sign(_frequency_hz(samples, rate))))
    edges = crossings[np.concatenate([[True], np.diff(crossings) > 5])]
    slope = np.polyfit(np.arange(edges.size), edges / rate, 1)[0]
    assert 1 / slope == pytest.approx(100e3 * (1 + error), rel=3e-5)


def test_chip_rate_drifts_linearly_from_first_to_last_chip() -> None:
    # A common T meter: +2600 ppm at the start, -4600 ppm at the end.
    impairments = Impairments(chip_rate_error=2600e-6, chip_rate_drift=-7200e-6)
    edges_s = chip_edges_s(700, T, impairments)
    rates = 1 / np.diff(edges_s)
    assert rates[0] == pytest.approx(100e3 * 1.0026, rel=1e-5)
    assert rates[-1] == pytest.approx(100e3 * 1.0026 * (1 - 0.0072), rel=1e-5)
    np.testing.assert_allclose(np.diff(rates, 2), 0.0, atol=1e-3)
    flat = chip_edges_s(700, T, Impairments(chip_rate_error=2600e-6))
    nearly_flat = chip_edges_s(700, T, Impairments(chip_rate_error=2600e-6, chip_rate_drift=1e-9))
    np.testing.assert_allclose(flat, nearly_flat, rtol=1e-8)


def test_carrier_offset_drift_and_deviation() -> None:
    rate = 2e6
    impairments = Impairments(carrier_offset_hz=-44e3, carrier_drift_hz_per_s=2e6, deviation_hz=70e3)
    frequency_hz = _frequency_hz(
        modulate(_levels("1" * 500), T, rate, frequency_hz=100e3, impairments=impairments), rate
    )
    t = (np.arange(frequency_hz.size) + 0.5) / rate
    slope, start = np.polyfit(t, frequency_hz, 1)
    assert slope == pytest.approx(2e6, rel=1e-3)
    assert start == pytest.approx(100e3 - 44e3 + 70e3, abs=5)


def test_fraction_of_a_sample_and_phase() -> None:
    rate, levels = 1e6, encode_levels(b"\x2e\x44", T, "A")
    fine = modulate(levels, T, 8 * rate)
    late = modulate(levels, T, rate, first_sample_s=3 / (8 * rate))
    np.testing.assert_allclose(late, fine[3::8][: late.size], atol=1e-5)
    turned = modulate(levels, T, 8 * rate, phase_rad=0.7)
    np.testing.assert_allclose(turned, fine * np.exp(0.7j), atol=1e-5)


def test_power_ramps() -> None:
    rate = 1e6
    samples = modulate(_levels("01" * 50), T, rate, impairments=Impairments(ramp_s=100e-6))
    envelope = np.abs(samples)
    np.testing.assert_allclose(envelope[100:-100], 1.0, atol=1e-5)
    expected = 0.5 - 0.5 * np.cos(np.pi * np.arange(100) / 100)
    np.testing.assert_allclose(envelope[:100], expected, atol=1e-5)
    np.testing.assert_allclose(envelope[-99:], expected[1:][::-1], atol=1e-5)


def test_a_waveform_evaluated_in_pieces_is_the_whole_burst() -> None:
    rng = np.random.default_rng(4)
    impairments = Impairments(chip_rate_drift=0.01, carrier_drift_hz_per_s=1e4, ramp_s=50e-6)
    burst = waveform(encode_levels(bytes(60), C_DOWN, "B"), C_DOWN, impairments=impairments, phase_rad=1.0)
    times_s = (np.arange(-50, burst.duration_s * 1e6 + 50) + 0.3) / 1e6
    whole = burst.samples(times_s)
    cuts = np.sort(rng.integers(0, times_s.size, 40))
    pieces = np.concatenate([burst.samples(part) for part in np.split(times_s, cuts)])
    np.testing.assert_array_equal(pieces, whole)
    outside = (times_s < 0) | (times_s >= burst.duration_s)
    assert outside.sum() >= 98
    assert not whole[outside].any() and np.all(np.abs(whole[1000:2000]) > 0.99)


def test_nothing_gives_nothing() -> None:
    assert modulate(np.zeros(0, dtype=np.float32), T, 1e6).size == 0


def test_power_ramps_around_the_burst_leave_every_chip_at_full_level() -> None:
    rate, keying_s = 4e6, 10e-6
    shape = waveform(_levels("01" * 20), T, keying_s=keying_s)
    times_s = np.arange(-100, 1800) / rate
    power = np.abs(shape.samples(times_s))
    inside = (times_s >= 0) & (times_s <= shape.duration_s)
    np.testing.assert_allclose(power[inside], 1.0, atol=1e-5)
    outside = (times_s < -keying_s) | (times_s > shape.duration_s + keying_s)
    assert not power[outside].any()
    assert power[100 - 20] == pytest.approx(0.5, abs=1e-3)  # half way up
    rising = power[100 - 40 : 101]
    assert np.all(np.diff(rising) >= -1e-6)
