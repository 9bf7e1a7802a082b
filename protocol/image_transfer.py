"""Image transfer: new firmware for a device (CI C0 and C7 command, C1 and C2 response).

    function (1)   b7 response
    content        fields whose widths are not public

Function 01 is inferred from the gap in the list. Source: EN 13757-3 through OMS Vol. 2 Annex M.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol.errors import Incomplete
from protocol.fields import unsigned

RESPONSE: Final = 0x80

FUNCTIONS: Final = {
    0x00: "prepare",
    0x01: "synchronise",
    0x02: "transfer",
    0x03: "completion",
    0x04: "state",
    0x05: "validate",
    0x06: "activate",
    0x07: "terminate",
}


@dataclass(frozen=True, slots=True)
class ImageTransfer:
    """One command or response.

    Attributes:
        code: function field.
        content: bytes behind it.
    """

    code: int
    content: bytes = b""

    @property
    def function(self) -> str | None:
        """Name of the function, None for a reserved code."""
        return FUNCTIONS.get(self.code & ~RESPONSE)


def parse_image_transfer(body: bytes) -> ImageTransfer:
    """Decode a command or response.

    Raises:
        Incomplete: no function field.
    """
    if not body:
        raise Incomplete("application", "truncated", "image transfer without a function", offset=0)
    return ImageTransfer(body[0], body[1:])


def encode_image_transfer(message: ImageTransfer) -> bytes:
    """Encode a command or response.

    Raises:
        InvalidField: a code is not one byte.
    """
    return unsigned("application", "function", message.code) + message.content
