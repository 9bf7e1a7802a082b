"""The benchmark's theory against printed values and closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from dsp.modes import LineCode
from sdr.bench import theory
from sdr.bench.conditions import nominal


def test_orthogonal_tones_have_the_closed_form() -> None:
    # noncoherent orthogonal FSK: ½·e^(−Ec/2N0)
    for ec_n0_db in (3.0, 9.0, 12.0):
        expected = 0.5 * np.exp(-0.5 * 10.0 ** (ec_n0_db / 10.0))
        assert theory.chip_error(ec_n0_db, 1.0) == pytest.approx(expected, rel=1e-6)


def test_chip_error_of_correlated_tones_by_simulation() -> None:
    rng, h, n = np.random.default_rng(3), 0.7, 400_000
    own, new = (rng.standard_normal((2, n)) + 1j * rng.standard_normal((2, n))) / np.sqrt(2.0)
    shared = np.sinc(h)
    sent = np.sqrt(10.0**0.6)
    wrong = np.abs(sent + own) < np.abs(shared * sent + shared * own + np.sqrt(1.0 - shared**2) * new)
    assert theory.chip_error(6.0, h) == pytest.approx(float(np.mean(wrong)), rel=0.04)


@pytest.mark.parametrize(
    ("row", "limit", "ninety", "fifty"),
    [  # simulated by others with perfect timing, to 0.1 dB
        ("T M2O", "hard", 12.1, 10.9),
        ("C M2O", "hard", 12.0, 10.8),
        ("S2 M2O", "hard", 12.3, 11.1),
        ("C2 O2M", "hard", 11.9, 10.7),
        ("T M2O", "soft", 9.7, 8.6),
        ("S2 M2O", "soft", 9.5, 8.3),
        ("T M2O", "coherent", 11.2, 9.8),
        ("C M2O", "coherent", 7.5, 6.1),
    ],
)
def test_limits_of_frames(row: str, limit: theory.Limit, ninety: float, fifty: float) -> None:
    success = theory.frame_success(nominal(row, "A"), limit)
    assert success is not None
    assert theory.reached_at(success, 0.9) == pytest.approx(ninety, abs=0.15)
    assert theory.reached_at(success, 0.5) == pytest.approx(fifty, abs=0.15)


def test_path_distances() -> None:
    # h = 1: paths meet after one chip, d² = 1; h = 0.9: after two, d² = 2 (1 − sinc 1.8); h = 0.5: 2
    uplink = nominal("C M2O", "A")
    assert theory.path_distance(replace(uplink, deviation_hz=50e3)) == pytest.approx(1.0, abs=0.01)
    assert theory.path_distance(uplink) == pytest.approx(2.0 * (1.0 - np.sinc(1.8)), abs=0.01)
    assert theory.path_distance(replace(uplink, deviation_hz=25e3)) == pytest.approx(2.0, abs=0.01)


def test_whole_words_beat_single_chips() -> None:
    for code in (LineCode.MANCHESTER, LineCode.THREE_OF_SIX):
        chips = {LineCode.MANCHESTER: 2, LineCode.THREE_OF_SIX: 6}[code]
        hard = 1.0 - (1.0 - theory.chip_error(8.0, 1.0)) ** chips
        assert 0.0 < theory.word_error(8.0, 1.0, code) < 0.5 * hard


def test_what_theory_is_silent_about() -> None:
    assert theory.frame_success(nominal("N2g", "A"), "hard") is None
    assert theory.frame_success(nominal("C M2O", "A"), "soft") is None
    assert theory.frame_success(nominal("S2 M2O", "A"), "coherent") is None
