"""Ring, sample clock, tuning plans, gains, ppm: the small parts of live reception."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dsp.modes import MODES
from dsp.plan import half_width_hz, make_plan
from sdr.errors import UsageError
from sdr.live.condition import FRESH_S, Condition, Health
from sdr.radio.gain import TUNERS, nearest_gain
from sdr.radio.plans import PLANS, plans_for
from sdr.radio.ppm import LEAST_METERS, PpmLearner, load_ppm, save_ppm
from sdr.radio.ring import Ring
from sdr.radio.sample_clock import SampleClock


def _samples(n: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.zeros(2 * n, np.uint8)


def test_a_full_ring_drops_what_comes_and_says_where() -> None:
    ring = Ring(100)
    ring.put(_samples(60))
    ring.put(_samples(30))
    ring.put(_samples(40))  # no room
    assert ring.dropped == 40
    first = ring.take()
    assert first is not None and (first.first_sample, first.end, first.lost) == (0, 60, 0)
    ring.put(_samples(50), 7)
    second, third = ring.take(), ring.take()
    assert second is not None and (second.first_sample, second.lost) == (60, 0)
    assert third is not None
    assert (third.first_sample, third.lost, third.dropped) == (90 + 40 + 7, 47, 40)
    assert ring.take() is None and ring.held_samples == 0 and ring.lost == 7


def test_a_piece_larger_than_the_ring_is_taken_all_the_same() -> None:
    ring = Ring(10)
    ring.put(_samples(50))
    assert ring.dropped == 0 and ring.held_samples == 50


def test_the_clock_ties_samples_by_the_shortest_delay() -> None:
    clock = SampleClock(1000.0, lambda: (1_800_000_000.0, 50.0))  # UTC and monotonic now
    rng = np.random.default_rng(1)
    for number in range(1, 200):
        delay_s = 0.005 + 0.03 * float(rng.random())
        assert clock.arrived(number * 14, 10.0 + number * 0.014 + delay_s) == 0
    instant = clock.utc(1400)  # 1.4 s after the first sample, which was at 10 s: 38.6 s before now
    assert instant is not None
    assert abs(instant.timestamp() - (1_800_000_000.0 - 38.6)) < 0.008


@pytest.mark.parametrize("ppm", [-100.0, 0.0, 100.0])
def test_a_clock_that_drifts_is_followed_and_no_loss(ppm: float) -> None:
    clock = SampleClock(1000.0, lambda: (0.0, 0.0))
    told = 0
    for number in range(1, 50_000):  # 700 s
        told += clock.arrived(number * 14, number * 0.014 * (1.0 + ppm * 1e-6) + 0.01)
    assert told == 0
    instant = clock.utc(49_999 * 14)
    assert instant is not None
    assert abs(instant.timestamp() - (49_999 * 0.014 * (1.0 + ppm * 1e-6) + 0.01)) < 0.005


def test_samples_that_vanish_are_counted_once() -> None:
    clock = SampleClock(1000.0, lambda: (0.0, 0.0))
    told = [
        clock.arrived(number * 14, number * 0.014 + (0.4 if number > 1000 else 0.0))
        for number in range(1, 3000)
    ]
    assert [n for n in told if n] == [400]


def test_a_decoder_that_was_busy_for_a_while_is_no_loss() -> None:
    clock = SampleClock(1000.0, lambda: (0.0, 0.0))
    told = [
        clock.arrived(number * 14, max(number * 0.014, 21.0 if 1000 < number < 1500 else 0.0))
        for number in range(1, 3000)
    ]
    assert not any(told)


@pytest.mark.parametrize(
    "plan", PLANS, ids=lambda plan: f"{plan.center_hz / 1e6} {plan.sample_rate_hz / 1e6}"
)
def test_plans_hold_their_modes_off_zero_and_off_the_edges(plan) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    made = make_plan(plan.sample_rate_hz, plan.center_hz, tuple(sorted(plan.modes)), plan.band)
    held = {row.name for channel in made.channels for row in channel.rows}
    rows = [row for row in MODES if row.mode in plan.modes and plan.band in row.bands]
    if plan.modes == frozenset("TC"):  # T's downlink has the air interface of S
        rows = [row for row in rows if row.centers_hz != (868.3e6,)]
    assert held >= {row.name for row in rows}
    for channel in made.channels:
        off_hz = abs(channel.center_hz - plan.center_hz)
        reach_hz = max(half_width_hz(row, channel.center_hz) for row in channel.rows)
        assert off_hz >= 30e3
        assert off_hz + reach_hz <= 0.9 * plan.sample_rate_hz / 2


def test_plans_for_modes() -> None:
    best, *rest = plans_for(None, None)
    assert (best.center_hz, best.sample_rate_hz) == (868.9e6, 2.4e6)
    assert [plan.sample_rate_hz for plan in rest] == sorted(
        (plan.sample_rate_hz for plan in rest), reverse=True
    )
    assert [plan.sample_rate_hz for plan in plans_for(("T", "C"), "A")] == [1.2e6]
    assert plans_for(("N",), None)[0].center_hz == 169.65e6
    with pytest.raises(UsageError, match="a radio for each"):
        plans_for(("S", "N"), None)


def test_gains() -> None:
    r820t = [tenths / 10 for tenths in TUNERS[5][1]]
    assert nearest_gain(40.0, r820t) == 40.2
    assert nearest_gain(99.0, r820t) == 49.6
    assert nearest_gain(12.5, []) == 12.5


def test_ppm_is_what_meters_share() -> None:
    learner = PpmLearner()
    rng = np.random.default_rng(2)
    for meter in range(40):
        own_ppm = float(rng.normal(0.0, 5.0)) if meter % 5 else 60.0  # some are far off
        for _ in range(3):
            learner.hear(meter, own_ppm - 33.0 + float(rng.normal(0.0, 0.5)))
        assert (learner.radio_ppm is None) == (meter + 1 < LEAST_METERS)
    estimate = learner.estimate
    assert estimate is not None
    assert abs(estimate[0] - 33.0) < 3.0 * estimate[1] < 9.0


def test_ppm_is_kept_for_each_radio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert load_ppm("rtlsdr:1") is None
    save_ppm("rtlsdr:1", 12.34)
    save_ppm("rtlsdr:2", -3.0)
    assert (load_ppm("rtlsdr:1"), load_ppm("rtlsdr:2")) == (12.3, -3.0)
    (tmp_path / "omsdr" / "radios.json").write_text("{broken")
    assert load_ppm("rtlsdr:1") is None


def test_conditions_in_words() -> None:
    health = Health()
    assert health.condition(0.0) is Condition.NO_SAMPLES
    health.samples(10.0)
    assert health.condition(10.0) is Condition.NO_BURSTS
    health.burst(10.0, is_frame=False)
    assert health.condition(11.0) is Condition.NO_FRAMES
    health.burst(11.0, is_frame=True)
    assert health.condition(11.5) is Condition.RECEIVING
    health.samples(11.0 + 2 * FRESH_S)
    assert health.condition(11.0 + 2 * FRESH_S) is Condition.NO_BURSTS
