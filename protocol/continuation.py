"""Messages whose records go on in the next telegram (DIF 1F), one after another.

The parts say things about each other: the date of a storage number may be in one telegram and its
value in the next. So the parts that came before are remembered per device, in bounded memory, until
the part that ends the message has come. A part sent again takes its old place.
Source: EN 13757-3 (DIF 1F).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocol.errors import InvalidField
from protocol.readings import Reading, readings
from protocol.records import DataRecord, RecordList, parse_records
from protocol.values import hex_bytes

_MOST_DEVICES: Final = 256
_MOST_RECORDS: Final = 1024
_MOST_PARTS: Final = 256


@dataclass(frozen=True, slots=True)
class _Message:
    """The parts of a message so far, and the records of all but the last of them."""

    parts: tuple[bytes, ...]
    before: tuple[DataRecord, ...]
    records: tuple[DataRecord, ...]
    is_whole: bool


class Continuations:
    """The unfinished messages of many devices.

    Args:
        state: what ``state`` of others returned.

    Raises:
        InvalidField: the state is not one.
    """

    def __init__(self, state: Mapping[str, object] | None = None) -> None:
        self._open: dict[bytes, _Message] = {}
        for device, parts in (state or {}).items():
            if not isinstance(parts, list):
                raise InvalidField("application", "state_invalid", f"parts of {device} are not a list")
            for part in parts:
                plaintext = hex_bytes(part)
                self.records_before(hex_bytes(device), plaintext, parse_records(plaintext))

    def records_before(self, device: bytes, plaintext: bytes, records: RecordList) -> tuple[DataRecord, ...]:
        """Return the records that earlier telegrams gave to the same message, and remember these.

        Args:
            device: whatever tells devices apart.
            plaintext: application data of this telegram.
            records: its records.
        """
        message = self._open.pop(device, None)
        before: tuple[DataRecord, ...] = ()
        parts: tuple[bytes, ...] = (plaintext,)
        if message is not None and message.parts[-1] == plaintext:
            before, parts = message.before, message.parts
        elif message is not None and not message.is_whole:
            before, parts = message.before + message.records, (*message.parts, plaintext)
        is_continued = records.more_follows or before
        if is_continued and len(before) <= _MOST_RECORDS and len(parts) <= _MOST_PARTS:
            if len(self._open) >= _MOST_DEVICES:
                del self._open[next(iter(self._open))]
            self._open[device] = _Message(parts, before, records.whole, not records.more_follows)
        return before

    def __bool__(self) -> bool:
        """Whether any message of several parts is remembered."""
        return bool(self._open)

    def state(self) -> dict[str, list[str]]:
        """Return the unfinished messages as plain data: device to its parts in hex."""
        return {
            device.hex(): [part.hex() for part in message.parts]
            for device, message in self._open.items()
            if not message.is_whole
        }


def readings_behind(
    before: tuple[DataRecord, ...], records: RecordList, device_type: int | None
) -> list[Reading]:
    """Return the readings of ``records``, dated and based by the records before them, too."""
    return readings(records.whole, device_type, before)
