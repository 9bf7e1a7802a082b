"""TLS records, as security mode 13 and the handshake CI-fields carry them: named, not decrypted.

    record      type(1)  version(2)  length(2, high byte first)  content
    handshake   type(1)  length(3, high byte first)  body          while still in plain

Source: RFC 5246 (TLS 1.2), 6.2.1 and 7.4; OMS Vol. 2 security profile C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECORD_TYPES: Final = {
    20: "change_cipher_spec",
    21: "alert",
    22: "handshake",
    23: "application_data",
}
HANDSHAKE_TYPES: Final = {
    0: "hello_request",
    1: "client_hello",
    2: "server_hello",
    4: "new_session_ticket",
    11: "certificate",
    12: "server_key_exchange",
    13: "certificate_request",
    14: "server_hello_done",
    15: "certificate_verify",
    16: "client_key_exchange",
    20: "finished",
    22: "certificate_status",
}
VERSIONS: Final = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}

_HANDSHAKE: Final = 22
_HEADER_BYTES: Final = 5
_HANDSHAKE_HEADER_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class TlsRecord:
    """A TLS record.

    Attributes:
        type: what it carries, a word of `RECORD_TYPES`.
        version: protocol version, such as ``TLS 1.2``.
        length: length of its content in bytes, as announced.
        handshakes: words of `HANDSHAKE_TYPES` for its plain handshake messages; empty when the
            content is encrypted or something else.
        is_whole: whether all of the content is there.
    """

    type: str
    version: str
    length: int
    handshakes: tuple[str, ...]
    is_whole: bool


def records(data: bytes) -> tuple[TlsRecord, ...]:
    """Name the TLS records at the start of ``data``; stops where no record begins."""
    found = []
    at = 0
    while len(data) >= at + _HEADER_BYTES:
        record_type = RECORD_TYPES.get(data[at])
        version = VERSIONS.get(data[at + 1] << 8 | data[at + 2])
        if record_type is None or version is None:
            break
        length = data[at + 3] << 8 | data[at + 4]
        content = data[at + _HEADER_BYTES : at + _HEADER_BYTES + length]
        is_whole = len(content) == length
        handshakes = _handshakes(content) if data[at] == _HANDSHAKE and is_whole else ()
        found.append(TlsRecord(record_type, version, length, handshakes, is_whole))
        at += _HEADER_BYTES + length
    return tuple(found)


def _handshakes(content: bytes) -> tuple[str, ...]:
    """Name the handshake messages that fill a record exactly; encrypted ones do not."""
    names = []
    at = 0
    while at < len(content):
        name = HANDSHAKE_TYPES.get(content[at])
        if name is None or len(content) < at + _HANDSHAKE_HEADER_BYTES:
            return ()
        names.append(name)
        at += _HANDSHAKE_HEADER_BYTES + int.from_bytes(content[at + 1 : at + 4], "big")
    return tuple(names) if at == len(content) else ()
