# ruff: noqa: DTZ001  # a meter knows local time without a zone
"""Readings: dates of storage numbers, OBIS codes, tags, and the way from words back to records."""

import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from protocol.dif import Function
from protocol.errors import InvalidField
from protocol.header_builder import build_header
from protocol.notes import Note
from protocol.reading_fields import reading_fields, record_of, records_of
from protocol.readings import Reading, readings
from protocol.records import parse_records
from protocol.values import Value


def _readings(apl_hex: str, device_type: int | None = None) -> list[Reading]:
    return readings(parse_records(bytes.fromhex(apl_hex)).records, device_type)


def test_fields_of_the_contract() -> None:
    fields = reading_fields(_readings("0C14 27048502", 0x03)[0])
    assert json.loads(json.dumps(fields, default=float)) == {
        "quantity": "volume",
        "value": 28504.27,
        "unit": "m3",
        "function": "instantaneous",
        "storage": 0,
        "tariff": 0,
        "subunit": 0,
        "qualifiers": [],
        "dib_vib": "0c14",
        "raw_hex": "27048502",
        "obis": "7-0:3.1.0*255",
        "tag": "VM1",
    }
    assert fields["value"] == Decimal("28504.27")


def test_fields_that_are_only_sometimes_there() -> None:
    date_fields, volume_fields = map(reading_fields, _readings("426C 0000 4C13 94323800"))
    assert (date_fields["notes"], date_fields["coded_hex"]) == (["date_never"], "0000")
    assert "at" not in volume_fields
    _, dated = map(reading_fields, _readings("426C FE04 4C13 94323800"))
    assert dated["at"] == "2007-04-30"
    (fabrication,) = map(reading_fields, _readings("0C78 44332211"))
    assert (fabrication["value"], fabrication["unit"]) == ("11223344", None)


@pytest.mark.parametrize(
    ("apl_hex", "at"),
    [
        ("426C FE04 4C13 94323800", date(2007, 4, 30)),  # same storage number
        ("426C FE04 0C13 94323800", None),
        ("046D 32371F15 0C13 94323800", datetime(2008, 5, 31, 23, 50)),
        ("046D 32371F15 426C FE04 CC1013 94323800", date(2007, 4, 30)),  # a tariff's value
        ("046D 32371F15 1C13 94323800", None),  # a maximum is not of the message's time
        ("146D 32371F15 1C13 94323800", datetime(2008, 5, 31, 23, 50)),
        ("026C 1F15 046D 32371F15 0C13 94323800", datetime(2008, 5, 31, 23, 50)),
        ("046D 32371F15 026C 1F15 0C13 94323800", datetime(2008, 5, 31, 23, 50)),
        ("026C 1F15 026C FE04 0C13 94323800", None),  # two dates date nothing
        ("026C 1F15 026C FE04 026C 1F15 0C13 94323800", None),
        ("026C 1F15 026C 1F15 0C13 94323800", date(2008, 5, 31)),
        ("026C FFFF 0C13 94323800", None),
        ("04EC39 32371F15 0C13 94323800", None),  # "start of" is another date
        ("046D 32371F15 0C78 94323800", None),  # a number that names does not change
    ],
)
def test_date_of_a_value(apl_hex: str, at: date | None) -> None:
    assert _readings(apl_hex)[-1].at == at


@pytest.mark.parametrize(
    ("record_hex", "device_type", "obis"),
    [
        ("0403 00000000", 0x02, "1-0:1.8.0*255"),
        ("04833B 00000000", 0x02, "1-0:1.8.0*255"),
        ("04833C 00000000", 0x02, "1-0:2.8.0*255"),
        ("841003 00000000", 0x02, "1-0:1.8.1*255"),
        ("84203C 00000000", 0x02, None),  # a volume flow
        ("4403 00000000", 0x02, "1-0:1.8.0*1"),
        ("840103 00000000", 0x02, None),
        ("036E 000000", 0x08, "4-0:1.0.0*255"),
        ("0403 00000000", 0x0A, "5-0:1.0.0*255"),
        ("0403 00000000", 0x04, "6-0:1.0.0*255"),
        ("0413 00000000", 0x0C, "6-0:2.0.0*255"),
        ("04933A 00000000", 0x03, "7-0:3.0.0*255"),
        ("0413 00000000", 0x03, "7-0:3.1.0*255"),
        ("04933E 00000000", 0x03, "7-0:3.2.0*255"),
        ("0413 00000000", 0x07, "8-0:1.0.0*255"),
        ("0413 00000000", 0x06, "9-0:1.0.0*255"),
        ("4413 00000000", 0x07, None),
        ("1413 00000000", 0x07, None),
        ("841013 00000000", 0x07, None),
        ("844013 00000000", 0x07, None),
        ("0413 00000000", None, None),
    ],
)
def test_obis_codes(record_hex: str, device_type: int | None, obis: str | None) -> None:
    assert _readings(record_hex, device_type)[0].obis == obis


@pytest.mark.parametrize(
    ("record_hex", "tag"),
    [
        ("046D 32371F15", "DT1"),
        ("426C FE04", "DT2"),
        ("0C78 44332211", "ID1"),
        ("02FD08 0100", "ID6"),
        ("01FD71 9C", "MM1"),
        ("21FD71 9C", "MM1I"),
        ("31FD71 9C", "MM1E"),
        ("02FD17 0000", "MM2"),
        ("02FD971D 0000", "MM3"),
        ("02FD74 0100", "MM8"),
        ("01FDFD02 01", "MM8"),
        ("0174 01", "DP1"),
        ("0170 01", "DP2"),
        ("01FD3C 01", "DP3"),
        ("036E 000000", "HC1"),
        ("436E 000000", "HC1D"),
        ("0413 00000000", "VM1"),
        ("0D931F 02 7A FE", "VM1P"),
        ("4D931F 02 7A FE", None),
        ("1413 00000000", None),
        ("841013 00000000", None),
        ("04933A 00000000", None),
        ("01FD1F 01", "DC1"),
        ("02FD9F1D 4032", "CT1"),
        ("04ED39 32371F15", None),
        ("246D 32371F15", None),
        ("0403 00000000", None),
    ],
)
def test_tags(record_hex: str, tag: str | None) -> None:
    assert _readings(record_hex)[0].tag == tag


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "dib_vib_hex", "raw_hex"),
    [
        ("volume", Decimal("28504.27"), "m3", "0314", "7B7E2B"),
        ("volume", 5, "m3", "0116", "05"),
        ("energy", Decimal("0.1"), "MWh", "01FB00", "01"),
        ("flow temperature", Decimal("-3.5"), "degC", "015A", "DD"),
        ("power", 5.0, "W", "052B", "0000A040"),
        ("power", 0.3, "W", "012A", "03"),
        ("date", date(2008, 1, 31), None, "026C", "1F11"),
        ("date and time", datetime(2008, 5, 31, 23, 50), None, "046D", "32371F15"),
        ("date and time", "2008-05-31T23:50", None, "046D", "32371F15"),
        ("date and time", datetime(2008, 5, 31, 23, 50, 30), None, "066D", "9E32171F1500"),
        ("fabrication number", "11223344", None, "0C78", "44332211"),
        ("customer location", "Cellar", None, "0DFD10", "0672616C6C6543"),
        ("error flags", 255, None, "01FD17", "FF"),
        ("on time", 12, "h", "0122", "0C"),
        ("remaining battery life", 3, "year", "01FDFD03", "03"),
        ("heat cost allocator rating factor K", Decimal("1.5"), None, "02FB68", "0018"),
        ("energy", None, "Wh", "0003", ""),
    ],
)
def test_header_from_words(
    quantity: str, value: Value, unit: str | None, dib_vib_hex: str, raw_hex: str
) -> None:
    assert build_header(quantity, value, unit=unit).hex().upper() == dib_vib_hex
    record = record_of({"quantity": quantity, "value": value, "unit": unit})
    assert record.raw.hex().upper() == raw_hex
    found = readings([record])[0]
    assert (found.quantity, found.unit) == (quantity, unit)


@pytest.mark.parametrize(
    ("unit", "qualifiers", "dib_vib_hex"),
    [
        ("m3", ["uncorrected"], "01963A"),
        ("m3", ["backward_only", "future_value"], "0196BC7E"),
        ("m3/h", ["per_hour"], "019622"),
        ("m3/l/K", ["per_litre", "per_kelvin"], "0196AC2F"),
        ("h", ["duration_of_first_upper_exceed"], "01965A"),
        (None, ["exceeds_of_upper_limit"], "019649"),
        ("m3", ["phase_l1"], "0196FC01"),
    ],
)
def test_qualifiers_become_vifes(unit: str | None, qualifiers: list[str], dib_vib_hex: str) -> None:
    fields = {"quantity": "volume", "value": 5, "unit": unit, "qualifiers": qualifiers}
    record = record_of(fields)
    assert record.header.dib_vib.hex().upper() == dib_vib_hex
    found = readings([record])[0]
    assert (found.value, found.unit, list(found.qualifiers)) == (5, unit, qualifiers)


def test_place_and_text_unit_from_words() -> None:
    fields: dict[str, object] = {
        "quantity": "unspecified",
        "value": 7,
        "unit": "%RH",
        "function": "maximum",
        "storage": 9,
        "tariff": 2,
        "subunit": 1,
        "qualifiers": ["plain_text_unit", "register_number"],
    }
    found = reading_fields(readings([record_of(fields)])[0])
    assert {name: found[name] for name in fields} == fields
    assert build_header("volume", 5, unit="m3", function=Function.MINIMUM, storage=1).hex() == "6116"


@pytest.mark.parametrize(
    ("quantity", "unit", "value", "dib_vib_hex"),
    [
        ("on time", "h", "1.5", "0522"),  # whole hours, or a float
        ("flow temperature", "degC", "21.5", "025A"),
        ("flow temperature", "degC", "21.5678", "0558"),  # the finest step is 0.001
        ("volume", "m3", "0.0000001", "0510"),
        ("flow temperature", "degC", "12.345677734375", "0558"),  # a float scaled before
    ],
)
def test_decimals_that_no_step_fits_become_floats(
    quantity: str, unit: str, value: str, dib_vib_hex: str
) -> None:
    record = record_of({"quantity": quantity, "unit": unit, "value": Decimal(value)})
    assert record.header.dib_vib.hex().upper() == dib_vib_hex
    again = record.header.codec.decode(record.raw)[0]
    assert isinstance(again, float | Decimal)
    assert float(again) == pytest.approx(float(value), rel=2**-23)


def test_digits_that_a_float_would_lose_are_refused() -> None:
    with pytest.raises(InvalidField):
        record_of({"quantity": "on time", "unit": "h", "value": Decimal("1.23456789")})


def test_commands_from_words() -> None:
    record = record_of(
        {"quantity": "error flags", "value": 0, "qualifiers": ["action_clear"]}, to_device=True
    )
    assert record.header.dib_vib.hex() == "01fd9707"


@pytest.mark.parametrize(
    "fields",
    [
        {"value": 5},
        {"quantity": "volume", "value": 5, "unit": "furlong"},
        {"quantity": "volume", "value": Decimal("1E-60"), "unit": "m3"},
        {"quantity": "volume", "value": "five", "unit": "Wh"},
        {"quantity": "volume", "value": 5, "unit": "m3", "function": "average"},
        {"quantity": "volume", "value": 5, "unit": "m3", "storage": "1"},
        {"quantity": "volume", "value": 5, "unit": "m3", "storage": -1},
        {"quantity": "volume", "value": 5, "unit": "m3", "qualifiers": ["sideways"]},
        {"quantity": "volume", "value": 5, "unit": "m3", "qualifiers": "uncorrected"},
        {"quantity": "volume", "value": [5], "unit": "m3"},
        {"quantity": "unspecified", "value": 5, "unit": "€", "qualifiers": ["plain_text_unit"]},
        {"dib_vib": 5, "value": 1},
        {"dib_vib": "0c14", "value": "x"},
        {"dib_vib": "", "value": 1, "profile": {}},
        {"dib_vib": "0d931f", "value": None, "profile": {"increment_mode": "absolute"}},
    ],
)
def test_descriptions_that_no_record_holds_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidField):
        records_of([fields])


def test_null_is_the_invalid_code() -> None:
    assert record_of({"dib_vib": "0c14"}).raw == b"\xff\xff\xff\xff"


def test_same_bytes_mean_another_thing_in_a_command() -> None:
    raw = bytes.fromhex("02FD9707 0000")
    from_device = readings(parse_records(raw).records)[0]
    to_device = readings(parse_records(raw, to_device=True).records)[0]
    assert from_device.qualifiers == ()
    assert from_device.notes == (Note.ERROR_DATA_SIZE,)
    assert to_device.qualifiers == ("action_clear",)
    assert to_device.notes == ()
