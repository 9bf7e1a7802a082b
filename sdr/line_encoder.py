"""JSON lines → frames, in the order of the lines.

A fragment's line tells its size but not its content: that is in the line of the last fragment. So lines
wait, and those behind them too, until the message is whole.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, Literal, NoReturn

from protocol.address import Address
from protocol.building import Description, SealingKeys, build, build_fragments, wrap
from protocol.ciphers import SecretKey
from protocol.errors import ProtocolError
from protocol.keys import Keyring
from sdr.output.json_fields import DescriptionError
from sdr.output.json_telegram import candidate_of, describe

WantedFormat = Literal["A", "B", "none"]

_MOST_WAITING: Final = 4096


@dataclass(slots=True)
class EncodedLine:
    """What became of a line.

    Attributes:
        number: of the line, from 1.
        frame: its frame; None while it waits and where it cannot be built.
        problem: why it cannot be built.
    """

    number: int
    frame: bytes | None = None
    problem: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing more will become of it."""
        return self.frame is not None or self.problem is not None


@dataclass(slots=True)
class _Message:
    """The lines of one fragmented message, and its parts once it is whole."""

    waiting: list[tuple[EncodedLine, Description, SealingKeys]] = field(default_factory=list)
    parts: dict[int, bytes] | None = None


class LineEncoder:
    """Builds the telegrams of JSON lines.

    Args:
        keyring: keys of the meters.
        frame_format: block CRCs that wireless frames get; None as each line says.
    """

    def __init__(self, keyring: Keyring, frame_format: WantedFormat | None = None) -> None:
        self._keyring = keyring
        self._frame_format = frame_format
        self._queue: deque[EncodedLine] = deque()
        self._messages: dict[object, _Message] = {}

    def push(self, line: bytes, number: int) -> list[EncodedLine]:
        """Take a line that holds one JSON object; return what is done, in order."""
        encoded = EncodedLine(number)
        self._queue.append(encoded)
        try:
            self._encode(encoded, _loaded(line))
        except (DescriptionError, ProtocolError) as error:
            encoded.problem = str(error)
        if len(self._queue) > _MOST_WAITING:
            self._give_up("the message of the fragment does not become whole")
        return self._done()

    def flush(self) -> list[EncodedLine]:
        """End of the lines: return what still waited."""
        self._give_up("the last fragment of the message is missing")
        return self._done()

    def _encode(self, encoded: EncodedLine, line: Mapping[str, Any]) -> None:
        description = describe(line)
        wanted = self._frame_format
        if wanted is not None:
            description = replace(description, frame_format=None if wanted == "none" else wanted)
        keys = self._keys(description, candidate_of(line))
        if description.afl is None or not description.afl.fragment_number:
            encoded.frame = build(description, keys)
            return
        name = (description.sender, description.address_field, _is_downlink(line))
        message = self._messages.setdefault(name, _Message())
        number = description.afl.fragment_number
        if number == 1 and message.parts is not None:
            message = self._messages[name] = _Message()
        if message.parts is not None:
            if number not in message.parts:
                raise DescriptionError("no message for this fragment")
            encoded.frame = wrap(description, message.parts[number], keys)
            return
        message.waiting.append((encoded, description, keys))
        if not description.afl.more_fragments:
            self._finish(message)

    def _finish(self, message: _Message) -> None:
        """Build the message of the last fragment, and all frames that carry it."""
        _, whole, keys = message.waiting[-1]
        fragments = {
            description.afl.fragment_number: description
            for _, description, _ in reversed(message.waiting)
            if description.afl is not None
        }
        try:
            parts = build_fragments(whole, fragments, keys)
            for encoded, description, own_keys in message.waiting:
                assert description.afl is not None
                encoded.frame = wrap(description, parts[description.afl.fragment_number], own_keys)
            message.parts = parts
        except ProtocolError as error:
            for encoded, _, _ in message.waiting:
                encoded.frame, encoded.problem = None, str(error)
        message.waiting.clear()

    def _give_up(self, problem: str) -> None:
        for message in self._messages.values():
            for encoded, _, _ in message.waiting:
                encoded.problem = problem
        self._messages.clear()

    def _done(self) -> list[EncodedLine]:
        done = []
        while self._queue and self._queue[0].is_done:
            done.append(self._queue.popleft())
        return done

    def _keys(self, description: Description, candidate: int) -> SealingKeys:
        receiver = None if description.ell is None else description.ell.receiver
        mode = 0 if description.header is None else description.header.mode
        return SealingKeys(
            link=self._key(description.sender, receiver, 0 if mode else candidate),
            message=self._key(description.meter, description.sender, candidate),
        )

    def _key(self, device: Address | None, other: Address | None, candidate: int) -> SecretKey | None:
        keys = self._keyring.candidates(device, other).keys
        return keys[candidate] if candidate < len(keys) else None


def _is_downlink(line: Mapping[str, Any]) -> bool:
    return line.get("direction") == "O2M"


def _loaded(line: bytes) -> Mapping[str, Any]:
    try:
        loaded = json.loads(line, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise DescriptionError("the line is no JSON") from None
    if not isinstance(loaded, dict):
        raise DescriptionError("the line is no JSON object")
    return loaded


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
