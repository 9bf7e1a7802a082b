"""Compile or load every kernel before the radio starts: its samples do not wait.

A short street with frames of every kind that is listened to, strong and weak, in the radio's own
sample format, goes through the receive chain once.
"""

from __future__ import annotations

import contextlib

import numpy as np

from dsp.gaussian_words import GaussianWords
from dsp.line_code import code_words
from dsp.modes import LineCode
from dsp.plan import Channel, Plan
from sdr import scene as scenes
from sdr.errors import RadioError
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import render

_EC_N0_DB = (20, 9, 7, 5)  # good, to be read coherently, to be mended, damaged for good
_FIRST_S = 0.15
_FAST_CHIP_RATE_HZ = 10e3


def warm_up(plan: Plan, sample_rate_hz: float, center_hz: float, sample_format: SampleFormat) -> None:
    """Receive what nobody sent."""
    if not plan.channels:
        return
    meters, duration_s = [], _FIRST_S
    for channel in plan.channels:
        apart_s = 0.06 if channel.chip_rate_hz > _FAST_CHIP_RATE_HZ else 0.3
        at_s = _FIRST_S
        for variant in channel.variants:
            # one after another: what collides is not read
            at = [round(at_s + apart_s * index, 3) for index in range(len(_EC_N0_DB))]
            at_s += apart_s * len(_EC_N0_DB)
            meters += [
                "[[meter]]",
                f'mode = "{variant.row.name}"',
                f'frame_format = "{variant.frame_format}"',
            ]
            meters += [f"at = {at}", f"snr_db = {list(_EC_N0_DB)}", "random_payload = 20"]
        duration_s = max(duration_s, at_s + apart_s)
    scene = [
        f"rate = {sample_rate_hz}",
        f"center = {center_hz}",
        f"duration = {duration_s}",
        "seed = 1",
        "noise_dbfs = -30",
        f'band = "{min(row.bands[0] for channel in plan.channels for row in channel.rows)}"',
    ]
    receiver = StreamReceiver(plan, sample_rate_hz, center_hz, sample_format)
    with contextlib.suppress(RadioError):  # a span that does not hold a row's usual carrier
        for chunk in render(scenes.parse("\n".join(scene + meters), "warming up")):
            receiver.push(from_complex(chunk, sample_format)[0])
        receiver.flush()
    for channel in plan.channels:
        _decide_gaussian_words(channel)


def _decide_gaussian_words(channel: Channel) -> None:
    """Have words decided as of Gaussian transmitters, which no scene sends."""
    for row in channel.rows:
        if row.line_code is not LineCode.NRZ:
            words = code_words(row.line_code).astype(np.int64)
            decided = np.arange(20 * words.shape[1]) % 2 == 1
            period = float(channel.samples_per_chip)
            starts = period * np.arange(decided.size, dtype=np.float64)
            samples = np.ones(channel.samples_per_chip * (decided.size + 1), dtype=np.complex64)
            detector = GaussianWords(row, channel.samples_per_chip, words, 0.9)
            given = samples, starts, period, decided
            detector.fit(*given, 0.1 / period)
            detector.decide(*given, 2 * words.shape[1], 0.1 / period)
