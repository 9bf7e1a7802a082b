"""CRC-aided repair: the likeliest other readings of a block that its CRC allows, and how sure that is.

The detector names, for each place where it was unsure, what else it might have decided and how
much less likely that was (``Alternatives``, in natural logarithms of likelihood ratios). Each
alternative changes the block's CRC remainder by a known amount, so a combination of them fits
when their amounts add up to what is wrong. Readings that fit are looked up, all that matter
(``crc_search``):

    Z       Σ e^−cost                  weight of all readings of the block; e^−0 is the detector's
    F       Σ e^−cost                  of those that fit
    U       what is left of Z when the readings looked at are taken off
    doubt   ( F − e^−cost + 2^−16 · (U + m · Z) ) / e^−cost      of the likeliest reading that fits

The doubt is the probability that it is wrong, if likelihoods are what they say: of the readings not
looked at one in 65536 fits; and of m blocks in one, what was sent is none of the readings: another
burst lay over it, or the clock slipped. Then one of 65536 fits by chance.

Two alternatives that change the remainder alike cancel unseen — the CRC of EN 13757 repeats every
151 bits, less than a block of format B — and count as readings that fit, whether a block needed repair
or not. So in a long block an unsure bit may not be told from one 151 bits on: no detector could, and
the doubt says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsp._kernel import kernel
from dsp.arrays import FloatArray, IndexArray
from dsp.crc_search import fitting_readings, readings_weight

MOST_DOUBT = 0.002
"""Probability of being wrong above which a frame is not believed; on average it is far less."""

MOST_DOUBT_AS_HEARD = 1e-4
"""The same for who wants no repair: CRCs that fit are to be as good as certain. Costs 0.1 dB at most."""

MOST_DOUBT_ROUGHLY = 1e-5
"""The same where likelihoods are rough, as from noncoherent chips: a better detector can read it again."""

_CRC_CHANCE = 2.0**-16
MODEL_FAILS = 0.03
"""Share of doubtful blocks that are none of their readings, as where another burst lies over them."""

_DEPTH = 8.0  # readings less likely than the last one believed by e^-8 make no difference
_LEAST_DEPTH = 12.0  # below the likeliest reading: doubts down to e^-12 are known
_MOST_SETS = 1024


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Other readings of a few bits each, ascending in cost.

    Attributes:
        costs: natural logarithm of how much likelier the detector's own reading is, float32 [n].
        last: number of the last bit that changes, counted from the frame's first, int64 [n].
        mask: bit j set: bit ``last - j`` changes; uint64 [n].
    """

    costs: FloatArray
    last: IndexArray
    mask: NDArray[np.uint64]

    @property
    def log_weight(self) -> float:
        """Logarithm of Z: how much of all readings together the detector's own one is part of."""
        return float(np.sum(np.log1p(np.exp(-self.costs))))

    def within(self, first: int, stop: int) -> Alternatives:
        """Alternatives that change nothing but the bits from ``first`` to before ``stop``, counted anew."""
        if self.costs.size == 0:
            return self
        picked = (self.last - _reach(self.mask) >= first) & (self.last < stop)
        return Alternatives(self.costs[picked], self.last[picked] - first, self.mask[picked])


NO_ALTERNATIVES = Alternatives(
    np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
)


def cheapest(costs: FloatArray, last: IndexArray, mask: NDArray[np.uint64], most: int) -> Alternatives:
    """Sort alternatives by cost and keep the ``most`` cheapest."""
    order = np.argsort(costs, kind="stable")[:most]
    return Alternatives(
        costs[order].astype(np.float32), last[order].astype(np.int64), mask[order].astype(np.uint64)
    )


class CrcRules(Protocol):
    """What repair must know of the CRC."""

    def remainder(self, span: bytes) -> int:
        """Tell what is wrong with a span that ends with its CRC; 0 when it fits."""

    def bit_remainders(self, n_bits: int) -> IndexArray:
        """Tell how each bit of a span of ``n_bits``, CRC included, changes the remainder: int64 [n_bits]."""


def repair_span(
    span: bytes, others: Alternatives, rules: CrcRules, *, may_change: bool = True
) -> tuple[bytes, int, float]:
    """Find the likeliest reading of the bytes that one CRC protects.

    Args:
        span: as detected, CRC included.
        others: other readings of its bits.
        rules: the CRC.
        may_change: look for a reading that fits; else only doubt the one that is there.

    Returns:
        The span, changed or not, the number of bits changed, and the doubt that is left: the
        probability that it is wrong, 1 where nothing fits.
    """
    wrong = rules.remainder(span)
    if wrong and not (may_change and others.costs.size):
        return span, 0, 1.0
    if not others.costs.size:
        return span, 0, 0.0
    chosen, doubt = _search(span, wrong, others, rules)
    if wrong and doubt > MOST_DOUBT:
        return span, 0, 1.0
    changed = int.from_bytes(span, "big")
    flips = 0
    for i in chosen.tolist():
        flips ^= int(others.mask[i]) << (8 * len(span) - 1 - int(others.last[i]))
    return (changed ^ flips).to_bytes(len(span), "big"), flips.bit_count(), doubt


def _search(span: bytes, wrong: int, others: Alternatives, rules: CrcRules) -> tuple[IndexArray, float]:
    """Choose the alternatives of the likeliest reading that fits; tell the doubt about it, at most 1."""
    first = others.last - _reach(others.mask)
    total = float(readings_weight(others.costs, first, others.last))
    by_chance = _CRC_CHANCE * total
    # dearer readings are not believed; of what is as dear as that, all that matters beside it is looked at
    dearest = math.log(MOST_DOUBT / (MODEL_FAILS * by_chance)) if wrong else 0.0
    if dearest < 0.0:
        return np.zeros(0, dtype=np.int64), 1.0
    limit = max(dearest + _DEPTH, _LEAST_DEPTH)
    amounts = np.empty(others.costs.size, dtype=np.int64)
    _amounts(others.last, others.mask, rules.bit_remainders(8 * len(span)), amounts)
    chosen = np.empty(others.costs.size, dtype=np.int64)
    n_chosen, cost, fitting, seen = fitting_readings(
        others.costs, first, others.last, amounts, wrong, limit, _MOST_SETS, chosen
    )
    if n_chosen < 0:
        return chosen[:0], 1.0
    likely = math.exp(-cost)
    unseen = max(total - seen, 0.0)
    doubt = (fitting - likely + _CRC_CHANCE * unseen + MODEL_FAILS * by_chance) / likely
    return chosen[:n_chosen], min(doubt, 1.0)


def _reach(mask: NDArray[np.uint64]) -> IndexArray:
    """Tell how many bits before its last one an alternative begins."""
    return np.where(mask > 0, np.log2(np.maximum(mask, 1)).astype(np.int64), 0)


@kernel
def _amounts(last, mask, bit_remainders, amounts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(last.size):
        bits = mask[i]
        amount = 0
        at = last[i]
        while bits:
            if bits & np.uint64(1):
                amount ^= bit_remainders[at]
            bits >>= np.uint64(1)
            at -= 1
        amounts[i] = amount
