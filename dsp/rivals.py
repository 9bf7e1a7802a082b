"""Rivals of a decided sequence: what else a few of its chips might have been, seen from both sides.

    p[k]    chip k matched as decided, the phase of all chips before it taken off
    L[k]    Σ_{j<k} memory^(k−1−j) · p[j]      what the phase was before
    R[k]    Σ_{j≥k} memory^(j−k) · p[j]        what it is from here on
    cost    | L + Σ p + R |  −  | L + Σ p' + R · e^−jΔ |

A rival changes one chip, two chips a few apart, or all chips of a short run, which is where
sequences of continuous phase come closest: p' are the chips it touches, matched as it reads them,
and Δ the phase that it turns all later ones by. The cost is how much worse it fits over a window
in which the phase is a constant, known only from the burst itself. A negative cost is a better
sequence, and is taken; so decisions made from the past alone are mended by what came behind.

Costs are handed out as logarithms of likelihood ratios: times the mean of p along the phase,
over its variance across, both over some thirty chips on each side.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, FloatArray, IndexArray
from dsp.repair import NO_ALTERNATIVES, Alternatives, cheapest
from dsp.rival_costs import compare
from dsp.smoothing import NOISE_MEMORY, around

_MEMORY = np.float32(0.9)
_FARTHEST_PAIR_CHIPS = {2: 16, 4: 1}  # for so many symbols
_RUN_DISTANCES = {2: (2, 3, 4, 5, 6, 7), 4: ()}
_MOST_RIVALS = 192  # of a burst up to 512 chips; of longer ones as many more
_RIVALS_PER_CHIP = 0.375
_SWEEPS = 6
_STRAIN = np.float32(0.5)
_SIGHT_CHIPS = 40  # over which rivals see each other's phase
_DEAREST = np.float32(40.0)  # no soft bit is surer
_DEAREST_NAMED = np.float32(16.0)  # rivals less likely than e^-16 are none
_PAIR_GAIN = np.float32(0.9)  # a pair is worth naming when it costs this much less than its two chips alone


class Rivals:
    """Finds the rivals of sequences of one kind of chips.

    Args:
        symbols: how many there are, 2 or 4.
        reach: chips of context before and behind, 0 or 1.
    """

    def __init__(self, symbols: int, reach: int) -> None:
        self._m = symbols
        self._reach = reach
        self._n_bits = (symbols - 1).bit_length()
        others = range(1, symbols)  # exclusive-or of a symbol with another one
        pairs = product(range(1, _FARTHEST_PAIR_CHIPS[symbols] + 1), others, (0,), others)
        runs = [(distance, 1, 1, 1) for distance in _RUN_DISTANCES[symbols]]
        # distance, change of the first symbol, of those between, of the last: single ones first
        self._kinds = np.array([(0, x, 0, 0) for x in others] + list(pairs) + runs, dtype=np.int64)
        self._masks = np.array([_mask(kind, self._n_bits) for kind in self._kinds.tolist()], dtype=np.uint64)

    def improve(self, c: ComplexArray, advance: ComplexArray, symbols: IndexArray, n_known: int) -> None:
        """Change the symbols of a sequence that have a better rival.

        Args:
            c: each chip matched to each context, complex64 [k, contexts].
            advance: how far each context turns the phase, complex64 [contexts].
            symbols: decided symbols int64 [k], changed in place.
            n_known: symbols at the beginning that are known.
        """
        if symbols.size:
            self._improve(c, advance, symbols, n_known)

    def find(
        self, c: ComplexArray, advance: ComplexArray, symbols: IndexArray, n_known: int
    ) -> tuple[FloatArray, Alternatives, ComplexArray]:
        """Improve a sequence and name its rivals.

        Args:
            c: each chip matched to each context, complex64 [k, contexts].
            advance: how far each context turns the phase, complex64 [contexts].
            symbols: decided symbols int64 [k]; those that have a better rival are changed.
            n_known: symbols at the beginning that are known.

        Returns:
            Soft bits float32 [k, bits a symbol]; the rivals, by ascending cost, their bits counted
            from the first symbol's; and p, complex64 [k].
        """
        n = symbols.size
        soft = np.zeros((n, self._n_bits), dtype=np.float32)
        if n == 0:
            return soft, NO_ALTERNATIVES, np.zeros(0, dtype=np.complex64)
        costs, matched = self._improve(c, advance, symbols, n_known)
        self._compare(c, advance, symbols, n_known, _STRAIN, costs, matched)
        _to_log_likelihoods(matched, _MEMORY, NOISE_MEMORY, self._kinds, _PAIR_GAIN, costs)
        _soft_bits(symbols, costs, self._kinds, self._n_bits, _DEAREST, soft)
        k, kind = np.nonzero(costs.T < _DEAREST_NAMED)
        last = self._n_bits * (k + self._kinds[kind, 0] + 1) - 1
        most = max(_MOST_RIVALS, int(_RIVALS_PER_CHIP * n))
        return soft, cheapest(costs[kind, k], last, self._masks[kind], most), matched

    def _improve(
        self, c: ComplexArray, advance: ComplexArray, symbols: IndexArray, n_known: int
    ) -> tuple[FloatArray, ComplexArray]:
        """Change symbols in place; return arrays for costs and p to be filled again."""
        costs = np.empty((len(self._kinds), symbols.size), dtype=np.float32)
        matched = np.empty(symbols.size, dtype=np.complex64)
        for _ in range(_SWEEPS):
            self._compare(c, advance, symbols, n_known, np.float32(0.0), costs, matched)
            if not _take_better(symbols, costs, self._kinds, _SIGHT_CHIPS):
                break
        return costs, matched

    def _compare(
        self,
        c: ComplexArray,
        advance: ComplexArray,
        symbols: IndexArray,
        n_known: int,
        strain: np.float32,
        costs: FloatArray,
        matched: ComplexArray,
    ) -> None:
        """Fill in the cost of every rival [kinds, k], and p."""
        compare(
            c, advance, symbols, self._m, self._reach, n_known, self._kinds, _MEMORY, strain, costs, matched
        )


def _mask(kind: list[int], n_bits: int) -> int:
    """Tell the bits that a kind of rival changes, from its last one on."""
    distance, first, between, last = kind
    changes = [first] + [between] * (distance - 1) + [last] if distance else [first]
    return sum(change << n_bits * (len(changes) - 1 - i) for i, change in enumerate(changes))


@kernel
def _flip(symbols, k, kind):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Change the symbols of a rival, or change them back."""
    symbols[k] ^= kind[1]
    for j in range(k + 1, k + kind[0]):
        symbols[j] ^= kind[2]
    symbols[k + kind[0]] ^= kind[3]


@kernel
def _take_better(symbols, costs, kinds, apart):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Take the rivals below 0, the best one wherever several are within sight of each other."""
    n = symbols.size
    n_changed = 0
    least = costs[0].copy()
    for kind in range(1, kinds.shape[0]):
        for k in range(n):
            least[k] = min(least[k], costs[kind, k])
    for _ in range(n):
        k = int(np.argmin(least))
        if least[k] >= np.float32(0.0):
            break
        kind = int(np.argmin(costs[:, k]))
        _flip(symbols, k, kinds[kind])
        n_changed += 1
        least[max(k - apart, 0) : k + apart] = np.float32(0.0)
    return n_changed


@kernel
def _to_log_likelihoods(matched, memory, noise_memory, kinds, pair_gain, costs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Scale costs by the noise that matched chips show; strike pairs that are but their two chips."""
    n = matched.size
    behind = np.zeros(n + 1, dtype=np.complex64)
    for k in range(n - 1, -1, -1):
        behind[k] = matched[k] + memory * behind[k + 1]
    before = np.complex64(0.0)
    along = np.zeros(n)
    across = np.zeros(n)
    for k in range(n):
        reference = before + behind[k + 1]
        size = abs(reference)
        if size > 0.0:
            z = matched[k] * np.conj(reference) / size
            along[k] = z.real
            across[k] = z.imag * z.imag
        before = matched[k] + memory * before
    around(along, noise_memory)
    around(across, noise_memory)
    for kind in range(kinds.shape[0]):
        distance, x, y = kinds[kind, 0], kinds[kind, 1], kinds[kind, 3]
        if distance > 0 and kinds[kind, 2] == 0:
            for k in range(n - distance):
                singly = costs[x - 1, k] + costs[y - 1, k + distance]
                if costs[kind, k] > pair_gain * singly:
                    costs[kind, k] = np.inf
    scale = np.empty(n, dtype=np.float32)
    for k in range(n):
        scale[k] = max(along[k], 0.0) / (across[k] + 1e-30)
    for kind in range(kinds.shape[0]):
        for k in range(n):
            if costs[kind, k] < np.inf:
                costs[kind, k] = max(costs[kind, k], np.float32(0.0)) * scale[k]


@kernel
def _soft_bits(symbols, costs, kinds, n_bits, dearest, soft):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n = symbols.size
    soft[:] = dearest
    for kind in range(kinds.shape[0]):
        distance = kinds[kind, 0]
        for k in range(n - distance):
            if costs[kind, k] < dearest:
                for j in range(distance + 1):
                    change = kinds[kind, 1] if j == 0 else kinds[kind, 3] if j == distance else kinds[kind, 2]
                    for bit in range(n_bits):
                        if change & (1 << (n_bits - 1 - bit)):
                            soft[k + j, bit] = min(soft[k + j, bit], costs[kind, k])
    for k in range(n):
        for bit in range(n_bits):
            if not symbols[k] & (1 << (n_bits - 1 - bit)):
                soft[k, bit] = -soft[k, bit]
