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
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray, PhasorArray
from dsp.chip_detector import SUM_DELAY_SAMPLES, SoftChips, read_sum, running_sum
from dsp.encoder import chip_string
from dsp.line_code import code_words
from dsp.modes import PhyMode
from dsp.plan import Channel
from dsp.repair import Alternative

_MEMORY_PER_CHIP = 0.92
_TUNING_PASSES = 2
_DRIFT_ORDER = 3
_MOST_ALTERNATIVES = 128


class CodeWordDetector:
    """Detects the words of one air interface.

    Args:
        channel: gives the baseband rate and the sync pattern.
        row: gives the line code.
    """

    def __init__(self, channel: Channel, row: PhyMode) -> None:
        self._rate_hz = channel.baseband_rate_hz
        self._known = chip_string(channel.pattern).astype(np.int64)
        self._words = code_words(row.line_code).astype(np.int64)

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
        starts = _smooth(chips.starts)[:n_chips]
        period = np.gradient(starts)
        decided = (chips.values[:n_chips] > 0).astype(np.int64)
        decided[:n_known] = self._known
        tones: DoubleArray = np.array([chips.low_hz, chips.high_hz]) / self._rate_hz
        values = np.empty(n_chips, dtype=np.float32)
        choices = np.empty((n_words, 2), dtype=np.int64)
        for _ in range(_TUNING_PASSES):
            y = _chip_phasors(baseband, starts, period, tones)
            tones = tones + _tone_errors(y, decided, period, tones)
            y = _chip_phasors(baseband, starts, period, tones)
            turns = tones[None, :] * period[:, None]
            _decide(y, turns, self._words, decided, n_known, _MEMORY_PER_CHIP, values, choices)
            decided = (values > 0).astype(np.int64)
        found = SoftChips(values, starts, tones[0] * self._rate_hz, tones[1] * self._rate_hz)
        return found, self._alternatives(np.abs(values[n_known::length]), choices)

    def _alternatives(self, leads: FloatArray, choices: IndexArray) -> list[Alternative]:
        """Next best word of the least certain places as a change of bits; a word's number is its bits."""
        width = (len(self._words) - 1).bit_length()
        alternatives = []
        for n in np.argsort(leads)[:_MOST_ALTERNATIVES].tolist():
            difference = int(choices[n, 0] ^ choices[n, 1])
            bits = tuple(width * n + width - 1 - b for b in range(width) if difference >> b & 1)
            alternatives.append(Alternative(float(leads[n]), bits))
        return alternatives


def _smooth(starts: DoubleArray) -> DoubleArray:
    """Chip starts of a clock that drifts gently: a cubic through the tracked ones."""
    k = np.linspace(-1.0, 1.0, starts.size)
    order = min(_DRIFT_ORDER, starts.size - 1)
    return np.asarray(np.polynomial.polynomial.polyval(k, np.polynomial.polynomial.polyfit(k, starts, order)))


def _chip_phasors(
    baseband: ComplexArray, starts: DoubleArray, period: DoubleArray, tones: DoubleArray
) -> PhasorArray:
    """Match each chip to both tones: complex128 [chips, 2], phase as at the chip's start."""
    first = max(0, int(starts[0]) - 2)
    segment = baseband[first : int(starts[-1] + period[-1]) + 4]
    t = starts + SUM_DELAY_SAMPLES - first
    out = np.empty((starts.size, 2), dtype=np.complex128)
    for b in range(2):
        sums = running_sum(segment, float(tones[b]))
        out[:, b] = read_sum(sums, t + period) - read_sum(sums, t)
        out[:, b] *= np.exp(2j * np.pi * tones[b] * (starts - first))
    return out


def _tone_errors(y: PhasorArray, decided: IndexArray, period: DoubleArray, tones: DoubleArray) -> DoubleArray:
    """Error of each tone in cycles a sample, from the phase advance over the chips that sent it."""
    k = np.arange(decided.size - 1)
    now, then = y[k, decided[:-1]], y[k + 1, decided[1:]]
    step = then * np.conj(now * np.exp(2j * np.pi * tones[decided[:-1]] * period[:-1]))
    errors = []
    for b in range(2):
        picked = decided[:-1] == b
        errors.append(float(np.angle(step[picked].sum())) / (2.0 * np.pi * float(period.mean())))
    return np.array(errors)


@kernel
def _decide(y, turns, words, known, n_known, memory, values, choices):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    reference = complex(0.0, 0.0)
    for k in range(n_known):
        b = known[k]
        advance = 2.0 * np.pi * turns[k, b]
        reference = (memory * reference + y[k, b]) * complex(np.cos(advance), np.sin(advance))
        values[k] = 1.0 if b == 1 else -1.0
    n_words, length = words.shape
    forget = memory**length
    for start in range(n_known, values.size, length):
        best = -1e300
        second = -1e300
        best_word = 0
        second_word = 0
        best_sum = complex(0.0, 0.0)
        best_turn = 0.0
        for w in range(n_words):
            total = complex(0.0, 0.0)
            turn = 0.0
            for j in range(length):
                b = words[w, j]
                angle = -2.0 * np.pi * turn
                total += y[start + j, b] * complex(np.cos(angle), np.sin(angle))
                turn += turns[start + j, b]
            metric = (total * np.conj(reference)).real
            if metric > best:
                second = best
                second_word = best_word
                best = metric
                best_word = w
                best_sum = total
                best_turn = turn
            elif metric > second:
                second = metric
                second_word = w
        choices[(start - n_known) // length, 0] = best_word
        choices[(start - n_known) // length, 1] = second_word
        lead = (best - second) / (abs(reference) + 1e-30)
        for j in range(length):
            values[start + j] = lead if words[best_word, j] == 1 else -lead
        angle = 2.0 * np.pi * best_turn
        reference = (forget * reference + best_sum) * complex(np.cos(angle), np.sin(angle))
