"""The link to one radio: open it, notice when it is lost, open it again.

                 first samples            failure, end, or silence
    opening ──────────────────▶ up ───────────────────────────▶ down ──back-off──▶ opening
       └── START_UP_S without samples ─────────────────────────▲

Every loss and every return is said once. Sample numbers go on over a gap by the time it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sdr.errors import DeviceLost, DeviceNotFound
from sdr.radio import Piece, Reader, Ring, Source

START_UP_S = 6.0
STALL_S = 2.0
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
RING_S = 4.0

Say = Callable[[str], None]


class RadioLink:
    """Keeps one radio open.

    Args:
        opener: opens the radio, anew each time.
        say: takes sentences for people.
        wake: called from the radio's thread when samples came.
        give_up_s: lost for so long, raise; None retries for ever.
        clock: monotonic seconds.

    Attributes:
        source: the open radio; None while it is lost.
        ended: a file has come to its end.
        n_lost: how often the radio was lost.
        dropped, lost: samples dropped by the ring and samples that the radio said it lost, so far.
    """

    def __init__(
        self,
        opener: Callable[[], Source],
        say: Say,
        *,
        wake: Callable[[], None] = lambda: None,
        give_up_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source: Source | None = None
        self.ended = False
        self.n_lost = 0
        self._opener = opener
        self._say = say
        self._wake = wake
        self._give_up_s = give_up_s
        self._clock = clock
        self._reader: Reader | None = None
        self._ring: Ring | None = None
        self._heard_anything = False
        self._down_s: float | None = None  # since when
        self._tries = 0
        self._retry_s = 0.0
        self._last_reason = ""
        self._counted = [0, 0]
        self._end_sample = 0
        self._end_s = 0.0
        self._name = ""

    def open(self) -> Source:
        """Open the radio for the first time; ``start`` lets samples come.

        Raises:
            DeviceNotFound: it is not there.
        """
        return self._open()

    def start(self) -> None:
        """Begin to read what was opened."""
        source = self.source
        assert source is not None
        now_s = self._clock()
        first = self._end_sample
        if self._end_s:
            first += round(max(0.0, now_s - self._end_s) * source.sample_rate_hz)
        self._ring = Ring(
            round(RING_S * source.sample_rate_hz),
            first_sample=first,
            waits=source.can_wait,
            wake=self._wake,
            clock=self._clock,
        )
        self._heard_anything = False
        self._reader = Reader(source, self._ring)
        self._reader.start()

    @property
    def dropped(self) -> int:
        """Samples that nobody took in time."""
        return self._counted[0] + (self._ring.dropped if self._ring else 0)

    @property
    def lost(self) -> int:
        """Samples that the radio said it lost."""
        return self._counted[1] + (self._ring.lost if self._ring else 0)

    @property
    def backlog_samples(self) -> int:
        """Samples that wait to be decoded."""
        return self._ring.held_samples if self._ring else 0

    @property
    def next_sample(self) -> int:
        """Number of the next sample to come."""
        return self._ring.next_sample if self._ring else self._end_sample

    @property
    def is_up(self) -> bool:
        """Whether the radio is open and has sent samples."""
        return self.source is not None and self._heard_anything

    def take(self) -> Piece | None:
        """Return the next samples, or None; look after the radio meanwhile.

        Raises:
            DeviceLost: the radio has been lost for longer than ``give_up_s``.
            RecordingError: the file became unreadable.
        """
        if self._ring is not None:
            piece = self._ring.take()
            if piece is not None:
                self._has_come(piece)
                return piece
        self._look_after()
        return None

    def close(self) -> None:
        """Let the radio go."""
        if self._reader is None:
            if self.source is not None:
                self.source.close()
        elif not self._reader.stop():
            self._say(f"{self._name}: its driver hangs and was left behind")
        self._keep_counts()
        self._reader = self.source = None

    def reopen(self) -> Source:
        """Close and open again at once, with other settings.

        Raises:
            DeviceNotFound: it is not there any more.
        """
        self._end_s = self._clock()
        self.close()
        source = self._open()
        self.start()
        return source

    def _open(self) -> Source:
        self.source = source = self._opener()
        self._name = source.uri
        return source

    def _has_come(self, piece: Piece) -> None:
        self._end_sample, self._end_s = piece.end, piece.arrived_s
        if not self._heard_anything:
            self._heard_anything = True
            if self._down_s is not None:
                gap_s = self._clock() - self._down_s
                self._say(f"{self._name}: is back after {gap_s:.1f} s")
            self._down_s, self._tries = None, 0

    def _look_after(self) -> None:
        now_s = self._clock()
        if self.source is None:
            if not self.ended and now_s >= self._retry_s:
                self._try_again()
            return
        assert self._reader is not None and self._ring is not None
        if not self._reader.is_running:
            if self._ring.held_samples:
                return  # decode what came before first
            if self._reader.failure is None:
                self.ended = True
                self.close()
            elif self.source.can_wait:
                raise self._reader.failure  # a file does not come back
            else:
                self.lose(str(self._reader.failure))
            return
        if self.source.can_wait:
            return
        silent_s = now_s - self._ring.last_arrival_s
        if silent_s > (STALL_S if self._heard_anything else START_UP_S):
            what = "stopped sending samples" if self._heard_anything else "sends no samples"
            self.lose(f"{self._name}: {what} for {silent_s:.1f} s")

    def _try_again(self) -> None:
        try:
            self._open()
            self.start()
        except DeviceNotFound as error:
            self._last_reason = str(error)
            self._wait()

    def lose(self, reason: str) -> None:
        """Take the radio for lost, say so once, and try again later."""
        first_loss = self._down_s is None
        self.close()
        if first_loss:
            self.n_lost += 1
            self._down_s = self._end_s or self._clock()
            again = "" if self._give_up_s is None else f" for {self._give_up_s:g} s"
            self._say(f"{reason}; trying again{again}")
        self._last_reason = reason
        self._wait()

    def _wait(self) -> None:
        now_s = self._clock()
        assert self._down_s is not None
        if self._give_up_s is not None and now_s - self._down_s >= self._give_up_s:
            raise DeviceLost(f"given up after {now_s - self._down_s:.0f} s: {self._last_reason}")
        wait_s = BACK_OFF_S[min(self._tries, len(BACK_OFF_S) - 1)]
        if self._give_up_s is not None:
            wait_s = min(wait_s, max(0.0, self._down_s + self._give_up_s - now_s))
        self._tries += 1
        self._retry_s = now_s + wait_s

    def _keep_counts(self) -> None:
        if self._ring is not None:
            self._counted = [self.dropped, self.lost]
            self._ring = None
