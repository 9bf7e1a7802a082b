"""Small application protocols as plain fields: numbers, text and, for bytes without a public layout, hex.

    application_error    code name [name_2009] [data_hex]        records behind a dynamic error
    alarm                flags bits [data_hex]
    application_select   reset, or parameter application name block [data_hex]; requests and answers too
    clock_sync           action time [time_hex] [data_hex]
    device_select        manufacturer id version device_type     records behind it
    mbus_fixed           id access_number status status_flags medium medium_name units [data_hex]
                         and the records that both counters stand for
    sitp                 control function [data_hex]
    image_transfer       code function [data_hex]
    all others           data_hex, and the names of TLS records

Names are for readers: encoding takes code, flags, parameter, action, time, address, status, medium, units
and data_hex.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from protocol import address, tls
from protocol.alarm import Alarm, encode_alarm, parse_alarm
from protocol.application_error import (
    UNSPECIFIED,
    ApplicationError,
    encode_application_error,
    parse_application_error,
)
from protocol.application_select import (
    ApplicationSelect,
    encode_application_select,
    parse_application_select,
)
from protocol.ci import ERROR_WITHOUT_HEADER, FIXED_MSB_FIRST, SELECT_MSB_FIRST
from protocol.clock_sync import (
    ClockAction,
    ClockSync,
    build_clock_sync,
    encode_clock_sync,
    parse_clock_sync,
)
from protocol.dates import iso_text
from protocol.errors import InvalidField
from protocol.fields import msb_first
from protocol.fixed_data import FIXED_FIELDS, FixedData, encode_fixed_data, parse_fixed_data
from protocol.image_transfer import ImageTransfer, encode_image_transfer, parse_image_transfer
from protocol.records import RecordList, encode_records, parse_records
from protocol.sitp import Sitp, encode_sitp, parse_sitp
from protocol.values import hex_bytes

_ADDRESS_FIELDS: Final = (4, 2, 1, 1)

Fields = dict[str, object]
Parsed = tuple[Fields, RecordList | None]


def parse(protocol: str, ci: int, body: bytes) -> Parsed:
    """Return the fields of application data, and the records among them.

    Raises:
        ProtocolError: the data do not have the layout of their protocol.
    """
    pair = PROTOCOLS.get(protocol)
    if pair is None:
        return _bytes_only(body), None
    return pair[0](ci, body)


def encode(protocol: str, ci: int, fields: Mapping[str, object], records: RecordList) -> bytes:
    """Return the bytes of application data of one of `PROTOCOLS`.

    Raises:
        InvalidField: a field is missing or does not fit.
    """
    return PROTOCOLS[protocol][1](ci, fields, records)


def _bytes_only(body: bytes) -> Fields:
    fields: Fields = {"data_hex": body.hex()} if body else {}
    named = tls_fields(body)
    return {**fields, "tls": named} if named else fields


def tls_fields(body: bytes) -> list[Fields]:
    """Name the TLS records in some bytes."""
    return [
        {
            "type": record.type,
            "version": record.version,
            "length": record.length,
            "handshakes": list(record.handshakes),
            "whole": record.is_whole,
        }
        for record in tls.records(body)
    ]


def _rest(data: bytes) -> Fields:
    return {"data_hex": data.hex()} if data else {}


def _data(fields: Mapping[str, object]) -> bytes:
    return hex_bytes(str(fields.get("data_hex", "")))


def _byte(fields: Mapping[str, object], name: str) -> int:
    number = fields.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 0xFF:
        raise InvalidField("application", "value_invalid", f"{name} must be a number from 0 to 255")
    return number


def _parse_error(ci: int, body: bytes) -> Parsed:
    if ci == ERROR_WITHOUT_HEADER and not body:
        # Old wired meters may leave the code out: then the error is not specified.
        return {"code": None, "name": UNSPECIFIED}, None
    error = parse_application_error(body)
    fields: Fields = {"code": error.code, "name": error.name}
    if error.name_2009 is not None:
        fields["name_2009"] = error.name_2009
    records = error.records
    if records.records:
        return fields, records
    return {**fields, **_rest(error.data)}, None


def _encode_error(ci: int, fields: Mapping[str, object], records: RecordList) -> bytes:
    data = encode_records(records) if records.records else _data(fields)
    if ci == ERROR_WITHOUT_HEADER and fields.get("code") is None and not data:
        return b""
    return encode_application_error(ApplicationError(_byte(fields, "code"), data))


def _parse_alarm(_: int, body: bytes) -> Parsed:
    alarm = parse_alarm(body)
    return {"flags": alarm.flags, "bits": list(alarm.bits), **_rest(alarm.data)}, None


def _encode_alarm(_: int, fields: Mapping[str, object], __: RecordList) -> bytes:
    return encode_alarm(Alarm(_byte(fields, "flags"), _data(fields)))


def _parse_select(_: int, body: bytes) -> Parsed:
    select = parse_application_select(body)
    if select.is_reset:
        return {"reset": True}, None
    fields: Fields = {
        "parameter": select.parameter,
        "application": select.application,
        "name": select.name,
        "block": select.block,
    }
    return {**fields, **_rest(select.rest)}, None


def _encode_select(_: int, fields: Mapping[str, object], __: RecordList) -> bytes:
    if fields.get("parameter") is None:
        return encode_application_select(ApplicationSelect())
    return encode_application_select(ApplicationSelect(_byte(fields, "parameter"), _data(fields)))


def _parse_clock(ci: int, body: bytes) -> Parsed:
    command = parse_clock_sync(ci, body)
    time = iso_text(command.time) if isinstance(command.time, date) else command.time
    fields: Fields = {"action": command.action.name.lower(), "time": time}
    if _usual_time_bytes(command) != command.time_bytes:
        fields["time_hex"] = command.time_bytes.hex()
    if command.notes:
        fields["time_notes"] = [note.value for note in command.notes]
    return {**fields, **_rest(command.rest)}, None


def _usual_time_bytes(command: ClockSync) -> bytes | None:
    """Return how the time is coded when nothing but the time is known; None if it cannot be."""
    try:
        return build_clock_sync(command.action, command.time).time_bytes
    except InvalidField:
        return None


def _encode_clock(_: int, fields: Mapping[str, object], __: RecordList) -> bytes:
    try:
        action = ClockAction[str(fields.get("action")).upper()]
    except KeyError:
        raise InvalidField("application", "value_invalid", "no such clock action") from None
    time, time_hex = fields.get("time"), fields.get("time_hex")
    if time_hex is not None:
        return bytes((action.value[1],)) + hex_bytes(str(time_hex)) + _data(fields)
    return encode_clock_sync(build_clock_sync(action, None if time is None else str(time), _data(fields)))


def _parse_device_select(ci: int, body: bytes) -> Parsed:
    if ci == SELECT_MSB_FIRST:
        body = msb_first(body, _ADDRESS_FIELDS)
    wanted = address.from_transport(body)
    fields: Fields = {
        "manufacturer_field": f"{wanted.manufacturer_raw:04x}",
        "id": wanted.id,
        "version": wanted.version,
        "device_type": wanted.device_type,
    }
    rest = body[address.ADDRESS_BYTES :]
    return fields, parse_records(rest, to_device=True) if rest else None


def _encode_device_select(ci: int, fields: Mapping[str, object], records: RecordList) -> bytes:
    m_field = hex_bytes(str(fields.get("manufacturer_field")))
    wanted = address.build(
        int.from_bytes(m_field, "big"),
        str(fields.get("id")),
        _byte(fields, "version"),
        _byte(fields, "device_type"),
    )
    number = wanted.transport_bytes()
    if ci == SELECT_MSB_FIRST:
        number = msb_first(number, _ADDRESS_FIELDS)
    return number + encode_records(records)


def _parse_fixed(ci: int, body: bytes) -> Parsed:
    found = parse_fixed_data(msb_first(body, FIXED_FIELDS) if ci == FIXED_MSB_FIRST else body)
    fields: Fields = {
        "id": found.id,
        "access_number": found.access_number,
        "status": found.status,
        "status_flags": list(found.status_flags),
        "medium": found.medium,
        "medium_name": found.medium_name,
        "units": list(found.units),
    }
    return {**fields, **_rest(found.rest)}, RecordList(found.records)


def _encode_fixed(ci: int, fields: Mapping[str, object], records: RecordList) -> bytes:
    units = fields.get("units")
    if not isinstance(units, list) or len(units) != 2 or not all(isinstance(unit, int) for unit in units):
        raise InvalidField("application", "value_invalid", "units must be the codes of two units")
    data = FixedData(
        str(fields.get("id")),
        _byte(fields, "access_number"),
        _byte(fields, "status"),
        _byte(fields, "medium"),
        (units[0], units[1]),
        records.records,
        _data(fields),
    )
    body = encode_fixed_data(data)
    return msb_first(body, FIXED_FIELDS) if ci == FIXED_MSB_FIRST else body


def _parse_sitp(_: int, body: bytes) -> Parsed:
    block = parse_sitp(body)
    return {"control": block.control, "function": block.function, **_rest(block.content)}, None


def _encode_sitp(_: int, fields: Mapping[str, object], __: RecordList) -> bytes:
    return encode_sitp(Sitp(_byte(fields, "control"), _data(fields)))


def _parse_image(_: int, body: bytes) -> Parsed:
    message = parse_image_transfer(body)
    return {"code": message.code, "function": message.function, **_rest(message.content)}, None


def _encode_image(_: int, fields: Mapping[str, object], __: RecordList) -> bytes:
    return encode_image_transfer(ImageTransfer(_byte(fields, "code"), _data(fields)))


_Parser = Callable[[int, bytes], Parsed]
_Encoder = Callable[[int, Mapping[str, object], RecordList], bytes]

PROTOCOLS: Final[dict[str, tuple[_Parser, _Encoder]]] = {
    "application_error": (_parse_error, _encode_error),
    "alarm": (_parse_alarm, _encode_alarm),
    "application_select": (_parse_select, _encode_select),
    "application_request": (_parse_select, _encode_select),
    "application_response": (_parse_select, _encode_select),
    "clock_sync": (_parse_clock, _encode_clock),
    "device_select": (_parse_device_select, _encode_device_select),
    "mbus_fixed": (_parse_fixed, _encode_fixed),
    "sitp": (_parse_sitp, _encode_sitp),
    "image_transfer": (_parse_image, _encode_image),
}
"""Both directions of the protocols that have fields."""
