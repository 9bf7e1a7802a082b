"""Which keys may open the telegrams of a device.

A row names a device by its number, with ``*`` for any run of digits, and optionally by its
manufacturer, version and type. Rows without wildcards are found in a dictionary, so looking up
does not take longer the more meters are known; what was found is remembered, in bounded memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from protocol.address import Address
from protocol.ciphers import SecretKey

_NUMBER: Final = re.compile(r"[0-9a-f]{8}")
_SHOWN_CHARACTERS: Final = 12
_MOST_REMEMBERED: Final = 1 << 14
_PATTERN: Final = re.compile(r"(?=.*\*)[0-9a-f*]{1,16}")


def _compiled(pattern: str) -> re.Pattern[str]:
    """Regular expression of an id with wildcards."""
    lowered = pattern.lower()
    if not _NUMBER.fullmatch(lowered) and not _PATTERN.fullmatch(lowered):
        # Columns may have been mixed up: whatever is as long as a key is not shown.
        shown = f": {pattern!r}" if len(pattern) <= _SHOWN_CHARACTERS else ""
        raise ValueError(f"an id has 8 hex digits, or * for some of them{shown}")
    return re.compile(re.sub(r"\*+", "[0-9a-f]*", lowered))


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A device or group of devices, and its key.

    Attributes:
        id: 8 hex digits as shown, ``*`` for any run of them.
        manufacturer: three letters, or None for any.
        version: version, or None for any.
        device_type: device type, or None for any.
        key: the key, or None when it has none or it is not known.
        name: what the owner calls it.
        excluded: ids, with wildcards, that are not meant although the row fits them.
    """

    id: str = "*"
    manufacturer: str | None = None
    version: int | None = None
    device_type: int | None = None
    key: SecretKey | None = None
    name: str | None = None
    excluded: tuple[str, ...] = ()


class Candidates(NamedTuple):
    """Keys that may open a layer, the likeliest first and each once, and the name of its device."""

    keys: tuple[SecretKey, ...]
    name: str | None


class _Matcher:
    """A row prepared for matching."""

    def __init__(self, row: KeyRow) -> None:
        self.row = row
        number = _compiled(row.id)
        # The dictionary has compared whole numbers already.
        self.number = number if "*" in row.id else None
        self.excluded = [_compiled(pattern) for pattern in row.excluded]
        says_no_more = (
            not row.excluded and row.manufacturer is None and row.version is None and row.device_type is None
        )
        self.fits_all = says_no_more and set(row.id) == {"*"}
        self.fits_number = says_no_more and self.number is None

    def fits(self, device: Address | None) -> bool:
        if device is None or self.fits_all:
            return self.fits_all
        if self.fits_number:
            return True
        row = self.row
        return (
            (row.manufacturer is None or row.manufacturer.upper() == device.manufacturer)
            and (row.version is None or row.version == device.version)
            and (row.device_type is None or row.device_type == device.device_type)
            and (self.number is None or self.number.fullmatch(device.id) is not None)
            and not any(pattern.fullmatch(device.id) for pattern in self.excluded)
        )


_NOBODY: Final[list[_Matcher]] = []


class Keyring:
    """All rows that are known.

    Args:
        rows: several may fit one device; all of their keys are candidates.

    Attributes:
        has_names: whether any row names its device.

    Raises:
        ValueError: an id that is neither a number nor a pattern.
    """

    def __init__(self, rows: Iterable[KeyRow] = ()) -> None:
        self._exact: dict[str, list[_Matcher]] = {}
        self._wildcard: list[_Matcher] = []
        self._found: dict[bytes, Candidates] = {}
        self._count = 0
        self.has_names = False
        for row in rows:
            matcher = _Matcher(row)
            self._count += 1
            self.has_names = self.has_names or row.name is not None
            if "*" in row.id:
                self._wildcard.append(matcher)
            else:
                self._exact.setdefault(row.id.lower(), []).append(matcher)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<keyring of {self._count} rows>"

    def rows(self, device: Address | None) -> list[KeyRow]:
        """Return the rows that fit a device, those with its whole number first.

        Args:
            device: its address, or None when unknown: only rows for all devices fit then.
        """
        matchers = self._wildcard
        if device is not None:
            matchers = self._exact.get(device.id, _NOBODY) + matchers
        return [matcher.row for matcher in matchers if matcher.fits(device)]

    def candidates(self, device: Address | None, other: Address | None = None) -> Candidates:
        """Return the keys that may open a layer, and the name of its device if a row gives one.

        Args:
            device: the device that the layer belongs to, None when unknown.
            other: another address that the frame names; its keys come last.
        """
        found = self._of(device)
        if other is None or other is device or (device is not None and other.raw == device.raw):
            return found
        others = self._of(other)
        keys = tuple(dict.fromkeys(found.keys + others.keys)) if others.keys else found.keys
        return Candidates(keys, others.name if found.name is None else found.name)

    def _of(self, device: Address | None) -> Candidates:
        """Return the candidates of one device; those of a device with a whole address are remembered."""
        if device is None or device.version is None:
            return self._find(device)
        found = self._found.get(device.raw)
        if found is None:
            found = self._find(device)
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            self._found[device.raw] = found
        return found

    def _find(self, device: Address | None) -> Candidates:
        rows = self.rows(device)
        return Candidates(
            tuple(dict.fromkeys(row.key for row in rows if row.key is not None)),
            next((row.name for row in rows if row.name is not None), None),
        )
