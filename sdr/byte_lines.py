"""Telegrams as lines of text: what a line may look like, and how it becomes a reception.

line          example
hex           2E44931578563412330333637A… with or without block CRCs; wireless or wired
rtl_wmbus     T1;1;1;2026-11-20 10:17:55.365741;-31;-31;12345678;0x2e449315…
JSON          {"frame_hex":"2e44…", …}, a line of this program
              each perhaps with a tab and a key of its own behind it

Hex may have blanks, colons, commas, dashes or bars between its bytes, 0x in front of all or of each, and
a comment behind a #; it may stand in a telegram= line of wmbusmeters. rtl_wmbus may name its algorithm
before the mode. A byte order mark is ignored.
"""

from __future__ import annotations

import json
from binascii import Error as HexError
from binascii import unhexlify
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Final, Protocol

from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.errors import CrcMismatch, ProtocolError
from protocol.identify import Identified, identify
from protocol.outcome import Outcome
from protocol.quick import quick_init
from protocol.telegram import Telegram
from sdr.errors import ConfigError
from sdr.keyfiles import parse_key
from sdr.output.json_text import json_text
from sdr.reception import WIRED, ByteReception, Rejection
from sdr.timestamps import format_utc, parse_utc

MOST_LINE_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 16
_BETWEEN_BYTES: Final = b" :,-|_\r\n\t\v\f"
_WMBUSMETERS_LINE: Final = b"telegram="
"""Opens a line of a log or simulation of wmbusmeters; +seconds may end it."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_RTL_WMBUS_FIELDS: Final = 8
_RTL_WMBUS_CRC_FAILED: Final = b"0"
_MODES_OF_KNX: Final = (None, "S")
_NOT_WHOLE: Final = frozenset({Outcome.INCOMPLETE, Outcome.KEY_WRONG, Outcome.MAC_MISMATCH})
_NO_KEYS: Final[tuple[SecretKey, ...]] = ()


class LineError(ValueError):
    """A line that holds no telegram; ``args[0]`` is a word of `INPUT_REASONS`."""


@quick_init
@dataclass(frozen=True, slots=True)
class GivenLine:
    """What a line says.

    Attributes:
        raw: the bytes, perhaps with block CRCs.
        frame: the CRC-less frame, where the line tells it apart from ``raw``; else None.
        keys: the line's own key, if it has one.
        time: UTC in ISO 8601.
        mode: letter of the radio mode, or ``wired``.
        direction: ``M2O`` or ``O2M``.
        frame_format: ``A`` or ``B``.
        repaired: bits that a receiver has changed.
        radio: radio quality as JSON.
    """

    raw: bytes
    frame: bytes | None = None
    keys: tuple[SecretKey, ...] = _NO_KEYS
    time: str | None = None
    mode: str | None = None
    direction: str | None = None
    frame_format: str | None = None
    repaired: int = 0
    radio: str = "null"


class ByteStream(Protocol):
    """What lines are read from."""

    def read1(self, size: int, /) -> bytes:
        """Return what is there, and wait only when nothing is; nothing at the end."""


def read_lines(stream: ByteStream) -> Iterator[list[bytes | None]]:
    """Yield the lines that each read brings, as soon as it brings them; None stands for one too long."""
    rest = b""
    is_skipping = False
    while chunk := stream.read1(_CHUNK_BYTES):
        lines: list[bytes | None] = [*(rest + chunk).split(b"\n")]
        rest = lines.pop() or b""
        if is_skipping and lines:
            lines[0] = None
            is_skipping = False
        if len(rest) > MOST_LINE_BYTES:
            rest = b""
            is_skipping = True
        yield lines
    if rest or is_skipping:
        yield [None if is_skipping else rest]


def receive_line(decoder: Decoder, line: bytes | None, number: int) -> ByteReception:
    """Decode a line; never raises.

    Args:
        decoder: keys, and what earlier lines taught.
        line: a line that is not blank, None for one too long.
        number: of the line, from 1.
    """
    try:
        given = parse_line(line)
    except LineError as error:
        return ByteReception(b"", rejection=Rejection("input", error.args[0], line=number))
    try:
        return _receive(decoder, given)
    except ProtocolError as error:
        block = error.block if isinstance(error, CrcMismatch) else None
        rejection = Rejection(error.layer, error.reason, block, number)
        return ByteReception(
            given.raw, rejection=rejection, time=given.time, mode=given.mode, radio=given.radio
        )


def _receive(decoder: Decoder, given: GivenLine) -> ByteReception:
    found = identify(given.raw) if given.frame is None else _told(given.frame, given.mode)
    is_wired = found.kind == "wired"
    now_s = None if given.time is None else parse_utc(given.time).timestamp()
    may_be_knx = given.mode in _MODES_OF_KNX and found.kind != "B"
    telegram = decoder.decode(
        found.frame, is_wired=is_wired, may_be_knx=may_be_knx, own_keys=given.keys, now_s=now_s
    )
    notes: tuple[str, ...] = ()
    frame_format = given.frame_format
    if found.kind == "B" and not _is_whole(telegram) and _is_rather_bare(decoder, given, now_s):
        found = _told(given.raw[: given.raw[0] + 1], None)
        telegram = decoder.decode(found.frame, own_keys=given.keys, now_s=now_s)
        notes = ("format_b_by_chance",)
    elif found.kind in ("A", "B"):
        frame_format = found.kind
        notes = ("crcs_of_format_a" if found.kind == "A" else "crcs_of_format_b",)
    if found.left_over:
        notes = (*notes, "bytes_left_over")
    return ByteReception(
        given.raw,
        found.frame,
        telegram,
        None,
        given.time,
        WIRED if is_wired else given.mode,
        telegram.direction or given.direction,
        frame_format,
        given.repaired,
        given.radio,
        notes,
    )


def _is_rather_bare(decoder: Decoder, given: GivenLine, now_s: float | None) -> bool:
    """Whether bytes that end like format B make sense only as a frame without CRCs.

    One frame without CRCs in 65536 ends so by chance, and its length tells nothing: both count all
    bytes. What is inside tells: the blocks of a cipher, its key, the ends of the records.
    """
    bare = decoder.untaught().decode(given.raw[: given.raw[0] + 1], own_keys=given.keys, now_s=now_s)
    return _is_whole(bare)


def _is_whole(telegram: Telegram) -> bool:
    """Whether nothing of a telegram is cut, unreadable or altered."""
    if telegram.problem is not None or telegram.security.outcome in _NOT_WHOLE:
        return False
    records = None if telegram.content is None else telegram.content.records
    return records is None or not any(record.problem for record in records.records)


def _told(frame: bytes, mode: str | None) -> Identified:
    """Take a frame of a JSON line for what the line says, if its length allows that."""
    if mode != WIRED and frame and frame[0] == len(frame) - 1:
        return Identified("crc_less", frame, b"")
    return identify(frame)


def parse_line(line: bytes | None) -> GivenLine:
    """Read a line.

    Raises:
        LineError: it holds no telegram.
    """
    if line is None:
        raise LineError("line_too_long")
    whole = line = line.strip()
    if line.startswith(b"{"):
        return _parse_json(line)
    keys = _NO_KEYS
    if b"\t" in line:
        line, _, key_text = line.partition(b"\t")
        keys = _own_keys(key_text)
    try:
        return GivenLine(unhexlify(line), keys=keys) if keys else GivenLine(unhexlify(line))
    except HexError:
        pass
    if whole.startswith(_BYTE_ORDER_MARK):
        return parse_line(whole.removeprefix(_BYTE_ORDER_MARK))
    if line.count(b";") in (_RTL_WMBUS_FIELDS - 1, _RTL_WMBUS_FIELDS):
        return _parse_rtl_wmbus(line, keys)
    return GivenLine(_bytes(line), keys=keys)


def _own_keys(text: bytes) -> tuple[SecretKey, ...]:
    try:
        key = parse_key(text.decode("ascii", "replace"))
    except ConfigError:
        raise LineError("key_invalid") from None
    return _NO_KEYS if key is None else (key,)


def _bytes(text: bytes) -> bytes:
    """Read hex with whatever stands between its bytes and behind them."""
    text = text.partition(b"#")[0]
    if text.startswith(_WMBUSMETERS_LINE):
        text = text.removeprefix(_WMBUSMETERS_LINE).partition(b"+")[0]
    digits = text.translate(None, _BETWEEN_BYTES).lower().replace(b"0x", b"")
    try:
        raw = unhexlify(digits)
    except HexError:
        raise LineError("not_hex") from None
    if not raw:
        raise LineError("not_hex")
    return raw


def _parse_rtl_wmbus(line: bytes, keys: tuple[SecretKey, ...]) -> GivenLine:
    fields = line.split(b";")[-_RTL_WMBUS_FIELDS:]
    raw = _bytes(fields[-1])
    if fields[1].strip() == _RTL_WMBUS_CRC_FAILED:
        raise LineError("crc_failed")
    mode = fields[0][:1].decode("ascii", "replace").upper()
    try:
        time = format_utc(parse_utc(fields[3].decode("ascii", "replace")))
    except ValueError:
        time = None
    return GivenLine(raw, keys=keys, time=time, mode=mode if mode in ("S", "T", "C") else None)


def _parse_json(line: bytes) -> GivenLine:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise LineError("json_invalid") from None
    frame_hex = fields.get("frame_hex")
    if not isinstance(frame_hex, str):
        raise LineError("frame_hex_missing")
    frame = _bytes(frame_hex.encode("ascii", "replace"))
    raw_hex = fields.get("raw_hex")
    raw = _bytes(raw_hex.encode("ascii", "replace")) if isinstance(raw_hex, str) else frame
    repaired = fields.get("repaired")
    return GivenLine(
        raw,
        frame,
        time=_time(fields.get("time")),
        mode=_word(fields.get("mode"), ("S", "T", "C", "R", "N", "F", WIRED)),
        direction=_word(fields.get("direction"), ("M2O", "O2M")),
        frame_format=_word(fields.get("frame_format"), ("A", "B")),
        repaired=int(repaired) if isinstance(repaired, int) and repaired >= 0 else 0,
        radio=_radio(fields.get("radio")),
    )


def _word(value: object, words: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in words else None


def _time(value: object) -> str | None:
    try:
        return format_utc(parse_utc(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _radio(value: object) -> str:
    """Hand the numbers of a line's radio quality on, as far as they are JSON."""
    if not isinstance(value, dict):
        return "null"
    return json_text({key: item for key, item in value.items() if key.isascii() and _is_json_number(item)})


def _is_json_number(item: object) -> bool:
    return isfinite(item) if isinstance(item, float) else isinstance(item, bool | int | None)
