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

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import BoolArray, ComplexArray, DoubleArray, FloatArray, PhasorArray

SUM_DELAY_SAMPLES = 0.5


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


def lock_pattern(
    x: ComplexArray,
    tones: tuple[float, float],
    clock: tuple[float, float],
    signs: FloatArray,
    shifts: DoubleArray,
    periods: DoubleArray,
    most_pull: float,
    most_against: float,
    forgives: bool,
) -> tuple[float, float, float, float, float]:
    """Refine clock and tones on a known pattern: the shift and period that make it stand out most, twice.

    Args:
        x: baseband around the pattern complex64 [n].
        tones: of chip 0 and chip 1, in cycles a sample.
        clock: where the pattern begins, in samples of ``tone_sums``, and samples a chip, as far as known.
        signs: the pattern's chips as ±1 [k].
        shifts: to choose from, in chips.
        periods: to choose from, in samples; shift and period turn about the pattern's middle, where they
            do not disturb each other.
        most_pull: largest correction of a tone at a time, in cycles a sample.
        most_against: a pattern that more speaks against at the first look is given up.
        forgives: two chips may say what they like: a short disturbance may have turned them.

    Returns:
        Start and period in samples of ``tone_sums``, low and high tone in cycles a sample, and what speaks
        against the pattern at the first look: Σ |d| · mean |d| / variance |d| over the chips that are
        wrong, half the logarithm of how much likelier they are as they were heard. Noise makes few chips
        wrong, and those small; what is clear and wrong is something else.
    """
    start, period, low, high, against = _lock_pattern(
        x, *tones, *clock, signs, shifts, periods, most_pull, most_against, forgives
    )
    return float(start), float(period), float(low), float(high), float(against)


def nearby_pattern(
    x: ComplexArray,
    tones: tuple[float, float],
    middle: float,
    period: float,
    signs: FloatArray,
    farthest: int,
    steps: int,
) -> float:
    """Find by how many chips a known pattern lies beside where it is thought to be.

    Args:
        x: baseband around the pattern complex64 [n].
        tones: of chip 0 and chip 1, in cycles a sample.
        middle: where the pattern's middle is thought to be, in samples of ``tone_sums``.
        period: samples a chip.
        signs: the pattern's chips as ±1 [k].
        farthest: chips to look to both sides.
        steps: places tried a chip.
    """
    sums = tone_sums(x, *tones)
    return float(_nearby_pattern(sums, middle, period, signs, farthest, steps)) / steps - farthest


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
def magnitude(z):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Size of a complex number, without the care that ``abs`` takes of overflow."""
    return np.sqrt(z.real * z.real + z.imag * z.imag)


@kernel
def _matched(sums, b, t, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return _read(sums, b, t + period) - _read(sums, b, t)


@kernel
def _soft(sums, t, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Read d(t); the caller keeps t and t + period inside the sums."""
    return magnitude(_matched(sums, 1, t, period)) - magnitude(_matched(sums, 0, t, period))


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
def _lock_pattern(x, low, high, start, period, signs, shifts, periods, most_pull, most_against, forgives):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n = signs.size
    sums = np.empty((2, x.size + 1), dtype=np.complex128)
    starts = np.empty(n)
    against = 0.0
    for look in range(2):
        _fill(x, low, high, sums)
        middle = start + 0.5 * n * period
        shift, chosen = _fit_pattern(sums, signs, middle, shifts, periods)
        period = periods[chosen]
        start = middle + (shifts[shift] - 0.5 * n) * period
        for j in range(n):
            starts[j] = start + j * period
        if look == 0:
            against = _against(sums, starts, period, signs, forgives)
            if against > most_against:
                break
        low_turn, high_turn = _turns(sums, starts, period, signs > 0.0)
        low += min(max(low_turn / (np.pi * period), -most_pull), most_pull)
        high += min(max(high_turn / (np.pi * period), -most_pull), most_pull)
    return start, period, low, high, against


@kernel
def _against(sums, starts, period, signs, forgives):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Add up what soft chips say against a pattern; infinite where it lies outside the sums."""
    n = signs.size
    if starts[0] < 0.0 or starts[-1] + period >= sums.shape[1] - 1.0:
        return np.inf
    wrong = 0.0
    largest = 0.0
    second = 0.0
    size = 0.0
    square = 1e-30
    for j in range(n):
        soft = _soft(sums, starts[j], period)
        size += abs(soft)
        square += soft * soft
        against = max(-signs[j] * soft, 0.0)
        wrong += against
        if against > largest:
            largest, second = against, largest
        elif against > second:
            second = against
    if forgives:
        wrong -= largest + second
    return wrong * size / max(n * square - size * size, 1e-6 * n * square) * n


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
                total += signs[j] * (magnitude(next_high - high) - magnitude(next_low - low))
                low, high = next_low, next_high
            if total > best:
                best = total
                best_shift = s
                best_period = r
    return best_shift, best_period


@kernel
def _nearby_pattern(sums, middle, period, signs, farthest, steps):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Choose the place that fits best, by number; all of them share their chips, which lie on one grid."""
    n = signs.size
    n_places = 2 * farthest * steps + 1
    low = np.empty(n_places + n * steps, dtype=np.complex128)
    high = np.empty_like(low)
    first = middle - (0.5 * n + farthest) * period
    inside = np.empty(low.size, dtype=np.bool_)
    for g in range(low.size):
        t = first + g * period / steps
        inside[g] = 0.0 <= t < sums.shape[1] - 1
        if inside[g]:
            low[g] = _read(sums, 0, t)
            high[g] = _read(sums, 1, t)
    soft = np.empty(low.size - steps)
    for g in range(soft.size):
        soft[g] = magnitude(high[g + steps] - high[g]) - magnitude(low[g + steps] - low[g])
    best = -1e30
    best_place = farthest * steps
    for place in range(n_places):
        if inside[place] and inside[place + n * steps]:
            total = 0.0
            for j in range(n):
                total += signs[j] * soft[place + j * steps]
            if total > best:
                best = total
                best_place = place
    return best_place
