"""The element of a rank, and the order of few: without numba's own sorts, which take seconds to compile."""

from __future__ import annotations

import numpy as np

from dsp._kernel import kernel


@kernel
def of_rank(values, rank):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the element that comes at ``rank``, from 0, in ascending order, by quickselect."""
    left = values.copy()
    low = 0
    high = left.size - 1
    while low < high:
        pivot = left[(low + high) // 2]
        i = low
        j = high
        while i <= j:
            while left[i] < pivot:
                i += 1
            while left[j] > pivot:
                j -= 1
            if i <= j:
                left[i], left[j] = left[j], left[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return left[rank]


@kernel
def median(values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the median of at least one value."""
    return 0.5 * (of_rank(values, (values.size - 1) // 2) + of_rank(values, values.size // 2))


@kernel
def order_of_few(values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the indices that sort up to some hundred values, equal ones as they come, by insertion."""
    order = np.empty(values.size, dtype=np.int64)
    for k in range(values.size):
        i = k
        while i > 0 and values[order[i - 1]] > values[k]:
            order[i] = order[i - 1]
            i -= 1
        order[i] = k
    return order
