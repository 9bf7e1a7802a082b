"""A recording or standard input in the place of a radio, no faster than real time.

Centre and rate are those of the recording. Standard input may come from a radio whose clock is a little
faster than this computer's, and must not pile up: hence the allowance.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sdr.errors import DeviceNotFound
from sdr.radio.source import Deliver
from sdr.recording import Recording

_ALLOWANCE = 1.01
_PIECE_S = 0.0137


class PacedSource:
    """A recording played at its own speed; see ``Source`` for the attributes.

    Args:
        uri: as the user named it.
        recording: open recording; only its first segment with samples of one centre is played.
        speed: how many times faster than real time; for tests and measurements.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        uri: str,
        recording: Recording,
        *,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.uri = uri
        self.identity = ""
        self.sample_rate_hz = recording.sample_rate_hz
        self.center_hz = recording.center_hz
        self.sample_format = recording.sample_format
        self.settings = list(recording.assumptions)
        self.can_wait = True
        self._recording = recording
        self._rate_hz = recording.sample_rate_hz * speed * _ALLOWANCE
        self._clock = clock
        self._stopped = threading.Event()
        if any(segment.center_hz != self.center_hz for segment in recording.segments()):
            raise DeviceNotFound(f"{uri}: its centre frequency changes on the way; use omsdr replay")

    def stream(self, deliver: Deliver) -> None:
        """See ``Source``.

        Raises:
            RecordingError: the file became unreadable.
        """
        started_s = self._clock()
        n_done = 0
        chunk_samples = max(1024, round(self.sample_rate_hz * _PIECE_S))
        for number, segment in enumerate(self._recording.segments()):
            lost = int(number > 0)  # the recording tells that samples are missing, not how many
            for chunk in segment.chunks(chunk_samples):
                n_done += chunk.n_samples
                if self._stopped.wait(max(0.0, started_s + n_done / self._rate_hz - self._clock())):
                    return
                deliver(chunk.raw, lost)
                lost = 0

    def stop(self) -> None:
        """See ``Source``."""
        self._stopped.set()

    def close(self) -> None:
        """See ``Source``."""
        self._recording.close()
