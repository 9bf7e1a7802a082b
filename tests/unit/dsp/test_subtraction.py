"""Taking frames off the samples: what is left, and what the fit says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from support import NOISE_POWER, Air, amplitude, on_air, place_in_noise, sent_raw

from dsp.arrays import ComplexArray
from dsp.baseband import BasebandFilter
from dsp.channel import noise
from dsp.frame_reader import Attempt
from dsp.hit_reader import HitReader
from dsp.modes import BY_NAME, FrameFormat, Modulation, PhyMode
from dsp.modulator import Impairments
from dsp.plan import Channel
from dsp.subtraction import Removed, Subtraction
from dsp.sync_search import SyncSearch
from sdr.receiver import LinkRules

LEAD = 4000
WIDE = Air(2.4e6, 868.9e6)
C_GAUSSIAN = replace(BY_NAME["C M2O"], modulation=Modulation.GFSK2, bandwidth_time=0.5)


@dataclass(frozen=True, slots=True)
class Bench:
    """A burst in noise, read, and the parts it was made of."""

    channel: Channel
    samples: ComplexArray
    burst: ComplexArray
    noise: ComplexArray
    attempt: Attempt
    filter: BasebandFilter

    def subtraction(self) -> Subtraction:
        shift = (self.channel.center_hz - WIDE.center_hz) / WIDE.sample_rate_hz
        return Subtraction(self.channel, shift, self.filter.step)

    def subtracted(self) -> tuple[ComplexArray, Removed]:
        left = self.samples.copy()
        return left, self.subtract_from(left)

    def subtract_from(self, samples: ComplexArray) -> Removed:
        return self.subtraction().subtract(samples, self.filter.extract(samples, 0), self.attempt)

    def power(self, samples: ComplexArray) -> float:
        """Mean power in the channel's baseband while the burst is on."""
        step = self.filter.step
        on = slice(int(LEAD / step), int((LEAD + self.burst.size) / step))
        baseband = self.filter.extract(samples, 0)[on]
        return float(np.mean(np.abs(baseband) ** 2))


def _bench(
    row: PhyMode, frame_format: FrameFormat, ec_n0_db: float, impairments: Impairments, seed: int = 1
) -> Bench:
    rng = np.random.default_rng(seed)
    channel = next(c for c in WIDE.plan().channels if row.name in {r.name for r in c.rows})
    burst = on_air(
        sent_raw(rng, 60, frame_format),
        row,
        frame_format,
        WIDE,
        rng,
        ec_n0_db=ec_n0_db,
        impairments=impairments,
    )
    background = noise(burst.size + 2 * LEAD, NOISE_POWER, rng)
    samples = background.copy()
    samples[LEAD : LEAD + burst.size] += burst
    baseband_filter = BasebandFilter(channel, WIDE.sample_rate_hz, WIDE.center_hz)
    baseband = baseband_filter.extract(samples, 0)
    attempt = HitReader(channel, LinkRules()).read(baseband, SyncSearch(channel).find(baseband)[0])
    assert attempt.fault is None
    return Bench(channel, samples, burst, background, attempt, baseband_filter)


T_ERRORS = Impairments(
    carrier_offset_hz=-21e3, chip_rate_error=0.07, chip_rate_drift=-0.007, deviation_hz=47e3
)
CASES = [
    pytest.param(BY_NAME["T M2O"], "A", T_ERRORS, id="T that drifts"),
    pytest.param(
        BY_NAME["C M2O"], "B", Impairments(carrier_offset_hz=9e3, chip_rate_error=80e-6), id="C format B"
    ),
    pytest.param(C_GAUSSIAN, "A", Impairments(carrier_offset_hz=9e3), id="C, Gaussian though nobody says so"),
    pytest.param(
        BY_NAME["S2 M2O"], "A", Impairments(carrier_offset_hz=-15e3, chip_rate_error=-0.012), id="S"
    ),
    pytest.param(BY_NAME["C2 O2M"], "A", Impairments(carrier_offset_hz=5e3), id="C downlink"),
]


@pytest.mark.parametrize("ec_n0_db", [15.0, 30.0])
@pytest.mark.parametrize(("row", "frame_format", "impairments"), CASES)
def test_what_is_left_lies_far_below_the_noise(
    row: PhyMode, frame_format: FrameFormat, impairments: Impairments, ec_n0_db: float
) -> None:
    bench = _bench(row, frame_format, ec_n0_db, impairments)
    left, _ = bench.subtracted()
    residual = bench.power(left - bench.noise)
    assert residual < 0.03 * bench.power(bench.noise)  # 15 dB below it


@pytest.mark.parametrize(("row", "frame_format", "impairments"), CASES)
def test_the_fit_says_what_was_sent(
    row: PhyMode, frame_format: FrameFormat, impairments: Impairments
) -> None:
    bench = _bench(row, frame_format, 25.0, impairments)
    _, removed = bench.subtracted()
    sent_hz = row.deviation.typical_hz if impairments.deviation_hz is None else impairments.deviation_hz
    rate_hz = WIDE.sample_rate_hz
    assert removed.carrier_offset * rate_hz == pytest.approx(impairments.carrier_offset_hz, abs=60.0)
    assert removed.frame.deviation * rate_hz == pytest.approx(sent_hz, rel=0.01)
    assert removed.power == pytest.approx(amplitude(row, WIDE, 25.0) ** 2, rel=0.03)
    # preamble and postamble are found by their amplitude
    chip = rate_hz / row.chip_rate_hz
    assert removed.start == pytest.approx(LEAD, abs=2 * chip)
    assert removed.stop == pytest.approx(LEAD + bench.burst.size, abs=2 * chip)


def test_adding_the_waveform_undoes_it() -> None:
    bench = _bench(BY_NAME["T M2O"], "A", 25.0, T_ERRORS)
    left, removed = bench.subtracted()
    left[removed.start : removed.stop] += removed.waveform
    np.testing.assert_allclose(left, bench.samples, atol=1e-6)


def test_a_burst_that_the_samples_cut_off() -> None:
    bench = _bench(BY_NAME["T M2O"], "A", 25.0, T_ERRORS)
    for size in (bench.samples.size // 2, LEAD + 700, LEAD, 10, 1):
        left = bench.samples[:size].copy()
        removed = bench.subtract_from(left)
        assert 0 <= removed.start <= removed.stop <= size
        assert np.isfinite(left).all()


def test_a_reading_of_noise_adds_hardly_any_power() -> None:
    bench = _bench(BY_NAME["T M2O"], "A", 25.0, T_ERRORS)
    rng = np.random.default_rng(9)
    only_noise = place_in_noise([], bench.samples.size, rng)
    left = only_noise.copy()
    bench.subtract_from(left)
    assert bench.power(left) < 1.05 * bench.power(only_noise)
