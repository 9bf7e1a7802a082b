"""The radio's constant offset: the spike at 0 Hz of a direct-conversion receiver.

The offset stays while bursts come and go, so it is the median over recent stretches of the
stretch's mean: a burst with a tone right at 0 Hz moves only the means it takes part in.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from dsp.arrays import ComplexArray

_STRETCHES = 64


class DcTracker:
    """Follows the offset from stretches of the stream."""

    def __init__(self) -> None:
        self._means: deque[complex] = deque(maxlen=_STRETCHES)

    def push(self, samples: ComplexArray) -> None:
        """Take the next stretch, complex64 [n]."""
        if samples.size:
            self._means.append(complex(samples.mean(dtype=np.complex128)))

    @property
    def value(self) -> complex:
        """The offset, full scale 1; 0 before the first stretch."""
        if not self._means:
            return 0.0
        means = np.array(self._means)
        return complex(np.median(means.real), np.median(means.imag))
