"""Code words of Gaussian chips: each chip matched to its waveform among its neighbours.

    c[k, ctx]      chip k, carrier off, matched to the shape of context ctx (``chip_shapes``)
    p[k]           as decided, the phase of all chips before taken off
    s[w]           Σ c · e^−jψ over word w and one chip on either side, which it reaches into
    word metric    Re( conj(p around the word, forgotten with a memory of twelve chips) · s[w] )

A Gaussian filter of BT 0.5 rounds the corners of the phase by 0.6 radians at h = 1 and by 2 at
h = 3: a chip that is matched to one tone loses a tenth or half of itself. The word detector reads
such a burst well enough to know most chips; on those, plain and Gaussian shapes are compared by
how long the sum of their steps of phase is, and the words decided again where Gaussian chips fit
better; where the word detector lost the phase, from what one chip at a time gave. What comes out is
within 0.7 dB of a plain transmitter's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import BoolArray, ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.chip_shapes import ChipShapes
from dsp.modes import PhyMode
from dsp.smoothing import NOISE_MEMORY, to_costs

BANDWIDTH_TIME = 0.5
_DEVIATION_FACTORS = np.array([1.0, 1.14, 1.28])  # tones of Gaussian chips read low
TOLD_BY_CHIPS = 320
"""Chips that tell plain from Gaussian."""
_GROUP_CHIPS = 8  # whose phase is compared with that of the next: words turn it by nothing
_PASSES = 2
_SWEEPS = 2  # words decided from their neighbours, and those from them


@dataclass(frozen=True, slots=True)
class Fit:
    """How well chips fit a burst.

    Attributes:
        plain: length of the sum of steps of phase, matched to plain chips.
        gaussian: the same of Gaussian ones.
        deviation: with which Gaussian chips fit best, in cycles a sample.
    """

    plain: float
    gaussian: float
    deviation: float


class GaussianWords:
    """Decides the words of one air interface's Gaussian transmitters.

    Args:
        row: gives chip rate and levels.
        samples_per_chip: of the baseband.
        words: chips of each code word int64 [words, chips].
        memory: of the phase, for a chip.
    """

    def __init__(self, row: PhyMode, samples_per_chip: int, words: IndexArray, memory: float) -> None:
        self._samples_per_chip = samples_per_chip
        self._chip_rate_hz = row.chip_rate_hz
        self._words = words
        self._memory = memory
        self._plain = ChipShapes(row, samples_per_chip, None)
        self._gaussian = ChipShapes(row, samples_per_chip, BANDWIDTH_TIME)

    def fit(
        self, samples: ComplexArray, starts: DoubleArray, period: float, decided: BoolArray, tones: float
    ) -> Fit:
        """Tell how well plain and Gaussian chips fit, and the deviation of Gaussian ones.

        Args:
            samples: complex64 [n] around the burst, its carrier taken off.
            starts: of chips, in these samples float64 [k].
            period: samples a chip.
            decided: chips bool [k]; most of them right.
            tones: deviation that the tones say, in cycles a sample; negative for an inverted spectrum.
        """
        symbols, starts = decided[:TOLD_BY_CHIPS].astype(np.int64), starts[:TOLD_BY_CHIPS]
        plain = abs(self._turn(self._plain, samples, starts, period, symbols, tones))
        sizes = np.array(
            [
                abs(self._turn(self._gaussian, samples, starts, period, symbols, factor * tones))
                for factor in _DEVIATION_FACTORS
            ]
        )
        best = int(np.argmax(sizes))
        return Fit(plain, float(sizes[best]), float(_DEVIATION_FACTORS[best]) * tones)

    def decide(
        self,
        samples: ComplexArray,
        starts: DoubleArray,
        period: float,
        decided: BoolArray,
        n_known: int,
        deviation: float,
    ) -> tuple[IndexArray, FloatArray]:
        """Decide the words behind the known chips.

        Args:
            samples: complex64 [n] around the burst, its carrier taken off.
            starts: of chips, in these samples float64 [k].
            period: samples a chip.
            decided: chips bool [k], whole words behind ``n_known``.
            n_known: chips of the sync pattern.
            deviation: in cycles a sample.

        Returns:
            Words chosen int64 [places], and how much likelier each is than every other one, as
            logarithms, float32 [places, words].
        """
        n_words, length = self._words.shape
        places = (decided.size - n_known) // length
        chosen = np.zeros(places, dtype=np.int64)
        leads = np.empty((places, n_words), dtype=np.float32)
        symbols = decided.astype(np.int64)
        for _ in range(_PASSES):
            table, advance = self._table(self._gaussian, deviation * period)
            c = np.empty((starts.size, advance.size), dtype=np.complex64)
            _match(samples, starts, period, table, c)
            contexts = self._gaussian.contexts_of(symbols)
            carrier, excess = _tone_errors(c, advance, symbols, contexts)
            carrier += _left_over(c, advance, contexts, carrier, _GROUP_CHIPS)
            c *= np.exp(-1j * carrier * (np.arange(starts.size) + 0.5)).astype(np.complex64)[:, None]
            deviation += excess / (2.0 * np.pi * period)
            for _ in range(_SWEEPS):
                _decide(
                    c,
                    advance,
                    self._words,
                    n_known,
                    self._memory,
                    NOISE_MEMORY**length,
                    symbols,
                    chosen,
                    leads,
                )
                symbols[n_known:] = self._words[chosen].ravel()
        return chosen, leads

    def _table(self, shapes: ChipShapes, index: float) -> tuple[ComplexArray, ComplexArray]:
        """Shapes [contexts, places in a chip] and advances [contexts] of a deviation in cycles a chip."""
        bank, advance = shapes.bank(index * self._chip_rate_hz)
        # a fraction of a sample, in ``FRACTIONS``, is the finer part of a place
        return np.ascontiguousarray(bank.transpose(1, 2, 0)).reshape(advance.size, -1), advance

    def _turn(
        self,
        shapes: ChipShapes,
        samples: ComplexArray,
        starts: DoubleArray,
        period: float,
        symbols: IndexArray,
        deviation: float,
    ) -> complex:
        table, advance = self._table(shapes, deviation * period)
        return complex(_turn(samples, starts, period, table, advance, shapes.contexts_of(symbols)))


@kernel
def _matched(samples, start, period, shape):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Match one chip; 0 where it does not lie inside."""
    first = int(np.ceil(start))
    stop = int(np.ceil(start + period))
    total = complex(0.0, 0.0)
    if first < 0 or stop > samples.size:
        return total
    scale = shape.size / period
    for n in range(first, stop):
        total += samples[n] * np.conj(shape[min(int((n - start) * scale), shape.size - 1)])
    return total


@kernel
def _match(samples, starts, period, table, c):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(starts.size):
        for ctx in range(table.shape[0]):
            c[k, ctx] = _matched(samples, starts[k], period, table[ctx])


@kernel
def _turn(samples, starts, period, table, advance, contexts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Sum of the steps of phase from chip to chip beside what the chips turn themselves."""
    total = complex(0.0, 0.0)
    expected = complex(0.0, 0.0)
    for k in range(starts.size):
        c = _matched(samples, starts[k], period, table[contexts[k]])
        total += c * np.conj(expected)
        expected = c * advance[contexts[k]]
    return total


@kernel
def _tone_errors(c, advance, symbols, contexts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Measure what a chip turns too much, and what for each unit of its level, in radians, step by step."""
    low = complex(0.0, 0.0)
    high = complex(0.0, 0.0)
    mixed = complex(0.0, 0.0)
    for k in range(symbols.size - 1):
        step = c[k + 1, contexts[k + 1]] * np.conj(c[k, contexts[k]] * advance[contexts[k]])
        if symbols[k] != symbols[k + 1]:
            mixed += step
        elif symbols[k]:
            high += step
        else:
            low += step
    # high turns by carrier + excess, low by carrier - excess, mixed by carrier: least squares
    w_low, w_high, w_mixed = abs(low), abs(high), abs(mixed)
    a_low, a_high = np.arctan2(low.imag, low.real), np.arctan2(high.imag, high.real)
    a_mixed = np.arctan2(mixed.imag, mixed.real)
    ww = w_low + w_high
    carrier = 2.0 * w_low * w_high * (a_low + a_high) + ww * w_mixed * a_mixed
    carrier /= 4.0 * w_low * w_high + ww * w_mixed + 1e-30
    excess = (w_high * (a_high - carrier) - w_low * (a_low - carrier)) / (ww + 1e-30)
    return carrier, excess


@kernel
def _left_over(c, advance, contexts, carrier, group):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Measure what a chip still turns too much from the phases of groups of chips, as decided."""
    turn = complex(np.cos(carrier), -np.sin(carrier))
    back = complex(1.0, 0.0)
    before = complex(0.0, 0.0)
    total = complex(0.0, 0.0)
    for g in range(contexts.size // group):
        here = complex(0.0, 0.0)
        for k in range(g * group, (g + 1) * group):
            here += c[k, contexts[k]] * back
            back *= np.conj(advance[contexts[k]]) * turn
            back /= abs(back)
        total += here * np.conj(before)
        before = here
    return np.arctan2(total.imag, total.real) / group


@kernel
def _context(symbols, k):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return (symbols[max(k - 1, 0)] * 2 + symbols[k]) * 2 + symbols[min(k + 1, symbols.size - 1)]


@kernel
def _decide(c, advance, words, n_known, memory, noise_memory, symbols, chosen, leads):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Choose a word for each place among its decided neighbours; leads: logarithms of likelihood ratios."""
    n = symbols.size
    n_words, length = words.shape
    turned = np.empty(n + 1, dtype=np.complex128)
    turned[0] = 1.0
    p = np.empty(n, dtype=np.complex128)
    for k in range(n):
        ctx = _context(symbols, k)
        p[k] = c[k, ctx] * np.conj(turned[k])
        phase = turned[k] * advance[ctx]
        turned[k + 1] = phase / abs(phase)
    before = np.zeros(n + 1, dtype=np.complex128)
    behind = np.zeros(n + 2, dtype=np.complex128)
    for k in range(n):
        before[k + 1] = memory * before[k] + p[k]
    for k in range(n - 1, -1, -1):
        behind[k] = memory * behind[k + 1] + p[k]
    places = chosen.size
    along = np.zeros(places)
    across = np.zeros(places)
    own = np.empty(length + 4, dtype=np.int64)  # a word with two chips on either side
    for place in range(places):
        first = n_known + place * length - 1
        last = min(first + length + 2, n)
        reference = (before[first] + behind[last]) * turned[first]
        reference /= abs(reference) + 1e-30
        for i in range(length + 4):
            own[i] = symbols[min(first - 1 + i, n - 1)]
        best = -1e300
        for w in range(n_words):
            own[2 : 2 + length] = words[w]
            if last == n:  # nothing is behind: the end repeats itself
                own[2 + length :] = words[w, length - 1]
            total = complex(0.0, 0.0)
            phase = complex(1.0, 0.0)
            for k in range(first, last):
                ctx = (own[k - first] * 2 + own[k - first + 1]) * 2 + own[k - first + 2]
                total += c[k, ctx] * np.conj(phase)
                phase *= advance[ctx]
            z = total * np.conj(reference)
            leads[place, w] = z.real
            if z.real > best:
                best = z.real
                chosen[place] = w
                along[place] = z.real
                across[place] = z.imag * z.imag
    to_costs(leads, chosen, along, across, noise_memory)
