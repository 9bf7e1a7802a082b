"""From the words of a reading to a record header: the VIF tables read the other way round.

    quantity, unit, value  -> VIF whose step fits the value, plain text if it is the device's own unit
    qualifiers             -> VIFEs
    value                  -> data field: shortest integer, real32, date type, digits or text; a decimal
                              that no step fits becomes real32 if its digits are not too many
    function, storage, …   -> DIF and DIFEs

Several headers can say the same; this is the plain choice. Whoever needs the identical header of a
telegram gives its bytes instead. Source: EN 13757-3.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Final

from protocol.dates import iso_text
from protocol.dif import DATA_FIELDS, Coding, DataField, Dib, Function, encode_dib
from protocol.errors import InvalidField
from protocol.lvar import text_bytes
from protocol.record_header import parse_header
from protocol.values import Codec, Value
from protocol.vif import PLAIN_TEXT_UNIT
from protocol.vif_table import PLAIN_TEXT_VIF, VIF_CODES, ValueKind, VifCode, VifTable
from protocol.vife_table import FROM_DEVICE, TABLE_FC, TO_DEVICE, Effect, VifeCode

PROFILE_VALUE: Final = "profile_value"
"""Qualifier of a value that was taken out of a compact profile; it has no record of its own."""

REGISTER_NUMBER: Final = "register_number"
"""Qualifier of a record whose storage number is a register number."""

_REAL32_STRUCT: Final = struct.Struct("<f")
_REAL32_DIGITS: Final = 7
"""Decimal digits that a 32-bit float can tell apart; the last of them not everywhere."""
_REAL32_STEP: Final = 2.0**-23
_EXTENSION: Final = 0x80
_TABLE_FC: Final = 0xFC
_VARIABLE: Final = 0xD
_REAL32: Final = 0x5
_NO_DATA: Final = 0x0
_DATE_FIELD: Final = 0x2
_DATE_TIME_FIELD: Final = 0x4
_DATE_SECONDS_FIELD: Final = 0x6
_UNIT_EFFECTS: Final = (Effect.DATE, Effect.DURATION, Effect.COUNT, Effect.OPAQUE)
"""VIFEs that leave nothing of the VIF's own unit."""


def _by_word(table: Mapping[int, VifeCode], prefix: bytes = b"") -> dict[str, list[tuple[bytes, VifeCode]]]:
    found: dict[str, list[tuple[bytes, VifeCode]]] = {}
    for vife in table.values():
        if vife.word is not None:
            found.setdefault(vife.word, []).append((prefix, vife))
    return found


_FC_WORDS = _by_word(TABLE_FC, bytes((_TABLE_FC,)))
_WORDS_FROM_DEVICE: Final = _by_word(FROM_DEVICE) | _FC_WORDS
_WORDS_TO_DEVICE: Final = _by_word(TO_DEVICE) | _FC_WORDS


@dataclass(frozen=True, slots=True)
class _Vifes:
    """VIFEs for a row of qualifiers, and what they leave of the unit."""

    codes: bytes
    base_unit: str | None
    replaces_unit: bool


def build_header(
    quantity: str,
    value: Value,
    *,
    unit: str | None = None,
    function: Function = Function.INSTANTANEOUS,
    storage: int = 0,
    tariff: int = 0,
    subunit: int = 0,
    qualifiers: Sequence[str] = (),
    to_device: bool = False,
) -> bytes:
    """Return DIB and VIB of a record that holds the value.

    Args:
        quantity: word of the vocabulary.
        value: number, text, date, or None for a record without data.
        unit: unit of the value as readings give it, per-units included.
        function: what kind of value it is.
        storage: storage number.
        tariff: tariff number.
        subunit: subunit number.
        qualifiers: words of the VIFEs, in order.
        to_device: the record is part of a command.

    Raises:
        InvalidField: no header says this, or no data field holds the value.
    """
    vifes = _vifes(qualifiers, unit, to_device=to_device)
    if isinstance(value, float) and math.isfinite(value) and not _is_real32(value):
        value = Decimal(repr(value))
    vibs = _vibs(quantity, value, unit, vifes, qualifiers)
    exact = ((vib, field, _holds) for vib in vibs for field in _fields(value))
    rounded = ((vib, DATA_FIELDS[_REAL32], _holds_rounded) for vib in vibs)
    for vib, field, holds in chain(exact, rounded):
        dib = Dib(field, function, storage, tariff, subunit, REGISTER_NUMBER in qualifiers)
        dib_vib = encode_dib(dib) + vib
        header = parse_header(dib_vib, to_device=to_device)
        if value is None or holds(header.codec, value):
            return dib_vib
    raise InvalidField("application", "value_invalid", _why_not(quantity, value, unit, vifes, qualifiers))


def _why_not(quantity: str, value: Value, unit: str | None, vifes: _Vifes, qualifiers: Iterable[str]) -> str:
    """Say why no header holds a value: no such quantity, unit of the quantity, or value."""
    units = _units_of(quantity)
    if not units:
        return f"there is no quantity {quantity!r}"
    is_known = vifes.replaces_unit or PLAIN_TEXT_UNIT in qualifiers or vifes.base_unit in units
    if not is_known:
        names = ", ".join(sorted(name for name in units if name is not None)) or "none"
        return f"{quantity} has no unit {unit!r}, it has {names}"
    shown = value if value is None or isinstance(value, str) else str(value)
    return f"no record holds {quantity} {shown!r}" + (f" {unit}" if unit else "")


def _units_of(quantity: str) -> set[str | None]:
    return {code.unit for table in VIF_CODES.values() for code in table.values() if code.quantity == quantity}


def _holds(codec: Codec, value: Value) -> bool:
    """Whether the data type gives the value back."""
    try:
        decoded, _ = codec.decode(codec.encode(value))
    except InvalidField:
        return False
    if isinstance(decoded, date) and isinstance(value, str):
        return iso_text(decoded) == value
    return decoded == value


def _holds_rounded(codec: Codec, value: Value) -> bool:
    """Whether a 32-bit float gives a decimal fraction back, exactly or as far as its digits go."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    try:
        decoded, _ = codec.decode(codec.encode(value))
    except InvalidField:
        return False
    if not isinstance(decoded, float):
        return False
    if len(value.normalize().as_tuple().digits) > _REAL32_DIGITS:
        return decoded == float(value)
    return float(value) != 0 and abs(decoded / float(value) - 1) < _REAL32_STEP


def _is_real32(value: float) -> bool:
    try:
        return _REAL32_STRUCT.unpack(_REAL32_STRUCT.pack(value)) == (value,)
    except OverflowError:
        return False


def _vibs(
    quantity: str, value: Value, unit: str | None, vifes: _Vifes, qualifiers: Iterable[str]
) -> list[bytes]:
    """Return the VIBs that may hold the value, best first."""
    if PLAIN_TEXT_UNIT in qualifiers:
        vif = bytes((PLAIN_TEXT_VIF,))
        return [_chained(vif + vifes.codes) + text_bytes(unit or "")]
    codes = [
        code
        for table in VifTable
        for code in VIF_CODES[table].values()
        if code.quantity == quantity
        and (vifes.replaces_unit or code.unit == vifes.base_unit)
        # Digits in quotes are a mistake where a number belongs, and no text.
        and not (isinstance(value, str) and code.kind is ValueKind.NUMBER and not vifes.replaces_unit)
    ]
    finest = value.as_tuple().exponent if isinstance(value, Decimal) and value.is_finite() else 0
    codes.sort(key=lambda code: _preference(code, int(finest)))
    return [_chained(code.table.value + bytes((code.code,)) + vifes.codes) for code in codes]


def _preference(code: VifCode, finest: int) -> tuple[bool, bool, int]:
    """Sort the current codes first, then the largest step that is not coarser than the value."""
    coarser = code.exponent > finest
    return bool(code.notes), coarser, code.exponent if coarser else -code.exponent


def _chained(codes: bytes) -> bytes:
    """Return codes with the extension bit set in all but the last."""
    return bytes(code | _EXTENSION for code in codes[:-1]) + codes[-1:]


def _vifes(qualifiers: Iterable[str], unit: str | None, *, to_device: bool) -> _Vifes:
    words = _WORDS_TO_DEVICE if to_device else _WORDS_FROM_DEVICE
    codes, replaces_unit = b"", False
    suffix = ""
    for word in qualifiers:
        if word in (PLAIN_TEXT_UNIT, REGISTER_NUMBER):
            continue
        choices = words.get(word)
        if choices is None:
            raise InvalidField("application", "qualifier_invalid", f"no VIFE says {word!r}")
        prefix, vife = next((choice for choice in choices if choice[1].unit == unit), choices[0])
        codes += prefix + bytes((vife.code,))
        if vife.effect in _UNIT_EFFECTS:
            replaces_unit = True
        elif vife.effect is Effect.UNIT:
            suffix += vife.unit or ""
    base_unit = unit.removesuffix(suffix) if unit and suffix else unit
    return _Vifes(codes, None if base_unit == "1" else base_unit, replaces_unit)


def _fields(value: Value) -> tuple[DataField, ...]:
    """Return the data fields that may hold the value, best first."""
    if value is None:
        return (DATA_FIELDS[_NO_DATA],)
    if isinstance(value, datetime):
        return DATA_FIELDS[_DATE_TIME_FIELD], DATA_FIELDS[_DATE_SECONDS_FIELD]
    if isinstance(value, date):
        return (DATA_FIELDS[_DATE_FIELD],)
    if isinstance(value, float):
        return (DATA_FIELDS[_REAL32],)
    if isinstance(value, str):
        digits = tuple(
            field for field in _of_coding(Coding.BCD) if 2 * (field.length_bytes or 0) == len(value)
        )
        return *digits, *_of_coding(Coding.INTEGER), DATA_FIELDS[_VARIABLE]
    return *_of_coding(Coding.INTEGER), *_of_coding(Coding.BCD), DATA_FIELDS[_VARIABLE]


def _of_coding(coding: Coding) -> tuple[DataField, ...]:
    return tuple(field for field in DATA_FIELDS if field.coding is coding)
