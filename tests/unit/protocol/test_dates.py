# ruff: noqa: DTZ001  # a meter knows local time without a zone
"""Date types of EN 13757-3; checked values from field records and OMS Vol. 2 Annex G and N."""

from datetime import date, datetime

import pytest

from protocol.dates import DateTimeTypeF, DateTimeTypeI, DateTypeG, TimeTypeJ, iso_text
from protocol.errors import InvalidField
from protocol.notes import Note
from protocol.values import Codec, Value

F, G, I, J = DateTimeTypeF(), DateTypeG(), DateTimeTypeI(), TimeTypeJ()  # noqa: E741


@pytest.mark.parametrize(
    ("codec", "raw_hex", "value"),
    [
        (F, "32371F15", datetime(2008, 5, 31, 23, 50)),
        (G, "1F11", date(2008, 1, 31)),
        (G, "FE04", date(2007, 4, 30)),
        (G, "B218", date(2013, 8, 18)),
        (G, "8111", date(2012, 1, 1)),
        (G, "3F1C", date(2009, 12, 31)),
        (I, "1E32171F1500", datetime(2008, 5, 31, 23, 50, 30)),
        (J, "320100", "00:01:50"),
        (J, "000C17", "23:12"),
    ],
)
def test_whole_dates_both_ways(codec: Codec, raw_hex: str, value: Value) -> None:
    raw = bytes.fromhex(raw_hex)
    if codec is I:
        raw = bytes((raw[0] | 0x80,)) + raw[1:]  # 2008 is a leap year
    assert codec.decode(raw) == (value, ())
    assert codec.encode(value) == raw
    if isinstance(value, date):
        assert codec.encode(iso_text(value)) == raw


@pytest.mark.parametrize(
    ("hour_byte", "year_bits", "year", "notes"),
    [
        (0x17, 8, 2008, ()),  # no century, up to 80: this century
        (0x17, 80, 2080, ()),
        (0x17, 81, 1981, ()),
        (0x37, 8, 2008, ()),
        (0x37, 99, 2099, ()),
        (0x57, 24, 2024, (Note.CENTURY_CORRECTED,)),  # hundred-year 2 of a field device
        (0x77, 5, 2205, ()),
        (0xB7, 8, 2008, (Note.SUMMER_TIME,)),
    ],
)
def test_century_of_type_f(hour_byte: int, year_bits: int, year: int, notes: tuple[Note, ...]) -> None:
    raw = bytes((0x32, hour_byte, 0x1F | (year_bits & 7) << 5, 0x05 | (year_bits & 0x78) << 1))
    assert F.decode(raw) == (datetime(year, 5, 31, 23, 50), notes)


@pytest.mark.parametrize(
    ("codec", "raw_hex", "note"),
    [
        (G, "FFFF", Note.INVALID_VALUE),
        (G, "0000", Note.DATE_NEVER),
        (G, "1F10", Note.NOT_A_DATE),  # month 0
        (G, "1F1D", Note.NOT_A_DATE),  # month 13
        (G, "1E12", Note.NOT_A_DATE),  # 30 February
        (G, "81C1", Note.NOT_A_DATE),  # year 100
        (F, "B2371F15", Note.INVALID_VALUE),  # IV
        (F, "32370000", Note.DATE_NEVER),
        (F, "32380F15", Note.NOT_A_DATE),  # hour 24
        (F, "3C370F15", Note.NOT_A_DATE),  # minute 60
        (F, "32370010", Note.NOT_A_DATE),  # every day of month 0
        (F, "3F003D12", Note.NOT_A_DATE),  # every minute of midnight on 29 February 2009
        (I, "00800000 0000", Note.INVALID_VALUE),
        (I, "000000000000", Note.DATE_NEVER),
        (I, "3C00001F1500", Note.NOT_A_DATE),  # second 60
        (J, "000018", Note.NOT_A_DATE),  # hour 24
    ],
)
def test_what_is_not_a_date_has_no_value(codec: Codec, raw_hex: str, note: Note) -> None:
    assert codec.decode(bytes.fromhex(raw_hex)) == (None, (note,))


@pytest.mark.parametrize(
    ("codec", "raw_hex", "text"),
    [
        (G, "FFFC", "*-12-31"),
        (G, "011F", "2008-*-01"),
        (G, "0015", "2008-05-*"),
        (G, "E0FF", "*-*-*"),
        (F, "3F370115", "2008-05-01T23:*"),
        (F, "1E3F0115", "2008-05-01T*:30"),
        (I, "BF3B170115 00", "2008-05-01T23:59:*"),
        (J, "003F17", "23:*"),
        (J, "3F3F1F", "*:*:*"),
    ],
)
def test_every_codes_are_patterns(codec: Codec, raw_hex: str, text: str) -> None:
    raw = bytes.fromhex(raw_hex)
    assert codec.decode(raw) == (text, (Note.EVERY,))
    assert codec.encode(text) == raw


@pytest.mark.parametrize("codec", [F, G, I, J])
def test_no_value_is_coded_as_none(codec: Codec) -> None:
    assert codec.decode(codec.encode(None))[0] is None


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (G, 5),
        (G, "31.12.2008"),
        (G, "2008-02-30"),
        (G, date(1970, 1, 1)),
        (G, date(2081, 1, 1)),
        (F, datetime(2150, 1, 1)),
        (F, datetime(2008, 1, 1, 0, 0, 1)),
        (F, "2008-01-01T24:00"),
        (I, datetime(2008, 1, 1, 0, 0, 0, 1)),
        (J, "24:00:00"),
        (J, datetime(2008, 1, 1)),
    ],
)
def test_values_that_a_type_cannot_hold_are_refused(codec: Codec, value: Value) -> None:
    with pytest.raises(InvalidField):
        codec.encode(value)


def test_seconds_are_printed_where_there_are_any() -> None:
    assert iso_text(date(2008, 5, 31)) == "2008-05-31"
    assert iso_text(datetime(2008, 5, 31, 23, 50)) == "2008-05-31T23:50"
    assert iso_text(datetime(2008, 5, 31, 23, 50, 1)) == "2008-05-31T23:50:01"
