"""The radio's constant offset: the spike at 0 Hz of a direct-conversion receiver.

The offset stays while bursts come and go, so it is the median over recent stretches of the
stretch's mean: a burst with a tone right at 0 Hz moves only the means it takes part in.
"""

from __future__ import annotations

import numpy as np

from dsp.selection import median

_STRETCHES = 64
_LEAST_STRETCHES = 3


class DcTracker:
    """Follows the offset from stretches of the stream."""

    def __init__(self) -> None:
        self._means = np.zeros((2, _STRETCHES))  # real and imaginary parts, in no order
        self._n_pushed = 0

    def push(self, mean: complex) -> None:
        """Take the mean of the next stretch."""
        at = self._n_pushed % _STRETCHES
        self._means[0, at], self._means[1, at] = mean.real, mean.imag
        self._n_pushed += 1

    @property
    def value(self) -> complex:
        """The offset, full scale 1; 0 while there are too few stretches to tell it from a burst."""
        n = min(self._n_pushed, _STRETCHES)
        if n < _LEAST_STRETCHES:
            return 0.0
        return complex(median(self._means[0, :n]), median(self._means[1, :n]))
