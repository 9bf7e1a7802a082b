"""Configuration field of every mode, both ways; examples from OMS Vol. 2 Annex N and EN 13757-7."""

import pytest

from protocol import configuration
from protocol.configuration import LAYOUTS, MODE_NAMES, Configuration
from protocol.errors import Incomplete, InvalidField


@pytest.mark.parametrize(
    ("data", "mode", "values"),
    [
        ("2025", 5, {"synchronous": 1, "encrypted_blocks": 2}),
        ("0000", 0, {}),
        ("FD05", 5, {"encrypted_blocks": 15, "content": 3, "hop": 1}),
        ("02C5", 5, {"bidirectional": 1, "accessible": 1, "repeated": 1}),
        ("200710", 7, {"encrypted_blocks": 2, "key_derivation": 1}),
        (
            "5AC72B",
            7,
            {
                "content": 3,
                "encrypted_blocks": 5,
                "padding": 1,
                "content_index": 2,
                "key_derivation": 2,
                "key_number": 11,
            },
        ),
        ("1002", 2, {"encrypted_bytes": 16}),
        ("1803", 3, {"encrypted_bytes": 24}),
        ("3004", 4, {"encrypted_blocks": 3}),
        ("408D03", 13, {"content": 2, "encrypted_bytes": 64, "protocol_type": 3}),
    ],
)
def test_fields_both_ways(data: str, mode: int, values: dict[str, int]) -> None:
    raw = bytes.fromhex(data)
    parsed = configuration.parse(b"\xaa" + raw + b"\xbb", 1)
    assert parsed.encode() == raw
    assert (parsed.mode, parsed.size) == (mode, len(raw))
    assert {name: value for name, value in parsed.fields().items() if value} == (
        values | ({"mode": mode} if mode else {})
    )
    assert configuration.build(mode, **values) == parsed
    for length in range(len(raw)):
        with pytest.raises(Incomplete):
            configuration.parse(raw[:length])


def test_mode_10_of_the_constructed_vector() -> None:
    parsed = configuration.parse(bytes.fromhex("112A1001B30A0000"))
    assert (parsed.mode, parsed.message_counter, parsed.tag_length, parsed.key_derivation) == (10, 2739, 1, 1)
    assert (parsed.announced_length, parsed.size) == (17, 8)
    built = configuration.build(10, message_counter=2739, encrypted_bytes=17, key_derivation=1, tag_length=1)
    assert built == parsed


def test_key_version_stands_before_the_message_counter() -> None:
    # Order of OMS Vol. 2 Annex D.
    raw = bytes.fromhex("2027" + "50" + "09" + "01000000")
    parsed = configuration.parse(raw)
    assert (parsed.key_version, parsed.message_counter, parsed.size) == (9, 1, 8)
    assert parsed.encode() == raw
    built = configuration.build(7, key_version=9, message_counter=1, encrypted_blocks=2, key_derivation=1)
    assert built == parsed
    for length in range(len(raw)):
        with pytest.raises(Incomplete):
            configuration.parse(raw[:length])


@pytest.mark.parametrize("mode", [1, 6, 8, 9, 11, 12, 14, 15, *range(16, 32)])
def test_modes_without_a_public_layout_keep_their_bits(mode: int) -> None:
    raw = bytes((0x5A, 0xE0 | mode))
    parsed = configuration.parse(raw + bytes(8))
    assert parsed.encode() == raw
    assert parsed.fields() == {"mode": mode}
    assert parsed.mode_name == MODE_NAMES[mode]


def test_every_field_makes_the_round_trip() -> None:
    for field in range(0x10000):
        raw = field.to_bytes(2, "little") + bytes.fromhex("7F3F0102030405")
        parsed = configuration.parse(raw)
        assert parsed.encode() == raw[: parsed.size]


@pytest.mark.parametrize("mode", LAYOUTS)
def test_bit_fields_do_not_overlap(mode: int) -> None:
    taken = 0
    for _, shift, width in LAYOUTS[mode]:
        mask = (1 << width) - 1 << shift
        assert not taken & mask
        taken |= mask


@pytest.mark.parametrize(
    ("data", "available", "length"),
    [
        ("2005", 32, 32),
        ("2005", 40, 32),
        ("0005", 40, 0),
        ("F005", 48, 48),
        ("F00710", 0, 0),
        ("F004", 16, 16),
        ("1002", 16, 16),
        ("112A1001B30A0000", 17, 17),
        ("FF2A1001B30A0000", 99, 99),
    ],
)
def test_encrypted_length(data: str, available: int, length: int) -> None:
    assert configuration.parse(bytes.fromhex(data)).encrypted_length(available) == length


@pytest.mark.parametrize(
    ("data", "available"),
    [("2005", 31), ("F005", 47), ("1002", 15), ("0902", 20), ("112A1001B30A0000", 16), ("FF02", 255)],
)
def test_lying_encrypted_length(data: str, available: int) -> None:
    with pytest.raises((Incomplete, InvalidField)) as caught:
        configuration.parse(bytes.fromhex(data)).encrypted_length(available)
    assert (caught.value.layer, caught.value.reason) == ("security", "encrypted_length_mismatch")


@pytest.mark.parametrize(
    ("mode", "values"),
    [(5, {"padding": 1}), (5, {"encrypted_blocks": 16}), (7, {"content": -1}), (1, {"hop": 1})],
)
def test_build_refuses_what_the_layout_has_not(mode: int, values: dict[str, int]) -> None:
    with pytest.raises(InvalidField):
        configuration.build(mode, **values)
    with pytest.raises(InvalidField):
        Configuration(0x10000).encode()
