"""The live table on a terminal, and where sentences go while it has the screen."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable

from sdr.reception import Reception

_INTERVAL_S = 0.5
_KEPT = 200


class Screen:
    """Draws the meters heard; sentences stand in the line of state and are repeated at the end.

    Args:
        say: takes sentences while the screen is not taken.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        from rich.console import Console  # a pipe does without it

        from sdr.live_table import LiveTable

        self._table = LiveTable(Console(), time.monotonic)
        self._say = say
        self._said: deque[str] = deque(maxlen=_KEPT)
        self._drawn_s = -float("inf")
        self._is_open = False

    def open(self) -> None:
        """Take the screen."""
        self._table.start()
        self._is_open = True

    def close(self) -> None:
        """Give it back, and repeat what was said."""
        if self._is_open:
            self._is_open = False
            self._table.stop()
            for text in self._said:
                self._say(text)

    def say(self, text: str) -> None:
        """Show a sentence."""
        if self._is_open:
            self._said.append(time.strftime("%H:%M:%S ") + text)
        else:
            self._say(text)

    def hear(self, reception: Reception) -> None:
        """Take a reception."""
        self._table.hear(reception, time.monotonic())

    def draw(self, state: str) -> None:
        """Redraw if it is time for it."""
        now_s = time.monotonic()
        if self._is_open and now_s - self._drawn_s >= _INTERVAL_S:
            self._drawn_s = now_s
            self._table.draw(f"{state} · {self._said[-1]}" if self._said else state)


def open_screen(outputs: list[str] | None, say: Callable[[str], None]) -> Screen | None:
    """Return the screen for who looks at a terminal and asked for nothing else; None otherwise."""
    return Screen(say) if outputs is None and sys.stdout.isatty() else None
