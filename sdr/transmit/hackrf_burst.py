"""The samples of a burst as a HackRF wants them.

    lead of silence | burst | silence to the end of a transfer | silence for as many transfers as wait

A HackRF takes transfers of 262144 bytes, several of them under way at once. A library before 2022.09
sends a last transfer that is not full with what was in it before, and drops those under way when the
file ends: silence behind the burst makes both harmless, newer ones just send the silence.
"""

from __future__ import annotations

import math

from sdr.sample_format import SampleFormat
from sdr.transmit.burst import IqBurst
from sdr.transmit.settings import LEAD_S, silence

TRANSFER_BYTES = 262_144
QUEUED_TRANSFERS = 4

MAX_GAIN_DB = 47
"""Of the TX VGA, in steps of 1 dB."""

RATE_RANGE_HZ = (2e6, 20e6)
DEFAULT_RATE_HZ = 8e6

_FILTERS_HZ = tuple(1e6 * mhz for mhz in (1.75, 2.5, 3.5, 5, 5.5, 6, 7, 8, 9, 10, 12, 14, 15, 20, 24, 28))


def padded_bytes(burst: IqBurst) -> bytes:
    """Return the burst with its silence, a whole number of transfers."""
    lead = silence(math.ceil(LEAD_S * burst.sample_rate_hz), SampleFormat.CS8).tobytes()
    content = lead + burst.raw.tobytes()
    n_transfers = -(-len(content) // TRANSFER_BYTES) + QUEUED_TRANSFERS
    return content.ljust(n_transfers * TRANSFER_BYTES, b"\0")


def filter_hz(needed_hz: float) -> float:
    """Return the narrowest baseband filter that passes ``needed_hz``, both sides of 0 Hz together."""
    return next((width for width in _FILTERS_HZ if width >= needed_hz), _FILTERS_HZ[-1])
