"""Carrier and deviation of a burst, by the advance of its phase from chip to chip.

    c[k]       chip k matched to the shape of the symbols decided around it
    turn       Σ c[k+1] · conj(c[k] · advance[k])

The deviation, and whether chips are Gaussian, is what makes |turn| greatest; its angle is the
carrier's error. Both are averages over all chips, so a wrong decision in ten hardly matters.
A second look, at decisions that are nearly all right, chains the phases of several chips and
reads carrier and drift from the angles between such groups.

Against noise alone the carrier of 500 chips at Ec/N0 = 8 dB comes out to 0.1 % of the chip
rate by single steps, to 0.01 % by groups; the deviation to 1 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.chip_shapes import ChipShapes, cut_chips
from dsp.modes import PhyMode
from dsp.plan import Channel
from dsp.selection import median
from dsp.waveform_fit import solve_normal

_COARSE_STEPS = (4, 2, 1)  # of deviations tried
_COARSE_INDEX = 0.25  # modulation index that such a step may be, so that none is beyond the maximum's sides
_DEVIATION_STEPS = 17  # from a little below to a little above what is permitted
_LEAST_CHIPS = 8  # fewer tell nothing of carrier and deviation
_GROUP_CHIPS = 8
_DEVIATION_IS_KNOWN = 180.0  # weight of the first look: (8° a step by noise / 0.6° a level by 300 Hz)²
_LEAST_GROUPS = 8  # fewer cannot tell a jump from a slope
_STEP_SPREAD = 0.25  # radians from group to group that noise explains
_ROBUST_PASSES = 3
_NOISE = 0.1  # radians that noise adds to the phase of a group, at Ec/N0 = 8 dB
_WALK = 0.05  # radians that phase noise adds from group to group
_JUMP = 0.35  # steps beyond are a wrong chip's
# expected slope, bend (1 kHz in 500 chips) and excess of a level (300 Hz of 100 kcps), as 1 / radians²
_PRIOR = np.array([0.0, 1.0 / 0.004**2, 1.0 / 0.02**2])


@dataclass(frozen=True, slots=True)
class Tuning:
    """What coherent detection must know of a transmitter.

    Attributes:
        carrier: cycles per baseband sample from the channel's centre, at ``middle``.
        deviation_hz: peak deviation; negative for an inverted spectrum.
        drift: change of the carrier in cycles per sample, per sample.
        middle: the baseband sample that ``carrier`` belongs to.
        shape: which kind of chips, a number in ``Tuner.shapes``.
        coherence: how much of the chips' power goes on in phase from chip to chip, 0…1; of a burst in
            noise at Ec/N0 = 7 dB with a tenth of its chips wrong it is 0.7, of noise 0.1 to 0.3.
    """

    carrier: float
    deviation_hz: float
    drift: float = 0.0
    middle: float = 0.0
    shape: int = 0
    coherence: float = 1.0


@dataclass(frozen=True, slots=True)
class _Found:
    strength: float
    deviation_hz: float
    angle: float
    shape: int


class Tuner:
    """Measures the transmitters of one air interface.

    Args:
        channel: gives the baseband rate.
        row: gives modulation and deviation limits.

    Attributes:
        shapes: the kinds of chips told apart. Transmitters of two-level rows do or do not filter.
    """

    def __init__(self, channel: Channel, row: PhyMode) -> None:
        self._rate_hz = channel.baseband_rate_hz
        self._samples_per_chip = channel.samples_per_chip
        self._chip_rate_hz = row.chip_rate_hz
        self._typical_hz = row.deviation.typical_hz
        limits = row.deviation
        kinds = (None, 0.5) if row.bits_per_chip == 1 else (row.bandwidth_time,)
        self.shapes = tuple(ChipShapes(row, channel.samples_per_chip, kind) for kind in kinds)
        self._usual = kinds.index(row.bandwidth_time)
        self._candidates_hz = np.linspace(0.8 * limits.min_hz, 1.2 * limits.max_hz, _DEVIATION_STEPS)
        index = 2.0 * float(self._candidates_hz[1] - self._candidates_hz[0]) / row.chip_rate_hz
        self._coarse_step = next((n for n in _COARSE_STEPS if n * index <= _COARSE_INDEX), 1)

    def by_tones(self, low_hz: float, high_hz: float, middle: float) -> Tuning:
        """Take what tones say, with the usual deviation and kind of chips: a start for ``tune``.

        Args:
            low_hz: tone of chip 0 from the channel's centre.
            high_hz: tone of chip 1.
            middle: baseband sample about which drift turns.
        """
        carrier = (low_hz + high_hz) / (2.0 * self._rate_hz)
        sign = 1.0 if high_hz > low_hz else -1.0
        return Tuning(carrier, sign * self._typical_hz, middle=middle, shape=self._usual)

    def tune(
        self,
        baseband: ComplexArray,
        starts: DoubleArray,
        symbols: IndexArray,
        tuning: Tuning,
        *,
        sure: bool = False,
    ) -> Tuning:
        """Measure on decided chips.

        Args:
            baseband: complex64 [n].
            starts: chip starts in baseband samples float64 [k].
            symbols: decided symbols int64, or the known ones; may be fewer than the starts.
            tuning: to start from. Its carrier may be off by a few hundredths of the chip rate.
            sure: hardly a symbol is wrong: read the deviation from the chain of phases, too.
        """
        samples, fractions = cut_chips(
            baseband,
            starts[: symbols.size],
            self._samples_per_chip,
            tuning.carrier,
            tuning.drift,
            tuning.middle,
        )
        n = fractions.size
        if n < _LEAST_CHIPS:
            return tuning
        sign = math.copysign(1.0, tuning.deviation_hz)
        if sign < 0.0:
            samples = samples.conj()
        found = max(
            (self._deviation(samples, fractions, symbols[:n], kind) for kind in range(len(self.shapes))),
            key=lambda f: f.strength,
        )
        contexts = self.shapes[found.shape].contexts_of(symbols[:n])
        bank, advance = self.shapes[found.shape].bank(found.deviation_hz)
        matched = np.empty(n, dtype=np.complex64)
        _chain(samples, fractions, contexts, bank, advance * np.complex64(np.exp(1j * found.angle)), matched)
        angle, bend, excess = _fit_chain(matched, self.shapes[found.shape].levels[symbols[:n]], sure)
        turn = sign / (2.0 * math.pi * self._samples_per_chip)
        return Tuning(
            carrier=tuning.carrier + turn * (found.angle + angle),
            deviation_hz=sign * (found.deviation_hz + excess * self._chip_rate_hz / (2.0 * math.pi)),
            drift=tuning.drift + turn * bend / self._samples_per_chip,
            middle=tuning.middle,
            shape=found.shape,
            coherence=_coherence(matched),
        )

    def _deviation(
        self, samples: ComplexArray, fractions: IndexArray, symbols: IndexArray, kind: int
    ) -> _Found:
        """Deviation that makes chips of one kind fit best, and the phase that each chip turns beside it."""
        banks, advances = self._candidate_banks[kind]
        turns = np.zeros(len(banks), dtype=np.complex128)
        contexts = self.shapes[kind].contexts_of(symbols)
        best = int(_strongest(samples, fractions, contexts, banks, advances, self._coarse_step, turns))
        strength = np.abs(turns)
        deviation_hz = _parabola_peak(self._candidates_hz, strength, best)
        return _Found(float(strength[best]), deviation_hz, float(np.angle(turns[best])), kind)

    @cached_property
    def _candidate_banks(self) -> list[tuple[ComplexArray, ComplexArray]]:
        found = []
        for shapes in self.shapes:
            banks = [shapes.bank(float(deviation_hz)) for deviation_hz in self._candidates_hz]
            found.append((np.stack([shape for shape, _ in banks]), np.stack([turn for _, turn in banks])))
        return found


def _parabola_peak(x: DoubleArray, y: DoubleArray, best: int) -> float:
    """Abscissa of the parabola through the greatest of equally spaced points and its neighbours."""
    if best in (0, x.size - 1):
        return float(x[best])
    left, middle, right = y[best - 1 : best + 2]
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    return float(x[best] + shift * (x[1] - x[0]))


def _coherence(matched: ComplexArray) -> float:
    """Share of the power of a chain of chips that goes on in phase from each to the next."""
    power = float(np.vdot(matched, matched).real)
    return float(abs(np.vdot(matched[:-1], matched[1:]))) / (power + 1e-30)


def _fit_chain(matched: ComplexArray, levels: FloatArray, sure: bool) -> tuple[float, float, float]:
    """Fit the phases of a chain of chips, in groups.

    Returns:
        What each chip turns too much: in the middle, how that changes from chip to chip, and for
        each unit of its level (0 unless ``sure``: a wrong level turns the chain as well).
    """
    n_groups = matched.size // _GROUP_CHIPS
    if n_groups < _LEAST_GROUPS:
        return 0.0, 0.0, 0.0
    n_terms = 3 if sure else 2
    # a wrong level or phase noise moves all that follows, noise one group: steps, with what they share
    terms = np.empty((n_groups - 1, n_terms))
    steps = np.empty(n_groups - 1)
    _steps(matched, levels, _GROUP_CHIPS, terms, steps)
    fit = np.empty(n_terms)
    _fit_steps(terms, steps, _PRIOR, fit)
    slope, bend, *excess = fit.tolist()
    return slope / _GROUP_CHIPS, 2.0 * bend / _GROUP_CHIPS**2, excess[0] if excess else 0.0


@kernel
def _fit_steps(terms, steps, prior, fit):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fit the terms to steps, those that are off the less, in passes."""
    n, n_terms = terms.shape
    off = steps - median(steps)
    weighted = np.empty_like(terms)
    square = np.empty((n_terms, n_terms))
    right = np.empty(n_terms)
    walk = np.empty(n)
    for _ in range(_ROBUST_PASSES):
        for i in range(n):
            walk[i] = max(off[i] * off[i] - _JUMP * _JUMP, 0.0) + _WALK * _WALK
        _solve_steps(walk, _NOISE * _NOISE, terms, weighted)
        for a in range(n_terms):
            right[a] = 0.0
            for i in range(n):
                right[a] += weighted[i, a] * steps[i]
            for b in range(n_terms):
                square[a, b] = prior[a] if a == b else 0.0
                for i in range(n):
                    square[a, b] += weighted[i, a] * terms[i, b]
        solve_normal(square, right, fit)
        for i in range(n):
            off[i] = steps[i]
            for a in range(n_terms):
                off[i] -= terms[i, a] * fit[a]


@kernel
def _steps(matched, levels, group, terms, steps):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Turn of the phase from group to group, and what slope, bend and excess of a level add to it."""
    turned = 0.0  # up to each chip's middle
    before = complex(0.0, 0.0)
    turned_before = 0.0
    for g in range(steps.size + 1):
        total = complex(0.0, 0.0)
        mean = 0.0
        for k in range(g * group, (g + 1) * group):
            total += matched[k]
            mean += (turned + 0.5 * levels[k]) / group
            turned += levels[k]
        if g > 0:
            turn = total * np.conj(before)
            steps[g - 1] = np.arctan2(turn.imag, turn.real)
            terms[g - 1, 0] = 1.0
            terms[g - 1, 1] = 2.0 * g - 1.0 - steps.size  # of (g − middle)²
            if terms.shape[1] > 2:
                terms[g - 1, 2] = mean - turned_before
        before = total
        turned_before = mean


@kernel
def _solve_steps(walk, noise, right, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Divide by the covariance of steps: ``walk`` each, and ``noise`` shared with both neighbours."""
    n = walk.size
    pivot = np.empty(n)
    pivot[0] = walk[0] + 2.0 * noise
    out[0] = right[0]
    for i in range(1, n):
        part = -noise / pivot[i - 1]
        pivot[i] = walk[i] + 2.0 * noise + part * noise
        out[i] = right[i] - part * out[i - 1]
    out[n - 1] /= pivot[n - 1]
    for i in range(n - 2, -1, -1):
        out[i] = (out[i] + noise * out[i + 1]) / pivot[i]


@kernel
def _chain(samples, fractions, contexts, bank, advance, matched):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Match chips as decided, and take off the phase that their predecessors turned."""
    phase = np.complex64(1.0)
    for k in range(samples.shape[0]):
        shape = bank[fractions[k], contexts[k]]
        total = np.complex64(0.0)
        for i in range(samples.shape[1]):
            total += samples[k, i] * np.conj(shape[i])
        matched[k] = total * np.conj(phase)
        phase *= advance[contexts[k]]
        phase /= abs(phase)


@kernel
def _strongest(samples, fractions, contexts, banks, advances, step, turns):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Find the candidate deviation whose phase advances add up to most: every ``step``-th, then between.

    The length of the sum has one maximum as far as a chip's turn is below a half. Turns of the best one
    and its neighbours are filled in.
    """
    best = 0
    for candidate in range(0, turns.size, step):
        turns[candidate] = _turn(samples, fractions, contexts, banks[candidate], advances[candidate])
        if abs(turns[candidate]) > abs(turns[best]):
            best = candidate
    while step > 1:
        step //= 2
        middle = best
        for candidate in (middle - step, middle + step):
            if 0 <= candidate < turns.size:
                turns[candidate] = _turn(samples, fractions, contexts, banks[candidate], advances[candidate])
                if abs(turns[candidate]) > abs(turns[best]):
                    best = candidate
    return best


@kernel
def _turn(samples, fractions, contexts, bank, advance):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Sum the phase advance from chip to chip over a burst."""
    n, width = samples.shape
    total = complex(0.0, 0.0)
    expected = complex(0.0, 0.0)
    for k in range(n):
        shape = bank[fractions[k], contexts[k]]
        re = np.float32(0.0)
        im = np.float32(0.0)
        for i in range(width):
            x, s = samples[k, i], shape[i]
            re += x.real * s.real + x.imag * s.imag
            im += x.imag * s.real - x.real * s.imag
        c = complex(re, im)
        total += c * np.conj(expected)
        expected = c * advance[contexts[k]]
    return total
