"""Chips read one after another with a clock that follows them, and read on where reading stopped.

    d(t)   = |z_1(t)| − |z_0(t)|          soft chip: both tones matched over one chip, as of ``tone_sums``
    late   = d(t − T/2) / (d(t) − d(t − T))   where a chip differs from the one before

Between two different chips d passes straight through zero half-way; what it reads there, over the
sum of its neighbours, is the timing error in chips, which a second-order loop follows.

The running sums grow with the clock and only their last chips are kept, so that a chip costs the
same however many are wanted, and none is read twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray
from dsp.tone_sums import SUM_DELAY_SAMPLES, magnitude

_KEPT_CHIPS = 2.2  # of the sums: half a chip behind the clock to one and a half before it, with a slow clock
_ROOM_CHIPS = 512


@dataclass(frozen=True, slots=True)
class ClockLoop:
    """Gains of a second-order loop that follows the chips' clock, each for phase and period.

    Attributes:
        first: at the first chip, where the rate is as uncertain as the pattern is short.
        final: what they come to: a clock that knows its rate is moved less by noise, and slips less often.
        ease: share of the way there that they go with each chip.
    """

    first: tuple[float, float]
    final: tuple[float, float]
    ease: float


class ChipTrack:
    """Chips of one burst from a start on.

    Args:
        x: baseband complex64 [n]; it must not change while the track is read, but may grow.
        tones: of chip 0 and chip 1, in cycles a sample.
        start: where the first chip begins, in samples.
        period: samples a chip, to begin with.
        limits: least and largest period.
        loop: how the clock follows.
    """

    def __init__(
        self,
        x: ComplexArray,
        tones: tuple[float, float],
        start: float,
        period: float,
        limits: tuple[float, float],
        loop: ClockLoop,
    ) -> None:
        self._first = min(max(0, math.floor(start - period)), x.size)
        self._x = x[self._first :]
        self._offset = self._first - SUM_DELAY_SAMPLES
        self._limits, self._loop = limits, loop
        kept = math.ceil(_KEPT_CHIPS * max(period, limits[1])) + 4
        self._ring = np.empty((2, 1 << kept.bit_length()), dtype=np.complex128)
        self._sums = np.empty((2, 3), dtype=np.complex128)
        self._clock = np.empty(5)
        _begin(tones, max(start - self._offset, 0.0), period, loop.first, self._sums, self._ring, self._clock)
        self._n_chips, self._n_samples = 0, 0
        self._has_ended = False
        self._values = np.empty(_ROOM_CHIPS, dtype=np.float32)
        self._starts = np.empty(_ROOM_CHIPS, dtype=np.float64)

    def go_on(self, x: ComplexArray) -> bool:
        """Go on with a baseband that has grown at its end; tell whether reading has not met the old one."""
        self._x = x[self._first :]
        return not self._has_ended

    def read(self, n_chips: int) -> tuple[FloatArray, DoubleArray]:
        """Give the first chips: soft ones float32 and where they begin, in samples float64.

        Fewer than wanted where the samples end.
        """
        if n_chips > self._n_chips and not self._has_ended:
            if n_chips > self._values.size:
                room = max(n_chips, 2 * self._values.size)
                self._values = np.concatenate([self._values, np.empty(room, dtype=np.float32)])
                self._starts = np.concatenate([self._starts, np.empty(room, dtype=np.float64)])
            self._n_chips, self._n_samples, self._has_ended = _read_on(
                self._x,
                self._sums,
                self._ring,
                self._clock,
                self._n_chips,
                self._n_samples,
                self._limits,
                self._loop.final,
                self._loop.ease,
                self._offset,
                self._values[:n_chips],
                self._starts,
            )
        n = min(n_chips, self._n_chips)
        return self._values[:n], self._starts[:n]


def mean_period(starts: DoubleArray) -> float:
    """Give the samples a chip: the slope of the straight line through two or more chip starts."""
    k = np.arange(starts.size) - (starts.size - 1) / 2.0
    return float(np.dot(k, starts) / np.dot(k, k))


def permitted_period(period: float, nominal: float, tolerance: float) -> float:
    """Limit samples a chip to what a relative tolerance of the chip rate permits."""
    return min(max(period, nominal / (1.0 + tolerance)), nominal / (1.0 - tolerance))


@kernel
def _read(ring, b, t):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    i = int(t)
    mask = ring.shape[1] - 1
    here = ring[b, i & mask]
    return here + (t - i) * (ring[b, (i + 1) & mask] - here)


@kernel
def _soft(ring, t, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    low = _read(ring, 0, t + period) - _read(ring, 0, t)
    high = _read(ring, 1, t + period) - _read(ring, 1, t)
    return magnitude(high) - magnitude(low)


@kernel
def _begin(tones, start, period, gains, sums, ring, clock):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Set phasor, sum and turn a sample of both tones, and the clock with its gains."""
    for b in range(2):
        sums[b, 0] = complex(1.0, 0.0)
        sums[b, 1] = complex(0.0, 0.0)
        sums[b, 2] = complex(np.cos(2.0 * np.pi * tones[b]), -np.sin(2.0 * np.pi * tones[b]))
        ring[b, 0] = complex(0.0, 0.0)
    clock[0], clock[1], clock[2] = start, period, 0.0
    clock[3], clock[4] = gains[0], gains[1]


@kernel
def _read_on(x, sums, ring, clock, k, filled, limits, final, ease, offset, values, starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Read up to as many chips as there are values; return chips and samples done, and whether they end."""
    mask = ring.shape[1] - 1
    phasor0, total0, turn0 = sums[0, 0], sums[0, 1], sums[0, 2]
    phasor1, total1, turn1 = sums[1, 0], sums[1, 1], sums[1, 2]
    t, period, previous, phase_gain, period_gain = clock[0], clock[1], clock[2], clock[3], clock[4]
    last = x.size - 1.0
    is_last = False
    while k < values.size and not is_last:
        is_last = t + 1.5 * period > last
        if is_last and t + period > last:
            break
        # the last chip needs nothing behind it
        needed = x.size if is_last else int(t + 1.5 * period) + 1
        while filled < needed:
            sample = complex(x[filled].real, x[filled].imag)
            total0 += sample * phasor0
            total1 += sample * phasor1
            phasor0 *= turn0
            phasor1 *= turn1
            filled += 1
            ring[0, filled & mask] = total0
            ring[1, filled & mask] = total1
        soft = _soft(ring, t, period)
        if k > 0 and not is_last and (soft > 0.0) != (previous > 0.0):
            half_way = _soft(ring, t - 0.5 * period, period)
            late = half_way / (soft - previous)  # in chips; the sum of both sizes is |difference|
            late = min(max(late, -0.5), 0.5)
            t -= phase_gain * late * period
            period = min(max(period * (1.0 - period_gain * late), limits[0]), limits[1])
            # the chip is read where the corrected clock puts it
            soft = _soft(ring, t, period)
        values[k] = soft
        starts[k] = t + offset
        k += 1
        previous = soft
        phase_gain += ease * (final[0] - phase_gain)
        period_gain += ease * (final[1] - period_gain)
        t += period
    sums[0, 0], sums[0, 1] = phasor0, total0
    sums[1, 0], sums[1, 1] = phasor1, total1
    clock[0], clock[1], clock[2], clock[3], clock[4] = t, period, previous, phase_gain, period_gain
    return k, filled, is_last
