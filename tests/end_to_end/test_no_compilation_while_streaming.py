"""No kernel is compiled, nor loaded, while samples wait: warming up has met every signature."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

STREET = """
import json, sys
from numba.core.dispatcher import Dispatcher
from dsp.plan import make_plan
from sdr import scene
from sdr.live.warm_up import warm_up
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import render


def signatures():
    kernels = {
        id(kernel): kernel
        for name, module in list(sys.modules.items()) if name.startswith("dsp.")
        for kernel in vars(module).values() if isinstance(kernel, Dispatcher)
    }
    return {f"{k.py_func.__module__}.{k.__name__}{s}" for k in kernels.values() for s in k.signatures}


rate, center, rows, sample_format = json.loads(sys.argv[1])
sample_format = SampleFormat[sample_format.upper()]
plan = make_plan(rate, center, None, "A")
warm_up(plan, rate, center, sample_format)
before = signatures()
street = scene.parse(
    f"rate = {rate}\\ncenter = {center}\\nduration = 5\\nseed = 5\\nnoise_dbfs = -30\\n"
    f"[street]\\nrate_per_s = 50\\nmodes = {json.dumps(rows)}\\nsnr_db = [5, 35]\\npayload = [12, 90]\\n",
    "street",
)
receiver = StreamReceiver(plan, rate, center, sample_format)
heard = 0
for chunk in render(street):
    heard += len(receiver.push(from_complex(chunk, sample_format)[0]))
heard += len(receiver.flush())
print(json.dumps({"heard": heard, "warm": len(before), "late": sorted(signatures() - before)}))
"""


@pytest.mark.parametrize(
    ("rate_hz", "center_hz", "rows", "sample_format"),
    [
        (1.6e6, 868.95e6, ["T M2O", "C M2O"], "cu8"),
        (2.4e6, 868.9e6, ["S2 M2O", "T M2O", "C M2O", "C2 O2M"], "cu8"),
        (2.4e6, 868.3e6, ["S2 M2O", "T M2O"], "cs16"),
    ],
)
def test_a_dense_street_needs_no_kernel_that_was_not_warm(
    rate_hz: float, center_hz: float, rows: list[str], sample_format: str
) -> None:
    given = json.dumps([rate_hz, center_hz, rows, sample_format])
    # a process of its own: this one has met all kinds of signals
    done = subprocess.run(
        [sys.executable, "-c", STREET, given], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["heard"] > 100
    assert told["warm"] > 20
    assert told["late"] == []
