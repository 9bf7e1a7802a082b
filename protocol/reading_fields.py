"""Readings as plain fields, and records from plain fields.

    quantity value unit function storage tariff subunit qualifiers dib_vib raw_hex   always
    at obis tag notes                                                                where known
    coded_hex    data bytes, only where the value alone would be coded otherwise
    profile      content of a compact profile

A record is built from ``dib_vib`` and ``value`` (and ``profile``, ``coded_hex``), never from
``raw_hex``; without ``dib_vib`` from the words. Values of a profile have no record of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from protocol.dates import iso_text
from protocol.dif import Function
from protocol.errors import InvalidField
from protocol.header_builder import PROFILE_VALUE, build_header
from protocol.profiles import encode_profile, profile_fields, profile_from_fields
from protocol.readings import Reading
from protocol.record_header import checked_header
from protocol.records import DataRecord, build_record
from protocol.values import Value, hex_bytes


def reading_fields(reading: Reading) -> dict[str, object]:
    """Return a reading as plain fields: numbers, Decimals, text, lists; dates as ISO 8601."""
    value = reading.value
    fields: dict[str, object] = {
        "quantity": reading.quantity,
        "value": iso_text(value) if isinstance(value, date) else value,
        "unit": reading.unit,
        "function": reading.function,
        "storage": reading.storage,
        "tariff": reading.tariff,
        "subunit": reading.subunit,
        "qualifiers": list(reading.qualifiers),
        "dib_vib": reading.dib_vib.hex(),
        "raw_hex": reading.raw.hex(),
    }
    if reading.at is not None:
        fields["at"] = iso_text(reading.at)
    if reading.obis is not None:
        fields["obis"] = reading.obis
    if reading.tag is not None:
        fields["tag"] = reading.tag
    if reading.notes:
        fields["notes"] = [note.value for note in reading.notes]
    if reading.coding is not None:
        fields["coded_hex"] = reading.coding.hex()
    if reading.profile is not None:
        fields["profile"] = profile_fields(reading.profile)
    return fields


def records_of(
    readings: Iterable[Mapping[str, object]], *, to_device: bool = False
) -> tuple[DataRecord, ...]:
    """Return the records of a message from the plain fields of its readings, in order.

    Args:
        readings: plain fields; values of a profile are skipped, the profile holds them.
        to_device: the message is a command.

    Raises:
        InvalidField: a field is of the wrong kind, or the data type cannot hold the value.
    """
    return tuple(
        record_of(fields, to_device=to_device)
        for fields in readings
        if PROFILE_VALUE not in _words(fields.get("qualifiers", ()))
    )


def record_of(fields: Mapping[str, object], *, to_device: bool = False) -> DataRecord:
    """Return one record from the plain fields of its reading.

    Raises:
        InvalidField: as ``records_of``.
    """
    value = _value(fields.get("value"))
    dib_vib = _bytes(fields.get("dib_vib"))
    coding = _bytes(fields.get("coded_hex"))
    if dib_vib is None:
        dib_vib = _header(fields, value, to_device=to_device)
    profile = fields.get("profile")
    if coding is None and isinstance(profile, Mapping):
        scale = checked_header(dib_vib, to_device=to_device).vib.scale
        value = encode_profile(profile_from_fields(profile), scale).hex()
    return build_record(dib_vib, value, coding=coding, to_device=to_device)


def _header(fields: Mapping[str, object], value: Value, *, to_device: bool) -> bytes:
    quantity, unit = fields.get("quantity"), fields.get("unit")
    if not isinstance(quantity, str) or not (unit is None or isinstance(unit, str)):
        raise InvalidField("application", "reading_invalid", "a record needs dib_vib, or quantity and unit")
    try:
        function = Function(str(fields.get("function", Function.INSTANTANEOUS)))
    except ValueError:
        text = f"the function of a reading is one of {', '.join(Function)}"
        raise InvalidField("application", "reading_invalid", text) from None
    return build_header(
        quantity,
        value,
        unit=unit,
        function=function,
        storage=_number(fields, "storage"),
        tariff=_number(fields, "tariff"),
        subunit=_number(fields, "subunit"),
        qualifiers=_words(fields.get("qualifiers", ())),
        to_device=to_device,
    )


def _value(value: object) -> Value:
    if value is None or isinstance(value, int | float | Decimal | str | date):
        return value
    raise InvalidField("application", "value_invalid", f"{value!r} is no value of a reading")


def _bytes(text: object) -> bytes | None:
    if isinstance(text, bytes):
        return text
    return None if text is None else hex_bytes(_value(text))


def _number(fields: Mapping[str, object], name: str) -> int:
    number = fields.get(name, 0)
    if not isinstance(number, int):
        raise InvalidField("application", "reading_invalid", f"{name} is not a whole number")
    return number


def _words(words: object) -> tuple[str, ...]:
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise InvalidField("application", "reading_invalid", "qualifiers are not a list of words")
    return tuple(words)
