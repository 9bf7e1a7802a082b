"""Network layer of relayed frames: stepped over.

    81   one byte of routing information

Only these two bytes are known in public; more may follow, so what comes behind is to be taken
with a note.

Source: EN 13757-5; one field telegram.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.ci import NWL_CODE
from protocol.errors import Incomplete
from protocol.fields import unsigned


@dataclass(frozen=True, slots=True)
class Nwl:
    """A network layer: the byte behind its CI-field, as transmitted."""

    routing: int

    @property
    def size(self) -> int:
        """Number of bytes, CI-field included."""
        return 2

    def encode(self) -> bytes:
        """Return the bytes of the layer."""
        return bytes((NWL_CODE,)) + unsigned("nwl", "routing", self.routing)


def parse(data: bytes, offset: int = 0) -> Nwl:
    """Read a network layer whose CI-field stands at ``offset``.

    Raises:
        Incomplete: the byte behind the CI-field is missing.
    """
    if len(data) < offset + 2:
        raise Incomplete("nwl", "truncated", "network layer is cut", offset=len(data))
    return Nwl(data[offset + 1])
