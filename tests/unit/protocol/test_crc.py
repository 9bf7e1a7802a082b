"""Values from OMS Vol. 2 Annex N frames and the check value of the CRC catalogue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.crc import crc16, crc_bytes, crc_fits

ANNEX_N_BLOCKS = [
    ("2E449315785634123303", 0x3363),
    ("7A2A0020255923C95AAA26D1B2E7493B", 0xC2AD),
    ("013EC4A6F6D3529B520EDFF0EA6DEFC9", 0x55B2),
    ("9D6D69EBF3", 0xEC8A),
    ("43449315785634123303", 0x7AC9),
    ("217B3A63665544330A31", 0x5D17),
    ("19479344443322115537", 0x3572),
    ("19063A63665544330A31", 0x9072),
    ("19403A63998877660C31", 0x9BB7),
]


def test_check_value() -> None:
    assert crc16(b"123456789") == 0xC2B7


@pytest.mark.parametrize(("block", "crc"), ANNEX_N_BLOCKS)
def test_blocks_of_annex_n(block: str, crc: int) -> None:
    assert crc16(bytes.fromhex(block)) == crc
    assert crc_bytes(bytes.fromhex(block)) == crc.to_bytes(2, "big")


def bitwise(data: bytes) -> int:
    register = 0
    for byte in data:
        for bit in range(7, -1, -1):
            feedback = (register >> 15 ^ byte >> bit) & 1
            register = (register << 1 & 0xFFFF) ^ (0x3D65 if feedback else 0)
    return register ^ 0xFFFF


@pytest.mark.parametrize("length", [0, 1, 2, 3, 15, 16, 255, 256, 318, 319, 320, 321, 1001])
def test_equals_the_bitwise_division(length: int) -> None:
    data = bytes((index * 73 + 41) & 0xFF for index in range(length))
    assert crc16(data) == bitwise(data)


@given(st.binary(max_size=300))
def test_code_words(data: bytes) -> None:
    code_word = data + crc_bytes(data)
    assert crc_fits(code_word)
    for bit in range(0, 8 * len(code_word), 7):
        altered = bytearray(code_word)
        altered[bit // 8] ^= 1 << bit % 8
        assert not crc_fits(bytes(altered))
