"""An array that grows at its end without being copied each time, and can be used again."""

from __future__ import annotations

import numpy as np

from dsp.arrays import ComplexArray

_GROWTH = 1.5  # room is made for so many times as much


class Growing:
    """Samples in a row, complex64; empty at first.

    Attributes:
        array: all of them; a view that writes through until the next ``extend``.
    """

    def __init__(self) -> None:
        self._store: ComplexArray = np.zeros(0, dtype=np.complex64)
        self.array = self._store

    def clear(self) -> None:
        """Forget the samples, but keep the room."""
        self.array = self._store[:0]

    def extend(self, n: int) -> ComplexArray:
        """Add ``n`` samples at the end, and give them to be filled."""
        size, wanted = self.array.size, self.array.size + n
        if wanted > self._store.size:
            store = np.empty(int(_GROWTH * wanted), dtype=np.complex64)
            store[:size] = self.array
            self._store = store
        self.array = self._store[:wanted]
        return self._store[size:wanted]
