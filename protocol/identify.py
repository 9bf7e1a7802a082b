"""What kind of frame some bytes are, when no radio has told.

Decided in this order; the first test that fits gives the verdict:

    68 L L 68, checksum and stop byte fit (likewise 10…16, and E5 alone)    wired
    CRC after byte 10 fits, and is no chance (see `_starts_as_format_a`)    format A
    CRC of format B fits                                                    format B
    exactly L + 1 bytes                                                     CRCs removed
    exactly the length of format A, first CRC wrong                         format A, damaged
    more than L + 1 bytes                                                   CRCs removed, bytes left over
    fewer                                                                   truncated

Source: EN 13757-4 and EN 13757-2 frame layouts; the order is proven on 300 field telegrams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from protocol import wired
from protocol.crc import crc_fits
from protocol.errors import CrcMismatch, Incomplete, InvalidField
from protocol.frame_format import (
    A_BLOCK_BYTES,
    CRC_BYTES,
    FIRST_BLOCK_BYTES,
    FrameFormat,
    air_length,
    bad_blocks,
    crc_spans,
    strip_crcs,
)
from protocol.quick import quick_init

_WIRED_STARTS: Final = frozenset(bytes((byte,)) for byte in (wired.ACK, wired.SHORT_START, wired.LONG_START))

FrameKind = Literal["wired", "A", "B", "crc_less"]


def _first_crc_end_b(l_field: int) -> int:
    """Return the end of the first CRC of a frame of format B, 0 if none has such an L-field."""
    frame_format: FrameFormat = "B"
    try:
        return crc_spans(air_length(l_field, frame_format), frame_format)[0][1]
    except InvalidField:
        return 0


_FIRST_CRC_ENDS_B: Final = tuple(_first_crc_end_b(l_field) for l_field in range(256))


@quick_init
@dataclass(frozen=True, slots=True)
class Identified:
    """A frame found in some bytes.

    Attributes:
        kind: ``wired``, the frame format whose CRCs were found, or ``crc_less``.
        frame: the CRC-less frame, or the whole wired frame.
        left_over: bytes behind the frame that belong to no layer.
    """

    kind: FrameKind
    frame: bytes
    left_over: bytes


def identify(data: bytes) -> Identified:
    """Find out what kind of frame ``data`` holds, and check and remove its CRCs.

    Args:
        data: bytes from the L-field or the wired start byte on.

    Raises:
        Incomplete: the bytes end before the frame does.
        InvalidField: no frame has such a length, or a wired frame's checksum does not fit.
        CrcMismatch: a frame of format A or B with a damaged block.
    """
    wired_frame = _wired(data) if data[:1] in _WIRED_STARTS else None
    if wired_frame is not None:
        return wired_frame
    if not data:
        raise Incomplete("link", "truncated", "no bytes", offset=0)
    bare_length = data[0] + 1
    a_length = air_length(data[0], "A")
    if _starts_as_format_a(data, bare_length):
        return Identified("A", strip_crcs(data, "A"), data[a_length:])
    if len(data) < bare_length:
        text = f"{len(data)} bytes, but the L-field announces {bare_length}"
        raise Incomplete("link", "truncated", text, offset=len(data))
    if _fits_format_b(data):
        return Identified("B", strip_crcs(data, "B"), data[bare_length:])
    if len(data) == a_length:
        raise CrcMismatch("link", bad_blocks(data, "A")[0], offset=0)
    return Identified("crc_less", data[:bare_length], data[bare_length:])


def _wired(data: bytes) -> Identified | None:
    """Find the wired frame at the start of ``data``; None when it is rather a wireless one."""
    length = wired.frame_length(data)
    if length is None or len(data) < length:
        return None
    if data[0] != wired.LONG_START and len(data) > length:
        # Five bytes or one prove too little against a wireless frame that goes on behind them.
        return None
    try:
        wired.parse(data[:length])
    except InvalidField:
        # The head of a long frame, or start and stop of a short one, and nothing behind: a damaged
        # wired frame. Otherwise the first byte may well be the L-field of a wireless frame.
        if len(data) == length and (data[0] == wired.LONG_START or data[-1] == wired.STOP):
            raise
        return None
    return Identified("wired", data[:length], data[length:])


def _starts_as_format_a(data: bytes, bare_length: int) -> bool:
    """Whether the first block has a CRC that fits.

    Of the frames without CRCs one in 65536 has fitting bytes there by chance. Where the length is
    exactly theirs, the second block has to fit as well: then it is a frame of format A that was cut.
    """
    if not _block_fits(data, 0, FIRST_BLOCK_BYTES):
        return False
    second = FIRST_BLOCK_BYTES + CRC_BYTES
    return len(data) != bare_length or _block_fits(data, second, second + A_BLOCK_BYTES)


def _block_fits(data: bytes, start: int, end: int) -> bool:
    block = data[start : end + CRC_BYTES]
    return len(block) == end + CRC_BYTES - start and crc_fits(block)


def _fits_format_b(data: bytes) -> bool:
    """Whether the CRC over the first two blocks of format B fits; the third may still be damaged."""
    end = _FIRST_CRC_ENDS_B[data[0]]
    return end > 0 and crc_fits(data[:end])
