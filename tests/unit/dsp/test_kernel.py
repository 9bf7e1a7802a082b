"""Compiled kernels: the same frame without compilation, and what happens where no cache can be written.

Each case is a Python of its own. A file in the place of a cache folder cannot be written to by
anybody, root included.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import GAS_RAW_B, process_environment

import dsp
from dsp._kernel import kernel

LOOP_BACK = """
import sys
import numpy as np
import numba
from dsp import channel, encoder, modulator
from dsp.history import RawScale
from dsp.modes import BY_NAME
from dsp.plan import make_plan
from dsp.receiver import Receiver
from sdr.receiver import LinkRules

row, rate_hz, center_hz = BY_NAME["C2 O2M"], 200e3, 869.525e6
rng = np.random.default_rng(1)
burst = modulator.modulate(encoder.encode_levels(bytes.fromhex(sys.argv[1]), row, "B"), row, rate_hz)
samples = channel.noise(burst.size + 400, 1e-3, rng)
gain = np.float32(channel.amplitude(20.0, row.chip_rate_hz, 1e-3, rate_hz))
samples[200 : 200 + burst.size] += gain * burst
receiver = Receiver(make_plan(rate_hz, center_hz), rate_hz, center_hz, RawScale(0.0, 1.0), LinkRules())
for found in receiver.push(samples.view(np.float32)) + receiver.flush():
    level = round(found.quality.rssi_dbfs, 2)
    print(numba.config.DISABLE_JIT, found.fault, found.raw.hex(), found.first_sample, level)
"""

KERNELS = """
from dsp._kernel import kernel

@kernel
def twice(x):
    return 2 * x

@kernel
def thrice(x):
    return 3 * x
"""

USE = "import kernels; print(kernels.twice(7), kernels.thrice(7))"


def _python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=process_environment(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_plain_python_gives_the_same_frame() -> None:
    plain = _python(LOOP_BACK, GAS_RAW_B.hex(), NUMBA_DISABLE_JIT="1")
    compiled = _python(LOOP_BACK, GAS_RAW_B.hex(), NUMBA_DISABLE_JIT="0")
    assert plain.returncode == 0, plain.stderr
    found = plain.stdout.split()
    assert found[:3] == ["1", "None", GAS_RAW_B.hex()]
    assert compiled.stdout.split() == ["0", *found[1:]]


def test_a_kernel_is_the_function() -> None:
    @kernel
    def add(a: int, b: int) -> int:
        return a + b

    assert add(2, 3) == 5


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A copy of what kernels need, with a module of two kernels beside it."""
    (tmp_path / "dsp").mkdir()
    for name in ("__init__.py", "_kernel.py"):
        shutil.copy(Path(dsp.__file__).parent / name, tmp_path / "dsp" / name)
    (tmp_path / "kernels.py").write_text(KERNELS, encoding="utf-8")
    return tmp_path


def _use(installation: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {"PYTHONPATH": str(installation), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": ""}
    return _python(USE, **{**plain, **environment})


def test_the_cache_lies_beside_the_code(installation: Path) -> None:
    used = _use(installation)
    assert (used.stdout, used.stderr) == ("14 21\n", "")
    assert list((installation / "__pycache__").glob("kernels.twice*.nbi"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of the user's cache folder")
def test_the_users_cache_folder_where_the_installation_is_read_only(
    installation: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (installation / "__pycache__").write_text("in the way")
    cache = tmp_path_factory.mktemp("cache")
    used = _use(installation, XDG_CACHE_HOME=str(cache))
    assert (used.stdout, used.stderr) == ("14 21\n", "")
    assert list(cache.rglob("kernels.twice*.nbi"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of the user's cache folder")
def test_one_warning_where_no_cache_can_be_written(installation: Path) -> None:
    (installation / "__pycache__").write_text("in the way")
    used = _use(installation, XDG_CACHE_HOME="/dev/null/cache", HOME="/dev/null")
    assert used.returncode == 0
    assert used.stdout == "14 21\n"
    assert used.stderr.count("no cache folder is writable") == 1
    assert "NUMBA_CACHE_DIR" in used.stderr  # what to do about it
