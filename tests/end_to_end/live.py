"""Run ``omsdr receive`` over fake radios, wait for what it says, look at what it heard."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support import ROOT, process_environment

STREET = ROOT / "recordings" / "street_868.9M_2400k.cu8"
PATIENCE_S = 240.0  # the first start compiles, perhaps on a busy machine
Heard = list[tuple[str, int]]


def environment(folder: Path, *fakes: dict[str, str]) -> dict[str, str]:
    """What a program needs to find fake radios and to keep its state in a test's own folder."""
    joined = process_environment({"XDG_STATE_HOME": str(folder / "state")})
    for fake in fakes:
        joined |= fake
    first = joined.pop("OMSDR_FIRST_PATH", None)
    if first is not None:
        joined["PYTHONPATH"] = os.pathsep.join([first, joined["PYTHONPATH"]])
    return joined


class Live:
    """A running ``omsdr receive``; use it as a context manager."""

    def __init__(self, arguments: Sequence[str | Path], env: dict[str, str]) -> None:
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sdr", "receive", *map(str, arguments)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._threads = [threading.Thread(target=self._read_out), threading.Thread(target=self._read_said)]
        for thread in self._threads:
            thread.start()

    def wait_said(self, pattern: str) -> str:
        """Wait until a sentence on standard error fits; return it."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for line in list(self.said):
                if re.search(pattern, line):
                    return line
            if self._process.poll() is not None and not self._threads[1].is_alive():
                break
            time.sleep(0.02)
        raise AssertionError(f"never said {pattern!r}: {self.said}")

    def next_line(self) -> dict[str, Any]:
        """Wait for the next line of JSON."""
        line: dict[str, Any] = json.loads(self._lines.get(timeout=PATIENCE_S))
        return line

    def lines(self) -> list[dict[str, Any]]:
        """Wait for the end; return the lines not yet taken."""
        self.wait()
        rest = []
        while not self._lines.empty():
            rest.append(json.loads(self._lines.get()))
        return rest

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end; return the exit code."""
        code = self._process.wait(PATIENCE_S)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        return code

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def _read_out(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def _read_said(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said.append(line.rstrip("\n"))


def heard(lines: list[dict[str, Any]]) -> Heard:
    """What was heard and when, in samples."""
    return sorted((line["frame_hex"], line["radio"]["first_sample"]) for line in lines)
