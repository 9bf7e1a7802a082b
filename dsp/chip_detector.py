"""Soft chips from a burst: one-chip matched filters at both tones, timing tracked.

    hit ─▶ lock: shift, rate and tones that make the known pattern stand out most
        ─▶ detect: chip after chip, a second-order loop on the clock

The filters are differences of running sums (``tone_sums``), which count their own half sample
of delay; clocks and starts handed out are instants of the signal.

The frequency of a tone follows from how the two halves of its chips turn against each other.
The clock's loop errs by 0.01 chips for a rate that slides 1 % over 600 chips; that of modes S and R,
which narrows so that it slips less often in noise, by 0.04.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp.arrays import BoolArray, ComplexArray, DoubleArray, FloatArray, PhasorArray
from dsp.plan import Channel
from dsp.sync_search import SyncHit
from dsp.tone_sums import SUM_DELAY_SAMPLES, ClockLoop, fit_pattern, soft_chips, tone_sums, track, turns

_FIT_SHIFTS_CHIPS = np.linspace(-0.4, 0.4, 9)
_FIT_RATE_STEPS = 7
_RATE_SLACK = 0.06
_SETTLING_CHIPS = 160  # behind the pattern; the shortest frame has 144
_SETTLED_CHIPS = 96  # the last ones of them tell the rate
_SETTLED_RATE = 0.006  # relative error of the first clock's rate that does not make it slip
_FARTHEST_CHIPS = 6  # of a place mistaken for another one with a wrong rate
_SETTLING_SHIFTS_CHIPS = np.linspace(-_FARTHEST_CHIPS, _FARTHEST_CHIPS, 16 * _FARTHEST_CHIPS + 1)
_SAME_PLACE_CHIPS = 0.6
_AS_GOOD_ELSEWHERE = 0.98  # chips of the preamble more or less, else the same
_HEIGHT_CHIPS = 8  # alternating chips of the pattern that show how high a chip stands
_STEADY = 1e-3  # a clock of less tolerance hardly drifts
_LOOPS = (  # up to which tolerance of the rate each serves; 12 % and a drift of 1 % need one that stays wide
    (_STEADY, ClockLoop(first=(0.04, 0.0003), final=(0.04, 0.0003), ease=0.0)),
    (0.05, ClockLoop(first=(0.07, 0.0025), final=(0.03, 0.00045), ease=0.01)),
    (1.0, ClockLoop(first=(0.07, 0.0025), final=(0.07, 0.0025), ease=0.0)),
)
_CLEAR_METRIC = 0.75  # a pattern that stands out so much tells its rate itself
_TONE_PULL_CHIP_RATES = 0.2  # a tone's first estimate is not farther off than this


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
        self._ones = self._signs > 0
        spread = min(self._tolerance, 0.7 / self._signs.size)
        n_rates = _FIT_RATE_STEPS if spread > 1e-3 else 1
        self._fit_rates = np.linspace(-spread, spread, n_rates) if n_rates > 1 else np.zeros(1)
        self._is_wide = channel.chip_rate_tolerance > _STEADY

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
            sums = self._sums(segment, low_hz, high_hz)
            local = self._fit(sums, local, hit.chip_rate_error)
            edges: DoubleArray = local.start + local.period * np.arange(self._signs.size, dtype=np.float64)
            low_hz, high_hz = self._pulled(low_hz, high_hz, sums, edges, local.period, self._ones)
        clock = ChipClock(local.start + first - SUM_DELAY_SAMPLES, local.period)
        if hit.metric < _CLEAR_METRIC:
            clock = self._settled(baseband, clock, low_hz, high_hz)
        return clock, low_hz, high_hz

    def steadied(self, clock: ChipClock, tolerance: float) -> ChipClock:
        """Clock of a transmitter that keeps its rate, where others of its channel do not.

        Args:
            clock: from ``lock``, whose rate is as uncertain as the pattern is short.
            tolerance: of the transmitter's chip rate.
        """
        period = min(
            max(clock.period, self._samples_per_chip / (1.0 + tolerance)),
            self._samples_per_chip / (1.0 - tolerance),
        )
        # the pattern's middle is known best
        return ChipClock(clock.start + 0.5 * self._signs.size * (clock.period - period), period)

    def detect(
        self,
        baseband: ComplexArray,
        clock: ChipClock,
        low_hz: float,
        high_hz: float,
        n_chips: int,
        *,
        tolerance: float | None = None,
    ) -> SoftChips:
        """Detect chips from the clock's start on, following the timing.

        Args:
            baseband: complex64 [n].
            clock: start and period from ``lock``.
            low_hz: tone of chip 0.
            high_hz: tone of chip 1.
            n_chips: how many chips are wanted.
            tolerance: of the transmitter's chip rate; None for the channel's.

        Returns:
            Fewer chips than wanted where the baseband ends early.
        """
        if tolerance is None:
            tolerance = self._tolerance
        # the locked rate may be a little off and drift: leave room for a slower clock
        slack = 1.0 + min(_RATE_SLACK, 3.0 * tolerance)
        first, last = self._window(clock, n_chips * slack, baseband.size)
        sums = self._sums(baseband[first:last], low_hz, high_hz)
        limits = (
            self._samples_per_chip / (1.0 + 1.2 * tolerance),
            self._samples_per_chip / (1.0 - 1.2 * tolerance),
        )
        start = clock.start + SUM_DELAY_SAMPLES - first
        loop = next(loop for most, loop in _LOOPS if tolerance <= most)
        values, starts = track(sums, start, clock.period, limits, loop, n_chips)
        return SoftChips(values, starts + (first - SUM_DELAY_SAMPLES), low_hz, high_hz)

    def measure_tones(self, baseband: ComplexArray, chips: SoftChips) -> tuple[float, float]:
        """Measure both tones over all detected chips: low and high in Hz."""
        if chips.starts.size < 2:
            return chips.low_hz, chips.high_hz
        period = float(chips.starts[-1] - chips.starts[0]) / (chips.starts.size - 1)
        first = max(0, int(chips.starts[0]) - 1)
        sums = self._sums(
            baseband[first : math.ceil(chips.starts[-1] + period) + 2], chips.low_hz, chips.high_hz
        )
        starts = chips.starts + (SUM_DELAY_SAMPLES - first)
        return self._pulled(chips.low_hz, chips.high_hz, sums, starts, period, chips.values > 0)

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
        sums = self._sums(baseband[first : math.ceil(start + (_HEIGHT_CHIPS + 1) * period) + 2], *tones_hz)
        k = np.arange(-_HEIGHT_CHIPS, n_chips)  # the pattern's own chips first, from the last one on
        starts = start + SUM_DELAY_SAMPLES - first - period * (k + 1)
        soft = soft_chips(sums, np.clip(starts, 0.0, sums.shape[1] - 2.0 - period), period)
        agreement = soft * -self._signs[0] * (1.0 - 2.0 * (k % 2))
        # The sum climbs while chips alternate and falls behind the preamble's first chip.
        height = agreement[:_HEIGHT_CHIPS].mean()
        climb = np.cumsum(agreement[_HEIGHT_CHIPS:] - 0.5 * height)
        best = int(np.argmax(climb))
        return best + 1 if climb[best] > 0.0 else 0

    def _settled(self, baseband: ComplexArray, clock: ChipClock, low_hz: float, high_hz: float) -> ChipClock:
        """Take the rate from the chips behind the pattern, where theirs is another one and they fit better.

        A weak pattern errs by 1 % of the rate and more: a clock that starts so wrong slips some chips
        before it runs true, and all that follows is displaced. Where it runs true it tells the rate.
        """
        n_pattern = self._signs.size
        if not self._is_wide:
            return clock
        chips = self.detect(baseband, clock, low_hz, high_hz, n_pattern + _SETTLING_CHIPS)
        starts = chips.starts[-_SETTLED_CHIPS:]
        if chips.starts.size < n_pattern + _SETTLED_CHIPS:
            return clock
        k = np.arange(starts.size) - (starts.size - 1) / 2.0
        period = float(np.dot(k, starts) / np.dot(k, k))
        early = ChipClock(clock.start - _FARTHEST_CHIPS * clock.period, clock.period)
        first, last = self._window(early, n_pattern + 2 * _FARTHEST_CHIPS + 1, baseband.size)
        sums = self._sums(baseband[first:last], low_hz, high_hz)
        middle = clock.start + SUM_DELAY_SAMPLES - first + 0.5 * n_pattern * clock.period
        chosen, _ = fit_pattern(sums, self._signs, middle, _SETTLING_SHIFTS_CHIPS, np.array([period]))
        shift = float(_SETTLING_SHIFTS_CHIPS[chosen])
        if abs(period / clock.period - 1.0) < _SETTLED_RATE and abs(shift) < _SAME_PLACE_CHIPS:
            return clock
        start = middle + (shift - 0.5 * n_pattern) * period
        other = ChipClock(start + first - SUM_DELAY_SAMPLES, period)
        again = self.detect(baseband, other, low_hz, high_hz, chips.values.size)
        as_good = 1.0 if abs(shift) < _SAME_PLACE_CHIPS else _AS_GOOD_ELSEWHERE
        fits = np.abs(again.values).sum() > as_good * np.abs(chips.values).sum()
        return other if fits else clock

    def _window(self, clock: ChipClock, n_chips: float, size: int) -> tuple[int, int]:
        first = max(0, math.floor(clock.start - clock.period))
        last = min(size, math.ceil(clock.start + (n_chips + 2) * clock.period) + 2)
        return first, max(first, last)

    def _sums(self, segment: ComplexArray, low_hz: float, high_hz: float) -> PhasorArray:
        return tone_sums(segment, low_hz / self._rate_hz, high_hz / self._rate_hz)

    def _fit(self, sums: PhasorArray, clock: ChipClock, rate_error: float) -> ChipClock:
        """Choose start and period that make the known pattern stand out most."""
        most = 1.05 * self._tolerance
        errors = np.minimum(np.maximum(rate_error + self._fit_rates, -most), most)
        periods = self._samples_per_chip / (1.0 + errors)
        # Shift and rate turn about the pattern's middle, where they do not disturb each other.
        middle = clock.start + 0.5 * self._signs.size * clock.period
        shift, chosen = fit_pattern(sums, self._signs, middle, _FIT_SHIFTS_CHIPS, periods)
        period = float(periods[chosen])
        start = middle + (float(_FIT_SHIFTS_CHIPS[shift]) - 0.5 * self._signs.size) * period
        return ChipClock(start, period)

    def _pulled(
        self,
        low_hz: float,
        high_hz: float,
        sums: PhasorArray,
        starts: DoubleArray,
        period: float,
        ones: BoolArray,
    ) -> tuple[float, float]:
        """Correct both tones in Hz by the turn between the halves of their chips."""
        limit_hz = _TONE_PULL_CHIP_RATES * self._chip_rate_hz
        low, high = turns(sums, starts, period, ones)
        return (
            low_hz + min(max(low * self._rate_hz, -limit_hz), limit_hz),
            high_hz + min(max(high * self._rate_hz, -limit_hz), limit_hz),
        )
