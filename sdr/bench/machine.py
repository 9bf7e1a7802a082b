"""What machine figures come from, and a yardstick measured in the same run.

Absolute speeds differ between machines; the ratio to a 24-tap decimate-by-4 FIR in plain
numba is what readers on other machines compare.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from dsp._kernel import kernel

_FIR_TAPS = 24
_FIR_DECIMATION = 4
_FIR_SAMPLES = 1 << 20
_FIR_RUNS = 15


def describe() -> dict[str, object]:
    """Name the machine and the libraries."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "system": f"{platform.system()} {platform.machine()}",
    }


def reference_msps() -> float:
    """Measure the yardstick: input samples of the FIR in millions a second, median of runs."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(2 * _FIR_SAMPLES, dtype=np.float32).view(np.complex64)
    taps = rng.standard_normal(_FIR_TAPS, dtype=np.float32)
    out = np.empty((_FIR_SAMPLES - _FIR_TAPS) // _FIR_DECIMATION, dtype=np.complex64)
    seconds = []
    for _ in range(_FIR_RUNS + 1):
        started = time.process_time()
        _fir(x, taps, out)
        seconds.append(time.process_time() - started)
    return _FIR_SAMPLES / float(np.median(seconds[1:])) / 1e6


def children_cpu_s() -> float:
    """CPU time of the programs that were run and have ended, in seconds."""
    if sys.platform == "win32":  # which has no resource module
        return float("nan")
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


@kernel
def _fir(x, taps, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for m in range(out.size):
        re = np.float32(0.0)
        im = np.float32(0.0)
        for k in range(24):
            re += x[4 * m + k].real * taps[k]
            im += x[4 * m + k].imag * taps[k]
        out[m] = complex(re, im)
