"""Energy in every channel's own band, from one FFT over the whole span.

    raw samples → blocks of n_fft → Hann → FFT → sum of |X|² over the channel's bins

A channel's bins are up to three runs: the span may wrap around, and the bins right at 0 Hz
are left out, where a dongle's spike stands that says nothing about bursts. Densities are
scaled so that white noise of density 1 per Hz gives 1.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.fft

from dsp._kernel import kernel
from dsp.arrays import FloatArray, IndexArray, RawArray
from dsp.history import RawScale
from dsp.plan import Channel

BLOCKS_PER_STEP = 256

_AS_IT_IS = RawScale(0.0, 1.0)
_MOST_RUNS = 4
_LEAST_BLOCKS_PER_BURST = 8


def fft_size(channels: tuple[Channel, ...], sample_rate_hz: float) -> int:
    """Smallest power of two whose bins resolve the narrowest channel.

    And its slowest chips, so that a tone of theirs at 0 Hz is not lost with the spike, as long as the
    shortest burst still takes several blocks.
    """
    channel_hz = min(channel.half_width_hz for channel in channels) / 8.0
    chip_hz = min(channel.chip_rate_hz for channel in channels) / 2.5
    burst_samples = min(channel.shortest_burst_s for channel in channels) * sample_rate_hz
    for_channel = math.ceil(math.log2(sample_rate_hz / channel_hz))
    for_chips = math.ceil(math.log2(sample_rate_hz / chip_hz))
    for_burst = math.floor(math.log2(burst_samples / _LEAST_BLOCKS_PER_BURST))
    return 1 << max(5, for_channel, min(for_chips, for_burst))


class EnergyMeter:
    """Measures the energy per block in every channel.

    Args:
        channels: what to measure.
        sample_rate_hz: rate of the stream.
        center_hz: its middle.

    Attributes:
        n_fft: samples a block.
        mean: mean of the samples last measured: the radio's constant offset and more.
    """

    def __init__(self, channels: tuple[Channel, ...], sample_rate_hz: float, center_hz: float) -> None:
        self.n_fft = fft_size(channels, sample_rate_hz)
        self.mean = 0j
        window = np.hanning(self.n_fft + 1)[:-1]
        self._window_sum = float(window.sum())
        self._window = np.repeat(window, 2).astype(np.float32)  # for I and Q
        bin_hz = sample_rate_hz / self.n_fft
        bins = [_bins(channel, center_hz, bin_hz, self.n_fft) for channel in channels]
        self._n_bins = [len(b) for b in bins]
        self._runs = np.stack([_runs(b) for b in bins])
        per_bin = 1.0 / (float(np.sum(window**2)) * sample_rate_hz)
        self._scales = np.array([per_bin / n for n in self._n_bins], dtype=np.float32)
        self._windowed = np.empty((0, 2 * self.n_fft), dtype=np.float32)  # used again each time

    @property
    def step_samples(self) -> int:
        """Samples that one step takes."""
        return self.n_fft * BLOCKS_PER_STEP

    def n_bins(self, index: int) -> int:
        """Bins that channel ``index`` sums."""
        return self._n_bins[index]

    def measure(
        self, raw: RawArray, raw_scale: RawScale = _AS_IT_IS, *, every: int = 1, first: int = 0
    ) -> FloatArray:
        """Measure whole blocks.

        Args:
            raw: interleaved I, Q as recorded [2n], or samples complex64 [n].
            raw_scale: how raw numbers become samples.
            every: measure only each so many-th block.
            first: the block to begin with.

        Returns:
            Noise-like density per Hz, float32 [channels, blocks].
        """
        parts = raw.view(np.float32) if raw.dtype == np.complex64 else raw
        n_blocks = max(0, -(-(parts.size // (2 * self.n_fft) - first) // every))
        if n_blocks > len(self._windowed):
            self._windowed = np.empty((n_blocks, 2 * self.n_fft), dtype=np.float32)
        windowed = self._windowed[:n_blocks]
        scale, zero = np.float32(raw_scale.scale), np.float32(raw_scale.zero)
        _apply_window(parts[2 * first * self.n_fft :], zero, self._window * scale, every, windowed)
        spectrum = scipy.fft.fft(windowed.view(np.complex64), axis=1, overwrite_x=True)
        densities = np.empty((len(self._n_bins), n_blocks), dtype=np.float32)
        total = _sum_runs(spectrum.view(np.float32), self._runs, self._scales, densities)
        if n_blocks:
            self.mean = total / (n_blocks * self._window_sum)
        return densities


def _bins(channel: Channel, center_hz: float, bin_hz: float, n_fft: int) -> IndexArray:
    middle, half = (channel.center_hz - center_hz) / bin_hz, channel.half_width_hz / bin_hz
    bins = np.arange(math.floor(middle - half), math.ceil(middle + half) + 1)
    off_spike = np.abs(bins) > 1
    return np.asarray(np.sort((bins[off_spike] if off_spike.any() else bins) % n_fft), dtype=np.int64)


def _runs(bins: IndexArray) -> IndexArray:
    """First and last-plus-one bin of each unbroken run, int64 [_MOST_RUNS, 2]; unused runs are empty."""
    breaks = np.flatnonzero(np.diff(bins) > 1) + 1
    runs = np.zeros((_MOST_RUNS, 2), dtype=np.int64)
    for i, part in enumerate(np.split(bins, breaks)):
        runs[i] = part[0], part[-1] + 1
    return runs


@kernel
def _apply_window(raw, zero, window, every, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n_blocks, width = out.shape
    for block in range(n_blocks):
        piece = raw[every * block * width : (every * block + 1) * width]
        row = out[block]
        for i in range(width):
            row[i] = (np.float32(piece[i]) - zero) * window[i]


@kernel
def _sum_runs(spectrum, runs, scales, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill ``out`` with each channel's density; return the sum of the bins at 0 Hz."""
    n_channels, n_blocks = out.shape
    re, im = 0.0, 0.0
    for block in range(n_blocks):
        row = spectrum[block]
        re += row[0]
        im += row[1]
        for channel in range(n_channels):
            total = np.float32(0.0)
            for r in range(runs.shape[1]):
                start, stop = 2 * runs[channel, r, 0], 2 * runs[channel, r, 1]
                a0 = np.float32(0.0)
                a1 = np.float32(0.0)
                a2 = np.float32(0.0)
                a3 = np.float32(0.0)
                i = start
                while i + 3 < stop:  # four sums side by side hide the adder's latency
                    a0 += row[i] * row[i]
                    a1 += row[i + 1] * row[i + 1]
                    a2 += row[i + 2] * row[i + 2]
                    a3 += row[i + 3] * row[i + 3]
                    i += 4
                while i < stop:
                    a0 += row[i] * row[i]
                    i += 1
                total += (a0 + a1) + (a2 + a3)
            out[channel, block] = total * scales[channel]
    return complex(re, im)
