"""Configuration field of the transport header: how its data are secured.

    modes 0, 5   B A S MMMMM | NNNN CC R H
    mode 7       CC Z MMMMM  | NNNN P III    extension  0 V DD KKKK
    mode 10      CC Z MMMMM  | NNNNNNNN      extension  0 V DD KKKK | 00 IIII OO
    mode 13      CC 0 MMMMM  | NNNNNNNN      extension  0000 PPPP
    modes 2, 3   … MMMMM     | NNNNNNNN      b15-13 reserved
    mode 4       … MMMMM     | NNNN …        b15-13 reserved

    M mode  N encrypted length, in blocks of 16 bytes (modes 4, 5, 7) or in bytes
    B bidirectional  A accessible  S synchronous  H hop  R repeated: the link's, unless an ELL says
    C content of message  I content index  Z the header has a message counter
    V the header has a key version  D key derivation  K key number
    P padding (mode 7) or protocol type (mode 13)  O length of the tag

The low byte is sent first. Behind it and its extension stand the key version (1 byte, if V) and
the message counter (4 bytes, if Z); other modes have 16 bits of which only M is public.

Source: EN 13757-7 configuration fields; OMS Vol. 2, Annex D for the order of key version and counter.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from protocol.errors import Incomplete, InvalidField
from protocol.fields import unsigned


class BitField(NamedTuple):
    """Bits of the configuration field, counted from its lowest; the extension starts at bit 16."""

    name: str
    shift: int
    width: int


_MODE: Final = BitField("mode", 8, 5)
_LINK_CONTROL: Final = (
    BitField("bidirectional", 15, 1),
    BitField("accessible", 14, 1),
    BitField("synchronous", 13, 1),
    _MODE,
    BitField("encrypted_blocks", 4, 4),
    BitField("content", 2, 2),
    BitField("repeated", 1, 1),
    BitField("hop", 0, 1),
)
_EPHEMERAL_KEY: Final = (
    BitField("key_version_present", 22, 1),
    BitField("key_derivation", 20, 2),
    BitField("key_number", 16, 4),
)
_ENCRYPTED_BYTES: Final = BitField("encrypted_bytes", 0, 8)

LAYOUTS: Final[dict[int, tuple[BitField, ...]]] = {
    0: _LINK_CONTROL,
    2: (_MODE, _ENCRYPTED_BYTES),
    3: (_MODE, _ENCRYPTED_BYTES),
    4: (_MODE, BitField("encrypted_blocks", 4, 4)),
    5: _LINK_CONTROL,
    7: (
        BitField("content", 14, 2),
        BitField("message_counter_present", 13, 1),
        _MODE,
        BitField("encrypted_blocks", 4, 4),
        BitField("padding", 3, 1),
        BitField("content_index", 0, 3),
        *_EPHEMERAL_KEY,
    ),
    10: (
        BitField("content", 14, 2),
        BitField("message_counter_present", 13, 1),
        _MODE,
        _ENCRYPTED_BYTES,
        *_EPHEMERAL_KEY,
        BitField("content_index", 26, 4),
        BitField("tag_length", 24, 2),
    ),
    13: (BitField("content", 14, 2), _MODE, _ENCRYPTED_BYTES, BitField("protocol_type", 16, 4)),
}
"""Bit fields of each mode whose layout is public."""

EXTENSION_BYTES: Final = {7: 1, 10: 2, 13: 1}
"""Size of the extension of each mode that has one."""

MODE_NAMES: Final = {
    0: "none",
    1: "manufacturer specific",
    2: "DES-CBC, IV zero",
    3: "DES-CBC, IV not zero",
    4: "AES-128-CBC, IV zero",
    5: "AES-128-CBC",
    6: "reserved",
    7: "AES-128-CBC, ephemeral key",
    8: "AES-128-CTR with CMAC",
    9: "AES-128-GCM",
    10: "AES-128-CCM, ephemeral key",
    11: "reserved",
    12: "reserved",
    13: "TLS",
    14: "reserved",
    15: "AES-128-CBC, DSMR variant",
    **dict.fromkeys(range(16, 32), "specific"),
}
"""What the security modes are."""

_Z_BIT: Final = 0x2000
_V_BIT: Final = 0x40
_EPHEMERAL_MODES: Final = frozenset({7, 10})
_ALL_BLOCKS: Final = 0xF
_ALL_BYTES: Final = 0xFF
_COUNTED_IN_BLOCKS: Final = frozenset({4, 5, 7})
_BLOCK_BYTES: Final = {2: 8, 4: 16, 5: 16, 7: 16, 10: 1}
"""Size of the cipher's blocks in the modes that this program decrypts."""
CONTENT_NAMES: Final = ("standard", "additional", "static", "reserved")
"""Content of message of frames from the device."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration field with what belongs to it.

    Attributes:
        field: the 16 bits.
        extension: the extension bytes, as transmitted.
        key_version: version of the key, where the header has it.
        message_counter: counter of the message, where the header has it.
        mode: security mode.
        size: number of bytes, extension, key version and message counter included.
        key_derivation: key derivation of modes 7 and 10: 0 persistent key, 1 KDF-A; else None.
        announced_length: number of encrypted bytes in modes 2, 4, 5, 7 and 10; None for all that follow.
    """

    field: int
    extension: bytes = b""
    key_version: int | None = None
    message_counter: int | None = None
    mode: int = dataclasses.field(init=False, compare=False, repr=False)
    size: int = dataclasses.field(init=False, compare=False, repr=False)
    key_derivation: int | None = dataclasses.field(init=False, compare=False, repr=False)
    announced_length: int | None = dataclasses.field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        mode = self.field >> 8 & 0x1F
        version_bytes = 0 if self.key_version is None else 1
        counter_bytes = 0 if self.message_counter is None else 4
        derived = {
            "mode": mode,
            "size": 2 + len(self.extension) + version_bytes + counter_bytes,
            "key_derivation": self.extension[0] >> 4 & 3
            if self.extension and mode in _EPHEMERAL_MODES
            else None,
            "announced_length": _announced_length(mode, self.field),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def mode_name(self) -> str:
        """What the security mode is."""
        return MODE_NAMES[self.mode]

    def fields(self) -> dict[str, int]:
        """Return all bit fields by name; only the mode where the layout is not public."""
        bits = self.field | int.from_bytes(self.extension, "little") << 16
        return {
            name: bits >> shift & (1 << width) - 1 for name, shift, width in LAYOUTS.get(self.mode, (_MODE,))
        }

    @property
    def has_padding(self) -> bool:
        """Whether mode 7 pads the data in the transport layer instead of with idle fillers."""
        return bool(self.field & 0x08) and self.mode == 7

    @property
    def tag_length(self) -> int | None:
        """Code of the length of the tag of mode 10."""
        return self.extension[1] & 3 if self.mode == 10 else None

    def encrypted_length(self, available: int) -> int:
        """Return how many bytes behind the header are encrypted, in modes 2, 4, 5, 7 and 10.

        Args:
            available: number of bytes behind the header, without an authentication tag.

        Raises:
            Incomplete: the field announces more than there are.
            InvalidField: they do not fill the blocks of the cipher.
        """
        length = self.announced_length
        if length is None:
            length = available
        if length > available:
            text = f"{length} bytes are announced as encrypted, {available} are there"
            raise Incomplete("security", "encrypted_length_mismatch", text)
        if length % _BLOCK_BYTES[self.mode]:
            text = f"{length} encrypted bytes do not fill blocks"
            raise InvalidField("security", "encrypted_length_mismatch", text)
        return length

    def encode(self) -> bytes:
        """Return the field with its extension, key version and message counter."""
        parts = [unsigned("transport", "configuration field", self.field, 2), self.extension]
        if self.key_version is not None:
            parts.append(unsigned("transport", "key version", self.key_version))
        if self.message_counter is not None:
            parts.append(unsigned("transport", "message counter", self.message_counter, 4))
        return b"".join(parts)


def _announced_length(mode: int, field: int) -> int | None:
    """Return the number of encrypted bytes, None for all that follow."""
    if mode in _COUNTED_IN_BLOCKS:
        blocks = field >> 4 & 0xF
        return None if blocks == _ALL_BLOCKS else blocks * _BLOCK_BYTES[mode]
    length = field & 0xFF
    return None if mode == 10 and length == _ALL_BYTES else length


def parse(data: bytes, offset: int = 0) -> Configuration:
    """Read a configuration field with its extension, key version and message counter.

    Raises:
        Incomplete: the bytes end before the field does.
    """
    at = offset + 2
    if len(data) < at:
        raise Incomplete("transport", "truncated", "configuration field is cut", offset=len(data))
    extension_bytes = EXTENSION_BYTES.get(data[offset + 1] & 0x1F)
    if extension_bytes is None:
        return _configuration_of(data[offset:at])
    at += extension_bytes
    if len(data) < at:
        raise Incomplete("transport", "truncated", "extension of the configuration is cut", offset=len(data))
    usual = _configuration_of(data[offset:at])
    if usual.mode not in _EPHEMERAL_MODES or not (data[offset + 2] & _V_BIT or usual.field & _Z_BIT):
        return usual
    key_version = message_counter = None
    if len(data) < at + (1 if data[offset + 2] & _V_BIT else 0) + (4 if usual.field & _Z_BIT else 0):
        text = "key version or message counter is cut"
        raise Incomplete("transport", "truncated", text, offset=len(data))
    if data[offset + 2] & _V_BIT:
        key_version = data[at]
        at += 1
    if usual.field & _Z_BIT:
        message_counter = int.from_bytes(data[at : at + 4], "little")
    return Configuration(usual.field, usual.extension, key_version, message_counter)


@lru_cache(maxsize=1 << 12)
def _configuration_of(sent: bytes) -> Configuration:
    """Return the configuration of a field and its extension; meters have few and repeat them."""
    return Configuration(sent[0] | sent[1] << 8, sent[2:])


def build(
    mode: int,
    *,
    key_version: int | None = None,
    message_counter: int | None = None,
    **values: int,
) -> Configuration:
    """Make a configuration field from its parts.

    Args:
        mode: security mode.
        key_version: version of the key; its presence bit is set by itself.
        message_counter: message counter in the header; its presence bit is set by itself.
        **values: bit fields of the mode's layout, all others are 0.

    Raises:
        InvalidField: the layout has no such field, or the value does not fit it.
    """
    layout = {bit_field.name: bit_field for bit_field in LAYOUTS.get(mode, (_MODE,))}
    values = {"mode": mode} | values
    if key_version is not None:
        values["key_version_present"] = 1
    if message_counter is not None:
        values["message_counter_present"] = 1
    bits = 0
    for name, value in values.items():
        bit_field = layout.get(name)
        if bit_field is None or not 0 <= value < 1 << bit_field.width:
            text = f"mode {mode} has no {name} of {value}"
            raise InvalidField("transport", "configuration_invalid", text)
        bits |= value << bit_field.shift
    extension = (bits >> 16).to_bytes(EXTENSION_BYTES.get(mode, 0), "little")
    return Configuration(bits & 0xFFFF, extension, key_version, message_counter)
