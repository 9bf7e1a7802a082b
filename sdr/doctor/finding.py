"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"  # something optional is not there
    WARNING = "warning"  # it works, but less well than it could
    FAULT = "fault"  # it does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what to do about it.

    Attributes:
        level: how bad it is.
        subject: what was looked at.
        text: what was found.
        mend: commands or advice, a line each; empty where nothing is to be done.
    """

    level: Level
    subject: str
    text: str
    mend: tuple[str, ...] = ()
