"""The decision table for frames as bytes; frames from OMS Vol. 2 Annex N."""

import pytest

from protocol.errors import CrcMismatch, Incomplete, InvalidField
from protocol.identify import identify
from protocol.link import add_crcs

GAS = bytes.fromhex(
    "2E4493157856341233037A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
)
GAS_A = add_crcs(GAS, "A")
GAS_B = add_crcs(GAS, "B")
WIRED = bytes.fromhex("6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916")
LONG = bytes((200,)) + GAS[1:] + bytes(range(154))


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes((data[position] ^ 0x40,)) + data[position + 1 :]


@pytest.mark.parametrize("left_over", [b"", b"\x00", bytes(40)])
@pytest.mark.parametrize(
    ("data", "kind", "frame"),
    [
        (WIRED, "wired", WIRED),
        (GAS_A, "A", GAS),
        (GAS_B, "B", GAS),
        (add_crcs(LONG, "A"), "A", LONG),
        (add_crcs(LONG, "B"), "B", LONG),
    ],
)
def test_frames_with_checks(data: bytes, kind: str, frame: bytes, left_over: bytes) -> None:
    found = identify(data + left_over)
    assert (found.kind, found.frame, found.left_over) == (kind, frame, left_over)


@pytest.mark.parametrize("left_over", [b"", b"\x12", bytes(7), bytes(9)])
def test_frame_without_crcs(left_over: bytes) -> None:
    found = identify(GAS + left_over)
    assert (found.kind, found.frame, found.left_over) == ("crc_less", GAS, left_over)


@pytest.mark.parametrize("frame", ["E5", "1040FD3D16", "107BFD7816"])
def test_small_wired_frames(frame: str) -> None:
    assert identify(bytes.fromhex(frame)).kind == "wired"


def test_short_wired_frame_must_stand_alone() -> None:
    # 17 bytes that begin like a short wired frame are a wireless frame of L = 16.
    data = bytes.fromhex("1040FD3D16") + bytes(12)
    assert identify(data).kind == "crc_less"


@pytest.mark.parametrize(("position", "block"), [(12, 2), (30, 3), (54, 4)])
def test_damaged_format_a(position: int, block: int) -> None:
    with pytest.raises(CrcMismatch) as caught:
        identify(flipped(GAS_A, position))
    assert caught.value.block == block


def test_damaged_first_block_of_format_a() -> None:
    with pytest.raises(CrcMismatch) as caught:
        identify(flipped(GAS_A, 5))
    assert caught.value.block == 1


def test_damaged_third_block_of_format_b() -> None:
    with pytest.raises(CrcMismatch) as caught:
        identify(flipped(add_crcs(LONG, "B"), 150))
    assert caught.value.block == 3


def test_damaged_format_b_looks_crc_less() -> None:
    found = identify(flipped(GAS_B, 20))
    assert (found.kind, found.frame) == ("crc_less", flipped(GAS_B, 20))


def test_damaged_wired_frame() -> None:
    with pytest.raises(InvalidField) as caught:
        identify(flipped(WIRED, 12))
    assert caught.value.reason == "checksum_mismatch"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("105BFE5816", "checksum_mismatch"),
        (WIRED[:-1].hex() + "17", "stop_invalid"),
        ("6803036808017200 16", "checksum_mismatch"),
    ],
)
def test_damaged_wired_frames_are_no_wireless_ones(frame: str, reason: str) -> None:
    with pytest.raises(InvalidField) as caught:
        identify(bytes.fromhex(frame))
    assert caught.value.reason == reason


@pytest.mark.parametrize("length", range(len(GAS)))
def test_truncated(length: int) -> None:
    with pytest.raises(Incomplete):
        identify(GAS[:length])


@pytest.mark.parametrize("length", range(12, len(GAS_A)))
def test_truncated_format_a_is_known_by_its_first_crc(length: int) -> None:
    with pytest.raises(Incomplete):
        identify(GAS_A[:length])


@pytest.mark.parametrize("length", range(1, len(WIRED)))
def test_truncated_wired(length: int) -> None:
    with pytest.raises(Incomplete):
        identify(WIRED[:length])


@pytest.mark.parametrize("first", range(9))
def test_impossible_length(first: int) -> None:
    with pytest.raises(InvalidField) as caught:
        identify(bytes((first,)) + bytes(30))
    assert caught.value.reason == "length_invalid"


def test_a_crc_that_fits_by_chance_makes_no_format_a() -> None:
    # 7AC9 is the CRC of this first block (a frame of OMS Vol. 2 Annex N): CI 7A, access number C9
    frame = bytes.fromhex("43449315785634123303 7AC9") + bytes(56)
    found = identify(frame)
    assert (found.kind, found.frame, found.left_over) == ("crc_less", frame, b"")
