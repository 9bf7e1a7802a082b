"""A telegram in the making: what the steps of the decoder hand on to each other."""

from __future__ import annotations

from collections.abc import Sequence

from protocol import security
from protocol.address import Address
from protocol.afl import Afl
from protocol.application import Content
from protocol.ciphers import SecretKey
from protocol.ell import Ell
from protocol.link import LinkFrame
from protocol.nwl import Nwl
from protocol.outcome import Outcome
from protocol.readings import Reading
from protocol.security import Opened
from protocol.telegram import Problem, Security, Telegram, Trace
from protocol.transport import TransportHeader
from protocol.wired import WiredFrame


class Way:
    """What is known so far; ``rest`` is what the next step reads.

    Args:
        frame: link layer.
        own_keys: keys that came with the frame.
        now_s: time of the frame in seconds, None when unknown.

    Attributes:
        rest: bytes that no step has read yet; from the transport step on the whole message.
        payload: bytes behind the ELL, decrypted.
        message_afl: AFL of the whole message.
        ell_outcome: what the ELL alone would be called.
        candidate: place of the key that fits among those tried.

    All others are as in `Telegram`.
    """

    payload = b""
    ell: Ell | None = None
    nwl: Nwl | None = None
    afl: Afl | None = None
    message_afl: Afl | None = None
    header: TransportHeader | None = None
    meter: Address | None = None
    opened: Opened | None = None
    outcome = Outcome.PLAIN
    ell_outcome = Outcome.PLAIN
    counter: int | None = None
    candidate = 0
    name: str | None = None
    content: Content | None = None
    readings: Sequence[Reading] = ()
    problem: Problem | None = None

    def __init__(
        self, frame: LinkFrame | WiredFrame, own_keys: Sequence[SecretKey], now_s: float | None
    ) -> None:
        self.frame = frame
        self.rest = frame.payload
        self.own_keys = own_keys
        self.now_s = now_s
        self.sender = frame.address if isinstance(frame, LinkFrame) else None
        self.direction = frame.direction
        self.notes: list[str] = []

    @property
    def sender_name(self) -> bytes:
        """What tells senders and directions apart."""
        direction = b">" if self.direction == "O2M" else b"<"
        if isinstance(self.frame, LinkFrame):
            return direction + self.frame.address.raw
        return direction + bytes((self.frame.address_field or 0,))

    def telegram(self) -> Telegram:
        """Return the telegram, however far the way went."""
        header, opened = self.header, self.opened
        meter = self.meter
        if meter is None and self.sender is not None:
            receiver = None if self.ell is None else self.ell.receiver
            meter = receiver if self.direction == "O2M" and receiver is not None else self.sender
        profile = None if header is None else security.profile(header, self.message_afl)
        is_authentic = opened is not None and opened.authenticated
        return Telegram(
            self.frame,
            self.direction,
            meter,
            self.name,
            self.ell,
            self.nwl,
            self.afl,
            header,
            Security(self.outcome, profile, is_authentic, self.counter, self.candidate),
            self.content,
            self.readings,
            tuple(self.notes),
            self.problem,
            Trace(
                self.payload,
                b"" if header is None else self.rest,
                b"" if opened is None else opened.region,
            ),
        )
