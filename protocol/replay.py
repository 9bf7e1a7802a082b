"""Protection against replayed messages by their counters.

A counter belongs to one device, one direction and one key, starts anew with a new key, and only
ever rises. Of an authenticated message with

    a higher counter    the message is new, and its counter is remembered
    the same counter    it is a repetition: the device's own, or a repeater's
    a lower counter     it is a replay

Source: OMS Vol. 2 Issue 5.0.1, 9.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from protocol.address import Address
from protocol.c_field import Direction
from protocol.ciphers import SecretKey

Freshness = Literal["new", "repeated", "replayed"]

COUNTER_RUNS_OUT: Final = 0xFFFF0000
"""From this counter on the partner reports an error; counters never wrap."""


class ReplayGuard:
    """The highest authenticated counters seen.

    Args:
        state: what `state` of an earlier guard returned.
    """

    def __init__(self, state: Mapping[str, int] | None = None) -> None:
        self._highest: dict[tuple[str, ...], int] = {
            tuple(name.split(":")): counter for name, counter in (state or {}).items()
        }

    def check(self, meter: Address, key: SecretKey, counter: int, direction: Direction = "M2O") -> Freshness:
        """Judge the counter of an authenticated message, and remember it if it is new."""
        name = (meter.raw.hex(), direction, key.check_value)
        highest = self._highest.get(name)
        if highest is None or counter > highest:
            self._highest[name] = counter
            return "new"
        return "repeated" if counter == highest else "replayed"

    def state(self) -> dict[str, int]:
        """Return the counters by device, direction and key check value; holds nothing secret."""
        return {":".join(name): counter for name, counter in self._highest.items()}
