"""Authentication and fragmentation layer.

    90   AFLL   FCL(2)   [MCL(1)] [KI(2)] [MCR(4)] [MAC(n)] [ML(2)]

    AFLL number of bytes behind it
    FCL  b14 more fragments, then present fields: b13 MCL, b12 ML, b11 MCR, b10 MAC, b9 KI;
         b7-0 fragment number, 0 when unfragmented
    MCL  fields present somewhere in the message: b6 ML, b5 MCR, b4 KI; b3-0 authentication type
    KI   b15-8 key version, b5-4 key derivation, b3-0 key number (byte order uncertain: the
         low-byte-first rule of the layer is followed)
    MCR  message counter
    MAC  high byte first, unlike all other fields; only in the last fragment
    ML   bytes behind ML up to the end of the unfragmented message; only in the first fragment

Source: EN 13757-7 authentication and fragmentation layer; OMS Vol. 2, 6 and Annex N.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from protocol.ci import AFL_CODE
from protocol.errors import Incomplete, InvalidField
from protocol.fields import unsigned
from protocol.quick import quick_init

MORE_FRAGMENTS: Final = 0x4000
MCL_PRESENT: Final = 0x2000
ML_PRESENT: Final = 0x1000
MCR_PRESENT: Final = 0x0800
MAC_PRESENT: Final = 0x0400
KI_PRESENT: Final = 0x0200
FRAGMENT_NUMBER: Final = 0x00FF

ML_IN_MESSAGE: Final = 0x40
MCR_IN_MESSAGE: Final = 0x20
KI_IN_MESSAGE: Final = 0x10
AUTHENTICATION_TYPE: Final = 0x0F

CMAC_BYTES: Final = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16}
"""Length of the tag of each CMAC authentication type."""
GMAC_BYTES: Final = {8: 12, 9: 16}
"""Length of the tag of each GMAC authentication type."""
_MAC_BYTES: Final = CMAC_BYTES | GMAC_BYTES

LAST_FRAGMENT_NUMBER: Final = 0xFF
_HEAD_BYTES: Final = 4
_CONTROL_BYTES: Final = 2
_PRESENCE: Final = MCL_PRESENT | ML_PRESENT | MCR_PRESENT | MAC_PRESENT | KI_PRESENT
_FIELD_BYTES: Final = ((MCL_PRESENT, 1), (KI_PRESENT, 2), (MCR_PRESENT, 4), (ML_PRESENT, 2))
"""Fields of a fixed size, in the order of transmission, with ML behind the MAC."""


@quick_init
@dataclass(frozen=True, slots=True)
class Afl:
    """An authentication and fragmentation layer; fields that are absent are None.

    Attributes:
        control: FCL, the fragmentation control field.
        message_control: MCL.
        key_information: KI.
        message_counter: MCR.
        mac: MAC, as transmitted.
        message_length: ML.
    """

    control: int
    message_control: int | None = None
    key_information: int | None = None
    message_counter: int | None = None
    mac: bytes | None = None
    message_length: int | None = None

    @property
    def fragment_number(self) -> int:
        """Number of the fragment from 1, or 0 when the message is not fragmented."""
        return self.control & FRAGMENT_NUMBER

    @property
    def more_fragments(self) -> bool:
        """Whether another fragment follows."""
        return bool(self.control & MORE_FRAGMENTS)

    @property
    def authentication_type(self) -> int:
        """AT of the message control field, 0 without one."""
        return (self.message_control or 0) & AUTHENTICATION_TYPE

    @property
    def key_version(self) -> int | None:
        """Key version of the key information."""
        return None if self.key_information is None else self.key_information >> 8

    @property
    def key_derivation(self) -> int | None:
        """Key derivation of the key information: 0 persistent key, 1 KDF-A."""
        return None if self.key_information is None else self.key_information >> 4 & 3

    @property
    def key_number(self) -> int | None:
        """Key number of the key information."""
        return None if self.key_information is None else self.key_information & 0xF

    @property
    def size(self) -> int:
        """Number of bytes, CI-field included."""
        return (
            _HEAD_BYTES
            + (self.message_control is not None)
            + 2 * (self.key_information is not None)
            + 4 * (self.message_counter is not None)
            + (0 if self.mac is None else len(self.mac))
            + 2 * (self.message_length is not None)
        )

    def encode(self) -> bytes:
        """Return the bytes of the layer, from the CI-field on."""
        parts = [unsigned("afl", "fragmentation control", self.control, 2)]
        if self.message_control is not None:
            parts.append(unsigned("afl", "message control", self.message_control))
        if self.key_information is not None:
            parts.append(unsigned("afl", "key information", self.key_information, 2))
        if self.message_counter is not None:
            parts.append(unsigned("afl", "message counter", self.message_counter, 4))
        if self.mac is not None:
            parts.append(self.mac)
        if self.message_length is not None:
            parts.append(unsigned("afl", "message length", self.message_length, 2))
        body = b"".join(parts)
        return bytes((AFL_CODE, len(body))) + body


def parse(data: bytes, offset: int = 0) -> Afl:
    """Read an authentication and fragmentation layer.

    Args:
        data: bytes of a frame.
        offset: place of the layer's CI-field.

    Raises:
        Incomplete: the bytes end before the layer does.
        InvalidField: the announced length does not hold the announced fields.
    """
    length = data[offset + 1] if len(data) > offset + 1 else 2
    end = offset + 2 + length
    if len(data) < end:
        raise Incomplete("afl", "truncated", f"layer of {length} bytes is cut", offset=len(data))
    if length < 2:
        raise InvalidField("afl", "length_invalid", "no room for the control field", offset=offset + 1)
    control = data[offset + 2] | data[offset + 3] << 8
    layout = _layout(control & _PRESENCE, length)
    if layout is not None:
        control_byte, key, counter, mac, size = layout.unpack_from(data, offset + _HEAD_BYTES)
        message_control = control_byte[0] if control_byte else None
        if not mac or _mac_fits(mac, message_control):
            return Afl(
                control,
                message_control,
                int.from_bytes(key, "little") if key else None,
                int.from_bytes(counter, "little") if counter else None,
                mac or None,
                int.from_bytes(size, "little") if size else None,
            )
    text = f"{length} bytes do not hold the fields announced by {control:04X}h"
    raise InvalidField("afl", "length_mismatch", text, offset=offset + 1)


@lru_cache(maxsize=1024)
def _layout(presence: int, length: int) -> struct.Struct | None:
    """Return where MCL, KI, MCR, MAC and ML stand; an absent field has no bytes. None if they do not fit.

    Args:
        presence: the presence bits of the control field.
        length: number of bytes behind the length byte.
    """
    sizes = [size if presence & bit else 0 for bit, size in _FIELD_BYTES]
    # The last fragment has no MCL: its MAC is what the other fields leave.
    mac_bytes = length - _CONTROL_BYTES - sum(sizes)
    if mac_bytes < 0 or bool(mac_bytes) != bool(presence & MAC_PRESENT):
        return None
    message_control, key, counter, size = sizes
    return struct.Struct(f"{message_control}s{key}s{counter}s{mac_bytes}s{size}s")


def _mac_fits(mac: bytes, message_control: int | None) -> bool:
    """Whether the MAC has the length of its authentication type, or of any when that is unknown."""
    if message_control is None:
        return len(mac) in _MAC_BYTES.values()
    return len(mac) == _MAC_BYTES.get(message_control & AUTHENTICATION_TYPE)


def build(
    *,
    authentication_type: int,
    message_counter: int | None = None,
    key_information: int | None = None,
    message_length: int | None = None,
) -> Afl:
    """Make the layer of a whole message, its MAC still zero.

    Args:
        authentication_type: AT, 0 for none.
        message_counter: MCR.
        key_information: KI.
        message_length: ML, for messages that will be fragmented.

    Raises:
        InvalidField: an authentication type without a known length.
    """
    if authentication_type and authentication_type not in _MAC_BYTES:
        text = f"authentication type {authentication_type} is reserved"
        raise InvalidField("afl", "authentication_reserved", text)
    mac = bytes(_MAC_BYTES[authentication_type]) if authentication_type else None
    message_control = (
        authentication_type
        | (ML_IN_MESSAGE if message_length is not None else 0)
        | (MCR_IN_MESSAGE if message_counter is not None else 0)
        | (KI_IN_MESSAGE if key_information is not None else 0)
    )
    fields = Afl(0, message_control, key_information, message_counter, mac, message_length)
    return replace(fields, control=_control_of(fields))


def _control_of(afl: Afl) -> int:
    """Presence bits of the fields that are there."""
    presence = (
        (afl.message_control, MCL_PRESENT),
        (afl.message_length, ML_PRESENT),
        (afl.message_counter, MCR_PRESENT),
        (afl.mac, MAC_PRESENT),
        (afl.key_information, KI_PRESENT),
    )
    return sum(bit for value, bit in presence if value is not None)


def fragment(afl: Afl, message: bytes, sizes: Sequence[int]) -> list[tuple[Afl, bytes]]:
    """Cut a message into fragments.

    Args:
        afl: layer of the whole message, with its message length and MAC.
        message: the bytes from the transport CI-field on.
        sizes: number of message bytes in each fragment.

    Returns:
        The layer and the bytes of each fragment: MCL, KI, MCR and ML in the first, MAC in the last.

    Raises:
        InvalidField: the sizes do not add up to the message, or there are too many or too few.
    """
    if not 2 <= len(sizes) <= LAST_FRAGMENT_NUMBER or sum(sizes) != len(message) or min(sizes) < 1:
        text = f"{len(sizes)} fragments of {sum(sizes)} bytes do not make a message of {len(message)}"
        raise InvalidField("afl", "fragments_invalid", text)
    fragments = []
    at = 0
    for number, size in enumerate(sizes, start=1):
        last = number == len(sizes)
        fields = replace(afl, mac=None) if number == 1 else Afl(0, mac=afl.mac if last else None)
        control = _control_of(fields) | number | (0 if last else MORE_FRAGMENTS)
        fragments.append((replace(fields, control=control), message[at : at + size]))
        at += size
    return fragments
