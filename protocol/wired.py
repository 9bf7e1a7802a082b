"""Data link layer of wired M-Bus: four kinds of frames.

    single    E5                                   acknowledgement
    short     10 C A CS 16
    control   68 03 03 68 C A CI CS 16
    long      68 L L 68 C A CI data CS 16          L counts from C to the last data byte, 4…255

CS is the sum, modulo 256, of the bytes from C to the last data byte.

    A-field   0 unconfigured · 1…250 primary address · 251, 252 reserved · 253 selected by
              secondary address · 254 all answer (point to point) · 255 broadcast, none answers

Source: EN 13757-2; OMS Vol. 2 Annex N examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from protocol import c_field
from protocol.c_field import Direction
from protocol.errors import Incomplete, InvalidField
from protocol.fields import unsigned

WiredKind = Literal["single", "short", "control", "long"]

ACK: Final = 0xE5
SHORT_START: Final = 0x10
LONG_START: Final = 0x68
STOP: Final = 0x16

SHORT_BYTES: Final = 5
HEAD_BYTES: Final = 4
"""Start, both lengths and start again."""
TAIL_BYTES: Final = 2
"""Checksum and stop."""
CONTROL_L_FIELD: Final = 3
PAYLOAD_OFFSET: Final = 6
"""Place of the CI-field in control and long frames."""

ADDRESS_FIELDS: Final = (
    (0, 0, "unconfigured"),
    (1, 250, "primary"),
    (251, 252, "reserved"),
    (253, 253, "selected"),
    (254, 254, "all answer"),
    (255, 255, "broadcast"),
)
"""First, last and meaning of the A-fields."""


@dataclass(frozen=True, slots=True)
class WiredFrame:
    """A wired frame.

    Attributes:
        kind: which of the four layouts.
        c_field: C-field, or None in the single character.
        address_field: A-field, or None in the single character.
        payload: the bytes from the CI-field to the last data byte; empty in single and short frames.
    """

    kind: WiredKind
    c_field: int | None
    address_field: int | None
    payload: bytes

    @property
    def function(self) -> str:
        """Name of the C-field's function; the single character is an ``ACK``."""
        return "ACK" if self.c_field is None else c_field.BY_CODE[self.c_field].function

    @property
    def direction(self) -> Direction | None:
        """Who sends such frames, or None when both sides do or nobody is known to."""
        return "M2O" if self.c_field is None else c_field.BY_CODE[self.c_field].direction

    @property
    def checksum(self) -> int | None:
        """The checksum, or None in the single character."""
        if self.c_field is None or self.address_field is None:
            return None
        return (self.c_field + self.address_field + sum(self.payload)) & 0xFF

    def encode(self) -> bytes:
        """Return the frame from the start byte to the stop byte.

        Raises:
            InvalidField: the payload does not fit the kind of frame.
        """
        if self.c_field is None or self.address_field is None or self.checksum is None:
            return bytes((ACK,))
        core = unsigned("link", "C-field", self.c_field) + unsigned("link", "A-field", self.address_field)
        core += self.payload
        tail = bytes((self.checksum, STOP))
        if self.kind == "short" and not self.payload:
            return bytes((SHORT_START,)) + core + tail
        if self.kind in ("control", "long") and CONTROL_L_FIELD <= len(core) <= 0xFF:
            return bytes((LONG_START, len(core), len(core), LONG_START)) + core + tail
        text = f"a payload of {len(self.payload)} bytes fits no {self.kind} frame"
        raise InvalidField("link", "length_invalid", text)


def build(c_field: int, address_field: int, payload: bytes = b"") -> WiredFrame:
    """Make the frame that carries ``payload``: short without one, control with a CI-field alone."""
    kind: WiredKind = "short" if not payload else "control" if len(payload) == 1 else "long"
    return WiredFrame(kind, c_field, address_field, payload)


def frame_length(data: bytes) -> int | None:
    """Return the length that the opening bytes of a wired frame announce, or None if they are none."""
    if data[:1] == bytes((ACK,)):
        return 1
    if data[:1] == bytes((SHORT_START,)):
        return SHORT_BYTES
    if len(data) >= HEAD_BYTES and data[0] == data[3] == LONG_START and data[1] == data[2]:
        return HEAD_BYTES + data[1] + TAIL_BYTES
    return None


def parse(frame: bytes) -> WiredFrame:
    """Read a whole wired frame.

    Raises:
        Incomplete: fewer bytes than the frame announces.
        InvalidField: no start byte, unequal lengths, wrong checksum, no stop byte or bytes behind it.
    """
    if not frame or (len(frame) < HEAD_BYTES and frame[0] == LONG_START):
        raise Incomplete("link", "truncated", "wired frame is cut", offset=len(frame))
    length = frame_length(frame)
    if length is None:
        raise InvalidField("link", "start_invalid", "no wired frame starts like this", offset=0)
    if len(frame) < length:
        text = f"{len(frame)} of {length} bytes of a wired frame"
        raise Incomplete("link", "truncated", text, offset=len(frame))
    if len(frame) > length:
        raise InvalidField("link", "length_mismatch", "bytes behind the wired frame", offset=length)
    if length == 1:
        return WiredFrame("single", None, None, b"")
    start = 1 if frame[0] == SHORT_START else HEAD_BYTES
    if length - TAIL_BYTES - start < CONTROL_L_FIELD and start != 1:
        raise InvalidField("link", "length_invalid", "no room for C, A and CI", offset=1)
    if frame[-1] != STOP:
        raise InvalidField("link", "stop_invalid", "no stop byte", offset=length - 1)
    core = frame[start:-TAIL_BYTES]
    if sum(core) & 0xFF != frame[-TAIL_BYTES]:
        raise InvalidField("link", "checksum_mismatch", "checksum does not fit", offset=length - TAIL_BYTES)
    kind: WiredKind = "short" if start == 1 else "control" if len(core) == CONTROL_L_FIELD else "long"
    return WiredFrame(kind, core[0], core[1], core[2:])
