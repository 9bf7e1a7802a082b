"""The noise floor, and the stretches of the stream that are handed on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from support import NOISE_POWER, narrow_air, on_air, place_in_noise, random_frame, row_plan

from dsp import channel as radio
from dsp.arrays import ComplexArray, FloatArray
from dsp.energy_meter import BLOCKS_PER_STEP, EnergyMeter
from dsp.gate import Gate, Region
from dsp.modes import BY_NAME
from dsp.plan import Channel, make_plan
from protocol import link
from sdr.bench.conditions import nominal
from sdr.bench.trials import Batch, run_batch

RATE_HZ, CENTER_HZ = 2.4e6, 868.9e6
CHANNELS = make_plan(RATE_HZ, CENTER_HZ).channels
T_INDEX = next(i for i, channel in enumerate(CHANNELS) if channel.center_hz == 868.95e6)
T_CHANNEL = CHANNELS[T_INDEX]


def _meter() -> EnergyMeter:
    return EnergyMeter(CHANNELS, RATE_HZ, CENTER_HZ)


class _Feed:
    """A gate fed with made-up energies: noise of density 1, and what is added to it."""

    def __init__(self, channel: Channel = T_CHANNEL, seed: int = 1) -> None:
        meter = _meter()
        self.n_fft = meter.n_fft
        self.gate = Gate(channel, RATE_HZ, meter.n_fft, meter.n_bins(T_INDEX))
        self._rng = np.random.default_rng(seed)
        # a mean over bins of exponential energies, of which the window leaves half independent
        self._shape = meter.n_bins(T_INDEX) / 1.5 * 0.53
        self.regions: list[Region] = []

    def blocks(self, n_blocks: int, added: float = 0.0) -> FloatArray:
        densities = self._rng.gamma(self._shape, 1 / self._shape, n_blocks) * (1 + added)
        return densities.astype(np.float32)

    def push(self, densities: FloatArray) -> None:
        assert densities.size % BLOCKS_PER_STEP == 0
        for start in range(0, densities.size, BLOCKS_PER_STEP):
            self.regions += self.gate.push(densities[start : start + BLOCKS_PER_STEP])

    def settle(self) -> None:
        """Let the floor become known, and forget the region before."""
        self.push(self.blocks(4096))
        self.regions.clear()


def _milliseconds(feed: _Feed, ms: float) -> int:
    return round(ms * 1e-3 * RATE_HZ / feed.n_fft)


def test_everything_is_active_until_the_floor_is_known() -> None:
    feed = _Feed()
    feed.push(feed.blocks(8192))
    first = feed.regions[0]
    assert first.start == 0 and not first.settled
    assert first.stop > BLOCKS_PER_STEP * feed.n_fft


def test_the_floor_is_the_noise() -> None:
    feed = _Feed()
    feed.settle()
    assert feed.gate.noise_density == pytest.approx(1.0, rel=0.1)
    # half the time filled by strong bursts of 10 ms
    for _ in range(60):
        n_blocks = -(-_milliseconds(feed, 20) // BLOCKS_PER_STEP) * BLOCKS_PER_STEP
        densities = feed.blocks(n_blocks)
        densities[: n_blocks // 2] += np.float32(100.0)
        feed.push(densities)
    assert feed.gate.noise_density == pytest.approx(1.0, rel=0.1)


def test_noise_alone_hardly_opens_the_gate() -> None:
    feed = _Feed(seed=2)
    feed.settle()
    feed.push(feed.blocks(200 * 1024))  # 5 s
    assert len(feed.regions) <= 5


@pytest.mark.parametrize("added", [0.8, 3.0, 1000.0])
def test_a_burst_is_covered_whole(added: float) -> None:
    feed = _Feed()
    feed.settle()
    n_before = feed.gate._block
    densities = feed.blocks(-(-_milliseconds(feed, 60) // BLOCKS_PER_STEP) * BLOCKS_PER_STEP)
    start, stop = _milliseconds(feed, 20), _milliseconds(feed, 28)
    densities[start:stop] += np.float32(added)
    feed.push(densities)
    (region,) = feed.regions
    assert region.settled
    assert region.start <= (n_before + start) * feed.n_fft
    assert region.stop >= (n_before + stop) * feed.n_fft
    assert (region.own_start, region.own_stop) == (region.start, region.stop)
    assert region.stop - region.start < 2 * (stop - start) * feed.n_fft
    assert region.noise_density == pytest.approx(1.0, rel=0.1)
    assert region.excess == pytest.approx(1 + added, rel=0.35)


def test_a_click_goes_no_further() -> None:
    feed = _Feed()
    feed.settle()
    densities = feed.blocks(-(-_milliseconds(feed, 60) // BLOCKS_PER_STEP) * BLOCKS_PER_STEP)
    densities[100:104] += np.float32(1e4)  # 0.2 ms; the shortest burst of T and C lasts 1.6 ms
    feed.push(densities)
    assert feed.regions == []


def test_a_long_region_is_split_so_that_every_frame_is_whole_in_one_part() -> None:
    feed = _Feed()
    feed.settle()
    n_blocks = -(-_milliseconds(feed, 200) // BLOCKS_PER_STEP) * BLOCKS_PER_STEP
    feed.push(feed.blocks(n_blocks, added=50.0))
    feed.push(feed.blocks(n_blocks))
    parts = feed.regions
    assert len(parts) >= 3
    longest = T_CHANNEL.longest_burst_s * RATE_HZ
    header = T_CHANNEL.longest_header_s * RATE_HZ
    for before, behind in pairwise(parts):
        assert behind.own_start == before.own_stop  # every sync belongs to one part
        assert behind.own_start - behind.start >= header  # with the preamble before it
        assert before.stop - before.own_stop >= longest  # and the longest frame behind it
    assert all(part.stop - part.start <= feed.gate.keep_samples for part in parts)


def test_an_open_region_is_closed_at_the_end() -> None:
    feed = _Feed()
    feed.settle()
    assert feed.gate.flush(10**9) == []
    feed.push(feed.blocks(BLOCKS_PER_STEP, added=50.0))
    assert feed.gate.open_since_sample is not None
    (region,) = feed.gate.flush(end=123_456_789)
    assert region.stop == region.own_stop == 123_456_789
    assert feed.gate.open_since_sample is None
    assert feed.gate.flush(10**9) == []


def test_silence_is_skimmed_and_learnt_from() -> None:
    feed = _Feed(seed=3)
    assert not feed.gate.is_at_rest
    feed.settle()
    skimmed = 0
    for _ in range(400):  # half as strong as before
        densities = 0.5 * feed.blocks(BLOCKS_PER_STEP)
        before = feed.gate._block
        if feed.gate.is_at_rest and feed.gate.is_silent(densities[::2]):
            feed.gate.skim(densities[::2])
            skimmed += 1
        else:
            feed.push(densities)
        assert feed.gate._block == before + BLOCKS_PER_STEP
    assert skimmed > 320  # these energies vary more than those of noise
    assert feed.gate.noise_density == pytest.approx(0.5, rel=0.05)


def test_means_of_skimmed_blocks_reach_back() -> None:
    # what stands at the end of a step is still in the next one's means; the floor is 1
    feed = _Feed(seed=5)
    feed.settle()
    smooth = feed.gate._smooth
    quiet = np.ones(BLOCKS_PER_STEP // 2, dtype=np.float32)
    before = np.ones(BLOCKS_PER_STEP // 2, dtype=np.float32)
    before[-1] = 1.0 + np.float32(0.45 * smooth * (feed.gate._threshold - 1.0))
    assert feed.gate.is_silent(before)  # two blocks of smooth ones: 0.9 of the threshold
    feed.gate.skim(before)
    tail = feed.gate._tail
    np.testing.assert_array_equal(tail, np.repeat(before, 2)[-(smooth - 1) :])
    assert feed.gate.is_silent(quiet)
    quiet[0] = before[-1]
    assert smooth < 4 or not feed.gate.is_silent(quiet)


def test_a_weak_burst_is_not_skimmed() -> None:
    # 1.35 times the noise in the channel's band: T at Ec/N0 = 6.6 dB; the shortest frame.
    feed = _Feed(seed=4)
    feed.settle()
    shortest = int(T_CHANNEL.shortest_burst_s * RATE_HZ / feed.n_fft)
    for first in range(0, BLOCKS_PER_STEP - shortest, 7):
        densities = feed.blocks(BLOCKS_PER_STEP)
        densities[first : first + shortest] *= np.float32(2.35)
        assert not feed.gate.is_silent(densities[::2])


@pytest.mark.parametrize("name", ["S2 M2O", "T M2O", "C M2O", "C2 O2M", "R2", "Na", "Nc", "N2g", "F2"])
def test_weak_bursts_open_the_gate(name: str) -> None:
    # 8 frames of 20 bytes at 8 dB: all of them, from the sync pattern to the last byte.
    rng = np.random.default_rng(5)
    row = BY_NAME[name]
    air = narrow_air(row)
    (channel,) = row_plan(row, air).channels
    meter = EnergyMeter((channel,), air.sample_rate_hz, air.center_hz)
    gate = Gate(channel, air.sample_rate_hz, meter.n_fft, meter.n_bins(0))
    samples_per_chip = air.sample_rate_hz / row.chip_rate_hz
    known = len(channel.pattern) + max(len(variant.continuation) for variant in channel.variants)
    spare = max(0, row.header_chips - known) * samples_per_chip

    def push(samples: ComplexArray) -> list[Region]:
        steps = range(0, samples.size, meter.step_samples)
        parts = [meter.measure(samples[start : start + meter.step_samples])[0] for start in steps]
        return [region for densities in parts for region in gate.push(densities)]

    for _ in range(8):  # until the floor is known
        n_steps = -(-int(channel.longest_burst_s * air.sample_rate_hz) // meter.step_samples)
        push(radio.noise(n_steps * meter.step_samples, NOISE_POWER, rng))
    for _ in range(8):
        burst = on_air(link.add_crcs(random_frame(rng, 20), "A"), row, "A", air, rng, ec_n0_db=8)
        n_steps = -(-(burst.size + 20_000) // meter.step_samples) + 6
        first = gate._block * meter.n_fft + 10_000
        regions = push(place_in_noise([(10_000, burst)], n_steps * meter.step_samples, rng))
        assert any(
            region.start <= first + spare and first + burst.size - 12 * samples_per_chip <= region.stop
            for region in regions
        )


def test_narrow_bursts_that_hardly_pause_open_the_gate() -> None:
    # R2 with the tuner on its carrier: a tone may lie at 0 Hz; 9 of 30 frames came through once
    conditions = nominal("R2", "A")
    tally = run_batch(Batch(conditions, 9.0, 16, seed=1, number=0), {"default": {}})["default"]
    assert tally.heard >= 15
