"""CI-fields: what stands behind the byte that opens each layer.

One row per code (or run of codes with the same meaning). The header kinds of the transport layer:

    none    nothing
    short   ACC, status, configuration field
    long    number, M-field, version, type, then as short
    layer   a lower layer with a layout of its own: ELL, NWL, AFL, adaptation layer
    raw     length unknown: the bytes are kept as they are

Where wired and wireless disagree a row names its link; codes of OMS LPWAN are marked.

Source: EN 13757-7 CI-field table; OMS Vol. 2 and Annex M; wired legacy codes from EN 13757-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from protocol.c_field import Direction

HeaderKind = Literal["none", "short", "long", "layer", "raw"]
Medium = Literal["any", "radio", "wired", "lpwan"]


@dataclass(frozen=True, slots=True)
class CiRow:
    """Meaning of a CI-field.

    Attributes:
        code: the CI-field.
        direction: who sends it, or None when both may.
        header: transport header behind it.
        protocol: what the application data are, a word of the closed vocabulary `PROTOCOLS`.
        meaning: a short description.
        medium: where the row holds.
    """

    code: int
    direction: Direction | None
    header: HeaderKind
    protocol: str
    meaning: str
    medium: Medium = "any"


ELL_CODES: Final = frozenset(range(0x8C, 0x90)) | {0x86}
NWL_CODE: Final = 0x81
AFL_CODE: Final = 0x90
SELECT_MSB_FIRST: Final = 0x56
ERROR_WITHOUT_HEADER: Final = 0x70
RECORDS_MSB_FIRST: Final = 0x76
FIXED_MSB_FIRST: Final = 0x77

PROTOCOLS: Final = {
    "none": "no application data",
    "mbus": "M-Bus records",
    "mbus_command": "M-Bus records to the device",
    "mbus_compact": "M-Bus compact frame",
    "mbus_format": "M-Bus format frame",
    "mbus_fixed": "fixed data structure of old wired meters",
    "mbus_msb_first": "M-Bus records of old wired meters, most significant byte first",
    "device_select": "selection by secondary address",
    "application_select": "application reset or select",
    "application_request": "request of the selected application",
    "application_response": "answer to the request of the selected application",
    "application_error": "application error",
    "alarm": "alarm",
    "clock_sync": "clock synchronisation",
    "synchronize_action": "synchronised action",
    "set_baud_rate": "change of the wired baud rate",
    "image_transfer": "image transfer",
    "sitp": "security information transfer protocol",
    "tls_handshake": "TLS handshake",
    "dlms": "DLMS/COSEM",
    "sml": "SML or OBIS values",
    "network_management": "network management",
    "ell": "extended link layer",
    "nwl": "network layer",
    "afl": "authentication and fragmentation layer",
    "mal": "M-Bus adaptation layer",
    "manufacturer": "manufacturer specific",
    "unknown": "not assigned",
}
"""Closed vocabulary of ``protocol`` and what each word stands for."""

_TO: Final[Direction] = "O2M"
_FROM: Final[Direction] = "M2O"

_BAUD_RATES: Final = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400)

CI_ROWS: Final = (
    *(CiRow(code, None, "none", "dlms", "reserved for DLMS") for code in range(0x00, 0x20)),
    CiRow(0x50, _TO, "none", "application_select", "application reset or select"),
    CiRow(0x51, _TO, "none", "mbus_command", "M-Bus command"),
    CiRow(0x52, _TO, "none", "device_select", "select device"),
    CiRow(0x53, _TO, "long", "application_select", "application reset or select"),
    CiRow(0x54, _TO, "none", "application_request", "request of the selected application"),
    CiRow(0x55, _TO, "long", "application_request", "request of the selected application"),
    CiRow(0x56, _TO, "short", "application_request", "request of the selected application", "lpwan"),
    CiRow(0x56, _TO, "none", "device_select", "select device, most significant byte first", "wired"),
    CiRow(0x57, _TO, "short", "application_select", "application reset or select", "lpwan"),
    CiRow(0x5A, _TO, "short", "mbus_command", "M-Bus command"),
    CiRow(0x5B, _TO, "long", "mbus_command", "M-Bus command"),
    CiRow(0x5C, _TO, "none", "synchronize_action", "synchronise action"),
    CiRow(0x5F, _TO, "long", "tls_handshake", "TLS handshake command"),
    CiRow(0x60, _TO, "long", "dlms", "DLMS command"),
    CiRow(0x61, _TO, "short", "dlms", "DLMS command"),
    CiRow(0x62, _TO, "short", "clock_sync", "clock synchronisation", "lpwan"),
    CiRow(0x64, _TO, "long", "sml", "SML command"),
    CiRow(0x65, _TO, "short", "sml", "SML command", "lpwan"),
    CiRow(0x66, _FROM, "none", "application_response", "response of the selected application"),
    CiRow(0x67, _FROM, "short", "application_response", "response of the selected application"),
    CiRow(0x68, _FROM, "long", "application_response", "response of the selected application"),
    CiRow(0x69, _FROM, "none", "mbus_format", "M-Bus format frame"),
    CiRow(0x6A, _FROM, "short", "mbus_format", "M-Bus format frame"),
    CiRow(0x6B, _FROM, "long", "mbus_format", "M-Bus format frame"),
    CiRow(0x6C, _TO, "long", "clock_sync", "clock synchronisation, absolute"),
    CiRow(0x6D, _TO, "long", "clock_sync", "clock synchronisation, relative"),
    CiRow(0x6E, _FROM, "short", "application_error", "application error"),
    CiRow(0x6F, _FROM, "long", "application_error", "application error"),
    CiRow(0x70, _FROM, "none", "application_error", "application error"),
    CiRow(0x71, _FROM, "none", "alarm", "alarm"),
    CiRow(0x72, _FROM, "long", "mbus", "M-Bus full frame"),
    CiRow(0x73, _FROM, "long", "mbus_compact", "M-Bus compact frame", "radio"),
    CiRow(0x73, _FROM, "none", "mbus_fixed", "fixed data structure", "wired"),
    CiRow(0x74, _FROM, "short", "alarm", "alarm"),
    CiRow(0x75, _FROM, "long", "alarm", "alarm"),
    CiRow(0x76, _FROM, "long", "mbus_msb_first", "variable data, most significant byte first"),
    CiRow(0x77, _FROM, "none", "mbus_fixed", "fixed data, most significant byte first"),
    CiRow(0x78, _FROM, "none", "mbus", "M-Bus full frame"),
    CiRow(0x79, _FROM, "none", "mbus_compact", "M-Bus compact frame"),
    CiRow(0x7A, _FROM, "short", "mbus", "M-Bus full frame"),
    CiRow(0x7B, _FROM, "short", "mbus_compact", "M-Bus compact frame"),
    CiRow(0x7C, _FROM, "long", "dlms", "DLMS response"),
    CiRow(0x7D, _FROM, "short", "dlms", "DLMS response"),
    CiRow(0x7E, _FROM, "long", "sml", "SML response or OBIS values"),
    CiRow(0x7F, _FROM, "short", "sml", "SML response or OBIS values"),
    CiRow(0x80, _TO, "long", "none", "pure transport layer"),
    CiRow(0x81, None, "layer", "nwl", "network layer"),
    CiRow(0x82, _TO, "long", "network_management", "network management"),
    CiRow(0x83, _TO, "none", "network_management", "network management"),
    CiRow(0x84, _TO, "long", "none", "pure transport layer, compact frame expected"),
    CiRow(0x85, _TO, "long", "none", "pure transport layer, format frame expected"),
    CiRow(0x86, None, "layer", "ell", "extended link layer V"),
    CiRow(0x87, _FROM, "long", "network_management", "network management"),
    CiRow(0x88, _FROM, "short", "network_management", "network management"),
    CiRow(0x89, _FROM, "none", "network_management", "network management"),
    CiRow(0x8A, _FROM, "short", "none", "pure transport layer"),
    CiRow(0x8B, _FROM, "long", "none", "pure transport layer"),
    CiRow(0x8C, None, "layer", "ell", "extended link layer I"),
    CiRow(0x8D, None, "layer", "ell", "extended link layer II"),
    CiRow(0x8E, None, "layer", "ell", "extended link layer III"),
    CiRow(0x8F, None, "layer", "ell", "extended link layer IV"),
    CiRow(0x90, None, "layer", "afl", "authentication and fragmentation layer"),
    CiRow(0x92, _TO, "short", "network_management", "network management", "lpwan"),
    CiRow(0x93, _TO, "short", "none", "pure transport layer", "lpwan"),
    CiRow(0x9E, _FROM, "short", "tls_handshake", "TLS handshake response"),
    CiRow(0x9F, _FROM, "long", "tls_handshake", "TLS handshake response"),
    *(CiRow(code, None, "raw", "manufacturer", "manufacturer specific") for code in range(0xA0, 0xB8)),
    *(
        CiRow(code, _TO, "none", "set_baud_rate", f"set baud rate {baud_rate}")
        for code, baud_rate in enumerate(_BAUD_RATES, start=0xB8)
    ),
    CiRow(0xC0, _TO, "long", "image_transfer", "image transfer command"),
    CiRow(0xC1, _FROM, "short", "image_transfer", "image transfer response"),
    CiRow(0xC2, _FROM, "long", "image_transfer", "image transfer response"),
    CiRow(0xC3, _TO, "long", "sitp", "security information command"),
    CiRow(0xC4, _FROM, "short", "sitp", "security information response"),
    CiRow(0xC5, _FROM, "long", "sitp", "security information response"),
    CiRow(0xC6, _TO, "short", "sitp", "security information command", "lpwan"),
    CiRow(0xC7, _TO, "short", "image_transfer", "image transfer command", "lpwan"),
    CiRow(0xCF, None, "layer", "mal", "M-Bus adaptation layer"),
)


def _table(other_medium: Medium) -> tuple[CiRow, ...]:
    """Rows by code, leaving out those of the other medium."""
    rows = {row.code: row for row in CI_ROWS if row.medium != other_medium}
    return tuple(rows.get(code, CiRow(code, None, "raw", "unknown", "not assigned")) for code in range(256))


RADIO_CI: Final = _table("wired")
"""The row of each CI-field in wireless frames."""

WIRED_CI: Final = _table("radio")
"""The row of each CI-field in wired frames."""
