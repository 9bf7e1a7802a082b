"""What the matched filter of a chip looks like: the chip's waveform for every neighbourhood.

    shape of a chip      e^{j2π·h/2·(q · levels)}     q: phase that each chip of the context adds
    context              (here) for plain FSK; (before, here, behind) for Gaussian chips, which
                         reach into their neighbours
    advance              the same at the chip's end: how far the chip turns the phase

All shapes begin with phase 0 at the chip's start, whatever the fraction of a sample at which
it lies, so that matched chips can be chained by their advances alone.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.encoder import DIBIT_LEVELS
from dsp.modes import Modulation, PhyMode
from dsp.modulator import Impairments, waveform

FRACTIONS = 16
"""Positions of a chip's start between samples that a bank distinguishes."""


class ChipShapes:
    """The matched filters of one kind of chip.

    Args:
        row: gives chip rate and levels.
        samples_per_chip: of the baseband.
        bandwidth_time: BT of the transmitter's Gaussian filter; None for plain FSK.

    Attributes:
        levels: of each symbol, in units of the deviation, float32 [symbols].
        reach: chips of the context before and behind the chip itself, 0 or 1.
    """

    def __init__(self, row: PhyMode, samples_per_chip: int, bandwidth_time: float | None) -> None:
        self._chip_rate_hz = row.chip_rate_hz
        four = row.modulation is Modulation.GFSK4
        self.levels: FloatArray = DIBIT_LEVELS if four else np.array([-1.0, 1.0], dtype=np.float32)
        self.reach = 0 if bandwidth_time is None else 1
        contexts = np.array(list(product(self.levels.tolist(), repeat=2 * self.reach + 1)))
        pulse = replace(row, bandwidth_time=bandwidth_time)
        fraction = (np.arange(FRACTIONS) + 0.5) / FRACTIONS
        inside = (fraction[:, None] + np.arange(samples_per_chip)[None, :]) / samples_per_chip
        offsets = range(self.reach, -self.reach - 1, -1)  # the chip before began one chip earlier
        within = np.stack([_phase_added(pulse, offset, inside) for offset in offsets])
        whole = np.stack([_phase_added(pulse, offset, np.array(1.0)) for offset in offsets])
        self._within = np.ascontiguousarray(np.einsum("cj,jfn->fcn", contexts, within))
        self._whole = contexts @ whole

    @property
    def symbols(self) -> int:
        """Number of symbols: 2, or 4 for 4-GFSK."""
        return int(self.levels.size)

    def bank(self, deviation_hz: float) -> tuple[ComplexArray, ComplexArray]:
        """Shapes [fractions, contexts, samples a chip] and advances [contexts] of a deviation."""
        index = deviation_hz / self._chip_rate_hz
        shapes = np.empty(self._within.shape, dtype=np.complex64)
        _phasors(self._within.ravel(), index, shapes.ravel())
        advance = np.exp(2j * np.pi * index * self._whole)
        return shapes, advance.astype(np.complex64)

    def contexts_of(self, symbols: IndexArray) -> IndexArray:
        """Context number of each chip of a sequence; the ends repeat themselves."""
        if self.reach == 0:
            return symbols
        padded = np.concatenate([symbols[:1], symbols, symbols[-1:]])
        m = self.symbols
        return np.asarray((padded[:-2] * m + padded[1:-1]) * m + padded[2:])


def cut_chips(
    baseband: ComplexArray,
    starts: DoubleArray,
    samples_per_chip: int,
    carrier: float,
    drift: float = 0.0,
    middle: float = 0.0,
) -> tuple[ComplexArray, IndexArray]:
    """Cut out each whole chip, as many as lie inside the baseband, and take the carrier off.

    Args:
        baseband: complex64 [n].
        starts: ascending chip starts in baseband samples float64 [k].
        samples_per_chip: nominal; the samples that lie inside a chip.
        carrier: cycles per sample at ``middle``.
        drift: change of the carrier, in cycles per sample, per sample.
        middle: baseband sample where the carrier's phase is 0.

    Returns:
        Samples complex64 [k', samples a chip], and where between samples each chip starts, in units
        of 1 / ``FRACTIONS``, int64 [k'].
    """
    samples = np.empty((starts.size, samples_per_chip), dtype=np.complex64)
    fractions = np.empty(starts.size, dtype=np.int64)
    n = _cut(baseband, starts, carrier, drift, middle, FRACTIONS, samples, fractions)
    return samples[:n], fractions[:n]


def _phase_added(row: PhyMode, offset: int, inside: DoubleArray) -> DoubleArray:
    """Phase that a chip of level 1, begun ``offset`` chips earlier, adds up to places inside this one.

    In turns for a deviation of one chip rate; 0 at this chip's start.
    """
    pulse = np.array([0.0, 0.0, 1.0, 0.0, 0.0], dtype=np.float32)
    wave = waveform(pulse, row, impairments=Impairments(deviation_hz=row.chip_rate_hz))
    at = (2.0 + offset + np.concatenate([np.zeros(1), inside.ravel()])) / row.chip_rate_hz
    phase = np.interp(at, wave.knots_s, wave.turns)
    return np.asarray((phase[1:] - phase[0]).reshape(inside.shape))


@kernel
def _cut(baseband, starts, carrier, drift, middle, n_fractions, samples, fractions):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Cut chips out until one is not inside; return how many there are."""
    n, width = samples.shape
    for k in range(n):
        first = int(np.ceil(starts[k] - 1e-9))
        if first < 0 or first + width > baseband.size:
            return k
        fraction = int((first - starts[k]) * n_fractions)
        fractions[k] = min(max(fraction, 0), n_fractions - 1)
        t = first - middle
        turns = (carrier + 0.5 * drift * t) * t
        angle = -2.0 * np.pi * (turns - np.floor(turns))
        phase = complex(np.cos(angle), np.sin(angle))
        angle = -2.0 * np.pi * (carrier + drift * t)  # the same for the samples of a chip
        step = complex(np.cos(angle), np.sin(angle))
        for i in range(width):
            samples[k, i] = baseband[first + i] * phase
            phase *= step
    return n


@kernel
def _phasors(turns, factor, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(out.size):
        angle = turns[i] * factor
        angle = np.float32(2.0 * np.pi * (angle - np.floor(angle)))
        out[i] = complex(np.cos(angle), np.sin(angle))
