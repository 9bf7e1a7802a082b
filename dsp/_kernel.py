"""The typed front for numba: one decorator, cached compilation, one warning when no cache is writable.

numba keeps compiled kernels beside the source file, else in the user's cache folder;
where neither can be written, kernels are compiled anew at each start.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_warned = False


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` at its first call, without the GIL, and cache the result on disk."""
    return _compiled(function)


def summing_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Do as ``kernel``; sums may be taken in any order, so that they fill SIMD lanes."""
    return _compiled(function, {"reassoc", "nsz", "contract"})


def _compiled(function: Callable[P, R], fastmath: bool | set[str] = False) -> Callable[P, R]:
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(function)
    except RuntimeError:  # no folder for the cache can be written
        _warn_once()
        compiled = numba.njit(nogil=True, error_model="numpy", fastmath=fastmath)(function)
    return cast("Callable[P, R]", compiled)


def cache_folder() -> str | None:
    """Tell where compiled kernels are kept; None where no folder can be written."""
    try:
        return str(numba.njit(cache=True)(_warn_once).stats.cache_path)  # chosen now, compiled never
    except RuntimeError:
        return None


def _warn_once() -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            "no cache folder is writable: signal processing is compiled at every start "
            "(set NUMBA_CACHE_DIR to a writable folder to start faster)",
            RuntimeWarning,
            stacklevel=3,
        )
