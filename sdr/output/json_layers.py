"""Telegram → JSON text, layer by layer: what the keys of the schema hold.

The texts are put together by hand, not by an encoder: it is the innermost loop of ``omsdr decode``.
What repeats from telegram to telegram (C-fields, makers, configuration fields, record headers) is kept
as text, in bounded memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from protocol.address import Address, AddressOrder
from protocol.afl import Afl
from protocol.application import Content
from protocol.c_field import BY_CODE, Direction
from protocol.ci import CiRow
from protocol.configuration import LAYOUTS, Configuration
from protocol.device_types import DEVICE_TYPE_NAMES, TECHEM_TYPES
from protocol.ell import Ell
from protocol.link import LinkFrame
from protocol.outcome import Outcome
from protocol.reading_fields import reading_fields
from protocol.readings import Meaning, Reading
from protocol.records import DataRecord
from protocol.telegram import Telegram
from protocol.transport import TransportHeader
from protocol.wired import ADDRESS_FIELDS, WiredFrame
from sdr.output.json_text import WRITERS, json_text, quoted
from sdr.payloads import PayloadReading, payload_of

_C_FIELDS: Final = tuple(
    f'"c_field":"{code:02x}","function":{quoted(row.function)}' for code, row in enumerate(BY_CODE)
)
_DEVICE_TYPES: Final = tuple(
    f'"device_type":{code},"device_type_name":{quoted(name)}' for code, name in enumerate(DEVICE_TYPE_NAMES)
)
_UNKNOWN_TYPE: Final = '"device_type":null,"device_type_name":"unknown"'
_NO_ADDRESS: Final = '"manufacturer":null,"id":null,"version":null,"device_type":null,"device_type_name":null'
_ADDRESS_FIELDS: Final = {
    code: meaning for first, last, meaning in ADDRESS_FIELDS for code in range(first, last + 1)
}
_NO_HEADER: Final = '"access_number":null,"status":null,"status_flags":[],"security_mode":0'
_BOOLEANS: Final = {True: "true", False: "false"}
_MOST_TEMPLATES: Final = 1 << 13


def link_text(frame: LinkFrame | WiredFrame, sender: str | None) -> str:
    """Return ``link``; ``sender`` is the text of the sender's address."""
    if isinstance(frame, LinkFrame):
        order = "" if frame.address_order == "standard" else _order(frame.address_order, frame.address)
        return f"{{{_C_FIELDS[frame.c_field]},{sender}{order}}}"
    if frame.c_field is None or frame.address_field is None:
        return f'{{"c_field":null,"function":"{frame.function}",{_NO_ADDRESS}}}'
    meaning = _ADDRESS_FIELDS[frame.address_field]
    return (
        f"{{{_C_FIELDS[frame.c_field]},{_NO_ADDRESS},"
        f'"address_field":{frame.address_field},"address_field_meaning":"{meaning}"}}'
    )


def _order(order: AddressOrder, sender: Address) -> str:
    """Return what a sender's own order of its address adds."""
    tail = f',"address_tail":"{sender.raw[6:].hex()}"' if sender.version is None else ""
    return f',"address_order":"{order}"{tail}'


def address_text(address: Address) -> str:
    """Return the keys of an address."""
    return _address_text(address.raw, address.id, address.version, address.device_type)


@lru_cache(maxsize=1 << 14)
def _address_text(raw: bytes, number: str, version: int | None, device_type: int | None) -> str:
    address = Address(raw, number, version, device_type)
    kind = _UNKNOWN_TYPE if device_type is None else _DEVICE_TYPES[device_type]
    if device_type in TECHEM_TYPES:
        kind = f'"device_type":{device_type},"device_type_name":{quoted(address.device_type_name)}'
    version_text = "null" if version is None else version
    text = f'"manufacturer":{quoted(address.manufacturer)},"id":"{number}","version":{version_text},{kind}'
    return f'{text},"unique":false' if raw[1] & 0x80 else text


def numbered_text(number: str) -> str:
    """Return ``meter`` of which no more than the number is known."""
    return "{" + _NO_ADDRESS.replace('"id":null', f'"id":{quoted(number)}') + "}"


def ell_text(ell: Ell | None) -> str:
    """Return ``ell``."""
    if ell is None:
        return "null"
    if ell.communication_control is None:
        return f'{{"ci":"{ell.ci:02x}","skipped_hex":"{ell.skipped.hex()}"}}'
    control = _control_text(ell.communication_control)
    text = f'{{"ci":"{ell.ci:02x}",{control},"access_number":{ell.access_number}'
    if ell.receiver is not None:
        text += f',"receiver":{{{address_text(ell.receiver)}}}'
    if ell.session_number is not None:
        text += (
            f',"encryption":{ell.encryption},"session_minutes":{ell.session_minutes}'
            f',"session_counter":{ell.session_counter}'
        )
    return text + "}"


@lru_cache(maxsize=256)
def _control_text(communication_control: int) -> str:
    ell = Ell(0, communication_control, 0)
    return (
        f'"communication_control":"{communication_control:02x}","flags":{json_text(ell.flags)},'
        f'"access":"{ell.access}","delay":"{ell.delay}"'
    )


def afl_text(telegram: Telegram) -> str:
    """Return ``afl``."""
    afl = telegram.afl
    if afl is None:
        return "null"
    counter = "null" if afl.message_counter is None else afl.message_counter
    length = "null" if afl.message_length is None else afl.message_length
    keys = "" if afl.key_information is None else f',"key_information":"{afl.key_information:04x}"'
    mac_bytes = 0 if afl.mac is None else len(afl.mac)
    control = _fragment_text(afl.control, afl.message_control, mac_bytes, telegram.fragment_bytes)
    return f'{control}"message_counter":{counter},"message_length":{length}{keys}}}'


@lru_cache(maxsize=1024)
def _fragment_text(
    control: int, message_control: int | None, mac_bytes: int, fragment_bytes: int | None
) -> str:
    """Return the keys of an AFL that are alike in many telegrams, and the brace before them."""
    afl = Afl(control, message_control)
    size = "" if fragment_bytes is None else f'"fragment_bytes":{fragment_bytes},'
    message = "null" if message_control is None else f'"{message_control:02x}"'
    return (
        f'{{"control":"{control:04x}","fragment":{afl.fragment_number},'
        f'"more_fragments":{_BOOLEANS[afl.more_fragments]},{size}"message_control":{message},'
        f'"authentication_type":{afl.authentication_type},"mac_bytes":{mac_bytes},'
    )


def transport_text(header: TransportHeader | None) -> str:
    """Return ``transport``."""
    if header is None:
        return "null"
    ci, secured = header.row.code, header.configuration
    if header.access_number is None:
        return f'{{"ci":"{ci:02x}",{_NO_HEADER}}}'
    before = f'{{"ci":"{ci:02x}","access_number":{header.access_number},'
    status = header.status or 0
    if secured is None:
        flags = json_text(header.status_flags)
        return f'{before}"status":{status},"status_flags":{flags},"security_mode":0,"configuration":null}}'
    state = _state_text(header.row.direction, status, secured.field, secured.extension)
    return f"{before}{state}{_key_texts(secured)}}}"


@lru_cache(maxsize=4096)
def _state_text(direction: Direction | None, status: int, field: int, extension: bytes) -> str:
    """Return the keys of status and configuration field, which are alike in many telegrams."""
    row = CiRow(0, direction, "short", "", "")
    header = TransportHeader(row, None, 0, status, Configuration(field, extension), 0)
    level_dbm = header.reception_level_dbm
    level = "" if level_dbm is None else f',"reception_level_dbm":{level_dbm}'
    return (
        f'"status":{status},"status_flags":{json_text(header.status_flags)},"security_mode":{header.mode},'
        f'"configuration":{_configuration_text(field, extension)}{level}'
    )


def _key_texts(configuration: Configuration) -> str:
    version, counter = configuration.key_version, configuration.message_counter
    text = "" if version is None else f',"key_version":{version}'
    return text if counter is None else f'{text},"message_counter":{counter}'


def _configuration_text(field: int, extension: bytes) -> str:
    configuration = Configuration(field, extension)
    widths = {name: width for name, _, width in LAYOUTS.get(configuration.mode, ())}
    named = {
        name: bool(value) if widths[name] == 1 else value
        for name, value in configuration.fields().items()
        if name != "mode"
    }
    behind = {"extension": extension.hex()} if extension else {}
    return json_text({"field": f"{field:04x}", **behind, **named})


def security_text(telegram: Telegram) -> str:
    """Return ``security``."""
    security = telegram.security
    verdict = _verdict_text(security.profile, security.outcome, security.authenticated)
    counter = "" if security.message_counter is None else f',"message_counter":{security.message_counter}'
    candidate = f',"candidate":{security.candidate}' if security.candidate else ""
    return f"{{{verdict}{counter}{candidate}}}"


@lru_cache(maxsize=256)
def _verdict_text(profile: str | None, outcome: Outcome, authenticated: bool) -> str:
    return json_text({"profile": profile, "outcome": outcome.value, "authenticated": authenticated})[1:-1]


def application_text(content: Content | None) -> str:
    """Return ``application``."""
    if content is None:
        return "null"
    text = f'{{"protocol":"{content.protocol}","plaintext_hex":"{content.plaintext.hex()}"'
    if content.is_partial:
        text += ',"partial":true'
    records = content.records
    if records is not None:
        if records.fillers:
            text += f',"fillers":{_fillers_text(records.fillers)}'
        if records.manufacturer_data is not None:
            text += (
                f',"manufacturer_data_hex":"{records.manufacturer_data.hex()}"'
                f',"more_records_follow":{_BOOLEANS[records.more_follows]}'
            )
        if records.left_over is not None:
            text += _left_over_text(records.left_over)
    if content.fields:
        text += f",{json_text(content.fields)[1:-1]}"
    return text + "}"


def _left_over_text(left_over: DataRecord) -> str:
    raw = left_over.header.dib_vib + left_over.raw
    return f',"left_over_hex":"{raw.hex()}","left_over_reason":"{left_over.problem}"'


@lru_cache(maxsize=1024)
def _fillers_text(fillers: tuple[tuple[int, int], ...]) -> str:
    return json_text(fillers)


def readings_texts(telegram: Telegram) -> tuple[list[str], tuple[str, ...]]:
    """Return ``readings``, one text each, and the notes of payloads that are no M-Bus."""
    payload = payload_of(telegram)
    if payload is None:
        return [reading_text(reading) for reading in telegram.readings], ()
    return [json_text(payload_fields(reading)) for reading in payload.readings], payload.notes


def payload_fields(reading: PayloadReading) -> dict[str, object]:
    """Arrange a reading of a payload that is no M-Bus as one of ``readings``."""
    fields: dict[str, object] = {
        "quantity": reading.quantity,
        "value": reading.value,
        "unit": reading.unit,
        "function": "instantaneous",
        "storage": 0,
        "tariff": 0,
        "subunit": 0,
        "qualifiers": [],
        "dib_vib": None,
        "raw_hex": None,
    }
    named = {"obis": reading.obis, "at": reading.at}
    return fields | {name: value for name, value in named.items() if value is not None}


_Template = tuple[Meaning, str, str, str]
_templates: dict[int, _Template] = {}


def reading_text(reading: Reading) -> str:
    """Return one of ``readings``."""
    meaning = reading.meaning
    # The entry holds the meaning itself, so that its address in memory stays its own.
    _, before, behind, end = _templates.get(id(meaning)) or _template(meaning)
    value = reading.value
    text = f"{before}{WRITERS[type(value)](value)}{behind}{reading.raw.hex()}{end}"
    if reading.at is not None:
        text += f',"at":{json_text(reading.at)}'
    if reading.notes or reading.coding is not None:
        fields = reading_fields(reading)
        rare = {name: fields[name] for name in _RARE if name in fields}
        text += f",{json_text(rare)[1:-1]}"
    return text + "}"


_RARE: Final = ("notes", "coded_hex", "profile")
"""Keys of a reading that depend on its data and seldom occur."""


def _template(meaning: Meaning) -> _Template:
    """Return the text of all readings with this meaning: before value, before raw bytes, and behind."""
    parts = ["", "", ""]
    place = 0
    for name, value in reading_fields(Reading(meaning, None, b"")).items():
        comma = "," if parts[0] else "{"
        if name == "value":
            parts[0] += f'{comma}"value":'
            place = 1
        elif name == "raw_hex":
            parts[1] += ',"raw_hex":"'
            parts[2] = '"'
            place = 2
        else:
            parts[place] += f"{comma}{quoted(name)}:{json_text(value)}"
    if len(_templates) >= _MOST_TEMPLATES:
        _templates.clear()
    template = (meaning, parts[0], parts[1], parts[2])
    _templates[id(meaning)] = template
    return template
