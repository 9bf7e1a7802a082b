"""An iterator worked on in a thread: same items, same end, and no thread left behind."""

import threading
from collections.abc import Iterator

import pytest

from sdr.read_ahead import ReadAhead


def _numbers(count: int, error: Exception | None = None) -> Iterator[int]:
    yield from range(count)
    if error is not None:
        raise error


def test_all_items_in_order() -> None:
    assert list(ReadAhead(_numbers(10_000))) == list(range(10_000))


def test_an_error_comes_at_its_place() -> None:
    got = []
    with pytest.raises(ValueError, match="at the end"):
        for item in ReadAhead(_numbers(3, ValueError("at the end"))):
            got.append(item)
    assert got == [0, 1, 2]


def test_it_begins_before_it_is_asked() -> None:
    begun = threading.Event()

    def items() -> Iterator[int]:
        begun.set()
        yield 1

    ahead = ReadAhead(items())
    assert begun.wait(10.0)
    assert list(ahead) == [1]


def test_closing_ends_the_thread() -> None:
    before = threading.active_count()
    ahead = ReadAhead(_numbers(10**9))
    assert next(iter(ahead)) == 0
    ahead.close()
    ahead._thread.join(10.0)
    assert threading.active_count() == before
