"""A stretch of the wide stream as one channel's baseband, at a fixed number of samples a chip.

    y[m] = Σ_i x[i] · h(t_m − i) · e^{−j2πf i},   t_m = first + m · (input rate / baseband rate)

Shift, low-pass and resampling are one step: a bank of complex taps holds the prototype
h·e^{j2πfτ} at 64 fractional delays, and each output takes the nearest. Any input rate gives
exactly ``samples_per_chip`` samples a nominal chip, so all that follows knows one rate.
"""

from __future__ import annotations

import math

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray
from dsp.plan import Channel

_PHASES = 64
_STOPBAND_DB = 60.0


class BasebandFilter:
    """The tap bank of one channel for one input rate.

    Args:
        channel: what to extract.
        sample_rate_hz: rate of the wide stream.
        center_hz: its middle.
    """

    def __init__(self, channel: Channel, sample_rate_hz: float, center_hz: float) -> None:
        self._step = sample_rate_hz / channel.baseband_rate_hz
        self._shift = (channel.center_hz - center_hz) / sample_rate_hz  # cycles per input sample
        passband_hz = min(channel.passband_hz, 0.42 * sample_rate_hz)
        stop_hz = max(min(channel.baseband_rate_hz, sample_rate_hz) - passband_hz, 1.2 * passband_hz)
        self._bank = _tap_bank(passband_hz / sample_rate_hz, stop_hz / sample_rate_hz, self._shift)

    @property
    def reach_samples(self) -> int:
        """Input samples that an output needs on each side."""
        return int(self._bank.shape[1]) // 2

    @property
    def noise_bandwidth(self) -> float:
        """Equivalent noise bandwidth in cycles per input sample."""
        return float(np.sum(np.abs(self._bank[0]) ** 2))

    def extract(self, samples: ComplexArray, first: int) -> ComplexArray:
        """Make the baseband of a stretch.

        Args:
            samples: complex64 [n] of the wide stream.
            first: absolute number of ``samples[0]``; ties the mixer's phase to the stream.

        Returns:
            Baseband complex64; element m lies at input sample ``first + m * step``.
        """
        n_out = int((samples.size - 1) / self._step) + 1 if samples.size else 0
        out = np.empty(n_out, dtype=np.complex64)
        reach = self.reach_samples
        padded = np.zeros(samples.size + 2 * reach + 2, dtype=np.complex64)
        padded[reach : reach + samples.size] = samples
        start_cycles = math.fmod(first * self._shift, 1.0)
        _resample(padded, self._bank, self._step, start_cycles, self._shift, out)
        return out

    @property
    def step(self) -> float:
        """Input samples per baseband sample."""
        return self._step


def _tap_bank(passband: float, stop: float, shift: float) -> ComplexArray:
    """Kaiser-windowed sinc at all fractional delays, complex64 [phases, taps], unit gain."""
    width = stop - passband
    n_taps = math.ceil((_STOPBAND_DB - 8.0) / (2.285 * 2.0 * math.pi * width))
    half = max(2, -(-n_taps // 2))
    half += half % 2  # 2·half taps: a multiple of four
    beta = 0.1102 * (_STOPBAND_DB - 8.7)
    cutoff = passband + stop
    fraction = np.arange(_PHASES)[:, None] / _PHASES
    tau = fraction + half - 1 - np.arange(2 * half)[None, :]  # t_m − i
    window = np.i0(beta * np.sqrt(np.clip(1.0 - (tau / half) ** 2, 0.0, None))) / np.i0(beta)
    taps = np.sinc(cutoff * tau) * window
    taps /= taps.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(taps * np.exp(2j * np.pi * shift * tau), dtype=np.complex64)


@kernel
def _resample(x, bank, step, start_cycles, shift, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n_phases, n_taps = bank.shape
    first_tap = 1  # padding is n_taps/2; tap k stands at t_m rounded down − n_taps/2 + 1 + k
    for m in range(out.size):
        t = m * step
        whole = int(t)
        phase = int((t - whole) * n_phases)
        taps = bank[phase]
        base = whole + first_tap
        a0 = np.complex64(0.0)
        a1 = np.complex64(0.0)
        a2 = np.complex64(0.0)
        a3 = np.complex64(0.0)
        for k in range(0, n_taps, 4):  # four sums side by side hide the adder's latency
            a0 += x[base + k] * taps[k]
            a1 += x[base + k + 1] * taps[k + 1]
            a2 += x[base + k + 2] * taps[k + 2]
            a3 += x[base + k + 3] * taps[k + 3]
        turn = start_cycles + shift * (whole + phase / n_phases)
        angle = -2.0 * np.pi * (turn - np.floor(turn))
        rotation = np.complex64(complex(np.cos(angle), np.sin(angle)))
        out[m] = ((a0 + a1) + (a2 + a3)) * rotation
