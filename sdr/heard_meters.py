"""Which meters have been heard: how often, how well, what they said last.

The interval is the median of the last few gaps, so that one missed telegram does not show.
Memory is bounded: beyond ``MOST_METERS`` the one heard longest ago is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from statistics import median

from protocol.readings import Reading
from sdr.reception import Reception

MOST_METERS = 5000
_GAPS = 9
_SHORTEST_GAP_S = 0.5  # less is the same telegram from a repeater, or its continuation
_MAIN_QUANTITIES = ("energy", "volume", "heat cost allocation units")


@dataclass(slots=True)
class HeardMeter:
    """One meter's history.

    Attributes:
        last: its latest telegram.
        last_s: when that was, seconds on the clock that the caller uses.
        count: telegrams so far.
        reading: main reading of the latest telegram that had any.
    """

    last: Reception
    last_s: float
    count: int = 0
    reading: Reading | None = None
    _gaps_s: deque[float] = field(default_factory=lambda: deque(maxlen=_GAPS))

    @property
    def interval_s(self) -> float | None:
        """Usual time between two telegrams, seconds; None before the second."""
        return median(self._gaps_s) if self._gaps_s else None

    def hear(self, reception: Reception, at_s: float) -> None:
        """Take one more telegram of this meter."""
        gap_s = at_s - self.last_s
        if self.count and gap_s >= _SHORTEST_GAP_S:
            self._gaps_s.append(gap_s)
        self.last, self.last_s = reception, at_s
        self.count += 1
        if reception.telegram is not None:
            self.reading = main_reading(reception.telegram.readings) or self.reading


class HeardMeters:
    """All meters heard, the latest first."""

    def __init__(self) -> None:
        self._meters: dict[tuple[str, str], HeardMeter] = {}  # the latest last

    def __len__(self) -> int:
        return len(self._meters)

    def __iter__(self) -> Iterator[HeardMeter]:
        return reversed(self._meters.values())

    def latest(self, n: int) -> list[HeardMeter]:
        """Return the ``n`` meters heard last, the latest first."""
        return list(islice(self, n))

    def hear(self, reception: Reception, at_s: float) -> None:
        """Take a reception; rejections and frames without a sender are not counted."""
        telegram = reception.telegram
        sender = telegram and (telegram.meter or telegram.sender)
        if not sender:
            return
        key = (sender.manufacturer, sender.id)
        meter = self._meters.pop(key, None) or HeardMeter(reception, at_s)
        meter.hear(reception, at_s)
        self._meters[key] = meter
        if len(self._meters) > MOST_METERS:
            del self._meters[next(iter(self._meters))]


def main_reading(readings: Sequence[Reading]) -> Reading | None:
    """Choose the reading that a meter is there for: current, total, of the first quantity in line."""
    current = [
        reading
        for reading in readings
        if reading.function == "instantaneous"
        and reading.storage == reading.tariff == 0
        and reading.value is not None
        and not isinstance(reading.value, date | str)
    ]
    for quantity in _MAIN_QUANTITIES:
        for reading in current:
            if reading.quantity == quantity:
                return reading
    return current[0] if current else None
