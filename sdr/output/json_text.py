"""Plain data as JSON text with exact decimals, which the standard library's encoder does not write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from types import NoneType
from typing import Any, Final

from protocol.dates import iso_text

__all__ = ["WRITERS", "json_text", "number_text", "quoted"]


def json_text(value: Any) -> str:  # noqa: ANN401  # whatever JSON can hold
    """Return plain data as JSON without blanks; dates become ISO 8601 texts.

    Args:
        value: None, bool, int, float, Decimal, str, date, or lists and mappings of them.
    """
    writer = WRITERS.get(type(value))
    if writer is not None:
        return writer(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return _object_text(value)
    return _array_text(value)


def number_text(value: float | Decimal) -> str:
    """Return a finite number with all of its digits; Decimals without an exponent."""
    text = str(value)
    return f"{value:f}" if "E" in text else text


def _array_text(values: Iterable[Any]) -> str:
    return f"[{','.join([json_text(item) for item in values])}]"


def _object_text(values: Mapping[str, Any]) -> str:
    return f"{{{','.join([f'{quoted(key)}:{json_text(item)}' for key, item in values.items()])}}}"


@lru_cache(maxsize=1024)
def _date_text(value: date) -> str:
    return f'"{iso_text(value)}"'


WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    NoneType: lambda _: "null",
    bool: lambda value: "true" if value else "false",
    str: quoted,
    int: str,
    float: number_text,
    Decimal: number_text,
    date: _date_text,
    datetime: _date_text,
    list: _array_text,
    tuple: _array_text,
    dict: _object_text,
}
"""How each of the exact types is written."""
