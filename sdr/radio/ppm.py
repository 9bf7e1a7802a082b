"""A dongle's frequency error, learnt from the meters it hears.

Each meter has a crystal of its own that may be off by tens of ppm either way; the dongle's error is what all
of them share: the median over meters of each meter's median. It counts from several meters on, and is kept
for each radio in the user's state folder, so that the next start begins with it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections import deque
from collections.abc import Hashable
from pathlib import Path
from statistics import median

from sdr.errors import ConfigError

LEAST_METERS = 8
_MOST_METERS = 500
_PER_METER = 5
_SCHEMA = 1
_MEDIAN_ERROR = 1.253 * 1.483  # standard error of a median, the spread being a median too


class PpmLearner:
    """Collects frequency errors."""

    def __init__(self) -> None:
        self._meters: dict[Hashable, deque[float]] = {}

    def hear(self, meter: Hashable, error_ppm: float) -> None:
        """Take how far a meter's carrier seemed off, in ppm of an uncorrected radio."""
        errors = self._meters.pop(meter, None) or deque(maxlen=_PER_METER)
        errors.append(float(error_ppm))  # measured values are numpy's
        self._meters[meter] = errors  # the latest last
        if len(self._meters) > _MOST_METERS:
            del self._meters[next(iter(self._meters))]

    @property
    def n_meters(self) -> int:
        """Meters heard."""
        return len(self._meters)

    @property
    def radio_ppm(self) -> float | None:
        """The radio's own error, positive if its crystal is fast; None while too few meters speak."""
        estimate = self.estimate
        return None if estimate is None else estimate[0]

    @property
    def estimate(self) -> tuple[float, float] | None:
        """The radio's own error and the standard error of that, both in ppm; None as above."""
        if len(self._meters) < LEAST_METERS:
            return None
        each = [median(errors) for errors in self._meters.values()]
        middle = median(each)
        spread = median(abs(error - middle) for error in each)
        # a fast crystal tunes too high, so that carriers seem too low
        return -middle, _MEDIAN_ERROR * spread / math.sqrt(len(each))


def state_folder() -> Path:
    """Return the user's folder for what omsdr learns."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "state") / "omsdr"


def load_ppm(identity: str) -> float | None:
    """Return what was learnt of this radio earlier, or None."""
    ppm = _load().get(identity)
    return float(ppm) if isinstance(ppm, int | float) and not isinstance(ppm, bool) else None


def save_ppm(identity: str, ppm: float) -> None:
    """Keep what was learnt of a radio.

    Raises:
        ConfigError: it cannot be written.
    """
    path = _path()
    known = _load() | {identity: round(ppm, 1)}
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps({"schema": _SCHEMA, "ppm": known}, indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {error.strerror or error}") from error


def _path() -> Path:
    return state_folder() / "radios.json"


def _load() -> dict[str, object]:
    try:
        state = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    ppm = state.get("ppm") if isinstance(state, dict) and state.get("schema") == _SCHEMA else None
    return dict(ppm) if isinstance(ppm, dict) else {}
