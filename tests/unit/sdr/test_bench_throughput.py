"""The throughput benchmark: what it counts, and where it says the time goes."""

import time

import numpy as np
import pytest

from dsp.plan import make_plan
from sdr.bench import stages, throughput
from sdr.bench.throughput import TUNINGS


def test_a_short_run() -> None:
    result = next(r for r in throughput.run(1.6, 3, 400.0, tunings=TUNINGS[:1]) if r.traffic == "50 frames/s")
    assert result.sent > 40 and result.wrong == 0
    assert 0.5 * result.sent < result.received <= result.sent
    assert result.to_reference == pytest.approx(result.cpu_msps / 400.0)
    assert result.times_real_time == pytest.approx(result.wall_msps / 1.6, rel=0.01)
    assert result.latency_ms is not None and 0.0 < result.latency_ms[0] <= result.latency_ms[1]
    assert sum(result.stages.values()) == pytest.approx(1.0, abs=0.01)
    assert set(throughput.to_dict(result)) >= {"stages", "latency_ms", "cpu_msps", "peak_memory_mb"}
    assert "T+C 1.6 MS/s" in throughput.to_row(result)


def test_tunings_hold_what_they_send() -> None:
    for tuning in TUNINGS:
        plan = make_plan(tuning.sample_rate_hz, tuning.center_hz, tuning.modes, "A")
        assert set(tuning.street) <= {row.name for channel in plan.channels for row in channel.rows}
    assert len(make_plan(2.4e6, 868.3e6, ("S", "T", "C"), "A").channels) == 2  # no C downlink


def test_time_is_booked_on_the_innermost_module() -> None:
    from dsp.energy_meter import EnergyMeter

    plan = make_plan(1.6e6, 868.95e6, ("T",), "A")
    meter = EnergyMeter(plan.channels, 1.6e6, 868.95e6)
    raw = np.full(2 * meter.step_samples, 127, dtype=np.uint8)
    meter.measure(raw)
    with stages.watched() as seconds:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            meter.measure(raw)
    found = stages.shares(seconds)
    assert max(found, key=lambda name: found[name]) == "energy_meter"
    assert stages.shares({}) == {}
