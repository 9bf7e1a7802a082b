"""OBIS codes and M-Bus tags: the names that utilities use for a reading.

    OBIS   A-B:C.D.E*F    A medium, C quantity, E tariff, F 255 = current value
    tag    VM1, DT1, ...  quantity; a letter behind it: D due date (storage 1), I minimum,
                          E value during error, P compact profile

Only codes that public sources state are given. For storage numbers other than 0 that is
electricity's due date alone. Source: OMS Vol. 2 Annex A and B (tags, media).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol.dif import Function
from protocol.record_header import RecordHeader
from protocol.vif_table import ValueKind, VifTable

_CURRENT: Final = 255
_ELECTRICITY: Final = 0x02
_MAX_TARIFF: Final = 63


@dataclass(frozen=True, slots=True)
class ObisRow:
    """OBIS code of a quantity: ``qualifiers`` are those that the record must have, and no others."""

    device_types: tuple[int, ...]
    quantity: str
    qualifiers: tuple[str, ...]
    code: str


_GAS = (0x03,)
_HEAT = (0x04, 0x0C, 0x0D)
_COOLING = (0x0A, 0x0B)

OBIS_ROWS: Final = (
    ObisRow((_ELECTRICITY,), "energy", (), "1-0:1.8"),
    ObisRow((_ELECTRICITY,), "energy", ("forward_only",), "1-0:1.8"),
    ObisRow((_ELECTRICITY,), "energy", ("backward_only",), "1-0:2.8"),
    ObisRow((0x08,), "heat cost allocation units", (), "4-0:1.0"),
    ObisRow(_COOLING, "energy", (), "5-0:1.0"),
    ObisRow(_HEAT, "energy", (), "6-0:1.0"),
    ObisRow(_HEAT, "volume", (), "6-0:2.0"),
    ObisRow(_GAS, "volume", ("uncorrected",), "7-0:3.0"),
    ObisRow(_GAS, "volume", (), "7-0:3.1"),
    ObisRow(_GAS, "volume", ("base_conditions",), "7-0:3.2"),
    ObisRow((0x07, 0x16), "volume", (), "8-0:1.0"),
    ObisRow((0x06, 0x15), "volume", (), "9-0:1.0"),
)

_OBIS: Final = {
    (device_type, row.quantity, row.qualifiers): row.code
    for row in OBIS_ROWS
    for device_type in row.device_types
}


@dataclass(frozen=True, slots=True)
class TagRow:
    """M-Bus tag of ``count`` codes of a VIF table, with exactly these qualifiers."""

    table: VifTable
    first: int
    count: int
    tag: str
    qualifiers: tuple[str, ...] = ()


TAG_ROWS: Final = (
    TagRow(VifTable.PRIMARY, 0x10, 8, "VM1"),
    TagRow(VifTable.PRIMARY, 0x6E, 1, "HC1"),
    TagRow(VifTable.PRIMARY, 0x70, 4, "DP2"),
    TagRow(VifTable.PRIMARY, 0x74, 4, "DP1"),
    TagRow(VifTable.PRIMARY, 0x78, 1, "ID1"),
    TagRow(VifTable.FD, 0x08, 1, "ID6"),
    TagRow(VifTable.FD, 0x17, 1, "MM2"),
    TagRow(VifTable.FD, 0x17, 1, "MM3", ("standard_conform",)),
    TagRow(VifTable.FD, 0x1F, 1, "DC1"),
    TagRow(VifTable.FD, 0x1F, 1, "CT1", ("standard_conform",)),
    TagRow(VifTable.FD, 0x3C, 2, "DP3"),
    TagRow(VifTable.FD, 0x71, 1, "MM1"),
    TagRow(VifTable.FD, 0x74, 1, "MM8"),
    TagRow(VifTable.FD_FD, 0x02, 2, "MM8"),
)

_TAGS: Final = {
    (row.table, row.first + step, row.qualifiers): row.tag for row in TAG_ROWS for step in range(row.count)
}
_DATE_CODES: Final = ((VifTable.PRIMARY, 0x6C), (VifTable.PRIMARY, 0x6D))
_DUE_DATE_SUFFIX: Final = "D"
_PROFILE_SUFFIX: Final = "P"
_FUNCTION_SUFFIXES: Final = {Function.INSTANTANEOUS: "", Function.MINIMUM: "I", Function.ERROR: "E"}


def obis_code(header: RecordHeader, device_type: int | None) -> str | None:
    """Return the OBIS code of a record of a device, or None where the facts give none."""
    dib = header.dib
    if device_type is None or dib.function is not Function.INSTANTANEOUS or dib.subunit:
        return None
    code = _OBIS.get((device_type, header.vib.quantity, header.vib.qualifiers))
    electricity = device_type == _ELECTRICITY
    if code is None or dib.storage > (1 if electricity else 0):
        return None
    if dib.tariff > (_MAX_TARIFF if electricity else 0):
        return None
    return f"{code}.{dib.tariff}*{dib.storage or _CURRENT}"


def mbus_tag(header: RecordHeader) -> str | None:
    """Return the M-Bus tag of a record, or None where the facts give none."""
    dib, vib = header.dib, header.vib
    if dib.storage > 1 or dib.tariff or dib.subunit or dib.function not in _FUNCTION_SUFFIXES:
        return None
    if (vib.base.table, vib.base.code) in _DATE_CODES:
        plain = not vib.has_vife and dib.function is Function.INSTANTANEOUS
        return ("DT1", "DT2")[dib.storage] if plain else None
    is_profile = vib.kind is ValueKind.PROFILE
    tag = _TAGS.get((vib.base.table, vib.base.code, () if is_profile else vib.qualifiers))
    if tag is None:
        return None
    suffix = _FUNCTION_SUFFIXES[dib.function] + _DUE_DATE_SUFFIX * dib.storage + _PROFILE_SUFFIX * is_profile
    return tag + suffix if len(suffix) <= 1 else None
