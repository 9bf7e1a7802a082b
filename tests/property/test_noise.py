"""Noise is no telegram: nothing with good CRCs comes out of it.

10⁷ samples through the whole chain (4 s at 2.4 MS/s, every 868 MHz channel), and 10⁶ with the
gate held open, so that every place is searched. The long run lives in the benchmarks.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import NOISE_POWER, Air, frames_of, narrow_air, open_receiver

from dsp import channel
from dsp.burst import Burst
from dsp.demodulator import Demodulator
from dsp.gate import Region
from dsp.history import History, RawScale
from dsp.modes import BY_NAME
from sdr.receiver import LinkRules
from sdr.sample_format import SampleFormat, from_complex

AIR_868 = Air(2.4e6, 868.9e6)


@pytest.mark.parametrize("sample_format", [SampleFormat.CF32, SampleFormat.CU8], ids=["cf32", "cu8"])
def test_no_frame_in_ten_million_samples_of_noise(sample_format: SampleFormat) -> None:
    rng = np.random.default_rng(31)
    receiver = open_receiver(
        AIR_868, AIR_868.plan(), RawScale(sample_format.zero_offset, sample_format.scale)
    )
    bursts: list[Burst] = []
    for _ in range(10):
        raw, _ = from_complex(channel.noise(1_000_000, NOISE_POWER, rng), sample_format)
        bursts += receiver.push(raw)
    bursts += receiver.flush()
    assert frames_of(bursts) == []
    # What is reported as rejected costs attention: at most one in a second.
    assert len(bursts) <= 4, [burst.fault for burst in bursts]


def _with_the_gate_held_open(name: str, seed: int) -> list[Burst]:
    """What a row's channel makes of 10⁶ samples of noise."""
    rng = np.random.default_rng(seed)
    row = BY_NAME[name]
    air = narrow_air(row)
    (demodulator,) = (
        Demodulator(listened, air.sample_rate_hz, air.center_hz, LinkRules())
        for listened in air.plan(row.mode).channels
        if row in listened.rows and listened.center_hz == air.center_hz
    )
    n_samples = 1_000_000
    history = History(n_samples, RawScale(0.0, 1.0))
    history.append(channel.noise(n_samples, NOISE_POWER, rng).view(np.float32))
    everything = Region(
        start=0,
        own_start=0,
        own_stop=n_samples,
        stop=n_samples,
        active_samples=n_samples,
        noise_density=NOISE_POWER / air.sample_rate_hz,
        excess=1.0,
        settled=True,
    )
    return demodulator.demodulate(history, everything)


@pytest.mark.parametrize("name", ["S2 M2O", "T M2O", "C2 O2M", "R2", "Na", "Nc", "N2g", "F2"])
def test_no_frame_in_noise_with_the_gate_held_open(name: str) -> None:
    bursts = _with_the_gate_held_open(name, 32)
    assert frames_of(bursts) == []
    assert len(bursts) <= 5, [(burst.frame_format, burst.fault) for burst in bursts]


@pytest.mark.parametrize("name", ["C2 O2M", "F2"])
def test_noise_is_not_told_as_damaged_frames(name: str) -> None:
    assert [burst.fault for seed in (0, 1) for burst in _with_the_gate_held_open(name, seed)] == []
