"""Application data byte by byte: which field every byte belongs to, and what it says.

    DIF | DIFE... | VIF | VIFE... | unit text | LVAR | data        a record
    filler | manufacturer data                                     between and behind

The fields follow each other without gap or overlap, so that joined they are the application data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from protocol.dates import iso_text
from protocol.descriptors import code_name
from protocol.dif import DATA_FIELDS, FUNCTIONS, MAX_DIFE, Coding
from protocol.errors import ProtocolError
from protocol.lvar import LVAR, OpaqueVariableLength
from protocol.profiles import parse_profile
from protocol.record_header import Role, dib_end
from protocol.records import DataRecord, RecordList
from protocol.values import Value
from protocol.vif import vib_codes
from protocol.vif_table import VifCode
from protocol.vife_table import Effect, VifeCode


@dataclass(frozen=True, slots=True)
class ByteField:
    """Bytes that belong together.

    Attributes:
        offset: of the first byte in the application data.
        raw: the bytes.
        name: name of the field.
        meaning: what it says.
    """

    offset: int
    raw: bytes
    name: str
    meaning: str


def annotate_records(records: RecordList, *, to_device: bool = False) -> list[ByteField]:
    """Return the fields of application data, in order; they hold every byte once.

    Args:
        records: what ``parse_records`` returned.
        to_device: the records are a command.
    """
    fillers: dict[int, int] = {}
    for position, count in records.fillers:
        fillers[position] = fillers.get(position, 0) + count
    parts: list[tuple[bytes, str, str]] = []
    for position, record in enumerate(records.records):
        parts += _filler(fillers.pop(position, 0))
        parts += _record(record, to_device=to_device)
    parts += _filler(sum(fillers.values()))
    if records.manufacturer_data is not None:
        dif = b"\x1f" if records.more_follows else b"\x0f"
        more = ", more records follow in the next telegram" if records.more_follows else ""
        parts.append((dif, "DIF", f"manufacturer data to the end{more}"))
        parts.append((records.manufacturer_data, "manufacturer data", "not public"))
    fields, offset = [], 0
    for raw, name, meaning in parts:
        if raw:
            fields.append(ByteField(offset, raw, name, meaning))
            offset += len(raw)
    return fields


def value_text(value: Value, unit: str | None = None) -> str:
    """Return a value with its unit for people to read."""
    if value is None:
        return "no value"
    if isinstance(value, date):
        text = iso_text(value)
    elif isinstance(value, Decimal):
        text = f"{value:f}"
    else:
        text = str(value)
    return f"{text} {unit}" if unit else text


def _filler(count: int) -> list[tuple[bytes, str, str]]:
    return [(b"\x2f" * count, "filler", "idle")] if count else []


def _record(record: DataRecord, *, to_device: bool) -> list[tuple[bytes, str, str]]:
    header = record.header
    if not header.vib.raw:
        return [(header.dib_vib, "DIF", _notes(record)), (record.raw, "data", "not read")]
    if record.problem is not None and header.vib.base.code < 0:
        return [(header.dib_vib, "header", "is cut"), (record.raw, "data", "not read")]
    parts = _dib(header.dib_vib)
    for raw, code in vib_codes(header.vib.raw, to_device=to_device):
        if isinstance(code, VifeCode):
            parts.append((raw, "VIFE", _vife_text(code)))
        elif isinstance(code, VifCode):
            parts += _vif(raw, code)
        else:
            parts.append((raw, "unit", code or "no text"))
    if record.raw:
        return parts + _data(record)
    *before, (raw, name, meaning) = parts
    return [*before, (raw, name, f"{meaning} ({_notes(record)})" if record.notes else meaning)]


def _notes(record: DataRecord) -> str:
    return ", ".join(note.replace("_", " ") for note in record.notes)


def _dib(dib_vib: bytes) -> list[tuple[bytes, str, str]]:
    end = dib_end(dib_vib)
    dif = dib_vib[0]
    field, function = DATA_FIELDS[dif & 0x0F], FUNCTIONS[dif >> 4 & 0x03]
    if field.coding is Coding.BCD:
        text = f"{2 * (field.length_bytes or 0)}-digit BCD"
    elif field.length_bytes:
        text = f"{8 * field.length_bytes}-bit {field.coding.value}"
    else:
        text = "no data" if field.coding is Coding.NONE else field.coding.value
    storage = ", storage +1" if dif & 0x40 else ""
    parts = [(dib_vib[:1], "DIF", f"{text}, {function.value}{storage}")]
    for k, dife in enumerate(dib_vib[1:end]):
        adds = (
            ("storage", (dife & 0x0F) << (1 + 4 * k)),
            ("tariff", (dife >> 4 & 0x03) << (2 * k)),
            ("subunit", (dife >> 6 & 0x01) << k),
        )
        meaning = ", ".join(f"{name} +{number}" for name, number in adds if number) or "adds nothing"
        parts.append((bytes((dife,)), "DIFE", meaning if k < MAX_DIFE else "one too many"))
    return parts


def _vif(raw: bytes, code: VifCode) -> list[tuple[bytes, str, str]]:
    parts = [(raw[k : k + 1], "VIF", f"table {raw[: k + 1].hex().upper()}") for k in range(len(raw) - 1)]
    step = (Decimal(1).scaleb(code.exponent)) * Decimal(2) ** code.binary_exponent
    unit = f", {step:f} {code.unit}" if code.unit else ""
    return [*parts, (raw[-1:], "VIF", f"{code.quantity}{unit}")]


def _vife_text(vife: VifeCode) -> str:
    if vife.effect is Effect.FACTOR:
        return f"value * {Decimal(1).scaleb(vife.exponent):f}"
    if vife.effect is Effect.CONSTANT:
        return f"value + {Decimal(1).scaleb(vife.exponent):f}"
    if vife.word is not None:
        unit = f", {vife.unit}" if vife.effect is Effect.DURATION else ""
        return vife.word.replace("_", " ") + unit
    return (vife.note or vife.effect.value).replace("_", " ")


def _data(record: DataRecord) -> list[tuple[bytes, str, str]]:
    header, raw = record.header, record.raw
    parts = []
    if header.length_bytes is None and raw:
        kind = LVAR.get(raw[0])
        content = (
            "" if isinstance(header.codec, OpaqueVariableLength) else f" of {kind[0].value}" if kind else ""
        )
        meaning = f"{kind[1]} bytes{content}" if kind else "reserved"
        parts.append((raw[:1], "LVAR", meaning))
        raw = raw[1:]
    if header.role is Role.PROFILE and record.problem is None:
        return parts + _profile(record, raw)
    meaning = value_text(record.value, header.vib.unit)
    name = code_name(header.vib.base, record.value)
    if name is not None and not header.vib.has_vife:
        meaning += f" = {name}"
    notes = _notes(record)
    return [*parts, (raw, "data", f"{meaning} ({notes})" if notes else meaning)]


def _profile(record: DataRecord, content: bytes) -> list[tuple[bytes, str, str]]:
    try:
        profile = parse_profile(content, record.header.vib.scale)
    except ProtocolError as error:
        return [(content, "data", f"malformed profile: {error}")]
    mode = profile.increment_mode.value.replace("_", " ")
    parts = [
        (content[:1], "spacing control", f"{mode}, unit {profile.spacing_unit}"),
        (content[1:2], "spacing value", str(profile.spacing_value)),
    ]
    unit = record.header.vib.unit
    for index, element in enumerate(profile.elements):
        start = 2 + index * profile.element_bytes
        text = "gap" if element is None else value_text(element, unit)
        parts.append((content[start : start + profile.element_bytes], f"element {index + 1}", text))
    return parts
