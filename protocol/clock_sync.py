"""Clock synchronisation: commands that set or shift the clock of a device (CI 6C, 6D).

    CI  TC  time    meaning
    6C  00  type I  set date and time
    6D  01  type J  add
    6D  02  type J  subtract
    6D  03  type J  expected time of day: the device corrects itself (OMS addition)

    TC (1) | time (6 or 3) | rest

The rest (reserved bytes, perhaps 2F 2F as command verification) has no public layout; a receiver
ignores it. Source: EN 13757-3; OMS Vol. 2 and Annex M.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocol.dates import DateTimeTypeI, TimeTypeJ
from protocol.errors import Incomplete, Unsupported
from protocol.values import Codec, Notes, Value

CLOCK_SET_CI: Final = 0x6C
CLOCK_SHIFT_CI: Final = 0x6D


class ClockAction(Enum):
    """What the command does; the value is its CI-field and its TC-field."""

    SET = (CLOCK_SET_CI, 0x00)
    ADD = (CLOCK_SHIFT_CI, 0x01)
    SUBTRACT = (CLOCK_SHIFT_CI, 0x02)
    CORRECT = (CLOCK_SHIFT_CI, 0x03)


_ACTIONS: Final = {action.value: action for action in ClockAction}
_CODECS: Final[dict[int, tuple[Codec, int]]] = {
    CLOCK_SET_CI: (DateTimeTypeI(), 6),
    CLOCK_SHIFT_CI: (TimeTypeJ(), 3),
}
"""Data type and length of the time, by CI-field."""


@dataclass(frozen=True, slots=True)
class ClockSync:
    """A clock command.

    Attributes:
        action: what it does.
        time: date and time to set, or hours, minutes and seconds as text; None if invalid.
        notes: what is unusual about the time.
        time_bytes: the time as sent.
        rest: bytes behind it.
    """

    action: ClockAction
    time: Value
    notes: Notes
    time_bytes: bytes
    rest: bytes = b""


def parse_clock_sync(ci: int, body: bytes) -> ClockSync:
    """Decode a clock command.

    Args:
        ci: CI-field.
        body: from the TC-field on.

    Raises:
        Incomplete: the time is cut.
        Unsupported: no such TC-field under this CI-field.
    """
    if not body:
        raise Incomplete("application", "truncated", "clock command without TC-field", offset=0)
    action = _ACTIONS.get((ci, body[0]))
    if action is None:
        raise Unsupported("application", "function_unknown", f"CI {ci:02X} with TC {body[0]:02X}", offset=0)
    codec, length_bytes = _CODECS[ci]
    time_bytes = body[1 : 1 + length_bytes]
    if len(time_bytes) < length_bytes:
        raise Incomplete("application", "truncated", "time of a clock command is cut", offset=len(body))
    time, notes = codec.decode(time_bytes)
    return ClockSync(action, time, notes, time_bytes, body[1 + length_bytes :])


def build_clock_sync(action: ClockAction, time: Value, rest: bytes = b"") -> ClockSync:
    """Make a clock command.

    Raises:
        InvalidField: not a time of the action's data type.
    """
    time_bytes = _CODECS[action.value[0]][0].encode(time)
    return ClockSync(action, time, (), time_bytes, rest)


def encode_clock_sync(command: ClockSync) -> bytes:
    """Encode a clock command from the TC-field on."""
    return bytes((command.action.value[1],)) + command.time_bytes + command.rest
