"""Whether decided symbols begin with a sync word, or rather with another one, or the same one elsewhere.

    n        symbols that a reading takes for known: the end of a header (preamble and sync word)
    w        of them decided otherwise
    score    n · ln 2(1 − p)  −  w · ln (1 − p)/p         p: share of symbols decided wrong at the limit

The score is the logarithm of how much likelier the symbols are behind this header than at random. A sync
word of mode C holds the word 543D, once in format A and twice in format B: 16 chips displaced, a frame
of one format has but 4 chips of 36 wrong as one of the other, and nothing but a 16-bit CRC speaks against it.
Beside it stands the right reading, which explains 16 chips more and has none wrong: its score is 18 more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from dsp.arrays import DoubleArray, FloatArray

_FARTHEST_CHIPS = 16  # after which a sync word of mode C repeats itself
_MUCH = 4.5  # logarithm of how much likelier another reading may be: of 65536 wrong ones one fits a CRC
_WRONG = 0.1
_AS_SENT = math.log(2.0 * (1.0 - _WRONG))
_CHANGED = math.log((1.0 - _WRONG) / _WRONG)


class Alignment:
    """Looks for the headers of one air interface at the beginning of symbols.

    Args:
        headers: levels of preamble and sync word of each frame format, ±1 float32 [n].
    """

    def __init__(self, headers: Sequence[FloatArray]) -> None:
        self._headers = headers

    def best_slip(self, levels: FloatArray, own: int, n_known: int, slips: Iterable[int]) -> int:
        """Tell by how many chips symbols begin too early (or, negative, too late); 0 if no header is there.

        Args:
            levels: of the decided symbols, ±1, less for symbols that no header has, float32 [k].
            own: number of the header.
            n_known: symbols of its end that should be there.
            slips: to choose from.
        """
        scores = self._scores(levels, own, n_known)
        best = max(slips, key=lambda slip: scores[n_known + slip - 1])
        return best if scores[n_known + best - 1] > 0.0 else 0

    def is_likeliest(self, levels: FloatArray, own: int, n_known: int) -> bool:
        """Tell whether no other header, and no other place, explains the symbols much better."""
        scores = [self._scores(levels, number, n_known) for number in range(len(self._headers))]
        claimed = scores[own][n_known - 1]
        scores[own][n_known - 1] = 0.0
        stretch = slice(max(n_known - 1 - _FARTHEST_CHIPS, 0), None)
        return bool(claimed > max(0.0, *(score[stretch].max() - _MUCH for score in scores)))

    def _scores(self, levels: FloatArray, number: int, n_known: int) -> DoubleArray:
        """Score of a header that ends with each symbol, up to ``_FARTHEST_CHIPS`` behind where it should."""
        header = self._headers[number]
        levels = levels[: n_known + _FARTHEST_CHIPS]
        scores = np.full(n_known + _FARTHEST_CHIPS, -np.inf)
        if not levels.size:
            return scores
        there = np.minimum(np.arange(1, levels.size + 1), header.size)
        wrong = 0.5 * (there - np.correlate(levels, header, "full")[: levels.size])
        scores[: levels.size] = there * _AS_SENT - wrong * _CHANGED
        return scores
