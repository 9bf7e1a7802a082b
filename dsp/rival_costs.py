"""What every rival of a sequence costs, for all chips at once: one row of chips after the other.

``rivals`` has the formula. With k the first chip that a rival changes and l its last, both a row, it is

    | outer[k] + inner[l] |  −  | head[k] + conj(turn[k]) · tail[l] |

so a kind of rival costs a few additions a chip wherever it changes chips that are far apart; chips that
are near each other are walked over, each with its context changed. Loops over rows are kernels of their
own with few arguments, since the compiler vectorises what it can check to be apart.
"""

from __future__ import annotations

import numpy as np

from dsp._kernel import kernel


@kernel
def _context(symbols, k, m, reach):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    here = symbols[k]
    if reach == 0:
        return here
    return (symbols[max(k - 1, 0)] * m + here) * m + symbols[min(k + 1, symbols.size - 1)]


@kernel
def _length(z):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return np.sqrt(z.real * z.real + z.imag * z.imag)


@kernel
def compare(c, advance, symbols, m, reach, n_known, kinds, memory, strain, costs, matched):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Fill in what each rival of a sequence costs.

    Args:
        c: each chip matched to each context, complex64 [k, contexts].
        advance: how far each context turns the phase, complex64 [contexts].
        symbols: decided symbols int64 [k].
        m: how many symbols there are.
        reach: chips of context before and behind, 0 or 1.
        n_known: symbols at the beginning that have no rivals.
        kinds: of rivals, int64 [kinds, 4]: distance, change of the first symbol, of those between,
            of the last.
        memory: of the phase.
        strain: weight of how much less what lies before and behind would fit each other.
        costs: filled in, float32 [kinds, k].
        matched: filled in with p, complex64 [k].
    """
    # rows but costs begin ``reach`` chips before the first symbol and end as many behind the last
    n = symbols.size
    width = n + 2 * reach
    turned = np.empty(n + 1, dtype=np.complex64)
    total = np.zeros(width + 1, dtype=np.complex64)
    before = np.zeros(width + 1, dtype=np.complex64)
    behind = np.zeros(width + 1, dtype=np.complex64)
    _match_as_decided(c, advance, symbols, m, reach, memory, turned, total, before, behind, matched)
    fit, turn = _patterns(c, advance, symbols, m, reach, turned)
    outer = before - total
    inner = total + behind
    changed = np.empty(n, dtype=np.complex64)
    changed_turn = np.empty(n, dtype=np.complex64)
    size_before = np.empty(width + 1, dtype=np.float32)
    size_behind = np.empty(width + 1, dtype=np.float32)
    for k in range(width + 1):
        size_before[k] = _length(before[k])
        size_behind[k] = _length(behind[k])
    # each chip changed alone, which far pairs are put together from
    alone_turn = np.empty((m, n), dtype=np.complex64)
    heads = np.empty((m, n), dtype=np.complex64)
    tails = np.empty((m, n), dtype=np.complex64)
    turned_behinds = np.empty((m, n), dtype=np.complex64)
    far = 2 * reach + 1
    for x in range(1, m):
        _walk(fit, turn, m, reach, (0, x, 0, 0), changed, alone_turn[x])
        _add(before, changed, heads[x])
        _subtract_turned_back(heads[x], total[far:], alone_turn[x], heads[x])
        _turn_back(behind[far:], alone_turn[x], turned_behinds[x])
        _add(total, changed, tails[x])
        _add(tails[x], turned_behinds[x], tails[x])
    costs[:] = np.inf
    for kind in range(kinds.shape[0]):
        distance, x, between, y = kinds[kind, 0], kinds[kind, 1], kinds[kind, 2], kinds[kind, 3]
        if n - distance <= n_known:
            continue
        if distance >= far and between == 0:
            head, turning, tail, turned_behind = heads[x], alone_turn[x], tails[y], turned_behinds[y]
        else:
            _walk(fit, turn, m, reach, (distance, x, between, y), changed, changed_turn)
            _add(before, changed, changed)
            turned_behind = behind[far:]
            head, turning, tail = changed, changed_turn, turned_behind
        ks, ls = slice(n_known, n - distance), slice(n_known + distance, n)
        behind_ls = slice(n_known + distance + far, n + far)
        row = costs[kind, ks]
        _cost(outer[ks], inner[behind_ls], head[ks], turning[ks], tail[ls], row)
        if strain > np.float32(0.0):
            sizes = size_before[ks], size_behind[behind_ls]
            _add_strain(before[ks], *sizes, turning[ks], turned_behind[ls], strain, row)


@kernel
def _match_as_decided(c, advance, symbols, m, reach, memory, turned, total, before, behind, matched):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Match each chip as decided, and sum what lies before and behind, ``reach`` places further on."""
    n = symbols.size
    turned[0] = np.complex64(1.0)
    for k in range(n):
        ctx = _context(symbols, k, m, reach)
        matched[k] = c[k, ctx] * np.conj(turned[k])
        phase = turned[k] * advance[ctx]
        turned[k + 1] = phase * (np.float32(1.0) / _length(phase))
        before[reach + k + 1] = matched[k] + memory * before[reach + k]
        total[reach + k + 1] = total[reach + k] + matched[k]
    total[reach + n + 1 :] = total[reach + n]
    for k in range(n - 1, -1, -1):
        behind[reach + k] = matched[k] + memory * behind[reach + k + 1]


@kernel
def _patterns(c, advance, symbols, m, reach, turned):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Match each chip with its context changed by each pattern, and tell what it turns then."""
    n = symbols.size
    fit = np.zeros((advance.size, n + 2 * reach), dtype=np.complex64)
    turn = np.ones((advance.size, n + 2 * reach), dtype=np.complex64)
    for k in range(n):
        ctx = _context(symbols, k, m, reach)
        back = np.conj(turned[k])
        for pattern in range(advance.size):
            change = pattern
            if reach:  # at the ends a chip is its own neighbour
                own = pattern // m % m
                if k == 0:
                    change = own * m * m + change % (m * m)
                if k == n - 1:
                    change = change // m * m + own
            fit[pattern, reach + k] = c[k, ctx ^ change] * back
            turn[pattern, reach + k] = advance[ctx ^ change] * np.conj(turned[k + 1]) * turned[k]
    return fit, turn


@kernel
def _walk(fit, turn, m, reach, kind, changed, changed_turn):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Sum the chips around the changes of a rival in the decided frame, and what they turn, for each k."""
    distance, x, between, y = kind
    changed[:] = np.complex64(0.0)
    changed_turn[:] = np.complex64(1.0)
    pattern = 0
    for step in range(distance + 1 + 2 * reach):
        entering = 0
        if step == 0:
            entering = x
        elif step < distance:
            entering = between
        elif step == distance:
            entering = y
        pattern = (pattern * m + entering) % fit.shape[0] if reach else entering
        n = min(changed.size, fit.shape[1] - step)
        _step(fit[pattern, step : step + n], turn[pattern, step : step + n], changed[:n], changed_turn[:n])


@kernel
def _step(fit, turn, changed, changed_turn):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(changed.size):
        changed[k] += fit[k] * np.conj(changed_turn[k])
    for k in range(changed.size):
        changed_turn[k] *= turn[k]


@kernel
def _add(a, b, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(out.size):
        out[k] = a[k] + b[k]


@kernel
def _turn_back(a, turn, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(out.size):
        out[k] = a[k] * np.conj(turn[k])


@kernel
def _subtract_turned_back(a, b, turn, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(out.size):
        out[k] = a[k] - b[k] * np.conj(turn[k])


@kernel
def _cost(outer, inner, head, turn, tail, costs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for k in range(costs.size):
        costs[k] = _length(outer[k] + inner[k]) - _length(head[k] + np.conj(turn[k]) * tail[k])


@kernel
def _add_strain(before, size_before, size_behind, turn, turned_behind, strain, costs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Count by how much what lies before and behind would fit each other less."""
    for k in range(costs.size):
        together = _length(before[k] + np.conj(turn[k]) * turned_behind[k])
        costs[k] -= strain * (size_before[k] + size_behind[k] - together)
