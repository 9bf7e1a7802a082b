"""Soft chips: lock on the pattern, follow the clock, measure tones, find the preamble's start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import InBaseband, carrier_error_hz, in_baseband, sent_raw

from dsp.chip_detector import MOST_AGAINST, ChipClock, ChipDetector, SoftChips, Track
from dsp.modes import BY_NAME, PhyMode
from dsp.modulator import Impairments, chip_edges_s
from dsp.sync_search import SyncSearch

ROWS = [BY_NAME[name] for name in ("S2 M2O", "T M2O", "C M2O", "C2 O2M", "R2", "Na", "Nc", "F2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
T = BY_NAME["T M2O"]


def _lock(burst: InBaseband) -> tuple[ChipDetector, Track]:
    detector = ChipDetector(burst.channel)
    track = detector.lock(burst.samples, SyncSearch(burst.channel).find(burst.samples)[0])
    assert track is not None
    return detector, track


def _detect(burst: InBaseband, n_chips: int | None = None) -> SoftChips:
    _, track = _lock(burst)
    period = track.clock.period
    first = round((burst.pattern_start(period) - burst.start) / period)
    return track.chips(burst.levels.size - first if n_chips is None else n_chips)


def _sent(burst: InBaseband, n_chips: int) -> np.ndarray:
    first = burst.levels.size - n_chips
    return burst.levels[first:] > 0


@pytest.mark.parametrize("name", ["T M2O", "C M2O", "S2 M2O"])
@pytest.mark.parametrize("off_chips", [-4, -2, 2, 4])
def test_a_hit_a_few_chips_beside_the_pattern_is_put_right(name: str, off_chips: int) -> None:
    # The preamble looks like itself two chips on; with a wrong rate, even a little better.
    burst = in_baseband(BY_NAME[name], "A", np.random.default_rng(4), ec_n0_db=12)
    hit = SyncSearch(burst.channel).find(burst.samples)[0]
    period = float(burst.channel.samples_per_chip)
    # which never stands out as clearly as the pattern itself
    beside = replace(hit, start=hit.start + off_chips * round(period), metric=min(hit.metric, 0.7))
    track = ChipDetector(burst.channel).lock(burst.samples, beside)
    assert track is not None
    assert abs(track.clock.start - burst.pattern_start(period)) < 0.3 * period


@pytest.mark.parametrize("name", ["T M2O", "C M2O", "S2 M2O"])
def test_of_what_the_search_finds_in_a_clear_frame_nearly_all_but_the_pattern_is_given_up(name: str) -> None:
    # of 20 frames at 20 dB the search takes 282 to 541 stretches of preamble and data for a pattern
    likenesses = given_up = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        burst = in_baseband(BY_NAME[name], "A", rng, ec_n0_db=20, raw=sent_raw(rng, 60, "A"))
        detector = ChipDetector(burst.channel)
        pattern, *others = SyncSearch(burst.channel).find(burst.samples)
        assert detector.lock(burst.samples, pattern, most_against=MOST_AGAINST) is not None
        for hit in others:
            likenesses += 1
            given_up += detector.lock(burst.samples, hit, most_against=MOST_AGAINST) is None
    assert likenesses > 50 and given_up > 0.85 * likenesses


def test_a_weak_pattern_does_not_displace_what_follows() -> None:
    # At Ec/N0 = 7 dB the rate of 36 chips errs by 1 %; followed from there, 1 clock in 30 slipped.
    rng = np.random.default_rng(5)
    displaced = found = 0
    for _ in range(60):
        burst = in_baseband(T, "A", rng, ec_n0_db=7, raw=sent_raw(rng, 30, "A"))
        period = float(burst.channel.samples_per_chip)
        place = burst.pattern_start(period)
        hits = SyncSearch(burst.channel).find(burst.samples)
        hit = min(hits, key=lambda hit: abs(hit.start - place))
        detector = ChipDetector(burst.channel)
        track = detector.lock(burst.samples, hit)
        if track is not None and abs(hit.start - place) < 3 * period:
            chips = track.chips(300)
            found += 1
            displaced += abs(chips.starts[-1] - place - 299 * period) > 0.5 * period
    assert found > 50 and displaced <= 1


@every_row
@pytest.mark.parametrize("inverted", [False, True], ids=["upright", "inverted"])
def test_lock_refines_clock_and_tones(row: PhyMode, inverted: bool) -> None:
    rng = np.random.default_rng(2)
    for sign in (-1, 1):
        impairments = Impairments(
            carrier_offset_hz=sign * 0.7 * carrier_error_hz(row),
            chip_rate_error=sign * 0.8 * row.rx_chip_rate_tolerance,
        )
        burst = in_baseband(row, "A", rng, impairments=impairments, inverted=inverted, ec_n0_db=24)
        _, track = _lock(burst)
        clock, low_hz, high_hz = track.clock, track.low_hz, track.high_hz
        n = burst.channel.samples_per_chip
        period = n / (1 + impairments.chip_rate_error)
        middle = len(burst.channel.pattern) / 2
        expected = burst.pattern_start(period) + middle * period
        assert clock.start + middle * clock.period == pytest.approx(expected, abs=0.12 * n)
        assert clock.period == pytest.approx(period, rel=0.01)
        assert (low_hz + high_hz) / 2 == pytest.approx(
            impairments.carrier_offset_hz, abs=0.2 * row.chip_rate_hz
        )
        assert (high_hz < low_hz) is inverted


@every_row
def test_chips_have_the_signs_that_were_sent(row: PhyMode) -> None:
    rng = np.random.default_rng(3)
    for rate in (-1, 0, 1):
        for inverted in (False, True):
            impairments = Impairments(chip_rate_error=rate * row.rx_chip_rate_tolerance)
            burst = in_baseband(row, "A", rng, impairments=impairments, inverted=inverted, ec_n0_db=20)
            chips = _detect(burst)
            sent = _sent(burst, chips.values.size)
            assert np.count_nonzero((chips.values > 0) != (sent ^ inverted)) <= 1
            assert chips.values.dtype == np.float32 and chips.starts.size == chips.values.size


@pytest.mark.parametrize("drift", [-0.01, 0.01])
def test_the_clock_follows_a_rate_that_slides(drift: float) -> None:
    rng = np.random.default_rng(4)
    impairments = Impairments(chip_rate_error=-drift / 2, chip_rate_drift=drift)
    burst = in_baseband(T, "A", rng, impairments=impairments, raw=sent_raw(rng, 255, "A"))
    chips = _detect(burst)
    edges = burst.start + chip_edges_s(burst.levels.size, T, impairments) * burst.channel.baseband_rate_hz
    expected = edges[burst.levels.size - chips.starts.size : -1]
    error = (chips.starts - expected) / burst.channel.samples_per_chip
    assert np.abs(error[30:]).max() < 0.2
    assert np.array_equal(chips.values > 0, _sent(burst, chips.values.size))


def test_the_clock_hardly_ever_slips_on_gaussian_chips() -> None:
    # 6 dB, 1200 chips: 18 of 40 slipped when the loop stayed as wide as a clock that must be found needs it
    row = BY_NAME["S2 M2O"]
    slipped = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sent_row = replace(row, bandwidth_time=0.5)
        burst = in_baseband(row, "A", rng, sent_as=sent_row, ec_n0_db=6.0, raw=sent_raw(rng, 60, "A"))
        n = float(burst.channel.samples_per_chip)
        start = burst.pattern_start(n)
        n_chips = burst.levels.size - 4 - round((start - burst.start) / n)
        track = ChipDetector(burst.channel).follow(burst.samples, ChipClock(start, n), (-40e3, 40e3))
        chips = track.chips(n_chips)
        slipped += abs(chips.starts[-1] - start - n * (n_chips - 1)) > 0.4 * n
    assert slipped <= 4


def test_soft_values_tell_how_sure_a_chip_is() -> None:
    # 11 dB: a few chips in a hundred are wrong, and they are among the least sure.
    rng = np.random.default_rng(5)
    burst = in_baseband(T, "A", rng, ec_n0_db=9, raw=sent_raw(rng, 255, "A"))
    chips = _detect(burst)
    wrong = (chips.values > 0) != _sent(burst, chips.values.size)
    assert 0 < np.count_nonzero(wrong) < 0.1 * wrong.size
    sizes = np.abs(chips.values)
    assert sizes[wrong].mean() < 0.6 * sizes[~wrong].mean()


@every_row
def test_tones_over_a_whole_burst(row: PhyMode) -> None:
    rng = np.random.default_rng(6)
    impairments = Impairments(carrier_offset_hz=0.4 * carrier_error_hz(row))
    burst = in_baseband(row, "A", rng, impairments=impairments)
    detector, *_ = _lock(burst)
    low_hz, high_hz = detector.measure_tones(burst.samples, _detect(burst))
    assert (low_hz + high_hz) / 2 == pytest.approx(impairments.carrier_offset_hz, abs=0.02 * row.chip_rate_hz)
    tolerance = 0.03 if row.bandwidth_time is None else 0.25  # Gaussian chips seldom reach their deviation
    assert (high_hz - low_hz) / 2 == pytest.approx(row.deviation.typical_hz, rel=tolerance)


@every_row
def test_the_preamble_is_counted_back_to_its_first_chip(row: PhyMode) -> None:
    rng = np.random.default_rng(7)
    burst = in_baseband(row, "A", rng, lead_chips=80)
    detector, track = _lock(burst)
    chips = _detect(burst)
    period = float(np.mean(np.diff(chips.starts)))
    before = detector.alternating_chips_before(
        burst.samples, float(chips.starts[0]), period, (track.low_hz, track.high_hz), row.header_chips
    )
    sent = round((burst.pattern_start(period) - burst.start) / period)
    assert abs(before - sent) <= 1


def test_no_preamble_before_the_start_of_the_samples() -> None:
    burst = in_baseband(T, "A", np.random.default_rng(8), lead_chips=0)
    detector, track = _lock(burst)
    clock, tones = track.clock, (track.low_hz, track.high_hz)
    assert detector.alternating_chips_before(burst.samples, 0.0, clock.period, tones, 48) == 0
    cut = burst.samples[int(clock.start) :]
    assert detector.alternating_chips_before(cut, 0.4, clock.period, tones, 48) == 0


def test_a_burst_that_is_cut_gives_the_chips_there_are() -> None:
    burst = in_baseband(T, "A", np.random.default_rng(9))
    detector, track = _lock(burst)
    tones = (track.low_hz, track.high_hz)
    whole = track.chips(400)
    assert whole.values.size == 400
    stop = int(whole.starts[300])
    cut = detector.follow(burst.samples[:stop], track.clock, tones).chips(400)
    assert cut.values.size in (299, 300)
    np.testing.assert_allclose(cut.values[:290], whole.values[:290], rtol=1e-4)
    assert detector.follow(burst.samples[:10], track.clock, tones).chips(400).values.size == 0
