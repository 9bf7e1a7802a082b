"""DLMS/COSEM payloads: what meters push or answer, in A-XDR.

    [SAPs (2)] DataNotification     0F, invoke id (4), length and date-time (0 or 12), data   [fillers 2F]
    [SAPs (2)] GetResponse          C4 01, invoke id (1), 00, data
    [SAPs (2)] data alone

    data         a tag and what its type says; arrays and structures: tag, count, elements
    values       OBIS code, value, structure (scaler, unit): alone in a structure or one after another,
                 or a push list, array of (class, OBIS code, attribute, index), then a value for each

No library fits: dlms-cosem has no free licence from version 24 on and its last free release reads no
text, gurux-dlms is GPL-2.0-only and loops for ever on some nine bytes. What is needed is small.
Source: IEC 62056-5-3 (APDUs, A-XDR), IEC 62056-6-2 (data types, push list), EN 13757-1 (SAPs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from math import isfinite
from struct import Struct
from typing import Final

from sdr.payloads import PayloadReading, PayloadReadings, PayloadUnsupported, Value, payload_reading

_NULL: Final = 0
_ARRAY: Final = 1
_STRUCTURE: Final = 2
_BIT_STRING: Final = 4
_OCTETS: Final = 9
_INTEGER: Final = 15
_LONG_UNSIGNED: Final = 18
_COMPACT_ARRAY: Final = 19
_ENUM: Final = 22
_DATE_TIME: Final = 25
_DONT_CARE: Final = 255

_NUMBERS: Final = {
    3: Struct(">?"),
    5: Struct(">i"),
    6: Struct(">I"),
    _INTEGER: Struct(">b"),
    16: Struct(">h"),
    17: Struct(">B"),
    _LONG_UNSIGNED: Struct(">H"),
    20: Struct(">q"),
    21: Struct(">Q"),
    _ENUM: Struct(">B"),
    23: Struct(">f"),
    24: Struct(">d"),
}
"""Data types that are one number."""
_FIXED_BYTES: Final = {13: 1, _DATE_TIME: 12, 26: 5, 27: 4}
"""Length of BCD, date-time, date and time."""
_TEXTS: Final = {_OCTETS: "ascii", 10: "ascii", 12: "utf-8"}
"""Octet, visible and UTF-8 strings, and what they hold if they are text."""

_DATA_NOTIFICATION: Final = 0x0F
_GET_RESPONSE: Final = 0xC4
_NORMAL: Final = 0x01
_CIPHERED: Final = frozenset((*range(0xC8, 0xD8), *range(0xDB, 0xE0)))
"""Tags of APDUs that are encrypted or signed."""
_APDUS: Final = _CIPHERED | {_DATA_NOTIFICATION, _GET_RESPONSE}

_SAP_BYTES: Final = 2
_OBIS_BYTES: Final = 6
_CLOCK: Final = "0-0:1.0.0*255"
_CLOCK_FIELDS: Final = Struct(">HBBBBBBBhB")
_NO_DEVIATION: Final = -0x8000
_NOT_SPECIFIED: Final = 0xFF
_PUSH_OBJECT: Final = [_LONG_UNSIGNED, _OCTETS, _INTEGER, _LONG_UNSIGNED]
_DEEPEST: Final = 32
_FILLER: Final = b"\x2f"


@dataclass(frozen=True, slots=True)
class _Item:
    """One element of data: its tag, and what stands behind it."""

    tag: int
    content: int | float | bytes | tuple[_Item, ...] | None

    @property
    def elements(self) -> tuple[_Item, ...]:
        """Elements of an array or a structure."""
        return self.content if isinstance(self.content, tuple) else ()


class _Reader:
    """Takes bytes from the front, never more than there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def rest(self) -> bytes:
        """What was not read."""
        return self._data[self._place :]

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        part = self._data[self._place : self._place + count]
        if len(part) < count:
            raise ValueError("the data are cut")
        self._place += count
        return part

    def count(self) -> int:
        """Return a length or count: below 80, or 8n and n bytes."""
        first = self.take(1)[0]
        return first if first < 0x80 else int.from_bytes(self.take(first & 0x7F), "big")

    def item(self, depth: int = 0) -> _Item:
        """Return the next element."""
        tag = self.take(1)[0]
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        if tag in (_ARRAY, _STRUCTURE):
            # Every element has a tag at least, so that a count without elements ends with the bytes.
            return _Item(tag, tuple(self.item(depth + 1) for _ in range(self.count())))
        if tag in _NUMBERS:
            return _Item(tag, _NUMBERS[tag].unpack(self.take(_NUMBERS[tag].size))[0])
        if tag in _FIXED_BYTES:
            return _Item(tag, self.take(_FIXED_BYTES[tag]))
        if tag in _TEXTS:
            return _Item(tag, self.take(self.count()))
        if tag == _BIT_STRING:
            return _Item(tag, self.take(-(-self.count() // 8)))
        if tag in (_NULL, _DONT_CARE):
            return _Item(tag, None)
        if tag == _COMPACT_ARRAY:
            raise PayloadUnsupported("compact array")
        raise ValueError(f"no data type {tag:02X}")


def read(data: bytes) -> PayloadReadings:
    """Read a payload.

    Raises:
        ValueError: it is cut, or neither an APDU nor data.
        PayloadUnsupported: an APDU or a data type that is only recognised.
    """
    if not data.strip(_FILLER):
        raise ValueError("no bytes")
    if data[0] in _APDUS:
        return _read_apdu(data)
    behind_saps = data[_SAP_BYTES:]
    if data[0] not in (_ARRAY, _STRUCTURE):
        return _read_apdu(behind_saps)
    try:
        return _read_data(data, None)
    except ValueError:
        # 01 and 02 are SAPs, too.
        if behind_saps[:1] and behind_saps[0] in _APDUS:
            return _read_apdu(behind_saps)
        raise


def _read_apdu(apdu: bytes) -> PayloadReadings:
    reader = _Reader(apdu)
    tag = reader.take(1)[0]
    if tag in _CIPHERED:
        return PayloadReadings("dlms", notes=("payload_encrypted",))
    if tag == _DATA_NOTIFICATION:
        reader.take(4)
        sent_at = _moment(reader.take(reader.count()))
        return _read_data(reader.rest, sent_at if isinstance(sent_at, datetime) else None)
    if tag in (_ARRAY, _STRUCTURE):
        return _read_data(apdu, None)
    if tag == _GET_RESPONSE and reader.take(3)[::2] == bytes((_NORMAL, 0)):
        return _read_data(reader.rest, None)
    raise PayloadUnsupported(f"APDU {tag:02X}")


def _read_data(data: bytes, sent_at: datetime | None) -> PayloadReadings:
    reader = _Reader(data)
    items = (reader.item(),)
    notes = ("payload_bytes_left_over",) if reader.rest.strip(_FILLER) else ()
    return PayloadReadings("dlms", tuple(_readings(items, sent_at)), notes)


def _readings(items: Sequence[_Item], at: datetime | None) -> Iterator[PayloadReading]:
    """Yield the values of a list, each with the OBIS code before it or from the push list in front."""
    pushed = _push_list(items)
    if pushed:
        for code, item in zip(pushed[1:], items[1:], strict=True):
            yield payload_reading(code, _value(item, code), at=at)
        return
    place = 0
    while place < len(items):
        item, behind = items[place], items[place + 1 : place + 3]
        obis = _obis(item)
        if _is_push_object(item):
            pass
        elif item.tag in (_ARRAY, _STRUCTURE):
            yield from _readings(item.elements, at)
        elif obis is not None and behind and behind[0].tag not in (_ARRAY, _STRUCTURE):
            scaler, unit = _scaler_unit(behind[1:])
            yield payload_reading(obis, _value(behind[0], obis), scaler=scaler, unit=unit, at=at)
            place += 1 if unit is None else 2
        else:
            yield payload_reading(None, _value(item, None), at=at)
        place += 1


def _push_list(items: Sequence[_Item]) -> list[str]:
    """Return the OBIS code of every item where the first item names them, else nothing."""
    objects = items[0].elements if len(items) > 1 else ()
    if len(objects) != len(items) or not all(map(_is_push_object, objects)):
        return []
    return [_obis(named.elements[1]) or "" for named in objects]


def _is_push_object(item: _Item) -> bool:
    """Whether a structure names an object instead of giving a value: class, OBIS code, attribute, index."""
    tags = [element.tag for element in item.elements]
    return tags == _PUSH_OBJECT and _obis(item.elements[1]) is not None


def _obis(item: _Item) -> str | None:
    if item.tag != _OCTETS or not isinstance(item.content, bytes) or len(item.content) != _OBIS_BYTES:
        return None
    a, b, c, d, e, f = item.content
    return f"{a}-{b}:{c}.{d}.{e}*{f}"


def _scaler_unit(behind: Sequence[_Item]) -> tuple[int | None, int | None]:
    """Return the exponent and the unit code of a structure that holds these two."""
    elements = behind[0].elements if behind else ()
    if [element.tag for element in elements] != [_INTEGER, _ENUM]:
        return None, None
    scaler, unit = (element.content for element in elements)
    return (scaler, unit) if isinstance(scaler, int) and isinstance(unit, int) else (None, None)


def _value(item: _Item, obis: str | None) -> Value:
    """Return the value of an element: number, text, date and time, or hex."""
    content = item.content
    if isinstance(content, float) and not isfinite(content):
        return _NUMBERS[item.tag].pack(content).hex()
    if isinstance(content, tuple):
        return None
    if not isinstance(content, bytes):
        return content
    if item.tag == _DATE_TIME or obis == _CLOCK:
        return _moment(content)
    encoding = _TEXTS.get(item.tag)
    if encoding is None:
        return content.hex()
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return content.hex()
    return text if text.isprintable() else content.hex()


def _moment(content: bytes) -> datetime | str:
    """Return a date-time; as hex what is none, or has open fields."""
    if len(content) != _CLOCK_FIELDS.size:
        return content.hex()
    year, month, day, _, hour, minute, second, _, deviation_minutes, _ = _CLOCK_FIELDS.unpack(content)
    second = 0 if second == _NOT_SPECIFIED else second
    try:
        # The deviation leads from local time to UTC.
        zone = None if deviation_minutes == _NO_DEVIATION else timezone(timedelta(minutes=-deviation_minutes))
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return content.hex()
