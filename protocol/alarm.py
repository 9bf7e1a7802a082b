"""Alarm: what a device reports unasked (CI 71, 74, 75).

    alarm (1)   bit flags, their meaning is the maker's; 00 no alarm
    data        longer content has no public layout and stays bytes

Source: EN 13757-3 Annex D; OMS Vol. 2.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import Incomplete
from protocol.fields import unsigned


@dataclass(frozen=True, slots=True)
class Alarm:
    """Alarm of a device.

    Attributes:
        flags: the alarm byte.
        data: bytes behind it.
    """

    flags: int
    data: bytes = b""

    @property
    def bits(self) -> tuple[int, ...]:
        """Numbers of the bits that are set, lowest first."""
        return tuple(bit for bit in range(8) if self.flags >> bit & 1)


def parse_alarm(body: bytes) -> Alarm:
    """Decode an alarm.

    Raises:
        Incomplete: no alarm byte.
    """
    if not body:
        raise Incomplete("application", "truncated", "alarm without its byte", offset=0)
    return Alarm(body[0], body[1:])


def encode_alarm(alarm: Alarm) -> bytes:
    """Encode an alarm.

    Raises:
        InvalidField: a code is not one byte.
    """
    return unsigned("application", "alarm", alarm.flags) + alarm.data
