"""What goes to the outputs: a telegram, or a rejection, and where it came from.

type            what came
Reception       a burst on air, with its radio quality
ByteReception   a line of hex, of JSON or of rtl_wmbus
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dsp.burst import Burst
from protocol.link import LinkFrame
from protocol.quick import quick_init
from protocol.telegram import Telegram

WIRED = "wired"
"""Mode of wired frames."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why there is no telegram.

    Attributes:
        layer: ``phy`` or ``link``, ``input`` for a line that holds no bytes, or the layer that failed.
        reason: word of the closed vocabulary.
        block: number of the first block whose CRC does not fit; None for other reasons.
        line: number of the input line, from 1; None for what was heard.
    """

    layer: str
    reason: str
    block: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """The same burst as another radio heard it.

    Attributes:
        device: which radio.
        rssi_dbfs, snr_db, frequency_error_hz: as in its own `Quality`.
    """

    device: str | None
    rssi_dbfs: float | None
    snr_db: float | None
    frequency_error_hz: float | None


@dataclass(frozen=True, slots=True)
class Reception:
    """One burst on air as the user sees it.

    Attributes:
        burst: bytes and radio quality.
        received_at: UTC of the first preamble chip; None where no clock is known.
        first_sample: the same instant, in samples since the start of the recording.
        frame: the CRC-less frame from the L-field on; empty for a rejection.
        link: decoded link layer; None for a rejection.
        rejection: why there is no telegram; None for a telegram.
        direction: ``M2O``, ``O2M``, or None where neither C-field nor mode tells.
        decoded: the telegram; None where only the link layer was looked at.
        device: the radio that heard it, where several listen.
        copies: what other radios heard of the same burst.
    """

    burst: Burst
    received_at: datetime | None
    first_sample: int
    frame: bytes
    link: LinkFrame | None
    rejection: Rejection | None
    direction: str | None
    decoded: Telegram | None = None
    device: str | None = None
    copies: tuple[Copy, ...] = ()

    @property
    def telegram(self) -> Telegram | None:
        """The telegram, if need be no more than its link layer; None for a rejection."""
        if self.decoded is None and self.link is not None:
            return Telegram(self.link, self.link.direction, self.link.address)
        return self.decoded

    @property
    def mode(self) -> str | None:
        """Letter of the radio mode."""
        return self.burst.row.mode

    @property
    def frame_format(self) -> str | None:
        """``A`` or ``B``."""
        return self.burst.frame_format

    @property
    def raw(self) -> bytes:
        """The bytes as received."""
        return self.burst.raw

    @property
    def repaired(self) -> int:
        """Bits that were changed because a CRC failed."""
        return self.burst.repaired_bits

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual about how it came."""
        return ()


@quick_init
@dataclass(frozen=True, slots=True)
class ByteReception:
    """One input line as the user sees it.

    Attributes:
        raw: the bytes as given.
        frame: the CRC-less frame or whole wired frame; empty for a rejection.
        telegram: the telegram; None for a rejection.
        rejection: why there is no telegram; None for a telegram.
        time: UTC in ISO 8601 where the line tells it.
        mode: letter of the radio mode or ``wired``, where the line tells it.
        direction: ``M2O``, ``O2M``, or None where nothing tells.
        frame_format: ``A`` or ``B`` where block CRCs were found or the line tells it.
        repaired: as the line tells it.
        radio: JSON text of the line's radio quality.
        notes: words of `INPUT_NOTES`.
    """

    raw: bytes
    frame: bytes = b""
    telegram: Telegram | None = None
    rejection: Rejection | None = None
    time: str | None = None
    mode: str | None = None
    direction: str | None = None
    frame_format: str | None = None
    repaired: int = 0
    radio: str = "null"
    notes: tuple[str, ...] = ()


INPUT_NOTES = {
    "crcs_of_format_a": "the bytes held block CRCs of format A, which were checked and removed",
    "crcs_of_format_b": "the bytes held block CRCs of format B, which were checked and removed",
    "format_b_by_chance": "the last bytes fit a CRC of format B, but make sense only as part of the telegram",
    "bytes_left_over": "bytes behind the end of the frame were ignored",
}
"""Notes on how bytes were given, with what each word means."""

INPUT_REASONS = {
    "not_hex": "the line holds no bytes in hex",
    "json_invalid": "the line begins like JSON and is none",
    "frame_hex_missing": "a JSON line without frame_hex",
    "key_invalid": "the key behind the tab is none",
    "line_too_long": "the line is longer than any telegram",
    "crc_failed": "the receiver that wrote the line says that its CRC failed",
}
"""Reasons for the layer ``input``, with what each word means."""
