"""An iterator that is worked on in a thread before anybody asks for its items."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_ITEMS = 4096
_PATIENCE_S = 0.2


@dataclass(frozen=True, slots=True)
class _End:
    """What comes after the last item: how the iterator ended."""

    error: BaseException | None


class ReadAhead(Generic[T]):
    """Yields the items of an iterator in order; what it raises is raised at its place.

    Args:
        items: to be iterated in a thread of its own, from now on.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ready: queue.Queue[T | _End] = queue.Queue(_MOST_ITEMS)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self._ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def close(self) -> None:
        """Stop the thread after the item it is at, and drop what is left."""
        self._closed.set()
        self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as raised:  # raised again by who iterates
            error = raised
        self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        while not self._closed.is_set():
            try:
                self._ready.put(item, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return True
        return False
