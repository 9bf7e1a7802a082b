"""The process that holds a radio's driver, so that nothing can leave the transmitter on.

    python -m sdr.transmit.worker PARENT_PID KIND SETTINGS

    standard input     {"sample_rate_hz": …, "center_hz": …, "gain_reduction_db": …,
                        "n_bytes": …, "limit_s": …}⏎ samples
    standard output    {"ok": true, "started": …, "ended": …, "underruns": …}⏎
                       {"ok": false, "lost": true, "problem": "…"}⏎

A burst of no bytes only takes the radio out of transmit mode, in which a driver that crashed left it.

It ends, switching off, when its standard input closes, when its parent dies, on SIGTERM, and when a
burst takes longer than its limit. A driver that hangs beyond that is ended by force, first from
within, then by the parent, which starts a new worker to switch off.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, BinaryIO, Protocol

from sdr.errors import DeviceNotFound, RadioError
from sdr.transmit.guard import die_with
from sdr.transmit.settings import RadioSettings

_FORCE_S = 1.0
"""After its limit, what a burst gets to be ended in good order."""

_nowhere = os.open(os.devnull, os.O_WRONLY)  # a message of the watchdog helps nobody


class Driver(Protocol):
    """One open radio."""

    def send(
        self, content: bytes, sample_rate_hz: float, center_hz: float, gain_reduction_db: float
    ) -> int | None:
        """Send; return the number of underruns, None if unknown."""

    def reset(self) -> None:
        """Take the radio out of transmit mode, whoever left it there."""

    def close(self) -> None:
        """Switch off and release the radio."""


class _Ended(BaseException):
    """A signal told this process to end, or a burst took too long."""


def open_driver(kind: str, settings: RadioSettings) -> Driver:
    """Open a radio.

    Raises:
        DeviceNotFound: there is none, or its driver is missing.
    """
    if kind == "hackrf":
        from sdr.transmit.hackrf_library import HackrfDriver

        return HackrfDriver(settings)
    from sdr.transmit.soapy_driver import SoapyDriver

    return SoapyDriver(settings)


def main(arguments: list[str]) -> int:
    """Serve bursts until the input ends."""
    parent_pid, kind, settings_text = arguments
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets Ctrl-C, and closes our input
    die_with(int(parent_pid))
    # drivers write to standard output; the answers keep the real one
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        driver = open_driver(kind, RadioSettings(**json.loads(settings_text)))
    except RadioError as error:
        _answer(answers, _problem(error))
        return error.exit_code
    try:
        _answer(answers, {"ok": True})
        for header, content in _requests(sys.stdin.buffer):
            _answer(answers, _send(driver, header, content))
    except (_Ended, BrokenPipeError):
        return 128 + signal.SIGTERM
    finally:
        _ignore_signals()
        driver.close()
    return 0


def _requests(stream: BinaryIO) -> Iterator[tuple[dict[str, Any], bytes]]:
    while line := stream.readline():
        header = json.loads(line)
        content = stream.read(header["n_bytes"])
        if len(content) < header["n_bytes"]:
            return
        yield header, content


def _send(driver: Driver, header: dict[str, Any], content: bytes) -> dict[str, Any]:
    limit_s = float(header["limit_s"])
    faulthandler.dump_traceback_later(limit_s + _FORCE_S, exit=True, file=_nowhere)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    started = time.time()
    underruns: int | None = 0
    try:
        if content:
            where = header["sample_rate_hz"], header["center_hz"], header["gain_reduction_db"]
            underruns = driver.send(content, *where)
        else:
            driver.reset()
    except RadioError as error:
        return _problem(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        faulthandler.cancel_dump_traceback_later()
    return {"ok": True, "started": started, "ended": time.time(), "underruns": underruns}


def _problem(error: RadioError) -> dict[str, Any]:
    return {"ok": False, "lost": not isinstance(error, DeviceNotFound), "problem": str(error)}


def _answer(stream: BinaryIO, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


def _end(number: int, frame: FrameType | None) -> None:
    _ignore_signals()
    raise _Ended


def _ignore_signals() -> None:
    """Once is enough: what follows is switching off."""
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
