"""How long ``omsdr replay`` takes from its start to the first telegram, with and without compiled kernels."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sdr import scene as scenes
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


def run() -> dict[str, float]:
    """Start the program with an empty cache of kernels, and then with a full one.

    Returns:
        Seconds to the first telegram and to the end, of the first and (the median) of later starts.
    """
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "start_868.9M_2400k.cu8"
        parts = [
            from_complex(piece, SampleFormat.CU8)[0] for piece in render(scenes.parse(_SCENE, "first start"))
        ]
        recording.write_bytes(np.concatenate(parts).tobytes())
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "kernels")}
        cold = _start(recording, environment)
        warm = np.median([_start(recording, environment) for _ in range(_WARM_STARTS)], axis=0)
    return {
        "cold_first_telegram_s": round(cold[0], 2),
        "cold_all_s": round(cold[1], 2),
        "warm_first_telegram_s": round(float(warm[0]), 2),
        "warm_all_s": round(float(warm[1]), 2),
    }


def _start(recording: Path, environment: dict[str, str]) -> tuple[float, float]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "sdr", "replay", str(recording), "--output", "hex"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - started
        process.stdout.read()
    return first, time.perf_counter() - started
