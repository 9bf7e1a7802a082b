"""The M-Bus application layer: a row of records, with fillers between and maker's data behind.

    record        DIB (DIF, DIFEs) | VIB (VIF, VIFEs) | data
    2F            idle filler, anywhere between records
    0F rest       manufacturer data to the end
    1F rest       the same, and more records follow in the next telegram

A broken record keeps its bytes and says its problem; what follows is read if its start is known.
Otherwise it is left over: all bytes from there on, with the reason why they are no record.
Encoding what was parsed gives the identical bytes. Source: EN 13757-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from protocol.dif import (
    DATA_FIELDS,
    GLOBAL_READOUT_REQUEST,
    IDLE_FILLER,
    MANUFACTURER_DATA,
    MANUFACTURER_DATA_MORE_FOLLOWS,
    SPECIAL,
    Coding,
    Dib,
    parse_dib,
)
from protocol.errors import InvalidField
from protocol.lvar import LVAR
from protocol.notes import Note
from protocol.quick import quick_init
from protocol.record_header import REMEMBERED, RecordHeader, checked_header, dib_end, parse_header
from protocol.values import Notes, NoValue, Value
from protocol.vif import Vib, vib_end
from protocol.vif_table import ValueKind, VifCode, VifTable

_UNREADABLE: Final = "unreadable"
"""Stands for the quantity of what is left over with a header that is cut; no reading has it."""

_NOT_WHOLE: Final = frozenset({Note.TRUNCATED, Note.RESERVED_DIF, Note.RESERVED_LVAR})

GLOBAL_READOUT: Final = "global readout request"
"""Quantity of the one-byte record that asks a device for everything."""


@quick_init
@dataclass(frozen=True, slots=True)
class DataRecord:
    """One record.

    Attributes:
        offset: of its DIF in the application data.
        header: DIB and VIB.
        raw: its data, LVAR included; for a broken record whatever is left.
        value: scaled value, None with a note.
        notes: what is unusual about it.
        problem: why it is broken, or None.
    """

    offset: int
    header: RecordHeader
    raw: bytes
    value: Value
    notes: Notes = ()
    problem: Note | None = None

    @property
    def coding(self) -> bytes | None:
        """The data, where encoding the value would give other bytes; else None."""
        if self.problem is not None:
            return self.raw
        if not self.notes and not self.header.has_variants:
            return None
        try:
            return None if self.header.codec.encode(self.value) == self.raw else self.raw
        except InvalidField:
            return self.raw


@quick_init
@dataclass(frozen=True, slots=True)
class RecordList:
    """Decoded application data.

    Attributes:
        records: in the order sent, repeated ones included.
        fillers: (number of records before, number of 2F bytes) of every run of idle fillers.
        manufacturer_data: the bytes behind 0F or 1F, or None without such a block.
        more_follows: the block was opened by 1F.
    """

    records: tuple[DataRecord, ...]
    fillers: tuple[tuple[int, int], ...] = ()
    manufacturer_data: bytes | None = None
    more_follows: bool = False

    @property
    def left_over(self) -> DataRecord | None:
        """What ends the data and is no whole record: cut, or of a kind whose length is not defined."""
        last = self.records[-1] if self.records else None
        return last if last is not None and last.problem in _NOT_WHOLE else None

    @property
    def whole(self) -> tuple[DataRecord, ...]:
        """All records but what is left over; ``records`` itself if nothing is."""
        return self.records if self.left_over is None else self.records[:-1]


def parse_records(apl: bytes, *, to_device: bool = False) -> RecordList:
    """Decode application data; never raises, broken records say so themselves.

    Args:
        apl: decrypted application data; leading 2F 2F are read as fillers.
        to_device: the records are a command.
    """
    records: list[DataRecord] = []
    fillers: list[tuple[int, int]] = []
    remembered = REMEMBERED[to_device]
    offset, end = 0, len(apl)
    # This is the innermost loop of the whole decoder.
    while offset < end:
        # The usual header is two or three bytes: no header is the start of another.
        header = remembered.get(apl[offset : offset + 2]) or remembered.get(apl[offset : offset + 3])
        if header is not None:
            data = offset + len(header.dib_vib)
        else:
            dif = apl[offset]
            if dif == IDLE_FILLER:
                run = end - offset - len(apl[offset:].lstrip(b"\x2f"))
                fillers.append((len(records), run))
                offset += run
                continue
            if dif == GLOBAL_READOUT_REQUEST:
                records.append(_readout_request(offset))
                offset += 1
                continue
            if dif in (MANUFACTURER_DATA, MANUFACTURER_DATA_MORE_FOLLOWS):
                more_follows = dif == MANUFACTURER_DATA_MORE_FOLLOWS
                return RecordList(tuple(records), tuple(fillers), apl[offset + 1 :], more_follows)
            if dif & 0x0F == SPECIAL:
                records.append(
                    _broken(offset, apl[offset : offset + 1], apl[offset + 1 :], Note.RESERVED_DIF)
                )
                break
            try:
                data = vib_end(apl, dib_end(apl, offset))
            except IndexError:
                records.append(_broken(offset, apl[offset:], b"", Note.TRUNCATED))
                break
            header = parse_header(apl[offset:data], to_device=to_device)
        record = parse_data(header, apl, data, offset)
        records.append(record)
        offset = data + len(record.raw)
    return RecordList(tuple(records), tuple(fillers))


def parse_data(header: RecordHeader, data: bytes, start: int = 0, offset: int = 0) -> DataRecord:
    """Decode the data of a record whose header is known.

    Args:
        header: DIB and VIB.
        data: the data begin at ``start`` and may have more behind them; all are taken if their length is
            not known.
        start: see there.
        offset: of the record.
    """
    length_bytes = header.length_bytes
    if length_bytes is None:
        if start == len(data):
            return DataRecord(offset, header, b"", None, (Note.TRUNCATED,), Note.TRUNCATED)
        content = LVAR.get(data[start])
        if content is None:
            return DataRecord(offset, header, data[start:], None, (Note.RESERVED_LVAR,), Note.RESERVED_LVAR)
        length_bytes = 1 + content[1]
    raw = data[start : start + length_bytes]
    if len(raw) < length_bytes:
        return DataRecord(offset, header, raw, None, (Note.TRUNCATED,), Note.TRUNCATED)
    value, notes = header.codec.decode(raw)
    if header.vib.notes:
        notes = header.vib.notes + notes
    return DataRecord(offset, header, raw, value, notes, header.problem)


def build_record(
    dib_vib: bytes, value: Value, *, coding: bytes | None = None, to_device: bool = False
) -> DataRecord:
    """Make a record from its header and value; the offset is 0.

    Args:
        dib_vib: DIB and VIB.
        value: scaled value; None gives the code of an invalid value.
        coding: the data, where the value alone would be coded otherwise.
        to_device: the record is part of a command.

    Raises:
        InvalidField: the header is not whole, or its data type cannot hold the value.
    """
    if coding is not None:
        parsed = parse_records(dib_vib + coding, to_device=to_device)
        if len(parsed.records) != 1 or parsed.fillers or parsed.manufacturer_data is not None:
            raise InvalidField(
                "application", "header_invalid", f"{dib_vib.hex()} and data are not one record"
            )
        return parsed.records[0]
    if dib_vib == bytes((GLOBAL_READOUT_REQUEST,)):
        return _readout_request(0)
    header = checked_header(dib_vib, to_device=to_device)
    return DataRecord(0, header, header.codec.encode(value), value, header.vib.notes, header.problem)


def encode_records(records: RecordList) -> bytes:
    """Encode application data; the opposite of ``parse_records``."""
    fillers: dict[int, int] = {}
    for position, count in records.fillers:
        fillers[position] = fillers.get(position, 0) + count
    parts: list[bytes] = []
    for position, record in enumerate(records.records):
        parts += (bytes((IDLE_FILLER,)) * fillers.pop(position, 0), record.header.dib_vib, record.raw)
    parts.append(bytes((IDLE_FILLER,)) * sum(fillers.values()))
    if records.manufacturer_data is not None:
        dif = MANUFACTURER_DATA_MORE_FOLLOWS if records.more_follows else MANUFACTURER_DATA
        parts += (bytes((dif,)), records.manufacturer_data)
    return b"".join(parts)


def _readout_request(offset: int) -> DataRecord:
    return DataRecord(offset, _readout_header(), b"", None, (Note.READOUT_REQUEST,))


@cache
def _readout_header() -> RecordHeader:
    return _header_without_vib(bytes((GLOBAL_READOUT_REQUEST,)), GLOBAL_READOUT, Note.READOUT_REQUEST, None)


def _broken(offset: int, dib_vib: bytes, rest: bytes, problem: Note) -> DataRecord:
    """Return a record whose header cannot be read, with all bytes that are left."""
    header = _header_without_vib(dib_vib, _UNREADABLE, problem, problem)
    return DataRecord(offset, header, rest, None, (problem,), problem)


def _header_without_vib(dib_vib: bytes, quantity: str, note: Note, problem: Note | None) -> RecordHeader:
    try:
        end = dib_end(dib_vib)
        dib = parse_dib(dib_vib[:end])
    except IndexError:
        end = len(dib_vib)
        dib = Dib(DATA_FIELDS[dib_vib[0] & 0x0F])
    if dib.data_field.coding is Coding.SPECIAL:
        dib = Dib(dib.data_field)
    base = VifCode(VifTable.PRIMARY, -1, quantity, None, 0, 0, ValueKind.OPAQUE, ())
    vib = Vib(dib_vib[end:], base, quantity, None, ValueKind.OPAQUE)
    return RecordHeader(dib_vib, dib, vib, NoValue(0, (note,)), 0, False, problem, None, dib.place, False)
