"""The VIF tables as rows: what every value information code means.

    table     bytes             selected by
    PRIMARY   VIF               -
    FB        FB, code          first extension table
    FD        FD, code          second extension table
    FD_FD     FD, FD, code      extension of the second table (VIFE 7D of table FD)

The value of a record is its data times 10**exponent times 2**binary_exponent, in ``unit``. Along a
row the exponent grows by one from code to code, or the unit walks through ``units``. The rows are
expanded once into ``VIF_CODES``; the encoder uses the same dictionary the other way round.
Source: EN 13757-3:2018; rows noted ``OBSOLETE_VIF`` from M-Bus documentation 4.8, rows noted
``UNCERTAIN_VIF`` rest on a single library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocol.notes import Note


class VifTable(Enum):
    """A VIF table; the value is the bytes that select it, extension bits set."""

    PRIMARY = b""
    FB = b"\xfb"
    FD = b"\xfd"
    FD_FD = b"\xfd\xfd"


class ValueKind(Enum):
    """Which data types (A, B, C…) the data of a VIF take; the data field picks among them."""

    NUMBER = "signed number: B, A, H"
    UNSIGNED = "unsigned number: C, A, H, or text"
    FLAGS = "bit array: D"
    IDENTIFIER = "digits kept as text: A, C"
    IDENTIFICATION = "digits as text, or a whole address in 8 bytes"
    DATE = "G"
    DATE_TIME = "F, I, J, M"
    ANY_DATE = "G, F, I, J, M"
    OPAQUE = "bytes, shown as hex"
    PROFILE = "load profile in LVAR data"


@dataclass(frozen=True, slots=True)
class VifRow:
    """One printed row: ``count`` codes from ``first`` on.

    Attributes:
        first: first code, extension bit clear.
        count: number of codes.
        quantity: word of the closed vocabulary.
        units: one unit for all codes, one for each, or none.
        exponent: decimal exponent of the first code.
        printed: value of one data step for the first and for the last code, as printed.
        binary_exponent: binary exponent of every code.
        kind: data types that the data may take.
        notes: said of every reading with this code.
    """

    first: int
    count: int
    quantity: str
    units: tuple[str, ...] = ()
    exponent: int = 0
    printed: tuple[str, str] = ("1", "1")
    binary_exponent: int = 0
    kind: ValueKind = ValueKind.NUMBER
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class VifCode:
    """One code of a table: a row at one of its steps."""

    table: VifTable
    code: int
    quantity: str
    unit: str | None
    exponent: int
    binary_exponent: int
    kind: ValueKind
    notes: tuple[Note, ...]


RESERVED_TABLE_VIF: Final = 0x6F
PLAIN_TEXT_VIF: Final = 0x7C
MANUFACTURER_VIF: Final = 0x7F

_UNSIGNED = ValueKind.UNSIGNED
_FLAGS = ValueKind.FLAGS
_OPAQUE = ValueKind.OPAQUE
_SECONDS_TO_DAYS = ("s", "min", "h", "d")
_HOURS_TO_YEARS = ("h", "d", "month", "year")
_MONTHS_YEARS = ("month", "year")
_OBSOLETE = (Note.OBSOLETE_VIF,)
_UNCERTAIN = (Note.UNCERTAIN_VIF,)


def _reserved(first: int, count: int = 1, notes: tuple[Note, ...] = (Note.RESERVED_VIF,)) -> VifRow:
    return VifRow(first, count, "reserved", kind=_OPAQUE, notes=notes)


PRIMARY_ROWS: Final = (
    VifRow(0x00, 8, "energy", ("Wh",), -3, ("0.001", "10000")),
    VifRow(0x08, 8, "energy", ("J",), 0, ("1", "10000000")),
    VifRow(0x10, 8, "volume", ("m3",), -6, ("0.000001", "10")),
    VifRow(0x18, 8, "mass", ("kg",), -3, ("0.001", "10000")),
    VifRow(0x20, 4, "on time", _SECONDS_TO_DAYS),
    VifRow(0x24, 4, "operating time", _SECONDS_TO_DAYS),
    VifRow(0x28, 8, "power", ("W",), -3, ("0.001", "10000")),
    VifRow(0x30, 8, "power", ("J/h",), 0, ("1", "10000000")),
    VifRow(0x38, 8, "volume flow", ("m3/h",), -6, ("0.000001", "10")),
    VifRow(0x40, 8, "volume flow", ("m3/min",), -7, ("0.0000001", "1")),
    VifRow(0x48, 8, "volume flow", ("m3/s",), -9, ("0.000000001", "0.01")),
    VifRow(0x50, 8, "mass flow", ("kg/h",), -3, ("0.001", "10000")),
    VifRow(0x58, 4, "flow temperature", ("degC",), -3, ("0.001", "1")),
    VifRow(0x5C, 4, "return temperature", ("degC",), -3, ("0.001", "1")),
    VifRow(0x60, 4, "temperature difference", ("K",), -3, ("0.001", "1")),
    VifRow(0x64, 4, "external temperature", ("degC",), -3, ("0.001", "1")),
    VifRow(0x68, 4, "pressure", ("bar",), -3, ("0.001", "1")),
    VifRow(0x6C, 1, "date", kind=ValueKind.DATE),
    VifRow(0x6D, 1, "date and time", kind=ValueKind.DATE_TIME),
    VifRow(0x6E, 1, "heat cost allocation units", ("HCA",)),
    _reserved(RESERVED_TABLE_VIF),
    VifRow(0x70, 4, "averaging duration", _SECONDS_TO_DAYS),
    VifRow(0x74, 4, "actuality duration", _SECONDS_TO_DAYS),
    VifRow(0x78, 1, "fabrication number", kind=ValueKind.IDENTIFIER),
    VifRow(0x79, 1, "identification", kind=ValueKind.IDENTIFICATION),
    VifRow(0x7A, 1, "address", kind=ValueKind.IDENTIFIER),
    _reserved(0x7B),  # FB selects table FB; without the extension bit nothing follows
    VifRow(PLAIN_TEXT_VIF, 1, "unspecified"),
    _reserved(0x7D),  # FD selects table FD
    VifRow(0x7E, 1, "any", kind=_OPAQUE),
    VifRow(MANUFACTURER_VIF, 1, "manufacturer specific", kind=_OPAQUE, notes=(Note.MANUFACTURER_SPECIFIC,)),
)

FB_ROWS: Final = (
    VifRow(0x00, 2, "energy", ("MWh",), -1, ("0.1", "1")),
    VifRow(0x02, 2, "reactive energy", ("kvarh",), 0, ("1", "10")),
    VifRow(0x04, 2, "apparent energy", ("kVAh",), 0, ("1", "10")),
    VifRow(0x06, 1, "coefficient of performance", (), -1, ("0.1", "0.1"), notes=_UNCERTAIN),
    _reserved(0x07),
    VifRow(0x08, 2, "energy", ("GJ",), -1, ("0.1", "1")),
    _reserved(0x0A, 2),
    VifRow(0x0C, 4, "energy", ("Mcal",), -1, ("0.1", "100")),
    VifRow(0x10, 2, "volume", ("m3",), 2, ("100", "1000")),
    _reserved(0x12, 2),
    VifRow(0x14, 4, "reactive power", ("kvar",), -3, ("0.001", "1")),
    VifRow(0x18, 2, "mass", ("t",), 2, ("100", "1000")),
    VifRow(0x1A, 2, "relative humidity", ("%",), -1, ("0.1", "1")),
    _reserved(0x1C, 4),
    VifRow(0x20, 1, "volume", ("ft3",)),
    VifRow(0x21, 1, "volume", ("ft3",), -1, ("0.1", "0.1")),
    VifRow(0x22, 1, "volume", ("gal",), -1, ("0.1", "0.1"), notes=_OBSOLETE),
    # Once 1 US gallon, by one library now a phase angle: the data stay bytes.
    _reserved(0x23, notes=(Note.RESERVED_VIF, Note.UNCERTAIN_VIF)),
    VifRow(0x24, 1, "volume flow", ("gal/min",), -3, ("0.001", "0.001"), notes=_OBSOLETE),
    VifRow(0x25, 1, "volume flow", ("gal/min",), notes=_OBSOLETE),
    VifRow(0x26, 1, "volume flow", ("gal/h",), notes=_OBSOLETE),
    _reserved(0x27),
    VifRow(0x28, 2, "power", ("MW",), -1, ("0.1", "1")),
    VifRow(0x2A, 1, "phase angle U-U", ("deg",), -1, ("0.1", "0.1")),
    VifRow(0x2B, 1, "phase angle U-I", ("deg",), -1, ("0.1", "0.1")),
    VifRow(0x2C, 4, "frequency", ("Hz",), -3, ("0.001", "1")),
    VifRow(0x30, 2, "power", ("GJ/h",), -1, ("0.1", "1")),
    _reserved(0x32, 2),
    VifRow(0x34, 4, "apparent power", ("kVA",), -3, ("0.001", "1")),
    _reserved(0x38, 32),
    VifRow(0x58, 4, "flow temperature", ("degF",), -3, ("0.001", "1"), notes=_OBSOLETE),
    VifRow(0x5C, 4, "return temperature", ("degF",), -3, ("0.001", "1"), notes=_OBSOLETE),
    VifRow(0x60, 4, "temperature difference", ("degF",), -3, ("0.001", "1"), notes=_OBSOLETE),
    VifRow(0x64, 4, "external temperature", ("degF",), -3, ("0.001", "1"), notes=_OBSOLETE),
    VifRow(0x68, 1, "heat cost allocator rating factor K", binary_exponent=-12),
    VifRow(0x69, 1, "thermal output rating factor KQ", ("W",)),
    VifRow(0x6A, 1, "thermal coupling factor Kc", binary_exponent=-12),
    VifRow(0x6B, 1, "thermal coupling factor Kcr", binary_exponent=-12),
    VifRow(0x6C, 1, "thermal coupling factor Kch", binary_exponent=-12),
    VifRow(0x6D, 1, "low temperature rating factor KT", binary_exponent=-12),
    VifRow(0x6E, 1, "display scaling factor KD", binary_exponent=-12),
    _reserved(0x6F),
    VifRow(0x70, 4, "cold or warm temperature limit", ("degF",), -3, ("0.001", "1"), notes=_OBSOLETE),
    VifRow(0x74, 4, "cold or warm temperature limit", ("degC",), -3, ("0.001", "1")),
    VifRow(0x78, 8, "cumulative maximum active power", ("W",), -3, ("0.001", "10000")),
)

FD_ROWS: Final = (
    VifRow(0x00, 4, "credit", ("currency",), -3, ("0.001", "1")),
    VifRow(0x04, 4, "debit", ("currency",), -3, ("0.001", "1")),
    VifRow(0x08, 1, "unique message identification", kind=_UNSIGNED),
    VifRow(0x09, 1, "device type", kind=_UNSIGNED),
    VifRow(0x0A, 1, "manufacturer", kind=_UNSIGNED),
    VifRow(0x0B, 1, "parameter set identification", kind=_UNSIGNED),
    VifRow(0x0C, 1, "model or version", kind=_UNSIGNED),
    VifRow(0x0D, 1, "hardware version", kind=_UNSIGNED),
    VifRow(0x0E, 1, "metrology firmware version", kind=_UNSIGNED),
    VifRow(0x0F, 1, "other software version", kind=_UNSIGNED),
    VifRow(0x10, 1, "customer location", kind=_UNSIGNED),
    VifRow(0x11, 1, "customer", kind=_UNSIGNED),
    VifRow(0x12, 1, "access code user", kind=_UNSIGNED),
    VifRow(0x13, 1, "access code operator", kind=_UNSIGNED),
    VifRow(0x14, 1, "access code system operator", kind=_UNSIGNED),
    VifRow(0x15, 1, "access code developer", kind=_UNSIGNED),
    VifRow(0x16, 1, "password", kind=_UNSIGNED),
    VifRow(0x17, 1, "error flags", kind=_FLAGS),
    VifRow(0x18, 1, "error mask", kind=_FLAGS),  # a mask of all ones is a value, not "invalid"
    VifRow(0x19, 1, "security key", kind=_UNSIGNED),
    VifRow(0x1A, 1, "digital output", kind=_FLAGS),
    VifRow(0x1B, 1, "digital input", kind=_FLAGS),
    VifRow(0x1C, 1, "baud rate", ("Bd",), kind=_UNSIGNED),
    VifRow(0x1D, 1, "response delay", ("bit",), kind=_UNSIGNED),
    VifRow(0x1E, 1, "retry", kind=_UNSIGNED),
    VifRow(0x1F, 1, "remote control", kind=_UNSIGNED),
    VifRow(0x20, 1, "first storage number", kind=_UNSIGNED),
    VifRow(0x21, 1, "last storage number", kind=_UNSIGNED),
    VifRow(0x22, 1, "size of storage block", kind=_UNSIGNED),
    VifRow(0x23, 1, "descriptor of tariff and subunit", kind=_UNSIGNED),
    VifRow(0x24, 4, "storage interval", _SECONDS_TO_DAYS),
    VifRow(0x28, 2, "storage interval", _MONTHS_YEARS),
    VifRow(0x2A, 1, "operator specific data", kind=_UNSIGNED),
    VifRow(0x2B, 1, "time point second", ("s",), kind=_UNSIGNED),
    VifRow(0x2C, 4, "duration since last readout", _SECONDS_TO_DAYS),
    VifRow(0x30, 1, "start of tariff", kind=ValueKind.ANY_DATE),
    VifRow(0x31, 3, "duration of tariff", _SECONDS_TO_DAYS[1:]),
    VifRow(0x34, 4, "period of tariff", _SECONDS_TO_DAYS),
    VifRow(0x38, 2, "period of tariff", _MONTHS_YEARS),
    VifRow(0x3A, 1, "dimensionless"),
    VifRow(0x3B, 1, "container wireless M-Bus", kind=_OPAQUE),
    VifRow(0x3C, 4, "period of nominal data transmissions", _SECONDS_TO_DAYS),
    VifRow(0x40, 16, "voltage", ("V",), -9, ("0.000000001", "1000000")),
    VifRow(0x50, 16, "current", ("A",), -12, ("0.000000000001", "1000")),
    VifRow(0x60, 1, "reset counter", kind=_UNSIGNED),
    VifRow(0x61, 1, "cumulation counter", kind=_UNSIGNED),
    VifRow(0x62, 1, "control signal", kind=_UNSIGNED),
    VifRow(0x63, 1, "day of week", kind=_UNSIGNED),
    VifRow(0x64, 1, "week number", kind=_UNSIGNED),
    VifRow(0x65, 1, "time point of day change", kind=_UNSIGNED),
    VifRow(0x66, 1, "state of parameter activation", kind=_UNSIGNED),
    VifRow(0x67, 1, "special supplier information", kind=_UNSIGNED),
    VifRow(0x68, 4, "duration since last cumulation", _HOURS_TO_YEARS),
    VifRow(0x6C, 4, "battery operating time", _HOURS_TO_YEARS),
    VifRow(0x70, 1, "battery change", kind=ValueKind.ANY_DATE),
    VifRow(0x71, 1, "RF level", ("dBm",)),
    VifRow(0x72, 1, "daylight saving", kind=_OPAQUE, notes=(Note.DATA_TYPE_UNSUPPORTED,)),
    VifRow(0x73, 1, "listening window management", kind=_OPAQUE, notes=(Note.DATA_TYPE_UNSUPPORTED,)),
    VifRow(0x74, 1, "remaining battery life", ("d",)),
    VifRow(0x75, 1, "number of stops", kind=_UNSIGNED),
    VifRow(0x76, 1, "container manufacturer specific protocol", kind=_OPAQUE),
    _reserved(0x77, 6),
    _reserved(0x7D),  # FD FD selects the extension of this table
    _reserved(0x7E, 2),
)

FD_FD_ROWS: Final = (
    VifRow(0x00, 1, "selected application", kind=_UNSIGNED),
    _reserved(0x01),
    VifRow(0x02, 2, "remaining battery life", _MONTHS_YEARS),
    _reserved(0x04, 58),
    VifRow(0x3E, 1, "moisture", ("%",), notes=_UNCERTAIN),
    _reserved(0x3F, 65),
)

VIF_ROWS: Final = {
    VifTable.PRIMARY: PRIMARY_ROWS,
    VifTable.FB: FB_ROWS,
    VifTable.FD: FD_ROWS,
    VifTable.FD_FD: FD_FD_ROWS,
}


def _expand(table: VifTable, row: VifRow) -> tuple[VifCode, ...]:
    """Return the codes of one row, in order."""
    walks_units = len(row.units) > 1
    is_scaled = row.kind is ValueKind.NUMBER and not walks_units
    return tuple(
        VifCode(
            table=table,
            code=row.first + step,
            quantity=row.quantity,
            unit=row.units[step if walks_units else 0] if row.units else None,
            exponent=row.exponent + (step if is_scaled else 0),
            binary_exponent=row.binary_exponent,
            kind=row.kind,
            notes=row.notes,
        )
        for step in range(row.count)
    )


def _expanded(table: VifTable) -> dict[int, VifCode]:
    return {code.code: code for row in VIF_ROWS[table] for code in _expand(table, row)}


VIF_CODES: Final = {table: _expanded(table) for table in VifTable}
"""Every code of every table, by table and code (extension bit clear)."""
