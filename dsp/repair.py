"""CRC-aided repair: the likeliest other readings of a block that its CRC allows, and how sure that is.

The detector names, for each place where it was unsure, what else it might have decided and how
much less likely that was (``Alternatives``, in natural logarithms of likelihood ratios). Each
alternative changes the block's CRC remainder by a known amount, so a combination of them fits
when their amounts add up to what is wrong.

    Z          Π (1 + e^−cost)           weight of all readings of the block; e^−0 is the detector's
    doubt      ( 2^−16 · Z + Σ e^−cost of other readings that fit ) / e^−cost of the reading taken

2^-16 · Z is what fits by chance: a reading is believed only when it stands well out of that, so
a block may be searched the deeper the fewer places were unsure. A few readings are tried whatever
they cost, as disturbances make likelihoods wrong: n tries fit by chance n times in 65536.

Two alternatives that change the remainder alike cancel unseen — the CRC of EN 13757 repeats every
151 bits — and count as readings that fit, whether a block needed repair or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsp._kernel import kernel
from dsp.arrays import FloatArray, IndexArray

MOST_DOUBT = 0.01
"""Probability of being wrong above which a reading is not believed."""

_CRC_CHANCE = 2.0**-16
_MOST_AT_ONCE = 6  # alternatives taken together
_MOST_TRIES = 20_000
_FEW_TRIES = 64  # so many are tried whatever they cost


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
        reach = np.where(self.mask > 0, np.log2(np.maximum(self.mask, 1)).astype(np.int64), 0)
        picked = (self.last - reach >= first) & (self.last < stop)
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
    amounts = np.empty(others.costs.size, dtype=np.int64)
    _amounts(others.last, others.mask, rules.bit_remainders(8 * len(span)), amounts)
    chosen = np.zeros(_MOST_AT_ONCE, dtype=np.int64)
    n_chosen, doubt = _search(
        others.costs,
        others.last,
        others.mask,
        amounts,
        wrong,
        MOST_DOUBT,
        _CRC_CHANCE,
        _FEW_TRIES,
        _MOST_TRIES,
        chosen,
    )
    if n_chosen < 0:
        return span, 0, 1.0
    changed = int.from_bytes(span, "big")
    flips = 0
    for i in chosen[:n_chosen].tolist():
        flips ^= int(others.mask[i]) << (8 * len(span) - 1 - int(others.last[i]))
    return (changed ^ flips).to_bytes(len(span), "big"), flips.bit_count(), min(float(doubt), 1.0)


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


@kernel
def _search(costs, last, mask, amounts, wrong, most_doubt, chance, few, most_tries, chosen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Take the cheapest alternatives that add up to ``wrong``; return their number and the doubt, or −1."""
    n = costs.size
    first = np.empty(n, dtype=np.int64)  # first bit that an alternative changes
    log_weight = 0.0
    for i in range(n):
        reach = 0
        while mask[i] >> np.uint64(reach + 1):
            reach += 1
        first[i] = last[i] - reach
        log_weight += np.log1p(np.exp(-np.float64(costs[i])))
    by_chance = chance * np.exp(log_weight)
    n_chosen = 0
    best = 0.0
    fitting = 1.0  # weight of all readings found that fit
    tries = 0
    if wrong:
        limit = np.log(most_doubt / by_chance)  # costlier readings are as likely to fit by chance
        n_chosen = -1
        while n_chosen < 0 and tries < few and limit < 40.0:
            n_chosen, best, fitting, tries = _cheapest_that_fits(
                costs, first, last, amounts, wrong, limit, most_tries, chosen
            )
            limit += 0.5  # unless they were hardly any
        if n_chosen < 0:
            return -1, 1.0
    # pairs that cancel: what is taken, put back, speaks for the other reading
    signed = np.empty(n)
    for i in range(n):
        signed[i] = costs[i]
    for i in range(n_chosen):
        signed[chosen[i]] = -costs[chosen[i]]
    pairs = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            if amounts[i] == amounts[j] and (first[i] > last[j] or first[j] > last[i]):
                pairs += np.exp(-(signed[i] + signed[j]))
    likely = np.exp(-best)
    doubt = min(by_chance / likely, chance * tries) + (fitting - likely) / likely + pairs
    if doubt > most_doubt:
        return -1, doubt
    return n_chosen, doubt


@kernel
def _cheapest_that_fits(costs, first, last, amounts, wrong, limit, most_tries, chosen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Try all combinations up to a cost; return how many alternatives the cheapest that fits has, or −1.

    Then its cost, the weight of all that fit, and how many combinations there were.
    """
    n = costs.size
    n_chosen = -1
    best = 0.0
    fitting = 0.0
    tries = 0
    depth = 0
    stack = np.zeros(chosen.size, dtype=np.int64)
    left = np.zeros(chosen.size + 1, dtype=np.int64)  # what is still wrong with so many taken
    spent = np.zeros(chosen.size + 1)
    left[0] = wrong
    while depth >= 0 and tries < most_tries:
        i = stack[depth]
        if i >= n or spent[depth] + costs[i] > limit:
            depth -= 1
            if depth >= 0:
                stack[depth] += 1
            continue
        apart = True
        for d in range(depth):
            j = stack[d]
            if first[i] <= last[j] and first[j] <= last[i]:
                apart = False
        if not apart:
            stack[depth] += 1
            continue
        tries += 1
        cost = spent[depth] + costs[i]
        if left[depth] == amounts[i]:
            fitting += np.exp(-cost)
            if n_chosen < 0 or cost < best:
                n_chosen = depth + 1
                best = cost
                chosen[:n_chosen] = stack[:n_chosen]
        if depth + 1 < chosen.size:
            left[depth + 1] = left[depth] ^ amounts[i]
            spent[depth + 1] = cost
            depth += 1
            stack[depth] = i + 1
        else:
            stack[depth] += 1
    return n_chosen, best, fitting, tries
