"""JSON line → description of a telegram: the schema read the other way round.

    link           who sends, and why             c_field or function, address
    ell afl        as decoded                     hex fields, or the words for them
    transport      header, configuration field    field and extension, or the names of their parts
    meter          address of a long header
    application    fillers, manufacturer data, fields of other protocols
    readings       records                        dib_vib and value, or quantity, unit and value

``frame_hex``, ``raw_hex`` and ``plaintext_hex`` are never looked at, nor any CRC or MAC. What a line
written by hand leaves out gets the usual value: the encrypted length is counted, the AFL of mode 7 made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol import address, afl, c_field, transport
from protocol.address import Address, AddressOrder
from protocol.afl import Afl
from protocol.application import (
    COMPACT,
    RECORDS_FROM_DEVICE,
    RECORDS_REVERSED,
    TO_DEVICE,
    encode_content,
)
from protocol.building import Description
from protocol.ci import RADIO_CI, WIRED_CI, CiRow
from protocol.ell import CC_BITS, Ell
from protocol.frame_format import FrameFormat
from protocol.nwl import Nwl
from protocol.outcome import READ_OUTCOMES, Outcome
from protocol.reading_fields import records_of
from protocol.reassembly import MESSAGE_LIMIT_BYTES
from protocol.records import DataRecord, RecordList, parse_records
from protocol.security import EPHEMERAL_MODE
from protocol.transport import TransportHeader
from sdr.output.json_configuration import check_counter, configuration_of
from sdr.output.json_fields import DescriptionError, Fields
from sdr.reception import WIRED

_ORDERS: Final[tuple[AddressOrder, ...]] = ("standard", "vendor", "id_only")
_FRAME_FORMATS: Final[tuple[FrameFormat, ...]] = ("A", "B")
_LOWER_LAYERS: Final = ("ell", "nwl", "afl", "transport")
_WITH_RECORDS: Final = (
    *TO_DEVICE,
    RECORDS_FROM_DEVICE,
    RECORDS_REVERSED,
    COMPACT,
    "application_error",
    "mbus_fixed",
)
_SESSION_CIS: Final = (0x8D, 0x8F)
_RECEIVER_CIS: Final = (0x8E, 0x8F)
_LAYOUT_V: Final = 0x86
_CMAC_8: Final = 5


def describe(line: Mapping[str, Any]) -> Description:
    """Return what a telegram is built from.

    Args:
        line: a JSON line as ``omsdr decode`` writes it; numbers with a point are Decimals.

    Raises:
        DescriptionError: something is missing or of the wrong kind.
        ProtocolError: a value fits no field.
    """
    fields = Fields(line)
    if "rejected" in fields:
        raise DescriptionError("a rejected line holds no telegram")
    problem = fields.table("problem")
    if problem is not None and problem.values.get("layer") in _LOWER_LAYERS:
        raise DescriptionError(f"layer {problem.values['layer']} of the telegram could not be read")
    sender_fields = fields.table("link")
    if sender_fields is None:
        raise fields.error("link", "given")
    is_wired = line.get("mode") == WIRED
    order, sender = (_ORDERS[0], None) if is_wired else _sender(sender_fields)
    field_code, address_field = _c_field(sender_fields), sender_fields.optional_number("address_field")
    if is_wired and address_field is None and (field_code is not None or "transport" in fields):
        raise sender_fields.error("address_field", "given in all wired frames but the single ACK")
    outcome = _outcome(fields)
    header, content = _message(fields, is_wired)
    frame_format = line.get("frame_format")
    if frame_format is not None and frame_format not in _FRAME_FORMATS:
        raise fields.error("frame_format", "A, B or null")
    nwl_fields, afl_fields = fields.table("nwl"), fields.table("afl")
    layer = _afl(afl_fields, header)
    is_fragment = layer is not None and layer.fragment_number > 0
    if header is None and outcome not in (None, *READ_OUTCOMES) and not is_fragment:
        raise DescriptionError("what stands behind the link layer could not be read")
    is_open = outcome is Outcome.ALREADY_DECRYPTED
    mode = 0 if header is None else header.mode
    if header is not None and content is not None and not is_open and not is_fragment:
        check_counter(header, layer)
    return Description(
        c_field=field_code,
        sender=sender,
        address_order=order,
        address_field=address_field,
        frame_format=None if is_wired else frame_format,
        ell=_ell(fields.table("ell")),
        nwl=None if nwl_fields is None else Nwl(nwl_fields.number("routing")),
        afl=layer,
        header=header,
        content=content,
        fragment_bytes=None if afl_fields is None else afl_fields.optional_number("fragment_bytes"),
        link_is_open=is_open and not mode,
        message_is_open=is_open and bool(mode),
    )


def candidate_of(line: Mapping[str, Any]) -> int:
    """Return which of several candidate keys opened the telegram."""
    security = Fields(line).table("security")
    return 0 if security is None else security.number("candidate", 0)


def _outcome(fields: Fields) -> Outcome | None:
    security = fields.table("security")
    if security is None or "outcome" not in security:
        return None
    try:
        return Outcome(security.text("outcome"))
    except ValueError:
        raise security.error("outcome", f"one of {', '.join(Outcome)}") from None


def _c_field(link: Fields) -> int | None:
    if "c_field" in link:
        return link.hex_number("c_field")
    function = link.text("function")
    if function == "ACK" and "address_field" not in link and "manufacturer" not in link:
        return None
    try:
        return c_field.code_of(function)
    except KeyError:
        names = dict.fromkeys(row.function for row in c_field.C_FIELDS)
        raise link.error("function", f"one of {', '.join(names)}") from None


def _sender(link: Fields) -> tuple[AddressOrder, Address]:
    text = link.text("address_order", "standard")
    order = next((order for order in _ORDERS if order == text), None)
    if order is None:
        raise link.error("address_order", f"one of {', '.join(_ORDERS)}")
    if "address_tail" not in link:
        return order, _address(link)
    tail = link.hex("address_tail")
    if len(tail) != 2:
        raise link.error("address_tail", "two bytes in hex")
    whole = Fields({**link.values, "version": tail[0], "device_type": tail[1]}, "link")
    return order, address.from_link(_address(whole).raw, order=order)


def _address(fields: Fields) -> Address:
    m_field = address.manufacturer_code(fields.text("manufacturer"))
    if not fields.flag("unique", True):
        m_field |= address.NOT_UNIQUE
    return address.build(m_field, fields.text("id"), fields.number("version"), fields.number("device_type"))


def _ell(fields: Fields | None) -> Ell | None:
    if fields is None:
        return None
    ci = fields.hex_number("ci")
    if ci == _LAYOUT_V:
        return Ell(ci, None, None, skipped=fields.hex("skipped_hex", b""))
    receiver = fields.table("receiver")
    if (receiver is None) == (ci in _RECEIVER_CIS):
        raise fields.error("receiver", "given with layouts III and IV, and no others")
    if "communication_control" in fields:
        control = fields.hex_number("communication_control")
    else:
        flags = fields.list("flags")
        control = sum(bit for bit, name in CC_BITS if name in flags)
    session_number = None
    if ci in _SESSION_CIS:
        session_number = (
            fields.number("encryption") << 29
            | fields.number("session_minutes") << 4
            | fields.number("session_counter")
        )
    return Ell(
        ci,
        control,
        fields.number("access_number"),
        None if receiver is None else _address(receiver),
        session_number,
        None if session_number is None else 0,
    )


def _afl(fields: Fields | None, header: TransportHeader | None) -> Afl | None:
    """Return the layer with a MAC of zeros; without a control field it is made of the rest."""
    if fields is None:
        return None
    counter = fields.optional_number("message_counter")
    length = fields.optional_number("message_length")
    keys = fields.hex_number("key_information") if "key_information" in fields else None
    if "control" not in fields:
        usual = _CMAC_8 if header is not None and header.mode == EPHEMERAL_MODE else 0
        return afl.build(
            authentication_type=fields.number("authentication_type", usual),
            message_counter=counter,
            key_information=keys,
            message_length=length,
        )
    message_control = fields.hex_number("message_control") if "message_control" in fields else None
    mac_bytes = fields.number("mac_bytes", 0)
    if mac_bytes > max(afl.CMAC_BYTES.values()):
        raise fields.error("mac_bytes", "the length of a MAC")
    mac = bytes(mac_bytes) if mac_bytes else None
    return Afl(fields.hex_number("control"), message_control, keys, counter, mac, length)


def _message(fields: Fields, is_wired: bool) -> tuple[TransportHeader | None, bytes | None]:
    """Return the transport header and the application data, None where they are not known."""
    layer = fields.table("transport")
    if layer is None:
        if fields.list("readings") and "afl" not in fields:
            raise fields.error("transport", "given where there are readings")
        return None, None
    ci = layer.hex_number("ci")
    if ci > 0xFF:
        raise layer.error("ci", "one byte in hex")
    row = (WIRED_CI if is_wired else RADIO_CI)[ci]
    content = _content(fields, row)
    if row.header not in ("short", "long"):
        return transport.build(ci, wired=is_wired), content
    meter_fields = fields.table("meter")
    if row.header == "long" and meter_fields is None:
        raise fields.error("meter", f"given: CI {ci:02x} names the device in its header")
    meter = _address(meter_fields) if row.header == "long" and meter_fields is not None else None
    access_number, status = layer.number("access_number"), layer.number("status", 0)
    if "configuration" in layer.values and layer.values["configuration"] is None:
        return TransportHeader(row, meter, access_number, status, None, 3), content
    secured = configuration_of(layer, content)
    return transport.build(ci, access_number, status, secured, meter=meter, wired=is_wired), content


def _content(fields: Fields, row: CiRow) -> bytes | None:
    """Return the application data; None where the line says that they could not be read."""
    application = fields.table("application")
    if application is None:
        if "security" in fields:
            return None
        application = Fields({}, "application")
    if application.flag("partial", False):
        return None
    fillers = []
    for run in application.list("fillers"):
        if not isinstance(run, list) or len(run) != 2 or not all(_is_count(part) for part in run):
            raise application.error("fillers", "pairs of a position and a number")
        fillers.append((run[0], run[1]))
    readings = fields.list("readings") if row.protocol in _WITH_RECORDS else []
    if not all(isinstance(reading, Mapping) for reading in readings):
        raise fields.error("readings", "a list of objects")
    to_device = row.protocol in TO_DEVICE
    records = RecordList(
        records_of(readings, to_device=to_device) + _left_over(application, to_device=to_device),
        tuple(fillers),
        application.hex("manufacturer_data_hex") if "manufacturer_data_hex" in application else None,
        application.flag("more_records_follow", False),
    )
    return encode_content(row.protocol, row.code, application.values, records)


def _left_over(application: Fields, *, to_device: bool) -> tuple[DataRecord, ...]:
    """Return the bytes behind the last record as decoding gives them."""
    raw = application.hex("left_over_hex", b"")
    left_over = parse_records(raw, to_device=to_device)
    if raw and (len(left_over.records) != 1 or left_over.left_over is None or left_over.fillers):
        raise application.error("left_over_hex", "bytes that are no whole record")
    return left_over.records


def _is_count(part: object) -> bool:
    return isinstance(part, int) and 0 <= part <= MESSAGE_LIMIT_BYTES
