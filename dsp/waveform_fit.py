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
    advance = float(np.angle(np.vdot(c[:-1], c[1:])))
    coherence = _normal_equations(
        c, advance, burst.levels, burst.edges, burst.deviation, REFERENCE_CHIPS // 2, square, right
    )
    solution = solve(square, right)
    length = float(burst.edges[-1] - burst.edges[0])
    most_change = _MOST_DEVIATION_CHANGE * abs(burst.deviation)
    shift = np.empty(burst.edges.size)
    draw(solution[:-1], _MOST_SHIFT_CHIPS * length / c.size, shift)
    refined = KnownBurst(
        levels=burst.levels,
        edges=burst.edges + shift,
        carrier=burst.carrier + advance * c.size / (2.0 * math.pi * length),
        deviation=burst.deviation + min(max(float(solution[-1]), -most_change), most_change),
    )
    return Fit(refined, float(coherence))


def solve(square: DoubleArray, right: DoubleArray) -> DoubleArray:
    """Solve normal equations, made regular."""
    solution = np.empty(right.size)
    solve_normal(square, right, solution)
    return solution


@kernel
def draw(coefficients, most, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Fill in a polynomial, x⁰ first, at even places from −1 to 1, no farther from 0 than ``most``."""
    step = 2.0 / (out.size - 1)
    for k in range(out.size):
        x = k * step - 1.0
        y = 0.0
        for i in range(coefficients.size - 1, -1, -1):
            y = y * x + coefficients[i]
        out[k] = min(max(y, -most), most)


@kernel
def solve_normal(square, right, solution):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Factor a symmetric matrix, a little raised along its diagonal, and substitute twice."""
    n = right.size
    raised = 0.0
    for i in range(n):
        raised = max(raised, square[i, i])
    raised = 1e-12 * raised + 1e-30
    lower = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            rest = square[i, j] + (raised if i == j else 0.0)
            for k in range(j):
                rest -= lower[i, k] * lower[j, k]
            lower[i, j] = np.sqrt(max(rest, 1e-30)) if i == j else rest / lower[j, j]
    for i in range(n):
        rest = right[i]
        for k in range(i):
            rest -= lower[i, k] * solution[k]
        solution[i] = rest / lower[i, i]
    for i in range(n - 1, -1, -1):
        rest = solution[i]
        for k in range(i + 1, n):
            rest -= lower[k, i] * solution[k]
        solution[i] = rest / lower[i, i]


@kernel
def _normal_equations(c, advance, levels, edges, deviation, half, square, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
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
        x = 2.0 * k / n - 1.0
        for i in range(n_columns - 1):
            columns[k, i] = value
            value *= x
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
