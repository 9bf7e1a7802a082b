"""Application data by their protocol: what the bytes behind the transport header are.

    mbus, mbus_command     records
    mbus_msb_first         records whose data are the other way round
    mbus_compact           records whose headers were learnt from an earlier message
    mbus_format            headers alone
    device_select          secondary address, perhaps records behind it
    application_error …    a few fields, see `application_fields`
    all others             bytes: data_hex

Everything but records is described by plain fields (numbers, text, lists), from which
``encode_content`` makes the identical bytes again.
Source: EN 13757-3 and EN 13757-7, see the module of each protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocol import application_fields
from protocol.compact import (
    FormatCache,
    compact_frame_of,
    encode_compact,
    encode_format,
    headers_of,
    parse_compact,
    parse_format,
    split_headers,
)
from protocol.errors import InvalidField, ProtocolError
from protocol.msb_first import swap_records
from protocol.notes import Note
from protocol.quick import quick_init
from protocol.records import RecordList, encode_records, parse_records
from protocol.values import hex_bytes

RECORDS_FROM_DEVICE: Final = "mbus"
RECORDS_TO_DEVICE: Final = "mbus_command"
RECORDS_REVERSED: Final = "mbus_msb_first"
COMPACT: Final = "mbus_compact"
FORMAT: Final = "mbus_format"
FIXED: Final = "mbus_fixed"
UNENCRYPTED_PART_UNCLEAR: Final = "unencrypted_part_unclear"
"""Note of what may begin within a record, as the encrypted part before it is not known."""
TO_DEVICE: Final = frozenset({RECORDS_TO_DEVICE, "device_select"})
"""Protocols whose records are commands."""


@quick_init
@dataclass(frozen=True, slots=True)
class Content:
    """Decoded application data.

    Attributes:
        protocol: word of `ci.PROTOCOLS`.
        plaintext: the bytes.
        records: M-Bus records, of a compact frame with their headers; None in other protocols.
        fields: plain fields of other protocols, None for records alone.
        is_partial: only the part that was never encrypted could be read.
        problem: reason word where the bytes do not make sense, None otherwise.
        notes: what is unusual.
    """

    protocol: str
    plaintext: bytes
    records: RecordList | None = None
    fields: Mapping[str, object] | None = None
    is_partial: bool = False
    problem: str | None = None
    notes: tuple[str, ...] = ()


def parse_content(
    protocol: str, ci: int, plaintext: bytes, formats: FormatCache, device: str, *, is_partial: bool = False
) -> Content:
    """Decode application data; never raises.

    Args:
        protocol: word of `ci.PROTOCOLS`.
        ci: CI-field of the transport header.
        plaintext: the data.
        formats: formats of compact frames; learns.
        device: text that names the device to ``formats``.
        is_partial: the data are what was never encrypted, the part before them is not known.
    """
    if protocol in (RECORDS_FROM_DEVICE, RECORDS_TO_DEVICE):
        found = parse_records(plaintext, to_device=protocol == RECORDS_TO_DEVICE)
        if is_partial and any(record.problem for record in found.records):
            return Content(protocol, plaintext, is_partial=True, notes=(UNENCRYPTED_PART_UNCLEAR,))
        if not is_partial and protocol == RECORDS_FROM_DEVICE:
            formats.learn_records(device, found.records)
        return Content(protocol, plaintext, found, is_partial=is_partial)
    if is_partial:
        return Content(protocol, plaintext, is_partial=True)
    if protocol == RECORDS_REVERSED:
        return Content(protocol, plaintext, parse_records(swap_records(plaintext)))
    try:
        if protocol == COMPACT:
            return _parse_compact(plaintext, formats, device)
        if protocol == FORMAT:
            return _parse_format(plaintext, formats, device)
        fields, records = application_fields.parse(protocol, ci, plaintext)
    except ProtocolError as error:
        return Content(protocol, plaintext, None, _opaque(plaintext), problem=error.reason)
    return _checked(Content(protocol, plaintext, records, fields), ci)


def encode_content(protocol: str, ci: int, fields: Mapping[str, object], records: RecordList) -> bytes:
    """Encode application data.

    Args:
        protocol: word of `ci.PROTOCOLS`.
        ci: CI-field of the transport header.
        fields: plain fields, none for records.
        records: M-Bus records, in the protocols that have them.

    Raises:
        InvalidField: a field is missing or does not fit.
    """
    body = fields.get("data_hex")
    if body is not None and protocol not in application_fields.PROTOCOLS:
        return hex_bytes(str(body))
    body = fields.get("body_hex")
    if body is not None:
        return hex_bytes(str(body))
    if protocol in (RECORDS_FROM_DEVICE, RECORDS_TO_DEVICE):
        return encode_records(records)
    if protocol == RECORDS_REVERSED:
        return swap_records(encode_records(records))
    if protocol == COMPACT:
        return _encode_compact(fields, records)
    if protocol == FORMAT:
        return encode_format(b"".join(hex_bytes(header) for header in _texts(fields, "headers")))
    if protocol in application_fields.PROTOCOLS:
        return application_fields.encode(protocol, ci, fields, records)
    return b""


def _opaque(plaintext: bytes) -> dict[str, object]:
    return {"body_hex": plaintext.hex()}


def _checked(content: Content, ci: int) -> Content:
    """Keep the bytes beside fields that would not give them again."""
    fields = dict(content.fields or {})
    try:
        again = encode_content(content.protocol, ci, fields, content.records or RecordList(()))
    except ProtocolError:
        again = None
    if again == content.plaintext:
        return content
    return Content(content.protocol, content.plaintext, content.records, fields | _opaque(content.plaintext))


def _parse_compact(plaintext: bytes, formats: FormatCache, device: str) -> Content:
    frame = parse_compact(plaintext)
    fields: dict[str, object] = {"format_signature": f"{frame.signature:04x}"}
    found = formats.expand(device, frame)
    if isinstance(found, Note):
        fields |= _opaque(plaintext)
        return Content(COMPACT, plaintext, None, fields, notes=(found.value,))
    records = parse_records(found)
    count = formats.records_in_format(device, frame.signature, headers_of(records.records))
    if count != len(records.records):
        fields["format_records"] = count
    return _checked(Content(COMPACT, plaintext, records, fields), 0)


def _encode_compact(fields: Mapping[str, object], records: RecordList) -> bytes:
    count = fields.get("format_records", len(records.records))
    if not isinstance(count, int) or not 0 < count <= len(records.records):
        raise InvalidField("application", "value_invalid", "a compact frame needs its records")
    frame = compact_frame_of(records.records[:count])
    behind = RecordList(
        records.records[count:],
        tuple((max(0, position - count), number) for position, number in records.fillers),
        records.manufacturer_data,
        records.more_follows,
    )
    return encode_compact(frame) + encode_records(behind)


def _parse_format(plaintext: bytes, formats: FormatCache, device: str) -> Content:
    headers = parse_format(plaintext)
    formats.learn(device, headers)
    fields = {"headers": [header.hex() for header in split_headers(headers)]}
    return _checked(Content(FORMAT, plaintext, None, fields), 0)


def _texts(fields: Mapping[str, object], name: str) -> list[str]:
    texts = fields.get(name)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidField("application", "value_invalid", f"{name} are not a list of texts")
    return texts
