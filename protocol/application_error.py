"""Application error: why a device did not do what it was told (CI 6E, 6F, 70).

    code (1) | data; with the dynamic error F0 the data are records with a text

The codes have had two generations: OMS 2.0 (2009) used 10-16 for other faults than EN 13757-3 does
now. Old devices still send them, so both meanings are given. Source: EN 13757-3; OMS Vol. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol.errors import Incomplete
from protocol.fields import unsigned
from protocol.records import RecordList, parse_records

DYNAMIC_ERROR: Final = 0xF0
UNSPECIFIED: Final = "unspecified error"

APPLICATION_ERRORS: Final = {
    0x00: UNSPECIFIED,
    0x01: "CI-field not implemented",
    0x02: "buffer too long, truncated",
    0x03: "too many records",
    0x04: "premature end of record",
    0x05: "more than 10 DIFE",
    0x06: "more than 10 VIFE",
    0x08: "application busy",
    0x09: "too many readouts",
    0x10: "command not yet finished or not possible now",
    0x11: "function not implemented",
    0x12: "data not available",
    0x13: "routing error",
    0x14: "access violation",
    0x15: "parameter missing or wrong",
    0x16: "size error",
    0x17: "wrong message structure",
    0x20: "security error",
    0x21: "security mechanism not supported",
    0x22: "inadequate security method",
    DYNAMIC_ERROR: "dynamic error",
}
"""Codes of EN 13757-3."""

APPLICATION_ERRORS_2009: Final = {
    0x10: "access denied",
    0x11: "command unknown",
    0x12: "parameter wrong",
    0x13: "unknown receiver",
    0x14: "decryption failed",
    0x15: "encryption method not supported",
    0x16: "signature method not supported",
}
"""Codes that OMS 2.0 (2009) used otherwise."""

_RESERVED: Final = "reserved"


@dataclass(frozen=True, slots=True)
class ApplicationError:
    """A device's answer that something went wrong.

    Attributes:
        code: error code.
        data: bytes behind it.
    """

    code: int
    data: bytes = b""

    @property
    def name(self) -> str:
        """Meaning of the code."""
        return APPLICATION_ERRORS.get(self.code, _RESERVED)

    @property
    def name_2009(self) -> str | None:
        """Other meaning of the code in devices of OMS 2.0, if it has one."""
        return APPLICATION_ERRORS_2009.get(self.code)

    @property
    def records(self) -> RecordList:
        """The records that a dynamic error carries; none for other codes."""
        return parse_records(self.data) if self.code == DYNAMIC_ERROR else RecordList(())


def parse_application_error(body: bytes) -> ApplicationError:
    """Decode an application error.

    Raises:
        Incomplete: no code.
    """
    if not body:
        raise Incomplete("application", "truncated", "application error without a code", offset=0)
    return ApplicationError(body[0], body[1:])


def encode_application_error(error: ApplicationError) -> bytes:
    """Encode an application error.

    Raises:
        InvalidField: a code is not one byte.
    """
    return unsigned("application", "error code", error.code) + error.data
