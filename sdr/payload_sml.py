"""SML payloads: importing this module needs the extra ``sml``.

    messages     76 … 00, one after another                                [fillers 2F]
    transport    1B1B1B1B 01010101 | messages | 1B1B1B1B 1A, padding, CRC  [fillers 2F]

Only lists of values (GetList.Response) give readings. Source: BSI TR-03109-1, SML.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from smllib import SmlStreamReader
from smllib.errors import UnsupportedChoiceValue
from smllib.sml_frame import SmlFrame

from sdr.payloads import PayloadReading, PayloadReadings, PayloadUnsupported, payload_reading

_TRANSPORT: Final = bytes.fromhex("1B1B1B1B 01010101")
_FILLER: Final = b"\x2f"
_LIST: Final = 0x70
_TYPE: Final = 0x70


class _Frame(SmlFrame):  # type: ignore[misc]
    """The library's frame, which otherwise makes room for every list that is announced."""

    elements = 0

    def get_value(self, pos: int | None = None) -> Any:  # noqa: ANN401  # the library's type
        """Return the next value."""
        start = self.next_pos if pos is None else pos
        if start < self.buf_len and self.buffer[start] & _TYPE == _LIST:
            self.elements += _announced(self.buffer, start)
            if self.elements > self.buf_len:
                raise ValueError("lists of more elements than there are bytes")
        return super().get_value(pos)


def read(data: bytes) -> PayloadReadings:
    """Read a payload.

    Raises:
        ValueError: it is cut, and whatever else the library raises.
        PayloadUnsupported: a message that the library does not read.
    """
    messages = data.rstrip(_FILLER)
    if data.startswith(_TRANSPORT):
        stream = SmlStreamReader()
        stream.add(data)
        whole = stream.get_frame()
        if whole is None:
            raise ValueError("the transport is cut")
        messages = whole.bytes
    if not messages:
        raise ValueError("no messages")
    try:
        parsed = _Frame(messages).parse_frame()
    except UnsupportedChoiceValue as error:
        raise PayloadUnsupported(str(error)) from None
    return PayloadReadings("sml", tuple(_readings(parsed)))


def _announced(data: memoryview, place: int) -> int:
    """Return the length in a type-length field: four bits of each byte, more bytes while bit 7 is set."""
    length = data[place] & 0x0F
    while data[place] & 0x80:
        place += 1
        length = length << 4 | data[place] & 0x0F
    return length


def _readings(messages: list[Any]) -> Iterator[PayloadReading]:
    for message in messages:
        body = message.message_body
        for entry in getattr(body, "val_list", ()):
            time = body.act_sensor_time if entry.val_time is None else entry.val_time
            yield payload_reading(
                entry.obis.obis_code,
                entry.value,
                scaler=entry.scaler,
                unit=entry.unit,
                at=time if isinstance(time, datetime) else None,
            )
