"""The header of a record, DIB and VIB together, and the codec that they give its data.

Meters repeat few headers, so ``parse_header`` remembers what it has parsed, in bounded memory.
Source: EN 13757-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocol.dates import DateTimeTypeF, DateTimeTypeI, DateTypeG, TimeTypeJ
from protocol.dif import SPECIAL, Coding, Dib, Place, parse_dib
from protocol.errors import InvalidField
from protocol.lvar import OpaqueVariableLength, VariableLength
from protocol.notes import Note
from protocol.values import (
    Bcd,
    BcdIdentifier,
    Codec,
    IntegerType,
    Notes,
    NoValue,
    OpaqueBytes,
    Real32,
    integer_codec,
)
from protocol.vif import Vib, parse_vib, vib_end
from protocol.vif_table import ValueKind, VifTable

_MOST_REMEMBERED: Final = 1 << 13
_LONGEST_REMEMBERED_BYTES: Final = 64


class Role(Enum):
    """Records that say something about the other records of a telegram."""

    DATE = "date of the values of its storage number"
    PROFILE = "compact load profile"
    INTERVAL = "storage interval of a standard load profile"
    BLOCK_SIZE = "number of values of a standard load profile"
    LAST_STORAGE = "last storage number of a standard load profile"


@dataclass(frozen=True, slots=True, eq=False)
class RecordHeader:
    """DIB and VIB of a record, ready to decode and encode its data; each equals itself alone.

    Attributes:
        dib_vib: its bytes.
        dib: the data information block.
        vib: the value information block.
        codec: both directions of the data.
        length_bytes: length of the data; None if their first byte tells it (LVAR).
        has_variants: the usual coding of a value need not be the one sent.
        problem: why the record cannot be understood, or None.
        role: what it says about other records, or None.
        place: function, storage, tariff and subunit.
        is_dated: a date record of the same place is the date of its value.
    """

    dib_vib: bytes
    dib: Dib
    vib: Vib
    codec: Codec
    length_bytes: int | None
    has_variants: bool
    problem: Note | None
    role: Role | None
    place: Place
    is_dated: bool


_INTEGER_TYPES: Final = {
    ValueKind.NUMBER: IntegerType.B,
    ValueKind.UNSIGNED: IntegerType.C,
    ValueKind.FLAGS: IntegerType.D,
    ValueKind.IDENTIFIER: IntegerType.C,
    ValueKind.IDENTIFICATION: IntegerType.C,
}

_DATES: Final[dict[int, Codec]] = {0x2: DateTypeG()}
_DATE_TIMES: Final[dict[int, Codec]] = {0x3: TimeTypeJ(), 0x4: DateTimeTypeF(), 0x6: DateTimeTypeI()}
_DATE_TYPES: Final = {
    ValueKind.DATE: _DATES,
    ValueKind.DATE_TIME: _DATE_TIMES,
    ValueKind.ANY_DATE: _DATES | _DATE_TIMES,
}
"""Data type of a date by the code of its data field."""

_ROLES: Final = {
    (VifTable.PRIMARY, 0x6C): Role.DATE,
    (VifTable.PRIMARY, 0x6D): Role.DATE,
    (VifTable.FD, 0x21): Role.LAST_STORAGE,
    (VifTable.FD, 0x22): Role.BLOCK_SIZE,
} | {(VifTable.FD, code): Role.INTERVAL for code in range(0x24, 0x2A)}

_DATED_KINDS: Final = (ValueKind.NUMBER, ValueKind.FLAGS)
_WHOLE_ADDRESS: Final = 0x7

REMEMBERED: Final[dict[bool, dict[bytes, RecordHeader]]] = {False: {}, True: {}}
"""Headers parsed before, by their bytes: of records from devices, and (True) of commands to them."""


def parse_header(dib_vib: bytes, *, to_device: bool = False) -> RecordHeader:
    """Return the meaning of a whole header, cut to length by its extension bits.

    Args:
        dib_vib: DIF, DIFEs, VIF, VIFEs and text; the DIF is not a special one.
        to_device: the record is part of a command.
    """
    remembered = REMEMBERED[to_device]
    header = remembered.get(dib_vib)
    if header is None:
        header = _parse(dib_vib, to_device)
        if len(dib_vib) <= _LONGEST_REMEMBERED_BYTES:
            if len(remembered) >= _MOST_REMEMBERED:
                remembered.clear()
            remembered[dib_vib] = header
    return header


def checked_header(dib_vib: bytes, *, to_device: bool = False) -> RecordHeader:
    """Return the meaning of a header that comes from elsewhere than a telegram.

    Raises:
        InvalidField: it is not exactly one DIB and one VIB.
    """
    try:
        whole = dib_vib[0] & 0x0F != SPECIAL and vib_end(dib_vib, dib_end(dib_vib)) == len(dib_vib)
    except IndexError:
        whole = False
    if not whole:
        raise InvalidField("application", "header_invalid", f"{dib_vib.hex()} is no DIB and VIB")
    return parse_header(dib_vib, to_device=to_device)


def dib_end(data: bytes, start: int = 0) -> int:
    """Return the offset behind the DIB that starts at ``start``.

    Raises:
        IndexError: the data end before the DIB does.
    """
    while data[start] & 0x80:
        start += 1
    return start + 1


def _parse(dib_vib: bytes, to_device: bool) -> RecordHeader:
    end = dib_end(dib_vib)
    dib = parse_dib(dib_vib[:end])
    vib = parse_vib(dib_vib[end:], to_device=to_device)
    role = _role(vib)
    problem = None
    if dib.too_many_dife:
        problem = Note.TOO_MANY_DIFE
    elif vib.too_many_vife:
        problem = Note.TOO_MANY_VIFE
    return RecordHeader(
        dib_vib=dib_vib,
        dib=dib,
        vib=vib,
        codec=_codec(dib, vib, problem),
        length_bytes=dib.data_field.length_bytes,
        has_variants=_has_variants(dib, vib),
        problem=problem,
        role=role,
        place=dib.place,
        is_dated=role is None and vib.kind in _DATED_KINDS,
    )


def _has_variants(dib: Dib, vib: Vib) -> bool:
    """Whether a value without notes may be coded in several ways, or (a scaled float) lose its last bits.

    All bits of a date of type G are its own; the other dates have bits that the value does not show.
    """
    if dib.data_field.coding is Coding.REAL and not vib.scale.is_identity:
        return True
    if vib.kind in _DATE_TYPES:
        return dib.data_field.code not in _DATES
    return dib.data_field.coding is Coding.VARIABLE


def _role(vib: Vib) -> Role | None:
    if vib.kind is ValueKind.PROFILE:
        return Role.PROFILE
    return None if vib.has_vife else _ROLES.get((vib.base.table, vib.base.code))


def _codec(dib: Dib, vib: Vib, problem: Note | None) -> Codec:
    """Return the data type of a record's data, from its data field and its VIB."""
    field = dib.data_field
    # An empty LVAR is the shortest data of variable length.
    length_bytes = 1 if field.length_bytes is None else field.length_bytes
    if problem is not None:
        return NoValue(length_bytes, (problem,))
    if vib.is_void:
        return NoValue(length_bytes, ())
    if field.coding is Coding.NONE:
        return NoValue(0, (Note.NO_DATA,))
    if field.coding is Coding.SELECTION:
        return NoValue(0, (Note.SELECTION_FOR_READOUT,))
    if vib.kind in _DATE_TYPES:
        codec = _DATE_TYPES[vib.kind].get(field.code)
        if codec is not None:
            return codec
        if field.coding is Coding.VARIABLE and vib.kind is not ValueKind.DATE:
            return OpaqueVariableLength((Note.DATA_TYPE_UNSUPPORTED,))  # type M
        return _opaque(dib, (Note.DATA_FIELD_MISMATCH,))
    if vib.kind is ValueKind.PROFILE:
        if field.coding is not Coding.VARIABLE:
            return _opaque(dib, (Note.DATA_FIELD_MISMATCH,))
        return OpaqueVariableLength((Note.PROFILE,))
    if vib.kind is ValueKind.OPAQUE or (
        vib.kind is ValueKind.IDENTIFICATION and field.code == _WHOLE_ADDRESS
    ):
        return _opaque(dib)
    return _number_codec(dib, vib)


def _number_codec(dib: Dib, vib: Vib) -> Codec:
    field = dib.data_field
    identifier = vib.kind in (ValueKind.IDENTIFIER, ValueKind.IDENTIFICATION)
    if field.length_bytes is None:
        return VariableLength(_INTEGER_TYPES[vib.kind], vib.scale, identifier)
    if field.coding is Coding.REAL:
        return Real32(vib.scale)
    if field.coding is Coding.INTEGER:
        return integer_codec(_INTEGER_TYPES[vib.kind], field.length_bytes, vib.scale)
    return BcdIdentifier(field.length_bytes) if identifier else Bcd(field.length_bytes, vib.scale)


def _opaque(dib: Dib, notes: Notes = ()) -> Codec:
    length_bytes = dib.data_field.length_bytes
    return OpaqueVariableLength(notes) if length_bytes is None else OpaqueBytes(length_bytes, notes)
