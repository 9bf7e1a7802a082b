"""Compact load profiles: many values of one quantity in the data of one record.

    spacing control (1) | spacing value (1) | elements

    spacing control   b7-6 increment mode   b5-4 unit of the spacing   b3-0 data field of an element
    spacing value     1-250 units | 0 no spacing in time | 253, 254 with some units, see below

A compact profile (VIFE 1F; 1E with register numbers) starts from the oldest value, an inverse one
(VIFE 13) from the youngest; both start from a record of the same storage number, and the date of
that storage number. Element i (from 1) has storage number s + i.
Source: EN 13757-3 Annex F, OMS Vol. 2 Annex G.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol.dif import DATA_FIELDS, Coding
from protocol.errors import Incomplete, InvalidField
from protocol.scale import Number, Scale, add, subtract
from protocol.spacing import HALF_MONTH, SECONDS_OF_UNIT, Spacing
from protocol.values import Bcd, Codec, IntegerType, Real32, integer_codec, number_of

_LARGEST_COUNT: Final = 250
_HALF_MONTH_CODE: Final = 253
_MONTHS_CODE: Final = 254
_MONTHS_OF_UNIT: Final = {"d": 1, "h": 3, "min": 6}
_UNITS: Final = tuple(SECONDS_OF_UNIT)
_ELEMENT_CODINGS: Final = (Coding.INTEGER, Coding.BCD, Coding.REAL)


class IncrementMode(StrEnum):
    """How an element relates to the value before it, in the order of bits 7-6."""

    ABSOLUTE = "absolute"
    POSITIVE = "positive_increment"
    NEGATIVE = "negative_increment"
    SIGNED = "signed_difference"


INCREMENT_MODES: Final = tuple(IncrementMode)


@dataclass(frozen=True, slots=True)
class Profile:
    """Decoded content of a compact profile.

    Attributes:
        increment_mode: what an element is.
        spacing_unit: s, min, h or d, as coded; 253 and 254 give it another meaning.
        spacing_value: as coded.
        element_field: code of the elements' data field.
        elements: scaled elements, oldest or youngest first; None is a gap.
    """

    increment_mode: IncrementMode
    spacing_unit: str
    spacing_value: int
    element_field: int
    elements: tuple[Number | None, ...]

    @property
    def element_bytes(self) -> int:
        """Length of one element."""
        return DATA_FIELDS[self.element_field].length_bytes or 0

    @property
    def spacing(self) -> Spacing | None:
        """The step in time; None without one, or where the code is reserved."""
        if 1 <= self.spacing_value <= _LARGEST_COUNT:
            return Spacing(seconds=self.spacing_value * SECONDS_OF_UNIT[self.spacing_unit])
        if self.spacing_value == _HALF_MONTH_CODE and self.spacing_unit == "d":
            return HALF_MONTH
        if self.spacing_value == _MONTHS_CODE and self.spacing_unit in _MONTHS_OF_UNIT:
            return Spacing(months=_MONTHS_OF_UNIT[self.spacing_unit])
        return None

    @property
    def spacing_reserved(self) -> bool:
        """Whether the code of the spacing has no defined meaning."""
        return self.spacing_value != 0 and self.spacing is None

    def values(self, base: Number | None, *, inverse: bool) -> list[Number | None]:
        """Return the value of every element; a gap is None and counts from the last value on.

        Args:
            base: value that increments start from; None is enough for absolute elements.
            inverse: elements go back in time.
        """
        if self.increment_mode is IncrementMode.ABSOLUTE:
            return list(self.elements)
        grows = (self.increment_mode is IncrementMode.NEGATIVE) == inverse
        values: list[Number | None] = []
        value = base
        for element in self.elements:
            if element is None or value is None:
                values.append(None)
                continue
            value = add(value, element) if grows else subtract(value, element)
            values.append(value)
        return values


def parse_profile(content: bytes, scale: Scale) -> Profile:
    """Decode the content of a profile record (LVAR stripped).

    Args:
        content: spacing control, spacing value, elements.
        scale: scale of the record's VIB.

    Raises:
        Incomplete: no spacing, or the last element is cut.
        InvalidField: elements of a data field that profiles do not allow.
    """
    if len(content) < 2:
        raise Incomplete("application", "truncated", "profile without spacing", offset=len(content))
    control = content[0]
    mode = INCREMENT_MODES[control >> 6]
    field = control & 0x0F
    codec, length_bytes = _element_codec(mode, field, scale)
    elements = content[2:]
    if len(elements) % length_bytes:
        raise Incomplete("application", "truncated", "profile element is cut", offset=len(content))
    values = tuple(
        codec.decode(elements[start : start + length_bytes])[0]
        for start in range(0, len(elements), length_bytes)
    )
    return Profile(
        increment_mode=mode,
        spacing_unit=_UNITS[control >> 4 & 0x03],
        spacing_value=content[1],
        element_field=field,
        elements=tuple(None if value is None else number_of(value) for value in values),
    )


def encode_profile(profile: Profile, scale: Scale) -> bytes:
    """Encode the content of a profile record (without LVAR).

    Raises:
        InvalidField: a field has no code, or an element does not fit.
    """
    codec, _ = _element_codec(profile.increment_mode, profile.element_field, scale)
    if profile.spacing_unit not in _UNITS or not 0 <= profile.spacing_value <= 0xFF:
        raise InvalidField("application", "profile_invalid", "no such spacing")
    control = (
        INCREMENT_MODES.index(profile.increment_mode) << 6
        | _UNITS.index(profile.spacing_unit) << 4
        | profile.element_field
    )
    elements = b"".join(codec.encode(element) for element in profile.elements)
    return bytes((control, profile.spacing_value)) + elements


def profile_fields(profile: Profile) -> dict[str, object]:
    """Return a profile as plain data, the opposite of ``profile_from_fields``."""
    return {
        "increment_mode": profile.increment_mode.value,
        "spacing_unit": profile.spacing_unit,
        "spacing_value": profile.spacing_value,
        "element_field": profile.element_field,
        "elements": list(profile.elements),
    }


def profile_from_fields(fields: Mapping[str, object]) -> Profile:
    """Make a profile from plain data.

    Raises:
        InvalidField: a field is missing or of the wrong kind.
    """
    unit, value = fields.get("spacing_unit"), fields.get("spacing_value")
    element_field, elements = fields.get("element_field"), fields.get("elements")
    try:
        mode = IncrementMode(str(fields.get("increment_mode")))
    except ValueError:
        raise InvalidField("application", "profile_invalid", "no such increment mode") from None
    if not (
        isinstance(unit, str)
        and isinstance(value, int)
        and isinstance(element_field, int)
        and isinstance(elements, Sequence)
    ):
        raise InvalidField("application", "profile_invalid", "spacing, element_field or elements missing")
    numbers = tuple(None if element is None else number_of(element) for element in elements)
    return Profile(mode, unit, value, element_field, numbers)


def _element_codec(mode: IncrementMode, field_code: int, scale: Scale) -> tuple[Codec, int]:
    """Return the codec of an element and its length; a constant does not apply to differences."""
    field = DATA_FIELDS[field_code] if 0 <= field_code < len(DATA_FIELDS) else None
    if field is None or field.coding not in _ELEMENT_CODINGS or not field.length_bytes:
        raise InvalidField("application", "profile_invalid", f"elements of data field {field_code}", offset=0)
    if mode is not IncrementMode.ABSOLUTE:
        scale = Scale(scale.exponent, scale.binary_exponent)
    signed = mode in (IncrementMode.ABSOLUTE, IncrementMode.SIGNED)
    if field.coding is Coding.REAL:
        return Real32(scale), field.length_bytes
    if field.coding is Coding.BCD:
        return Bcd(field.length_bytes, scale, may_be_negative=signed), field.length_bytes
    integer_type = IntegerType.B if signed else IntegerType.C
    return integer_codec(integer_type, field.length_bytes, scale), field.length_bytes
