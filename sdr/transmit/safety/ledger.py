"""What was sent, on disk: one JSON line for each burst, written before it leaves.

    {"utc": seconds, "boot_id": "…", "boot_s": seconds, "air_time_s": …, "sub_band_hz": […, …], …}

The latest time in it is the high-water mark: a clock that shows less has been set back, and nothing
is sent. A clock that was set forward does not help either: as long as the machine runs, an entry
grows old by the time since start-up as well, and counts while either clock says so.

The file is locked while a program may transmit, so that two of them cannot share one duty cycle
unseen. Entries older than an hour go when the ledger is opened.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sdr.errors import TransmissionRefused

try:
    import fcntl
except ImportError:  # no such locks here: then nothing is sent
    fcntl = None  # type: ignore[assignment]

WINDOW_S = 3600.0

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment by both clocks.

    Attributes:
        utc: seconds since 1970 by the wall clock.
        boot_id: which start of the machine ``boot_s`` counts from; empty where that is not known.
        boot_s: seconds since then.
    """

    utc: float
    boot_id: str
    boot_s: float


def now() -> Instant:
    """Read both clocks."""
    try:
        boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
        boot_s = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    except (OSError, AttributeError):
        boot_id, boot_s = "", 0.0
    return Instant(time.time(), boot_id, boot_s)


@dataclass(frozen=True, slots=True)
class Entry:
    """One burst, or (with no air time) only a moment at which the clock was seen."""

    at: Instant
    air_time_s: float
    sub_band_hz: tuple[float, float]
    note: str = ""

    def counts(self, moment: Instant, sub_band_hz: tuple[float, float]) -> bool:
        """Whether it belongs to the last hour of a sub-band."""
        low, high = self.sub_band_hz
        if high <= sub_band_hz[0] or low >= sub_band_hz[1]:
            return False
        if moment.utc - self.at.utc - self.air_time_s < WINDOW_S:
            return True
        same_boot = bool(self.at.boot_id) and self.at.boot_id == moment.boot_id
        return same_boot and moment.boot_s - self.at.boot_s - self.air_time_s < WINDOW_S


class Ledger:
    """The ledger, locked as long as it is open; use it as a context manager.

    Args:
        path: the file; made with its folder if it is not there.
        clock: both clocks, for tests.

    Raises:
        TransmissionRefused: another program has it open, it cannot be read or written, it is
            damaged, or the clock has been set back.
    """

    def __init__(self, path: Path, clock: Callable[[], Instant] = now) -> None:
        self._path = path
        self._clock = clock
        if fcntl is None:
            raise TransmissionRefused("this system has no file locks, which the ledger needs")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._lock)
                raise TransmissionRefused(f"another program is transmitting ({path} is locked)") from None
            try:
                self._entries = _read(path)
                self.check_clock()
                self._rewrite()
                self._file = path.open("a", encoding="utf-8")
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise self._failed(error) from error

    @property
    def high_water_utc(self) -> float:
        """The latest time ever seen."""
        return max((entry.at.utc for entry in self._entries), default=-math.inf)

    def check_clock(self) -> Instant:
        """Return the present moment.

        Raises:
            TransmissionRefused: it lies before the latest one ever seen.
        """
        moment = self._clock()
        behind_s = self.high_water_utc - moment.utc
        if behind_s > 0.0:
            raise TransmissionRefused(
                f"the clock is {behind_s:.3f} s behind the last entry of {self._path}: it has been set back"
            )
        return moment

    def used_s(self, moment: Instant, sub_band_hz: tuple[float, float]) -> float:
        """Air time of the last hour in everything that overlaps a sub-band."""
        return sum(entry.air_time_s for entry in self._entries if entry.counts(moment, sub_band_hz))

    def add(self, entry: Entry) -> None:
        """Write an entry down; it is on the disk when this returns.

        Raises:
            TransmissionRefused: it cannot be written.
        """
        try:
            self._file.write(_line(entry))
            self._file.flush()
            os.fsync(self._file.fileno())
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        self._entries.append(entry)

    def close(self) -> None:
        """Release it; a second call does nothing."""
        if not self._file.closed:
            self._file.close()
            os.close(self._lock)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rewrite(self) -> None:
        """Drop what is old, and write down that the clock was seen now."""
        moment = self._clock()
        everywhere = (-math.inf, math.inf)
        kept = [entry for entry in self._entries if entry.air_time_s and entry.counts(moment, everywhere)]
        self._entries = [*kept, Entry(moment, 0.0, (0.0, 0.0))]
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(map(_line, self._entries))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _failed(self, error: Exception) -> TransmissionRefused:
        return TransmissionRefused(f"the ledger {self._path} fails: {getattr(error, 'strerror', error)}")


def _line(entry: Entry) -> str:
    values = asdict(entry)
    return json.dumps({**values.pop("at"), **values}) + "\n"


def _read(path: Path) -> list[Entry]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        raise TransmissionRefused(f"the ledger {path} is damaged") from None
    # A last line without its end was not written whole, so its burst was never sent.
    lines = text.split("\n")[:-1]
    try:
        return [_entry(json.loads(line)) for line in lines]
    except (ValueError, KeyError, TypeError):
        raise TransmissionRefused(f"the ledger {path} is damaged") from None


def _entry(values: dict[str, Any]) -> Entry:
    low, high = values["sub_band_hz"]
    numbers = [float(values[key]) for key in ("utc", "boot_s", "air_time_s")] + [float(low), float(high)]
    if not all(math.isfinite(number) for number in numbers) or numbers[2] < 0.0:
        raise ValueError("no number")
    at = Instant(numbers[0], str(values["boot_id"]), numbers[1])
    return Entry(at, numbers[2], (numbers[3], numbers[4]), str(values.get("note", "")))
