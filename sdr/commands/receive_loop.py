"""One run of ``omsdr receive``: the session's loop with outputs, recordings, service manager and signals.

SIGINT    ends cleanly with 130, a second one at once        SIGTERM   ends cleanly with 0
"""

from __future__ import annotations

import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from sdr.commands.listening import Show, say
from sdr.live.burst_files import BurstFiles
from sdr.live.condition import Condition
from sdr.live.radio import LiveRadio
from sdr.live.recorder import Recorder
from sdr.live.screen import Screen
from sdr.live.session import LiveSession
from sdr.radio import Piece
from sdr.reception import Reception
from sdr.session import Summary
from sdr.state_file import StateKeeper
from sdr.systemd import Notifier
from sdr.units import format_hz, format_rate

EXIT_INTERRUPTED = 130
_LOOK_S = 1.0
_SETTLE_S = 10.0  # a condition is told once it has lasted so long


@dataclass(frozen=True, slots=True)
class Recordings:
    """What records one radio; None for nothing."""

    recorder: Recorder | None = None
    bursts: BurstFiles | None = None

    def take(self, radio: LiveRadio, piece: Piece) -> None:
        """Hand a piece to both."""
        for tape in (self.recorder, self.bursts):
            if tape is not None:
                tape(radio, piece)

    def hear(self, radio: LiveRadio, reception: Reception) -> None:
        """Hand on a reception."""
        if self.bursts is not None:
            self.bursts.write(radio, reception)

    def close(self) -> None:
        """Finish the files."""
        if self.recorder is not None:
            self.recorder.close()


def run_session(
    session: LiveSession,
    show: Show,
    recordings: list[Recordings],
    screen: Screen | None,
    summary: Summary,
    keeper: StateKeeper,
) -> int:
    """Receive until the session ends; return the exit code.

    Raises:
        DeviceNotFound: a radio is not there.
        DeviceLost: a radio was given up.
    """
    notifier = Notifier()
    started_s = time.monotonic()
    for radio, tapes in zip(session.radios, recordings, strict=True):
        radio.tape = tapes.take
        radio.listener = tapes.hear
    with _signals(session) as code:
        try:
            for radio in session.radios:
                radio.open()
            for radio in session.radios:
                radio.start()
            if screen is not None:
                screen.open()
            notifier.ready()
            _loop(session, show, screen, summary, notifier, keeper)
        finally:
            notifier.stopping()
            try:
                for reception in session.close():
                    _put(reception, session, show, screen, summary)
            finally:
                for tapes in recordings:
                    tapes.close()
                if screen is not None:
                    screen.close()
                show.close()
                summary.elapsed_s += time.monotonic() - started_s
                if any(radio.source is not None for radio in session.radios):
                    _say_summary(session, show, summary)
    return code[0]


def _loop(
    session: LiveSession,
    show: Show,
    screen: Screen | None,
    summary: Summary,
    notifier: Notifier,
    keeper: StateKeeper,
) -> None:
    watch = _Watch()
    looked_s = -float("inf")
    for reception in session.run():
        if reception is not None:
            _put(reception, session, show, screen, summary)
            if show.is_full:
                return
            continue
        notifier.alive()
        now_s = time.monotonic()
        if now_s - looked_s < _LOOK_S / 4:
            continue
        looked_s = now_s
        keeper.look()
        state = state_line(session, summary)
        notifier.status(state)
        if screen is not None:
            screen.draw(state)
        else:
            watch.look(session.condition, now_s)
            if _reader_has_gone(show):
                return


def _put(
    reception: Reception, session: LiveSession, show: Show, screen: Screen | None, summary: Summary
) -> None:
    if show.is_full:
        return
    summary.count(reception)
    source = session.radios[0].source
    show.write(reception, 1.0 if source is None else source.sample_rate_hz)
    if screen is not None and show.wants(reception):
        screen.hear(reception)


def state_line(session: LiveSession, summary: Summary) -> str:
    """Say in one line how it is going."""
    parts = [session.condition.value]
    for radio in session.radios:
        source = radio.source
        if source is not None:
            parts.append(f"{format_hz(source.center_hz)} {format_rate(source.sample_rate_hz)}")
        if radio.ppm:
            parts.append(f"{radio.ppm:+.1f} ppm")
    parts.append(f"{summary.n_frames} telegrams")
    dropped = sum(radio.link.dropped + radio.link.lost for radio in session.radios)
    n_lost = sum(radio.link.n_lost for radio in session.radios)
    if dropped:
        parts.append(f"{dropped} samples lost")
    if n_lost:
        parts.append(f"radio lost {n_lost} ×")
    return " · ".join(parts)


class _Watch:
    """Says a condition once it has lasted, and again only after it has changed."""

    def __init__(self) -> None:
        self._said: Condition | None = None
        self._seen: Condition | None = None
        self._since_s = 0.0

    def look(self, condition: Condition, now_s: float) -> None:
        """Say the condition if it is news."""
        if condition is not self._seen:
            self._seen, self._since_s = condition, now_s
        if condition is not self._said and now_s - self._since_s >= _SETTLE_S:
            self._said = condition
            say(f"state: {condition.value}")


def _say_summary(session: LiveSession, show: Show, summary: Summary) -> None:
    for radio in session.radios:
        summary.samples_s += radio.samples_s
        summary.note_plan(radio.plan)
    lines = summary.lines() + summary.outcome_lines() + show.left_out_lines()
    for radio in session.radios:
        link, gaps = radio.link, radio.gaps
        if link.dropped or link.lost or gaps or link.n_lost:
            lines.append(
                f"{radio.uri}: {link.dropped} samples dropped, {link.lost} lost by the radio, "
                f"missing unsaid {gaps['missing']} times, lost and found again {link.n_lost} times"
            )
    for line in lines:
        say(line)


def _reader_has_gone(show: Show) -> bool:
    """Whether standard output is a pipe that nobody reads any more."""
    if not any(output.is_stdout for output in show.outputs) or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


@contextmanager
def _signals(session: LiveSession) -> Iterator[list[int]]:
    """End the session on SIGINT and SIGTERM; what is yielded holds the exit code."""
    code = [0]

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if session.stopped:
            raise KeyboardInterrupt
        code[0] = EXIT_INTERRUPTED
        session.stop()

    def terminate(_number: int, _frame: FrameType | None) -> None:
        session.stop()

    handlers = {signal.SIGINT: interrupt, signal.SIGTERM: terminate}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
