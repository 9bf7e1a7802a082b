"""Frame formats A and B: where the CRCs of a wireless frame sit.

    format A   block 1   L C M M A A A A A A | CRC CRC
               block n   up to 16 bytes, CI first | CRC CRC
               L counts all following bytes without any CRC.

    format B   block 1   L C M M A A A A A A          no CRC of its own
               block 2   CI and data | CRC CRC        covers blocks 1 and 2, 128 bytes at most
               block 3   data | CRC CRC               only if L > 127
               L counts all following bytes, CRCs included.

A *CRC-less frame* has the CRCs removed and the L-field of format A.

Source: EN 13757-4; block sizes recomputed from OMS Vol. 2 Annex N frames.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from protocol.crc import crc16, crc_bytes
from protocol.errors import CrcMismatch, Incomplete, InvalidField

FrameFormat = Literal["A", "B"]

CRC_BYTES: Final = 2
FIRST_BLOCK_BYTES: Final = 10
A_BLOCK_BYTES: Final = 16
B_BLOCK_BYTES: Final = 128
"""Blocks 1 and 2 of format B together, CRC included."""

MIN_L_FIELD: Final = 9
"""L-field of a CRC-less frame that ends with its address."""


def _air_length_a(l_field: int) -> int:
    blocks = 1 + -(-(l_field - MIN_L_FIELD) // A_BLOCK_BYTES)
    return l_field + 1 + CRC_BYTES * blocks


def _air_length_b(l_field: int) -> int:
    return l_field + 1


_AIR_LENGTHS: Final[dict[str, dict[int, int]]] = {
    "A": {l_field: _air_length_a(l_field) for l_field in range(MIN_L_FIELD, 256)},
    "B": {
        l_field: _air_length_b(l_field)
        for l_field in range(MIN_L_FIELD + CRC_BYTES, 256)
        # A third block needs room for its CRC and at least one byte of data.
        if not 0 < _air_length_b(l_field) - B_BLOCK_BYTES <= CRC_BYTES
    },
}


def air_length(l_field: int, frame_format: FrameFormat) -> int:
    """Return the number of bytes on air, from the L-field to the last CRC.

    Raises:
        InvalidField: no frame of this format has such an L-field.
    """
    length = _AIR_LENGTHS[frame_format].get(l_field)
    if length is None:
        text = f"no frame of format {frame_format} has an L-field of {l_field}"
        raise InvalidField("link", "length_invalid", text, offset=0)
    return length


@lru_cache(maxsize=512)
def _checked_spans(length: int, frame_format: FrameFormat) -> tuple[tuple[int, int, int], ...]:
    """Block number, start and end (CRC excluded) of each CRC of a frame of ``length`` bytes."""
    if frame_format == "B":
        first_end = min(length, B_BLOCK_BYTES)
        third = ((3, first_end, length - CRC_BYTES),) if length > first_end else ()
        return (2, 0, first_end - CRC_BYTES), *third
    step = A_BLOCK_BYTES + CRC_BYTES
    starts = range(FIRST_BLOCK_BYTES + CRC_BYTES, length, step)
    later = ((block, start, min(start + step, length) - CRC_BYTES) for block, start in enumerate(starts, 2))
    return (1, 0, FIRST_BLOCK_BYTES), *later


def crc_spans(length: int, frame_format: FrameFormat) -> tuple[tuple[int, int], ...]:
    """Return start and end, CRC included, of what each CRC of a frame of ``length`` bytes protects."""
    return tuple((start, end + CRC_BYTES) for _, start, end in _checked_spans(length, frame_format))


def _whole(raw: bytes, frame_format: FrameFormat) -> int:
    """Length on air of the frame at the start of ``raw``, all of it being there."""
    if not raw:
        raise Incomplete("link", "truncated", "no bytes", offset=0)
    length = air_length(raw[0], frame_format)
    if len(raw) < length:
        text = f"{len(raw)} of {length} bytes of a frame of format {frame_format}"
        raise Incomplete("link", "truncated", text, offset=len(raw))
    return length


def bad_blocks(raw: bytes, frame_format: FrameFormat) -> tuple[int, ...]:
    """Return the numbers, from 1, of the blocks whose CRC does not fit.

    Args:
        raw: a frame with its CRCs; bytes after its end are ignored.
        frame_format: format of the frame.

    Raises:
        Incomplete: the frame is cut.
        InvalidField: impossible L-field.
    """
    length = _whole(raw, frame_format)
    return tuple(
        block
        for block, start, end in _checked_spans(length, frame_format)
        if crc16(raw[start:end]) != raw[end] << 8 | raw[end + 1]
    )


def strip_crcs(raw: bytes, frame_format: FrameFormat) -> bytes:
    """Check and remove the CRCs of a frame.

    Args:
        raw: a frame with its CRCs; bytes after its end are ignored.
        frame_format: format of the frame.

    Returns:
        The CRC-less frame, with the L-field of format A.

    Raises:
        Incomplete: the frame is cut.
        InvalidField: impossible L-field.
        CrcMismatch: a CRC does not fit; names the first such block.
    """
    length = _whole(raw, frame_format)
    parts = []
    for block, start, end in _checked_spans(length, frame_format):
        part = raw[start:end]
        if crc16(part) != raw[end] << 8 | raw[end + 1]:
            raise CrcMismatch("link", block, offset=start)
        parts.append(part)
    frame = b"".join(parts)
    return frame if frame_format == "A" else bytes((len(frame) - 1,)) + frame[1:]


def add_crcs(frame: bytes, frame_format: FrameFormat) -> bytes:
    """Add the CRCs to a CRC-less frame.

    Args:
        frame: CRC-less frame, from the L-field on.
        frame_format: format to make; B gets its own L-field.

    Returns:
        The frame as it goes on air.

    Raises:
        InvalidField: the L-field does not count the bytes, or the format cannot hold them.
    """
    if not frame or frame[0] != len(frame) - 1:
        text = f"L-field does not count the {len(frame)} bytes of the frame"
        raise InvalidField("link", "length_mismatch", text, offset=0)
    l_field = frame[0]
    if frame_format == "B":
        crcs = 1 if l_field + CRC_BYTES < B_BLOCK_BYTES else 2
        l_field += CRC_BYTES * crcs
    length = air_length(l_field, frame_format)
    data = bytes((l_field,)) + frame[1:]
    parts: list[bytes] = []
    taken = 0
    for _, start, end in _checked_spans(length, frame_format):
        part = data[taken : taken + end - start]
        taken += len(part)
        parts += part, crc_bytes(part)
    return b"".join(parts)
