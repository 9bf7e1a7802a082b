"""The live view on a terminal: meters heard, the latest first, and a line of state below.

      seen  meter           kind        mode   SNR  Δf/kHz  every      n  reading
     0.4 s  ELS 12345678    gas          T A  21.8   -11.9   16 s    128  volume 28504.27 m3
    ─────────────────────────────────────────────────────────────────────────────────────────
    receiving · 868.900 MHz 2.4 MS/s · 62 meters

The view only shows; what is counted lives in `HeardMeters`. It redraws when asked to, so the
caller sets the pace.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from protocol.annotate import value_text
from protocol.outcome import READ_OUTCOMES
from protocol.readings import Reading
from protocol.telegram import Telegram
from sdr.heard_meters import HeardMeter, HeardMeters
from sdr.reception import Reception

_FRAME_LINES = 3  # head of the table, rule and state line
_FRESH_S = 2.0  # a telegram so young is shown in bold
_COLUMNS = (
    ("seen", "right", 6),
    ("meter", "left", 12),
    ("kind", "left", 8),
    ("mode", "left", 4),
    ("SNR", "right", 5),
    ("Δf/kHz", "right", 6),
    ("every", "right", 6),
    ("n", "right", 5),
)


class LiveTable:
    """Draws the meters heard in place.

    Args:
        console: terminal to draw on.
        clock: seconds on the clock that receptions are stamped with.
    """

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._meters = HeardMeters()
        self._state = ""
        self._live = Live(console=console, screen=True, auto_refresh=False, transient=True)

    def start(self) -> None:
        """Take the screen."""
        self._live.start(refresh=True)

    def stop(self) -> None:
        """Give the screen back and leave the table's last state above the prompt."""
        self._live.stop()
        self._console.print(self.render())

    def hear(self, reception: Reception, at_s: float) -> None:
        """Take a reception; it is shown at the next ``draw``."""
        self._meters.hear(reception, at_s)

    def draw(self, state: str) -> None:
        """Redraw with a line of state."""
        self._state = state
        self._live.update(self.render(), refresh=True)

    def render(self) -> RenderableType:
        """Lay out as many meters as the terminal has lines for."""
        table = Table(box=None, expand=True, pad_edge=False, header_style="bold")
        for title, justify, width in _COLUMNS:
            table.add_column(
                title, justify="right" if justify == "right" else "left", min_width=width, no_wrap=True
            )
        table.add_column("reading", ratio=1, no_wrap=True, overflow="ellipsis")
        now_s = self._clock()
        for meter in self._meters.latest(max(1, self._console.height - _FRAME_LINES)):
            table.add_row(*_cells(meter, now_s), style="bold" if now_s - meter.last_s < _FRESH_S else "")
        n = len(self._meters)
        state = Text(f"{self._state} · {n} meter{'' if n == 1 else 's'}", no_wrap=True, overflow="ellipsis")
        return Group(table, Rule(style="dim"), state)


def _cells(meter: HeardMeter, now_s: float) -> tuple[str | Text, ...]:
    reception = meter.last
    telegram = reception.telegram
    assert telegram is not None  # what is no telegram names no meter
    address = telegram.meter or telegram.sender
    assert address is not None
    quality = reception.burst.quality
    error_hz = quality.frequency_error_hz
    interval_s = meter.interval_s
    return (
        span_text(now_s - meter.last_s),
        telegram.name or f"{address.manufacturer} {address.id}",
        address.device_type_name,
        _mode(reception),
        "–" if quality.snr_db is None else f"{quality.snr_db:.1f}",
        "–" if error_hz is None else f"{error_hz / 1e3:+.1f}",
        "–" if interval_s is None else span_text(interval_s),
        str(meter.count),
        _reading(telegram, meter.reading),
    )


def _mode(reception: Reception) -> str:
    arrow = "↓" if reception.direction == "O2M" else " "
    return f"{reception.mode or '–'}{arrow}{reception.frame_format or ''}"


def _reading(telegram: Telegram, reading: Reading | None) -> Text:
    """Say the main reading, or why there is none."""
    outcome = telegram.security.outcome
    if outcome in READ_OUTCOMES:
        text = f"{reading.quantity} {value_text(reading.value, reading.unit)}" if reading else ""
        return Text(text, style="green")
    return Text(outcome.value.replace("_", " "), style="yellow")


def span_text(seconds: float) -> str:
    """Write a span of time in at most six characters: ``0.4 s``, ``16 s``, ``4 min``, ``2.5 h``, ``3 d``."""
    seconds = max(seconds, 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60.0:
        return f"{seconds / 60.0:.0f} min"
    if seconds < 48 * 3600.0:
        return f"{seconds / 3600.0:.1f} h"
    return f"{seconds / 86400.0:.0f} d"
