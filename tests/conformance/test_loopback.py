"""Transmit → receive over every row of MODES: tolerances, lengths, polarity, sync errors, drift.

Noise is always there: Ec/N0 18 dB (28 dB for 4-GFSK), one random frame a point, fixed seeds.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from support import (
    ROW_AND_FORMAT_IDS,
    ROWS_AND_FORMATS,
    carrier_error_hz,
    frames_of,
    loop_back,
    sent_raw,
)

from dsp.modes import BY_NAME, MODES, FrameFormat, LineCode, Modulation, PhyMode
from dsp.modulator import Impairments
from protocol import link

every_row_and_format = pytest.mark.parametrize(
    ("row", "frame_format"), ROWS_AND_FORMATS, ids=ROW_AND_FORMAT_IDS
)
every_row = pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
# Rows that differ on the air in more than their carrier.
AIR_INTERFACES = [
    (row, frame_format)
    for row in map(BY_NAME.get, ("S2 M2O", "T M2O", "C M2O", "C2 O2M", "R2", "Na", "Nc", "N2g", "F2"))
    if row is not None
    for frame_format in row.frame_formats
]
AIR_INTERFACE_IDS = [f"{row.name} {frame_format}" for row, frame_format in AIR_INTERFACES]
every_air_interface = pytest.mark.parametrize(("row", "frame_format"), AIR_INTERFACES, ids=AIR_INTERFACE_IDS)
both_polarities = pytest.mark.parametrize("inverted", [False, True], ids=["upright", "inverted"])


def _longest_l_field(frame_format: FrameFormat) -> int:
    """L-field of the longest CRC-less frame: format B counts its two CRCs in its 255."""
    return 255 if frame_format == "A" else 255 - 4


@both_polarities
@every_row_and_format
def test_tolerance_extremes(row: PhyMode, frame_format: FrameFormat, inverted: bool) -> None:
    rng = np.random.default_rng(1)
    lost: list[object] = []
    for deviation_hz in (row.deviation.min_hz, row.deviation.typical_hz, row.deviation.max_hz):
        for carrier_sign in (-1, 1):
            for rate_sign in (-1, 1):
                impairments = Impairments(
                    carrier_offset_hz=carrier_sign * carrier_error_hz(row),
                    deviation_hz=deviation_hz,
                    chip_rate_error=rate_sign * row.rx_chip_rate_tolerance,
                )
                raw = sent_raw(rng, int(rng.integers(20, 60)), frame_format)
                bursts = loop_back(raw, row, frame_format, rng, impairments=impairments, inverted=inverted)
                good = [burst for burst in bursts if burst.fault is None]
                found = [(burst.raw, burst.frame_format, burst.quality.inverted) for burst in good]
                if found != [(raw, frame_format, inverted)]:
                    lost.append((deviation_hz, carrier_sign, rate_sign))
    assert not lost


@every_row_and_format
def test_shortest_and_longest_frames(row: PhyMode, frame_format: FrameFormat) -> None:
    rng = np.random.default_rng(2)
    for l_field in (9, 10, _longest_l_field(frame_format)):
        raw = sent_raw(rng, l_field, frame_format)
        bursts = loop_back(raw, row, frame_format, rng, pad_s=0.7)
        assert frames_of(bursts) == [raw], f"L-field {l_field}"
    assert raw[0] == 255  # on air, in both formats


@every_row_and_format
def test_longest_frame_right_at_the_start_of_a_recording(row: PhyMode, frame_format: FrameFormat) -> None:
    rng = np.random.default_rng(12)
    raw = sent_raw(rng, _longest_l_field(frame_format), frame_format)
    assert frames_of(loop_back(raw, row, frame_format, rng, pad_s=0.004)) == [raw]


@every_air_interface
def test_longer_preambles(row: PhyMode, frame_format: FrameFormat) -> None:
    rng = np.random.default_rng(3)
    for pairs in (row.preamble_pairs + 1, 100, 279, 400):
        raw = sent_raw(rng, 25, frame_format)
        bursts = loop_back(raw, row, frame_format, rng, pad_s=0.7, preamble_pairs=pairs)
        assert frames_of(bursts) == [raw], f"{pairs} pairs"


@every_air_interface
def test_any_wrong_chip_in_the_sync_word(row: PhyMode, frame_format: FrameFormat) -> None:
    places = [(place,) for place in range(len(row.sync_words[frame_format]))]
    assert _lost_with_wrong_sync_chips(row, frame_format, places) == []


@every_air_interface
def test_two_wrong_chips_in_the_sync_word(row: PhyMode, frame_format: FrameFormat) -> None:
    # 30 of the possible pairs; five may be lost, as some make the sync word like its neighbourhood.
    pairs = list(combinations(range(len(row.sync_words[frame_format])), 2))
    chosen = np.random.default_rng(14).choice(len(pairs), 30, replace=False)
    lost = _lost_with_wrong_sync_chips(row, frame_format, [pairs[i] for i in chosen])
    assert len(lost) <= 5, lost


def _lost_with_wrong_sync_chips(
    row: PhyMode, frame_format: FrameFormat, places: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(4)
    lost = []
    for wrong in places:
        raw = sent_raw(rng, 20, frame_format)
        chips = tuple(2 * row.preamble_pairs + place for place in wrong)
        bursts = loop_back(raw, row, frame_format, rng, wrong_chips=chips)
        if frames_of(bursts) != [raw]:
            lost.append(wrong)
    return lost


@pytest.mark.parametrize("drift", [-0.01, -0.0072, 0.0072, 0.01])
@pytest.mark.parametrize("name", ["T M2O", "T M2O 433"])
def test_chip_rate_that_slides_one_percent_within_a_frame(name: str, drift: float) -> None:
    # A common T meter slides from +2600 to -4600 ppm within 6 ms.
    rng = np.random.default_rng(5)
    for l_field in (30, 60, 255):
        impairments = Impairments(chip_rate_error=-drift / 2, chip_rate_drift=drift)
        raw = sent_raw(rng, l_field, "A")
        bursts = loop_back(raw, BY_NAME[name], "A", rng, impairments=impairments)
        assert frames_of(bursts) == [raw], f"L-field {l_field}"


@every_row
def test_carrier_that_drifts_within_a_frame(row: PhyMode) -> None:
    # An eighth of the chip rate from first to last chip, either way; 100 Hz for 4-GFSK.
    rng = np.random.default_rng(6)
    raw = sent_raw(rng, 30, "A")
    duration_s = (row.header_chips + len(raw) * row.chips_per_byte) / row.chip_rate_hz
    drift_hz = row.chip_rate_hz / (96 if row.modulation is Modulation.GFSK4 else 8)
    for sign in (-1, 1):
        impairments = Impairments(
            carrier_offset_hz=-sign * drift_hz / 2,
            carrier_drift_hz_per_s=sign * drift_hz / duration_s,
        )
        assert frames_of(loop_back(raw, row, "A", rng, impairments=impairments)) == [raw]


@every_air_interface
def test_contents_that_starve_the_clock_or_look_like_a_header(
    row: PhyMode, frame_format: FrameFormat
) -> None:
    rng = np.random.default_rng(7)
    for fill in (b"\x00", b"\xff", b"\x55", b"\xaa", b"\x0f", b"\x54\x3d"):
        raw = link.add_crcs(bytes([60, 0x44, 0x93, 0x15]) + (fill * 57)[:57], frame_format)
        assert frames_of(loop_back(raw, row, frame_format, rng, pad_s=0.5)) == [raw], fill.hex()


def test_every_line_code_and_modulation_is_among_the_rows() -> None:
    assert {row.line_code for row in MODES} == set(LineCode)
    assert {row.modulation for row in MODES} == set(Modulation)
