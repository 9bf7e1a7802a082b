"""Frames that are to be sent, as people and programs give them: one a line.

line    example
hex     2E44931578563412330333637A…   with the block CRCs of format A or B, or without
JSON    {"frame_hex":"2e44…","mode":"T", …}   a line of replay or decode: its frame is sent as it was
JSON    {"link":{…},"readings":[…], …}        a line for encode, without frame_hex: built with the keys
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from protocol import link
from protocol.errors import ProtocolError
from protocol.identify import identify
from protocol.keys import Keyring
from sdr.byte_lines import LineError, parse_line
from sdr.errors import RecordingError
from sdr.line_encoder import LineEncoder

_MODES = ("S", "T", "C", "R", "N", "F")
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class GivenFrame:
    """A frame and what its line says about the way it goes.

    Attributes:
        number: of the line, from 1.
        frame: CRC-less frame.
        mode: letter of the radio mode.
        direction: ``M2O`` or ``O2M``; else as the C-field tells.
        frame_format: ``A`` or ``B``.
    """

    number: int
    frame: bytes
    mode: str | None = None
    direction: str | None = None
    frame_format: str | None = None


def read_frames(lines: Iterable[bytes], keyring: Keyring, name: str) -> list[GivenFrame]:
    """Read all lines; blank ones are skipped.

    Args:
        lines: the lines.
        keyring: keys of the meters, for telegrams that are built.
        name: what errors call the source.

    Raises:
        RecordingError: lines hold no frame that can be sent; says which and why.
    """
    encoder = LineEncoder(keyring, "none")
    found: dict[int, GivenFrame] = {}
    problems: dict[int, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        fields = _fields(line)
        try:
            if fields is not None and not isinstance(fields.get("frame_hex"), str):
                found[number] = _with_words(GivenFrame(number, b""), fields)
                for done in encoder.push(line, number):
                    _take(done.number, done.frame, done.problem, found, problems)
            else:
                found[number] = _given(number, line, fields or {})
        except (LineError, ProtocolError) as error:
            problems[number] = str(error)
    for done in encoder.flush():
        _take(done.number, done.frame, done.problem, found, problems)
    if problems:
        shown = [f"line {number}: {problems[number]}" for number in sorted(problems)]
        more = f"; and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
        raise RecordingError(name, "; ".join(shown[:_MOST_SHOWN]) + more)
    if not found:
        raise RecordingError(name, "holds no frame")
    return [found[number] for number in sorted(found)]


def _take(
    number: int,
    frame: bytes | None,
    problem: str | None,
    found: dict[int, GivenFrame],
    problems: dict[int, str],
) -> None:
    if frame is None:
        problems[number] = problem or "describes no telegram"
    else:
        found[number] = _with_direction(replace(found[number], frame=frame))


def _given(number: int, line: bytes, fields: dict[str, Any]) -> GivenFrame:
    given = parse_line(line)
    if given.frame is not None and given.frame and given.frame[0] == len(given.frame) - 1:
        frame, kind = given.frame, None
    else:
        identified = identify(given.raw if given.frame is None else given.frame)
        if identified.kind == "wired":
            raise LineError("a wired frame has no radio mode")
        if identified.left_over:
            raise LineError(f"{len(identified.left_over)} bytes are left over behind the frame")
        frame, kind = identified.frame, identified.kind
    named = _with_words(GivenFrame(number, frame), fields)
    if kind in ("A", "B"):
        named = replace(named, frame_format=kind)
    return _with_direction(named)


def _with_words(given: GivenFrame, fields: dict[str, Any]) -> GivenFrame:
    def word(key: str, words: tuple[str, ...]) -> str | None:
        value = fields.get(key)
        return value if isinstance(value, str) and value in words else None

    return replace(
        given,
        mode=word("mode", _MODES),
        direction=word("direction", ("M2O", "O2M")),
        frame_format=word("frame_format", ("A", "B")),
    )


def _with_direction(given: GivenFrame) -> GivenFrame:
    """Check the frame, and let its C-field tell the direction where the line does not."""
    parsed = link.parse(given.frame)
    return given if given.direction else replace(given, direction=parsed.direction)


def _fields(line: bytes) -> dict[str, Any] | None:
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None
