"""Frames of OMS Vol. 2 Annex N (format A) and the CRCs recomputed from them for format B."""

import pytest

from protocol.errors import CrcMismatch, Incomplete, InvalidField
from protocol.link import FrameFormat, add_crcs, air_length, bad_blocks, strip_crcs

GAS_A = bytes.fromhex(
    "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493BC2AD"
    "013EC4A6F6D3529B520EDFF0EA6DEFC955B29D6D69EBF3EC8A"
)
GAS = bytes.fromhex(
    "2E4493157856341233037A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
)


def frame_of(l_field: int) -> bytes:
    return bytes((l_field, 0x44)) + bytes(range(l_field - 1))


def test_format_a_of_the_gas_meter() -> None:
    assert air_length(0x2E, "A") == len(GAS_A) == 55
    assert strip_crcs(GAS_A, "A") == GAS
    assert add_crcs(GAS, "A") == GAS_A


def test_format_b_of_the_gas_meter() -> None:
    raw = add_crcs(GAS, "B")
    assert raw[0] == 0x30
    assert raw[-2:].hex() == "b853"
    assert strip_crcs(raw, "B") == GAS


def test_bytes_after_the_frame_are_ignored() -> None:
    assert strip_crcs(GAS_A + b"\xaa\x55", "A") == GAS


@pytest.mark.parametrize(
    ("position", "block"), [(0x01, 1), (0x0B, 1), (0x0C, 2), (0x1D, 2), (0x1E, 3), (0x35, 4), (0x36, 4)]
)
def test_an_altered_byte_names_its_block_in_format_a(position: int, block: int) -> None:
    raw = bytearray(GAS_A)
    raw[position] ^= 0x10
    assert bad_blocks(bytes(raw), "A") == (block,)
    with pytest.raises(CrcMismatch) as caught:
        strip_crcs(bytes(raw), "A")
    assert caught.value.block == block


@pytest.mark.parametrize(("position", "block"), [(1, 2), (127, 2), (128, 3), (199, 3)])
def test_an_altered_byte_names_its_block_in_format_b(position: int, block: int) -> None:
    raw = bytearray(add_crcs(frame_of(195), "B"))
    assert len(raw) == 200
    raw[position] ^= 0x01
    assert bad_blocks(bytes(raw), "B") == (block,)


def test_all_bad_blocks_are_named() -> None:
    raw = bytearray(GAS_A)
    for position in (1, 20, 54):
        raw[position] ^= 0xFF
    assert bad_blocks(bytes(raw), "A") == (1, 2, 4)


@pytest.mark.parametrize(
    ("l_field", "on_air"), [(9, 12), (10, 15), (25, 30), (26, 33), (41, 48), (42, 51), (255, 290)]
)
def test_air_length_of_format_a(l_field: int, on_air: int) -> None:
    assert air_length(l_field, "A") == on_air


@pytest.mark.parametrize(("l_field", "on_air"), [(11, 12), (127, 128), (130, 131), (255, 256)])
def test_air_length_of_format_b(l_field: int, on_air: int) -> None:
    assert air_length(l_field, "B") == on_air


@pytest.mark.parametrize(
    ("l_field", "frame_format"),
    [(0, "A"), (8, "A"), (256, "A"), (-1, "A"), (10, "B"), (128, "B"), (129, "B"), (256, "B")],
)
def test_impossible_l_fields(l_field: int, frame_format: FrameFormat) -> None:
    with pytest.raises(InvalidField) as caught:
        air_length(l_field, frame_format)
    assert (caught.value.layer, caught.value.reason) == ("link", "length_invalid")


@pytest.mark.parametrize("frame_format", ["A", "B"])
def test_every_length_makes_the_round_trip(frame_format: FrameFormat) -> None:
    for l_field in range(9, 256 if frame_format == "A" else 252):
        raw = add_crcs(frame_of(l_field), frame_format)
        assert len(raw) == air_length(raw[0], frame_format)
        assert bad_blocks(raw, frame_format) == ()
        assert strip_crcs(raw, frame_format) == frame_of(l_field)


def test_third_block_of_format_b_starts_when_the_second_is_full() -> None:
    assert add_crcs(frame_of(125), "B")[0] == 127
    assert add_crcs(frame_of(126), "B")[0] == 130


@pytest.mark.parametrize("l_field", [252, 255])
def test_format_b_holds_no_longer_frames(l_field: int) -> None:
    with pytest.raises(InvalidField):
        add_crcs(frame_of(l_field), "B")


@pytest.mark.parametrize("frame", [b"", GAS[:-1], GAS + b"\x00"])
def test_add_crcs_wants_the_bytes_that_the_l_field_counts(frame: bytes) -> None:
    with pytest.raises(InvalidField):
        add_crcs(frame, "A")


@pytest.mark.parametrize("length", range(len(GAS_A)))
def test_a_cut_frame_is_incomplete(length: int) -> None:
    with pytest.raises(Incomplete):
        strip_crcs(GAS_A[:length], "A")
    with pytest.raises(Incomplete):
        bad_blocks(GAS_A[:length], "A")
