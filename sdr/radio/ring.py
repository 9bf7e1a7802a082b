"""The bounded store between a radio and the decoder: the radio never waits.

    put (radio's thread) ─▶ pieces, at most so many samples ─▶ take (decoder's thread)
                              │ full: the piece is dropped and counted
                              ▼
                     the next piece says how many samples are missing before it

Sample numbers count what the radio took, lost samples included.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dsp.arrays import RawArray


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples in a row.

    Attributes:
        raw: stored values [2n].
        first_sample: number of the first since the radio was opened first.
        lost: samples missing right before it.
        dropped: how many of these the ring had no room for.
        arrived_s: when its last sample came, monotonic seconds.
    """

    raw: RawArray
    first_sample: int
    lost: int
    dropped: int
    arrived_s: float

    @property
    def end(self) -> int:
        """Number of the sample behind the last."""
        return self.first_sample + self.raw.size // 2


class Ring:
    """Holds pieces until they are taken.

    Args:
        capacity_samples: how many fit.
        first_sample: number of the first sample to come.
        waits: a full ring holds up the source instead of dropping: for files.
        wake: called when something came, from the radio's thread.
        clock: monotonic seconds.

    Attributes:
        dropped: samples dropped so far because nobody took them in time.
        lost: samples that the radio itself said it lost.
        last_arrival_s: when samples came last; when the ring was made before the first.
    """

    def __init__(
        self,
        capacity_samples: int,
        *,
        first_sample: int = 0,
        waits: bool = False,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dropped = 0
        self.lost = 0
        self.last_arrival_s = clock()
        self._capacity = capacity_samples
        self._waits = waits
        self._wake = wake
        self._clock = clock
        self._pieces: deque[Piece] = deque()
        self._held = 0
        self._next = first_sample
        self._missing = 0
        self._missing_dropped = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, raw: RawArray, lost: int = 0) -> None:
        """Take samples from the radio; they must not change afterwards."""
        n_samples = raw.size // 2
        with self._changed:
            while self._waits and self._held + n_samples > self._capacity and self._held and not self._closed:
                self._changed.wait(0.1)
            if self._closed:
                return
            self.last_arrival_s = self._clock()
            self.lost += lost
            self._next += lost
            self._missing += lost
            if self._held and self._held + n_samples > self._capacity:
                self.dropped += n_samples
                self._missing += n_samples
                self._missing_dropped += n_samples
            else:
                self._pieces.append(
                    Piece(raw, self._next, self._missing, self._missing_dropped, self.last_arrival_s)
                )
                self._held += n_samples
                self._missing = self._missing_dropped = 0
            self._next += n_samples
        self._wake()

    def take(self) -> Piece | None:
        """Return the oldest piece, or None."""
        with self._changed:
            if not self._pieces:
                return None
            piece = self._pieces.popleft()
            self._held -= piece.raw.size // 2
            if self._waits:
                self._changed.notify_all()
            return piece

    def close(self) -> None:
        """Take nothing more; what is held can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def held_samples(self) -> int:
        """How many samples wait."""
        return self._held

    @property
    def next_sample(self) -> int:
        """Number of the next sample to come."""
        return self._next
