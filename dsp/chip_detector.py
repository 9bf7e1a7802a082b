"""Soft chips from a burst: one-chip matched filters at both tones, timing tracked.

    hit ─▶ lock: shift, rate and tones that make the known pattern stand out most
        ─▶ track: chip after chip, a second-order loop on the clock (``chip_track``)

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

from dsp.arrays import ComplexArray, DoubleArray, FloatArray, PhasorArray
from dsp.chip_track import ChipTrack, ClockLoop, mean_period, permitted_period
from dsp.clock_line import chip_starts
from dsp.plan import Channel
from dsp.sync_search import SyncHit
from dsp.tone_sums import SUM_DELAY_SAMPLES, lock_pattern, nearby_pattern, soft_chips, tone_sums, turns

_FIT_SHIFTS_CHIPS = np.linspace(-0.4, 0.4, 9)
_RATE_SLACK = 0.06
_FIT_RATE_STEPS = 7
_MOST_ERROR = 1.05  # of the chip rate, over its tolerance
_SETTLING_CHIPS = 160  # behind the pattern; the shortest frame has 144
_SETTLED_CHIPS = 96  # the last ones of them tell the rate
_SETTLED_RATE = 0.006  # relative error of the first clock's rate that does not make it slip
_FARTHEST_CHIPS = 6  # of a place mistaken for another one with a wrong rate
_SETTLING_STEPS = 8  # places tried a chip
_SAME_PLACE_CHIPS = 0.6
_AS_GOOD_ELSEWHERE = 0.98  # chips of the preamble more or less, else the same
_HEIGHT_CHIPS = 8  # alternating chips of the pattern that show how high a chip stands
_STEADY = 1e-3  # a clock of less tolerance hardly drifts
_LOOPS = (  # up to which tolerance of the rate each serves; 12 % and a drift of 1 % need one that stays wide
    (_STEADY, ClockLoop(first=(0.04, 0.0003), final=(0.04, 0.0003), ease=0.0)),
    (0.05, ClockLoop(first=(0.07, 0.0025), final=(0.03, 0.00045), ease=0.01)),
    (1.0, ClockLoop(first=(0.07, 0.0025), final=(0.07, 0.0025), ease=0.0)),
)
_FORGIVING_METRIC = 0.65  # a pattern that stands out so much may have two chips turned by a disturbance
_CLEAR_METRIC = 0.75  # a pattern that stands out so much tells its rate itself
# what may speak against a pattern: frames that are read have up to 13, clear data that look like it hundreds
MOST_AGAINST = 30.0
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


NO_CHIPS = SoftChips(np.zeros(0, dtype=np.float32), np.zeros(0), 0.0, 0.0)


class Track:
    """Chips of one burst from its sync pattern's first on, read as far as they are asked for.

    Attributes:
        clock: that it begins with.
        low_hz: tone of chip 0 from the channel's centre.
        high_hz: tone of chip 1.
        tolerance: of the transmitter's chip rate.
    """

    def __init__(
        self, chips: ChipTrack, clock: ChipClock, tones_hz: tuple[float, float], tolerance: float
    ) -> None:
        self.clock, self.tolerance = clock, tolerance
        self.low_hz, self.high_hz = tones_hz
        self._chips = chips

    def go_on(self, baseband: ComplexArray) -> bool:
        """Go on with a baseband that has grown at its end; tell whether that is possible."""
        return self._chips.go_on(baseband)

    def chips(self, n_chips: int) -> SoftChips:
        """Give the first chips; fewer than wanted where the baseband ends."""
        return SoftChips(*self._chips.read(n_chips), self.low_hz, self.high_hz)


class ChipDetector:
    """Turns baseband into soft chips, starting at a sync hit.

    Args:
        channel: gives pattern, rates and tolerances.
    """

    def __init__(self, channel: Channel) -> None:
        self._rate_hz = channel.baseband_rate_hz
        self._samples_per_chip = channel.samples_per_chip
        self._tolerance = channel.chip_rate_tolerance
        self._signs = np.array([1.0 if c == "1" else -1.0 for c in channel.pattern])
        self._most_pull = _TONE_PULL_CHIP_RATES / channel.samples_per_chip
        spread = min(self._tolerance, 0.7 / self._signs.size)
        n_rates = _FIT_RATE_STEPS if spread > 1e-3 else 1
        self._fit_rates = np.linspace(-spread, spread, n_rates) if n_rates > 1 else np.zeros(1)
        self._periods: dict[float, DoubleArray] = {}
        self._is_wide = channel.chip_rate_tolerance > _STEADY

    def lock(self, baseband: ComplexArray, hit: SyncHit, *, most_against: float = math.inf) -> Track | None:
        """Refine tones and chip clock on the known pattern.

        Args:
            baseband: complex64 [n].
            hit: where the search found the pattern.
            most_against: the pattern may speak at the first look, as of ``tone_sums.lock_pattern``.

        Returns:
            The chips from the pattern's start on; None where something else looks a little like it.
        """
        period = self._samples_per_chip / (1.0 + hit.chip_rate_error)
        first, last = self._window(float(hit.start), period, self._signs.size + 1, baseband.size)
        start, period, low, high, against = lock_pattern(
            baseband[first:last],
            (hit.low_hz / self._rate_hz, hit.high_hz / self._rate_hz),
            (float(hit.start - first), period),
            self._signs,
            _FIT_SHIFTS_CHIPS,
            self._fit_periods(hit.chip_rate_error),
            self._most_pull,
            most_against,
            hit.metric >= _FORGIVING_METRIC,
        )
        if against > most_against:
            return None
        clock = ChipClock(start + first - SUM_DELAY_SAMPLES, period)
        track = self.follow(baseband, clock, (low * self._rate_hz, high * self._rate_hz))
        return track if hit.metric >= _CLEAR_METRIC or not self._is_wide else self._settled(baseband, track)

    def follow(
        self,
        baseband: ComplexArray,
        clock: ChipClock,
        tones_hz: tuple[float, float],
        *,
        tolerance: float | None = None,
    ) -> Track:
        """Detect chips from the clock's start on, following the timing.

        Args:
            baseband: complex64 [n]; it must not change while the chips are read.
            clock: where they begin.
            tones_hz: of chip 0 and chip 1.
            tolerance: of the transmitter's chip rate; None for the channel's.
        """
        if tolerance is None:
            tolerance = self._tolerance
        chips = ChipTrack(
            baseband,
            (tones_hz[0] / self._rate_hz, tones_hz[1] / self._rate_hz),
            clock.start,
            clock.period,
            (
                self._samples_per_chip / (1.0 + 1.2 * tolerance),
                self._samples_per_chip / (1.0 - 1.2 * tolerance),
            ),
            next(loop for most, loop in _LOOPS if tolerance <= most),
        )
        return Track(chips, clock, tones_hz, tolerance)

    def steadied(self, baseband: ComplexArray, track: Track, tolerance: float) -> Track:
        """Follow a transmitter that keeps its rate, where others of its channel do not.

        Args:
            baseband: complex64 [n].
            track: from ``lock``, whose rate is as uncertain as the pattern is short.
            tolerance: of the transmitter's chip rate.
        """
        if tolerance == track.tolerance:
            return track
        clock = track.clock
        period = permitted_period(clock.period, self._samples_per_chip, tolerance)
        # the pattern's middle is known best
        start = clock.start + 0.5 * self._signs.size * (clock.period - period)
        return self.follow(
            baseband, ChipClock(start, period), (track.low_hz, track.high_hz), tolerance=tolerance
        )

    def at_once(self, baseband: ComplexArray, track: Track, n_chips: int) -> SoftChips:
        """Detect chips where the line lies that they draw at the chip rate (``clock_line``).

        Args:
            baseband: complex64 [n].
            track: locked at the pattern's start; followed where there are too few chips to draw a line.
            n_chips: how many are wanted.
        """
        start, period = track.clock.start, track.clock.period
        first, last = self._window(start, period, math.ceil(n_chips * (1.0 + _RATE_SLACK)), baseband.size)
        sums = self._sums(baseband[first:last], track.low_hz, track.high_hz)
        starts = chip_starts(sums, start + SUM_DELAY_SAMPLES - first, period, self._signs.size, n_chips)
        if starts is None:
            return track.chips(n_chips)
        values = soft_chips(sums, starts, mean_period(starts))
        return SoftChips(values, starts + (first - SUM_DELAY_SAMPLES), track.low_hz, track.high_hz)

    def measure_tones(self, baseband: ComplexArray, chips: SoftChips) -> tuple[float, float]:
        """Measure both tones over all detected chips, by how the halves turn: low and high in Hz."""
        if chips.starts.size < 2:
            return chips.low_hz, chips.high_hz
        period = float(chips.starts[-1] - chips.starts[0]) / (chips.starts.size - 1)
        first = max(0, int(chips.starts[0]) - 1)
        sums = self._sums(
            baseband[first : math.ceil(chips.starts[-1] + period) + 2], chips.low_hz, chips.high_hz
        )
        starts = chips.starts + (SUM_DELAY_SAMPLES - first)
        low, high = turns(sums, starts, period, chips.values > 0)
        return (
            chips.low_hz + self._rate_hz * min(max(low, -self._most_pull), self._most_pull),
            chips.high_hz + self._rate_hz * min(max(high, -self._most_pull), self._most_pull),
        )

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

    def _settled(self, baseband: ComplexArray, track: Track) -> Track:
        """Take the rate from the chips behind the pattern, where theirs is another one and they fit better.

        A weak pattern errs by 1 % of the rate and more: a clock that starts so wrong slips some chips
        before it runs true, and all that follows is displaced. Where it runs true it tells the rate.
        """
        n_pattern, clock = self._signs.size, track.clock
        chips = track.chips(n_pattern + _SETTLING_CHIPS)
        if chips.starts.size < n_pattern + _SETTLED_CHIPS:
            return track
        period = mean_period(chips.starts[-_SETTLED_CHIPS:])
        early = clock.start - _FARTHEST_CHIPS * clock.period
        first, last = self._window(early, clock.period, n_pattern + 2 * _FARTHEST_CHIPS + 1, baseband.size)
        middle = clock.start + SUM_DELAY_SAMPLES - first + 0.5 * n_pattern * clock.period
        shift = nearby_pattern(
            baseband[first:last],
            (track.low_hz / self._rate_hz, track.high_hz / self._rate_hz),
            middle,
            period,
            self._signs,
            _FARTHEST_CHIPS,
            _SETTLING_STEPS,
        )
        if abs(period / clock.period - 1.0) < _SETTLED_RATE and abs(shift) < _SAME_PLACE_CHIPS:
            return track
        start = middle + (shift - 0.5 * n_pattern) * period
        other = self.follow(
            baseband, ChipClock(start + first - SUM_DELAY_SAMPLES, period), (track.low_hz, track.high_hz)
        )
        again = other.chips(chips.values.size)
        as_good = 1.0 if abs(shift) < _SAME_PLACE_CHIPS else _AS_GOOD_ELSEWHERE
        fits = np.abs(again.values).sum() > as_good * np.abs(chips.values).sum()
        return other if fits else track

    def _fit_periods(self, rate_error: float) -> DoubleArray:
        """Give the periods to choose from about one of the search's rates; there are few of those."""
        if rate_error not in self._periods:
            most = _MOST_ERROR * self._tolerance
            errors = np.minimum(np.maximum(rate_error + self._fit_rates, -most), most)
            self._periods[rate_error] = self._samples_per_chip / (1.0 + errors)
        return self._periods[rate_error]

    def _window(self, start: float, period: float, n_chips: int, size: int) -> tuple[int, int]:
        """First baseband sample that chips from a start on need, and the one behind the last."""
        first = max(0, math.floor(start - period))
        last = min(size, math.ceil(start + (n_chips + 2) * period) + 2)
        return first, max(first, last)

    def _sums(self, segment: ComplexArray, low_hz: float, high_hz: float) -> PhasorArray:
        return tone_sums(segment, low_hz / self._rate_hz, high_hz / self._rate_hz)
