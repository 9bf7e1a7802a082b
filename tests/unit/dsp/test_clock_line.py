"""The chips of a whole burst found by the line that they draw at the chip rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import in_baseband, sent_raw

from dsp.arrays import DoubleArray
from dsp.channel import noise
from dsp.clock_line import chip_starts
from dsp.modes import BY_NAME, PhyMode
from dsp.modulator import IDEAL, Impairments, chip_edges_s
from dsp.tone_sums import SUM_DELAY_SAMPLES, tone_sums

ROWS = [BY_NAME[name] for name in ("T M2O", "S2 M2O", "R2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
kinds = pytest.mark.parametrize("bandwidth_time", [None, 0.5], ids=["plain", "Gaussian"])


def _errors(
    row: PhyMode,
    seed: int,
    ec_n0_db: float,
    *,
    sent_as: PhyMode | None = None,
    impairments: Impairments = IDEAL,
) -> DoubleArray:
    """Errors of the starts in chips, where the pattern is known to a third of a chip and its rate to 1 %."""
    rng = np.random.default_rng(seed)
    burst = in_baseband(
        row, "A", rng, ec_n0_db=ec_n0_db, raw=sent_raw(rng, 60, "A"), sent_as=sent_as, impairments=impairments
    )
    channel = burst.channel
    edges = burst.start + chip_edges_s(burst.levels.size, row, impairments) * channel.baseband_rate_hz
    first = round((burst.pattern_start(channel.samples_per_chip) - burst.start) / channel.samples_per_chip)
    true = edges[first:-5]
    n_pattern = len(channel.pattern)
    period = (true[n_pattern] - true[0]) / n_pattern * (1.0 + rng.uniform(-0.01, 0.01))
    middle = 0.5 * (true[0] + true[n_pattern]) + rng.uniform(-0.3, 0.3) * period
    tone = row.deviation.typical_hz / channel.baseband_rate_hz
    sums = tone_sums(burst.samples, -tone, tone)
    start = middle - 0.5 * n_pattern * period + SUM_DELAY_SAMPLES
    starts = chip_starts(sums, start, period, n_pattern, true.size)
    assert starts is not None and starts.size == true.size
    return np.asarray((starts - SUM_DELAY_SAMPLES - true) / channel.samples_per_chip)


@every_row
@kinds
def test_at_the_limit_hardly_a_burst_is_misplaced(row: PhyMode, bandwidth_time: float | None) -> None:
    # 6.5 dB, where nine frames in ten are read
    errors = [
        _errors(row, seed, 6.5, sent_as=replace(row, bandwidth_time=bandwidth_time)) for seed in range(30)
    ]
    assert sum(np.abs(error).max() > 0.3 for error in errors) <= 1
    assert np.median([error.std() for error in errors]) < 0.04


@every_row
@pytest.mark.parametrize("drift", [-0.01, 0.01])
def test_a_rate_that_slides_is_followed(row: PhyMode, drift: float) -> None:
    impairments = Impairments(chip_rate_error=-drift / 2, chip_rate_drift=drift)
    assert np.abs(_errors(row, 1, 12.0, impairments=impairments)).max() < 0.05


def test_too_few_chips_draw_no_line() -> None:
    sums = tone_sums(noise(2000, 1.0, np.random.default_rng(1)), -0.06, 0.06)
    assert chip_starts(sums, 5.0, 12.0, 28, 100) is None


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_silence_and_noise_give_starts_inside_the_sums_or_none(power: float) -> None:
    for seed in range(20):
        sums = tone_sums(noise(8000, power, np.random.default_rng(seed)), -0.06, 0.06)
        starts = chip_starts(sums, 3.0, 12.0, 28, 1000)
        if starts is not None:
            assert np.all(np.diff(starts) > 0.0)
            assert starts[0] >= 0.0 and starts[-1] + 12.0 < sums.shape[1]
