"""Whether this machine keeps up: a dense street, rendered and received as fast as it goes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from dsp.arrays import RawArray
from dsp.plan import make_plan
from sdr import scene as scenes
from sdr.doctor.finding import Finding, Level
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import render

_RATE_HZ = 2.4e6
_CENTER_HZ = 868.9e6
_SECONDS = 4.0
_START_UP_S = 1.0  # in which the gates learn the noise floor
_CHUNK_SAMPLES = 1 << 16
_FORMAT = SampleFormat.CU8
_TRAFFIC = {"quiet": 0.0, "5 telegrams a second": 5.0, "50 telegrams a second": 50.0}
_COMFORTABLE = 2.0


def check() -> Iterator[Finding]:
    """Receive all modes at 2.4 MS/s in memory, on one core."""
    for name, rate_per_s in _TRAFFIC.items():
        times = _times_real_time(rate_per_s)
        text = f"S, T and C at 2.4 MS/s, {name}: {times:.1f} × real time, {100.0 / times:.0f} % of one core"
        if times >= _COMFORTABLE:
            yield Finding(Level.OK, "speed", text)
        else:
            level = Level.WARNING if times >= 1.0 else Level.FAULT
            yield Finding(
                level,
                "speed",
                text,
                (
                    "omsdr receive --modes T,C       # one carrier only, 1.6 MS/s or less",
                    "omsdr receive --no-repair       # gives up weak telegrams sooner",
                ),
            )


def _times_real_time(rate_per_s: float) -> float:
    raw = np.concatenate([from_complex(chunk, _FORMAT)[0] for chunk in render(_scene(rate_per_s))])
    _receive(raw)  # compiles what this traffic needs
    return (_SECONDS - _START_UP_S) / max(_receive(raw), 1e-6)


def _receive(raw: RawArray) -> float:
    """Return the processor time that all but the start took, seconds."""
    receiver = StreamReceiver(make_plan(_RATE_HZ, _CENTER_HZ, None, "A"), _RATE_HZ, _CENTER_HZ, _FORMAT)
    started = 0.0
    for start in range(0, raw.size, 2 * _CHUNK_SAMPLES):
        if not started and start >= 2 * _START_UP_S * _RATE_HZ:
            started = time.process_time()
        receiver.push(raw[start : start + 2 * _CHUNK_SAMPLES])
    receiver.flush()
    return time.process_time() - started


def _scene(rate_per_s: float) -> scenes.Scene:
    lines = [
        f"rate = {_RATE_HZ}",
        f"center = {_CENTER_HZ}",
        f"duration = {_SECONDS}",
        "seed = 1",
        "noise_dbfs = -30",
    ]
    if rate_per_s:
        lines += ["[street]", f"rate_per_s = {rate_per_s}", 'modes = ["S2 M2O", "T M2O", "C M2O"]']
        lines += ["snr_db = [12, 35]", "payload = [20, 60]"]
    return scenes.parse("\n".join(lines), "doctor")
