"""Data types of numbers, identifiers and opaque bytes: data bytes to value and back.

    type  coding                                    not a value
    A     BCD, two digits a byte, low byte first;    A-F in a digit
          most significant digit F = minus
    B     two's complement, low byte first           80..00
    C     unsigned, low byte first                   FF..FF
    D     bit array, bit 0 in the first byte         -
    H     IEEE 754 single precision, low byte first  exponent all ones

A codec is one data type at one length with one scale. ``decode`` never raises for data of its
length; what is not a value gives None and a note. ``encode`` gives the usual coding of a value, so
``encode(decode(data)[0])`` differs from ``data`` only where a value has several codings.
Source: EN 13757-3.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final, Protocol

from protocol.errors import InvalidField
from protocol.notes import Note
from protocol.scale import UNSCALED, Scale

Value = int | Decimal | float | str | date | None
"""Value of a reading; ``datetime`` is a ``date``. None always comes with a note."""

Notes = tuple[Note, ...]
Decoded = tuple[Value, Notes]

NO_NOTES: Final[Notes] = ()
_INVALID: Final[Decoded] = (None, (Note.INVALID_VALUE,))
_NOT_BCD: Final[Decoded] = (None, (Note.NOT_BCD,))
_REAL32: Final = struct.Struct("<f")


class IntegerType(Enum):
    """How binary data are read."""

    B = "two's complement"
    C = "unsigned"
    D = "bit array"


class Codec(Protocol):
    """Both directions of one data type."""

    def decode(self, raw: bytes) -> Decoded:
        """Return the value of the data, and what is unusual about it."""

    def encode(self, value: Value) -> bytes:
        """Return the data of a value; raise InvalidField if it has none."""


def invalid_value(value: object, expected: str) -> InvalidField:
    """Return the error for a value that a data type cannot hold."""
    return InvalidField("application", "value_invalid", f"{value!r} is not {expected}")


def number_of(value: Value) -> int | Decimal | float:
    """Return a value that must be a number.

    Raises:
        InvalidField: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise invalid_value(value, "a number")
    return value


@dataclass(frozen=True, slots=True)
class SignedInteger:
    """Type B."""

    length_bytes: int
    scale: Scale = UNSCALED

    def decode(self, raw: bytes) -> Decoded:
        """Return the scaled number."""
        number = int.from_bytes(raw, "little", signed=True)
        if raw[-1] == 0x80 and number == -(1 << (8 * self.length_bytes - 1)):
            return _INVALID
        return self.scale.apply(number), NO_NOTES

    def encode(self, value: Value) -> bytes:
        """Return the data; None gives the code for an invalid value."""
        if value is None:
            return bytes(self.length_bytes - 1) + b"\x80"
        return integer_bytes(self.scale.invert(number_of(value)), self.length_bytes, signed=True)


@dataclass(frozen=True, slots=True)
class UnsignedInteger:
    """Type C."""

    length_bytes: int
    scale: Scale = UNSCALED

    def decode(self, raw: bytes) -> Decoded:
        """Return the scaled number."""
        if raw[-1] == 0xFF and raw.count(0xFF) == self.length_bytes:
            return _INVALID
        return self.scale.apply(int.from_bytes(raw, "little")), NO_NOTES

    def encode(self, value: Value) -> bytes:
        """Return the data; None gives the code for an invalid value."""
        if value is None:
            return b"\xff" * self.length_bytes
        return integer_bytes(self.scale.invert(number_of(value)), self.length_bytes, signed=False)


@dataclass(frozen=True, slots=True)
class BitArray:
    """Type D, as the number whose bit 0 is bit 0 of the first byte."""

    length_bytes: int

    def decode(self, raw: bytes) -> Decoded:
        """Return the bits."""
        return int.from_bytes(raw, "little"), NO_NOTES

    def encode(self, value: Value) -> bytes:
        """Return the data."""
        if not isinstance(value, int):
            raise invalid_value(value, "a bit array")
        return integer_bytes(value, self.length_bytes, signed=False)


def integer_codec(integer_type: IntegerType, length_bytes: int, scale: Scale = UNSCALED) -> Codec:
    """Return the codec of binary data; a bit array has no scale."""
    if integer_type is IntegerType.D:
        return BitArray(length_bytes)
    return (SignedInteger if integer_type is IntegerType.B else UnsignedInteger)(length_bytes, scale)


@dataclass(frozen=True, slots=True)
class Bcd:
    """Type A."""

    length_bytes: int
    scale: Scale = UNSCALED
    may_be_negative: bool = True

    def decode(self, raw: bytes) -> Decoded:
        """Return the scaled number."""
        digits = raw[::-1].hex()
        if digits.isdecimal():
            return self.scale.apply(int(digits)), NO_NOTES
        if not (self.may_be_negative and digits[0] == "f" and digits[1:].isdecimal()):
            return _NOT_BCD
        number = -int(digits[1:])
        return self.scale.apply(number), NO_NOTES if number else (Note.NEGATIVE_ZERO,)

    def encode(self, value: Value) -> bytes:
        """Return the data; None gives all digits F, which no number has."""
        if value is None:
            return b"\xff" * self.length_bytes
        number = self.scale.invert(number_of(value))
        digits = f"{number:0{2 * self.length_bytes}d}".replace("-", "f" if self.may_be_negative else "-")
        return bcd_bytes(digits, self.length_bytes)


@dataclass(frozen=True, slots=True)
class BcdIdentifier:
    """Type A as a name: digits kept as text with their leading zeros; A-F stay as lower-case hex."""

    length_bytes: int

    def decode(self, raw: bytes) -> Decoded:
        """Return the digits."""
        digits = raw[::-1].hex()
        return digits, NO_NOTES if digits.isdecimal() else (Note.NOT_BCD,)

    def encode(self, value: Value) -> bytes:
        """Return the data; digits short of the length get leading zeros."""
        if isinstance(value, int):
            value = str(value)
        if not isinstance(value, str):
            raise invalid_value(value, "an identifier")
        return bcd_bytes(value.rjust(2 * self.length_bytes, "0"), self.length_bytes)


@dataclass(frozen=True, slots=True)
class Real32:
    """Type H."""

    scale: Scale = UNSCALED

    def decode(self, raw: bytes) -> Decoded:
        """Return the scaled number."""
        number: float = _REAL32.unpack(raw)[0]
        if not math.isfinite(number):
            return _INVALID
        return number if self.scale.is_identity else self.scale.apply_real(number), NO_NOTES

    def encode(self, value: Value) -> bytes:
        """Return the data; None gives a quiet NaN."""
        number = math.nan if value is None else self.scale.invert_real(number_of(value))
        try:
            return _REAL32.pack(number)
        except OverflowError:
            raise invalid_value(value, "within 32-bit floats") from None


@dataclass(frozen=True, slots=True)
class OpaqueBytes:
    """Data without a known coding, as lower-case hex in the order sent."""

    length_bytes: int
    notes: Notes = NO_NOTES

    def decode(self, raw: bytes) -> Decoded:
        """Return the bytes as hex."""
        return raw.hex(), self.notes

    def encode(self, value: Value) -> bytes:
        """Return the data."""
        raw = hex_bytes(value)
        if len(raw) != self.length_bytes:
            raise invalid_value(value, f"{self.length_bytes} bytes of hex")
        return raw


@dataclass(frozen=True, slots=True)
class NoValue:
    """Data that say nothing: absent, a dummy, or an estimate of an unknown kind."""

    length_bytes: int
    notes: Notes

    def decode(self, raw: bytes) -> Decoded:
        """Return None and the reason."""
        return None, self.notes

    def encode(self, value: Value) -> bytes:
        """Return zeros of the right length."""
        if value is not None:
            raise invalid_value(value, "null, as its record holds no value")
        return bytes(self.length_bytes)


def integer_bytes(number: int, length_bytes: int, *, signed: bool) -> bytes:
    """Return an integer low byte first.

    Raises:
        InvalidField: it does not fit.
    """
    try:
        return number.to_bytes(length_bytes, "little", signed=signed)
    except OverflowError:
        raise invalid_value(number, f"a number of {length_bytes} bytes") from None


def bcd_bytes(digits: str, length_bytes: int) -> bytes:
    """Return digits (hex allowed) as BCD, low byte first.

    Raises:
        InvalidField: they do not fit, or are not digits.
    """
    raw = hex_bytes(digits)
    if len(raw) != length_bytes:
        raise invalid_value(digits, f"a number of {2 * length_bytes} digits")
    return raw[::-1]


def hex_bytes(value: Value) -> bytes:
    """Return the bytes of a hex string.

    Raises:
        InvalidField: it is not one.
    """
    if not isinstance(value, str) or (value and not value.isalnum()):
        raise invalid_value(value, "a string of hex digits")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise invalid_value(value, "a string of hex digits") from None
