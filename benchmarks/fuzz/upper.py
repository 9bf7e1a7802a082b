"""Targets of the application layer: decrypted data, both ways, and plain descriptions of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from fuzz.lower import refusal
from protocol.alarm import encode_alarm, parse_alarm
from protocol.annotate import annotate_records, value_text
from protocol.application_error import encode_application_error, parse_application_error
from protocol.application_select import encode_application_select, parse_application_select
from protocol.clock_sync import encode_clock_sync, parse_clock_sync
from protocol.compact import (
    FormatCache,
    compact_frame_of,
    encode_compact,
    encode_format,
    headers_of,
    parse_compact,
    parse_format,
)
from protocol.identification import meter_address
from protocol.image_transfer import encode_image_transfer, parse_image_transfer
from protocol.notes import Note
from protocol.profiles import encode_profile, parse_profile, profile_fields, profile_from_fields
from protocol.reading_fields import reading_fields, records_of
from protocol.readings import Reading, readings
from protocol.records import RecordList, encode_records, parse_records
from protocol.scale import Number, Scale
from protocol.sitp import encode_sitp, parse_sitp
from protocol.vocabulary import FUNCTIONS, NOTES, QUALIFIERS, QUANTITIES

_DECIMAL: Final = "decimal"


def records(data: bytes) -> None:
    """Read records, name them, annotate them, and make the identical bytes from each.

    Byte 0 is the device type; its bit 7 says that the records are a command.
    """
    if not data:
        return
    to_device, device_type, apl = bool(data[0] & 0x80), data[0] & 0x7F, data[1:]
    found = parse_records(apl, to_device=to_device)
    assert encode_records(found) == apl
    fields = annotate_records(found, to_device=to_device)
    assert b"".join(field.raw for field in fields) == apl
    assert all(field.name and field.meaning for field in fields)
    named = readings(found.whole, device_type)
    for reading in named:
        _check_words(reading)
    meter_address(found.records)
    described = _through_json(named)
    again = records_of(described, to_device=to_device) + found.records[len(found.whole) :]
    assert (
        encode_records(RecordList(again, found.fillers, found.manufacturer_data, found.more_follows)) == apl
    )


def _check_words(reading: Reading) -> None:
    assert reading.quantity in QUANTITIES
    assert reading.function in FUNCTIONS
    assert set(reading.qualifiers) <= set(QUALIFIERS)
    assert {note.value for note in reading.notes} <= set(NOTES)
    assert reading.value is not None or reading.notes
    value_text(reading.value, reading.unit)
    assert reading.at is None or isinstance(reading.at, date)


def _through_json(found: list[Reading]) -> list[dict[str, object]]:
    """Return what a description keeps: no raw bytes, and numbers as JSON takes and gives them."""
    fields = [reading_fields(reading) for reading in found]
    for one in fields:
        del one["raw_hex"]
    as_json = json.dumps(fields, default=lambda number: {_DECIMAL: str(number)})
    described: list[dict[str, object]] = json.loads(as_json, object_hook=_decimal)
    return described


def _decimal(fields: dict[str, object]) -> object:
    """Return a decimal where JSON has one in its clothes."""
    return Decimal(str(fields[_DECIMAL])) if _DECIMAL in fields else fields


def compact(data: bytes) -> None:
    """Learn a format, expand a compact frame; carry records through one; read a format frame.

    Byte 0 is the length of the headers; the rest is the body.
    """
    if not data:
        return
    headers, body = data[1 : 1 + data[0]], data[1 + data[0] :]
    cache = FormatCache()
    cache.learn("meter", headers)
    with refusal:
        frame = parse_compact(body)
        assert encode_compact(frame) == body
        expanded = cache.expand("meter", frame)
        assert isinstance(expanded, Note) or expanded.endswith(frame.data[len(frame.data) :])
    with refusal:
        assert parse_format(body) in body
    whole = [record for record in parse_records(body).records if record.header.vib.raw and not record.problem]
    if whole:
        cache.learn_records("meter", whole)
        expanded = cache.expand("meter", compact_frame_of(whole))
        assert expanded == b"".join(record.header.dib_vib + record.raw for record in whole)
        with refusal:
            assert parse_format(encode_format(headers_of(whole))) == headers_of(whole)
    state = cache.state()
    assert FormatCache(state).state() == state


def profiles(data: bytes) -> None:
    """Read a compact profile, write it again, and add up its values.

    Byte 0 is the exponent of the scale from -9 on, byte 1 the base value and the direction.
    """
    if len(data) < 2:
        return
    scale, base, inverse = Scale(data[0] % 19 - 9), scale_base(data[1]), bool(data[1] & 1)
    with refusal:
        profile = parse_profile(data[2:], scale)
        encoded = encode_profile(profile, scale)
        assert len(encoded) == len(data) - 2
        assert parse_profile(encoded, scale) == profile
        assert profile_from_fields(profile_fields(profile)) == profile
        values = profile.values(base, inverse=inverse)
        assert len(values) == len(profile.elements)
        _check_sums(base, list(profile.elements), values)
        if profile.spacing is not None:
            profile.spacing.shift(date(2024, 2, 29), data[1] - 128)


def scale_base(byte: int) -> Number:
    """Return a base value: small, or with more digits than a usual decimal context keeps."""
    return Decimal(byte).scaleb(-3) if byte & 2 else Decimal(10) ** 30 + Decimal("0.001") * byte


def _check_sums(base: Number, elements: list[Number | None], values: list[Number | None]) -> None:
    """Check that steps are exactly as large as the elements, or the values are the elements."""
    if values == elements or any(isinstance(element, float) for element in elements):
        return
    value = Fraction(base)
    for element, found in zip(elements, values, strict=True):
        if element is None:
            assert found is None
            continue
        assert found is not None
        assert abs(Fraction(found) - value) == abs(Fraction(element))
        value = Fraction(found)


_Pair = tuple[Callable[[bytes], object], Callable[..., bytes]]

_PROTOCOLS: Final[tuple[_Pair, ...]] = (
    (parse_application_error, encode_application_error),
    (parse_alarm, encode_alarm),
    (parse_application_select, encode_application_select),
    (parse_sitp, encode_sitp),
    (parse_image_transfer, encode_image_transfer),
    (lambda body: parse_clock_sync(0x6C, body), encode_clock_sync),
    (lambda body: parse_clock_sync(0x6D, body), encode_clock_sync),
)


def other_protocols(data: bytes) -> None:
    """Read small protocols and write them again; byte 0 chooses which."""
    if not data:
        return
    parse, encode = _PROTOCOLS[data[0] % len(_PROTOCOLS)]
    with refusal:
        found = parse(data[1:])
        assert encode(found) == data[1:]
        for name in dir(found):
            if not name.startswith("_"):
                getattr(found, name)


HOSTILE: Final[tuple[object, ...]] = (
    None,
    True,
    -1,
    0,
    255,
    1 << 70,
    1.5,
    float("nan"),
    float("inf"),
    1e300,
    Decimal("1e400"),
    Decimal("-0.0001"),
    Decimal("NaN"),
    "",
    "00",
    "0",
    "zz",
    "f" * 600,
    "\u0663\u0663",
    "\ud800",
    "2024-02-30",
    "*-12-31",
    "9" * 400,
    "m3",
    "volume",
    [],
    ["positive_increment"],
    [None, 1],
    {},
    b"\x0c",
    date(2100, 1, 1),
)
"""Values that nobody should give, or not there."""


def tampered(fields: dict[str, object], changes: bytes) -> dict[str, object]:
    """Return plain fields with some replaced or removed: two bytes choose which and by what."""
    fields = dict(fields)
    for which, value in zip(changes[::2], changes[1::2], strict=False):
        if not fields:
            break
        name = sorted(fields)[which % len(fields)]
        if value == 0xFF:
            del fields[name]
        else:
            fields[name] = HOSTILE[value % len(HOSTILE)]
    return fields


def descriptions(data: bytes) -> None:
    """Make a record from a reading that was tampered with.

    Byte 0 is the length of the changes, which follow; then come the application data.
    """
    if not data:
        return
    changes, apl = data[1 : 1 + data[0]], data[1 + data[0] :]
    for reading in readings(parse_records(apl).records)[:1]:
        fields = tampered(reading_fields(reading), changes)
        with refusal:
            for record in records_of([fields]):
                again = record.header.dib_vib + record.raw
                assert encode_records(parse_records(again)) == again
        profile = fields.get("profile")
        if isinstance(profile, dict):
            with refusal:
                encode_profile(profile_from_fields(tampered(profile, changes[::-1])), Scale(-3))
