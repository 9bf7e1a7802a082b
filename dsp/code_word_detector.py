"""Coherent detection of balanced code words: 3-of-6 words and Manchester bits as wholes.

    S_f(t)        running sum at tone f
    y_b[k]        (S_f(t_k + T) − S_f(t_k)) · e^{j2πf t_k}     chip k against tone b, phase at its start
    ψ_w[j]        Σ_{i<j} 2π f_{b_i} T                          phase that word w has turned before chip j
    word metric   Re( conj(reference) · Σ_j y_{b_j}[k + j] · e^{−jψ_w[j]} )

A word of either code holds as many ones as zeros, so it turns the phase by the same angle
whatever it says. The reference can therefore be carried from word to word without a trellis,
with a memory of about twelve chips, and 16 (or 2) hypotheses a word are all there are. This
is worth 0.9 dB over adding up envelopes.

Tones are refined by how the phase advances from chip to chip, and chip starts are smoothed
by a cubic: a phase is turned by 2π·deviation·error of the start.
"""

from __future__ import annotations

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import BoolArray, ComplexArray, DoubleArray, FloatArray, IndexArray, PhasorArray
from dsp.chip_detector import SoftChips
from dsp.encoder import chip_string
from dsp.line_code import code_words
from dsp.modes import PhyMode
from dsp.plan import Channel
from dsp.repair import Alternative
from dsp.tone_sums import SUM_DELAY_SAMPLES, match, tone_sums

_MEMORY_PER_CHIP = 0.92
_TUNING_PASSES = 2
_MOST_ALTERNATIVES = 128


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
        width = (len(self._words) - 1).bit_length()
        self._bits_of = [
            [width - 1 - b for b in range(width) if difference >> b & 1] for difference in range(1 << width)
        ]

    def detect(self, baseband: ComplexArray, chips: SoftChips) -> tuple[SoftChips, list[Alternative]]:
        """Decide the words behind the sync pattern anew.

        Args:
            baseband: complex64 [n].
            chips: the noncoherent detector's chips from the pattern's start on.

        Returns:
            Chips of the most likely words, each chip as certain as its word's lead over the next
            best, as many as there are whole words, with the refined tones; and the next best words
            of the places that were least certain.
        """
        n_known, length = self._known.size, self._words.shape[1]
        n_words = (chips.values.size - n_known) // length
        n_chips = n_known + max(n_words, 0) * length
        if n_words <= 0:
            return chips, []
        starts, period = _smooth(chips.starts, n_chips)
        decided = chips.values[:n_chips] > 0
        decided[:n_known] = self._known
        low, high = chips.low_hz / self._rate_hz, chips.high_hz / self._rate_hz
        values = np.empty(n_chips, dtype=np.float32)
        choices = np.empty((n_words, 2), dtype=np.int64)
        for _ in range(_TUNING_PASSES):
            y = _chip_phasors(baseband, starts, period, low, high)
            low_error, high_error = _tone_errors(y, decided, period, low, high)
            low, high = low + low_error, high + high_error
            # filters as long as a chip hardly mind the correction; their phase, half a chip on, does
            half_turns = np.pi * float(period.mean()) * np.array([[low_error], [high_error]])
            y *= np.exp(-1j * half_turns)
            _decide(y, period, low, high, self._words, decided, n_known, _MEMORY_PER_CHIP, values, choices)
            decided = values > 0
        found = SoftChips(values, starts, low * self._rate_hz, high * self._rate_hz)
        return found, self._alternatives(np.abs(values[n_known::length]), choices)

    def _alternatives(self, leads: FloatArray, choices: IndexArray) -> list[Alternative]:
        """Next best word of the least certain places as a change of bits; a word's number is its bits."""
        width = (len(self._words) - 1).bit_length()
        places = np.argsort(leads)[:_MOST_ALTERNATIVES]
        differences = choices[places, 0] ^ choices[places, 1]
        return [
            Alternative(lead, tuple([width * n + bit for bit in self._bits_of[difference]]))
            for n, lead, difference in zip(
                places.tolist(), leads[places].tolist(), differences.tolist(), strict=True
            )
        ]


def _smooth(starts: DoubleArray, n_chips: int) -> tuple[DoubleArray, DoubleArray]:
    """Draw a cubic through tracked starts, for a clock that drifts gently: starts and lengths of chips.

    Over places that lie evenly about 0, even and odd powers are fitted apart from each other.
    """
    k = np.linspace(-1.0, 1.0, starts.size)
    square = k * k
    s0, s2, s4, s6 = float(k.size), square.sum(), np.dot(square, square), np.dot(square * square, square)
    y0, y1 = starts.sum(), np.dot(k, starts)
    y2, y3 = np.dot(square, starts), np.dot(square * k, starts)
    even, odd = s0 * s4 - s2 * s2, s2 * s6 - s4 * s4
    c0, c2 = (s4 * y0 - s2 * y2) / even, (s0 * y2 - s2 * y0) / even
    c1, c3 = (s6 * y1 - s4 * y3) / odd, (s2 * y3 - s4 * y1) / odd
    k, square = k[:n_chips], square[:n_chips]
    step = 2.0 / (starts.size - 1)
    return c0 + c2 * square + k * (c1 + c3 * square), step * (c1 + 2.0 * c2 * k + 3.0 * c3 * square)


def _chip_phasors(
    baseband: ComplexArray, starts: DoubleArray, period: DoubleArray, low: float, high: float
) -> PhasorArray:
    """Match each chip to both tones: complex128 [2, chips], phase as at the chip's start."""
    first = max(0, int(starts[0]) - 2)
    sums = tone_sums(baseband[first : int(starts[-1] + period[-1]) + 4], low, high)
    y = match(sums, starts + (SUM_DELAY_SAMPLES - first), period)
    _turn_to_starts(y, starts - first, low, high)
    return y


def _tone_errors(
    y: PhasorArray, decided: BoolArray, period: DoubleArray, low: float, high: float
) -> tuple[float, float]:
    """Error of each tone in cycles a sample, from the phase advance over the chips that sent it."""
    low_turn, high_turn = _advances(y, decided, period, low, high)
    per_chip = 2.0 * np.pi * float(period.mean())
    return float(low_turn) / per_chip, float(high_turn) / per_chip


@kernel
def _turn_to_starts(y, starts, low, high):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(starts.size):
        for b in range(2):
            angle = 2.0 * np.pi * (high if b == 1 else low) * starts[k]
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
def _decide(y, period, low, high, words, known, n_known, memory, values, choices):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n_chips = values.size
    back = np.empty((2, n_chips), dtype=np.complex128)  # turns the phase back over each chip, if it is 0 or 1
    for k in range(n_chips):
        for b in range(2):
            angle = -2.0 * np.pi * (high if b == 1 else low) * period[k]
            back[b, k] = complex(np.cos(angle), np.sin(angle))
    reference = complex(0.0, 0.0)
    for k in range(n_known):
        b = 1 if known[k] else 0
        reference = (memory * reference + y[b, k]) * np.conj(back[b, k])
        values[k] = 1.0 if b == 1 else -1.0
    n_words, length = words.shape
    forget = memory**length
    for start in range(n_known, n_chips, length):
        best = -1e300
        second = -1e300
        best_word = 0
        second_word = 0
        for w in range(n_words):
            towards = np.conj(reference)
            metric = 0.0
            for j in range(length):
                b = words[w, j]
                chip = y[b, start + j]
                metric += chip.real * towards.real - chip.imag * towards.imag
                towards *= back[b, start + j]
            if metric > best:
                second = best
                second_word = best_word
                best = metric
                best_word = w
            elif metric > second:
                second = metric
                second_word = w
        choices[(start - n_known) // length, 0] = best_word
        choices[(start - n_known) // length, 1] = second_word
        size = np.sqrt(reference.real * reference.real + reference.imag * reference.imag)
        lead = (best - second) / (size + 1e-30)
        total = complex(0.0, 0.0)
        turned = complex(1.0, 0.0)
        for j in range(length):
            b = words[best_word, j]
            values[start + j] = lead if b == 1 else -lead
            total += y[b, start + j] * turned
            turned *= back[b, start + j]
        reference = (forget * reference + total) * np.conj(turned)
