"""How long ``omsdr replay`` takes from its start to the first telegram, with and without compiled kernels."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sdr import scene as scenes
from sdr.bench.machine import children_cpu_s
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import render

_RATE_HZ, _CENTER_HZ = 2.4e6, 868.9e6
_SCENE = f"""
rate = {_RATE_HZ}
center = {_CENTER_HZ}
duration = 1.5
seed = 1
noise_dbfs = -30
[[meter]]
mode = "T"
snr_db = 20
at = [0.02, 0.7]
random_payload = 30
[[meter]]
mode = "C"
snr_db = 20
at = [0.2, 0.9]
random_payload = 30
[[meter]]
mode = "S"
snr_db = 20
at = [0.4, 1.1]
random_payload = 30
"""
_WARM_STARTS = 3


@dataclass(frozen=True, slots=True)
class FirstStart:
    """Seconds from the start of the program.

    Attributes:
        kernels: whether they had to be compiled or were loaded from the cache.
        first_telegram_s: until the first telegram was printed.
        all_s: until the program had ended.
        cpu_s: CPU time of all that.
    """

    kernels: str
    first_telegram_s: float
    all_s: float
    cpu_s: float


def run() -> Iterator[FirstStart]:
    """Start the program with an empty cache of kernels, then (median of some) with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "start_868.9M_2400k.cu8"
        parts = [
            from_complex(piece, SampleFormat.CU8)[0] for piece in render(scenes.parse(_SCENE, "first start"))
        ]
        recording.write_bytes(np.concatenate(parts).tobytes())
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "kernels")}
        yield FirstStart("compiled", *_start(recording, environment))
        warm = np.median([_start(recording, environment) for _ in range(_WARM_STARTS)], axis=0)
        yield FirstStart("cached", *(float(value) for value in warm))


def to_dict(result: FirstStart) -> dict[str, object]:
    """Arrange a result for JSON."""
    return {k: round(v, 2) if isinstance(v, float) else v for k, v in asdict(result).items()}


HEADER = f"{'start, kernels':<16} {'first telegram s':>17} {'end s':>7} {'CPU s':>7}"


def to_row(result: FirstStart) -> str:
    """Write a result as a row under ``HEADER``."""
    return f"{result.kernels:<16} {result.first_telegram_s:>17.2f} {result.all_s:>7.2f} {result.cpu_s:>7.2f}"


def _start(recording: Path, environment: dict[str, str]) -> tuple[float, float, float]:
    cpu = children_cpu_s()
    started = time.perf_counter()
    command = [sys.executable, "-m", "sdr", "replay", str(recording), "--output", "hex"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - started
        process.stdout.read()
    return first, time.perf_counter() - started, children_cpu_s() - cpu
