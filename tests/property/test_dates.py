"""Dates of random bytes against a second reading of the layouts, written from the facts alone.

It reads field by field and knows nothing of the program's tables. Source: EN 13757-3 types F, G, I, J.
"""

from calendar import isleap, monthrange
from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from protocol.dates import DateTimeTypeF, DateTimeTypeI, DateTypeG, TimeTypeJ, iso_text
from protocol.values import Codec


def part(field: int, every: int, smallest: int, largest: int) -> str | None:
    if field == every:
        return "*"
    return f"{field:02d}" if smallest <= field <= largest else None


def day_text(low: int, high: int, hundreds: int = 0) -> str | None:
    year = (low >> 5) + 8 * (high >> 4)
    if year > 99:
        year_text = "*" if year == 127 else None
    elif hundreds:
        year_text = f"{1900 + 100 * (1 if hundreds == 2 else hundreds) + year}"
    else:
        year_text = f"{(2000 if year <= 80 else 1900) + year}"
    month, day = high & 15, low & 31
    texts = (year_text, part(month, 15, 1, 12), part(day, 0, 1, 31))
    if None in texts:
        return None
    known_year = 2000 if texts[0] == "*" else int(str(texts[0]))
    if month <= 12 and day > monthrange(known_year, month)[1]:
        return None
    return "-".join(map(str, texts))


def clock_text(hour: int, minute: int, second: int | None) -> str | None:
    texts = [part(hour, 31, 0, 23), part(minute, 63, 0, 59)]
    if second:
        texts.append(part(second, 63, 0, 59))
    return None if None in texts else ":".join(map(str, texts))


def joined(day: str | None, clock: str | None) -> str | None:
    return None if day is None or clock is None else f"{day}T{clock}"


def shown(codec: Codec, raw: bytes) -> object:
    value, notes = codec.decode(raw)
    assert value is not None or notes
    return iso_text(value) if isinstance(value, date) else value


@given(st.binary(min_size=2, max_size=2))
def test_type_g(raw: bytes) -> None:
    never = raw in (b"\0\0", b"\xff\xff")
    assert shown(DateTypeG(), raw) == (None if never else day_text(raw[0], raw[1]))


@given(st.binary(min_size=4, max_size=4))
@example(bytes.fromhex("3F003D12"))  # 29 February 2009
def test_type_f(raw: bytes) -> None:
    is_date = raw[0] < 0x80 and raw[2:] != b"\0\0"
    day = day_text(raw[2], raw[3], raw[1] >> 5 & 3)
    clock = clock_text(raw[1] & 31, raw[0] & 63, None)
    assert shown(DateTimeTypeF(), raw) == (joined(day, clock) if is_date else None)


@given(st.binary(min_size=6, max_size=6))
def test_type_i(raw: bytes) -> None:
    is_date = raw[1] < 0x80 and raw[3:5] != b"\0\0"
    clock = clock_text(raw[2] & 31, raw[1] & 63, raw[0] & 63)
    assert shown(DateTimeTypeI(), raw) == (joined(day_text(raw[3], raw[4]), clock) if is_date else None)


@given(st.binary(min_size=3, max_size=3))
def test_type_j(raw: bytes) -> None:
    assert shown(TimeTypeJ(), raw) == clock_text(raw[2] & 31, raw[1] & 63, raw[0] & 63)


def test_leap_days() -> None:
    days = {year: day_text(29 | (year % 8) << 5, 2 | year // 8 << 4) for year in range(81)}
    assert {year for year, text in days.items() if text} == {y for y in range(81) if isleap(2000 + y)}
