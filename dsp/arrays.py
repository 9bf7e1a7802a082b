"""Names for the arrays that flow through the chain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RawArray = NDArray[Any]  # interleaved I, Q as recorded: uint8, int8, int16 or float32 [2n]
ComplexArray = NDArray[np.complex64]  # I/Q samples, full scale ±1 [n]
PhasorArray = NDArray[np.complex128]  # sums whose phase must stay exact [n]
FloatArray = NDArray[np.float32]  # envelopes, soft chips: positive is chip 1 [n]
DoubleArray = NDArray[np.float64]  # times and phases [n]
ChipArray = NDArray[np.uint8]  # hard chips, 0 or 1 [n]
IndexArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
