"""Work spread over processes, results in the order of the tasks: the counts never depend on how many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """A pool of processes, or none for one job.

    Args:
        jobs: processes; 1 works in this one.
    """

    def __init__(self, jobs: int) -> None:
        # not forked: the parent may hold threads of the FFT
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(jobs, mp_context=context) if jobs > 1 else None

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Call a function of the module level on every task; yield the results in their order."""
        return map(function, tasks) if self._pool is None else self._pool.map(function, tasks)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
