"""Modulation levels to I/Q samples: 2-FSK, 2-GFSK and 4-GFSK, phase continuous, at any sample rate.

The phase is piecewise linear in time between knots: at the chip edges for FSK (exact),
at 64 points a chip for GFSK, whose frequency pulse is a chip-long rectangle through a
Gaussian filter. Chip edges follow the chip-rate error and its drift, so every
imperfection of a transmitter's clock is a property of the knots alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp.arrays import ComplexArray, DoubleArray, FloatArray
from dsp.modes import PhyMode

_KNOTS_PER_CHIP = 64
_PULSE_SPAN_CHIPS = 3


@dataclass(frozen=True, slots=True)
class Impairments:
    """How a transmitter differs from its nominal row.

    Attributes:
        carrier_offset_hz: carrier error at the first chip.
        carrier_drift_hz_per_s: slope of the carrier.
        deviation_hz: peak deviation; the row's typical value when None.
        chip_rate_error: relative error of the chip rate at the first chip.
        chip_rate_drift: further relative change of the chip rate from the first to the last chip.
        ramp_s: length of the raised-cosine power ramp at each end.
    """

    carrier_offset_hz: float = 0.0
    carrier_drift_hz_per_s: float = 0.0
    deviation_hz: float | None = None
    chip_rate_error: float = 0.0
    chip_rate_drift: float = 0.0
    ramp_s: float = 0.0


IDEAL = Impairments()


def chip_edges_s(n_chips: int, row: PhyMode, impairments: Impairments = IDEAL) -> DoubleArray:
    """Place the chip edges: float64 [n_chips + 1] in seconds from the first chip's start."""
    k = np.arange(n_chips + 1, dtype=np.float64)
    first_rate_hz = row.chip_rate_hz * (1.0 + impairments.chip_rate_error)
    if impairments.chip_rate_drift == 0.0 or n_chips == 0:
        return k / first_rate_hz
    # Chip k lasts 1 / (first_rate · (1 + bend · k)); the edges are the integral of that.
    bend = impairments.chip_rate_drift / n_chips
    return np.asarray(np.log1p(bend * k) / (bend * first_rate_hz), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Waveform:
    """One burst as a function of time, to be evaluated wherever samples are wanted.

    Attributes:
        knots_s: times float64 [n] between which the modulation's frequency is constant.
        turns: what the modulation has added to the phase up to each knot, float64 [n] in turns.
        frequency_hz: the actual carrier at the burst's start, relative to the middle of the recording.
        drift_hz_per_s: slope of the carrier.
        phase_rad: carrier phase at the burst's start.
        ramp_s: length of the raised-cosine power ramp at each end, inside the burst.
        keying_s: length of a raised-cosine power ramp before the first chip and behind the last, in
            which the bare carrier is on air: every chip is sent at full level.
    """

    knots_s: DoubleArray
    turns: DoubleArray
    frequency_hz: float
    drift_hz_per_s: float
    phase_rad: float
    ramp_s: float
    keying_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Time from the first preamble chip to the end of the last chip."""
        return float(self.knots_s[-1])

    def samples(self, times_s: DoubleArray) -> ComplexArray:
        """Evaluate the burst: complex64 [n] of amplitude 1, and 0 before and after burst and ramps.

        Args:
            times_s: seconds since the burst's start, float64 [n].
        """
        t = times_s
        turns = np.interp(t, self.knots_s, self.turns)
        turns += (self.frequency_hz + 0.5 * self.drift_hz_per_s * t) * t
        angle = 2.0 * math.pi * (turns - np.floor(turns)) + self.phase_rad
        samples = np.empty(t.size, dtype=np.complex64)
        samples.real = np.cos(angle)
        samples.imag = np.sin(angle)
        if self.ramp_s > 0.0:
            samples *= _ramp(t, self.duration_s, self.ramp_s)
        if self.keying_s > 0.0:
            samples *= _ramp(t + self.keying_s, self.duration_s + 2.0 * self.keying_s, self.keying_s)
        else:
            samples[(t < 0.0) | (t >= self.duration_s)] = 0.0
        return samples


def waveform(
    levels: FloatArray,
    row: PhyMode,
    *,
    frequency_hz: float = 0.0,
    impairments: Impairments = IDEAL,
    phase_rad: float = 0.0,
    keying_s: float = 0.0,
) -> Waveform:
    """Describe one burst in continuous time.

    Args:
        levels: modulation levels float32 [n] from ``encoder.encode_levels``, at least one.
        row: the air interface.
        frequency_hz: the row's carrier relative to the middle of the recording.
        impairments: errors of this transmitter.
        phase_rad: carrier phase at the burst's start.
        keying_s: length of the power ramps around the burst.
    """
    deviation_hz = row.deviation.typical_hz if impairments.deviation_hz is None else impairments.deviation_hz
    edges_s = chip_edges_s(levels.size, row, impairments)
    knots_s, integral_s = _frequency_integral(levels, edges_s, row.bandwidth_time)
    return Waveform(
        knots_s=knots_s,
        turns=deviation_hz * integral_s,
        frequency_hz=frequency_hz + impairments.carrier_offset_hz,
        drift_hz_per_s=impairments.carrier_drift_hz_per_s,
        phase_rad=phase_rad,
        ramp_s=impairments.ramp_s,
        keying_s=keying_s,
    )


def pulse_turns(bandwidth_time: float | None, u: DoubleArray) -> DoubleArray:
    """Say how far a single chip of level 1, which begins at 0, has turned the phase at times ``u`` in chips.

    In turns at a deviation of the chip rate. A Gaussian pulse begins and ends 1.5 chips outside the chip.
    """
    level = np.array([0.0, 0.0, 1.0, 0.0, 0.0], dtype=np.float32)
    knots, integral = _frequency_integral(level, np.arange(6, dtype=np.float64), bandwidth_time)
    return np.asarray(np.interp(2.0 + u, knots, integral))


def modulate(
    levels: FloatArray,
    row: PhyMode,
    sample_rate_hz: float,
    *,
    frequency_hz: float = 0.0,
    impairments: Impairments = IDEAL,
    first_sample_s: float = 0.0,
    phase_rad: float = 0.0,
) -> ComplexArray:
    """Make the I/Q samples of one whole burst.

    Args:
        levels: modulation levels float32 [n] from ``encoder.encode_levels``.
        row: the air interface.
        sample_rate_hz: rate of the result.
        frequency_hz: the row's carrier relative to the middle of the recording.
        impairments: errors of this transmitter.
        first_sample_s: time of the first sample after the burst's start, below one sample.
        phase_rad: carrier phase at the burst's start.

    Returns:
        Samples complex64 of amplitude 1 from the first to the last sample inside the burst.
    """
    if levels.size == 0:
        return np.zeros(0, dtype=np.complex64)
    burst = waveform(levels, row, frequency_hz=frequency_hz, impairments=impairments, phase_rad=phase_rad)
    # The end is exclusive; rounding must not let in a sample that lies on it.
    n_samples = max(0, math.ceil((burst.duration_s - first_sample_s) * sample_rate_hz - 1e-6))
    return burst.samples(first_sample_s + np.arange(n_samples) / sample_rate_hz)


def _frequency_integral(
    levels: FloatArray, edges_s: DoubleArray, bandwidth_time: float | None
) -> tuple[DoubleArray, DoubleArray]:
    """Knot times and the integral of the level over time up to each (seconds)."""
    if bandwidth_time is None:
        knots_s, knot_levels = edges_s, levels.astype(np.float64)
    else:
        fine = np.repeat(levels.astype(np.float64), _KNOTS_PER_CHIP)
        half = _PULSE_SPAN_CHIPS * _KNOTS_PER_CHIP // 2
        padded = np.concatenate([np.full(half, fine[0]), fine, np.full(half, fine[-1])])
        knot_levels = np.convolve(padded, _gaussian(bandwidth_time), mode="valid")
        k = np.arange(fine.size + 1) / _KNOTS_PER_CHIP
        knots_s = np.interp(k, np.arange(edges_s.size), edges_s)
    integral = np.concatenate([[0.0], np.cumsum(knot_levels * np.diff(knots_s))])
    return knots_s, integral


def _gaussian(bandwidth_time: float) -> DoubleArray:
    """Gaussian low-pass impulse response of unit sum at the knot rate, odd length."""
    sigma_chips = math.sqrt(math.log(2.0)) / (2.0 * math.pi * bandwidth_time)
    half = _PULSE_SPAN_CHIPS * _KNOTS_PER_CHIP // 2
    t_chips = np.arange(-half, half + 1) / _KNOTS_PER_CHIP
    response = np.exp(-0.5 * (t_chips / sigma_chips) ** 2)
    return np.asarray(response / response.sum(), dtype=np.float64)


def _ramp(t: DoubleArray, duration_s: float, ramp_s: float) -> FloatArray:
    inside = np.clip(np.minimum(t, duration_s - t) / ramp_s, 0.0, 1.0)
    return (0.5 - 0.5 * np.cos(math.pi * inside)).astype(np.float32)
