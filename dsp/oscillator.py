"""Phase noise and drift of the oscillators between a meter's crystal and a dongle's mixer.

    part             spectrum L(f)             what it is
    plateau          flat to the loop's edge   a synthesiser inside its loop bandwidth
    white FM         ∝ 1 / f²                  its oscillator, and the dongle's, farther in
    random-walk FM   ∝ 1 / f⁴                  a crystal that warms up, a loop that settles
    drift            –                         the straight part of that, over one burst

L(f) is single-sideband phase noise over the carrier, dBc/Hz. Levels of both ends add, so one
oscillator stands for both. White FM is a random walk of the phase with the rate
κ = 4π²·f²·L(f) rad²/s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp.arrays import DoubleArray

_WHITE_FM_AT_HZ = 10e3


@dataclass(frozen=True, slots=True)
class Oscillator:
    """How unsteady a carrier is.

    Attributes:
        plateau_dbc_hz: level inside the loop.
        loop_hz: where the plateau ends, 3 dB down.
        white_fm_dbc_hz: level of the 1/f² part at 10 kHz.
        walk_hz_per_sqrt_s: standard deviation of the frequency after one second of random walk.
        drift_hz_per_s: largest slope of the carrier; a burst's own is uniform within ±.
    """

    plateau_dbc_hz: float
    loop_hz: float
    white_fm_dbc_hz: float
    walk_hz_per_sqrt_s: float
    drift_hz_per_s: float

    def phase(self, n_samples: int, sample_rate_hz: float, rng: np.random.Generator) -> DoubleArray:
        """Draw one burst's phase error, radians float64 [n_samples], 0 on average over its draws."""
        dt = 1.0 / sample_rate_hz
        kappa = 4.0 * math.pi**2 * _WHITE_FM_AT_HZ**2 * 10.0 ** (self.white_fm_dbc_hz / 10.0)
        steps = math.sqrt(kappa * dt) * rng.standard_normal(n_samples)
        walk_hz = self.walk_hz_per_sqrt_s * math.sqrt(dt) * np.cumsum(rng.standard_normal(n_samples))
        drift_hz = rng.uniform(-1.0, 1.0) * self.drift_hz_per_s * dt * np.arange(n_samples)
        steps += 2.0 * math.pi * dt * (walk_hz + drift_hz)
        return np.asarray(np.cumsum(steps) + self._plateau(n_samples, dt, rng))

    def _plateau(self, n_samples: int, dt: float, rng: np.random.Generator) -> DoubleArray:
        """Draw noise of the plateau's density through a one-pole low-pass at the loop's edge."""
        density = 10.0 ** (self.plateau_dbc_hz / 10.0)
        pole = math.exp(-2.0 * math.pi * self.loop_hz * dt)
        n_tail = max(1, math.ceil(-16.0 / math.log(pole))) if pole > 0.0 else 1
        response = (1.0 - pole) * pole ** np.arange(n_tail)
        white = math.sqrt(density / dt) * rng.standard_normal(n_samples + n_tail - 1)
        return np.asarray(np.convolve(white, response, mode="valid"))


TYPICAL = Oscillator(-90.0, 150e3, -88.0, 300.0, 10e3)
"""A meter with a single-chip transceiver (about −90 dBc/Hz within 100 kHz at 868 MHz by its data sheet)
into an RTL-SDR with a silicon tuner (about −98 dBc/Hz at 10 kHz by its): 10 dB of margin on both."""

POOR = Oscillator(-80.0, 150e3, -78.0, 1000.0, 50e3)
"""Ten times the noise power of ``TYPICAL``, and half a kilohertz of drift within 10 ms."""
