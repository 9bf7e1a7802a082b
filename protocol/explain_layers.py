"""The fields of the layers below the application data, byte by byte, with what each of them says.

A row is (size, name, meaning). The rows of a layer follow each other without a gap.
"""

from __future__ import annotations

from protocol.address import Address, AddressOrder
from protocol.afl import AUTHENTICATION_TYPE, CMAC_BYTES, GMAC_BYTES, Afl
from protocol.c_field import ACD, BY_CODE, DFC, FCB, FCV, RELAYED
from protocol.configuration import CONTENT_NAMES, LAYOUTS, Configuration
from protocol.crc import crc16
from protocol.ell import Ell
from protocol.link import LinkFrame
from protocol.nwl import Nwl
from protocol.transport import TransportHeader
from protocol.wired import ADDRESS_FIELDS, WiredFrame

Row = tuple[int, str, str]

_DIRECTIONS = {"M2O": "from the meter", "O2M": "to the meter", None: "either way"}
_REPLIES = ("ACK", "NACK", "RSP-UD")
_REPLY_BITS = ((ACD, "alarm data are waiting"), (DFC, "busy"))
_REQUEST_BITS = ((FCB, "frame count bit set"),)
_KEY_DERIVATIONS = ("persistent key", "KDF-A", "reserved", "reserved")


def link_rows(frame: LinkFrame, sent_l_field: int) -> list[Row]:
    """Return the rows of a wireless link layer; the L-field of format B counts its CRCs, too."""
    crcs = "" if sent_l_field == frame.l_field else ", CRCs included"
    return [
        (1, "L-field", f"{sent_l_field} bytes follow{crcs}"),
        (1, "C-field", c_field_text(frame.c_field)),
        *link_address_rows(frame.address, frame.address_order),
    ]


def c_field_text(code: int) -> str:
    """Say what a C-field is for, and who sends it."""
    row = BY_CODE[code]
    bits = _REPLY_BITS if row.function in _REPLIES else _REQUEST_BITS if code & FCV else ()
    said = [text for bit, text in (*bits, (RELAYED, "relayed")) if code & bit]
    return ", ".join([row.function, _DIRECTIONS[row.direction], *said])


def link_address_rows(address: Address, order: AddressOrder = "standard") -> list[Row]:
    """Return the rows of an address as the link layer sends it."""
    maker = (2, "M-field", _maker(address))
    number = (4, "number", address.id)
    kind = _kind(address)
    if order == "id_only":
        return [maker, number, (2, "maker's own", "neither version nor device type")]
    return [maker, *kind, number] if order == "vendor" else [maker, number, *kind]


def _maker(address: Address) -> str:
    return address.manufacturer if address.is_unique else f"{address.manufacturer}, not unique worldwide"


def _kind(address: Address) -> list[Row]:
    return [
        (1, "version", str(address.version)),
        (1, "device type", f"{address.device_type:02X}h {address.device_type_name}"),
    ]


def wired_rows(frame: WiredFrame) -> list[Row]:
    """Return the rows before the payload of a wired frame."""
    if frame.c_field is None or frame.address_field is None:
        return [(1, "single", "acknowledgement")]
    meaning = next(text for first, last, text in ADDRESS_FIELDS if first <= frame.address_field <= last)
    core = [
        (1, "C-field", c_field_text(frame.c_field)),
        (1, "A-field", f"{frame.address_field}, {meaning}"),
    ]
    if frame.kind == "short":
        return [(1, "start", "short frame"), *core]
    size = 2 + len(frame.payload)
    length = f"{size} bytes from C-field to last data byte"
    return [
        (1, "start", f"{frame.kind} frame"),
        (1, "L-field", length),
        (1, "L-field", "again"),
        (1, "start", "again"),
        *core,
    ]


def wired_tail_rows(frame: WiredFrame) -> list[Row]:
    """Return the rows behind the payload of a wired frame."""
    return [] if frame.c_field is None else [(1, "checksum", "fits"), (1, "stop", "end of frame")]


def ell_rows(ell: Ell, payload: bytes | None) -> list[Row]:
    """Return the rows of an extended link layer.

    Args:
        ell: the layer.
        payload: the plain bytes behind it, None if they could not be had.
    """
    rows = [(1, "CI-field", f"{ell.ci:02X}h extended link layer {ell.numeral}")]
    if ell.communication_control is None:
        return [
            *rows,
            (1, "length", f"{len(ell.skipped)} bytes"),
            (len(ell.skipped), "content", "not public"),
        ]
    flags = ", ".join(flag.replace("_", " ") for flag in ell.flags) or "no flags"
    rows += [
        (1, "CC", f"{flags}; listens: {(ell.access or '').replace('_', ' ')}; delay: {ell.delay}"),
        (1, "ACC", f"access number {ell.access_number}"),
    ]
    if ell.receiver is not None:
        rows += [(size, f"to {name}", text) for size, name, text in link_address_rows(ell.receiver)]
    if ell.session_number is not None:
        method = {0: "not encrypted", 1: "AES-128-CTR"}.get(ell.encryption, "reserved method")
        text = f"{method}, minute {ell.session_minutes}, session {ell.session_counter}"
        rows.append((4, "SN", text))
        rows.append((2, "payload CRC", _payload_crc_text(ell, payload)))
    return rows


def _payload_crc_text(ell: Ell, payload: bytes | None) -> str:
    if payload is None:
        return "encrypted" if ell.encryption else "does not fit"
    # decrypted bytes fit, or they would not be there
    return "fits" if ell.encryption or crc16(payload) == ell.payload_crc else "does not fit"


def nwl_rows(nwl: Nwl) -> list[Row]:
    """Return the rows of a network layer."""
    return [(1, "CI-field", "81h network layer"), (1, "routing", f"{nwl.routing:02X}h, stepped over")]


def afl_rows(afl: Afl, mac_text: str) -> list[Row]:
    """Return the rows of an authentication and fragmentation layer; ``mac_text`` judges its MAC."""
    more = ", more follow" if afl.more_fragments else ", the last" if afl.fragment_number else ""
    fragment = f"fragment {afl.fragment_number}{more}" if afl.fragment_number else "whole message"
    rows = [
        (1, "CI-field", "90h authentication and fragmentation layer"),
        (1, "length", f"{afl.size - 2} bytes"),
        (2, "FCL", fragment),
    ]
    if afl.message_control is not None:
        rows.append((1, "MCL", _authentication(afl.message_control & AUTHENTICATION_TYPE)))
    if afl.key_information is not None:
        derivation = _KEY_DERIVATIONS[afl.key_derivation or 0]
        text = f"key {afl.key_number}, version {afl.key_version}, {derivation}"
        rows.append((2, "KI", text))
    if afl.message_counter is not None:
        rows.append((4, "MCR", f"message counter {afl.message_counter}"))
    if afl.mac is not None:
        rows.append((len(afl.mac), "MAC", mac_text))
    if afl.message_length is not None:
        rows.append((2, "ML", f"message of {afl.message_length} bytes"))
    return rows


def _authentication(kind: int) -> str:
    if kind in CMAC_BYTES:
        return f"AES-CMAC of {CMAC_BYTES[kind]} bytes"
    if kind in GMAC_BYTES:
        return f"AES-GMAC of {GMAC_BYTES[kind]} bytes"
    return f"authentication type {kind}, reserved" if kind else "no authentication"


def transport_rows(header: TransportHeader) -> list[Row]:
    """Return the rows of a transport header."""
    row = header.row
    direction = "" if row.direction is None else f", {_DIRECTIONS[row.direction]}"
    rows: list[Row] = [(1, "CI-field", f"{row.code:02X}h {row.meaning}{direction}")]
    if header.access_number is None or header.status is None:
        return rows
    if header.address is not None:
        rows += [(4, "number", header.address.id), (2, "M-field", _maker(header.address))]
        rows += _kind(header.address)
    rows += [(1, "ACC", f"access number {header.access_number}"), (1, "STS", _status(header))]
    if header.configuration is not None:
        rows += _configuration_rows(header.configuration)
    return rows


def _status(header: TransportHeader) -> str:
    if header.row.direction == "O2M":
        level_dbm = header.reception_level_dbm
        return "reception level not known" if level_dbm is None else f"received at {level_dbm} dBm"
    return ", ".join(flag.replace("_", " ") for flag in header.status_flags) or "no error"


def _configuration_rows(configuration: Configuration) -> list[Row]:
    fields = configuration.fields()
    texts = [f"security mode {configuration.mode} ({configuration.mode_name})"]
    if "encrypted_blocks" in fields or "encrypted_bytes" in fields:
        length = configuration.announced_length
        if configuration.mode:
            texts.append("all encrypted" if length is None else f"{length} bytes encrypted")
    if fields.get("content"):
        texts.append(f"content {CONTENT_NAMES[fields['content']]}")
    widths = {name: width for name, _, width in LAYOUTS.get(configuration.mode, ())}
    set_bits = [name.replace("_", " ") for name, value in fields.items() if value and widths.get(name) == 1]
    rows: list[Row] = [(2, "CF", ", ".join(texts + set_bits))]
    extension = len(configuration.extension)
    if extension:
        derivation = configuration.key_derivation
        text = f"protocol type {fields.get('protocol_type')}"
        if derivation is not None:
            text = f"key {fields['key_number']}, {_KEY_DERIVATIONS[derivation]}"
        rows.append((extension, "CF extension", text))
    if configuration.key_version is not None:
        rows.append((1, "key version", str(configuration.key_version)))
    if configuration.message_counter is not None:
        rows.append((4, "counter", f"message counter {configuration.message_counter}"))
    return rows
