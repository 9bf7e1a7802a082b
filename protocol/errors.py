"""What can go wrong between bytes and readings.

    ProtocolError(ValueError)   layer, reason, offset
      Incomplete                bytes are missing
      InvalidField              a field holds what its layer forbids
      Unsupported               recognised, but not decodable here
      CrcMismatch               a block CRC does not fit (``block`` counts from 1)

Parsers raise these and nothing else, whatever bytes they are given.
"""

from __future__ import annotations


class ProtocolError(ValueError):
    """A telegram that cannot be decoded, with the layer and the place that failed.

    Attributes:
        layer: short name of the layer: ``link``, ``ell``, ``afl``, ``transport``, ``application``…
        reason: word of the closed vocabulary of reject reasons, for machines.
        offset: byte offset in the layer's input, or None where no single byte is to blame.
    """

    def __init__(self, layer: str, reason: str, text: str = "", *, offset: int | None = None) -> None:
        super().__init__(text or reason.replace("_", " "))
        self.layer = layer
        self.reason = reason
        self.offset = offset


class Incomplete(ProtocolError):
    """The input ends before the structure does."""


class InvalidField(ProtocolError):
    """A field has a value that its layer does not allow."""


class Unsupported(ProtocolError):
    """Recognised, but its facts are not public or not built."""


class CrcMismatch(ProtocolError):
    """A block's CRC does not fit its bytes; ``block`` counts from 1."""

    def __init__(self, layer: str, block: int, text: str = "", *, offset: int | None = None) -> None:
        super().__init__(layer, "crc_mismatch", text or f"CRC of block {block} does not fit", offset=offset)
        self.block = block
