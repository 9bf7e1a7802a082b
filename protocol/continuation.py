"""Messages whose records go on in the next telegram (DIF 1F), one after another.

The parts say things about each other: the date of a storage number may be in one telegram and its
value in the next. So the records that came before are remembered per device, in bounded memory, until
the part that ends the message has come. A part sent again takes its old place.
Source: EN 13757-3 (DIF 1F).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol.readings import Reading, readings
from protocol.records import DataRecord, RecordList

_MOST_DEVICES: Final = 256
_MOST_RECORDS: Final = 1024


@dataclass(frozen=True, slots=True)
class _Part:
    """The last part of a message."""

    plaintext: bytes
    before: tuple[DataRecord, ...]
    records: tuple[DataRecord, ...]
    is_end: bool


class Continuations:
    """The unfinished messages of many devices."""

    def __init__(self) -> None:
        self._open: dict[bytes, _Part] = {}

    def records_before(self, device: bytes, plaintext: bytes, records: RecordList) -> tuple[DataRecord, ...]:
        """Return the records that earlier telegrams gave to the same message, and remember these.

        Args:
            device: whatever tells devices apart.
            plaintext: application data of this telegram.
            records: its records.
        """
        part = self._open.pop(device, None)
        before: tuple[DataRecord, ...] = ()
        if part is not None and part.plaintext == plaintext:
            before = part.before
        elif part is not None and not part.is_end:
            before = part.before + part.records
        if (records.more_follows or before) and len(before) <= _MOST_RECORDS:
            if len(self._open) >= _MOST_DEVICES:
                del self._open[next(iter(self._open))]
            self._open[device] = _Part(plaintext, before, records.records, not records.more_follows)
        return before

    def __bool__(self) -> bool:
        """Whether any message of several parts is remembered."""
        return bool(self._open)


def readings_behind(
    before: tuple[DataRecord, ...], records: RecordList, device_type: int | None
) -> list[Reading]:
    """Return the readings of ``records``, dated and based by the records before them, too."""
    return readings(records.records, device_type, before)
