"""Data link layer of wireless M-Bus: a CRC-less frame and its fields.

    L-field  1   number of bytes that follow
    C-field  1   purpose and direction                 c_field.py
    M-field  2   manufacturer  } address of the sender address.py
    A-field  6   the device    }
    CI…      n   payload: the upper layers, from the first CI-field on

KNX-RF shares the radio of mode S, the blocks of format A and the CRC; its frames hold FFh where the first
byte of the M-field stands, which no manufacturer has.

Source: EN 13757-4; OMS Vol. 2. Block CRCs and formats: frame_format.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol import address, c_field
from protocol.address import Address, AddressOrder
from protocol.c_field import Direction
from protocol.device_types import DEVICE_TYPES
from protocol.errors import Incomplete, InvalidField, Unsupported
from protocol.fields import unsigned
from protocol.frame_format import FrameFormat, add_crcs, air_length, bad_blocks, strip_crcs
from protocol.quick import quick_init

__all__ = [
    "FrameFormat",
    "LinkFrame",
    "add_crcs",
    "air_length",
    "bad_blocks",
    "build",
    "parse",
    "strip_crcs",
]

PAYLOAD_OFFSET: Final = 10
"""Place of the first CI-field in a frame."""

_KNX_MARK: Final = 0xFF
_KNX_C_FIELD: Final = 0x44

_HYD: Final = address.manufacturer_code("HYD")
_DME: Final = address.manufacturer_code("DME")
_SAP: Final = address.manufacturer_code("SAP")
_VENDOR_ORDER_MAKERS: Final = frozenset((_HYD, _DME, _SAP))
_VENDOR_CIS: Final = range(0xA0, 0xA8)
_SAP_CIS: Final = range(0xA0, 0xA4)
_SHORT_FULL_FRAME: Final = 0x7A


@quick_init
@dataclass(frozen=True, slots=True)
class LinkFrame:
    """A wireless frame, its CRCs removed.

    Attributes:
        l_field: number of bytes after it, as in format A.
        c_field: C-field as transmitted.
        address: the sender.
        address_order: how the sender arranges its address.
        payload: everything from the first CI-field on; may be empty.
    """

    l_field: int
    c_field: int
    address: Address
    address_order: AddressOrder
    payload: bytes

    @property
    def function(self) -> str:
        """Name of the C-field's function, such as ``SND-NR``."""
        return c_field.BY_CODE[self.c_field].function

    @property
    def direction(self) -> Direction | None:
        """Who sends such C-fields, or None when both sides do or nobody is known to."""
        return c_field.BY_CODE[self.c_field].direction

    def encode(self) -> bytes:
        """Return the CRC-less frame."""
        head = unsigned("link", "L-field", self.l_field) + unsigned("link", "C-field", self.c_field)
        return head + self.address.link_bytes(self.address_order) + self.payload


def parse(frame: bytes, *, may_be_knx: bool = True) -> LinkFrame:
    """Read a CRC-less frame.

    Args:
        frame: the frame from the L-field on, without CRCs and without left-over bytes.
        may_be_knx: it came in mode S and format A, or nobody knows how.

    Raises:
        Incomplete: fewer bytes than the L-field says.
        InvalidField: more bytes than the L-field says, or an L-field too small for an address.
        Unsupported: ``knx_rf``, the frame belongs to KNX-RF.
    """
    if not frame:
        raise Incomplete("link", "truncated", "no bytes", offset=0)
    l_field = frame[0]
    if l_field < PAYLOAD_OFFSET - 1:
        raise InvalidField(
            "link", "length_invalid", f"L-field {l_field} leaves no room for an address", offset=0
        )
    if len(frame) != l_field + 1:
        text = f"L-field says {l_field} bytes follow, but {len(frame) - 1} do"
        if len(frame) <= l_field:
            raise Incomplete("link", "truncated", text, offset=len(frame))
        raise InvalidField("link", "length_mismatch", text, offset=l_field + 1)
    if frame[2] == _KNX_MARK and frame[1] == _KNX_C_FIELD and may_be_knx:
        raise Unsupported("link", "knx_rf", "a KNX-RF frame, not wireless M-Bus", offset=2)
    order = _address_order(frame)
    return LinkFrame(l_field, frame[1], address.from_link(frame, 2, order), order, frame[PAYLOAD_OFFSET:])


def _address_order(frame: bytes) -> AddressOrder:
    """Tell from maker, CI-field and type how the sender arranges its address."""
    maker = (frame[2] | frame[3] << 8) & 0x7FFF
    if maker not in _VENDOR_ORDER_MAKERS or len(frame) <= PAYLOAD_OFFSET:
        return "standard"
    ci_field = frame[PAYLOAD_OFFSET]
    if maker == _SAP:
        return "id_only" if ci_field in _SAP_CIS else "standard"
    if ci_field in _VENDOR_CIS:
        return "vendor"
    looks_vendor = frame[9] not in DEVICE_TYPES and frame[5] in DEVICE_TYPES
    return "vendor" if maker == _HYD and ci_field == _SHORT_FULL_FRAME and looks_vendor else "standard"


def build(
    c_field: int, sender: Address, payload: bytes, *, address_order: AddressOrder = "standard"
) -> LinkFrame:
    """Make a frame from its parts.

    Args:
        c_field: C-field, see `c_field.code_of`.
        sender: address of the sender.
        payload: everything from the first CI-field on.
        address_order: how the sender arranges its address.

    Raises:
        InvalidField: the payload does not fit one frame.
    """
    l_field = PAYLOAD_OFFSET - 1 + len(payload)
    if l_field > 0xFF:
        raise InvalidField("link", "length_invalid", f"a payload of {len(payload)} bytes fits no frame")
    return LinkFrame(l_field, c_field, sender, address_order, payload)
