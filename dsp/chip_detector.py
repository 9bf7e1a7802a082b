"""Soft chips from a burst: one-chip matched filters at both tones, timing tracked.

    S_f(t) = Σ_{n<t} x[n] · e^{−j2πfn}        running sum at a tone, linear between samples
    z_f(t) = S_f(t + T) − S_f(t)              matched filter over the chip that begins at t
    d(t)   = |z_high(t)| − |z_low(t)|         soft chip: positive is 1

From running sums the filter can start at any fraction of a sample and be exactly one chip
of the tracked rate long. A sample stands for the stretch from half a sample before to half a
sample behind it, so a sum up to t ends half a sample before t; clocks and starts handed out
are instants of the signal, half a sample less than the sums' own t.

The frequency of a tone follows from how the two halves of its chips turn against each other.
The clock: between two different chips d falls or rises straight through zero half-way; what
it reads there, over the sum of its neighbours, is the timing error in chips, and a
second-order loop follows it (an error of 0.01 chips for a rate that slides 1 % over 600
chips).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, PhasorArray
from dsp.plan import Channel
from dsp.sync_search import SyncHit

_FIT_SHIFTS_CHIPS = np.linspace(-0.4, 0.4, 9)
_FIT_RATE_STEPS = 7
_RATE_SLACK = 0.06
_HEIGHT_CHIPS = 8  # alternating chips of the pattern that show how high a chip stands
_TONE_PULL_CHIP_RATES = 0.2  # a tone's first estimate is not farther off than this


SUM_DELAY_SAMPLES = 0.5


@dataclass(frozen=True, slots=True)
class ChipClock:
    """Where chips are, in baseband samples.

    Attributes:
        start: beginning of the first chip of the sync pattern.
        period: samples a chip.
    """

    start: float
    period: float


@dataclass(frozen=True, slots=True)
class SoftChips:
    """Detected chips of one burst from the sync pattern's first chip on.

    Attributes:
        values: soft chips float32 [n]; positive is 1.
        starts: float64 [n]: where each chip begins, in baseband samples.
        low_hz: tone of chip 0 from the channel's centre.
        high_hz: tone of chip 1.
    """

    values: FloatArray
    starts: DoubleArray
    low_hz: float
    high_hz: float


class ChipDetector:
    """Turns baseband into soft chips, starting at a sync hit.

    Args:
        channel: gives pattern, rates and tolerances.
    """

    def __init__(self, channel: Channel) -> None:
        self._rate_hz = channel.baseband_rate_hz
        self._samples_per_chip = channel.samples_per_chip
        self._chip_rate_hz = channel.chip_rate_hz
        self._tolerance = channel.chip_rate_tolerance
        self._signs = np.array([1.0 if c == "1" else -1.0 for c in channel.pattern])
        # A loop for ±100 ppm needs hardly any rate gain; one for 12 % must follow drift.
        wide = channel.chip_rate_tolerance > 1e-3
        self._gains = (0.07, 0.0025) if wide else (0.04, 0.0003)

    def lock(self, baseband: ComplexArray, hit: SyncHit) -> tuple[ChipClock, float, float]:
        """Refine tones and chip clock on the known pattern.

        Args:
            baseband: complex64 [n].
            hit: where the search found the pattern.

        Returns:
            The clock at the pattern's start, and the refined low and high tone in Hz.
        """
        period = self._samples_per_chip / (1.0 + hit.chip_rate_error)
        clock = ChipClock(float(hit.start), period)
        low_hz, high_hz = hit.low_hz, hit.high_hz
        first, last = self._window(clock, self._signs.size + 1, baseband.size)
        segment = baseband[first:last]
        local = ChipClock(clock.start - first, period)
        for _ in range(2):
            low = running_sum(segment, low_hz / self._rate_hz)
            high = running_sum(segment, high_hz / self._rate_hz)
            local = self._fit(low, high, local, hit.chip_rate_error)
            edges: DoubleArray = local.start + local.period * np.arange(self._signs.size, dtype=np.float64)
            low_hz += self._pull(low, edges[self._signs < 0], local.period)
            high_hz += self._pull(high, edges[self._signs > 0], local.period)
        return ChipClock(local.start + first - SUM_DELAY_SAMPLES, local.period), low_hz, high_hz

    def detect(
        self, baseband: ComplexArray, clock: ChipClock, low_hz: float, high_hz: float, n_chips: int
    ) -> SoftChips:
        """Detect chips from the clock's start on, following the timing.

        Args:
            baseband: complex64 [n].
            clock: start and period from ``lock``.
            low_hz: tone of chip 0.
            high_hz: tone of chip 1.
            n_chips: how many chips are wanted.

        Returns:
            Fewer chips than wanted where the baseband ends early.
        """
        # the locked rate may be a little off and drift: leave room for a slower clock
        slack = 1.0 + min(_RATE_SLACK, 3.0 * self._tolerance)
        first, last = self._window(clock, n_chips * slack, baseband.size)
        segment = baseband[first:last]
        low = running_sum(segment, low_hz / self._rate_hz)
        high = running_sum(segment, high_hz / self._rate_hz)
        values = np.empty(n_chips, dtype=np.float32)
        starts = np.empty(n_chips, dtype=np.float64)
        limits = (
            self._samples_per_chip / (1.0 + 1.2 * self._tolerance),
            self._samples_per_chip / (1.0 - 1.2 * self._tolerance),
        )
        start = clock.start + SUM_DELAY_SAMPLES - first
        n = _track(low, high, start, clock.period, limits, self._gains, values, starts)
        return SoftChips(values[:n], starts[:n] + first - SUM_DELAY_SAMPLES, low_hz, high_hz)

    def measure_tones(self, baseband: ComplexArray, chips: SoftChips) -> tuple[float, float]:
        """Measure both tones over all detected chips: low and high in Hz."""
        if chips.starts.size < 2:
            return chips.low_hz, chips.high_hz
        period = float(np.mean(np.diff(chips.starts)))
        first = max(0, int(chips.starts[0]) - 1)
        segment = baseband[first : math.ceil(chips.starts[-1] + period) + 2]
        found = []
        for tone_hz, picked in ((chips.low_hz, chips.values < 0), (chips.high_hz, chips.values > 0)):
            sums = running_sum(segment, tone_hz / self._rate_hz)
            starts = chips.starts[picked] + SUM_DELAY_SAMPLES - first
            starts = starts[starts + period <= sums.size - 1]
            found.append(tone_hz + self._pull(sums, starts, period))
        return found[0], found[1]

    def alternating_chips_before(
        self, baseband: ComplexArray, start: float, period: float, tones_hz: tuple[float, float], most: int
    ) -> int:
        """Count the preamble chips before a position by where alternation ends.

        Args:
            baseband: complex64 [n].
            start: first chip of the sync pattern, in samples.
            period: samples a chip.
            tones_hz: low and high tone.
            most: how far back to look, in chips.
        """
        n_chips = min(most, int((start - 1) / period))
        if n_chips <= 0:
            return 0
        first = max(0, math.floor(start - n_chips * period) - 1)
        segment = baseband[first : math.ceil(start + (_HEIGHT_CHIPS + 1) * period) + 2]
        low = running_sum(segment, tones_hz[0] / self._rate_hz)
        high = running_sum(segment, tones_hz[1] / self._rate_hz)
        start += SUM_DELAY_SAMPLES
        k = np.arange(-_HEIGHT_CHIPS, n_chips)  # the pattern's own chips first, from the last one on
        soft = _soft_chips_at(low, high, np.maximum(start - first - period * (k + 1), 0.0), period)
        agreement = soft * -self._signs[0] * (1.0 - 2.0 * (k % 2))
        # The sum climbs while chips alternate and falls behind the preamble's first chip.
        height = agreement[:_HEIGHT_CHIPS].mean()
        climb = np.cumsum(agreement[_HEIGHT_CHIPS:] - 0.5 * height)
        best = int(np.argmax(climb))
        return best + 1 if climb[best] > 0.0 else 0

    def _window(self, clock: ChipClock, n_chips: float, size: int) -> tuple[int, int]:
        first = max(0, math.floor(clock.start - clock.period))
        last = min(size, math.ceil(clock.start + (n_chips + 2) * clock.period) + 2)
        return first, max(first, last)

    def _fit(self, low: PhasorArray, high: PhasorArray, clock: ChipClock, rate_error: float) -> ChipClock:
        """Choose start and period that make the known pattern stand out most."""
        nominal = float(self._samples_per_chip)
        spread = min(self._tolerance, 0.7 / self._signs.size)
        n_rates = _FIT_RATE_STEPS if spread > 1e-3 else 1
        spreads = np.linspace(-spread, spread, n_rates) if n_rates > 1 else np.zeros(1)
        errors = np.clip(rate_error + spreads, -1.05 * self._tolerance, 1.05 * self._tolerance)
        # Shift and rate turn about the pattern's middle, where they do not disturb each other.
        middle = clock.start + 0.5 * self._signs.size * clock.period
        best = _best_fit(low, high, self._signs, middle, nominal, _FIT_SHIFTS_CHIPS, errors)
        shift, period = _FIT_SHIFTS_CHIPS[best[0]], nominal / (1.0 + errors[best[1]])
        return ChipClock(middle + (shift - 0.5 * self._signs.size) * period, float(period))

    def _pull(self, sums: PhasorArray, starts: DoubleArray, period: float) -> float:
        """Frequency error of a tone in Hz, from the turn between halves of its chips."""
        if starts.size == 0:
            return 0.0
        a, b, c = (read_sum(sums, starts + part * period) for part in (0.0, 0.5, 1.0))
        turn = np.angle(np.sum((c - b) * np.conj(b - a)))
        pull_hz = float(turn) / (math.pi * period) * self._rate_hz
        limit_hz = _TONE_PULL_CHIP_RATES * self._chip_rate_hz
        return min(max(pull_hz, -limit_hz), limit_hz)


def running_sum(x: ComplexArray, cycles_per_sample: float) -> PhasorArray:
    """Sum ``x`` up shifted down by a tone: complex128 [n + 1], beginning with 0."""
    out = np.empty(x.size + 1, dtype=np.complex128)
    _running_sum(x, cycles_per_sample, out)
    return out


def read_sum(sums: PhasorArray, t: DoubleArray) -> PhasorArray:
    """Read a running sum at fractional samples."""
    i = np.clip(t.astype(np.int64), 0, sums.size - 2)
    return np.asarray(sums[i] + (t - i) * (sums[i + 1] - sums[i]))


def _soft_chips_at(low: PhasorArray, high: PhasorArray, t: DoubleArray, period: float) -> DoubleArray:
    ones = np.abs(read_sum(high, t + period) - read_sum(high, t))
    zeros = np.abs(read_sum(low, t + period) - read_sum(low, t))
    return np.asarray(ones - zeros, dtype=np.float64)


@kernel
def _running_sum(x, cycles_per_sample, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    angle = -2.0 * np.pi * cycles_per_sample
    turn = complex(np.cos(angle), np.sin(angle))
    phasor = complex(1.0, 0.0)
    total = complex(0.0, 0.0)
    out[0] = total
    for n in range(x.size):
        total += x[n] * phasor
        phasor *= turn
        out[n + 1] = total


@kernel
def _soft(low, high, t, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Read d(t); the caller keeps t and t + period inside the sums."""
    i = int(t)
    f = t - i
    e = t + period
    k = int(e)
    g = e - k
    z_low = low[k] + g * (low[k + 1] - low[k]) - low[i] - f * (low[i + 1] - low[i])
    z_high = high[k] + g * (high[k + 1] - high[k]) - high[i] - f * (high[i + 1] - high[i])
    one = np.sqrt(z_high.real * z_high.real + z_high.imag * z_high.imag)
    zero = np.sqrt(z_low.real * z_low.real + z_low.imag * z_low.imag)
    return one - zero


@kernel
def _best_fit(low, high, signs, middle, nominal, shifts, rate_errors):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    best = -1e30
    best_shift = 0
    best_rate = 0
    for r in range(rate_errors.size):
        period = nominal / (1.0 + rate_errors[r])
        for s in range(shifts.size):
            start = middle + (shifts[s] - 0.5 * signs.size) * period
            if start < 0.0 or start + (signs.size + 1) * period + 2.0 > low.size:
                continue
            total = 0.0
            for j in range(signs.size):
                total += signs[j] * _soft(low, high, start + j * period, period)
            if total > best:
                best = total
                best_shift = s
                best_rate = r
    return best_shift, best_rate


@kernel
def _track(low, high, start, period, limits, gains, values, starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Follow the chip clock; return the number of chips that lie inside the sums."""
    t = max(start, 0.0)
    last = low.size - 2.0
    previous = 0.0
    for k in range(values.size):
        if t + 1.5 * period > last:
            if t + period <= last:  # the last chip needs nothing behind it
                values[k] = _soft(low, high, t, period)
                starts[k] = t
                return k + 1
            return k
        soft = _soft(low, high, t, period)
        if k > 0 and (soft > 0.0) != (previous > 0.0):
            half_way = _soft(low, high, t - 0.5 * period, period)
            late = half_way / (soft - previous)  # in chips; the sum of both sizes is |difference|
            late = min(max(late, -0.5), 0.5)
            t -= gains[0] * late * period
            period = min(max(period * (1.0 - gains[1] * late), limits[0]), limits[1])
            # the chip is read where the corrected clock puts it
            soft = _soft(low, high, t, period)
        values[k] = soft
        starts[k] = t
        previous = soft
        t += period
    return values.size
