"""The last stretch of the raw sample stream, addressed by absolute sample number.

Samples stay as recorded (two bytes each for a dongle), so that a second of a wide
stream is held in a few megabytes and only what a burst needs is ever converted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, RawArray


@dataclass(frozen=True, slots=True)
class RawScale:
    """How raw numbers become samples: ``(raw - zero) * scale``, full scale ±1."""

    zero: float
    scale: float


class History:
    """A bounded window onto the stream.

    Args:
        keep_samples: how far back samples stay available.
        raw_scale: how to convert.
    """

    def __init__(self, keep_samples: int, raw_scale: RawScale) -> None:
        self._keep_samples = keep_samples
        self._raw_scale = raw_scale
        self._raw: RawArray = np.zeros(0, dtype=np.uint8)
        self._first = 0
        self._used = 0

    @property
    def first(self) -> int:
        """Absolute number of the first sample held."""
        return self._first

    @property
    def end(self) -> int:
        """Absolute number of the sample after the last one held."""
        return self._first + self._used

    def append(self, raw: RawArray) -> None:
        """Add interleaved raw I/Q [2n] at the end, forgetting what is older than ``keep_samples``."""
        n_new = raw.size // 2
        if self._raw.dtype != raw.dtype:
            self._raw = np.zeros(0, dtype=raw.dtype)
        if 2 * (self._used + n_new) > self._raw.size:
            self._make_room(n_new)
        self._raw[2 * self._used : 2 * (self._used + n_new)] = raw
        self._used += n_new

    def _make_room(self, n_new: int) -> None:
        forget = max(0, self._used - self._keep_samples)
        kept = self._raw[2 * forget : 2 * self._used]
        capacity = 2 * (2 * self._keep_samples + n_new)
        if self._raw.size < capacity:
            grown = np.empty(capacity, dtype=self._raw.dtype)
            grown[: kept.size] = kept
            self._raw = grown
        else:
            self._raw[: kept.size] = kept  # as a rule they do not overlap; else numpy copies
        self._first += forget
        self._used -= forget

    def raw(self, start: int, stop: int) -> RawArray:
        """View samples ``start`` … ``stop - 1``, all of which are held, as recorded."""
        return self._raw[2 * (start - self._first) : 2 * (stop - self._first)]

    def cut(self, start: int, stop: int) -> History:
        """Copy samples ``start`` … ``stop - 1`` as far as they are held into a history of their own."""
        start = max(start, self._first)
        stop = max(start, min(stop, self.end))
        piece = History(stop - start, self._raw_scale)
        piece._raw, piece._first, piece._used = self.raw(start, stop).copy(), start, stop - start
        return piece

    def read(self, start: int, out: ComplexArray, offset: complex = 0.0) -> None:
        """Convert samples from ``start`` on, all of which are held, into ``out`` complex64 [n].

        Args:
            start: absolute number of the first.
            out: to be filled.
            offset: taken off each, full scale 1.
        """
        scale, off = self._raw_scale, np.complex64(offset)
        raw = self.raw(start, start + out.size)
        _convert(
            raw, np.float32(scale.zero), np.float32(scale.scale), off.real, off.imag, out.view(np.float32)
        )


@kernel
def _convert(raw, zero, scale, off_re, off_im, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(raw.size):  # two loops: the first fills SIMD lanes only without the other
        out[i] = (np.float32(raw[i]) - zero) * scale
    for i in range(0, raw.size - 1, 2):
        out[i] -= off_re
        out[i + 1] -= off_im
