"""Wired frames from OMS Vol. 2 Annex N and the public M-Bus documentation."""

import pytest

from protocol import wired
from protocol.errors import Incomplete, InvalidField

GAS = bytes.fromhex("6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916")


@pytest.mark.parametrize(
    ("frame", "c", "a", "function", "direction", "checksum"),
    [
        ("1040FD3D16", 0x40, 0xFD, "SND-NKE", "O2M", 0x3D),
        ("105BFE5916", 0x5B, 0xFE, "REQ-UD2", "O2M", 0x59),
        ("107BFD7816", 0x7B, 0xFD, "REQ-UD2", "O2M", 0x78),
        ("105BFD5816", 0x5B, 0xFD, "REQ-UD2", "O2M", 0x58),
    ],
)
def test_short_frames(frame: str, c: int, a: int, function: str, direction: str, checksum: int) -> None:
    parsed = wired.parse(bytes.fromhex(frame))
    assert parsed == wired.WiredFrame("short", c, a, b"") == wired.build(c, a)
    assert (parsed.function, parsed.direction, parsed.checksum) == (function, direction, checksum)
    assert parsed.encode() == bytes.fromhex(frame)


def test_long_frame_of_the_gas_meter() -> None:
    parsed = wired.parse(GAS)
    assert (parsed.kind, parsed.c_field, parsed.address_field) == ("long", 0x08, 0xFD)
    assert (parsed.function, parsed.direction, parsed.checksum) == ("RSP-UD", "M2O", 0x89)
    assert parsed.payload == GAS[6:-2]
    assert wired.build(0x08, 0xFD, GAS[6:-2]).encode() == GAS


def test_single_character() -> None:
    parsed = wired.parse(b"\xe5")
    assert parsed == wired.WiredFrame("single", None, None, b"")
    assert (parsed.function, parsed.direction, parsed.checksum) == ("ACK", "M2O", None)
    assert parsed.encode() == b"\xe5"


def test_control_frame() -> None:
    # Set the baud rate to 9600 (CI BD) of slave 1.
    frame = bytes.fromhex("680303685301BD1116")
    assert (
        wired.parse(frame) == wired.WiredFrame("control", 0x53, 1, b"\xbd") == wired.build(0x53, 1, b"\xbd")
    )
    assert wired.parse(frame).encode() == frame


def test_secondary_selection() -> None:
    payload = bytes.fromhex("52785634129315FFFF")
    frame = wired.build(0x53, 0xFD, payload).encode()
    assert frame.hex().startswith("680b0b6853fd52")
    assert wired.parse(frame).payload == payload


@pytest.mark.parametrize("length", range(len(GAS)))
def test_truncated(length: int) -> None:
    with pytest.raises(Incomplete):
        wired.parse(GAS[:length])


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("6820216808FD" + "00" * 40, "start_invalid"),
        ("6820206908FD" + "00" * 40, "start_invalid"),
        ("2E44", "start_invalid"),
        ("E500", "length_mismatch"),
        ("1040FD3D1600", "length_mismatch"),
        ("1040FD3E16", "checksum_mismatch"),
        ("1040FD3D17", "stop_invalid"),
        ("6802026808FD0516", "length_invalid"),
        ("68000068" + "0016", "length_invalid"),
    ],
)
def test_faults_are_named(frame: str, reason: str) -> None:
    with pytest.raises(InvalidField) as caught:
        wired.parse(bytes.fromhex(frame))
    assert (caught.value.layer, caught.value.reason) == ("link", reason)


def test_every_length_makes_the_round_trip() -> None:
    for length in range(1, 254):
        frame = wired.build(0x08, 7, bytes(range(length))).encode()
        assert frame[1] == length + 2
        assert wired.parse(frame).payload == bytes(range(length))


def test_payload_too_long() -> None:
    with pytest.raises(InvalidField):
        wired.build(0x08, 7, bytes(254)).encode()


def test_address_fields_cover_the_byte_once() -> None:
    covered = [value for first, last, _ in wired.ADDRESS_FIELDS for value in range(first, last + 1)]
    assert covered == list(range(256))
