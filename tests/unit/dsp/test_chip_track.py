"""A clock that follows chips: read at once or on and on, fast or slow, the same chips."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.arrays import ComplexArray
from dsp.chip_track import ChipTrack, ClockLoop, mean_period, permitted_period
from dsp.tone_sums import SUM_DELAY_SAMPLES, soft_chips, tone_sums

LOW, HIGH = -0.0523, 0.0371
LIMITS = (7.0, 9.2)
LOOP = ClockLoop(first=(0.07, 0.0025), final=(0.03, 0.00045), ease=0.01)
DEAF = ClockLoop(first=(0.0, 0.0), final=(0.0, 0.0), ease=0.0)


def _chips(period: float, ones: np.ndarray) -> ComplexArray:
    n = np.arange(int(period * ones.size))
    tone = np.where(ones[(n / period).astype(np.int64)], HIGH, LOW)
    return np.exp(2j * np.pi * (np.cumsum(tone) - tone)).astype(np.complex64)


def _random_chips(n_chips: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, n_chips) > 0


@pytest.mark.parametrize("piece", [1, 7, 150, 700])
def test_chips_that_are_read_on_are_those_that_are_read_at_once(piece: int) -> None:
    x = _chips(8.3, _random_chips(1500))
    values, starts = ChipTrack(x, (LOW, HIGH), 0.0, 8.0, LIMITS, LOOP).read(1400)
    track = ChipTrack(x, (LOW, HIGH), 0.0, 8.0, LIMITS, LOOP)
    for n in range(piece, 1400, piece):
        some, places = track.read(n)
        assert np.array_equal(some, values[:n]) and np.array_equal(places, starts[:n])


def test_the_clock_finds_the_rate_and_all_chips() -> None:
    ones = _random_chips(1500)
    values, starts = ChipTrack(_chips(8.3, ones), (LOW, HIGH), 0.0, 8.2, LIMITS, LOOP).read(1400)
    assert mean_period(starts[200:]) == pytest.approx(8.3, rel=2e-4)
    assert np.array_equal(values > 0, ones[:1400])


def test_chips_are_those_of_the_running_sums() -> None:
    x = _chips(8.0, _random_chips(400))
    x += np.random.default_rng(2).normal(0.0, 0.5, x.size).astype(np.float32)
    values, starts = ChipTrack(x, (LOW, HIGH), 1000.3, 8.0, (8.0, 8.0), DEAF).read(200)
    np.testing.assert_allclose(starts, 1000.3 + 8.0 * np.arange(200))
    expected = soft_chips(tone_sums(x, LOW, HIGH), starts + SUM_DELAY_SAMPLES, 8.0)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)


def test_chips_end_with_the_samples_however_they_are_asked_for() -> None:
    x = _chips(8.0, _random_chips(50))
    track = ChipTrack(x, (LOW, HIGH), 0.0, 8.0, LIMITS, LOOP)
    assert [track.read(n)[0].size for n in (40, 60, 60, 1000, 10)] == [40, 49, 49, 49, 10]
    assert ChipTrack(x, (LOW, HIGH), 5000.0, 8.0, LIMITS, LOOP).read(10)[0].size == 0


def test_a_track_goes_on_where_samples_have_come_and_not_beyond_an_end() -> None:
    x = _chips(8.3, _random_chips(600))
    values, starts = ChipTrack(x, (LOW, HIGH), 100.0, 8.0, LIMITS, LOOP).read(500)
    track = ChipTrack(x[:2000].copy(), (LOW, HIGH), 100.0, 8.0, LIMITS, LOOP)
    track.read(200)
    assert track.go_on(x)
    some, places = track.read(500)
    assert np.array_equal(some, values) and np.array_equal(places, starts)
    ended = ChipTrack(x[:2000].copy(), (LOW, HIGH), 100.0, 8.0, LIMITS, LOOP)
    ended.read(500)
    assert not ended.go_on(x)


def test_a_period_is_kept_within_the_tolerance() -> None:
    assert permitted_period(9.0, 8.0, 0.01) == pytest.approx(8.0 / 0.99)
    assert permitted_period(7.0, 8.0, 0.01) == pytest.approx(8.0 / 1.01)
    assert permitted_period(8.01, 8.0, 0.01) == 8.01
