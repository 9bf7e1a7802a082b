"""A dense street: frames that collide, at any level. Most come out, and nothing that was not sent.

3 s at 2.4 MS/s, 8 bits, 50 frames a second of T, C and S, Ec/N0 uniform 12 … 35 dB, 20 … 60 bytes;
137 frames, of which two thirds must come out (a wide FSK receiver of today reaches about half).
"""

from __future__ import annotations

from collections import Counter

from support import Air, frames_of, open_receiver

from dsp.burst import Burst
from dsp.history import RawScale
from protocol import link
from sdr.sample_format import SampleFormat, from_complex
from sdr.scene import parse
from sdr.simulator import render, truth

STREET = """
rate = "2.4M"
center = "868.9M"
duration = 3.0
seed = 3
noise_dbfs = -30
[street]
rate_per_s = 50
modes = ["T", "C", "S"]
snr_db = [12, 35]
payload = [20, 60]
"""


def test_a_dense_street() -> None:
    scene, air = parse(STREET), Air(2.4e6, 868.9e6)
    receiver = open_receiver(air, air.plan(), RawScale(SampleFormat.CU8.zero_offset, SampleFormat.CU8.scale))
    bursts: list[Burst] = []
    for samples in render(scene):
        bursts += receiver.push(from_complex(samples, SampleFormat.CU8)[0])
    bursts += receiver.flush()
    sent = Counter(link.add_crcs(one.frame, one.frame_format) for one in truth(scene))
    received = Counter(frames_of(bursts))
    assert not received - sent
    assert received.total() > 2 / 3 * sent.total()
