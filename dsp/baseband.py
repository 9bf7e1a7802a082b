"""A stretch of the wide stream as one channel's baseband, at a fixed number of samples a chip.

    x ── · e^{−j2πf i} ──▶ low-pass, every D-th ──▶ low-pass, at t_m = m · step / D
         shift             decimate                 resample: nearest of 192 fractional delays

Any input rate gives exactly ``samples_per_chip`` samples a nominal chip, so all that follows
knows one rate. Where the rates' ratio is a whole number, decimation is all there is; else it
goes to 1.3 to 2 times the baseband rate, where few taps are left to be sharp with. Both filters
are Kaiser-windowed sincs, 60 dB down on what would fold onto the wanted band, and on what is a
third farther off than the passband goes: a strong signal there hides no weak burst.

Loops run over neighbouring samples, so that they fill SIMD lanes: 1.5 to 4 ns an input sample to
shift and decimate, 0.2 ns a tap and output to resample.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from dsp._kernel import kernel, summing_kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray
from dsp.plan import Channel

_PHASES = 192
_STOPBAND_DB = 60.0
_SHARPEST, _WIDEST = 1.2, 1.35  # where the stopband begins, in passbands
_TILE_SAMPLES = 1536  # of the wide stream that are worked on together: they fit the nearest cache
_TAPS_TOGETHER = 8
_LEAST_OVERSAMPLING = 1.3  # before resampling: less takes a sharper decimator, more a longer resampler


class BasebandFilter:
    """The filters of one channel for one input rate.

    Args:
        channel: what to extract.
        sample_rate_hz: rate of the wide stream.
        center_hz: its middle.
    """

    def __init__(self, channel: Channel, sample_rate_hz: float, center_hz: float) -> None:
        self._step = sample_rate_hz / channel.baseband_rate_hz
        self._shift = (channel.center_hz - center_hz) / sample_rate_hz  # cycles per input sample
        passband_hz = min(channel.passband_hz, 0.42 * sample_rate_hz)
        folds_hz = min(channel.baseband_rate_hz, sample_rate_hz) - passband_hz
        stop_hz = min(max(folds_hz, _SHARPEST * passband_hz), _WIDEST * passband_hz)
        whole = round(self._step)
        self._bank: FloatArray | None = None
        if whole >= 1 and abs(self._step - whole) < 1e-9:
            self._decimation = whole
            self._taps = _decimator(passband_hz / sample_rate_hz, stop_hz / sample_rate_hz, whole)
        else:
            self._decimation = max(1, int(self._step / _LEAST_OVERSAMPLING))
            middle_rate_hz = sample_rate_hz / self._decimation
            self._taps = np.ones(1, dtype=np.float32)
            if self._decimation > 1:
                self._taps = _decimator(
                    passband_hz / sample_rate_hz,
                    (middle_rate_hz - stop_hz) / sample_rate_hz,
                    self._decimation,
                )
            self._bank = _tap_bank(passband_hz / middle_rate_hz, stop_hz / middle_rate_hz)
        tile = max(16, _TILE_SAMPLES // self._decimation)
        turns = self._shift * np.arange(self._decimation * tile + self._taps.size)
        self._rotation = np.exp(-2j * np.pi * turns).astype(np.complex64)

    @property
    def step(self) -> float:
        """Input samples per baseband sample."""
        return self._step

    @property
    def reach_samples(self) -> int:
        """Input samples that an output needs on each side."""
        return self._taps.size // 2 + 1 + self._decimation * self._resampler_reach

    @cached_property
    def noise_bandwidth(self) -> float:
        """Equivalent noise bandwidth in cycles per input sample."""
        response = self._taps.astype(np.float64)
        if self._bank is not None:
            spread = np.zeros(self._decimation * self._bank.shape[1])
            spread[:: self._decimation] = self._bank[0]
            response = np.convolve(response, spread)
        return float(np.sum(response**2))

    def extract(
        self, samples: ComplexArray, first: int, *, begin: float = 0.0, n_out: int | None = None
    ) -> ComplexArray:
        """Make the baseband of a stretch.

        Args:
            samples: complex64 [n] of the wide stream.
            first: absolute number of ``samples[0]``; ties the mixer's phase to the stream.
            begin: where in ``samples`` the first output lies; a whole number where ``step`` is.
            n_out: outputs wanted; None for all that lie inside ``samples``.

        Returns:
            Baseband complex64; element m lies at input sample ``first + begin + m * step``.
        """
        if n_out is None:
            n_out = int((samples.size - 1 - begin) / self._step) + 1 if samples.size else 0
        out = np.empty(n_out, dtype=np.complex64)
        self.extract_into(out, samples, first, begin=begin)
        return out

    def extract_into(
        self, out: ComplexArray, samples: ComplexArray, first: int, *, begin: float = 0.0
    ) -> None:
        """Do as ``extract``, into ``out``."""
        skip = round(begin) if self._bank is None else int(begin)
        reach, n_middle = self._resampler_reach, out.size
        if self._bank is not None:
            n_middle = int((begin - skip + out.size * self._step) / self._decimation) + 1 + 2 * reach
        middle = out if self._bank is None else np.empty(n_middle, dtype=np.complex64)
        start_cycles = math.fmod(first * self._shift, 1.0)
        lead = self._decimation * reach - skip
        _shift_and_decimate(
            samples, self._rotation, self._taps, self._decimation, lead, start_cycles, self._shift, middle
        )
        if self._bank is not None:
            offset, step = (begin - skip) / self._decimation, self._step / self._decimation
            _resample(middle, self._bank, offset, step, out)

    @property
    def _resampler_reach(self) -> int:
        return 0 if self._bank is None else int(self._bank.shape[1]) // 2


def _decimator(passband: float, stop: float, decimation: int) -> FloatArray:
    """Low-pass of unit gain, float32 [taps, a multiple of ``decimation``], its middle at taps // 2."""
    half = _half_length(passband, stop)
    n_taps = -(-(2 * half + 1) // decimation) * decimation
    taps = _low_pass(passband, stop, np.arange(n_taps, dtype=np.float64) - n_taps // 2)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


def _tap_bank(passband: float, stop: float) -> FloatArray:
    """Low-pass of unit gain at all fractional delays, float32 [phases, taps]."""
    n_taps = -(-2 * _half_length(passband, stop) // _TAPS_TOGETHER) * _TAPS_TOGETHER
    fraction = np.arange(_PHASES)[:, None] / _PHASES
    taps = _low_pass(passband, stop, fraction + n_taps // 2 - np.arange(n_taps)[None, :])
    taps /= taps.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(taps, dtype=np.float32)


def _half_length(passband: float, stop: float) -> int:
    return max(2, math.ceil((_STOPBAND_DB - 8.0) / (2.285 * 4.0 * math.pi * (stop - passband))))


def _low_pass(passband: float, stop: float, tau: DoubleArray) -> DoubleArray:
    """Kaiser-windowed sinc at ``tau`` samples from its middle."""
    beta = 0.1102 * (_STOPBAND_DB - 8.7)
    inside = np.clip(1.0 - (tau / _half_length(passband, stop)) ** 2, 0.0, None)
    return np.asarray(np.sinc((passband + stop) * tau) * np.i0(beta * np.sqrt(inside)) * (inside > 0.0))


@kernel
def _shift_and_decimate(x, rotation, taps, decimation, lead, start_cycles, shift, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill ``out`` from ``lead`` samples before ``x`` on; beyond its ends there is silence."""
    n_taps = taps.size
    n_rows = n_taps // decimation
    tile = (rotation.size - n_taps) // decimation
    shifted = np.empty(rotation.size, dtype=np.complex64)
    apart = np.empty((decimation, tile + n_rows), dtype=np.complex64)  # every D-th sample side by side
    parts = apart.view(np.float32)
    shifted_whole, apart_whole = shifted.view(np.int64), apart.view(np.int64)  # moved at once, I and Q
    sums = np.empty(2 * tile, dtype=np.float32)
    for m in range(0, out.size, tile):
        n_out = min(tile, out.size - m)
        base = decimation * m - lead - n_taps // 2
        width = decimation * (n_out + n_rows)
        start = min(max(0, -base), width)
        stop = max(start, min(width, x.size - base))
        shifted[:start] = 0.0
        shifted[stop:width] = 0.0
        if stop > start:
            piece, turned, into = x[base + start : base + stop], rotation[start:stop], shifted[start:stop]
            for i in range(stop - start):
                into[i] = piece[i] * turned[i]
        for d in range(decimation):
            row, from_d = apart_whole[d], shifted_whole[d:]
            for j in range(n_out + n_rows):
                row[j] = from_d[decimation * j]
        width = 2 * n_out
        sums[:] = 0.0
        for d in range(decimation):
            row_parts = parts[d]
            j = 0
            while j + 3 < n_rows:  # four taps at once: a quarter of the traffic of the sums
                at = decimation * j + d
                tap0, tap1 = taps[at], taps[at + decimation]
                tap2, tap3 = taps[at + 2 * decimation], taps[at + 3 * decimation]
                p0, p1 = row_parts[2 * j : 2 * j + width], row_parts[2 * j + 2 : 2 * j + 2 + width]
                p2, p3 = row_parts[2 * j + 4 : 2 * j + 4 + width], row_parts[2 * j + 6 : 2 * j + 6 + width]
                for i in range(width):
                    sums[i] += (tap0 * p0[i] + tap1 * p1[i]) + (tap2 * p2[i] + tap3 * p3[i])
                j += 4
            while j < n_rows:
                tap = taps[decimation * j + d]
                p = row_parts[2 * j : 2 * j + width]
                for i in range(width):
                    sums[i] += tap * p[i]
                j += 1
        turn = start_cycles + shift * base
        angle = -2.0 * np.pi * (turn - np.floor(turn))
        re, im = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        for i in range(n_out):
            out[m + i] = complex(
                sums[2 * i] * re - sums[2 * i + 1] * im, sums[2 * i] * im + sums[2 * i + 1] * re
            )


@summing_kernel
def _resample(x, bank, offset, step, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n_phases, n_taps = bank.shape
    x_re = np.empty(x.size, dtype=np.float32)
    x_im = np.empty(x.size, dtype=np.float32)
    for i in range(x.size):
        x_re[i] = x[i].real
        x_im[i] = x[i].imag
    for m in range(out.size):
        t = offset + m * step
        whole = int(t)
        taps = bank[int((t - whole) * n_phases)]
        piece_re, piece_im = x_re[whole : whole + n_taps], x_im[whole : whole + n_taps]
        re = np.float32(0.0)
        im = np.float32(0.0)
        for i in range(n_taps):
            re += piece_re[i] * taps[i]
            im += piece_im[i] * taps[i]
        out[m] = complex(re, im)
