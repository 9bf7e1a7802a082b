"""A radio whose driver runs in a process of its own (worker.py); the parent's half."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sdr.errors import DeviceLost, DeviceNotFound
from sdr.sample_format import SampleFormat
from sdr.transmit.burst import IqBurst, SendReport
from sdr.transmit.guard import child_environment, run_module
from sdr.transmit.hackrf_burst import padded_bytes
from sdr.transmit.settings import START_S, RadioSettings

_OPEN_S = 20.0
_STOP_S = 3.0
# what the worker's own limits have on top of the burst's length, so that they act first
_LONGER_S = 4.0


class WorkerSink:
    """A HackRF through its library, or a SoapySDR transmitter.

    Args:
        kind: ``hackrf`` or ``soapy``.
        settings: gain, filter, which radio.

    Raises:
        DeviceNotFound: there is no such radio, or its driver is missing.
    """

    radiates = True

    def __init__(self, kind: str, settings: RadioSettings) -> None:
        self.name = kind + (f":{settings.address}" if settings.address else "")
        self.sample_format = SampleFormat.CS8 if kind == "hackrf" else SampleFormat.CF32
        self.half_duplex = kind == "hackrf"
        self.most_reduction_db = int(settings.gain_db) if kind == "hackrf" else 0
        self._kind = kind
        self._settings = settings
        self._is_sending = False
        self._process = self._start()

    def send(self, burst: IqBurst) -> SendReport:
        """Send one burst.

        Raises:
            DeviceLost: the radio went away, or did not take all of the burst.
        """
        content = padded_bytes(burst) if self._kind == "hackrf" else burst.raw.tobytes()
        air_s = len(content) / burst.sample_format.bytes_per_sample / burst.sample_rate_hz
        limit_s = START_S + air_s + 1.0
        self._is_sending = True
        try:
            where = burst.sample_rate_hz, burst.center_hz, burst.gain_reduction_db
            answer = self._ask(content, *where, limit_s)
        except BaseException:
            self.close()
            raise
        self._is_sending = False
        if answer is None:
            self._switch_off()
            raise DeviceLost(f"{self.name}: the driver hangs or crashed; switched off")
        if not answer["ok"]:
            raise _error(answer, self.name)
        return SendReport(
            datetime.fromtimestamp(answer["started"], UTC),
            datetime.fromtimestamp(answer["ended"], UTC),
            answer["underruns"],
        )

    def _ask(
        self,
        content: bytes,
        sample_rate_hz: float,
        center_hz: float,
        gain_reduction_db: int,
        limit_s: float,
    ) -> dict[str, Any] | None:
        """Hand the worker something to send; None when it does not answer."""
        header = {
            "sample_rate_hz": sample_rate_hz,
            "center_hz": center_hz,
            "gain_reduction_db": gain_reduction_db,
            "n_bytes": len(content),
            "limit_s": limit_s,
        }
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(header).encode() + b"\n" + content)
            stdin.flush()
        except BrokenPipeError:
            return None
        return self._answer(limit_s + _LONGER_S)

    def close(self) -> None:
        """Let the worker switch off and end; a second call does nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._is_sending:
            self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._switch_off()
        self._end_by_force()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [*run_module("sdr.transmit.worker"), str(os.getpid()), self._kind]
        self._process = subprocess.Popen(
            [*command, json.dumps(asdict(self._settings))],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        answer = self._answer(_OPEN_S)
        if answer is None or not answer["ok"]:
            self._end_by_force()
            raise _error(answer, self.name)
        return self._process

    def _answer(self, limit_s: float) -> dict[str, Any] | None:
        """Next answer of the worker; None when it does not come."""
        stdout = self._process.stdout
        assert stdout is not None
        deadline_s = time.monotonic() + limit_s
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([stdout], [], [], max(0.0, deadline_s - time.monotonic()))
            piece = os.read(stdout.fileno(), 1 << 16) if ready else b""
            if not piece:
                return None
            line += piece
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _switch_off(self) -> None:
        """End the worker by force, and let a new one take the radio and switch it off."""
        self._end_by_force()
        try:
            self._process = self._start()
        except (DeviceNotFound, DeviceLost) as error:
            raise DeviceLost(f"{self.name} does not answer: unplug it ({error})") from error
        answer = self._ask(b"", 0.0, 0.0, 0, START_S)
        self._end_by_force()
        if answer is None or not answer["ok"]:
            raise DeviceLost(f"{self.name} cannot be switched off: unplug it")

    def _end_by_force(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _error(answer: dict[str, Any] | None, name: str) -> DeviceNotFound | DeviceLost:
    if answer is None:
        return DeviceNotFound(f"{name}: the driver does not answer")
    kind = DeviceLost if answer["lost"] else DeviceNotFound
    return kind(answer["problem"])
