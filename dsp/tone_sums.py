"""Running sums of a baseband at two tones: one-chip matched filters that begin anywhere.

    S_b[n] = Σ_{i<n} x[i] · e^{−j2πf_b i}     b = 0, 1: the tone of chip 0 and of chip 1
    z_b(t) = S_b(t + T) − S_b(t)              matched filter over the chip that begins at t
    d(t)   = |z_1(t)| − |z_0(t)|              soft chip: positive is 1

Between samples a sum is linear, so a filter can start at any fraction of a sample and be as
long as the chip. A sample stands for the stretch from half a sample before to half a sample
behind it: a sum up to t ends at the instant t − ``SUM_DELAY_SAMPLES`` of the signal.

Double precision keeps the phase exact. Both sums grow in one pass, 3 ns a sample; a chip
then costs four reads, wherever it lies and however often it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import BoolArray, ComplexArray, DoubleArray, FloatArray, PhasorArray

SUM_DELAY_SAMPLES = 0.5


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


def tone_sums(x: ComplexArray, low: float, high: float) -> PhasorArray:
    """Sum ``x`` up shifted down by each tone.

    Args:
        x: baseband complex64 [n].
        low: tone of chip 0 in cycles a sample.
        high: tone of chip 1.

    Returns:
        complex128 [2, n + 1], beginning with 0.
    """
    sums = np.empty((2, x.size + 1), dtype=np.complex128)
    _fill(x, low, high, sums)
    return sums


def match(sums: PhasorArray, starts: DoubleArray, period: DoubleArray) -> PhasorArray:
    """Match chips to both tones.

    Args:
        sums: of ``tone_sums`` [2, n + 1].
        starts: where each chip begins, in samples of the sums float64 [chips].
        period: how long it is float64 [chips].

    Returns:
        complex128 [2, chips]; 0 for chips that do not lie inside the sums.
    """
    out = np.zeros((2, starts.size), dtype=np.complex128)
    _match(sums, starts, period, out)
    return out


def turns(sums: PhasorArray, starts: DoubleArray, period: float, ones: BoolArray) -> tuple[float, float]:
    """Measure how far each tone is off by the turn between the halves of the chips that sent it.

    Args:
        sums: of ``tone_sums``.
        starts: where each chip begins, in samples of the sums float64 [chips].
        period: samples a chip.
        ones: which chips are 1 [chips].

    Returns:
        Errors of the low and the high tone in cycles a sample; 0 where no chip tells.
    """
    low, high = _turns(sums, starts, period, ones)
    return float(low) / (np.pi * period), float(high) / (np.pi * period)


def soft_chips(sums: PhasorArray, starts: DoubleArray, period: float) -> FloatArray:
    """Read d at given starts, all inside the sums: float32 [chips]."""
    out = np.empty(starts.size, dtype=np.float32)
    _soft_chips(sums, starts, period, out)
    return out


def fit_pattern(
    sums: PhasorArray, signs: FloatArray, middle: float, shifts: DoubleArray, periods: DoubleArray
) -> tuple[int, int]:
    """Choose the shift in chips and the period that make a known pattern stand out most.

    Args:
        sums: of ``tone_sums``.
        signs: the pattern's chips as ±1 [k].
        middle: where its middle is thought to be, in samples; shift and period turn about it.
        shifts: to choose from, in chips.
        periods: to choose from, in samples.

    Returns:
        Numbers of the shift and the period chosen.
    """
    shift, period = _fit_pattern(sums, signs, middle, shifts, periods)
    return int(shift), int(period)


def track(
    sums: PhasorArray,
    start: float,
    period: float,
    limits: tuple[float, float],
    loop: ClockLoop,
    n_chips: int,
) -> tuple[FloatArray, DoubleArray]:
    """Read soft chips one after another with a clock that follows them.

    Between two different chips d passes straight through zero half-way; what it reads there,
    over the sum of its neighbours, is the timing error in chips, which a second-order loop
    follows.

    Args:
        sums: of ``tone_sums``.
        start: first chip, in samples of the sums.
        period: samples a chip, to begin with.
        limits: least and largest period.
        loop: how it follows.
        n_chips: how many are wanted.

    Returns:
        Soft chips float32 and their starts float64; fewer than wanted where the sums end.
    """
    values = np.empty(n_chips, dtype=np.float32)
    starts = np.empty(n_chips, dtype=np.float64)
    n = _track(sums, start, period, limits, loop.first, loop.final, loop.ease, values, starts)
    return values[:n], starts[:n]


@kernel
def _fill(x, low, high, sums):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    turn0 = complex(np.cos(2.0 * np.pi * low), -np.sin(2.0 * np.pi * low))
    turn1 = complex(np.cos(2.0 * np.pi * high), -np.sin(2.0 * np.pi * high))
    phasor0 = complex(1.0, 0.0)
    phasor1 = complex(1.0, 0.0)
    total0 = complex(0.0, 0.0)
    total1 = complex(0.0, 0.0)
    sums[0, 0] = total0
    sums[1, 0] = total1
    for n in range(x.size):
        sample = complex(x[n].real, x[n].imag)
        total0 += sample * phasor0
        total1 += sample * phasor1
        phasor0 *= turn0
        phasor1 *= turn1
        sums[0, n + 1] = total0
        sums[1, n + 1] = total1


@kernel
def _read(sums, b, t):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    i = int(t)
    return sums[b, i] + (t - i) * (sums[b, i + 1] - sums[b, i])


@kernel
def _size(z):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return np.sqrt(z.real * z.real + z.imag * z.imag)


@kernel
def _matched(sums, b, t, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return _read(sums, b, t + period) - _read(sums, b, t)


@kernel
def _soft(sums, t, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Read d(t); the caller keeps t and t + period inside the sums."""
    return _size(_matched(sums, 1, t, period)) - _size(_matched(sums, 0, t, period))


@kernel
def _match(sums, starts, period, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    last = sums.shape[1] - 1
    for k in range(starts.size):
        if starts[k] >= 0.0 and starts[k] + period[k] < last:
            out[0, k] = _matched(sums, 0, starts[k], period[k])
            out[1, k] = _matched(sums, 1, starts[k], period[k])


@kernel
def _turns(sums, starts, period, ones):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    last = sums.shape[1] - 1
    half = 0.5 * period
    low = complex(0.0, 0.0)
    high = complex(0.0, 0.0)
    for k in range(starts.size):
        t = starts[k]
        if t >= 0.0 and t + period < last:
            if ones[k]:
                high += _matched(sums, 1, t + half, half) * np.conj(_matched(sums, 1, t, half))
            else:
                low += _matched(sums, 0, t + half, half) * np.conj(_matched(sums, 0, t, half))
    return np.arctan2(low.imag, low.real), np.arctan2(high.imag, high.real)


@kernel
def _soft_chips(sums, starts, period, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(starts.size):
        out[k] = _soft(sums, starts[k], period)


@kernel
def _fit_pattern(sums, signs, middle, shifts, periods):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    best = -1e30
    best_shift = 0
    best_period = 0
    for r in range(periods.size):
        for s in range(shifts.size):
            start = middle + (shifts[s] - 0.5 * signs.size) * periods[r]
            if start < 0.0 or start + (signs.size + 1) * periods[r] + 2.0 > sums.shape[1]:
                continue
            total = 0.0
            low, high = _read(sums, 0, start), _read(sums, 1, start)
            for j in range(signs.size):  # a chip ends where the next one begins
                t = start + (j + 1) * periods[r]
                next_low, next_high = _read(sums, 0, t), _read(sums, 1, t)
                total += signs[j] * (_size(next_high - high) - _size(next_low - low))
                low, high = next_low, next_high
            if total > best:
                best = total
                best_shift = s
                best_period = r
    return best_shift, best_period


@kernel
def _track(sums, start, period, limits, gains, final, ease, values, starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Follow the chip clock; return the number of chips that lie inside the sums."""
    t = max(start, 0.0)
    last = sums.shape[1] - 2.0
    previous = 0.0
    phase_gain, period_gain = gains
    for k in range(values.size):
        if t + 1.5 * period > last:
            if t + period <= last:  # the last chip needs nothing behind it
                values[k] = _soft(sums, t, period)
                starts[k] = t
                return k + 1
            return k
        soft = _soft(sums, t, period)
        if k > 0 and (soft > 0.0) != (previous > 0.0):
            half_way = _soft(sums, t - 0.5 * period, period)
            late = half_way / (soft - previous)  # in chips; the sum of both sizes is |difference|
            late = min(max(late, -0.5), 0.5)
            t -= phase_gain * late * period
            period = min(max(period * (1.0 - period_gain * late), limits[0]), limits[1])
            # the chip is read where the corrected clock puts it
            soft = _soft(sums, t, period)
        values[k] = soft
        starts[k] = t
        previous = soft
        phase_gain += ease * (final[0] - phase_gain)
        period_gain += ease * (final[1] - period_gain)
        t += period
    return values.size
