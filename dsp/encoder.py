"""Frame bytes to the chips of a whole burst: preamble, sync word, line-coded frame, postamble.

Source: EN 13757-4.
"""

from __future__ import annotations

import numpy as np

from dsp import line_code
from dsp.arrays import ChipArray, FloatArray
from dsp.modes import FrameFormat, Modulation, PhyMode, Postamble

# 4-GFSK: level of each dibit; the outer pair carries preamble and sync word. The mapping
# of the inner pair follows "1 is the upper frequency" and is doubtful in the sources.
DIBIT_LEVELS = np.array([-1 / 3, -1.0, 1 / 3, 1.0], dtype=np.float32)

_POSTAMBLE_CHIPS = 4


def chip_string(text: str) -> ChipArray:
    """Chips uint8 [n] of a string of 0 and 1."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8) - ord("0")


def encode_levels(
    raw_frame: bytes,
    row: PhyMode,
    frame_format: FrameFormat,
    *,
    preamble_pairs: int | None = None,
    postamble_chips: int | None = None,
) -> FloatArray:
    """Build one burst as modulation levels, one per chip on air.

    Args:
        raw_frame: frame from the L-field to the last CRC.
        row: the air interface.
        frame_format: chooses the sync word.
        preamble_pairs: number of ``01`` pairs; the row's least number by default.
        postamble_chips: length of the trailer; four where the row has one by default.

    Returns:
        Levels float32 [n] in units of the deviation: ±1, and ±1/3 for 4-GFSK's inner symbols.

    Raises:
        ValueError: the row has no such frame format, or the frame is empty.
    """
    if frame_format not in row.sync_words:
        raise ValueError(f"{row.name} has no frame format {frame_format}")
    if not raw_frame:
        raise ValueError("an empty frame cannot be sent")
    pairs = row.preamble_pairs if preamble_pairs is None else preamble_pairs
    header = chip_string("01" * pairs + row.sync_words[frame_format])
    coded = line_code.encode(raw_frame, row.line_code)
    trailer = _postamble(row, int(coded[-1]), _postamble_length(row, postamble_chips))
    if row.modulation is Modulation.GFSK4:
        dibits = 2 * coded[0::2] + coded[1::2]
        return np.concatenate([levels_of(header), DIBIT_LEVELS[dibits], levels_of(trailer)])
    return levels_of(np.concatenate([header, coded, trailer]))


def count_chips(
    raw_length: int,
    row: PhyMode,
    frame_format: FrameFormat,
    *,
    preamble_pairs: int | None = None,
    postamble_chips: int | None = None,
) -> tuple[int, int]:
    """Count the chips that ``encode_levels`` makes of a frame of ``raw_length`` bytes.

    Returns:
        Chips from the first of the preamble to the frame's last, and those of the whole burst.
    """
    pairs = row.preamble_pairs if preamble_pairs is None else preamble_pairs
    to_frame_end = 2 * pairs + len(row.sync_words[frame_format]) + raw_length * row.chips_per_byte
    return to_frame_end, to_frame_end + _postamble_length(row, postamble_chips)


def _postamble_length(row: PhyMode, wanted_chips: int | None) -> int:
    if row.postamble is Postamble.NONE:
        return 0
    return _POSTAMBLE_CHIPS if wanted_chips is None else wanted_chips


def _postamble(row: PhyMode, last_chip: int, length_chips: int) -> ChipArray:
    first = 1 - last_chip if row.postamble is Postamble.COMPLEMENT else 0
    return ((np.arange(length_chips) + first) % 2).astype(np.uint8)


def levels_of(chips: ChipArray) -> FloatArray:
    """Levels float32 [n] of chips of 0 and 1: −1 and 1."""
    return chips.astype(np.float32) * np.float32(2) - np.float32(1)
