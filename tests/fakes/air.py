"""From one radio's samples to another's: other rate, other centre, a clock of its own."""

from __future__ import annotations

import numpy as np
import scipy.interpolate
import scipy.signal

from dsp import channel
from dsp.arrays import ComplexArray


def hear(
    sent: ComplexArray,
    sent_rate_hz: float,
    sent_center_hz: float,
    *,
    rate_hz: float,
    center_hz: float,
    clock_ppm: float,
    level_dbfs: float,
    noise_dbfs: float,
    seed: int = 0,
) -> ComplexArray:
    """Make what a receiver delivers of what a transmitter sends.

    Args:
        sent: samples of the transmitter, full scale 1.
        sent_rate_hz: their rate by the transmitter's clock, which is taken as right.
        sent_center_hz: the transmitter's centre.
        rate_hz: rate that the receiver is told.
        center_hz: centre that it is told.
        clock_ppm: how much the receiver's clock is fast: both its rate and its centre are higher.
        level_dbfs: level of a full-scale transmission in the receiver.
        noise_dbfs: power of the receiver's noise.
        seed: of the noise.
    """
    clock = 1.0 + 1e-6 * clock_ppm
    offset_hz = sent_center_hz - center_hz * clock
    n = np.arange(sent.size)
    shifted = sent * np.exp(2j * np.pi * offset_hz / sent_rate_hz * n)
    taps = scipy.signal.firwin(129, 0.45 * rate_hz, fs=sent_rate_hz)
    filtered = scipy.signal.oaconvolve(shifted, taps, mode="same")
    times = np.arange(int(sent.size / sent_rate_hz * rate_hz * clock)) * (sent_rate_hz / (rate_hz * clock))
    heard = scipy.interpolate.CubicSpline(n, filtered)(times).astype(np.complex64)
    noise = channel.noise(heard.size, 10 ** (noise_dbfs / 10), np.random.default_rng(seed))
    return np.float32(10 ** (level_dbfs / 20)) * heard + noise
