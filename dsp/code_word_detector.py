"""Coherent detection of balanced code words: 3-of-6 words and Manchester bits as wholes.

    S_f(t)        running sum at tone f
    y_b[k]        (S_f(t_k + T) − S_f(t_k)) · e^{j2πf t_k}     chip k against tone b, phase at its start
    s[w]          Σ_j y_{b_j}[j] · e^{−jψ_w[j]}                word w; ψ: what it has turned before chip j
    reference     the same sums of the words before and behind, forgotten with a memory of twelve chips
    word metric   Re( conj(reference) · s[w] )

A word of either code holds as many ones as zeros, so it turns the phase by the same angle
whatever it says. References can therefore be carried from word to word without a trellis, and
16 (or 2) hypotheses a word are all there are. Words are decided by what came before, then again
by both sides, which is blind to a slow drift of the carrier. This is worth 1 dB over adding up
envelopes, and 0.3 dB from a phase that is known.

Tones are refined by how the phase advances from chip to chip. Chip starts are smoothed by a
cubic, then moved to where both tones have the same phase, since a phase is turned by
2π·deviation·error of the start: at 65 kHz and 32.768 kcps that is worth 1.1 dB. It comes out to
about 0.05 radians at Ec/N0 = 7 dB.

Words of Gaussian transmitters are decided once more by ``gaussian_words``.

Costs of other words are logarithms of likelihood ratios: times the mean of the decided words'
sums along the reference, over their variance across, both over some thirty chips on each side,
so that a part beneath another burst is known to be unsure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import BoolArray, ComplexArray, DoubleArray, FloatArray, IndexArray, PhasorArray
from dsp.chip_detector import SoftChips
from dsp.encoder import chip_string
from dsp.gaussian_words import TOLD_BY_CHIPS, GaussianWords
from dsp.line_code import code_words
from dsp.modes import PhyMode
from dsp.plan import Channel
from dsp.repair import NO_ALTERNATIVES, Alternatives, cheapest
from dsp.smoothing import NOISE_MEMORY, to_costs
from dsp.tone_sums import SUM_DELAY_SAMPLES, match, tone_sums
from dsp.waveform_fit import draw, solve

_MEMORY_PER_CHIP = 0.92
_TUNING_PASSES = 2
_GROUP_CHIPS = 24  # over which both tones are compared
_LEAST_GROUPS = 6  # fewer do not bear a cubic
_LEAST_TONE_DISTANCE = 1e-3  # cycles a sample
_MOST_ALTERNATIVES = 192
_LOST = 0.2  # share of chips decided otherwise than at first: the phase was lost, at the limit it is 0.05
_DEAREST = 20.0  # words less likely than e^-20 are none


@dataclass(frozen=True, slots=True)
class _Guess:
    """What one look at a burst gave: chip starts, chips, and both tones in cycles a sample."""

    starts: DoubleArray
    decided: BoolArray
    low: float
    high: float

    @property
    def apart(self) -> float:
        """Deviation that the tones say."""
        return 0.5 * (self.high - self.low)

    def samples(
        self, baseband: ComplexArray, period: float, n_chips: int
    ) -> tuple[ComplexArray, DoubleArray]:
        """Cut out the first chips and take the carrier off; give the starts of all chips in what is cut."""
        first = max(0, int(self.starts[0]) - 1)
        piece = baseband[first : first + int(self.starts[:n_chips][-1] - first + period) + 3]
        shifted = np.empty_like(piece)
        _take_carrier_off(piece, 0.5 * (self.low + self.high), shifted)
        return shifted, self.starts - first


class CodeWordDetector:
    """Detects the words of one air interface.

    Args:
        channel: gives the baseband rate and the sync pattern.
        row: gives the line code.
    """

    def __init__(self, channel: Channel, row: PhyMode) -> None:
        self._rate_hz = channel.baseband_rate_hz
        self._known = chip_string(channel.pattern) == 1
        self._words = code_words(row.line_code).astype(np.int64)
        self._signs: FloatArray = (2.0 * self._words.T - 1.0).astype(np.float32)
        self._gaussian = GaussianWords(row, channel.samples_per_chip, self._words, _MEMORY_PER_CHIP)

    def detect(self, baseband: ComplexArray, chips: SoftChips) -> tuple[SoftChips, Alternatives]:
        """Decide the words behind the sync pattern anew.

        Args:
            baseband: complex64 [n].
            chips: the noncoherent detector's chips from the pattern's start on.

        Returns:
            Chips of the most likely words, each chip as certain as its word's lead over the next
            best, as many as there are whole words, with the refined tones; and other words.
        """
        n_known, length = self._known.size, self._words.shape[1]
        n_words = (chips.values.size - n_known) // length
        n_chips = n_known + max(n_words, 0) * length
        if n_words <= 0:
            return chips, NO_ALTERNATIVES
        starts, period = _smooth(chips.starts, n_chips)
        decided = np.empty(n_chips, dtype=np.bool_)
        decided[:n_known] = self._known
        soft = chips.values[n_known:n_chips].reshape(n_words, length)
        decided[n_known:] = self._words[np.argmax(soft @ self._signs, axis=1)].ravel() == 1
        low, high = chips.low_hz / self._rate_hz, chips.high_hz / self._rate_hz
        noncoherent = _Guess(starts, decided.copy(), low, high)
        sums = np.empty((n_words, len(self._words)), dtype=np.complex64)
        leads = np.empty((n_words, len(self._words)), dtype=np.float32)
        chosen = np.empty(n_words, dtype=np.int64)
        for _ in range(_TUNING_PASSES):
            y = _chip_phasors(baseband, starts, period, low, high)
            low_error, high_error = _tone_errors(y, decided, period, low, high)
            low, high = low + low_error, high + high_error
            # filters as long as a chip hardly mind the correction; their phase, half a chip on, does
            half_turns = np.pi * float(period.mean()) * np.array([[low_error], [high_error]])
            y *= np.exp(-1j * half_turns)
            late = _lateness(y, decided, period, low, high)
            _turn(y, late, low, high)
            starts = starts + late
            period = period + _slope(late)
            header = _word_sums(y, period, low, high, self._words, self._known, _MEMORY_PER_CHIP, sums)
            balance = (low + high) * period[n_known::length] * (length // 2)
            _decide(sums, header, balance, _MEMORY_PER_CHIP**length, NOISE_MEMORY**length, chosen, leads)
            decided[n_known:] = self._words[chosen].ravel() == 1
        guesses = [_Guess(starts, decided, low, high)]
        if np.count_nonzero(decided != noncoherent.decided) > _LOST * n_chips:
            guesses.append(noncoherent)
        last = self._decide_gaussian(baseband, float(period.mean()), guesses, chosen, leads)
        decided[n_known:] = self._words[chosen].ravel() == 1
        values = np.ones(n_chips, dtype=np.float32)
        _certainties(leads, chosen, values[n_known:].reshape(n_words, length))
        values[~decided] *= np.float32(-1.0)
        found = SoftChips(values, last.starts, last.low * self._rate_hz, last.high * self._rate_hz)
        return found, self._others(chosen, leads)

    def _decide_gaussian(
        self,
        baseband: ComplexArray,
        period: float,
        guesses: list[_Guess],
        chosen: IndexArray,
        leads: FloatArray,
    ) -> _Guess:
        """Decide the words anew where Gaussian chips fit better; return the guess that words come from."""
        fits = []
        for guess in guesses:
            samples, starts = guess.samples(baseband, period, TOLD_BY_CHIPS)
            fits.append(self._gaussian.fit(samples, starts, period, guess.decided, guess.apart))
        best = max(range(len(fits)), key=lambda i: fits[i].gaussian)
        if fits[best].gaussian <= max(fit.plain for fit in fits):
            return guesses[0]
        guess, deviation = guesses[best], fits[best].deviation
        samples, starts = guess.samples(baseband, period, guess.starts.size)
        chosen[:], leads[:] = self._gaussian.decide(
            samples, starts, period, guess.decided, self._known.size, deviation
        )
        return guess

    def _others(self, chosen: IndexArray, leads: FloatArray) -> Alternatives:
        """Other words as changes of bits; a word's number is its bits."""
        width = (len(self._words) - 1).bit_length()
        word, other = np.nonzero((leads < _DEAREST) & (np.arange(len(self._words)) != chosen[:, None]))
        changes = (chosen[word] ^ other).astype(np.uint64)
        return cheapest(leads[word, other], width * (word + 1) - 1, changes, _MOST_ALTERNATIVES)


def _smooth(starts: DoubleArray, n_chips: int) -> tuple[DoubleArray, DoubleArray]:
    """Draw a cubic through tracked starts, for a clock that drifts gently: starts and lengths of chips."""
    smooth, period = np.empty(n_chips), np.empty(n_chips)
    _draw_cubic(starts, smooth, period)
    return smooth, period


def _chip_phasors(
    baseband: ComplexArray, starts: DoubleArray, period: DoubleArray, low: float, high: float
) -> PhasorArray:
    """Match each chip to both tones: complex128 [2, chips], phase as at the chip's start."""
    first = max(0, int(starts[0]) - 2)
    sums = tone_sums(baseband[first : int(starts[-1] + period[-1]) + 4], low, high)
    y = match(sums, starts + (SUM_DELAY_SAMPLES - first), period)
    _turn(y, starts - first, low, high)
    return y


def _tone_errors(
    y: PhasorArray, decided: BoolArray, period: DoubleArray, low: float, high: float
) -> tuple[float, float]:
    """Error of each tone in cycles a sample, from the phase advance over the chips that sent it."""
    low_turn, high_turn = _advances(y, decided, period, low, high)
    per_chip = 2.0 * np.pi * float(period.mean())
    return float(low_turn) / per_chip, float(high_turn) / per_chip


def _lateness(
    y: PhasorArray, decided: BoolArray, period: DoubleArray, low: float, high: float
) -> DoubleArray:
    """How much later than thought each chip begins, in samples, from the phase between the tones.

    At a start both tones have the same phase; a chip that begins later has turned less of its own. A cubic
    is drawn through groups of chips; where they tell too little for one, it is kept within a chip.
    """
    n_groups = decided.size // _GROUP_CHIPS
    if n_groups < _LEAST_GROUPS:
        return np.zeros(decided.size)
    between = np.empty(n_groups, dtype=np.complex128)
    _tones_apart(y, decided, period, low, high, _GROUP_CHIPS, between)
    whole = between.sum()
    apart = np.angle(between * np.conj(whole)) + np.angle(whole)
    places = (np.arange(n_groups) + 0.5) * (2.0 * _GROUP_CHIPS / decided.size) - 1.0
    terms = np.vander(places, 4)
    weighted = np.abs(between)[:, None] * terms
    turn_per_sample = 2.0 * np.pi * max(high - low, _LEAST_TONE_DISTANCE)
    late = np.empty(decided.size)
    draw(solve(weighted.T @ terms, weighted.T @ apart)[::-1] / -turn_per_sample, np.inf, late)
    return np.clip(late, -period, period)


def _slope(y: DoubleArray) -> DoubleArray:
    """Change from element to element, half of it to either side."""
    slope = np.empty_like(y)
    slope[1:-1] = 0.5 * (y[2:] - y[:-2])
    slope[0], slope[-1] = y[1] - y[0], y[-1] - y[-2]
    return slope


@kernel
def _draw_cubic(starts, smooth, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fit a cubic by least squares; fill in its values and slopes, chip by chip.

    Over places that lie evenly about 0, even and odd powers are fitted apart from each other.
    """
    step = 2.0 / (starts.size - 1)
    s0, s2, s4, s6, y0, y1, y2, y3 = float(starts.size), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(starts.size):
        k = i * step - 1.0
        square = k * k
        s2 += square
        s4 += square * square
        s6 += square * square * square
        y0 += starts[i]
        y1 += k * starts[i]
        y2 += square * starts[i]
        y3 += square * k * starts[i]
    even, odd = s0 * s4 - s2 * s2, s2 * s6 - s4 * s4
    c0, c2 = (s4 * y0 - s2 * y2) / even, (s0 * y2 - s2 * y0) / even
    c1, c3 = (s6 * y1 - s4 * y3) / odd, (s2 * y3 - s4 * y1) / odd
    for i in range(smooth.size):
        k = i * step - 1.0
        square = k * k
        smooth[i] = c0 + c2 * square + k * (c1 + c3 * square)
        period[i] = step * (c1 + 2.0 * c2 * k + 3.0 * c3 * square)


@kernel
def _take_carrier_off(x, carrier, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    turn = complex(np.cos(2.0 * np.pi * carrier), -np.sin(2.0 * np.pi * carrier))
    phasor = complex(1.0, 0.0)
    for n in range(x.size):
        out[n] = x[n] * np.complex64(phasor)
        phasor *= turn


@kernel
def _certainties(leads, chosen, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Give each chip of a word its lead over the next best word."""
    for place in range(leads.shape[0]):
        least = np.float32(np.inf)
        for w in range(leads.shape[1]):
            if w != chosen[place]:
                least = min(least, leads[place, w])
        out[place] = least


@kernel
def _tones_apart(y, decided, period, low, high, group, between):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Phase of the high tone's chips over that of the low tone's, their turns taken off, group by group."""
    back = complex(1.0, 0.0)
    for g in range(between.size):
        sum_low = complex(0.0, 0.0)
        sum_high = complex(0.0, 0.0)
        for k in range(g * group, (g + 1) * group):
            if decided[k]:
                sum_high += y[1, k] * back
            else:
                sum_low += y[0, k] * back
            angle = -2.0 * np.pi * (high if decided[k] else low) * period[k]
            back *= complex(np.cos(angle), np.sin(angle))
        between[g] = sum_high * np.conj(sum_low)


@kernel
def _turn(y, t, low, high):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Turn the phasors of each tone on by the tone's turns in the time t[k], in samples."""
    for b in range(2):
        tone = high if b == 1 else low
        for k in range(t.size):
            turns = tone * t[k]
            angle = np.float32(2.0 * np.pi * (turns - np.floor(turns)))
            y[b, k] *= complex(np.cos(angle), np.sin(angle))


@kernel
def _advances(y, decided, period, low, high):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    sum_low = complex(0.0, 0.0)
    sum_high = complex(0.0, 0.0)
    for k in range(decided.size - 1):
        tone = high if decided[k] else low
        angle = -2.0 * np.pi * tone * period[k]
        now = y[1, k] if decided[k] else y[0, k]
        then = y[1, k + 1] if decided[k + 1] else y[0, k + 1]
        step = then * np.conj(now) * complex(np.cos(angle), np.sin(angle))
        if decided[k]:
            sum_high += step
        else:
            sum_low += step
    return np.arctan2(sum_low.imag, sum_low.real), np.arctan2(sum_high.imag, sum_high.real)


@kernel
def _word_sums(y, period, low, high, words, known, memory, sums):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Match every place to every word; return the reference that the known chips leave behind."""
    reference = complex(0.0, 0.0)
    for k in range(known.size):
        b = 1 if known[k] else 0
        advance = 2.0 * np.pi * (high if b == 1 else low) * period[k]
        reference = (memory * reference + y[b, k]) * complex(np.cos(advance), np.sin(advance))
    n_words, length = words.shape
    half = length // 2
    back = np.ones((2, half + 1), dtype=np.complex128)  # phase of so many chips of a tone, taken off
    for place in range(sums.shape[0]):
        start = known.size + place * length
        for b in range(2):
            angle = -2.0 * np.pi * (high if b == 1 else low) * period[start]
            one = complex(np.cos(angle), np.sin(angle))
            for i in range(half):
                back[b, i + 1] = back[b, i] * one
        for w in range(n_words):
            total = complex(0.0, 0.0)
            ones = 0
            for j in range(length):
                b = words[w, j]
                total += y[b, start + j] * back[1, ones] * back[0, j - ones]
                ones += b
            sums[place, w] = total
    return reference


@kernel
def _decide(sums, header, balance, memory, noise_memory, chosen, leads):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Choose a word for each place; leads: how much likelier than each other word, as logarithms."""
    n, n_words = sums.shape
    turned = np.empty(n, dtype=np.complex128)  # phase of all words before, taken off
    phase = complex(1.0, 0.0)
    for k in range(n):
        turned[k] = phase
        angle = -2.0 * np.pi * balance[k]
        phase *= complex(np.cos(angle), np.sin(angle))
    behind = np.zeros(n + 1, dtype=np.complex128)
    along = np.zeros(n)
    across = np.zeros(n)
    for both_sides in range(2):
        before = header
        for k in range(n):
            reference = (before + behind[k + 1]) * np.conj(turned[k])
            best = -1e300
            for w in range(n_words):
                metric = (sums[k, w] * np.conj(reference)).real
                leads[k, w] = metric / (abs(reference) + 1e-30)
                if metric > best:
                    best = metric
                    chosen[k] = w
            s = sums[k, chosen[k]]
            if both_sides:
                z = s * np.conj(reference) / (abs(reference) + 1e-30)
                along[k] = z.real
                across[k] = z.imag * z.imag
            before = memory * before + s * turned[k]
        if not both_sides:
            for k in range(n - 1, -1, -1):
                behind[k] = memory * behind[k + 1] + sums[k, chosen[k]] * turned[k]
    to_costs(leads, chosen, along, across, noise_memory)
