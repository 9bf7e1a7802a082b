"""What time it is at a sample: the radio's sample clock tied to the computer's.

A piece of samples arrives some delay after its last one was taken, and that delay varies: the shortest of
the last seconds is the tie. When even the shortest grows by more than a driver ever delays, samples are
missing that nobody told of (USB transfers dropped, a network buffer that overflowed).

    lag = arrival − end/rate        tie = smallest lag of a window          clocks drift: ties follow
                                                                            lag jumps and stays: a gap
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_WINDOW_S = 4.0
_LEAST_PIECES = 20
_DRIFT_PPM = 200.0  # of both clocks together, and more
_JUMP_S = 0.05
_PAUSE_S = 0.5


class SampleClock:
    """Follows one stream; made anew where samples are known to be missing.

    Args:
        sample_rate_hz: nominal rate.
        utc_s: seconds since 1970, and monotonic seconds at the same moment; for tests.
    """

    def __init__(
        self,
        sample_rate_hz: float,
        utc_s: Callable[[], tuple[float, float]] = lambda: (time.time(), time.monotonic()),
    ) -> None:
        self._rate_hz = sample_rate_hz
        self._utc_s = utc_s
        self._lags: deque[tuple[float, float]] = deque()  # arrival, lag; lags rising from the front
        self._tie_s: float | None = None
        self._since_s = self._last_s = 0.0
        self._n_pieces = 0

    def arrived(self, end_sample: int, arrived_s: float) -> int:
        """Note a piece's arrival, monotonic seconds; return how many samples went missing unsaid."""
        lag_s = arrived_s - end_sample / self._rate_hz
        self._n_pieces += 1
        if self._tie_s is None:
            self._tie_s, self._since_s = lag_s, arrived_s
        if arrived_s - self._last_s > _PAUSE_S:  # what was held up comes in one go: wait for the end of it
            self._since_s, self._n_pieces = arrived_s, 0
        self._last_s = arrived_s
        while self._lags and self._lags[-1][1] >= lag_s:
            self._lags.pop()
        self._lags.append((arrived_s, lag_s))
        while self._lags[0][0] < arrived_s - _WINDOW_S:
            self._lags.popleft()
        shortest_s = self._lags[0][1]
        if lag_s < self._tie_s:
            self._tie_s = lag_s
        if arrived_s - self._since_s < _WINDOW_S or self._n_pieces < _LEAST_PIECES:
            return 0  # the window is not full of what came after the tie
        jump_s = shortest_s - self._tie_s
        missing = round(jump_s * self._rate_hz) if jump_s > _JUMP_S + _DRIFT_PPM * 1e-6 * _WINDOW_S else 0
        self._tie_s, self._since_s, self._n_pieces = shortest_s, arrived_s, 0
        return missing

    def utc(self, sample: int) -> datetime | None:
        """Time of a sample; None before anything arrived or outside of the calendar."""
        if self._tie_s is None:
            return None
        utc_s, monotonic_s = self._utc_s()
        try:
            return datetime.fromtimestamp(utc_s, UTC) + timedelta(
                seconds=self._tie_s + sample / self._rate_hz - monotonic_s
            )
        except (OverflowError, ValueError, OSError):
            return None
