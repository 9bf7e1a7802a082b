"""Line codes against the tables and examples printed for EN 13757-4."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.arrays import ChipArray, FloatArray
from dsp.line_code import coded_bits_per_byte, decode, encode, likeness, violations
from dsp.modes import LineCode

# nibble: six chips, as printed
THREE_OF_SIX = """
0 010110  4 011100  8 101100  C 110100
1 001101  5 011001  9 100101  D 110001
2 001110  6 011010  A 100110  E 110010
3 001011  7 010011  B 100011  F 101001
"""
# nibble: eight chips as two hex digits, as printed
MANCHESTER = "0:AA 1:A9 2:A6 3:A5 4:9A 5:99 6:96 7:95 8:6A 9:69 A:66 B:65 C:5A D:59 E:56 F:55"

every_code = pytest.mark.parametrize("code", LineCode)


def _chips(text: str) -> ChipArray:
    return np.array([int(chip) for chip in text], dtype=np.uint8)


def _hex_chips(text: str) -> ChipArray:
    return _chips(f"{int(text, 16):0{4 * len(text)}b}")


def _soft(chips: ChipArray, size: float = 1.0) -> FloatArray:
    return (size * (2.0 * chips - 1.0)).astype(np.float32)


def test_three_of_six_words_as_printed() -> None:
    parts = THREE_OF_SIX.split()
    printed = dict(zip(parts[0::2], parts[1::2], strict=True))
    assert len(printed) == 16
    for nibble, word in printed.items():
        np.testing.assert_array_equal(
            encode(bytes([int(nibble, 16)]), LineCode.THREE_OF_SIX), _chips(printed["0"] + word)
        )


def test_manchester_nibbles_as_printed() -> None:
    for entry in MANCHESTER.split():
        nibble, chips = entry.split(":")
        np.testing.assert_array_equal(
            encode(bytes([int(nibble, 16)]), LineCode.MANCHESTER), _hex_chips("AA" + chips)
        )


@pytest.mark.parametrize(
    ("data", "code", "chips"),
    [
        ("2E", LineCode.MANCHESTER, "A656"),
        ("2E44", LineCode.THREE_OF_SIX, "3B271C"),
        ("2E44", LineCode.NRZ, "2E44"),
    ],
)
def test_printed_examples_both_ways(data: str, code: LineCode, chips: str) -> None:
    encoded = encode(bytes.fromhex(data), code)
    np.testing.assert_array_equal(encoded, _hex_chips(chips))
    assert encoded.dtype == np.uint8
    assert decode(_soft(encoded), code) == bytes.fromhex(data)


@every_code
def test_all_bytes_round_trip_without_violations(code: LineCode) -> None:
    data = bytes(range(256))
    chips = encode(data, code)
    assert chips.size == 256 * coded_bits_per_byte(code)
    assert decode(_soft(chips, 1e-6), code) == data
    assert violations(_soft(chips), code) == 0


def test_chips_per_byte() -> None:
    assert [coded_bits_per_byte(code) for code in LineCode] == [8, 16, 12]


@every_code
def test_half_bytes_are_ignored_and_nothing_gives_nothing(code: LineCode) -> None:
    chips = _soft(encode(b"\x5a\xa5", code))
    assert decode(chips[:-1], code) == b"\x5a"
    assert decode(chips[:0], code) == b""
    assert encode(b"", code).size == 0
    assert violations(chips[:0], code) == 0


def test_certain_chips_outvote_a_doubtful_one() -> None:
    for code in (LineCode.MANCHESTER, LineCode.THREE_OF_SIX):
        soft = _soft(encode(b"\x2e\x44", code))
        for place in range(soft.size):
            damaged = soft.copy()
            damaged[place] *= np.float32(-0.2)  # cut to a hard chip it would be wrong
            assert decode(damaged, code) == b"\x2e\x44"
            assert violations(damaged, code) == 1


def test_unused_words_of_weight_three_are_violations() -> None:
    # printed: 000111, 010101, 101010 and 111000 are no code words
    for word in ("000111", "010101", "101010", "111000", "000000", "111111"):
        assert violations(_soft(_chips("010110" + word)), LineCode.THREE_OF_SIX) == 1
    for pair in ("00", "11"):
        assert violations(_soft(_chips("10" * 7 + pair)), LineCode.MANCHESTER) == 1


def test_longest_run_in_three_of_six_is_four() -> None:
    data = bytes(a << 4 | b for a in range(16) for b in range(16))
    text = "".join(map(str, encode(data, LineCode.THREE_OF_SIX)))
    assert "0000" in text
    assert "00000" not in text and "11111" not in text


def test_likeness_to_code_words() -> None:
    rng = np.random.default_rng(9)
    noise = rng.normal(size=12_000).astype(np.float32)
    for code in (LineCode.THREE_OF_SIX, LineCode.MANCHESTER):
        clean = _soft(encode(rng.bytes(500), code))
        assert likeness(clean, code) == pytest.approx(1.0)
        assert likeness(noise, code) < 0.87
        # chips of a fifth of their size turned over
        damaged = np.where(np.arange(clean.size) % 10 == 3, np.float32(-0.2) * clean, clean)
        assert 0.9 < likeness(damaged, code) < 1.0
    assert likeness(noise, LineCode.NRZ) == 1.0
