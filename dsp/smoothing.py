"""Averages over what lies around, forgotten to either side: local signal and noise of a burst."""

from __future__ import annotations

from dsp._kernel import kernel

NOISE_MEMORY = 0.97
"""For a chip: noise is averaged over some thirty chips on each side."""


@kernel
def around(x, memory):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Replace each element by the sum of all, weighted by ``memory`` to the power of their distance."""
    before = 0.0
    for k in range(x.size):
        own = x[k]
        x[k] = own + before
        before = memory * (before + own)
    # what is behind, of the elements themselves: taken back out of the sums before
    behind = 0.0
    for k in range(x.size - 1, -1, -1):
        own = x[k] - (memory * x[k - 1] if k > 0 else 0.0)
        x[k] += behind
        behind = memory * (behind + own)


@kernel
def to_costs(leads, chosen, along, across, memory):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Make word metrics [words, hypotheses] costs, logarithms of likelihood ratios, against the chosen one.

    ``along`` and ``across`` [words] hold the chosen sums along the reference and the squares across; both
    are overwritten with their weighted sums around each word.
    """
    around(along, memory)
    around(across, memory)
    n, n_hypotheses = leads.shape
    for k in range(n):
        top = leads[k, chosen[k]]
        scale = max(along[k], 0.0) / (across[k] + 1e-30)
        for w in range(n_hypotheses):
            leads[k, w] = (top - leads[k, w]) * scale
