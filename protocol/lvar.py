"""Variable-length data (data field D): the first byte, LVAR, tells kind and length.

    LVAR     content                                        bytes
    00-BF    text, ISO 8859-1, last character first         LVAR
    C0-C9    positive BCD                                   LVAR - C0
    D0-D9    negative BCD                                   LVAR - D0
    E0-EF    binary                                         LVAR - E0
    F0-F4    binary                                         4 * (LVAR - EC)
    F5, F6   binary                                         48, 64
    others   reserved: the length is not known

In data whose coding is not known (containers, manufacturer specific) text is plain bytes in the
order sent. Source: EN 13757-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocol.notes import Note
from protocol.scale import UNSCALED, Scale
from protocol.values import (
    NO_NOTES,
    Bcd,
    BcdIdentifier,
    Decoded,
    IntegerType,
    Notes,
    Value,
    hex_bytes,
    integer_bytes,
    integer_codec,
    invalid_value,
    number_of,
)

LARGEST_TEXT: Final = 0xBF
_EMPTY_BINARY: Final = 0xE0
_NO_DATA: Final[Decoded] = (None, (Note.NO_DATA,))


class LvarKind(Enum):
    """What the content of variable-length data is."""

    TEXT = "text"
    POSITIVE_BCD = "positive BCD"
    NEGATIVE_BCD = "negative BCD"
    BINARY = "binary"


_TEXT = {lvar: (LvarKind.TEXT, lvar) for lvar in range(LARGEST_TEXT + 1)}
_POSITIVE = {0xC0 + length: (LvarKind.POSITIVE_BCD, length) for length in range(10)}
_NEGATIVE = {0xD0 + length: (LvarKind.NEGATIVE_BCD, length) for length in range(10)}
_BINARY = {
    0xE0 + step: (LvarKind.BINARY, length)
    for step, length in enumerate((*range(16), 16, 20, 24, 28, 32, 48, 64))
}

LVAR: Final = _TEXT | _POSITIVE | _NEGATIVE | _BINARY
"""Kind and number of content bytes of every LVAR that is not reserved."""


@dataclass(frozen=True, slots=True)
class VariableLength:
    """Text or a number, as LVAR says; the VIF tells the type of binary content."""

    integer_type: IntegerType = IntegerType.B
    scale: Scale = UNSCALED
    identifier: bool = False

    def decode(self, raw: bytes) -> Decoded:
        """Return the text or the scaled number of whole data, LVAR first."""
        kind, length_bytes = LVAR[raw[0]]
        content = raw[1:]
        if kind is LvarKind.TEXT:
            return content[::-1].decode("latin-1"), NO_NOTES
        if not length_bytes:
            return _NO_DATA
        if kind is LvarKind.BINARY:
            return integer_codec(self.integer_type, length_bytes, self.scale).decode(content)
        if self.identifier:
            return BcdIdentifier(length_bytes).decode(content)
        if kind is LvarKind.POSITIVE_BCD:
            return Bcd(length_bytes, self.scale, may_be_negative=False).decode(content)
        digits = content[::-1].hex()
        if not digits.isdecimal():
            return None, (Note.NOT_BCD,)
        number = -int(digits)
        return self.scale.apply(number), NO_NOTES if number else (Note.NEGATIVE_ZERO,)

    def encode(self, value: Value) -> bytes:
        """Return text as text, a number as the shortest binary, LVAR first."""
        if value is None:
            return bytes((_EMPTY_BINARY,))
        if isinstance(value, str):
            return text_bytes(value)
        number = self.scale.invert(number_of(value))
        for lvar, (_, length_bytes) in _BINARY.items():
            if length_bytes and _fits(number, length_bytes, self.integer_type):
                signed = self.integer_type is IntegerType.B
                return bytes((lvar,)) + integer_bytes(number, length_bytes, signed=signed)
        raise invalid_value(value, "a number of 64 bytes")


@dataclass(frozen=True, slots=True)
class OpaqueVariableLength:
    """Content without a known coding, as lower-case hex in the order sent, without the LVAR."""

    notes: Notes = NO_NOTES

    def decode(self, raw: bytes) -> Decoded:
        """Return the content as hex."""
        return raw[1:].hex(), self.notes

    def encode(self, value: Value) -> bytes:
        """Return the content with the LVAR of a text of as many bytes."""
        content = hex_bytes(value)
        if len(content) > LARGEST_TEXT:
            raise invalid_value(value, f"at most {LARGEST_TEXT} bytes of hex")
        return bytes((len(content),)) + content


def text_bytes(text: str) -> bytes:
    """Return text as variable-length data, LVAR first, last character first.

    Raises:
        InvalidField: a character is not in ISO 8859-1, or the text is too long.
    """
    try:
        content = text.encode("latin-1")[::-1]
    except UnicodeEncodeError:
        raise invalid_value(text, "text in ISO 8859-1") from None
    if len(content) > LARGEST_TEXT:
        raise invalid_value(text, f"text of at most {LARGEST_TEXT} characters")
    return bytes((len(content),)) + content


def _fits(number: int, length_bytes: int, integer_type: IntegerType) -> bool:
    """Whether a number fits and is not the code of an invalid value."""
    bits = 8 * length_bytes
    match integer_type:
        case IntegerType.B:
            return abs(number) < 1 << (bits - 1)
        case IntegerType.C:
            return 0 <= number < (1 << bits) - 1
        case IntegerType.D:
            return 0 <= number < 1 << bits
