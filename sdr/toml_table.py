"""Reading one table of a TOML file strictly: every key is known, every value is checked.

A ``TomlTable`` hands out values by key and remembers which it handed out; ``finish`` then
names the keys that nobody asked for, so that a misspelt key is never silently ignored.
"""

from __future__ import annotations

import difflib
import math
from typing import Any

from sdr.errors import ConfigError
from sdr.units import parse_hz

_MAX_SHOWN = 60
_MAX_STEPS = 100_000


class TomlTable:
    """One table of a TOML file, with the words that tell a reader where it stands."""

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self._values = values
        self._where = where
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def error(self, problem: str) -> ConfigError:
        """Make the error that says where in the file ``problem`` is."""
        return ConfigError(f"{self._where}: {problem}")

    def take(self, key: str, default: object = None) -> Any:  # noqa: ANN401 (as TOML gives it)
        """Return a value unchecked, ``default`` where the key is missing."""
        self._known.append(key)
        return self._values.get(key, default)

    def required(self, key: str) -> Any:  # noqa: ANN401 (as TOML gives it)
        """Return a value unchecked.

        Raises:
            ConfigError: the key is missing.
        """
        if key not in self._values:
            raise self.error(f"{key} is missing")
        return self.take(key)

    def number(
        self, key: str, default: float | None = None, *, least: float = -math.inf, most: float = math.inf
    ) -> float:
        """Return a finite number; the key is required when there is no default.

        Raises:
            ConfigError: missing, no number, or outside ``least`` to ``most``.
        """
        value = self.required(key) if default is None else self.take(key, default)
        return self.checked(key, value, least, most)

    def checked(self, key: str, value: object, least: float = -math.inf, most: float = math.inf) -> float:
        """Check that ``value``, found under ``key``, is a finite number within limits."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise self.error(f"{key} must be a number, not {shown(value)}")
        if not least <= value <= most:
            limits = f"from {least:g} to {most:g}" if math.isfinite(most) else f"at least {least:g}"
            raise self.error(f"{key} must be {limits}, not {value:g}")
        return float(value)

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int = 2**63) -> int:
        """Return a whole number; the key is required when there is no default."""
        value = self.required(key) if default is None else self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(f"{key} must be a whole number, not {shown(value)}")
        return int(self.checked(key, value, least, most))

    def hz(self, key: str, *, least: float, most: float) -> float:
        """Return a frequency or rate, written as a number or like ``2.4M``."""
        value = self.required(key)
        if not isinstance(value, str):
            return self.checked(key, value, least, most)
        try:
            return self.checked(key, parse_hz(value), least, most)
        except ConfigError:
            raise
        except ValueError as error:
            raise self.error(f"{key}: {error}") from error

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string; the key is required when there is no default."""
        value = self.required(key) if default is None else self.take(key, default)
        if not isinstance(value, str):
            raise self.error(f"{key} must be a text in quotes, not {shown(value)}")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; false where the key is missing."""
        value = self.take(key, False)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false, not {shown(value)}")
        return value

    def numbers(self, key: str, *, least: float = -math.inf, most: float = math.inf) -> tuple[float, ...]:
        """Return a list of numbers that is not empty."""
        value = self.required(key)
        if not isinstance(value, list) or not value:
            raise self.error(f"{key} must be a list of numbers, not {shown(value)}")
        return tuple(self.checked(key, item, least, most) for item in value)

    def turns(
        self, key: str, default: float | None = None, *, least: float = -math.inf, most: float = math.inf
    ) -> tuple[float, ...]:
        """Return the numbers that are taken in turn: one, a list, or ``{ from = 20, to = 0, step = -2 }``.

        Raises:
            ConfigError: as for ``number``, or steps that do not lead from one end to the other.
        """
        value = self.required(key) if default is None else self.take(key, default)
        if isinstance(value, list):
            return self.numbers(key, least=least, most=most)
        if not isinstance(value, dict):
            return (self.checked(key, value, least, most),)
        steps = TomlTable(value, f"{self._where}: {key}")
        first, last = (steps.number(end, least=least, most=most) for end in ("from", "to"))
        step = steps.number("step")
        steps.finish()
        n_steps = (last - first) / step if step else -1.0
        if not 0.0 <= n_steps <= _MAX_STEPS:
            raise steps.error(f"steps of {step:g} do not lead from {first:g} to {last:g}")
        return tuple(first + n * step for n in range(math.floor(n_steps + 1e-9) + 1))

    def span(self, key: str, *, least: float = -math.inf, most: float = math.inf) -> tuple[float, float]:
        """Return ``[min, max]``, from which something is drawn."""
        limits = self.numbers(key, least=least, most=most)
        if len(limits) != 2 or limits[0] > limits[1]:
            raise self.error(f"{key} must be [min, max], not {list(limits)}")
        return limits[0], limits[1]

    def finish(self) -> None:
        """Check that every key of the table was asked for.

        Raises:
            ConfigError: a key is unknown; the message names it and the likeliest right one.
        """
        for key in self._values:
            if key not in self._known:
                likely = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean {likely[0]!r}?" if likely else f"known: {', '.join(self._known)}"
                raise self.error(f"unknown key {key!r} ({hint})")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def shown(value: object) -> str:
    """Return a value as an error message shows it: on one line and not endless."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        return "such a large number"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
