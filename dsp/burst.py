"""What the receive chain hands on: one burst on air with its bytes and its radio quality."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from dsp.arrays import IndexArray
from dsp.modes import FrameFormat, PhyMode


class FrameRules(Protocol):
    """What the chain must know of frames, given to it from above."""

    def air_length(self, l_field: int, frame_format: FrameFormat) -> int:
        """Bytes on air from the L-field to the last CRC; 0 for an impossible L-field."""

    def first_span_bytes(self, frame_format: FrameFormat) -> int:
        """Bytes to read before the length is known: format A's first block, else the L-field."""

    def bad_blocks(self, raw: bytes, frame_format: FrameFormat) -> tuple[int, ...]:
        """Numbers, from 1, of the blocks whose CRC does not fit."""

    def crc_spans(self, length: int, frame_format: FrameFormat) -> tuple[tuple[int, int], ...]:
        """Byte ranges that one CRC protects, CRC included, in a frame of ``length`` bytes."""

    def remainder(self, span: bytes) -> int:
        """Tell what is wrong with such a range by the CRC at its end; 0 when it fits."""

    def bit_remainders(self, n_bits: int) -> IndexArray:
        """Tell how each bit of a range of ``n_bits``, CRC included, changes the remainder: int64 [n_bits]."""


class Fault(Enum):
    """Why a burst is no frame.

    ``CRC_AMBIGUOUS``: the CRCs fit, but so would another reading that is likely: in a long block
    two wrong bits may cancel.
    """

    CRC_MISMATCH = "crc_mismatch"
    CRC_AMBIGUOUS = "crc_ambiguous"
    TRUNCATED = "truncated"
    LENGTH_INVALID = "length_invalid"
    SYNC_NOT_FOUND = "sync_not_found"


@dataclass(frozen=True, slots=True)
class Quality:
    """Measured radio quality; None where a value could not be measured.

    Attributes:
        rssi_dbfs: mean power of the burst without noise; a full-scale tone is 0.
        noise_dbfs: noise power in a bandwidth equal to the chip rate.
        carrier_hz: middle between the two tones.
        frequency_error_hz: from the nominal carrier.
        deviation_hz: half the distance of the tones.
        chip_rate_hz: mean over the burst.
        inverted: the spectrum is upside down.
        sync_metric: correlation of the sync pattern, 0…1.
    """

    rssi_dbfs: float | None = None
    noise_dbfs: float | None = None
    carrier_hz: float | None = None
    frequency_error_hz: float | None = None
    deviation_hz: float | None = None
    chip_rate_hz: float | None = None
    inverted: bool = False
    sync_metric: float | None = None

    @property
    def snr_db(self) -> float | None:
        """Signal to noise in a bandwidth equal to the chip rate: Ec/N0."""
        if self.rssi_dbfs is None or self.noise_dbfs is None:
            return None
        return self.rssi_dbfs - self.noise_dbfs


@dataclass(frozen=True, slots=True)
class Burst:
    """One transmission: a frame, or what is left of one and why.

    Attributes:
        row: air interface it was received on.
        frame_format: A or B; None where no sync word was found.
        raw: bytes from the L-field on, as far as they were received, CRCs included.
        fault: None for a frame whose CRCs all fit.
        bad_blocks: blocks whose CRC does not fit, from 1.
        repaired_bits: bits changed because a CRC did not fit.
        first_sample: stream sample of the first preamble chip.
        duration_s: from there to the end of the last chip of ``raw``.
        quality: measured radio quality.
    """

    row: PhyMode
    frame_format: FrameFormat | None
    raw: bytes
    fault: Fault | None
    bad_blocks: tuple[int, ...]
    repaired_bits: int
    first_sample: int
    duration_s: float
    quality: Quality
