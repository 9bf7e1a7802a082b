"""Data types of dates and times.

    G (2)  B0: day b4-0, year bits 2-0 in b7-5          B1: month b3-0, year bits 6-3 in b7-4
    F (4)  B0: minute b5-0, b7 invalid                  B1: hour b4-0, hundred-year b6-5, summer b7
           B2, B3: as G
    I (6)  B0: second b5-0, b6 DST in force, b7 leap    B1: minute b5-0, b6 DST sign, b7 invalid
           B2: hour b4-0, weekday b7-5 (1 Mon, 0 n/a)   B3, B4: as G
           B5: week b5-0 (0 n/a), b7-6 DST deviation in hours
    J (3)  second b5-0, minute b5-0, hour b4-0

All times are local times of the device. "Every" codes: second and minute 63, hour 31, day 0,
month 15, year 127; such a date is a string with ``*`` in that place, as ``*-12-31``. The summer
flag does not shift the time. Type K (DST rule), L and M have no public layout.
Source: EN 13757-3; the year rules from field records.
"""

from __future__ import annotations

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from protocol.notes import Note
from protocol.values import NO_NOTES, Decoded, Notes, Value, invalid_value

_EVERY_SECOND = _EVERY_MINUTE = 63
_EVERY_HOUR = 31
_EVERY_DAY = 0
_EVERY_MONTH = 15
_EVERY_YEAR = 127

_LAST_YEAR_WITHOUT_CENTURY = 80
"""Two-digit years up to 80 are 2000 and later, the others 1900 and later."""

_MOST_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NOT_A_DATE: Final[Decoded] = (None, (Note.NOT_A_DATE,))
_NEVER: Final[Decoded] = (None, (Note.DATE_NEVER,))
_INVALID: Final[Decoded] = (None, (Note.INVALID_VALUE,))

_DATE_PATTERN: Final = r"(?P<year>\d{4}|\*)-(?P<month>\d\d|\*)-(?P<day>\d\d|\*)"
_TIME_PATTERN: Final = r"(?P<hour>\d\d|\*):(?P<minute>\d\d|\*)(?::(?P<second>\d\d|\*))?"
_DATE: Final = re.compile(_DATE_PATTERN, re.ASCII)
_DATE_TIME: Final = re.compile(f"{_DATE_PATTERN}T{_TIME_PATTERN}", re.ASCII)
_TIME: Final = re.compile(_TIME_PATTERN, re.ASCII)

Field = int | None
"""A field of a date; None means "every"."""
_ThreeFields = tuple[Field, Field, Field]
"""Year, month, day, or hour, minute, second."""


@dataclass(frozen=True, slots=True)
class DateTypeG:
    """Type G: a date."""

    def decode(self, raw: bytes) -> Decoded:
        """Return the date."""
        if raw == b"\xff\xff":
            return _INVALID
        if raw == b"\x00\x00":
            return _NEVER
        return _moment(_calendar(raw[0], raw[1]))

    def encode(self, value: Value) -> bytes:
        """Return the data; None gives the code for an invalid date."""
        if value is None:
            return b"\xff\xff"
        year, month, day = _fields(value, _DATE)
        return _calendar_bytes(_two_digits(year, value), month, day)


@dataclass(frozen=True, slots=True)
class DateTimeTypeF:
    """Type F: date, hour and minute."""

    def decode(self, raw: bytes) -> Decoded:
        """Return the date and time; the hundred-year field decides the century."""
        low, high = raw[0], raw[1]
        if low & 0x80:
            return _INVALID
        if raw[2:] == b"\x00\x00":
            return _NEVER
        notes: Notes = (Note.SUMMER_TIME,) if high & 0x80 else NO_NOTES
        calendar = _calendar(raw[2], raw[3])
        century = high >> 5 & 0x03
        if century and calendar[0]:
            year = 1900 + 100 * century + calendar[0] % 100
            if century == 2:
                # A field device sends 2 for dates of this century; nobody dates a reading in 2100.
                year -= 100
                notes += (Note.CENTURY_CORRECTED,)
            calendar = (year, *calendar[1:])
        return _moment(calendar, _clock(high, low, 0), notes)

    def encode(self, value: Value) -> bytes:
        """Return the data; None gives an empty date with the invalid bit."""
        if value is None:
            return b"\x80\x00\x00\x00"
        year, month, day, hour, minute, second = _fields(value, _DATE_TIME)
        if second != 0:
            raise invalid_value(value, "a date and time without seconds")
        century = 0
        if year is not None and (2000 <= year <= 2099 or 2200 <= year <= 2299):
            century, two_digits = (year - 1900) // 100, year % 100
        else:
            two_digits = _two_digits(year, value)
        _, minute_bits, hour_bits = _clock_bytes(hour, minute, 0)
        return bytes((minute_bits, hour_bits | century << 5)) + _calendar_bytes(two_digits, month, day)


@dataclass(frozen=True, slots=True)
class DateTimeTypeI:
    """Type I: date, hour, minute and second, with facts about the calendar."""

    def decode(self, raw: bytes) -> Decoded:
        """Return the date and time."""
        if raw[1] & 0x80:
            return _INVALID
        if raw[3:5] == b"\x00\x00":
            return _NEVER
        notes: Notes = (Note.SUMMER_TIME,) if raw[0] & 0x40 else NO_NOTES
        return _moment(_calendar(raw[3], raw[4]), _clock(raw[2], raw[1], raw[0]), notes)

    def encode(self, value: Value) -> bytes:
        """Return the data, weekday and week not given; None gives an empty date with the invalid bit."""
        if value is None:
            return b"\x00\x80\x00\x00\x00\x00"
        year, month, day, *time = _fields(value, _DATE_TIME)
        leap = 0x80 if year is not None and isleap(year) else 0
        second, minute, hour = _clock_bytes(*time)
        calendar = _calendar_bytes(_two_digits(year, value), month, day)
        return bytes((second | leap, minute, hour)) + calendar + b"\x00"


@dataclass(frozen=True, slots=True)
class TimeTypeJ:
    """Type J: time of day, as text ``hh:mm`` or ``hh:mm:ss``."""

    def decode(self, raw: bytes) -> Decoded:
        """Return the time."""
        time = _clock(raw[2], raw[1], raw[0])
        text = _clock_text(*time)
        return (text, (Note.EVERY,) if None in time else NO_NOTES) if text else _NOT_A_DATE

    def encode(self, value: Value) -> bytes:
        """Return the data; None gives a time that no day has."""
        if value is None:
            return b"\x3e\x3e\x1e"
        return bytes(_clock_bytes(*_fields(value, _TIME)))


def iso_text(value: date) -> str:
    """Return a date, or a date and time, as ISO 8601; seconds only where they are not zero."""
    if not isinstance(value, datetime):
        return value.isoformat()
    return value.isoformat(timespec="seconds" if value.second else "minutes")


def _calendar(low: int, high: int) -> _ThreeFields:
    """Return year (without a century field), month, day; years 100-126 give year 0, which is none."""
    two_digits = (high & 0xF0) >> 1 | low >> 5
    month, day = high & 0x0F, low & 0x1F
    year: Field
    if two_digits <= _LAST_YEAR_WITHOUT_CENTURY:
        year = 2000 + two_digits
    elif two_digits <= 99:
        year = 1900 + two_digits
    else:
        year = None if two_digits == _EVERY_YEAR else 0
    return year, None if month == _EVERY_MONTH else month, None if day == _EVERY_DAY else day


def _calendar_bytes(two_digits: int, month: Field, day: Field) -> bytes:
    return bytes(
        (
            (_EVERY_DAY if day is None else day) | (two_digits & 0x07) << 5,
            (_EVERY_MONTH if month is None else month) | (two_digits & 0x78) << 1,
        )
    )


def _two_digits(year: Field, value: Value) -> int:
    """Return the year of a type without a century field."""
    if year is None:
        return _EVERY_YEAR
    if not 1900 + _LAST_YEAR_WITHOUT_CENTURY < year <= 2000 + _LAST_YEAR_WITHOUT_CENTURY:
        raise invalid_value(value, "a date whose year the data type can hold")
    return year % 100


def _clock(hour: int, minute: int, second: int) -> _ThreeFields:
    hour, minute, second = hour & 0x1F, minute & 0x3F, second & 0x3F
    return (
        None if hour == _EVERY_HOUR else hour,
        None if minute == _EVERY_MINUTE else minute,
        None if second == _EVERY_SECOND else second,
    )


def _clock_bytes(hour: Field, minute: Field, second: Field) -> tuple[int, int, int]:
    """Return second, minute and hour as types F, I and J order them."""
    return (
        _EVERY_SECOND if second is None else second,
        _EVERY_MINUTE if minute is None else minute,
        _EVERY_HOUR if hour is None else hour,
    )


def _moment(calendar: _ThreeFields, time: _ThreeFields | None = None, notes: Notes = NO_NOTES) -> Decoded:
    """Return a date, or a date and time, or its pattern if a field is "every"."""
    year, month, day = calendar
    hour, minute, second = time or (0, 0, 0)
    if year is None or month is None or day is None or hour is None or minute is None or second is None:
        text = _pattern(calendar, time)
        return (text, (Note.EVERY, *notes)) if text else (None, (Note.NOT_A_DATE, *notes))
    try:
        if time is None:
            return date(year, month, day), notes
        return datetime(year, month, day, hour, minute, second), notes  # noqa: DTZ001  # device's local time
    except ValueError:
        return None, (Note.NOT_A_DATE, *notes)


def _pattern(calendar: _ThreeFields, time: _ThreeFields | None) -> str | None:
    """Return the text of a repeating date, or None if a field is out of range."""
    year, month, day = calendar
    if not (_within(year, 1900, 2299) and _within(month, 1, 12)):
        return None
    if not _within(day, 1, _MOST_DAYS[month - 1] if month else 31):
        return None
    if (month, day) == (2, 29) and year is not None and not isleap(year):
        return None
    text = f"{'*' if year is None else year}-{_two(month)}-{_two(day)}"
    if time is None:
        return text
    clock = _clock_text(*time)
    return clock and f"{text}T{clock}"


def _clock_text(hour: Field, minute: Field, second: Field) -> str | None:
    """Return the text of a time, seconds only where they are not zero; None if out of range."""
    if not (_within(hour, 0, 23) and _within(minute, 0, 59) and _within(second, 0, 59)):
        return None
    text = f"{_two(hour)}:{_two(minute)}"
    return text if second == 0 else f"{text}:{_two(second)}"


def _within(field: Field, smallest: int, largest: int) -> bool:
    return field is None or smallest <= field <= largest


def _two(field: Field) -> str:
    return "*" if field is None else f"{field:02d}"


def _fields(value: Value, form: re.Pattern[str]) -> list[Field]:
    """Return the fields of a date, a date and time, or their text or pattern.

    Raises:
        InvalidField: the value is of another kind, or out of range.
    """
    if isinstance(value, datetime) and form is _DATE_TIME and not value.microsecond and value.tzinfo is None:
        return [value.year, value.month, value.day, value.hour, value.minute, value.second]
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str):
        raise invalid_value(value, "a date or time")
    if form is _DATE_TIME and "T" not in text:
        text += "T00:00"
    match = form.fullmatch(text)
    if match is None:
        raise invalid_value(value, "a date or time of this data type")
    fields: list[Field] = [None if field == "*" else int(field or 0) for field in match.groups()]
    year, month, day = (2000, 1, 1) if form is _TIME else fields[:3]
    hour, minute, second = (0, 0, 0) if form is _DATE else fields[-3:]
    if _moment((year, month, day), (hour, minute, second))[0] is None:
        raise invalid_value(value, "a date or time")
    return fields
