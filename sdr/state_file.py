"""The state file: what telegrams taught, kept between runs (``--state FILE``).

    {"schema": 1,
     "formats":   {device: [headers as hex, …]},            of compact frames
     "fragments": {sender: {"afl": hex, "fragments": […]}},  messages that are not whole yet
     "continuations": {device: [application data as hex, …]},  whose records go on in the next telegram
     "counters":  {device:direction:key check value: number}}

JSON; holds no keys, but what meters said in messages that are not whole yet. A new file replaces the
old one in one step, so that an interruption leaves one of the two.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sdr.errors import ConfigError

_SCHEMA = 1
_KEEP_S = 300.0


def load_state(path: Path) -> dict[str, object]:
    """Read a state file; one that is not there yet is empty.

    Raises:
        ConfigError: the file cannot be read, or is no state.
    """
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: is no state file") from None
    if not isinstance(state, dict) or state.get("schema") != _SCHEMA:
        raise ConfigError(f"{path}: is no state file of schema {_SCHEMA}")
    return state


def save_state(path: Path, state: Mapping[str, object]) -> None:
    """Write a state file.

    Raises:
        ConfigError: it cannot be written.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"schema": _SCHEMA, **state}, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave an empty file under the old name
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {error.strerror or error}") from error


class StateKeeper:
    """Writes a state file every few minutes, where there is something new; a run may end without warning.

    Args:
        path: the file; None for none.
        state: gives what is to be kept.
        tell: takes sentences for people.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        path: Path | None,
        state: Callable[[], Mapping[str, object]],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._state = state
        self._tell = tell
        self._clock = clock
        self._kept_s = clock()
        self._kept: Mapping[str, object] = {}
        self._is_failing = False

    def look(self) -> None:
        """Write the file if it is time; that it cannot be written is said once, and it is tried again."""
        if self._path is None or self._clock() - self._kept_s < _KEEP_S:
            return
        self._kept_s, state = self._clock(), self._state()
        if state == self._kept:
            return
        try:
            save_state(self._path, state)
            self._kept, self._is_failing = state, False
        except ConfigError as error:
            if not self._is_failing:
                self._tell(f"what was learnt cannot be kept now: {error}")
            self._is_failing = True
