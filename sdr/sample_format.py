"""The four ways in which an I/Q sample is stored, as one table.

    name   bytes  stored as          value of a stored v     SigMF
    cu8    2      I, Q: uint8        (v − 127.5) / 127.5     cu8
    cs8    2      I, Q: int8         v / 128                 ci8
    cs16   4      I, Q: int16        v / 32768               ci16
    cf32   8      I, Q: float32      v                       cf32

Full scale is ±1 in all of them. The receive chain takes the stored values as they are and
applies ``zero_offset`` and ``scale`` in its own kernels: value = (v − zero_offset) · scale.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import DTypeLike

from dsp.arrays import ComplexArray, RawArray


class SampleFormat(Enum):
    """One row of the table; ``label`` is the name on the command line and the file suffix."""

    CU8 = ("cu8", np.uint8, 127.5, 127.5, "cu8")
    CS8 = ("cs8", np.int8, 0.0, 128.0, "ci8")
    CS16 = ("cs16", np.int16, 0.0, 32768.0, "ci16")
    CF32 = ("cf32", np.float32, 0.0, 1.0, "cf32")

    def __init__(
        self, label: str, dtype: DTypeLike, zero_offset: float, full_scale: float, sigmf_type: str
    ) -> None:
        self.label = label
        self.dtype = np.dtype(dtype)  # native byte order
        self.zero_offset = zero_offset
        self.full_scale = full_scale
        self.scale = 1.0 / full_scale
        self.sigmf_type = sigmf_type  # without byte order
        self.bytes_per_sample = 2 * self.dtype.itemsize

    @classmethod
    def named(cls, label: str) -> SampleFormat | None:
        """Find the format of this name, or None."""
        return next((row for row in cls if row.label == label), None)


def to_complex(raw: RawArray, sample_format: SampleFormat) -> ComplexArray:
    """Turn stored values into samples.

    Args:
        raw: I, Q, I, Q… in ``sample_format.dtype`` [2n].
        sample_format: how they are stored.

    Returns:
        The samples, full scale ±1, complex64 [n].
    """
    values = raw.astype(np.float32)
    values -= np.float32(sample_format.zero_offset)
    values *= np.float32(sample_format.scale)
    return values.view(np.complex64)


def from_complex(iq: ComplexArray, sample_format: SampleFormat) -> tuple[RawArray, int]:
    """Turn samples into stored values, rounded to the nearest, limited to what can be stored.

    Args:
        iq: samples, full scale ±1, complex64 [n].
        sample_format: how to store them.

    Returns:
        I, Q, I, Q… in ``sample_format.dtype`` [2n], and how many samples had to be limited
        (a sample that is no number is stored as zero and counts too).
    """
    values = np.ascontiguousarray(iq, dtype=np.complex64).view(np.float32)
    if sample_format is SampleFormat.CF32:
        return values.copy(), 0
    limits = np.iinfo(sample_format.dtype)
    zero = np.float32(sample_format.zero_offset)
    scaled = np.rint(values * np.float32(sample_format.full_scale) + zero)
    inside = (scaled >= limits.min) & (scaled <= limits.max)
    if inside.all():
        return scaled.astype(sample_format.dtype), 0
    np.nan_to_num(scaled, copy=False, nan=float(np.rint(zero)), posinf=limits.max, neginf=limits.min)
    np.clip(scaled, limits.min, limits.max, out=scaled)
    n_clipped = int(np.count_nonzero(~inside.reshape(-1, 2).all(axis=1)))
    return scaled.astype(sample_format.dtype), n_clipped
