"""The thread that reads a radio into a ring, and how it ended."""

from __future__ import annotations

import threading

from sdr.errors import DeviceLost, RadioError
from sdr.radio.ring import Ring
from sdr.radio.source import Source

_STOP_S = 2.0
_STOP_TRIES = 4  # a driver that was only about to begin does not hear the first


class Reader:
    """Streams a source into a ring until it ends, fails or is stopped.

    Args:
        source: open radio; the reader closes it.
        ring: where samples go.

    Attributes:
        failure: why the stream ended; None while it runs, after ``stop`` and at the end of a file.
    """

    def __init__(self, source: Source, ring: Ring) -> None:
        self.failure: RadioError | None = None
        self._source = source
        self._ring = ring
        self._thread = threading.Thread(target=self._run, name=f"read {source.uri}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether samples may still come."""
        return self._thread.is_alive()

    def stop(self) -> bool:
        """End reading and close the radio; False if its driver hangs and had to be left behind."""
        self._ring.close()
        for _ in range(_STOP_TRIES):
            self._source.stop()
            if self._thread.ident is not None:
                self._thread.join(_STOP_S / _STOP_TRIES)
            if not self._thread.is_alive():
                return True
        return False

    def _run(self) -> None:
        try:
            self._source.stream(self._ring.put)
        except RadioError as error:
            self.failure = error.with_traceback(None)  # whose frames would hold the driver
        except Exception as error:  # whatever a driver raises means that it no longer works
            self.failure = DeviceLost(f"{self._source.uri}: {type(error).__name__}: {error}")
        finally:
            self._source.close()
