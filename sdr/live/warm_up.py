"""Compile or load every kernel before the radio starts: its samples do not wait.

A short street with frames of all wanted rows, strong and weak, in the radio's own sample format goes
through the receive chain once.
"""

from __future__ import annotations

import contextlib

from dsp.plan import Plan
from sdr import scene as scenes
from sdr.errors import RadioError
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import render

_EC_N0_DB = (20, 9, 7)  # good, to be read coherently, to be mended
_APART_S = 0.25


def warm_up(plan: Plan, sample_rate_hz: float, center_hz: float, sample_format: SampleFormat) -> None:
    """Receive what nobody sent."""
    rows = {row.name for channel in plan.channels for row in channel.rows}
    if not rows:
        return
    at = [round(0.3 + _APART_S * index, 3) for index in range(len(_EC_N0_DB))]
    bands = {row.bands[0] for channel in plan.channels for row in channel.rows}
    lines = [
        f"rate = {sample_rate_hz}",
        f"center = {center_hz}",
        f"duration = {at[-1] + 2 * _APART_S}",
        "seed = 1",
        "noise_dbfs = -30",
        f'band = "{min(bands)}"',
    ]
    for name in sorted(rows):
        lines += ["[[meter]]", f'mode = "{name}"', f"at = {at}", f"snr_db = {list(_EC_N0_DB)}"]
        lines += ["random_payload = 20"]
    receiver = StreamReceiver(plan, sample_rate_hz, center_hz, sample_format)
    with contextlib.suppress(RadioError):  # a span that does not hold a row's usual carrier
        for chunk in render(scenes.parse("\n".join(lines), "warming up")):
            receiver.push(from_complex(chunk, sample_format)[0])
        receiver.flush()
