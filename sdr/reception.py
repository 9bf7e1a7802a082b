"""What the receiver hands to the outputs: a telegram, or a rejection, with its radio quality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dsp.burst import Burst
from protocol.link import LinkFrame


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a burst is no telegram.

    Attributes:
        layer: ``phy`` or ``link``, or the layer above that failed.
        reason: word of the closed vocabulary.
        block: number of the first block whose CRC does not fit; None for other reasons.
    """

    layer: str
    reason: str
    block: int | None = None


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
    """

    burst: Burst
    received_at: datetime | None
    first_sample: int
    frame: bytes
    link: LinkFrame | None
    rejection: Rejection | None
    direction: str | None
