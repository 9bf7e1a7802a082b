"""Plain data as JSON text with exact decimals, which the standard library's encoder does not write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring as quoted
from typing import Any

from protocol.dates import iso_text

__all__ = ["json_text", "number_text", "quoted"]


def json_text(value: Any) -> str:  # noqa: ANN401  # whatever JSON can hold
    """Return plain data as JSON without blanks; dates become ISO 8601 texts.

    Args:
        value: None, bool, int, float, Decimal, str, date, or lists and mappings of them.
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number_text(value)
    if isinstance(value, Mapping):
        return f"{{{','.join([f'{quoted(key)}:{json_text(item)}' for key, item in value.items()])}}}"
    if isinstance(value, date):
        return f'"{iso_text(value)}"'
    return f"[{','.join([json_text(item) for item in value])}]"


def number_text(value: float | Decimal) -> str:
    """Return a finite number with all of its digits; Decimals without an exponent."""
    text = str(value)
    return f"{value:f}" if "E" in text else text
