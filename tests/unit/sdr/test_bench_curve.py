"""From counts to the level at which a share of the frames is heard."""

import numpy as np
import pytest

from sdr.bench.curve import at_most, crossing


def _success(ec_n0_db: float) -> float:
    """Frames of 500 chips whose chips fail like orthogonal FSK."""
    return float((1.0 - 0.5 * np.exp(-0.5 * 10.0 ** (ec_n0_db / 10.0))) ** 500)


def test_exact_counts_give_the_exact_crossing() -> None:
    counts = {level: (round(1e6 * _success(level)), 10**6) for level in np.arange(9.0, 13.1, 0.5)}
    for wanted in (0.5, 0.9):
        found = crossing(counts, wanted)
        assert found is not None
        assert _success(found[0]) == pytest.approx(wanted, abs=0.002)
        assert found[1] < 0.01


def test_standard_error_covers_the_scatter() -> None:
    rng = np.random.default_rng(5)
    levels = np.arange(9.0, 13.1, 0.5)
    found = [
        crossing({level: (int(rng.binomial(240, _success(level))), 240) for level in levels}, 0.9)
        for _ in range(200)
    ]
    values = np.array([f for f in found if f is not None])
    assert len(values) == 200
    assert np.std(values[:, 0]) == pytest.approx(np.mean(values[:, 1]), rel=0.25)
    assert np.mean(values[:, 0]) == pytest.approx(11.87, abs=0.1)  # where _success is 0.9


def test_two_points_far_apart_are_enough() -> None:
    found = crossing({4.0: (0, 6), 8.0: (3, 6), 12.0: (6, 6)}, 0.9)
    assert found is not None and 8.0 < found[0] < 12.0


def test_points_on_one_side_tell_nothing() -> None:
    assert crossing({10.0: (100, 100), 11.0: (100, 100)}, 0.9) is None
    assert crossing({10.0: (1, 100), 11.0: (5, 100)}, 0.9) is None
    assert crossing({}, 0.9) is None


def test_bound_of_rare_events() -> None:
    assert at_most(0, 3000) == pytest.approx(3.0 / 3000, rel=0.01)  # the rule of three
    assert at_most(0, 0) == 1.0
    assert at_most(5, 5) == 1.0
    assert at_most(3, 100) == pytest.approx(0.0758, abs=0.0005)  # Clopper-Pearson tables, one-sided 95 %
