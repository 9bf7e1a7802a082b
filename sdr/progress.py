"""A progress bar on standard error, only for people and only when it takes long."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_BAR_WIDTH = 30
_PATIENCE_S = 1.0
_INTERVAL_S = 0.2


class Progress:
    """Shows how far a recording is; silent when standard error is no terminal.

    Args:
        name: what is being read.
        total: samples there are; None for a pipe, which has no bar.
        stream: where to draw.
    """

    def __init__(self, name: str, total: int | None, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._active = bool(total) and self._stream.isatty()
        self._name = name
        self._total = total or 1
        self._begun = self._shown = time.monotonic()
        self._drawn = False

    def show(self, done: int) -> None:
        """Draw the bar at ``done`` samples, if it is time for it."""
        now = time.monotonic()
        if not self._active or now - self._begun < _PATIENCE_S or now - self._shown < _INTERVAL_S:
            return
        self._shown = now
        part = min(1.0, done / self._total)
        filled = round(part * _BAR_WIDTH)
        bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
        self._stream.write(f"\r{bar} {100 * part:3.0f} %  {self._name}\033[K")
        self._stream.flush()
        self._drawn = True

    def clear(self) -> None:
        """Remove the bar, so that other lines can be written."""
        if self._drawn:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._drawn = False
