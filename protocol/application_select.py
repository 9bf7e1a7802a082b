"""Application reset and select (CI 50, 53, 57) and requests and responses of one (54-56, 66-68).

    (nothing)        application reset: the device answers with its standard response
    parameter (1)    b7-4 application   b3-0 block number, 0 first
    rest             applications above 15 have an extended form whose layout is not public

Older texts read the low four bits alone as the application; the parameter is given, too.
Source: EN 13757-3, OMS Vol. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol.errors import InvalidField
from protocol.fields import unsigned

APPLICATIONS: Final = {
    0x0: "all",
    0x1: "user data",
    0x2: "simple billing",
    0x3: "enhanced billing",
    0x4: "multi tariff",
    0x5: "instantaneous values",
    0x6: "load management",
    0x7: "static data",
    0x8: "installation and startup",
    0x9: "testing",
    0xA: "calibration",
    0xB: "manufacturing",
    0xC: "development",
    0xD: "self-test",
    0xE: "reserved",
    0xF: "reserved",
}


@dataclass(frozen=True, slots=True)
class ApplicationSelect:
    """A selected application, or an application reset.

    Attributes:
        parameter: the parameter byte; None for a reset.
        rest: bytes behind it, which have no public layout.
    """

    parameter: int | None = None
    rest: bytes = b""

    @property
    def is_reset(self) -> bool:
        """Whether the device returns to its standard response."""
        return self.parameter is None

    @property
    def application(self) -> int | None:
        """Number of the application."""
        return None if self.parameter is None else self.parameter >> 4

    @property
    def block(self) -> int | None:
        """Block number, 0 for the first."""
        return None if self.parameter is None else self.parameter & 0x0F

    @property
    def name(self) -> str | None:
        """Name of the application; None for a reset."""
        return None if self.application is None else APPLICATIONS[self.application]


def parse_application_select(body: bytes) -> ApplicationSelect:
    """Decode an application reset or select; any bytes are one."""
    return ApplicationSelect(body[0], body[1:]) if body else ApplicationSelect()


def encode_application_select(select: ApplicationSelect) -> bytes:
    """Encode an application reset or select.

    Raises:
        InvalidField: a reset with bytes behind it.
    """
    if select.parameter is None:
        if select.rest:
            raise InvalidField("application", "value_invalid", "an application reset has no parameter")
        return b""
    return unsigned("application", "parameter", select.parameter) + select.rest
