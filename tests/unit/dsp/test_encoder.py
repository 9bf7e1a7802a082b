"""Whole bursts, chip by chip, against the printed header, sync word and code tables."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.arrays import FloatArray
from dsp.encoder import chip_string, count_chips, encode_levels
from dsp.modes import BY_NAME, MODES, FrameFormat, PhyMode, Postamble

FRAME = bytes.fromhex("2E44")


def _text(levels: FloatArray) -> str:
    assert levels.dtype == np.float32
    assert set(np.unique(levels)) <= {-1.0, 1.0}
    return "".join("1" if level > 0 else "0" for level in levels)


def _bits(hex_text: str) -> str:
    return f"{int(hex_text, 16):0{4 * len(hex_text)}b}"


@pytest.mark.parametrize(
    ("name", "frame_format", "chips"),
    [
        # preamble, sync word, coded 2E44, postamble: each as printed
        ("S1 M2O", "A", "01" * 279 + "000111011010010110" + _bits("A656") + _bits("9A9A") + "0101"),
        ("S2 O2M", "A", "01" * 15 + "000111011010010110" + _bits("A656") + _bits("9A9A") + "0101"),
        ("T2 O2M", "A", "01" * 15 + "000111011010010110" + _bits("A656") + _bits("9A9A") + "0101"),
        ("T M2O", "A", "01" * 19 + "0000111101" + _bits("3B271C") + "1010"),
        ("C M2O", "A", "01" * 16 + _bits("543D54CD") + _bits("2E44")),
        ("C M2O", "B", "01" * 16 + _bits("543D543D") + _bits("2E44")),
        ("C2 O2M", "A", "01" * 16 + _bits("543D54CD") + _bits("2E44")),
        ("C2 O2M", "B", "01" * 16 + _bits("543D543D") + _bits("2E44")),
        ("R2", "A", "01" * 39 + "000111011010010110" + _bits("A656") + _bits("9A9A") + "0101"),
        ("Na", "A", "01" * 8 + _bits("F68D") + _bits("2E44")),
        ("Nc", "B", "01" * 8 + _bits("F672") + _bits("2E44")),
        ("F2", "A", "01" * 39 + _bits("F68D") + _bits("2E44")),
        ("F2", "B", "01" * 39 + _bits("F672") + _bits("2E44")),
    ],
)
def test_burst_as_printed(name: str, frame_format: FrameFormat, chips: str) -> None:
    assert _text(encode_levels(FRAME, BY_NAME[name], frame_format)) == chips


@pytest.mark.parametrize(("frame_format", "expanded"), [("A", 0xFF7DD5F7), ("B", 0xFF7D7F5D)])
def test_n2g_sends_header_in_outer_and_data_in_all_symbols(frame_format: FrameFormat, expanded: int) -> None:
    levels = encode_levels(FRAME, BY_NAME["N2g"], frame_format)
    # dibit of each level: 11 upper outer, 10 upper inner, 00 lower inner, 01 lower outer
    dibits = {3: "11", 1: "10", -1: "00", -3: "01"}
    bits = "".join(dibits[round(3 * float(level))] for level in levels)
    assert bits == "0111" * 8 + f"{expanded:032b}" + _bits("2E44")


def test_t_postamble_starts_with_the_complement_of_the_last_chip() -> None:
    row = BY_NAME["T M2O"]
    for data, trailer in ((b"\x01", "0101"), (b"\x00", "1010")):  # words 001101 and 010110 end so
        text = _text(encode_levels(data, row, "A"))
        assert text[-5] != trailer[0]
        assert text[-4:] == trailer


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_lengths_of_preamble_and_postamble(row: PhyMode) -> None:
    data = bytes(range(30))
    has_postamble = row.postamble is not Postamble.NONE
    for frame_format in row.frame_formats:
        levels = encode_levels(data, row, frame_format)
        least, most = row.postamble_chips
        trailer = levels.size - row.header_chips - 30 * row.chips_per_byte
        assert least <= trailer <= most
        assert count_chips(30, row, frame_format) == (levels.size - trailer, levels.size)

        longer = encode_levels(
            data, row, frame_format, preamble_pairs=row.preamble_pairs + 7, postamble_chips=8
        )
        assert longer.size == levels.size + 14 + (4 if has_postamble else 0)
        np.testing.assert_array_equal(longer[14 : 14 + levels.size], levels)
        to_frame_end, whole = count_chips(
            30, row, frame_format, preamble_pairs=row.preamble_pairs + 7, postamble_chips=8
        )
        assert (to_frame_end, whole) == (levels.size - trailer + 14, longer.size)


def test_impossible_bursts_are_refused() -> None:
    with pytest.raises(ValueError, match="T M2O has no frame format B"):
        encode_levels(FRAME, BY_NAME["T M2O"], "B")
    with pytest.raises(ValueError, match="empty"):
        encode_levels(b"", BY_NAME["T M2O"], "A")


def test_chip_string() -> None:
    chips = chip_string("0110")
    assert chips.dtype == np.uint8
    assert chips.tolist() == [0, 1, 1, 0]
