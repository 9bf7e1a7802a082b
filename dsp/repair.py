"""CRC-aided repair: try the likeliest other readings of a block until its CRC fits.

The detector names, for each place where it was unsure, what it would have decided otherwise
and how much worse that fits (an ``Alternative``). Combinations are tried in order of their
summed cost, a bounded number for each block: every try fits a wrong block by chance once in
65536, so tries are what repair costs in trust.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

_MOST_PLACES = 16  # unsure places of a block that are combined
_MOST_AT_ONCE = 4  # places changed together


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of a few bits.

    Attributes:
        cost: how much worse it fits, in the detector's own unit.
        bits: positions of the bits that change, counted from the frame's first bit.
    """

    cost: float
    bits: tuple[int, ...]


def repair_span(
    raw: bytes,
    start: int,
    stop: int,
    alternatives: Sequence[Alternative],
    fits: Callable[[bytes], bool],
    tries: int,
) -> tuple[bytes, int] | None:
    """Repair the bytes that one CRC protects.

    Args:
        raw: the frame as detected.
        start: first byte of the span.
        stop: byte after its last, CRC included.
        alternatives: other readings, anywhere in the frame.
        fits: tells whether a span's CRC fits.
        tries: how many combinations to try at most.

    Returns:
        The frame with the span repaired and the number of bits changed, or None.
    """
    first, behind = 8 * start, 8 * stop
    fitting = (a for a in sorted(alternatives, key=_cost) if first <= min(a.bits) and max(a.bits) < behind)
    inside = list(islice(fitting, _MOST_PLACES))
    for count, chosen in enumerate(_by_cost([a.cost for a in inside])):
        if count >= tries:
            return None
        changed = bytearray(raw)
        flipped: set[int] = set()
        for place in chosen:
            flipped ^= set(inside[place].bits)
        for bit in flipped:
            changed[bit // 8] ^= 0x80 >> bit % 8
        if fits(bytes(changed[start:stop])):
            return bytes(changed), len(flipped)
    return None


def _cost(alternative: Alternative) -> float:
    return alternative.cost


def _by_cost(costs: Sequence[float]) -> Iterator[tuple[int, ...]]:
    """Subsets of places by ascending summed cost; ``costs`` are ascending themselves."""
    if not costs:
        return
    heap: list[tuple[float, tuple[int, ...]]] = [(costs[0], (0,))]
    while heap:
        total, chosen = heapq.heappop(heap)
        yield chosen
        last = chosen[-1]
        if last + 1 < len(costs):
            # the two successors reach every subset exactly once
            heapq.heappush(heap, (total - costs[last] + costs[last + 1], (*chosen[:-1], last + 1)))
            if len(chosen) < _MOST_AT_ONCE:
                heapq.heappush(heap, (total + costs[last + 1], (*chosen, last + 1)))
