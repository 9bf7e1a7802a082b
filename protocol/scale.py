"""From the number in the data to the value in the unit, exactly, and back.

    value = data * 10**exponent * 2**binary_exponent + constant

Whole results are ``int``, others ``Decimal``; real32 data stay ``float``. Nothing is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Final

from protocol.errors import InvalidField

_EXACT: Final = Context(prec=400)  # 64 bytes of LVAR binary have 155 digits
_MAX_DIGITS: Final = 200  # no record holds a larger number; guards against 1E999999

Number = int | Decimal | float


@dataclass(frozen=True, slots=True)
class Scale:
    """Exact linear scaling of a record.

    Attributes:
        exponent: decimal exponent.
        binary_exponent: binary exponent, 0 or negative.
        constant: added to the scaled value.
    """

    exponent: int = 0
    binary_exponent: int = 0
    constant: Decimal = Decimal(0)

    @property
    def is_identity(self) -> bool:
        """Whether scaling changes nothing."""
        return not (self.exponent or self.binary_exponent or self.constant)

    def times(self, exponent: int) -> Scale:
        """Return this scale followed by a multiplication with 10**exponent."""
        constant = _EXACT.scaleb(self.constant, exponent) if self.constant else self.constant
        return Scale(self.exponent + exponent, self.binary_exponent, constant)

    def plus(self, exponent: int) -> Scale:
        """Return this scale followed by an addition of 10**exponent."""
        constant = _EXACT.add(self.constant, Decimal(1).scaleb(exponent))
        return Scale(self.exponent, self.binary_exponent, constant)

    def apply(self, number: int) -> int | Decimal:
        """Return the value of integer data."""
        if self.binary_exponent or self.constant:
            return self._apply_general(number)
        if self.exponent < 0:
            return _EXACT.scaleb(Decimal(number), self.exponent)
        factor: int = 10**self.exponent
        return number * factor

    def _apply_general(self, number: int) -> int | Decimal:
        value = _EXACT.scaleb(Decimal(number), self.exponent)
        value = _EXACT.multiply(value, Decimal(2) ** self.binary_exponent)
        value = _EXACT.add(value, self.constant)
        return int(value) if value == value.to_integral_value() else value

    def apply_real(self, number: float) -> float:
        """Return the value of real32 data: a power of ten is divided by, not multiplied, if below 1."""
        factor = 10.0 ** abs(self.exponent)
        scaled = number / factor if self.exponent < 0 else number * factor
        return scaled * 2.0**self.binary_exponent + float(self.constant)

    def invert(self, value: Number) -> int:
        """Return the integer data of a value.

        Raises:
            InvalidField: the value is not a whole number of data steps, or not a number.
        """
        if type(value) is int and self.is_identity:
            return value
        try:
            exact = value if isinstance(value, int | Decimal) else Decimal(repr(value))
            steps = _EXACT.scaleb(_EXACT.subtract(exact, self.constant), -self.exponent)
            steps = _EXACT.multiply(steps, Decimal(2) ** -self.binary_exponent)
            whole = int(steps) if steps.adjusted() < _MAX_DIGITS else None
        except (InvalidOperation, OverflowError, ValueError):
            raise InvalidField("application", "value_invalid", f"{value} is not a number") from None
        if whole is None or steps != whole:
            raise InvalidField(
                "application", "value_invalid", f"{value} is no whole number of the VIF's steps"
            )
        return whole

    def invert_real(self, value: Number) -> float:
        """Return the real32 data of a value, not yet rounded to 32 bits.

        Raises:
            InvalidField: the value is beyond every float.
        """
        try:
            scaled = (float(value) - float(self.constant)) * 2.0**-self.binary_exponent
        except OverflowError:
            raise InvalidField("application", "value_invalid", f"{value} is too large") from None
        factor = 10.0 ** abs(self.exponent)
        return scaled * factor if self.exponent < 0 else scaled / factor


UNSCALED: Final = Scale()
"""The scale that changes nothing."""


def add(first: Number, second: Number) -> Number:
    """Return a sum: exact, or a float if one of the two is."""
    if isinstance(first, float) or isinstance(second, float):
        return float(first) + float(second)
    if isinstance(first, Decimal) or isinstance(second, Decimal):
        return _EXACT.add(first, second)
    return first + second


def subtract(first: Number, second: Number) -> Number:
    """Return a difference: exact, or a float if one of the two is."""
    if isinstance(first, float) or isinstance(second, float):
        return float(first) - float(second)
    if isinstance(first, Decimal) or isinstance(second, Decimal):
        return _EXACT.subtract(first, second)
    return first - second
