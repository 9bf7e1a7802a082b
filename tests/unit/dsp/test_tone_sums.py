"""Running sums at two tones: the sums, and the one-chip filters that are read from them."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.tone_sums import SUM_DELAY_SAMPLES, match, soft_chips, tone_sums, turns

LOW, HIGH = -0.0523, 0.0371


def test_sums_are_those_of_the_signal_shifted_down() -> None:
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(500) + 1j * rng.standard_normal(500)).astype(np.complex64)
    sums = tone_sums(x, LOW, HIGH)
    assert sums.shape == (2, 501)
    for row, tone in zip(sums, (LOW, HIGH), strict=True):
        expected = np.cumsum(x * np.exp(-2j * np.pi * tone * np.arange(500)))
        np.testing.assert_allclose(row, np.concatenate([[0], expected]), atol=1e-4)


def test_a_filter_may_begin_between_samples() -> None:
    # At its own tone a steady signal gives as much as the filter is long, wherever it begins.
    sums = tone_sums(np.exp(2j * np.pi * HIGH * np.arange(64)).astype(np.complex64), LOW, HIGH)
    starts = np.array([3.0, 10.25, 20.9])
    period = np.array([8.0, 8.3, 12.5])
    np.testing.assert_allclose(np.abs(match(sums, starts, period)[1]), period, rtol=1e-5)


def test_what_lies_outside_the_sums_matches_nothing() -> None:
    sums = tone_sums(np.ones(64, dtype=np.complex64), LOW, HIGH)
    outside = match(sums, np.array([-1.0, 57.0, 400.0]), np.full(3, 8.0))
    assert not outside.any()


def test_soft_chips_and_tone_errors_of_alternating_chips() -> None:
    error = 0.004
    n = np.arange(320)
    chips = n // 8 % 2 == 1
    tone = np.where(chips, HIGH + error, LOW - error)
    sums = tone_sums(np.exp(2j * np.pi * (np.cumsum(tone) - tone)).astype(np.complex64), LOW, HIGH)
    starts = 8.0 * np.arange(1, 39) + SUM_DELAY_SAMPLES
    ones = np.arange(1, 39) % 2 == 1
    assert np.array_equal(soft_chips(sums, starts, 8.0) > 0, ones)
    low, high = turns(sums, starts, 8.0, ones)
    assert low == pytest.approx(-error, abs=1e-3)
    assert high == pytest.approx(error, abs=1e-3)
