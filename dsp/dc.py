"""The radio's constant offset: the spike at 0 Hz of a direct-conversion receiver.

The offset stays while bursts come and go, so it is the median over recent stretches of the
stretch's mean: a burst with a tone right at 0 Hz moves only the means it takes part in.
"""

from __future__ import annotations

from collections import deque

import numpy as np

_STRETCHES = 64
_LEAST_STRETCHES = 3


class DcTracker:
    """Follows the offset from stretches of the stream."""

    def __init__(self) -> None:
        self._means: deque[complex] = deque(maxlen=_STRETCHES)

    def push(self, mean: complex) -> None:
        """Take the mean of the next stretch."""
        self._means.append(mean)

    @property
    def value(self) -> complex:
        """The offset, full scale 1; 0 while there are too few stretches to tell it from a burst."""
        if len(self._means) < _LEAST_STRETCHES:
            return 0.0
        means = np.array(self._means)
        return complex(np.median(means.real), np.median(means.imag))
