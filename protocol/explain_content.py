"""The fields of application data, byte by byte, in every protocol that has some.

A row is (size, name, meaning), as in ``explain_layers``; records are explained by ``annotate``.
"""

from __future__ import annotations

from collections.abc import Mapping

from protocol.address import ADDRESS_BYTES
from protocol.annotate import annotate_records, value_text
from protocol.application import (
    COMPACT,
    FORMAT,
    RECORDS_FROM_DEVICE,
    RECORDS_REVERSED,
    RECORDS_TO_DEVICE,
    Content,
)
from protocol.ci import PROTOCOLS
from protocol.explain_layers import Row
from protocol.record_header import parse_header
from protocol.records import RecordList
from protocol.values import hex_bytes

_NO_RECORDS = RecordList(())
_CLOCK_BYTES = {"set": 6}
_SHIFT_BYTES = 3
_OF_OTHER_STANDARDS = ("dlms", "sml")


def content_rows(content: Content) -> list[Row]:
    """Return rows that hold every byte of the application data once."""
    rows = _rows(content)
    behind = len(content.plaintext) - sum(size for size, _, _ in rows)
    why = f": {content.problem.replace('_', ' ')}" if content.problem is not None else ""
    return [*rows, (behind, "data", f"not read{why}")] if behind else rows


def _rows(content: Content) -> list[Row]:
    fields = content.fields or {}
    records = content.records
    if content.protocol in (RECORDS_FROM_DEVICE, RECORDS_TO_DEVICE, RECORDS_REVERSED):
        return _record_rows(records, to_device=content.protocol == RECORDS_TO_DEVICE)
    if content.problem is not None or content.is_partial:
        return []
    match content.protocol:
        case "application_error":
            code = [] if fields["code"] is None else [(1, "error code", str(fields["name"]))]
            return [*code, *_record_rows(records)]
        case "alarm":
            bits = fields["bits"]
            return [(1, "alarm", f"bits {bits} set" if bits else "no alarm")]
        case "application_select" | "application_request" | "application_response":
            return _select_rows(fields)
        case "clock_sync":
            return _clock_rows(fields)
        case "device_select":
            return [*_device_rows(fields), *_record_rows(records, to_device=True)]
        case "mbus_fixed":
            return _fixed_rows(fields, records)
        case "sitp":
            return [(1, "BCF", str(fields["function"] or "not public"))]
        case "image_transfer":
            return [(1, "function", str(fields["function"] or "reserved"))]
        case _ if content.protocol == COMPACT:
            return _compact_rows(content)
        case _ if content.protocol == FORMAT:
            return _format_rows(fields)
    meaning = PROTOCOLS[content.protocol] if content.protocol in _OF_OTHER_STANDARDS else "not decoded"
    return [(len(content.plaintext), "data", meaning)] if content.plaintext else []


def _record_rows(records: RecordList | None, *, to_device: bool = False) -> list[Row]:
    found = annotate_records(records or _NO_RECORDS, to_device=to_device)
    return [(len(each.raw), each.name, each.meaning) for each in found]


def _select_rows(fields: Mapping[str, object]) -> list[Row]:
    if fields.get("reset"):
        return []
    return [
        (1, "parameter", f"application {fields['application']}: {fields['name']}, block {fields['block']}")
    ]


def _clock_rows(fields: Mapping[str, object]) -> list[Row]:
    action = str(fields["action"])
    size = _CLOCK_BYTES.get(action, _SHIFT_BYTES)
    return [(1, "TC", f"{action} the clock"), (size, "time", str(fields["time"] or "no value"))]


def _device_rows(fields: Mapping[str, object]) -> list[Row]:
    rows: list[Row] = [
        (4, "number", str(fields["id"])),
        (2, "M-field", f"{fields['manufacturer_field']}h"),
        (1, "version", str(fields["version"])),
        (1, "device type", str(fields["device_type"])),
    ]
    assert sum(size for size, _, _ in rows) == ADDRESS_BYTES
    return rows


def _fixed_rows(fields: Mapping[str, object], records: RecordList | None) -> list[Row]:
    status_flags = fields["status_flags"]
    assert isinstance(status_flags, list)
    flags = ", ".join(status_flags).replace("_", " ")
    rows: list[Row] = [
        (4, "number", str(fields["id"])),
        (1, "ACC", f"access number {fields['access_number']}"),
        (1, "status", flags or "no error"),
        (2, "medium and units", f"{fields['medium_name']}, units {fields['units']}"),
    ]
    for place, record in enumerate((records or _NO_RECORDS).records, start=1):
        vib = record.header.vib
        stored = ", stored" if record.header.dib.storage else ""
        text = f"{vib.quantity}: {value_text(record.value, vib.unit)}{stored}"
        rows.append((len(record.raw), f"counter {place}", text))
    return rows


def _compact_rows(content: Content) -> list[Row]:
    signature = str((content.fields or {})["format_signature"])
    head: list[Row] = [(2, "signature", f"format {signature}")]
    if content.records is None:
        reason = ", ".join(note.replace("_", " ") for note in content.notes)
        return [*head, (2, "full-frame CRC", reason)]
    fields = content.fields or {}
    count = fields.get("format_records", len(content.records.records))
    assert isinstance(count, int)
    rows = [*head, (2, "full-frame CRC", "fits")]
    for record in content.records.records[:count]:
        vib = record.header.vib
        text = f"{vib.quantity}: {value_text(record.value, vib.unit)}"
        if record.raw:
            rows.append((len(record.raw), "data", text))
    behind = RecordList(
        content.records.records[count:],
        tuple((max(0, position - count), number) for position, number in content.records.fillers),
        content.records.manufacturer_data,
        content.records.more_follows,
    )
    return rows + _record_rows(behind)


def _format_rows(fields: Mapping[str, object]) -> list[Row]:
    rows: list[Row] = [(1, "length", "of signature and headers"), (2, "signature", "of the format, fits")]
    headers = fields["headers"]
    assert isinstance(headers, list)
    for text in headers:
        header = parse_header(hex_bytes(text))
        unit = f", {header.vib.unit}" if header.vib.unit else ""
        rows.append((len(header.dib_vib), "DIB and VIB", f"{header.vib.quantity}{unit}"))
    return rows
