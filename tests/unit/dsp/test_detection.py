"""From a locked clock to the bits of a frame: what a clock that slips does to a sequence."""

from __future__ import annotations

import numpy as np
import pytest
from support import in_baseband, sent_raw

from dsp import line_code
from dsp.chip_detector import ChipClock, ChipDetector
from dsp.detection import Detected, Detectors
from dsp.hit_reader import HitReader
from dsp.modes import BY_NAME, LineCode
from dsp.modulator import Impairments
from dsp.sync_search import SyncSearch
from sdr.receiver import LinkRules

ROW = BY_NAME["C M2O"]


def _as_sequence(raw: bytes, slip_chips: float) -> Detected:
    """Detect a frame whose clock begins so many chips behind the sync pattern."""
    burst = in_baseband(ROW, "B", np.random.default_rng(1), raw=raw)
    variant = next(v for v in burst.channel.variants if v.row is ROW and v.frame_format == "B")
    period = float(burst.channel.samples_per_chip)
    clock = ChipClock(burst.pattern_start(period) + slip_chips * period, period)
    tones_hz = (-ROW.deviation.typical_hz, ROW.deviation.typical_hz)
    track = ChipDetector(burst.channel).follow(burst.samples, clock, tones_hz)
    *_, detect = Detectors(burst.channel).of(burst.samples, variant, track)
    return detect(len(raw))


@pytest.mark.parametrize("slip", [0, 1, -1, 2, -3])
def test_a_sequence_is_put_back_where_its_pattern_lies(slip: int) -> None:
    raw = sent_raw(np.random.default_rng(2), 40, "B")
    found = _as_sequence(raw, slip)
    assert line_code.decode(found.bits, LineCode.NRZ) == raw
    assert found.repairable


def test_what_does_not_begin_with_its_pattern_is_not_repaired() -> None:
    assert not _as_sequence(sent_raw(np.random.default_rng(3), 40, "B"), 20).repairable


@pytest.mark.parametrize(
    ("frame_format", "begins", "expected"), [("A", 0, True), ("B", -16, False), ("B", 0, False)]
)
def test_a_frame_of_format_a_is_not_repaired_as_format_b(
    frame_format: str, begins: int, expected: bool
) -> None:
    # both sync words of mode C hold 543D: 16 chips early, but 4 chips of format B's pattern are wrong
    row = BY_NAME["C2 O2M"]
    rng = np.random.default_rng(6)
    burst = in_baseband(row, "A", rng, raw=sent_raw(rng, 60, "A"), ec_n0_db=12.0)
    variant = next(v for v in burst.channel.variants if v.row is row and v.frame_format == frame_format)
    period = float(burst.channel.samples_per_chip)
    clock = ChipClock(burst.pattern_start(period) + begins * period, period)
    deviation_hz = row.deviation.typical_hz
    track = ChipDetector(burst.channel).follow(burst.samples, clock, (-deviation_hz, deviation_hz))
    *_, detect = Detectors(burst.channel).of(burst.samples, variant, track)
    assert detect(24).repairable == expected


def test_a_steady_transmitter_keeps_its_clock_beside_others_that_do_not() -> None:
    # the channel's clock follows T's 12 %: here it slipped by up to ten chips in six of 40 frames
    impairments = Impairments(deviation_hz=ROW.deviation.min_hz)
    tones_hz = (-ROW.deviation.min_hz, ROW.deviation.min_hz)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        burst = in_baseband(ROW, "A", rng, ec_n0_db=7.0, raw=sent_raw(rng, 60, "A"), impairments=impairments)
        n = float(burst.channel.samples_per_chip)
        start = burst.pattern_start(n)
        # a pattern of 28 chips tells the rate no better than to 2 %
        locked = ChipClock(start - 14 * 0.02 * n, 1.02 * n)
        variant = next(v for v in burst.channel.variants if v.row is ROW and v.frame_format == "A")
        track = ChipDetector(burst.channel).follow(burst.samples, locked, tones_hz)
        detect = next(Detectors(burst.channel).of(burst.samples, variant, track))
        starts = detect(len(sent_raw(rng, 60, "A"))).chips.starts
        assert abs(starts[-1] - (start + n * (starts.size - 1))) < 0.4 * n


def test_frames_of_f_in_noise_are_not_given_up_for_a_phase_that_hardly_goes_on() -> None:
    # 60 frames at 8.3 dB: 49 are read; 47 where 0.7 was asked of the coherence of their first bytes
    read = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        raw = sent_raw(rng, 40, "A")
        burst = in_baseband(BY_NAME["F2"], "A", rng, ec_n0_db=8.3, raw=raw)
        hits = SyncSearch(burst.channel).find(burst.samples)
        read += bool(hits) and HitReader(burst.channel, LinkRules()).read(burst.samples, hits[0]).raw == raw
    assert read >= 48
