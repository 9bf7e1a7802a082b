"""Frozen dataclasses that are made for every telegram or record, in a third of the time.

The ``__init__`` of a frozen dataclass has to go round its own ``__setattr__``, attribute by attribute
and by name. Here an object is filled while it belongs to a subclass that is not frozen, and frozen by
giving it its own class back.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Final, TypeVar

_Class = TypeVar("_Class")

_UNFROZEN: Final = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}


def quick_init(cls: type[_Class]) -> type[_Class]:
    """Give a frozen, slotted dataclass an ``__init__`` that fills its slots before it is frozen.

    Raises:
        TypeError: a class without slots, or with fields whose defaults are made anew each time.
    """
    slots = [each.name for each in fields(cls)]  # type: ignore[arg-type]  # a dataclass, or fields() raises
    names: dict[str, object] = {
        "frozen": cls,
        "unfrozen": type(cls.__name__, (cls,), {"__slots__": (), **_UNFROZEN}),
        "set_class": vars(object)["__class__"].__set__,
    }
    parameters = []
    for each in fields(cls):  # type: ignore[arg-type]
        if each.name not in vars(cls) or each.default_factory is not MISSING or not each.init or each.kw_only:
            raise TypeError(f"{cls.__name__}.{each.name} is no plain slot")
        names[f"default_{each.name}"] = each.default
        has_default = each.default is not MISSING
        parameters.append(f"{each.name}=default_{each.name}" if has_default else each.name)
    lines = [
        f"def __init__(self, {', '.join(parameters)}):",
        "set_class(self, unfrozen)",
        *(f"self.{name} = {name}" for name in slots),
        "self.__class__ = frozen",
    ]
    # As dataclasses itself does: the names come from the class body, nothing from outside.
    exec("\n    ".join(lines), names)
    setattr(cls, "__init__", names["__init__"])  # noqa: B010  # mypy takes no assignment to a method
    return cls
