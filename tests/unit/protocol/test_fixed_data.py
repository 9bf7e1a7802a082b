"""Fixed data structure (M-Bus documentation 4.8): its example, every unit, both codings, wrong ones."""

from dataclasses import replace
from decimal import Decimal

import pytest

from protocol.decoder import Decoder
from protocol.errors import Incomplete, InvalidField
from protocol.fixed_data import UNITS, encode_fixed_data, parse_fixed_data
from protocol.notes import Note

EXAMPLE = bytes.fromhex("785634120A00E97E0100000035010000")

# unit, its first code, and the value of a counter of 1 in the unit that readings have
PRINTED = [
    ("Wh", 0x02, "1"),
    ("J", 0x0B, "1000"),
    ("W", 0x14, "1"),
    ("J/h", 0x1D, "1000"),
    ("m3", 0x26, "0.000001"),
    ("m3/h", 0x2F, "0.000001"),
]


def body(status: int, units: tuple[int, int], counters: str = "0100000002000000") -> bytes:
    return bytes.fromhex("7856341201") + bytes((status, *units)) + bytes.fromhex(counters)


def test_example_of_the_documentation() -> None:
    telegram = Decoder().decode(
        bytes.fromhex("681313680805 73 785634120A00E97E0100000035010000 3C16"), is_wired=True
    )
    said = [
        (reading.quantity, str(reading.value), reading.unit, reading.storage) for reading in telegram.readings
    ]
    assert said == [("volume", "0.001", "m3", 0), ("volume", "0.135", "m3", 1)]
    content = telegram.content
    assert content is not None and content.fields is not None and content.problem is None
    assert (content.fields["id"], content.fields["medium_name"]) == ("12345678", "water")
    assert encode_fixed_data(parse_fixed_data(EXAMPLE)) == EXAMPLE


@pytest.mark.parametrize(("unit", "first", "value"), PRINTED)
@pytest.mark.parametrize("step", range(9))
def test_every_unit(unit: str, first: int, value: str, step: int) -> None:
    found = parse_fixed_data(body(0, (first + step, first + step)))
    expected = Decimal(value).scaleb(step)
    assert [(record.value, record.header.vib.unit) for record in found.records] == [
        (expected, unit),
        (2 * expected, unit),
    ]


@pytest.mark.parametrize(
    ("unit", "quantity", "value", "text"),
    [
        (0x38, "unspecified", Decimal("0.001"), "degC"),
        (0x39, "heat cost allocation units", 1, "HCA"),
        (0x3F, "dimensionless", 1, None),
        (0x3A, "reserved", "01000000", None),
        (0x00, "reserved", "01000000", None),
        (0x3E, "reserved", "01000000", None),
    ],
)
def test_other_units(unit: int, quantity: str, value: object, text: str | None) -> None:
    record = parse_fixed_data(body(0, (unit, unit))).records[0]
    assert (record.header.vib.quantity, record.value, record.header.vib.unit) == (quantity, value, text)
    assert (Note.RESERVED_VIF in record.notes) == (unit not in UNITS)


def test_status() -> None:
    found = parse_fixed_data(body(0x1F, (0x29, 0x05), "FFFFFFFF02000000"))
    assert [(record.value, record.header.dib.storage) for record in found.records] == [
        (Decimal("-0.001"), 1),
        (2000, 1),
    ]
    assert found.status_flags == ("low_power", "permanent_error", "temporary_error")
    assert encode_fixed_data(found) == body(0x1F, (0x29, 0x05), "FFFFFFFF02000000")
    assert parse_fixed_data(body(0, (0x29, 0x29), "0A00000001000000")).records[0].notes == (Note.NOT_BCD,)


@pytest.mark.parametrize("medium", range(16))
def test_medium(medium: int) -> None:
    data = body(0, (0x05 | (medium & 3) << 6, 0x3F | medium >> 2 << 6)) + b"\x2f"
    found = parse_fixed_data(data)
    assert (found.medium, found.rest) == (medium, b"\x2f")
    assert encode_fixed_data(found) == data


def test_what_is_no_fixed_data_structure() -> None:
    with pytest.raises(Incomplete):
        parse_fixed_data(EXAMPLE[:-1])
    found = parse_fixed_data(EXAMPLE)
    for wrong in (
        replace(found, id="123"),
        replace(found, id="hello"),
        replace(found, medium=16),
        replace(found, units=(64, 0)),
        replace(found, records=found.records[:1]),
        replace(found, status=256),
    ):
        with pytest.raises(InvalidField):
            encode_fixed_data(wrong)
