"""Messages from AFL fragments that arrive in several telegrams.

Fragments count 1, 2, 3… and carry one message in order. A device repeats its last fragment when
it is asked again; anything else out of order gives up the message:

    fragment n + 1             appended
    fragment n, same bytes     fragment_repeated: ignored
    fragment 1                 a new message; message_abandoned if one was open
    any other                  fragment_missing: the open message is given up

Memory is bounded: a message has at most 16 kB, and the message that waits longest makes room when
too many devices have one open.

Source: EN 13757-7 fragmentation; OMS Vol. 2, 6 (16 kB limit, order of fragments).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from protocol import afl as afl_layer
from protocol.afl import Afl
from protocol.errors import InvalidField, ProtocolError
from protocol.quick import quick_init

MESSAGE_LIMIT_BYTES: Final = 16 * 1024
OPEN_LIMIT: Final = 256
TIMEOUT_S: Final = 60.0
"""Longest wait for the next fragment. The standards end it with the frequent access cycle, whose
length a listener does not know; a minute is longer than any pause between two requests."""


@quick_init
@dataclass(frozen=True, slots=True)
class Assembled:
    """What became of a fragment.

    Attributes:
        message: the whole message from its transport CI-field on, or None while parts are missing.
        afl: layer of the whole message: the first fragment's, with the MAC of the last.
        notes: words of `NOTES`.
    """

    message: bytes | None
    afl: Afl
    notes: tuple[str, ...] = ()


NOTES: Final = {
    "fragment_repeated": "the fragment was received before",
    "fragment_missing": "a fragment before this one was not received",
    "message_abandoned": "an earlier message of the sender was never completed",
    "message_expired": "the earlier fragments of the sender are too old",
    "message_length_mismatch": "the fragments do not have the length that the first one announced",
    "message_too_long": "the fragments exceed the limit of 16 kB",
}
"""Closed vocabulary of `Assembled.notes`."""


@dataclass(slots=True)
class _Open:
    """A message in the making; a finished one is kept, without its parts, to know repetitions."""

    first: Afl
    last_number: int
    last_part: bytes
    heard_at_s: float | None
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    is_finished: bool = False


class Reassembler:
    """Collects the fragments of many senders.

    Args:
        timeout_s: longest wait for the next fragment, where times are given.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._open: dict[bytes, _Open] = {}

    def push(self, sender: bytes, afl: Afl, part: bytes, now_s: float | None = None) -> Assembled:
        """Take one telegram's AFL and the bytes behind it.

        Args:
            sender: whatever tells senders and directions apart, such as the link address.
            afl: the layer.
            part: the bytes behind it.
            now_s: time of the telegram in seconds, None when unknown.
        """
        number = afl.fragment_number
        if number == 0:
            return Assembled(part, afl)
        notes: tuple[str, ...] = ()
        waiting = self._open.pop(sender, None)
        if waiting is not None and number == waiting.last_number and part == waiting.last_part:
            self._open[sender] = waiting
            return Assembled(None, afl, ("fragment_repeated",))
        if waiting is not None and self._is_too_old(waiting, now_s):
            waiting, notes = None, ("message_expired",)
        if number == 1:
            if waiting is not None and not waiting.is_finished:
                notes = ("message_abandoned",)
            waiting = _Open(afl, 0, b"", now_s)
        elif waiting is None or waiting.is_finished or number != waiting.last_number + 1:
            return Assembled(None, afl, (*notes, "fragment_missing"))
        return self._append(sender, waiting, afl, part, now_s, notes)

    def _is_too_old(self, waiting: _Open, now_s: float | None) -> bool:
        if now_s is None or waiting.heard_at_s is None or waiting.is_finished:
            return False
        return now_s - waiting.heard_at_s > self._timeout_s

    def _append(
        self,
        sender: bytes,
        waiting: _Open,
        afl: Afl,
        part: bytes,
        now_s: float | None,
        notes: tuple[str, ...],
    ) -> Assembled:
        """Add a fragment that is in order, and finish the message if it is the last."""
        waiting.size += len(part)
        if waiting.size > MESSAGE_LIMIT_BYTES:
            return Assembled(None, afl, (*notes, "message_too_long"))
        waiting.parts.append(part)
        waiting.last_number = afl.fragment_number
        waiting.last_part = part
        waiting.heard_at_s = now_s
        self._make_room()
        self._open[sender] = waiting
        if afl.more_fragments:
            return Assembled(None, afl, notes)
        message = b"".join(waiting.parts)
        waiting.parts.clear()
        waiting.is_finished = True
        if waiting.first.message_length not in (None, len(message)):
            return Assembled(None, afl, (*notes, "message_length_mismatch"))
        return Assembled(message, replace(waiting.first, mac=afl.mac), notes)

    def _make_room(self) -> None:
        while len(self._open) >= OPEN_LIMIT:
            del self._open[next(iter(self._open))]

    def state(self) -> dict[str, Any]:
        """Return the unfinished messages as plain data, without their times."""
        return {
            sender.hex(): {
                "afl": waiting.first.encode().hex(),
                "fragments": [part.hex() for part in waiting.parts],
            }
            for sender, waiting in self._open.items()
            if not waiting.is_finished
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` of an earlier reassembler returned.

        Raises:
            InvalidField: the data are not such a state.
        """
        try:
            for sender, saved in state.items():
                parts = [bytes.fromhex(part) for part in saved["fragments"]]
                first = afl_layer.parse(bytes.fromhex(saved["afl"]))
                size = sum(map(len, parts))
                if not parts or size > MESSAGE_LIMIT_BYTES:
                    raise ValueError("no fragments, or too many")
                self._make_room()
                self._open[bytes.fromhex(sender)] = _Open(first, len(parts), parts[-1], None, parts, size)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, ProtocolError) as error:
            raise InvalidField("afl", "state_invalid", f"no state of fragments: {error}") from None
