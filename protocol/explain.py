"""Every byte of a telegram once: which layer and field it belongs to, what it says, what it hides.

    bytes as given ──▶ frame without CRCs ──▶ fields of each layer ──▶ back to the places of the bytes
                         `_Sheet`, one offset for each byte, decrypted bytes beside the encrypted ones

Fields that a block CRC interrupts have two spans. What cannot be read is a field, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from protocol.crc import crc16
from protocol.ell import ENCRYPTION_AES_CTR
from protocol.errors import CrcMismatch, ProtocolError
from protocol.explain_layers import (
    Row,
    afl_rows,
    ell_rows,
    link_rows,
    nwl_rows,
    wired_rows,
    wired_tail_rows,
)
from protocol.explain_message import message_rows, shown_region
from protocol.frame_format import CRC_BYTES, FIRST_BLOCK_BYTES, FrameFormat, air_length, crc_spans
from protocol.identify import Identified, identify
from protocol.link import PAYLOAD_OFFSET, LinkFrame
from protocol.outcome import Outcome
from protocol.telegram import Telegram
from protocol.wired import TAIL_BYTES

Span = tuple[int, int]
"""Offset and size."""


@dataclass(frozen=True, slots=True)
class ExplainedField:
    """Bytes that belong together.

    Attributes:
        layer: ``link``, ``ell``, ``nwl``, ``afl``, ``transport``, ``security``, ``application``.
        name: of the field.
        meaning: what it says.
        spans: where its bytes stand in what was given.
        raw: the bytes as given.
        plain: the same bytes decrypted; None where nothing was.
    """

    layer: str
    name: str
    meaning: str
    spans: tuple[Span, ...]
    raw: bytes
    plain: bytes | None = None


@dataclass(slots=True)
class _Sheet:
    """A frame without CRCs: its bytes as given and decrypted, and the fields found so far.

    Attributes:
        places: offset in what was given, for each byte.
        sent: the bytes.
        plain: the bytes after decryption.
        hidden: whether a byte was encrypted and is decrypted now.
        fields: fields found, with all their places.
        at: the first byte that has no field yet.
    """

    places: Sequence[int]
    sent: bytes
    plain: bytearray
    hidden: bytearray
    fields: list[ExplainedField] = field(default_factory=list)
    at: int = 0

    def add(self, layer: str, rows: Iterable[Row]) -> None:
        """Give the next bytes to fields, as far as there are bytes."""
        for size, name, meaning in rows:
            self._take(layer, range(self.at, min(self.at + size, len(self.sent))), name, meaning)
            self.at = min(self.at + size, len(self.sent))

    def rest(self, layer: str, name: str, meaning: str) -> None:
        """Give all bytes that are left to one field."""
        self.add(layer, [(len(self.sent) - self.at, name, meaning)])

    def reveal(self, start: int, plain: bytes) -> None:
        """Put decrypted bytes beside the encrypted ones from ``start`` on."""
        end = min(start + len(plain), len(self.sent))
        self.plain[start:end] = plain[: end - start]
        self.hidden[start:end] = b"\1" * (end - start)

    def _take(self, layer: str, which: range, name: str, meaning: str) -> None:
        if not which:
            return
        spans: list[Span] = []
        for index in which:
            place = self.places[index]
            if spans and sum(spans[-1]) == place:
                spans[-1] = (spans[-1][0], spans[-1][1] + 1)
            else:
                spans.append((place, 1))
        part = slice(which.start, which.stop)
        plain = bytes(self.plain[part]) if any(self.hidden[part]) else None
        self.fields.append(ExplainedField(layer, name, meaning, tuple(spans), self.sent[part], plain))


def explain(raw: bytes, telegram: Telegram | None) -> list[ExplainedField]:
    """Return fields that hold every byte of ``raw`` once, by the place of their first byte; never raises.

    Args:
        raw: bytes as given, with or without block CRCs.
        telegram: what they were decoded to; None if they are no telegram.
    """
    try:
        found = identify(raw)
    except ProtocolError as error:
        return _explain_rejected(raw, error)
    crcs: list[ExplainedField] = []
    places: Sequence[int] = range(len(found.frame))
    if found.kind in ("A", "B"):
        places, crcs = _block_crcs(raw, "A" if found.kind == "A" else "B")
    sheet = _Sheet(places, found.frame, bytearray(found.frame), bytearray(len(found.frame)))
    if found.kind == "B":
        sheet.sent = raw[:1] + found.frame[1:]
    if telegram is None:
        sheet.rest("link", "data", "not read")
    else:
        _explain_frame(sheet, telegram)
    return sorted([*sheet.fields, *crcs, *_left_over(raw, found)], key=lambda each: each.spans[0])


def _left_over(raw: bytes, found: Identified) -> list[ExplainedField]:
    size = len(found.left_over)
    if not size:
        return []
    span = (len(raw) - size, size)
    return [ExplainedField("link", "left over", "behind the end of the frame", (span,), found.left_over)]


def _block_crcs(raw: bytes, frame_format: FrameFormat) -> tuple[list[int], list[ExplainedField]]:
    """Return the places of all bytes that are no CRC, and the fields of the CRCs."""
    spans = crc_spans(air_length(raw[0], frame_format), frame_format)
    first_block = 1 if frame_format == "A" else 2
    places: list[int] = []
    fields = []
    for block, (start, end) in enumerate(spans, start=first_block):
        crc = raw[end - CRC_BYTES : end]
        fits = crc16(raw[start : end - CRC_BYTES]) == int.from_bytes(crc, "big")
        meaning = f"of block {block}, {'fits' if fits else 'does not fit'}"
        places += range(start, end - CRC_BYTES)
        fields.append(ExplainedField("link", "CRC", meaning, ((end - CRC_BYTES, len(crc)),), crc))
    return places, fields


def _explain_rejected(raw: bytes, error: ProtocolError) -> list[ExplainedField]:
    """Name what can be named in bytes that are no frame."""
    if isinstance(error, CrcMismatch):
        try:
            starts_as_a = crc16(raw[:FIRST_BLOCK_BYTES]) == int.from_bytes(
                raw[FIRST_BLOCK_BYTES : FIRST_BLOCK_BYTES + CRC_BYTES], "big"
            )
            is_a = starts_as_a or len(raw) == air_length(raw[0], "A")
            places, crcs = _block_crcs(raw, "A" if is_a else "B")
        except ProtocolError:
            places, crcs = list(range(len(raw))), []
        sent = bytes(raw[place] for place in places)
        sheet = _Sheet(places, sent, bytearray(sent), bytearray(len(sent)))
        sheet.rest("link", "data", f"not read: {error}")
        end = max(span[0] + span[1] for each in (*sheet.fields, *crcs) for span in each.spans)
        left_over = Identified("A", b"", raw[end:])
        return sorted([*sheet.fields, *crcs, *_left_over(raw, left_over)], key=lambda each: each.spans[0])
    return [ExplainedField("link", "data", f"not read: {error}", ((0, len(raw)),), raw)] if raw else []


def _explain_frame(sheet: _Sheet, telegram: Telegram) -> None:
    frame, trace = telegram.frame, telegram.trace
    if isinstance(frame, LinkFrame):
        sheet.add("link", link_rows(frame, sheet.sent[0]))
        end = len(sheet.sent)
    else:
        sheet.add("link", wired_rows(frame))
        end = len(sheet.sent) - (TAIL_BYTES if frame.c_field is not None else 0)
    if telegram.ell is not None:
        payload_start = PAYLOAD_OFFSET + telegram.ell.size
        is_open = bool(trace.payload) or payload_start == end
        if telegram.ell.encryption == ENCRYPTION_AES_CTR and trace.payload:
            crc = crc16(trace.payload).to_bytes(CRC_BYTES, "little")
            sheet.reveal(payload_start - CRC_BYTES, crc + trace.payload)
        sheet.add("ell", ell_rows(telegram.ell, trace.payload if is_open else None))
    if telegram.nwl is not None:
        sheet.add("nwl", nwl_rows(telegram.nwl))
    if telegram.afl is not None:
        sheet.add("afl", afl_rows(telegram.afl, _mac_text(telegram)))
    _place_message(sheet, telegram, end)
    if sheet.at < end:
        sheet.add(*_unread(telegram, end - sheet.at))
    if not isinstance(frame, LinkFrame):
        sheet.add("link", wired_tail_rows(frame))


def _unread(telegram: Telegram, size: int) -> tuple[str, list[Row]]:
    """Return the field of bytes that no layer could take."""
    if telegram.problem is not None:
        reason = telegram.problem.reason.replace("_", " ")
        return telegram.problem.layer, [(size, "data", f"not read: {reason}")]
    if telegram.fragment_bytes is not None:
        return "security", [(size, "fragment", "the message is not whole yet")]
    return "security", [(size, "encrypted", telegram.security.outcome.replace("_", " "))]


def _place_message(sheet: _Sheet, telegram: Telegram, end: int) -> None:
    """Put the fields of the message on the sheet: all of them, or those of the last fragment."""
    skip = len(telegram.trace.message) - (end - sheet.at)
    if telegram.header is None or skip < 0:
        return
    region_start = telegram.header.size - skip
    region = shown_region(telegram)
    sheet.reveal(sheet.at + max(0, region_start), region[max(0, -region_start) :])
    for layer, size, name, meaning in message_rows(telegram):
        cut = min(skip, size)
        skip -= cut
        sheet.add(layer, [(size - cut, name, f"{meaning} (rest)" if cut else meaning)])


def _mac_text(telegram: Telegram) -> str:
    outcome = telegram.security.outcome
    if telegram.security.authenticated:
        return "fits" if outcome is not Outcome.REPLAYED else "fits, but the counter is too low"
    return "does not fit" if outcome is Outcome.MAC_MISMATCH else "not verified"
