"""A telegram: all that one frame says, layer by layer.

    frame      who sends, and why                     link.py, wired.py
    ell        radio access, receiver, session        ell.py
    nwl        routing byte of relayed frames         nwl.py
    afl        fragment, counter, MAC                 afl.py
    header     meter, access number, status, mode     transport.py
    security   outcome, profile, counter              security.py
    content    application data                       application.py
    readings   named quantities                       readings.py

A layer that is absent, or that could not be reached, is None. What stopped the way up is the
``problem``; everything below it is kept. Decoder.py makes telegrams of frames, building.py frames of
telegrams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from protocol import reassembly
from protocol.address import Address
from protocol.afl import Afl
from protocol.application import FIXED, UNENCRYPTED_PART_UNCLEAR, Content
from protocol.c_field import Direction
from protocol.ell import Ell
from protocol.link import LinkFrame
from protocol.notes import Note
from protocol.nwl import Nwl
from protocol.outcome import Outcome
from protocol.quick import quick_init
from protocol.readings import Reading
from protocol.transport import TransportHeader
from protocol.wired import WiredFrame

NOTES: Final = {
    **reassembly.NOTES,
    "network_layer_skipped": "a network layer of relayed frames was stepped over: two bytes of it are known",
    "message_repeated": "an authentic message with the counter of the one before: sent or relayed again",
    "counter_runs_out": "the message counter is close to its end, the device needs a new key",
    "vendor_plain_records": "records stand where a configuration field should be, as one maker sends them",
    UNENCRYPTED_PART_UNCLEAR: "what was never encrypted is no row of whole records: it may begin within one",
    "records_left_over": "the bytes behind the last record are no whole record and were not read",
    "more_records_follow": "the records go on in the next telegram of the device",
    "records_continued": "the records continue those of the telegram before",
    Note.COMPACT_FORMAT_UNKNOWN.value: "no format with the signature of this compact frame is known yet",
    Note.COMPACT_CRC_MISMATCH.value: "the data do not fit the CRC of the full frame in any known format",
}
"""Closed vocabulary of `Telegram.notes`, with what each word means."""


class Problem(NamedTuple):
    """Why a telegram could not be read to its end: layer and word of `reasons.REASONS`."""

    layer: str
    reason: str


@quick_init
@dataclass(frozen=True, slots=True)
class Security:
    """What became of the protection of a telegram.

    Attributes:
        outcome: the verdict.
        profile: OMS security profile, None where the telegram does not tell one.
        authenticated: whether a MAC or tag was verified.
        message_counter: counter of the whole message, None without one.
        candidate: which of several candidate keys fits, from 0.
    """

    outcome: Outcome
    profile: str | None = None
    authenticated: bool = False
    message_counter: int | None = None
    candidate: int = 0


@quick_init
@dataclass(frozen=True, slots=True)
class Trace:
    """Plain bytes of the way up, for those who want to see each of them.

    Attributes:
        payload: bytes behind the ELL, decrypted if need be; empty if they could not be.
        message: bytes from the transport CI-field on, assembled from fragments, still encrypted.
        region: the decrypted bytes of the message, from the first byte behind its header on.
    """

    payload: bytes = b""
    message: bytes = b""
    region: bytes = b""


@quick_init
@dataclass(frozen=True, slots=True)
class Telegram:
    """One decoded frame.

    Attributes:
        frame: link layer.
        direction: who sends, None where the frame fits both.
        meter: the device that the readings belong to; None where a wired frame does not tell it.
        name: what the owner calls the meter.
        ell: extended link layer.
        nwl: network layer.
        afl: authentication and fragmentation layer of this frame.
        header: transport header; of a fragmented message in its first and its last telegram.
        security: outcome, profile, counter.
        content: application data, None where none could be read.
        readings: what the application data say, in order.
        notes: words of `NOTES`.
        problem: what stopped the way up.
        trace: the plain bytes of the way up.
    """

    frame: LinkFrame | WiredFrame
    direction: Direction | None
    meter: Address | None
    name: str | None = None
    ell: Ell | None = None
    nwl: Nwl | None = None
    afl: Afl | None = None
    header: TransportHeader | None = None
    security: Security = Security(Outcome.PLAIN)
    content: Content | None = None
    readings: Sequence[Reading] = ()
    notes: tuple[str, ...] = ()
    problem: Problem | None = None
    trace: Trace = Trace()

    @property
    def sender(self) -> Address | None:
        """Link-layer address, None in wired frames."""
        return self.frame.address if isinstance(self.frame, LinkFrame) else None

    @property
    def meter_id(self) -> str | None:
        """Identification number of the meter; a fixed data structure tells that and no more of an address."""
        if self.meter is not None:
            return self.meter.id
        if self.content is None or self.content.protocol != FIXED or self.content.fields is None:
            return None
        number = self.content.fields.get("id")
        return number if isinstance(number, str) else None

    @property
    def fragment_bytes(self) -> int | None:
        """Number of message bytes in this frame, if it is a fragment."""
        if self.afl is None or self.afl.fragment_number == 0:
            return None
        return len(self.trace.payload) - self.afl.size - (0 if self.nwl is None else self.nwl.size)
