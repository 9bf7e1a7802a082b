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
