"""All likely combinations of alternatives whose amounts add up to what is wrong: found by halves.

    front, back     the alternatives of a block, cut at a bit
    sets of each    in ascending cost: each set's next is itself with one more, or its last one moved on
    readings        pairs of a front and a back set whose amounts add up, met by a hash of amounts

A thousand sets of each half make a million readings, of which one in 65536 fits; so the weight of all
readings that fit, not only the best one's, is known.
"""

from __future__ import annotations

import heapq

import numpy as np

from dsp._kernel import kernel
from dsp.selection import of_rank, order_of_few


@kernel
def readings_weight(costs, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Sum e^−cost over all sets of alternatives that do not overlap."""
    order = order_of_few(last)
    weight = np.ones(last.size + 1)
    for i in range(last.size):
        k = order[i]
        before = i
        while before > 0 and last[order[before - 1]] >= first[k]:
            before -= 1
        weight[i + 1] = weight[i] + np.exp(-np.float64(costs[k])) * weight[before]
    return weight[last.size]


@kernel
def fitting_readings(costs, first, last, amounts, wrong, limit, most_sets, chosen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Find the readings that fit.

    Args:
        costs: of the alternatives, ascending, float32 [n].
        first: bit that each begins with, int64 [n].
        last: bit that each ends with, int64 [n].
        amounts: how each changes the remainder, int64 [n].
        wrong: the remainder.
        limit: sets of one half that cost more are left out.
        most_sets: of one half.
        chosen: filled with the cheapest reading's alternatives, int64 [n].

    Returns:
        How many alternatives the cheapest reading has, −1 where none fits; its cost; the weight of all
        readings that fit; the weight of all that were looked at.
    """
    n = costs.size
    cut = of_rank(last, n // 2) if n else 0
    front_cost, front_amount, front_newest, front_rest = _sets(
        costs, first, last, amounts, np.flatnonzero(last < cut), limit, most_sets
    )
    back_cost, back_amount, back_newest, back_rest = _sets(
        costs, first, last, amounts, np.flatnonzero(last >= cut), limit, most_sets
    )
    size = 1
    while size < 2 * back_cost.size:
        size *= 2
    head = np.full(size, -1, dtype=np.int64)
    follower = np.empty(back_cost.size, dtype=np.int64)
    back_weight = 0.0
    for b in range(back_cost.size - 1, -1, -1):
        slot = back_amount[b] & (size - 1)
        follower[b] = head[slot]
        head[slot] = b
        back_weight += np.exp(-back_cost[b])
    front_weight = 0.0
    fitting = 0.0
    best = np.inf
    best_front, best_back = -1, -1
    for f in range(front_cost.size):
        front_weight += np.exp(-front_cost[f])
        wanted = wrong ^ front_amount[f]
        b = head[wanted & (size - 1)]
        while b >= 0:
            if back_amount[b] == wanted and _apart(
                f, front_newest, front_rest, b, back_newest, back_rest, first, last
            ):
                cost = front_cost[f] + back_cost[b]
                fitting += np.exp(-cost)
                if cost < best:
                    best = cost
                    best_front, best_back = f, b
            b = follower[b]
    if best_front < 0:
        return -1, best, fitting, front_weight * back_weight
    n_chosen = 0
    while best_front > 0:
        chosen[n_chosen] = front_newest[best_front]
        best_front = front_rest[best_front]
        n_chosen += 1
    while best_back > 0:
        chosen[n_chosen] = back_newest[best_back]
        best_back = back_rest[best_back]
        n_chosen += 1
    return n_chosen, best, fitting, front_weight * back_weight


@kernel
def _sets(costs, first, last, amounts, picked, limit, most):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """List sets of the picked alternatives that do not overlap, in ascending cost; the first is empty.

    Returns, for each set: cost, amount, the dearest alternative in it, and the number of the set that is
    left without that one.
    """
    cost = np.empty(most)
    amount = np.empty(most, dtype=np.int64)
    newest = np.empty(most, dtype=np.int64)
    rest = np.empty(most, dtype=np.int64)
    cost[0], amount[0], newest[0], rest[0] = 0.0, 0, -1, 0
    n = 1
    waiting = [(np.float64(0.0), 0, 0)]  # cost, place in picked, set that is added to
    waiting.clear()
    if picked.size:
        waiting.append((np.float64(costs[picked[0]]), 0, 0))
    while len(waiting) > 0 and n < most:
        spent, place, base = heapq.heappop(waiting)
        if spent > limit:
            break
        k = picked[place]
        apart = True
        other = base
        while other > 0 and apart:
            j = newest[other]
            apart = first[k] > last[j] or first[j] > last[k]
            other = rest[other]
        if apart:
            cost[n], amount[n], newest[n], rest[n] = spent, amount[base] ^ amounts[k], k, base
        if place + 1 < picked.size:
            dearer = np.float64(costs[picked[place + 1]])
            heapq.heappush(waiting, (cost[base] + dearer, place + 1, base))
            if apart:
                heapq.heappush(waiting, (spent + dearer, place + 1, n))
        if apart:
            n += 1
    return cost[:n], amount[:n], newest[:n], rest[:n]


@kernel
def _apart(f, front_newest, front_rest, b, back_newest, back_rest, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Tell whether a front set and a back set do not overlap across the cut."""
    front_last = -1
    while f > 0:
        front_last = max(front_last, last[front_newest[f]])
        f = front_rest[f]
    while b > 0:
        if first[back_newest[b]] <= front_last:
            return False
        b = back_rest[b]
    return True
