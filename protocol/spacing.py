"""Steps in time between the values of a load profile.

A profile gives one date; the others follow in equal steps of seconds, of days, of months or of
half months. Months count from the base: a base on the last day of its month stays on the last day
(31 Jan, 29 Feb, 31 Mar). Source: EN 13757-3 Annex F; end of month from OMS Vol. 2 Annex G.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, timedelta
from typing import Final

SECONDS_OF_UNIT: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}
MONTHS_OF_UNIT: Final = {"month": 1, "year": 12}
_SECONDS_OF_DAY: Final = SECONDS_OF_UNIT["d"]
_MID_MONTH_DAY: Final = 15


@dataclass(frozen=True, slots=True)
class Spacing:
    """One step; exactly one of the fields is not zero."""

    seconds: int = 0
    months: int = 0
    half_months: int = 0

    def shift(self, base: date, steps: int) -> date | None:
        """Return the date so many steps after (or, if negative, before) the base.

        Args:
            base: date, or date and time.
            steps: number of steps.

        Returns:
            A date as exact as the base and the step together; None beyond the calendar.
        """
        try:
            if self.seconds:
                return _shift_seconds(base, self.seconds * steps)
            if self.months:
                return _shift_months(base, self.months * steps)
            return _shift_half_months(base, self.half_months * steps)
        except (OverflowError, ValueError):
            return None


HALF_MONTH: Final = Spacing(half_months=1)


def _shift_seconds(base: date, seconds: int) -> date:
    if seconds % _SECONDS_OF_DAY and not isinstance(base, datetime):
        base = datetime(base.year, base.month, base.day)  # noqa: DTZ001  # device's local time
    return base + timedelta(seconds=seconds)


def _shift_months(base: date, months: int) -> date:
    year, month = divmod(base.year * 12 + base.month - 1 + months, 12)
    if not 1 <= year <= MAXYEAR:
        raise OverflowError
    last_day = monthrange(year, month + 1)[1]
    day = last_day if _is_month_end(base) else min(base.day, last_day)
    return base.replace(year=year, month=month + 1, day=day)


def _shift_half_months(base: date, half_months: int) -> date:
    """Return the base's day for an even number, else the day half a month behind it.

    The 15th pairs with the last day, every other day with the one 15 days later or earlier. The
    sources name the step but not its days; readings dated by it carry a note.
    """
    whole_months, odd = divmod(half_months, 2)
    shifted = _shift_months(base, whole_months)
    if not odd:
        return shifted
    if _is_month_end(base):
        return _shift_months(shifted, 1).replace(day=_MID_MONTH_DAY)
    if base.day > _MID_MONTH_DAY:
        return _shift_months(shifted, 1).replace(day=base.day - _MID_MONTH_DAY)
    last_day = monthrange(shifted.year, shifted.month)[1]
    return shifted.replace(day=last_day if base.day == _MID_MONTH_DAY else min(base.day + 15, last_day))


def _is_month_end(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]
