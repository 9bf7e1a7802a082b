"""Which date belongs to which record of a message.

    6C, 6D                     date of the values with the same storage number and function
    FD 24-29                   step in time between successive storage numbers, from this one on
    FD 22, FD 21               number of storage numbers of that row, or the last of them

A standard load profile is a row of storage numbers with one date: the others are steps away from it.
Source: EN 13757-3 Annex F, OMS Vol. 2 Annex G and K.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from protocol.dif import Function, Place
from protocol.record_header import Role
from protocol.records import DataRecord
from protocol.spacing import MONTHS_OF_UNIT, SECONDS_OF_UNIT, Spacing

_INSTANTANEOUS: Final = Function.INSTANTANEOUS.value


@dataclass(frozen=True, slots=True)
class _Row:
    """Storage numbers of a standard profile, the step between them, and the one that is dated."""

    first_storage: int
    last_storage: int
    spacing: Spacing
    dated_storage: int
    date: date


class Dating:
    """The dates that a message gives to its records.

    Args:
        records: of one message, at least those with a role.
    """

    __slots__ = ("_dates", "_rows")

    def __init__(self, records: Iterable[DataRecord]) -> None:
        self._dates: dict[Place, date | None] = {}
        self._rows: list[_Row] = []
        telling = [record for record in records if record.header.role is not None]
        for record in telling:
            if record.header.role is Role.DATE and isinstance(record.value, date):
                self._add_date(record.header.place, record.value)
        if self._dates and len(telling) > len(self._dates):
            self._rows = _rows(telling, self._dates)

    def date_of(self, place: Place) -> date | None:
        """Return the date of a function, storage, tariff and subunit, or None if it is not told."""
        if not self._dates:
            return None
        function, storage, _, _ = place
        found = self._dates.get(place) or self._dates.get((function, storage, 0, 0))
        if found is None and self._rows and function == _INSTANTANEOUS:
            found = self._date_in_row(storage)
        return found

    def base_date_of(self, place: Place) -> date | None:
        """Return the date that the compact profile of a place starts from."""
        return self.date_of((_INSTANTANEOUS, *place[1:]))

    def _add_date(self, place: Place, value: date) -> None:
        """Keep a date; one with a time wins, and two that differ otherwise date nothing."""
        known = self._dates.setdefault(place, value)
        if known == value or known is None:
            return
        if isinstance(value, datetime) == isinstance(known, datetime):
            self._dates[place] = None
        elif isinstance(value, datetime):
            self._dates[place] = value

    def _date_in_row(self, storage: int) -> date | None:
        index = bisect_right(self._rows, storage, key=_first_storage) - 1
        if index < 0 or storage > self._rows[index].last_storage:
            return None
        row = self._rows[index]
        return row.spacing.shift(row.date, storage - row.dated_storage)


def _first_storage(row: _Row) -> int:
    return row.first_storage


def _rows(telling: list[DataRecord], dates: dict[Place, date | None]) -> list[_Row]:
    """Return the standard profiles whose end is told and that have a date, by storage number."""
    dated = sorted(
        (storage, value)
        for (function, storage, tariff, subunit), value in dates.items()
        if value is not None and function == _INSTANTANEOUS and not tariff and not subunit
    )
    last_storages = []
    sizes = {}
    for record in telling:
        storage = record.header.dib.storage
        if record.header.role is Role.LAST_STORAGE:
            last_storages.append(record.value if isinstance(record.value, int) else storage)
        elif record.header.role is Role.BLOCK_SIZE and isinstance(record.value, int):
            sizes[storage] = record.value
    last_storages.sort()

    rows = []
    for record in telling:
        spacing = _interval(record)
        if spacing is None:
            continue
        first = record.header.dib.storage
        behind = bisect_left(last_storages, first)
        if first in sizes:
            last = first + sizes[first] - 1
        elif behind < len(last_storages):
            last = last_storages[behind]
        else:
            continue
        anchor = bisect_left(dated, first, key=_storage_of)
        if anchor < len(dated) and dated[anchor][0] <= last:
            rows.append(_Row(first, last, spacing, *dated[anchor]))
    return sorted(rows, key=_first_storage)


def _storage_of(dated: tuple[int, date]) -> int:
    return dated[0]


def _interval(record: DataRecord) -> Spacing | None:
    """Return the step of a storage interval record; 0 says that there is none."""
    if record.header.role is not Role.INTERVAL or not isinstance(record.value, int) or record.value <= 0:
        return None
    unit = record.header.vib.unit or ""
    if unit in MONTHS_OF_UNIT:
        return Spacing(months=record.value * MONTHS_OF_UNIT[unit])
    return Spacing(seconds=record.value * SECONDS_OF_UNIT[unit])
