"""Rendered samples: levels against the definition of Ec/N0, places, and sameness."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import scipy.signal

from dsp.arrays import ComplexArray
from dsp.modes import MODES, PhyMode
from sdr import simulator
from sdr.scene import Scene, parse
from sdr.simulator import PIECE_SAMPLES, render, truth

TOP = 'rate = "1.6M"\ncenter = "868.95M"\nduration = 0.2\nseed = 5\nnoise_dbfs = -30\n'
T_METER = '[[meter]]\nmode = "T"\nsnr_db = 20\nat = [0.05]\nrandom_payload = 60\n'
STREET = '[street]\nrate_per_s = 100\nmodes = ["T", "C"]\nsnr_db = [12, 35]\npayload = [5, 60]\n'


def _samples(scene: Scene, **options: float) -> ComplexArray:
    samples = np.concatenate(list(render(scene, **options)))
    assert samples.dtype == np.complex64
    return samples


def _scene_of(row: PhyMode, **keys: object) -> Scene:
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    rate_hz = max(16 * row.chip_rate_hz, 200e3)
    return parse(
        f"rate = {rate_hz}\ncenter = {row.centers_hz[row.default_channel]}\nduration = 0.8\nseed = 6\n"
        f'noise_dbfs = -20\n[[meter]]\nmode = "{row.name}"\nat = [0.1]\nrandom_payload = 40\n{lines}\n'
    )


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_ec_n0_is_as_stated(row: PhyMode) -> None:
    scene = _scene_of(row, snr_db=20)
    rate_hz = scene.sample_rate_hz
    samples = _samples(scene)
    (sent,) = truth(scene)
    noise_power = np.mean(np.abs(samples[: int(0.099 * rate_hz)]) ** 2)
    start, stop = (round(t * rate_hz) for t in (sent.start_s, sent.start_s + sent.whole_duration_s))
    burst_power = np.mean(np.abs(samples[start:stop]) ** 2) - noise_power
    # Ec/N0 = (A² / chip rate) / (σ² / sample rate)
    ec_n0_db = 10 * np.log10(burst_power / row.chip_rate_hz / (noise_power / rate_hz))
    assert ec_n0_db == pytest.approx(20, abs=0.2)
    assert 10 * np.log10(noise_power) == pytest.approx(-20, abs=0.1)


def test_ec_n0_and_noise_power_do_not_depend_on_the_rate() -> None:
    scene = parse(TOP + T_METER)
    (sent,) = truth(scene)
    for rate_hz in (400e3, 1.6e6, 2.048e6, 8e6):
        samples = _samples(scene, sample_rate_hz=rate_hz)
        assert samples.size == round(0.2 * rate_hz)
        noise_power = np.mean(np.abs(samples[: int(0.049 * rate_hz)]) ** 2)
        start, stop = (round(t * rate_hz) for t in (sent.start_s, sent.start_s + sent.duration_s))
        burst_power = np.mean(np.abs(samples[start:stop]) ** 2) - noise_power
        assert 10 * np.log10(noise_power) == pytest.approx(-30, abs=0.15)
        ec_n0_db = 10 * np.log10(burst_power * rate_hz / noise_power / 100e3)
        assert ec_n0_db == pytest.approx(20, abs=0.2)


def test_a_burst_lies_where_the_truth_says() -> None:
    scene = parse(
        TOP.replace("-30", "-90") + T_METER.replace("20\nat", "60\nat") + "carrier_offset_hz = 33_000\n"
    )
    samples = _samples(scene, center_hz=868.8e6)
    (sent,) = truth(scene)
    strong = np.flatnonzero(np.abs(samples) > 0.5 * np.abs(samples).max())
    assert strong[0] == np.ceil(sent.start_s * 1.6e6)
    assert strong[0] - sent.first_sample(1.6e6) in (0, 1)
    assert strong[-1] == np.ceil((sent.start_s + sent.whole_duration_s) * 1.6e6) - 1
    burst = samples[strong[0] : strong[-1] + 1]
    frequency_hz = np.angle(burst[1:] * np.conj(burst[:-1])) * 1.6e6 / (2 * np.pi)
    tones_hz = np.median(frequency_hz[frequency_hz > 183e3]), np.median(frequency_hz[frequency_hz < 183e3])
    assert np.mean(tones_hz) == pytest.approx(868.95e6 + 33e3 - 868.8e6, abs=200)
    assert (tones_hz[0] - tones_hz[1]) / 2 == pytest.approx(50e3, rel=0.01)


def test_inverted_swaps_the_tones() -> None:
    quiet = TOP.replace("-30", "-90")
    meter = T_METER.replace("20\nat", "60\nat")
    upright = _samples(parse(quiet + meter))
    inverted = _samples(parse(quiet + meter + "inverted = true\n"))
    (sent,) = truth(parse(quiet + meter))
    inside = slice(int((sent.start_s + 1e-4) * 1.6e6), int((sent.start_s + sent.duration_s) * 1.6e6))

    def frequency(samples: ComplexArray) -> np.ndarray:
        return np.angle(samples[inside][1:] * np.conj(samples[inside][:-1]))

    np.testing.assert_allclose(frequency(inverted), -frequency(upright), atol=0.06)


def test_same_seed_same_samples_and_a_shorter_scene_is_the_beginning() -> None:
    scene = parse(TOP + T_METER + STREET)
    samples = _samples(scene)
    np.testing.assert_array_equal(_samples(scene), samples)
    shorter = _samples(replace(scene, duration_s=0.1234))
    np.testing.assert_array_equal(shorter, samples[: shorter.size])
    assert not np.array_equal(_samples(replace(scene, seed=6)), samples)


def test_pieces_do_not_depend_on_where_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without noise (which belongs to fixed pieces) the pieces' length must not show at all.
    monkeypatch.setattr(simulator.channel, "noise", lambda n, *_: np.zeros(n, dtype=np.complex64))
    scene = replace(parse(TOP + T_METER + STREET), iq_gain_db=0.3, dc=0.01j)
    for center_hz in (868.95e6, 868.2e6):  # inside, and through the anti-aliasing filter
        whole = _samples(scene, center_hz=center_hz)
        assert np.abs(whole).max() > 0.05
        for piece_samples in (1000, 7919):
            monkeypatch.setattr(simulator, "PIECE_SAMPLES", piece_samples)
            cut = _samples(scene, center_hz=center_hz)
            np.testing.assert_allclose(cut, whole, atol=1e-6)
        monkeypatch.setattr(simulator, "PIECE_SAMPLES", PIECE_SAMPLES)


def test_transmitters_add_up() -> None:
    first, second = T_METER, T_METER.replace("0.05", "0.052").replace('"T"', '"C"')
    both = _samples(parse(TOP + first + second))
    noise = _samples(parse(TOP))
    alone = _samples(parse(TOP + first)) - noise
    # the second meter of the scene, with an inaudible first one
    other = _samples(parse(TOP + first.replace("20\nat", "-100\nat") + second)) - noise
    np.testing.assert_allclose(both, noise + alone + other, atol=1e-6)


def test_bursts_outside_the_span_are_left_out() -> None:
    meters = TOP + T_METER + T_METER.replace('"T"', '"S"')
    noise = _samples(parse(TOP), sample_rate_hz=400e3)
    samples = _samples(parse(meters), sample_rate_hz=400e3)
    only_t = _samples(parse(TOP + T_METER), sample_rate_hz=400e3)
    np.testing.assert_array_equal(samples, only_t)
    assert not np.array_equal(samples, noise)
    assert len(truth(parse(meters))) == 2


def test_the_span_edge_does_not_fold_back() -> None:
    # The carrier lies on the upper edge of the span: the upper tone is outside and must not
    # come back at the lower edge, as it would without an anti-aliasing filter.
    scene = parse(TOP.replace("-30", "-90") + T_METER.replace("20\nat", "60\nat"))
    samples = _samples(scene, sample_rate_hz=1e6, center_hz=868.95e6 - 0.5e6)
    frequency_hz, density = scipy.signal.welch(
        samples, 1e6, nperseg=1024, return_onesided=False, scaling="density"
    )
    lower_tone = density[np.abs(frequency_hz - 450e3) < 5e3].mean()
    folded = density[np.abs(frequency_hz + 440e3) < 20e3].max()
    assert 10 * np.log10(lower_tone / folded) > 40


def test_front_end_faults_and_gain() -> None:
    scene = parse(TOP)
    plain = _samples(scene)
    spoiled = _samples(replace(scene, dc=0.02 - 0.01j, gain_db=6.0206))
    np.testing.assert_allclose(spoiled, 2 * plain + np.complex64(0.02 - 0.01j), atol=1e-5)
    uneven = _samples(replace(scene, iq_gain_db=6.0206))
    np.testing.assert_allclose(uneven.real, 2 * plain.real, atol=1e-5)
    np.testing.assert_array_equal(uneven.imag, plain.imag)


def test_memory_is_bounded_on_a_long_scene() -> None:
    text = TOP + T_METER.replace("at = [0.05]", "interval = 1.0") + '[[meter]]\nmode = "R"\nsnr_db = 9\n'
    scene = replace(parse(text + "interval = 2\nrandom_payload = 246\n"), duration_s=3600.0)
    tracemalloc.start()
    try:
        pieces = render(scene)
        assert all(next(pieces).size == PIECE_SAMPLES for _ in range(20))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # An hour at 1.6 MS/s would take 46 GB, one R2 burst alone 18 MB.
    assert peak_bytes < 15e6


def test_levels_and_steps_without_noise() -> None:
    scene = parse(
        'rate = "1.6M"\ncenter = "868.9M"\nduration = 0.1\nnoise_dbfs = "none"\n[[meter]]\nmode = "T"\n'
        "at = [0.01, 0.04, 0.07]\nrandom_payload = 20\nlevel_dbfs = [-3, -9, -20]\n"
    )
    samples = np.concatenate(list(render(scene)))
    for first, level_dbfs in ((16_000, -3), (64_000, -9), (112_000, -20)):
        inside = samples[first + 100 : first + 4000]
        np.testing.assert_allclose(20 * np.log10(np.abs(inside)), level_dbfs, atol=1e-3)
    assert not samples[:15_000].any()
