"""Fixed data structure of old wired meters (CI 73, 77): a number, a medium and two counters.

    number (4)   ACC (1)   status (1)   medium and units (2)   counter 1 (4)   counter 2 (4)

    status             b0 counters are signed binary, else BCD   b1 stored at the due date, else current
                       b2 low power   b3 permanent error   b4 temporary error   b7-5 manufacturer specific
    medium and units   byte 1: b7-6 medium bits 1-0   b5-0 unit of counter 1
                       byte 2: b7-6 medium bits 3-2   b5-0 unit of counter 2

A counter becomes the record that says the same: its header is not sent, its data are the counter.
Source: EN 1434-3; M-Bus documentation 4.8, with its example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocol.errors import Incomplete, InvalidField
from protocol.fields import unsigned
from protocol.lvar import text_bytes
from protocol.record_header import parse_header
from protocol.records import DataRecord, parse_data
from protocol.transport import STATUS_FLAGS

COUNTER_BYTES: Final = 4
FIXED_BYTES: Final = 16
FIXED_FIELDS: Final = (4, 1, 1, 2, COUNTER_BYTES, COUNTER_BYTES)
"""Sizes of the fields, which CI 77 sends most significant byte first."""

_IS_BINARY: Final = 0x01
_IS_STORED: Final = 0x02
_BCD_FIELD: Final = 0x0C
_BINARY_FIELD: Final = 0x04
_STORAGE_1: Final = 0x40
_UNIT: Final = 0x3F
_SAME_BUT_HISTORIC: Final = 0x3E
_RESERVED_VIF: Final = b"\x6f"
_TIMES_TEN: Final = 0x77
_EXTENSION: Final = 0x80

MEDIA: Final = (
    "other",
    "oil",
    "electricity",
    "gas",
    "heat",
    "steam",
    "hot water",
    "water",
    "heat cost allocator",
    "reserved",
    "gas, mode 2",
    "heat, mode 2",
    "hot water, mode 2",
    "water, mode 2",
    "heat cost allocator, mode 2",
    "reserved",
)
"""Names of the media; mode 2 is most significant byte first."""


@dataclass(frozen=True, slots=True)
class _UnitRow:
    """Nine units, each ten times the one before, and the eight codes of a VIF row that hold them."""

    first: int
    first_vif: int
    vif_exponent: int
    """Exponent of the first unit, counted from that of the first VIF."""


_UNIT_ROWS: Final = (
    _UnitRow(0x02, 0x00, 3),  # Wh to 100 MWh
    _UnitRow(0x0B, 0x08, 3),  # kJ to 100 GJ
    _UnitRow(0x14, 0x28, 3),  # W to 100 MW
    _UnitRow(0x1D, 0x30, 3),  # kJ/h to 100 GJ/h
    _UnitRow(0x26, 0x10, 0),  # ml to 100 m3
    _UnitRow(0x2F, 0x38, 0),  # ml/h to 100 m3/h
)
_UNITS_OF_ROW: Final = 9
_LAST_STEP: Final = 7


def _vib(row: _UnitRow, step: int) -> bytes:
    """Return VIF and VIFEs of a unit: beyond the last VIF of the row come factors of ten."""
    exponent = row.vif_exponent + step
    tens = max(0, exponent - _LAST_STEP)
    codes = [row.first_vif + exponent - tens, *[_TIMES_TEN] * tens]
    return bytes(code | _EXTENSION for code in codes[:-1]) + bytes(codes[-1:])


UNITS: Final[Mapping[int, bytes]] = {
    **{row.first + step: _vib(row, step) for row in _UNIT_ROWS for step in range(_UNITS_OF_ROW)},
    0x38: b"\xfc\x73" + text_bytes("degC"),  # which temperature is not told
    0x39: b"\x6e",
    0x3F: b"\xfd\x3a",
}
"""VIB of every unit; times of day and dates (00, 01) have no public coding, the others are reserved."""


@dataclass(frozen=True, slots=True)
class FixedData:
    """A fixed data structure.

    Attributes:
        id: identification number as shown, 8 digits.
        access_number: ACC.
        status: status byte.
        medium: code of `MEDIA`.
        units: codes of the units of both counters.
        records: both counters.
        rest: bytes behind them.
    """

    id: str
    access_number: int
    status: int
    medium: int
    units: tuple[int, int]
    records: tuple[DataRecord, ...]
    rest: bytes = b""

    @property
    def status_flags(self) -> tuple[str, ...]:
        """Words for the status bits that a device of a later standard has, too."""
        return STATUS_FLAGS[self.status & ~(_IS_BINARY | _IS_STORED)]

    @property
    def medium_name(self) -> str:
        """Name of the medium."""
        return MEDIA[self.medium]


def parse_fixed_data(body: bytes) -> FixedData:
    """Decode a fixed data structure.

    Raises:
        Incomplete: it is cut.
    """
    if len(body) < FIXED_BYTES:
        raise Incomplete("application", "truncated", "fixed data structure is cut", offset=len(body))
    first, second = body[6], body[7]
    units = first & _UNIT, second & _UNIT
    status = body[5]
    counters = body[8:12], body[12:FIXED_BYTES]
    headers = counter_headers(status, units)
    records = tuple(
        parse_data(parse_header(header), counter) for header, counter in zip(headers, counters, strict=True)
    )
    medium = first >> 6 | second >> 6 << 2
    return FixedData(body[3::-1].hex(), body[4], status, medium, units, records, body[FIXED_BYTES:])


def counter_headers(status: int, units: tuple[int, int]) -> tuple[bytes, bytes]:
    """Return DIB and VIB of the records that say what both counters say."""
    dif = _BINARY_FIELD if status & _IS_BINARY else _BCD_FIELD
    stored = _STORAGE_1 if status & _IS_STORED else 0
    first, second = units
    is_historic = second == _SAME_BUT_HISTORIC
    vibs = UNITS.get(first, _RESERVED_VIF), UNITS.get(first if is_historic else second, _RESERVED_VIF)
    return (
        bytes((dif | stored,)) + vibs[0],
        bytes((dif | (_STORAGE_1 if is_historic else stored),)) + vibs[1],
    )


def encode_fixed_data(data: FixedData) -> bytes:
    """Encode a fixed data structure.

    Raises:
        InvalidField: a part does not fit its field, or the records are not two counters.
    """
    counters = [record.raw for record in data.records]
    if [len(counter) for counter in counters] != [COUNTER_BYTES] * 2:
        raise InvalidField(
            "application", "value_invalid", "a fixed data structure has two counters of 4 bytes"
        )
    try:
        number = bytes.fromhex(data.id)[::-1]
    except ValueError:
        number = b""
    if len(number) != COUNTER_BYTES:
        raise InvalidField("application", "value_invalid", f"id {data.id!r} has not 8 hex digits")
    if not 0 <= data.medium < len(MEDIA) or not all(0 <= unit <= _UNIT for unit in data.units):
        raise InvalidField("application", "value_invalid", "no such medium or unit")
    first, second = data.units
    media_and_units = bytes((first | (data.medium & 3) << 6, second | data.medium >> 2 << 6))
    access_number = unsigned("application", "access number", data.access_number)
    status = unsigned("application", "status", data.status)
    return number + access_number + status + media_and_units + b"".join(counters) + data.rest
