"""Soft bits of 4-GFSK symbols: each symbol against all shapes that it and its neighbours allow.

    frequency   −dev   −dev/3   +dev/3   +dev
    dibit        01      00       10       11

The Gaussian filter lets neighbours into a symbol, so a symbol has 4³ shapes: one for each
level before, here and behind. They come from the modulator. A soft bit is the best matched
filter's envelope among shapes whose middle symbol has that bit 1, less the best among those
with 0. The deviation is the one whose shapes fit the known header best; ±100 ppm need no
clock tracking over a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from dsp.arrays import ComplexArray, DoubleArray, FloatArray
from dsp.chip_detector import ChipClock, SoftChips
from dsp.encoder import DIBIT_LEVELS
from dsp.modes import PhyMode
from dsp.modulator import Impairments, modulate
from dsp.plan import Channel

_DEVIATION_STEPS = 13
_CONTEXTS = tuple(product(range(4), repeat=3))  # dibits before, here, behind
_MIDDLE = np.array([here for _, here, _ in _CONTEXTS])


@dataclass(frozen=True, slots=True)
class _Tuned:
    """A burst with carrier and polarity taken off: whole symbols as rows [n, samples a symbol]."""

    rows: ComplexArray
    starts: DoubleArray
    fraction: float  # of a sample, from the first sample of a row back to its symbol's start


def detect_four_level(
    baseband: ComplexArray,
    channel: Channel,
    row: PhyMode,
    clock: ChipClock,
    header: SoftChips,
    known: str,
    n_symbols: int,
) -> tuple[SoftChips, FloatArray]:
    """Detect the symbols of a burst and the soft bits of its frame.

    Args:
        baseband: complex64 [n] at the channel's baseband rate.
        channel: gives the rates.
        row: the air interface.
        clock: of the sync pattern's first symbol on.
        header: two-level detection of the header; its tones give carrier and polarity.
        known: outer symbols before the frame, as a string of 0 and 1.
        n_symbols: symbols wanted in all.

    Returns:
        The symbols (levels in units of the deviation) and soft bits float32 [2 · frame symbols].
    """
    tuned = _tune(baseband, channel, clock, header, n_symbols)
    levels = np.array([1.0 if symbol == "1" else -1.0 for symbol in known])
    deviation_hz = _best_deviation(tuned, channel, row, levels)
    fits = np.abs(tuned.rows @ _shapes(channel, row, deviation_hz, tuned.fraction).conj().T)
    symbols = DIBIT_LEVELS[_MIDDLE[np.argmax(fits, axis=1)]] if fits.size else np.zeros(0, np.float32)
    bits = [_soft_bit(fits[len(known) :], mask) for mask in (2, 1)]
    carrier_hz = (header.low_hz + header.high_hz) / 2.0
    reach_hz = deviation_hz if header.high_hz > header.low_hz else -deviation_hz
    chips = SoftChips(symbols.astype(np.float32), tuned.starts, carrier_hz - reach_hz, carrier_hz + reach_hz)
    return chips, np.stack(bits, axis=1).ravel().astype(np.float32)


def _tune(
    baseband: ComplexArray, channel: Channel, clock: ChipClock, header: SoftChips, n_symbols: int
) -> _Tuned:
    n = channel.samples_per_chip
    starts: DoubleArray = clock.start + clock.period * np.arange(n_symbols, dtype=np.float64)
    first = np.ceil(starts).astype(np.int64)
    inside = (first >= 0) & (first + n <= baseband.size)
    starts, first = starts[inside], first[inside]
    index = first[:, None] + np.arange(n)
    carrier = (header.low_hz + header.high_hz) / (2.0 * channel.baseband_rate_hz)
    rows = baseband[index] * np.exp(-2j * np.pi * carrier * index).astype(np.complex64)
    if header.high_hz < header.low_hz:
        rows = rows.conj()
    fraction = float(np.mean(first - starts)) if starts.size else 0.0
    return _Tuned(rows.astype(np.complex64), starts, fraction)


def _shapes(channel: Channel, row: PhyMode, deviation_hz: float, fraction: float) -> ComplexArray:
    """One symbol for each context, complex64 [contexts, samples a symbol]."""
    levels = DIBIT_LEVELS[np.array(_CONTEXTS)]
    return np.stack([_shape(channel, row, deviation_hz, fraction, tuple(three)) for three in levels])


def _shape(
    channel: Channel, row: PhyMode, deviation_hz: float, fraction: float, levels: tuple[float, ...]
) -> ComplexArray:
    before, here, behind = levels
    samples = modulate(
        np.array([before, before, here, behind, behind], dtype=np.float32),
        row,
        channel.baseband_rate_hz,
        impairments=Impairments(deviation_hz=deviation_hz),
        first_sample_s=fraction / channel.baseband_rate_hz,
    )
    n = channel.samples_per_chip
    return samples[2 * n : 3 * n]


def _best_deviation(tuned: _Tuned, channel: Channel, row: PhyMode, known: DoubleArray) -> float:
    """Choose the deviation whose shapes fit the known symbols best."""
    contexts = [tuple(known[i - 1 : i + 2]) for i in range(1, known.size - 1)]
    candidates = np.linspace(row.deviation.min_hz, row.deviation.max_hz, _DEVIATION_STEPS)
    rows = tuned.rows[1 : known.size - 1]
    if rows.shape[0] < len(contexts):
        return row.deviation.typical_hz
    fits = []
    for deviation_hz in candidates:
        shape = {c: _shape(channel, row, deviation_hz, tuned.fraction, c) for c in set(contexts)}
        expected = np.stack([shape[context] for context in contexts])
        fits.append(float(np.sum(np.abs(np.sum(rows * expected.conj(), axis=1)))))
    return float(candidates[int(np.argmax(fits))])


def _soft_bit(fits: FloatArray, mask: int) -> FloatArray:
    one = (_MIDDLE & mask) != 0
    return np.asarray(fits[:, one].max(axis=1, initial=0.0) - fits[:, ~one].max(axis=1, initial=0.0))
