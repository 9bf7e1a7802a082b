# ruff: noqa: DTZ001  # a meter knows local time without a zone
"""Load profiles of EN 13757-3 Annex F and OMS Vol. 2 Annex G, with their printed examples."""

import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from protocol.errors import Incomplete, InvalidField
from protocol.notes import Note
from protocol.profiles import (
    IncrementMode,
    Profile,
    encode_profile,
    parse_profile,
    profile_fields,
    profile_from_fields,
)
from protocol.reading_fields import reading_fields, records_of
from protocol.readings import Reading, readings
from protocol.records import RecordList, encode_records, parse_records
from protocol.scale import Scale
from protocol.spacing import Spacing

# Water, 65/209/423/755/1013 litres at the month ends January to May 2008.
LITRES = [Decimal(litres) / 1000 for litres in (65, 209, 423, 755, 1013)]
MONTH_ENDS = [date(2008, 1, 31), date(2008, 2, 29), date(2008, 3, 31), date(2008, 4, 30), date(2008, 5, 31)]
STANDARD = (
    "8904FD2205 8904FD2801 82066C1F15"
    "8C041365000000 CC041309020000 8C051323040000 CC051355070000 8C061313100000"
)
COMPACT = "8C041365000000 82046C1F11 8D04931F 0A 7A FE 4401 1402 3203 5802"
INVERSE = "8C041313100000 82046C1F15 8D049313 0A 7A FE 5802 3203 1402 4401"


def _readings(apl_hex: str) -> list[Reading]:
    """Return the readings, having made sure that their words give the same bytes."""
    apl = bytes.fromhex(apl_hex)
    records = parse_records(apl)
    found = readings(records.records)
    described = json.loads(
        json.dumps([{**reading_fields(reading), "raw_hex": None} for reading in found], default=str),
        parse_float=Decimal,
    )
    for fields in described:
        fields["value"] = _number(fields["value"])
        if "profile" in fields:
            fields["profile"]["elements"] = [_number(element) for element in fields["profile"]["elements"]]
    assert encode_records(RecordList(records_of(described), records.fillers)) == apl
    return found


def _number(text: object) -> object:
    """Undo ``default=str``, which wrote Decimals as text."""
    return Decimal(text) if isinstance(text, str) and text.replace(".", "").lstrip("-").isdecimal() else text


def _volumes(found: list[Reading]) -> list[tuple[int, object, object]]:
    volumes = [reading for reading in found if reading.quantity == "volume" and reading.profile is None]
    return [(reading.storage, reading.value, reading.at) for reading in volumes]


def test_standard_profile_is_dated_through_its_interval() -> None:
    assert _volumes(_readings(STANDARD)) == list(zip(range(8, 13), LITRES, MONTH_ENDS, strict=True))
    with_last_storage = STANDARD.replace("8904FD2205", "8006FD21")
    assert _volumes(_readings(with_last_storage)) == list(zip(range(8, 13), LITRES, MONTH_ENDS, strict=True))


def test_storage_numbers_outside_the_standard_profile_have_no_date() -> None:
    assert _volumes(_readings(f"{STANDARD} CC061313100000 0C1313100000"))[-2:] == [
        (13, Decimal("1.013"), None),
        (0, Decimal("1.013"), None),
    ]
    no_relation = STANDARD.replace("8904FD2801", "8904FD2800")
    assert [at for _, _, at in _volumes(_readings(no_relation))] == [None] * 4 + [date(2008, 5, 31)]


def test_compact_profile() -> None:
    assert _volumes(_readings(COMPACT)) == list(zip(range(8, 13), LITRES, MONTH_ENDS, strict=True))


def test_inverse_profile() -> None:
    assert _volumes(_readings(INVERSE)) == list(
        zip(range(8, 13), reversed(LITRES), reversed(MONTH_ENDS), strict=True)
    )


def test_profile_reading_tells_its_differences() -> None:
    profile = next(reading for reading in _readings(COMPACT) if reading.profile is not None)
    assert (profile.value, profile.notes) == (None, (Note.PROFILE,))
    assert profile.profile == Profile(
        IncrementMode.POSITIVE,
        "d",
        254,
        0xA,
        tuple(Decimal(litres) / 1000 for litres in (144, 214, 332, 258)),
    )
    values = [reading for reading in _readings(COMPACT) if "profile_value" in reading.qualifiers]
    assert [reading.raw.hex() for reading in values] == ["4401", "1402", "3203", "5802"]


def test_register_profile() -> None:
    found = _readings("8C84001365000000 8284006C1F11 8D8400931E 06 7A FE 4401 1402")
    assert _volumes(found) == [
        (8, Decimal("0.065"), date(2008, 1, 31)),
        (9, Decimal("0.209"), date(2008, 2, 29)),
        (10, Decimal("0.423"), date(2008, 3, 31)),
    ]
    assert all("register_number" in reading.qualifiers for reading in found)


@pytest.mark.parametrize(
    ("control", "elements_hex", "inverse", "values"),
    [
        ("00 int16 absolute", "0A00 F6FF", False, [10, -10]),
        ("01 int16 positive", "0A00 F6FF", False, [110, 110 + 0xFFF6]),
        ("10 int16 negative", "0A00 0500", False, [90, 85]),
        ("11 int16 difference", "0A00 F6FF", False, [110, 100]),
        ("00 int16 absolute", "0A00 F6FF", True, [10, -10]),
        ("01 int16 positive", "0A00 0500", True, [90, 85]),
        ("10 int16 negative", "0A00 0500", True, [110, 115]),
        ("11 int16 difference", "0A00 F6FF", True, [90, 100]),
        ("11 int16 difference", "0A00 0080 0500", False, [110, None, 115]),
        ("01 int16 positive", "FFFF 0500", False, [None, 105]),
    ],
)
def test_increment_modes(control: str, elements_hex: str, inverse: bool, values: list[int | None]) -> None:
    byte = int(control[:2], 2) << 6 | 0x32  # days, int16
    content = bytes((byte, 1)) + bytes.fromhex(elements_hex)
    profile = parse_profile(content, Scale())
    assert profile.values(100, inverse=inverse) == values
    assert encode_profile(profile, Scale()) == content
    assert encode_profile(profile_from_fields(profile_fields(profile)), Scale()) == content


def test_gap_is_said_and_counted_on() -> None:
    found = _readings("04 13 64000000 026C1F11 0D 93 1F 06 F1 01 0A 80 05 01")
    values = [reading for reading in found if "profile_value" in reading.qualifiers]
    assert [reading.value for reading in values] == [
        Decimal("0.110"),
        None,
        Decimal("0.115"),
        Decimal("0.116"),
    ]
    assert values[1].notes == (Note.PROFILE_GAP,)
    assert [reading.at for reading in values] == [date(2008, 2, day) for day in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("unit_bits", "value", "spacing", "reserved"),
    [
        (0, 1, Spacing(seconds=1), False),
        (1, 15, Spacing(seconds=900), False),
        (2, 250, Spacing(seconds=250 * 3600), False),
        (3, 1, Spacing(seconds=86400), False),
        (3, 0, None, False),
        (3, 251, None, True),
        (3, 252, None, True),
        (3, 253, Spacing(half_months=1), False),
        (2, 253, None, True),
        (3, 254, Spacing(months=1), False),
        (2, 254, Spacing(months=3), False),
        (1, 254, Spacing(months=6), False),
        (0, 254, None, True),
        (3, 255, None, True),
    ],
)
def test_spacing_codes(unit_bits: int, value: int, spacing: Spacing | None, reserved: bool) -> None:
    profile = parse_profile(bytes((unit_bits << 4 | 0x01, value)), Scale())
    assert (profile.spacing, profile.spacing_reserved) == (spacing, reserved)


@pytest.mark.parametrize(
    ("spacing", "base", "expected"),
    [
        (Spacing(months=1), date(2008, 1, 31), "2008-02-29 2008-03-31 2008-04-30"),
        (Spacing(months=1), date(2012, 1, 1), "2012-02-01 2012-03-01 2012-04-01"),
        (Spacing(months=1), date(2011, 1, 30), "2011-02-28 2011-03-30 2011-04-30"),
        (Spacing(months=3), date(2011, 11, 30), "2012-02-29 2012-05-31 2012-08-31"),
        (Spacing(half_months=1), date(2011, 1, 1), "2011-01-16 2011-02-01 2011-02-16"),
        (Spacing(half_months=1), date(2011, 1, 15), "2011-01-31 2011-02-15 2011-02-28"),
        (Spacing(half_months=1), date(2011, 1, 31), "2011-02-15 2011-02-28 2011-03-15"),
        (Spacing(half_months=1), date(2011, 1, 16), "2011-02-01 2011-02-16 2011-03-01"),
        (Spacing(seconds=86400), date(2011, 2, 27), "2011-02-28 2011-03-01 2011-03-02"),
        (Spacing(seconds=3600), date(2011, 2, 28), "2011-02-28 01:00:00 2011-02-28 02:00:00"),
        (Spacing(seconds=900), datetime(2011, 2, 28, 23, 45), "2011-03-01 00:00:00 2011-03-01 00:15:00"),
    ],
)
def test_steps_in_time(spacing: Spacing, base: date, expected: str) -> None:
    steps = [spacing.shift(base, step) for step in (1, 2, 3)]
    assert " ".join(map(str, steps)).startswith(expected)


def test_steps_back_in_time_and_beyond_the_calendar() -> None:
    assert Spacing(months=1).shift(date(2008, 3, 31), -1) == date(2008, 2, 29)
    assert Spacing(half_months=1).shift(date(2011, 1, 1), -1) == date(2010, 12, 16)
    assert Spacing(months=1).shift(date(2008, 3, 31), 10**6) is None
    assert Spacing(seconds=86400).shift(date(2008, 3, 31), 10**12) is None


@pytest.mark.parametrize(
    ("apl_hex", "notes", "count"),
    [
        (
            "8D04931F 04 7A FE 4401",
            {Note.PROFILE, Note.PROFILE_WITHOUT_BASE_VALUE, Note.PROFILE_WITHOUT_BASE_DATE},
            0,
        ),
        ("8C041365000000 8D04931F 04 7A FE 4401", {Note.PROFILE, Note.PROFILE_WITHOUT_BASE_DATE}, 1),
        ("8C041365000000 8D04931F 04 7A 00 4401", {Note.PROFILE}, 1),
        ("8C041365000000 8D04931F 04 7A FF 4401", {Note.PROFILE, Note.PROFILE_SPACING_RESERVED}, 1),
        ("8D04931F 04 3A 01 4401", {Note.PROFILE, Note.PROFILE_WITHOUT_BASE_DATE}, 1),
        ("8C041365000000 8D04931F 02 7A FE", {Note.PROFILE, Note.PROFILE_WITHOUT_BASE_DATE}, 0),
        ("8D04931F 03 7A FE 44", {Note.PROFILE_MALFORMED}, 0),
        ("8D04931F 01 7A", {Note.PROFILE_MALFORMED}, 0),
        ("8D04931F 04 7D FE 4401", {Note.PROFILE_MALFORMED}, 0),
        ("8D04931F 04 70 FE 4401", {Note.PROFILE_MALFORMED}, 0),
        ("8D04931F E4 7A 00 4401", {Note.PROFILE, Note.PROFILE_WITHOUT_BASE_VALUE}, 0),
        ("8D04931F 04 7A 00 4F01", {Note.PROFILE, Note.PROFILE_WITHOUT_BASE_VALUE}, 0),
    ],
)
def test_profiles_that_lack_something(apl_hex: str, notes: set[Note], count: int) -> None:
    found = _readings(apl_hex)
    own = next(reading for reading in found if "compact_profile" in reading.qualifiers)
    assert set(own.notes) == notes
    assert sum("profile_value" in reading.qualifiers for reading in found) == count
    assert (own.profile is None) == (Note.PROFILE_MALFORMED in notes)
    assert (own.value is None) == (own.profile is not None)


def test_half_month_dates_say_that_the_day_is_assumed() -> None:
    value = _readings("8C041365000000 82046C0111 8D04931F 04 7A FD 4401")[-1]
    assert (value.at, value.notes) == (date(2008, 1, 16), (Note.HALF_MONTH_ASSUMED,))


def test_real32_elements_and_scaled_base() -> None:
    found = _readings("05 2B 0000A040 0D AB 1F 06 F5 01 0000A040")
    assert found[-1].value == 10.0
    mixed = _readings("04 2A 32000000 0D AA 1F 06 F5 01 0000A040")
    assert mixed[-1].value == 5.5


@pytest.mark.parametrize(
    "change",
    [
        {"increment_mode": "upwards"},
        {"spacing_unit": "week"},
        {"spacing_value": 256},
        {"spacing_value": None},
        {"element_field": 0xD},
        {"element_field": 99},
        {"elements": 5},
        {"elements": ["1"]},
        {"elements": [10**9]},
    ],
)
def test_described_profiles_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    fields = profile_fields(Profile(IncrementMode.SIGNED, "d", 1, 2, (1, None))) | change
    with pytest.raises(InvalidField):
        encode_profile(profile_from_fields(fields), Scale())


def test_content_without_spacing_is_incomplete() -> None:
    with pytest.raises(Incomplete):
        parse_profile(b"\x7a", Scale())
