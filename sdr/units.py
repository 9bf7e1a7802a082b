"""Frequencies and rates as people write them.

text          value         accepted where
868950000     868.95e6      everywhere
868.95M       868.95e6      suffixes k, M, G
1M6           1.6e6         the suffix in place of the decimal point, as in file names
868.95 MHz    868.95e6      a unit after the suffix: Hz, S/s, Sps
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from sdr.errors import UsageError

FACTORS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}

_NUMBER = re.compile(
    r"(?P<whole>[0-9]{1,15})"
    r"(?:\.(?P<decimals>[0-9]{1,15}))?"
    r"(?P<exponent>[eE][0-9]{1,2})?"
    r"\s*(?P<factor>[kKMG]?)(?P<tail>[0-9]{1,9})?"
    r"\s*(?P<unit>Hz|S/s|Sps|sps)?"
)


def parse_hz(value: str | float) -> float:
    """Read a frequency in Hz or a rate in samples per second.

    Args:
        value: text as in the table above, or a number that is already in Hz.

    Returns:
        The value in Hz, exact to the last digit written.

    Raises:
        ValueError: the text is no such number, with what was expected.
    """
    if isinstance(value, bool):
        raise ValueError("a frequency or rate is a number like 868.95M, not true or false")
    if not isinstance(value, str):
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{value} is not a frequency or rate")
        return float(value)
    match = _NUMBER.fullmatch(value.strip())
    if match is None or (match["tail"] and (match["decimals"] or match["exponent"] or not match["factor"])):
        raise ValueError(f"{value!r} is not a frequency or rate; write it like 1.6M, 868.95M or 2400k")
    decimals = match["tail"] or match["decimals"] or "0"
    number = Decimal(f"{match['whole']}.{decimals}{match['exponent'] or ''}")
    return float(number * FACTORS[match["factor"]])


def positive_hz(option: str, text: str | None) -> float | None:
    """Read the rate or frequency of a command-line option; None where it was not given.

    Raises:
        UsageError: the text is no number above 0.
    """
    if text is None:
        return None
    try:
        value_hz = parse_hz(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if value_hz <= 0.0:
        raise UsageError(f"{option} must be above 0")
    return value_hz


def format_hz(value_hz: float, unit: str = "Hz") -> str:
    """Write a frequency with the suffix that suits it: ``868.95 MHz``, ``1.6 MS/s``, ``200 kS/s``."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value_hz) >= factor:
            return f"{_shortest(value_hz / factor)} {prefix}{unit}"
    return f"{_shortest(value_hz)} {unit}"


def format_rate(rate_hz: float) -> str:
    """Write a sample rate: ``2.4 MS/s``."""
    return format_hz(rate_hz, "S/s")


def _shortest(number: float) -> str:
    """At most nine decimals, so that whole Hz survive at any suffix; no zeros at the end."""
    return f"{number:.9f}".rstrip("0").rstrip(".")
