"""A quick class is the same frozen dataclass, only its making differs."""

from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from protocol.quick import quick_init


@quick_init
@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    names: tuple[str, ...] = ()


def test_it_is_still_a_frozen_dataclass() -> None:
    point = Point(1, names=("a",))
    assert (point.x, point.y, point.names) == (1, 2, ("a",))
    assert point == Point(1, 2, ("a",)) != Point(2)
    assert hash(point) == hash(Point(1, 2, ("a",)))
    assert replace(point, y=5) == Point(1, 5, ("a",))
    assert repr(point).endswith("Point(x=1, y=2, names=('a',))")
    with pytest.raises(FrozenInstanceError):
        point.x = 3  # type: ignore[misc]


def test_arguments_are_checked_as_always() -> None:
    for arguments in ((), (1, 2, (), 4)):
        with pytest.raises(TypeError):
            Point(*arguments)
    with pytest.raises(TypeError):
        Point(1, z=2)  # type: ignore[call-arg]


def test_classes_that_it_cannot_serve_are_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        values: list[int] = field(default_factory=list)

    @dataclass(frozen=True)
    class Slotless:
        value: int

    for refused in (Fresh, Slotless):
        with pytest.raises(TypeError):
            quick_init(refused)
