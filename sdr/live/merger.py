"""Several radios hear the same burst: one telegram goes on, the best heard, and lists the others.

A telegram waits for its copies a little longer than radios and their drivers differ in delay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdr.reception import Copy, Reception

WAIT_S = 0.3
_APART_S = 0.15  # how far the clocks of two radios may differ


@dataclass(slots=True, eq=False)
class _Waiting:
    best: Reception
    since_s: float
    others: list[Reception]


class Merger:
    """Joins copies; what is no telegram goes through at once."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    def hear(self, reception: Reception, now_s: float) -> list[Reception]:
        """Take what a radio heard, at a monotonic time; return what need not wait."""
        if reception.rejection is not None:
            return [reception]
        for held in self._waiting:
            if _is_copy(held, reception):
                if _snr_db(reception) > _snr_db(held.best):
                    held.best, reception = reception, held.best
                held.others.append(reception)
                return []
        self._waiting.append(_Waiting(reception, now_s, []))
        return []

    def due(self, now_s: float) -> list[Reception]:
        """Return the telegrams that have waited long enough, in their order."""
        ready = [held for held in self._waiting if now_s - held.since_s >= WAIT_S]
        if ready:
            self._waiting = [held for held in self._waiting if held not in ready]
        return [_joined(held) for held in ready]


def _is_copy(held: _Waiting, reception: Reception) -> bool:
    best = held.best
    if best.frame != reception.frame or best.mode != reception.mode:
        return False
    if reception.device in (best.device, *(other.device for other in held.others)):
        return False  # a radio hears a burst once; this is its repetition
    if best.received_at is None or reception.received_at is None:
        return True
    return abs((best.received_at - reception.received_at).total_seconds()) <= _APART_S


def _joined(held: _Waiting) -> Reception:
    copies = [
        Copy(
            other.device,
            other.burst.quality.rssi_dbfs,
            other.burst.quality.snr_db,
            other.burst.quality.frequency_error_hz,
        )
        for other in held.others
    ]
    return replace(held.best, copies=tuple(copies)) if copies else held.best


def _snr_db(reception: Reception) -> float:
    snr_db = reception.burst.quality.snr_db
    return -float("inf") if snr_db is None else snr_db
