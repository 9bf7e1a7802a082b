"""Reading the fields of a JSON line: each of the right kind, or a clear sentence what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MISSING = object()


class DescriptionError(ValueError):
    """A JSON line from which no telegram can be built; the text says why."""


class Fields:
    """The fields of one object of a JSON line.

    Args:
        values: the object.
        place: where it stands, such as ``transport``; empty for the whole line.
    """

    def __init__(self, values: Mapping[str, Any], place: str = "") -> None:
        self.values = values
        self._place = place

    def __contains__(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.values.get(name) is not None

    def error(self, name: str, expected: str) -> DescriptionError:
        """Return the error for a field that is missing or of the wrong kind."""
        path = f"{self._place}.{name}" if self._place else name
        return DescriptionError(f"{path} must be {expected}")

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number; true and false count as 1 and 0."""
        value = self._value(name, default)
        if not isinstance(value, int) or value < 0:
            raise self.error(name, "a whole number from 0 on")
        return int(value)

    def optional_number(self, name: str) -> int | None:
        """Return a whole number, or None without one."""
        return self.number(name) if name in self else None

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self.error(name, "true or false")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        value = self._value(name, default)
        if not isinstance(value, str):
            raise self.error(name, "a text")
        return value

    def hex(self, name: str, default: bytes | None = None) -> bytes:
        """Return the bytes of a text in hex."""
        if default is not None and name not in self:
            return default
        try:
            return bytes.fromhex(self.text(name))
        except ValueError:
            raise self.error(name, "a text of hex digits") from None

    def hex_number(self, name: str) -> int:
        """Return a number written in hex, high byte first."""
        return int.from_bytes(self.hex(name), "big")

    def table(self, name: str) -> Fields | None:
        """Return an object, or None where it is null or missing."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.error(name, "an object or null")
        return Fields(value, f"{self._place}.{name}" if self._place else name)

    def list(self, name: str) -> list[Any]:
        """Return a list, empty where it is null or missing."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(name, "a list")
        return value

    def _value(self, name: str, default: object) -> object:
        value = self.values.get(name, _MISSING)
        if value is not _MISSING and value is not None:
            return value
        if default is None:
            raise self.error(name, "given")
        return default
