"""``omsdr replay`` as a process of its own: pipes, signals, memory, and ``python -m sdr``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from support import ROOT, process_environment, run_omsdr

STREET = ROOT / "recordings" / "street_868.9M_2400k.cu8"
MANIFEST = tomllib.loads((ROOT / "recordings" / "manifest.toml").read_text(encoding="utf-8"))["recording"]
(EXPECTED,) = (entry["expected"] for entry in MANIFEST if entry["file"] == STREET.name)
FRAMES = sorted(sent["frame_hex"] for sent in EXPECTED)


def test_python_m_sdr_is_the_same_program() -> None:
    ran = run_omsdr("replay", STREET, "--output", "hex")
    assert ran.returncode == 0
    assert sorted(ran.stdout.decode().split()) == FRAMES
    assert b"19 frames" in ran.stderr
    assert b"\r" not in ran.stderr  # no progress bar: standard error is no terminal


def test_standard_input() -> None:
    arguments = ("replay", "-", "--rate", "2.4M", "--center", "868.9M", "--format", "cu8", "--output", "hex")
    ran = run_omsdr(*arguments, stdin=STREET.read_bytes())
    assert ran.returncode == 0
    assert sorted(ran.stdout.decode().split()) == FRAMES
    lost = run_omsdr("replay", "-", stdin=b"\x80" * 100)
    assert lost.returncode == 6 and b"rate" in lost.stderr


def test_the_first_line_comes_before_the_pipe_ends() -> None:
    with _open_pipe("--modes", "T") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(STREET.read_bytes())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["mode"] == "T"
        process.stdin.close()
        assert len(process.stdout.readlines()) == 5
        assert process.wait(timeout=60) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and pipes")
def test_a_closed_pipe_ends_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sdr", "replay", STREET],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=process_environment(),
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert b"Traceback" not in errors and b"BrokenPipe" not in errors


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory of another process")
def test_memory_does_not_grow_with_the_length_of_the_input() -> None:
    # 5 s of the street over and over, 24 MB; an hour must fit into 300 MB.
    street = STREET.read_bytes()
    peaks_mb = []
    with _open_pipe("--output", f"hex:{os.devnull}") as process:
        assert process.stdin is not None and process.stderr is not None
        for _ in range(15):
            process.stdin.write(street)  # returns when all but a pipe's worth is taken
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            peaks_mb.append(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024)
        process.stdin.close()
        assert f"{15 * 19} frames".encode() in process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert peaks_mb[-1] < 300
    assert peaks_mb[-1] < peaks_mb[4] + 10


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and pipes")
def test_interrupted() -> None:
    with _open_pipe("--modes", "T") as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(STREET.read_bytes())
        process.stdin.flush()
        process.stdout.readline()  # it is at work
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
        errors = process.stderr.read()
        assert b"Traceback" not in errors
        assert b"frames (T" in errors  # the summary of what there was


def _open_pipe(*options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable, "-m", "sdr", "replay", "-", "--rate", "2.4M", "--center", "868.9M",
            "--format", "cu8", *options,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=process_environment(),
    )  # fmt: skip
