"""The waveform of known chips, sample by sample, and how received samples compare with it chip by chip.

    φ(t)  = 2π · (carrier · t + deviation · ∫ level)      phase of the known burst, amplitude 1
    c[k]  = Σ_{n in chip k} x[n] · e^{−jφ(n)}             amplitude and phase of chip k, times its samples

Inside a chip the integral is that of the chip itself and its two neighbours, weighted by the
air interface's frequency pulse: a straight line for FSK, a table for GFSK.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray, PhasorArray
from dsp.modulator import pulse_turns

_TABLE_STEPS = 64
_MOST_LEVELS = 4


@dataclass(frozen=True, slots=True)
class KnownBurst:
    """Chips of one burst and what makes a waveform of them.

    Attributes:
        levels: in units of the deviation, float32 [n].
        edges: where chips begin and the last one ends, in samples, float64 [n + 1].
        carrier: cycles per sample.
        deviation: cycles per sample; negative for an inverted spectrum.
    """

    levels: FloatArray
    edges: DoubleArray
    carrier: float
    deviation: float


class WaveformMaker:
    """Makes waveforms of one frequency pulse.

    Args:
        bandwidth_time: of the Gaussian filter; None for plain FSK.
    """

    def __init__(self, bandwidth_time: float | None) -> None:
        self._straight = bandwidth_time is None
        u = np.arange(_TABLE_STEPS + 2) / _TABLE_STEPS  # one more than is read, for interpolation
        self._table = np.stack(
            [
                pulse_turns(bandwidth_time, offset + u) - pulse_turns(bandwidth_time, np.array(offset))
                for offset in (1.0, 0.0, -1.0)
            ]
        )

    def make(self, burst: KnownBurst) -> tuple[int, ComplexArray, IndexArray]:
        """Make the waveform.

        Returns:
            Number of the first sample, complex64 [m] of amplitude 1, and where in it each chip
            begins and the last one ends, int64 [n + 1].
        """
        bounds = np.ceil(burst.edges).astype(np.int64)
        first = int(bounds[0])
        out = np.empty(max(0, int(bounds[-1]) - first), dtype=np.complex64)
        shape = burst.levels, burst.edges, burst.carrier, burst.deviation
        if self._straight:
            _synthesise_lines(*shape, bounds, out)
        else:
            _synthesise(*shape, self._table, _TABLE_STEPS, bounds, out)
        return first, out, bounds - first


def chip_phasors(x: ComplexArray, wave: ComplexArray, bounds: IndexArray) -> PhasorArray:
    """Correlate samples with a waveform chip by chip: complex128 [n].

    Args:
        x: complex64 [m], the samples under ``wave``.
        wave: complex64 [m].
        bounds: where each chip begins and the last one ends, int64 [n + 1].
    """
    out = np.empty(bounds.size - 1, dtype=np.complex128)
    _correlate(x, wave, bounds, out)
    return out


@kernel
def _synthesise(levels, edges, carrier, deviation, table, steps, bounds, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n_chips = levels.size
    turns = 0.0  # what the chips so far have added
    first = bounds[0]
    for k in range(n_chips):
        before = levels[max(k - 1, 0)]
        here = levels[k]
        behind = levels[min(k + 1, n_chips - 1)]
        period = edges[k + 1] - edges[k]
        scale = deviation * period
        for n in range(bounds[k], bounds[k + 1]):
            place = (n - edges[k]) / period * steps
            i = int(place)
            f = place - i
            inside = (
                before * (table[0, i] + f * (table[0, i + 1] - table[0, i]))
                + here * (table[1, i] + f * (table[1, i + 1] - table[1, i]))
                + behind * (table[2, i] + f * (table[2, i + 1] - table[2, i]))
            )
            angle = turns + scale * inside + carrier * n
            angle = np.float32(2.0 * np.pi * (angle - np.floor(angle)))
            out[n - first] = complex(np.cos(angle), np.sin(angle))
        turns += scale * (before * table[0, steps] + here * table[1, steps] + behind * table[2, steps])


@kernel
def _synthesise_lines(levels, edges, carrier, deviation, bounds, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """FSK, whose phase is a straight line inside each chip: a level's phasors, turned to the chip's start."""
    longest = 1
    for k in range(levels.size):
        longest = max(longest, bounds[k + 1] - bounds[k])
    known = np.empty(_MOST_LEVELS)
    table = np.empty((_MOST_LEVELS, longest), dtype=np.complex64)
    n_known = 0
    turns = 0.0
    for k in range(levels.size):
        advance = carrier + deviation * levels[k]
        row = 0
        while row < n_known and known[row] != levels[k]:
            row += 1
        if row == n_known:
            n_known += 1
            known[row] = levels[k]
            re, im = 1.0, 0.0
            turn_re, turn_im = np.cos(2.0 * np.pi * advance), np.sin(2.0 * np.pi * advance)
            for i in range(longest):
                table[row, i] = complex(re, im)
                re, im = re * turn_re - im * turn_im, re * turn_im + im * turn_re
        start = turns + carrier * edges[k] + advance * (bounds[k] - edges[k])
        angle = np.float32(2.0 * np.pi * (start - np.floor(start)))
        phasor = np.complex64(complex(np.cos(angle), np.sin(angle)))
        into = out[bounds[k] - bounds[0] : bounds[k + 1] - bounds[0]]
        shape = table[row]
        for i in range(into.size):
            into[i] = phasor * shape[i]
        turns += deviation * (edges[k + 1] - edges[k]) * levels[k]


@kernel
def _correlate(x, wave, bounds, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(out.size):
        re = 0.0
        im = 0.0
        for n in range(bounds[k], bounds[k + 1]):
            re += x[n].real * wave[n].real + x[n].imag * wave[n].imag
            im += x[n].imag * wave[n].real - x[n].real * wave[n].imag
        out[k] = complex(re, im)
