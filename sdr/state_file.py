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

import json
import os
from collections.abc import Mapping
from pathlib import Path

from sdr.errors import ConfigError

_SCHEMA = 1


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
        fresh.write_text(json.dumps({"schema": _SCHEMA, **state}, indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {error.strerror or error}") from error
