"""Carrier, deviation and clock of a burst whose chips are known, by least squares on its chip phasors.

Seen from the local mean over 32 chips, the phase of chip k is off by

    θ[k] = 2π · (−deviation · level[k] · δτ(k)  +  δdeviation · ∫ level)

with a polynomial of low order for the clock error δτ: one small linear system, regular whatever the
chips. The carrier follows from the mean advance of the phasors. One step is enough where the first
guess is right to a tenth of a chip: what is left is 22 dB below the noise in the burst's own band.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import DoubleArray, PhasorArray
from dsp.known_waveform import KnownBurst

REFERENCE_CHIPS = 32
_MOST_SHIFT_CHIPS = 0.2
_MOST_DEVIATION_CHANGE = 0.15


@dataclass(frozen=True, slots=True)
class Fit:
    """A burst as it fits best.

    Attributes:
        burst: with refined carrier, deviation and edges.
        coherence: how much of the chips' amplitude their local means keep, 0…1.
    """

    burst: KnownBurst
    coherence: float


def fit(burst: KnownBurst, c: PhasorArray, order: int) -> Fit:
    """Refine a burst.

    Args:
        burst: the first guess.
        c: its chip phasors complex128 [n].
        order: of the polynomial that the clock's error is.
    """
    square = np.zeros((order + 2, order + 2))
    right = np.zeros(order + 2)
    x = np.linspace(-1.0, 1.0, c.size + 1)
    advance = float(np.angle(np.vdot(c[:-1], c[1:])))
    coherence = _normal_equations(
        c, advance, burst.levels, burst.edges, burst.deviation, x, REFERENCE_CHIPS // 2, square, right
    )
    solution = solve(square, right)
    length = float(burst.edges[-1] - burst.edges[0])
    most_shift = _MOST_SHIFT_CHIPS * length / c.size
    most_change = _MOST_DEVIATION_CHANGE * abs(burst.deviation)
    shift = polynomial(solution[:-1], x)
    refined = KnownBurst(
        levels=burst.levels,
        edges=burst.edges + np.clip(shift, -most_shift, most_shift),
        carrier=burst.carrier + advance * c.size / (2.0 * math.pi * length),
        deviation=burst.deviation + min(max(float(solution[-1]), -most_change), most_change),
    )
    return Fit(refined, float(coherence))


def polynomial(coefficients: DoubleArray, x: DoubleArray) -> DoubleArray:
    """Evaluate a polynomial, whose coefficients begin with that of x⁰."""
    y = np.full(x.size, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        y *= x
        y += coefficient
    return y


def solve(square: DoubleArray, right: DoubleArray) -> DoubleArray:
    """Solve normal equations, made regular."""
    diagonal = np.einsum("ii->i", square)
    diagonal += 1e-12 * diagonal.max() + 1e-30
    return np.asarray(np.linalg.solve(square, right), dtype=np.float64)


@kernel
def _normal_equations(c, advance, levels, edges, deviation, x, half, square, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill the system from columns and phases less their means over ``half`` chips to both sides."""
    n = c.size
    n_columns = right.size
    sums = np.zeros((n + 1, n_columns))  # running, of columns
    columns = np.empty((n, n_columns))
    turned = np.empty(n, dtype=np.complex128)
    turned_sums = np.zeros(n + 1, dtype=np.complex128)
    back = complex(1.0, 0.0)
    turn = complex(np.cos(advance), -np.sin(advance))
    integral = 0.0
    size = 0.0
    for k in range(n):
        value = -2.0 * np.pi * deviation * levels[k]
        for i in range(n_columns - 1):
            columns[k, i] = value
            value *= x[k]
        step = levels[k] * (edges[k + 1] - edges[k])
        columns[k, n_columns - 1] = 2.0 * np.pi * (integral + 0.5 * step)
        integral += step
        for i in range(n_columns):
            sums[k + 1, i] = sums[k, i] + columns[k, i]
        turned[k] = c[k] * back
        back *= turn
        turned_sums[k + 1] = turned_sums[k] + turned[k]
        size += np.sqrt(c[k].real * c[k].real + c[k].imag * c[k].imag)
    size = size / n + 1e-30
    local_size = 0.0
    away = np.empty(n_columns)
    for k in range(n):
        first, behind = max(k - half, 0), min(k + half + 1, n)
        share = 1.0 / (behind - first)
        local = (turned_sums[behind] - turned_sums[first]) * share
        local_size += np.sqrt(local.real * local.real + local.imag * local.imag)
        phase = turned[k].imag * local.real - turned[k].real * local.imag
        for i in range(n_columns):
            away[i] = columns[k, i] - (sums[behind, i] - sums[first, i]) * share
        for i in range(n_columns):
            right[i] += away[i] * phase
            for j in range(i + 1):
                square[i, j] += away[i] * away[j]
    local_size = local_size / n + 1e-30
    for i in range(n_columns):
        right[i] /= size * local_size
        for j in range(i):
            square[j, i] = square[i, j]
    return local_size / size
