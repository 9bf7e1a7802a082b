"""Address of a device: who made it, its number, its version and its type.

    link layers   M-field (2)  number (4)    version (1)  type (1)
    transport     number (4)   M-field (2)   version (1)  type (1)

All low byte first. The M-field packs three letters of five bits each; bit 15 marks an address
that is not unique worldwide. The number is shown as 8 digits; the digits A-F occur (wildcards,
faulty meters) and are kept. Some makers send the link address in an order of their own:

    vendor   M-field (2)  version (1)  type (1)  number (4)
    id_only  M-field (2)  number (4)   two bytes that are neither version nor type

Source: EN 13757-7; OMS Vol. 2; link-layer vendor orders from field telegrams.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from protocol.device_types import DEVICE_TYPE_NAMES, TECHEM_TYPES
from protocol.errors import Incomplete, InvalidField
from protocol.quick import quick_init

AddressOrder = Literal["standard", "vendor", "id_only"]
"""How the link layer arranges an address."""

ADDRESS_BYTES: Final = 8
NOT_UNIQUE: Final = 0x8000
_UNKNOWN_TYPE_NAME: Final = "unknown"
_TECHEM: Final = "TCH"


def manufacturer_letters(m_field: int) -> str:
    """Return the three letters of an M-field; bit 15 is ignored.

    Values that are no letter give their neighbours in ASCII, from ``@`` to ``_``, so that the
    text stays unambiguous.
    """
    return "".join(chr(64 + (m_field >> shift & 0x1F)) for shift in (10, 5, 0))


def manufacturer_code(letters: str) -> int:
    """Return the M-field of three manufacturer letters.

    Raises:
        InvalidField: not three characters between ``@`` and ``_``.
    """
    fives = [ord(letter) - 64 for letter in letters]
    if len(fives) != 3 or not all(0 <= five < 32 for five in fives):
        raise InvalidField("link", "manufacturer_invalid", f"no manufacturer code: {letters!r}")
    return fives[0] << 10 | fives[1] << 5 | fives[2]


@quick_init
@dataclass(frozen=True, slots=True)
class Address:
    """Address of a device.

    Attributes:
        raw: the 8 bytes in the standard order of the link layer, the form that ciphers use.
        id: identification number as shown, 8 lower-case hex digits.
        version: version byte, or None where the maker sends something else in its place.
        device_type: device type code, or None likewise.
    """

    raw: bytes
    id: str
    version: int | None
    device_type: int | None

    @property
    def manufacturer_raw(self) -> int:
        """The M-field as transmitted, bit 15 included."""
        return self.raw[0] | self.raw[1] << 8

    @property
    def manufacturer(self) -> str:
        """The three manufacturer letters."""
        return manufacturer_letters((self.raw[0] | self.raw[1] << 8) & 0x7FFF)

    @property
    def is_unique(self) -> bool:
        """Whether the address is unique worldwide: bit 15 of the M-field is clear."""
        return not self.raw[1] & 0x80

    @property
    def device_type_name(self) -> str:
        """Name of the device type."""
        code = self.device_type
        if code is None:
            return _UNKNOWN_TYPE_NAME
        if code in TECHEM_TYPES and self.manufacturer == _TECHEM:
            return TECHEM_TYPES[code]
        return DEVICE_TYPE_NAMES[code]

    def link_bytes(self, order: AddressOrder = "standard") -> bytes:
        """Return the 8 bytes as the link layer sends them."""
        raw = self.raw
        return raw[:2] + raw[6:] + raw[2:6] if order == "vendor" else raw

    def transport_bytes(self) -> bytes:
        """Return the 8 bytes as a long transport header sends them."""
        raw = self.raw
        return raw[2:6] + raw[:2] + raw[6:]


def from_link(data: bytes, offset: int = 0, order: AddressOrder = "standard") -> Address:
    """Read an address in link-layer order.

    Raises:
        Incomplete: fewer than 8 bytes.
    """
    sent = data[offset : offset + ADDRESS_BYTES]
    if len(sent) < ADDRESS_BYTES:
        raise Incomplete("link", "truncated", "address is cut", offset=offset)
    return _of_link(sent, order)


def from_transport(data: bytes, offset: int = 0) -> Address:
    """Read an address in the order of the long transport header.

    Raises:
        Incomplete: fewer than 8 bytes.
    """
    sent = data[offset : offset + ADDRESS_BYTES]
    if len(sent) < ADDRESS_BYTES:
        raise Incomplete("transport", "truncated", "address is cut", offset=offset)
    return _of_link(sent[4:6] + sent[:4] + sent[6:])


@lru_cache(maxsize=1 << 14)
def _of_link(sent: bytes, order: AddressOrder = "standard") -> Address:
    """Return the address in 8 bytes of the link layer; meters send theirs again and again."""
    if order == "standard":
        return Address(sent, sent[5:1:-1].hex(), sent[6], sent[7])
    if order == "vendor":
        return Address(sent[:2] + sent[4:] + sent[2:4], sent[:3:-1].hex(), sent[2], sent[3])
    return Address(sent, sent[5:1:-1].hex(), None, None)


def build(manufacturer: str | int, id: str, version: int, device_type: int) -> Address:
    """Make an address from its parts.

    Args:
        manufacturer: three letters, or the M-field where bit 15 matters.
        id: 8 hex digits as shown.
        version: version byte.
        device_type: device type code.

    Raises:
        InvalidField: a part does not fit its field.
    """
    m_field = manufacturer_code(manufacturer) if isinstance(manufacturer, str) else manufacturer
    try:
        number = bytes.fromhex(id)[::-1]
        raw = m_field.to_bytes(2, "little") + number + bytes((version, device_type))
    except (ValueError, OverflowError) as error:
        raise InvalidField("link", "address_invalid", f"no address: {error}") from None
    if len(raw) != ADDRESS_BYTES:
        raise InvalidField("link", "address_invalid", f"a number has 8 hex digits: {id!r}")
    return from_link(raw)
