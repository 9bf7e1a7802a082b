"""Sums over what lies around, against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.smoothing import around


@pytest.mark.parametrize("size", [1, 2, 40])
def test_each_element_is_the_sum_of_all_by_distance(size: int) -> None:
    x = np.random.default_rng(size).random(size)
    place = np.arange(size)
    expected = 0.9 ** np.abs(place[:, None] - place[None, :]) @ x
    around(x, 0.9)
    np.testing.assert_allclose(x, expected, rtol=1e-12)
