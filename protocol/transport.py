"""Transport layer: the header between the CI-field and the application data.

    none    CI
    short   CI                                        ACC STS CF…
    long    CI  number(4) M-field(2) version type     ACC STS CF…

The address of a long header is always the meter's, whoever sends. CF… is the configuration field
with what belongs to it, see configuration.py.

    STS from the device   b1-0 application state, b2 low power, b3 permanent error,
                          b4 temporary error, b7-5 manufacturer specific
    STS to the device     b5-0 n, the level at which the device is received: -130 dBm + 2n; 0 unknown

Source: EN 13757-7 transport layer; OMS Vol. 2; level formula from Annex N examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol import address, configuration
from protocol.address import Address
from protocol.ci import RADIO_CI, RECORDS_MSB_FIRST, WIRED_CI, CiRow
from protocol.configuration import Configuration
from protocol.errors import Incomplete, InvalidField
from protocol.fields import msb_first, unsigned
from protocol.quick import quick_init

APPLICATION_STATES: Final = ("", "application_busy", "application_error", "abnormal_condition")
"""Words for bits 1-0 of the status from the device."""
STATUS_BITS: Final = (
    (0x04, "low_power"),
    (0x08, "permanent_error"),
    (0x10, "temporary_error"),
    (0x20, "manufacturer_bit_5"),
    (0x40, "manufacturer_bit_6"),
    (0x80, "manufacturer_bit_7"),
)
"""Words for the other bits of the status from the device."""


def _flags(status: int) -> tuple[str, ...]:
    state = APPLICATION_STATES[status & 3]
    return (*((state,) if state else ()), *(name for bit, name in STATUS_BITS if status & bit))


STATUS_FLAGS: Final = tuple(_flags(status) for status in range(256))
"""The words of each status from the device."""

_LEVEL_MASK: Final = 0x3F
_LEVEL_FLOOR_DBM: Final = -130
_LEVEL_STEP_DB: Final = 2

_SHORT_BYTES: Final = 5
_LONG_BYTES: Final = 13
_LONG_FIELDS: Final = (4, 2, 1, 1, 1, 1, 2)
"""Fields of a long header behind the CI-field, which CI 76 sends most significant byte first."""
_CONFIGURATION_BYTES: Final = 2


@quick_init
@dataclass(frozen=True, slots=True)
class TransportHeader:
    """A transport header.

    Attributes:
        row: meaning of its CI-field.
        address: the meter, in a long header.
        access_number: ACC of the transport layer, unless there is no header.
        status: STS, unless there is no header.
        configuration: the configuration field, unless there is no header.
        size: number of bytes from the CI-field to the first byte of data.
    """

    row: CiRow
    address: Address | None
    access_number: int | None
    status: int | None
    configuration: Configuration | None
    size: int

    @property
    def ci(self) -> int:
        """The CI-field."""
        return self.row.code

    @property
    def mode(self) -> int:
        """Security mode; 0 without a header."""
        configuration = self.configuration
        return 0 if configuration is None else configuration.mode

    @property
    def status_flags(self) -> tuple[str, ...]:
        """Words for the status bits that a device has set; empty in frames to the device."""
        return STATUS_FLAGS[self.status or 0] if self.row.direction != "O2M" else ()

    @property
    def reception_level_dbm(self) -> int | None:
        """Level at which the device is received, in frames to the device that tell it."""
        if self.row.direction != "O2M" or not self.status or not self.status & _LEVEL_MASK:
            return None
        return _LEVEL_FLOOR_DBM + _LEVEL_STEP_DB * (self.status & _LEVEL_MASK)

    def encode(self) -> bytes:
        """Return the bytes from the CI-field to the first byte of data."""
        if self.access_number is None or self.status is None or self.configuration is None:
            return bytes((self.row.code,))
        head = bytes((self.row.code,)) + (self.address.transport_bytes() if self.address else b"")
        access_number = unsigned("transport", "access number", self.access_number)
        status = unsigned("transport", "status", self.status)
        whole = head + access_number + status + self.configuration.encode()
        return whole if self.row.code != RECORDS_MSB_FIRST else msb_first(whole, (1, *_LONG_FIELDS))


def parse(data: bytes, offset: int = 0, *, wired: bool = False) -> TransportHeader:
    """Read a transport header.

    Args:
        data: bytes of a frame or of an assembled message.
        offset: place of the CI-field.
        wired: whether the frame is a wired one; some CI-fields mean something else there.

    Raises:
        Incomplete: the bytes end before the header does.
    """
    if len(data) <= offset:
        raise Incomplete("transport", "truncated", "no CI-field", offset=offset)
    row = (WIRED_CI if wired else RADIO_CI)[data[offset]]
    if row.header == "short":
        meter, size = None, _SHORT_BYTES
    elif row.header == "long":
        if row.code == RECORDS_MSB_FIRST:
            data = data[: offset + 1] + msb_first(data[offset + 1 :], _LONG_FIELDS)
        meter, size = address.from_transport(data, offset + 1), _LONG_BYTES
    else:
        return TransportHeader(row, None, None, None, None, 1)
    at = offset + size - _CONFIGURATION_BYTES
    if len(data) < at:
        raise Incomplete("transport", "truncated", "transport header is cut", offset=len(data))
    secured = configuration.parse(data, at)
    return TransportHeader(row, meter, data[at - 2], data[at - 1], secured, size - 2 + secured.size)


def build(
    ci_field: int,
    access_number: int | None = None,
    status: int | None = None,
    secured: Configuration | None = None,
    *,
    meter: Address | None = None,
    wired: bool = False,
) -> TransportHeader:
    """Make a header; the CI-field tells which of the arguments it needs.

    Raises:
        InvalidField: no CI-field, or its header needs a part that is not given.
    """
    row = (WIRED_CI if wired else RADIO_CI)[unsigned("transport", "CI-field", ci_field)[0]]
    if row.header not in ("short", "long"):
        return TransportHeader(row, None, None, None, None, 1)
    if access_number is None or status is None or secured is None or (meter is None and row.header == "long"):
        raise InvalidField(
            "transport", "header_incomplete", f"CI {ci_field:02X}h needs a {row.header} header"
        )
    size = (_LONG_BYTES if row.header == "long" else _SHORT_BYTES) - _CONFIGURATION_BYTES + secured.size
    return TransportHeader(row, meter if row.header == "long" else None, access_number, status, secured, size)
