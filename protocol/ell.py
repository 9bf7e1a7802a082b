"""Extended link layer: radio access, the receiver's address, and session encryption.

    8C  I     CC ACC
    8D  II    CC ACC SN(4) PLCRC(2)
    8E  III   CC ACC M2(2) A2(6)
    8F  IV    CC ACC M2(2) A2(6) SN(4) PLCRC(2)
    86  V     length byte and that many bytes, kept as they are: their layout is not public

    CC   b7 bidirectional, b6 response delay, b5 synchronous, b4 hop, b3 priority,
         b2 accessible, b1 repeated access, b0 extension
    SN   b31-29 encryption (0 none, 1 AES-128-CTR), b28-4 time in minutes, b3-0 session counter

PLCRC and all that follows are encrypted. PLCRC is the CRC of the plain bytes that follow it, low
byte first; it is also the check of the key. The counter block of the cipher:

    M(2) A(6) as the link layer sends them | CC without hop and repeated | SN(4) | 0000 | 00

Source: EN 13757-4 extended link layer; OMS Vol. 2 Issue 5.0.1, 5.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from protocol import address
from protocol.address import Address
from protocol.ciphers import SecretKey
from protocol.crc import crc16
from protocol.errors import Incomplete, InvalidField
from protocol.fields import unsigned
from protocol.outcome import Outcome
from protocol.quick import quick_init

CC_BITS: Final = (
    (0x80, "bidirectional"),
    (0x40, "response_delay"),
    (0x20, "synchronous"),
    (0x10, "hop"),
    (0x08, "priority"),
    (0x04, "accessible"),
    (0x02, "repeated"),
    (0x01, "extension"),
)
"""Bits of the communication control field and the words for them."""

CC_FLAGS: Final = tuple(tuple(name for bit, name in CC_BITS if cc & bit) for cc in range(256))
"""The words of all bits set, for each communication control field."""

ACCESS: Final = {
    (0, 0): "none",
    (0, 1): "not_now",
    (1, 0): "short_window",
    (1, 1): "always",
}
"""When the sender listens, by its bits B and A: never, not after this frame, shortly, or always."""

DELAYS: Final = {(0, 0): "slow", (1, 0): "fast", (0, 1): "extended", (1, 1): "reserved"}
"""How long the receiver waits with its answer, by the bits D and X."""

_RELAY_BITS: Final = 0x12
"""Hop and repeated access: a repeater changes them, so the cipher must not depend on them."""

ENCRYPTION_NONE: Final = 0
ENCRYPTION_AES_CTR: Final = 1

_VARIABLE: Final = 0x86
_WITH_RECEIVER: Final = frozenset({0x8E, 0x8F})
_WITH_SESSION: Final = frozenset({0x8D, 0x8F})
_SIZES: Final = {0x8C: 3, 0x8D: 9, 0x8E: 11, 0x8F: 17}
_NUMERALS: Final = {0x8C: "I", 0x8D: "II", 0x8E: "III", 0x8F: "IV", 0x86: "V"}
_RECEIVER_OFFSET: Final = 3


@quick_init
@dataclass(frozen=True, slots=True)
class Ell:
    """An extended link layer.

    Attributes:
        ci: its CI-field.
        communication_control: CC, or None in layout V.
        access_number: ACC of the link, or None in layout V.
        receiver: whom the frame is for, in layouts III and IV.
        session_number: SN as a number, in layouts II and IV.
        payload_crc: PLCRC as transmitted, encrypted with the payload, in layouts II and IV.
        skipped: the bytes of layout V behind its length byte.
    """

    ci: int
    communication_control: int | None
    access_number: int | None
    receiver: Address | None = None
    session_number: int | None = None
    payload_crc: int | None = None
    skipped: bytes = b""

    @property
    def numeral(self) -> str:
        """Roman numeral of the layout."""
        return _NUMERALS[self.ci]

    @property
    def size(self) -> int:
        """Number of bytes, CI-field and PLCRC included."""
        return _SIZES.get(self.ci) or 2 + len(self.skipped)

    @property
    def flags(self) -> tuple[str, ...]:
        """Words of `CC_BITS` for the bits that are set."""
        return CC_FLAGS[self.communication_control or 0]

    @property
    def access(self) -> str | None:
        """When the sender listens, a word of `ACCESS`; None in layout V."""
        cc = self.communication_control
        return None if cc is None else ACCESS[cc >> 7, cc >> 2 & 1]

    @property
    def delay(self) -> str | None:
        """How long an answer waits, a word of `DELAYS`; None in layout V."""
        cc = self.communication_control
        return None if cc is None else DELAYS[cc >> 6 & 1, cc & 1]

    @property
    def encryption(self) -> int:
        """Encryption method of the session: 0 none, 1 AES-128-CTR, others reserved."""
        return (self.session_number or 0) >> 29

    @property
    def session_minutes(self) -> int | None:
        """Time of the session in minutes."""
        return None if self.session_number is None else self.session_number >> 4 & 0x1FFFFFF

    @property
    def session_counter(self) -> int | None:
        """Number of the session within its minute."""
        return None if self.session_number is None else self.session_number & 0xF

    def encode(self) -> bytes:
        """Return the bytes of the layer, from the CI-field to the PLCRC."""
        if self.communication_control is None or self.access_number is None:
            return bytes((self.ci,)) + unsigned("ell", "length", len(self.skipped)) + self.skipped
        parts = [
            bytes((self.ci,)),
            unsigned("ell", "communication control", self.communication_control),
            unsigned("ell", "access number", self.access_number),
        ]
        if self.receiver is not None:
            parts.append(self.receiver.raw)
        if self.session_number is not None and self.payload_crc is not None:
            parts.append(unsigned("ell", "session number", self.session_number, 4))
            parts.append(unsigned("ell", "payload CRC", self.payload_crc, 2))
        return b"".join(parts)


def parse(data: bytes, offset: int = 0) -> Ell:
    """Read an extended link layer.

    Args:
        data: bytes of a frame.
        offset: place of the layer's CI-field, one of `ci.ELL_CODES`.

    Raises:
        Incomplete: the bytes end before the layer does.
    """
    ci_field = data[offset]
    if ci_field == _VARIABLE:
        return _parse_variable(data, offset)
    size = _SIZES[ci_field]
    if len(data) < offset + size:
        raise Incomplete("ell", "truncated", f"{len(data) - offset} of {size} bytes", offset=len(data))
    receiver = address.from_link(data, offset + _RECEIVER_OFFSET) if ci_field in _WITH_RECEIVER else None
    cc, access_number = data[offset + 1], data[offset + 2]
    if ci_field not in _WITH_SESSION:
        return Ell(ci_field, cc, access_number, receiver)
    end = offset + size
    session_number = int.from_bytes(data[end - 6 : end - 2], "little")
    return Ell(ci_field, cc, access_number, receiver, session_number, data[end - 2] | data[end - 1] << 8)


def _parse_variable(data: bytes, offset: int) -> Ell:
    """Step over layout V by its length byte."""
    if len(data) < offset + 2 or len(data) < offset + 2 + data[offset + 1]:
        raise Incomplete("ell", "truncated", "layout V is cut", offset=len(data))
    return Ell(_VARIABLE, None, None, skipped=data[offset + 2 : offset + 2 + data[offset + 1]])


def open_payload(
    ell: Ell, payload: bytes, sender: bytes, keys: Iterable[SecretKey], *, strict: bool = False
) -> tuple[Outcome, bytes]:
    """Check and decrypt what follows an extended link layer.

    Args:
        ell: the layer.
        payload: the bytes behind it.
        sender: M- and A-field as the link layer sends them, 8 bytes.
        keys: candidates, tried in order.
        strict: do not accept payloads that were decrypted before.

    Returns:
        The outcome and the plain bytes, which are empty unless the outcome gives them.

    Raises:
        InvalidField: an unencrypted payload with a wrong CRC.
    """
    if ell.payload_crc is None:
        return Outcome.PLAIN, payload
    if ell.encryption == ENCRYPTION_NONE:
        if crc16(payload) != ell.payload_crc:
            raise InvalidField("ell", "payload_crc_mismatch", "payload CRC does not fit", offset=ell.size)
        return Outcome.PLAIN, payload
    if ell.encryption != ENCRYPTION_AES_CTR:
        return Outcome.UNSUPPORTED, b""
    outcome = Outcome.KEY_MISSING
    block = _counter_block(ell, sender)
    encrypted = ell.payload_crc.to_bytes(2, "little") + payload
    for key in keys:
        if not key.is_aes:
            continue
        plain = key.ctr(encrypted, block)
        if crc16(plain[2:]) == plain[0] | plain[1] << 8:
            return Outcome.DECRYPTED, plain[2:]
        outcome = Outcome.KEY_WRONG
    # Only now: of encrypted payloads one in 65536 has a CRC that fits by chance.
    if not strict and crc16(payload) == ell.payload_crc:
        return Outcome.ALREADY_DECRYPTED, payload
    return outcome, b""


def seal_payload(ell: Ell, payload: bytes, sender: bytes, key: SecretKey | None) -> tuple[Ell, bytes]:
    """Encrypt what follows an extended link layer and set its payload CRC.

    Args:
        ell: the layer; its payload CRC is replaced.
        payload: the plain bytes behind it.
        sender: M- and A-field as the link layer sends them, 8 bytes.
        key: needed when the session number asks for encryption.

    Returns:
        The layer and the bytes behind it, as transmitted.

    Raises:
        InvalidField: encryption without a key, or with a method that is not public.
    """
    if ell.session_number is None:
        return ell, payload
    crc = crc16(payload)
    if ell.encryption == ENCRYPTION_NONE:
        return replace(ell, payload_crc=crc), payload
    if ell.encryption != ENCRYPTION_AES_CTR or key is None:
        raise InvalidField("ell", "encryption_impossible", f"no key or method {ell.encryption} unknown")
    encrypted = key.ctr(crc.to_bytes(2, "little") + payload, _counter_block(ell, sender))
    return replace(ell, payload_crc=int.from_bytes(encrypted[:2], "little")), encrypted[2:]


def _counter_block(ell: Ell, sender: bytes) -> bytes:
    """First counter block of the session cipher."""
    cc = (ell.communication_control or 0) & ~_RELAY_BITS
    return sender + bytes((cc,)) + (ell.session_number or 0).to_bytes(4, "little") + bytes(3)
