"""Soft bits of 4-GFSK symbols, from the mean frequency around the middle of each symbol.

    frequency   −dev   −dev/3   +dev/3   +dev
    dibit        01      00       10       11

The first bit is the sign; the second is whether the frequency lies outside two thirds of
the outer deviation, which is read from the sync word's own symbols. Carrier and deviation
come from the lock on the outer tones; ±100 ppm need no clock tracking over a frame.
"""

from __future__ import annotations

import numpy as np

from dsp.arrays import ComplexArray, DoubleArray, FloatArray
from dsp.chip_detector import ChipClock, SoftChips
from dsp.plan import Channel

_MIDDLE_PART = 0.5  # share of the symbol that is averaged
_DECISION = 0.64  # between inner and outer, of the outer level; Gaussian neighbours lower it a little


def detect_four_level(
    baseband: ComplexArray,
    channel: Channel,
    clock: ChipClock,
    header: SoftChips,
    n_before: int,
    n_symbols: int,
) -> tuple[SoftChips, FloatArray]:
    """Detect the symbols of a burst and the soft bits of its frame.

    Args:
        baseband: complex64 [n] at the channel's baseband rate.
        channel: gives the rate.
        clock: of the sync pattern's first symbol on.
        header: two-level detection of the header; its tones give carrier and polarity.
        n_before: symbols before the frame.
        n_symbols: symbols wanted in all.

    Returns:
        Soft symbols (frequency over outer deviation) and soft bits float32 [2 · frame symbols].
    """
    edges = clock.start + clock.period * np.arange(n_symbols, dtype=np.float64)
    starts: DoubleArray = edges[edges + clock.period < baseband.size - 1]
    carrier = (header.low_hz + header.high_hz) / (2.0 * channel.baseband_rate_hz)
    turns = np.cumsum(np.concatenate([[0.0], _steps(baseband, carrier)]))
    margin = (1.0 - _MIDDLE_PART) / 2.0 * clock.period
    grid = np.arange(turns.size)
    a = np.interp(starts + margin, grid, turns)
    b = np.interp(starts + clock.period - margin, grid, turns)
    frequency = (b - a) / (_MIDDLE_PART * clock.period)
    if header.high_hz < header.low_hz:
        frequency = -frequency
    known = frequency[:n_before]
    middle, outer = _levels(known)
    level = (frequency - middle) / outer
    values = level.astype(np.float32)
    frame = values[n_before:]
    bits = np.stack([frame, np.abs(frame) - np.float32(_DECISION)], axis=1).ravel()
    return SoftChips(values, starts, header.low_hz, header.high_hz), bits


def _steps(baseband: ComplexArray, carrier: float) -> FloatArray:
    """Phase steps between samples in cycles, the carrier taken off."""
    product = baseband[1:] * np.conj(baseband[:-1]) * np.complex64(np.exp(-2j * np.pi * carrier))
    return np.asarray(np.angle(product) / (2.0 * np.pi), dtype=np.float32)


def _levels(frequency: FloatArray) -> tuple[float, float]:
    """Middle and outer level of symbols that are all outer ones."""
    if frequency.size == 0:
        return 0.0, 1.0
    high, low = frequency[frequency > 0], frequency[frequency <= 0]
    if high.size == 0 or low.size == 0:
        return 0.0, max(float(np.abs(frequency).mean()), 1e-9)
    top, bottom = float(np.median(high)), float(np.median(low))
    return (top + bottom) / 2.0, max((top - bottom) / 2.0, 1e-9)
