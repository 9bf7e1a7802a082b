"""The DC tracker: the radio's offset, not what bursts put there for a while."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.dc import DcTracker


def _noisy(rng: np.random.Generator, offset: complex) -> complex:
    """Mean of a stretch with this offset."""
    return offset + complex(*rng.normal(0.0, 0.001, 2))


def test_nothing_is_no_offset() -> None:
    assert DcTracker().value == 0.0


def test_an_offset_in_noise_is_found() -> None:
    rng = np.random.default_rng(1)
    tracker = DcTracker()
    for _ in range(40):
        tracker.push(_noisy(rng, 0.02 - 0.05j))
    assert tracker.value == pytest.approx(0.02 - 0.05j, abs=0.0005)


def test_a_tone_at_0_hz_that_comes_and_goes_does_not_move_it() -> None:
    rng = np.random.default_rng(2)
    tracker = DcTracker()
    for n in range(64):
        tracker.push(_noisy(rng, 0.01 + (0.5j if 20 <= n < 45 else 0.0)))
    assert tracker.value == pytest.approx(0.01, abs=0.001)


def test_an_offset_that_changes_is_followed() -> None:
    rng = np.random.default_rng(3)
    tracker = DcTracker()
    for offset in (0.05, -0.03):
        for _ in range(200):
            tracker.push(_noisy(rng, offset))
    assert tracker.value == pytest.approx(-0.03, abs=0.001)
