"""Readings: the records of a message as named quantities with unit, place and date.

    record -> reading      one record gives one reading
    compact profile        one reading with the profile, then one for each of its values
    at                     date record of the same storage number, or the profile's dates

A reading knows what a record needs, so ``reading_fields.record_of`` gives the identical bytes back.
Source: EN 13757-3; dates of storage numbers and profiles EN 13757-3 Annex F, OMS Vol. 2 Annex G.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from protocol.dating import Dating
from protocol.dif import Place
from protocol.errors import ProtocolError
from protocol.header_builder import PROFILE_VALUE, REGISTER_NUMBER
from protocol.notes import Note
from protocol.obis import mbus_tag, obis_code
from protocol.profiles import IncrementMode, Profile, encode_profile, parse_profile
from protocol.quick import quick_init
from protocol.record_header import RecordHeader, Role
from protocol.records import DataRecord
from protocol.scale import Number
from protocol.spacing import HALF_MONTH
from protocol.values import Notes, Value, hex_bytes

_Base = tuple[bytes, Place]
"""VIB and place of a record."""

_PROFILE: Final = Role.PROFILE
_INVERSE: Final = "inverse_compact_profile"
_MOST_REMEMBERED_OF_TYPE: Final = 1 << 10
_LONGEST_REMEMBERED_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a header means for a device type: all of a reading that does not depend on its data."""

    quantity: str
    unit: str | None
    function: str
    storage: int
    tariff: int
    subunit: int
    qualifiers: tuple[str, ...]
    dib_vib: bytes
    obis: str | None
    tag: str | None


@quick_init
@dataclass(frozen=True, slots=True)
class Reading:
    """One named quantity of a meter.

    Attributes:
        meaning: the parts that depend on the header only.
        value: int, exact Decimal, float (real32 only), text, date, date and time, or None with a note.
        raw: data bytes, LVAR included; of a profile's value its element.
        at: date of the value where the message tells it.
        notes: what is unusual.
        coding: the data bytes, where the value alone would be coded otherwise.
        profile: content of a compact profile.
    """

    meaning: Meaning
    value: Value
    raw: bytes
    at: date | None = None
    notes: Notes = ()
    coding: bytes | None = None
    profile: Profile | None = None

    @property
    def quantity(self) -> str:
        """What is measured, a word of the closed vocabulary."""
        return self.meaning.quantity

    @property
    def unit(self) -> str | None:
        """Unit of the value, None for pure numbers, text and dates."""
        return self.meaning.unit

    @property
    def function(self) -> str:
        """``instantaneous``, ``maximum``, ``minimum`` or ``error``."""
        return self.meaning.function

    @property
    def storage(self) -> int:
        """Storage number: 0 current, 1 due date, others history."""
        return self.meaning.storage

    @property
    def tariff(self) -> int:
        """Tariff number."""
        return self.meaning.tariff

    @property
    def subunit(self) -> int:
        """Subunit number."""
        return self.meaning.subunit

    @property
    def qualifiers(self) -> tuple[str, ...]:
        """What the VIFEs add, words of the closed vocabulary."""
        return self.meaning.qualifiers

    @property
    def dib_vib(self) -> bytes:
        """Header of the record; of a profile's value the header of the profile."""
        return self.meaning.dib_vib

    @property
    def obis(self) -> str | None:
        """OBIS code, where the facts give one."""
        return self.meaning.obis

    @property
    def tag(self) -> str | None:
        """M-Bus tag, where the facts give one."""
        return self.meaning.tag


_UNDATED: Final = Dating(())

_meanings: defaultdict[int | None, dict[RecordHeader, Meaning]] = defaultdict(dict)
"""Meanings of headers by device type; headers that are usual are always the same object."""


def _new_meaning(header: RecordHeader, device_type: int | None) -> Meaning:
    """Return what a header means for a device type, and remember it in bounded memory."""
    dib, vib = header.dib, header.vib
    meaning = Meaning(
        quantity=vib.quantity,
        unit=vib.unit,
        function=dib.function.value,
        storage=dib.storage,
        tariff=dib.tariff,
        subunit=dib.subunit,
        qualifiers=(*vib.qualifiers, REGISTER_NUMBER) if dib.register_number else vib.qualifiers,
        dib_vib=header.dib_vib,
        obis=obis_code(header, device_type),
        tag=mbus_tag(header),
    )
    if len(header.dib_vib) <= _LONGEST_REMEMBERED_BYTES:
        remembered = _meanings[device_type]
        if len(remembered) >= _MOST_REMEMBERED_OF_TYPE:
            remembered.clear()
        remembered[header] = meaning
    return meaning


def readings(
    records: Sequence[DataRecord],
    device_type: int | None = None,
    before: Sequence[DataRecord] = (),
) -> list[Reading]:
    """Return the readings of a message's records, in order; never raises.

    Args:
        records: all records of one message, or those of its last telegram.
        device_type: device type code of the meter, for OBIS codes.
        before: records of the message's earlier telegrams, for their dates and base values.
    """
    message = (*before, *records) if before else records
    telling = [record for record in message if record.header.role is not None]
    dating = Dating(telling) if telling else _UNDATED
    base_values: dict[_Base, Number] | None = None
    meanings = _meanings[device_type]
    found = []
    for record in records:
        header = record.header
        meaning = meanings.get(header) or _new_meaning(header, device_type)
        if header.role is _PROFILE and isinstance(record.value, str):
            if base_values is None:
                base_values = _base_values(message)
            found += _profile_readings(record, meaning, base_values, dating)
            continue
        at = dating.date_of(header.place) if header.is_dated and telling else None
        coding = record.coding if record.notes or header.has_variants else None
        found.append(Reading(meaning, record.value, record.raw, at, record.notes, coding))
    return found


def _profile_readings(
    record: DataRecord, meaning: Meaning, base_values: dict[_Base, Number], dating: Dating
) -> list[Reading]:
    """Return the reading of a compact profile, and one for each of its values."""
    scale = record.header.vib.scale
    content = hex_bytes(record.value)
    try:
        profile = parse_profile(content, scale)
        coding = record.coding if encode_profile(profile, scale) == content else record.raw
    except ProtocolError:
        malformed = tuple(Note.PROFILE_MALFORMED if note is Note.PROFILE else note for note in record.notes)
        return [Reading(meaning, record.value, record.raw, None, malformed, record.coding)]

    inverse = _INVERSE in meaning.qualifiers
    base_value = base_values.get(_base_of(record.header))
    base_date = dating.base_date_of(record.header.place)
    notes = list(record.notes)
    if base_value is None and profile.increment_mode is not IncrementMode.ABSOLUTE:
        notes.append(Note.PROFILE_WITHOUT_BASE_VALUE)
    if profile.spacing_reserved:
        notes.append(Note.PROFILE_SPACING_RESERVED)
    elif base_date is None and profile.spacing is not None:
        notes.append(Note.PROFILE_WITHOUT_BASE_DATE)
    found = [Reading(meaning, None, record.raw, None, tuple(notes), coding, profile)]
    if Note.PROFILE_WITHOUT_BASE_VALUE in notes:
        return found

    value_notes: Notes = (Note.HALF_MONTH_ASSUMED,) if profile.spacing == HALF_MONTH else ()
    qualifiers = (*meaning.qualifiers, PROFILE_VALUE)
    for step, value in enumerate(profile.values(base_value, inverse=inverse), start=1):
        at = None
        if base_date is not None and profile.spacing is not None:
            at = profile.spacing.shift(base_date, -step if inverse else step)
        start = 2 + (step - 1) * profile.element_bytes
        found.append(
            Reading(
                replace(meaning, storage=meaning.storage + step, qualifiers=qualifiers, obis=None, tag=None),
                value,
                content[start : start + profile.element_bytes],
                at,
                (Note.PROFILE_GAP, *value_notes) if value is None else value_notes,
            )
        )
    return found


def _base_values(records: Iterable[DataRecord]) -> dict[_Base, Number]:
    """Return every number that a profile may start from; of repeated records the first."""
    values: dict[_Base, Number] = {}
    for record in records:
        if isinstance(record.value, int | Decimal | float):
            values.setdefault((record.header.vib.raw, record.header.place), record.value)
    return values


def _base_of(header: RecordHeader) -> _Base:
    """Return where a profile's first value is: the same place, the VIB without the last VIFE."""
    vib = header.vib.raw[:-1]
    return vib[:-1] + bytes((vib[-1] & 0x7F,)), header.place
