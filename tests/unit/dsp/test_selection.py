"""Ranks and orders against numpy's."""

from __future__ import annotations

import numpy as np

from dsp.selection import of_rank, order_of_few


def test_every_rank_is_that_of_the_sorted_values() -> None:
    rng = np.random.default_rng(1)
    for size in (1, 2, 3, 17, 64, 256):
        for values in (rng.normal(size=size), rng.integers(0, 4, size).astype(float), np.arange(size)[::-1]):
            kept = values.copy()
            assert [of_rank(values, rank) for rank in range(size)] == np.sort(values).tolist()
            assert np.array_equal(values, kept)


def test_order_is_stable() -> None:
    rng = np.random.default_rng(2)
    for size in (0, 1, 2, 40, 192):
        values = rng.integers(0, 30, size)
        assert np.array_equal(order_of_few(values), np.argsort(values, kind="stable"))
