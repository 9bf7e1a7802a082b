"""Work for several cores: a pool of processes that ends with this one, whatever ends it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Processes:
    """A pool of processes, or none for one job.

    Args:
        jobs: processes; 1 works in this one.

    Attributes:
        executor: the pool; None for one job.
    """

    def __init__(self, jobs: int) -> None:
        # not forked: this process may hold threads
        context = multiprocessing.get_context("spawn")
        self.executor: Executor | None = None
        if jobs > 1:
            self.executor = ProcessPoolExecutor(jobs, mp_context=context, initializer=_follow_parent)

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Call a function of the module level on every task; yield the results in their order."""
        return map(function, tasks) if self.executor is None else self.executor.map(function, tasks)

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.executor is not None:
            self.executor.shutdown(cancel_futures=True)


def _follow_parent() -> None:
    """Leave interrupts to the parent, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
