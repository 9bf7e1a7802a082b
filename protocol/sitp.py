"""Security information transport protocol: keys and secured commands (CI C3-C6).

    BCF (1)     block control field; b7 response
    content     data structures: DSI, DSH1 (key id), DSH2 (key version), content

The length fields of the data structures are not public, so the content stays bytes.
Source: EN 13757-7 Annex A through OMS Vol. 2 and its Annex M.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol.errors import Incomplete
from protocol.fields import unsigned

RESPONSE: Final = 0x80

FUNCTIONS: Final = {
    0x00: "transfer security information",
    0x04: "combined activation and deactivation",
    0x08: "list active keys",
    0x09: "list active keys and counters",
    0x20: "transfer end-to-end application data",
}
"""Function of a block, response bit clear; the others have no public meaning."""


@dataclass(frozen=True, slots=True)
class Sitp:
    """One block of the protocol.

    Attributes:
        control: block control field.
        content: bytes behind it.
    """

    control: int
    content: bytes = b""

    @property
    def function(self) -> str | None:
        """What the block does, None where the code has no public meaning."""
        return FUNCTIONS.get(self.control & ~RESPONSE)


def parse_sitp(body: bytes) -> Sitp:
    """Decode a block.

    Raises:
        Incomplete: no block control field.
    """
    if not body:
        raise Incomplete("application", "truncated", "SITP without block control field", offset=0)
    return Sitp(body[0], body[1:])


def encode_sitp(block: Sitp) -> bytes:
    """Encode a block.

    Raises:
        InvalidField: a code is not one byte.
    """
    return unsigned("application", "block control field", block.control) + block.content
