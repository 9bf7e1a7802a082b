"""Whatever the bytes, the application layer returns or raises ProtocolError, and gives them back."""

import json
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.alarm import encode_alarm, parse_alarm
from protocol.application_error import encode_application_error, parse_application_error
from protocol.application_select import encode_application_select, parse_application_select
from protocol.clock_sync import encode_clock_sync, parse_clock_sync
from protocol.compact import FormatCache, compact_frame_of, headers_of, parse_compact, parse_format
from protocol.dif import DATA_FIELDS, Coding, Dib, Function, encode_dib, parse_dib
from protocol.errors import ProtocolError
from protocol.image_transfer import encode_image_transfer, parse_image_transfer
from protocol.notes import Note
from protocol.profiles import encode_profile, parse_profile
from protocol.reading_fields import reading_fields, record_of, records_of
from protocol.readings import Reading, readings
from protocol.records import RecordList, encode_records, parse_records
from protocol.scale import Scale
from protocol.sitp import encode_sitp, parse_sitp
from protocol.vocabulary import FUNCTIONS, NOTES, QUALIFIERS, QUANTITIES, is_known_unit

_patient = settings(deadline=None)  # the machine may be busy with other things

# Bytes that open, extend or end headers, so that random data get far into the parser.
_TELLING = st.sampled_from(
    bytes.fromhex("000102030405060708090A0B0C0D0E0F1F2F7F80848CFF13931E1F6C6D6E78797CFCFBFD7D202224283A42")
)
_APL = st.one_of(
    st.binary(max_size=260),
    st.lists(_TELLING, max_size=120).map(bytes),
    st.lists(st.one_of(_TELLING, st.integers(0, 255)), max_size=120).map(bytes),
)
_DATA_FIELDS = st.sampled_from([field for field in DATA_FIELDS if field.coding is not Coding.SPECIAL])


def _as_json(found: list[Reading]) -> list[dict[str, object]]:
    """Return what a description keeps: plain JSON without raw bytes, numbers exact."""

    def plain(value: object) -> object:
        return float(value) if isinstance(value, Decimal) and value == Decimal(repr(float(value))) else value

    fields = [reading_fields(reading) for reading in found]
    for one in fields:
        del one["raw_hex"]
        one["value"] = plain(one["value"])
    assert json.dumps(fields, default=str)
    return fields


def _check_words(reading: Reading) -> None:
    assert reading.quantity in QUANTITIES
    assert reading.function in FUNCTIONS
    assert set(reading.qualifiers) <= set(QUALIFIERS)
    assert {note.value for note in reading.notes} <= set(NOTES)
    if reading.unit is not None and "plain_text_unit" not in reading.qualifiers:
        assert is_known_unit(reading.unit)
    if reading.value is None:
        assert reading.notes


@_patient
@given(_APL, st.booleans())
def test_any_bytes_are_read_and_come_back(apl: bytes, to_device: bool) -> None:
    records = parse_records(apl, to_device=to_device)
    assert encode_records(records) == apl
    found = readings(records.whole, 0x07)
    for reading in found:
        _check_words(reading)
    own = sum("profile_value" not in reading.qualifiers for reading in found)
    assert own == len(records.whole)


@_patient
@given(_APL, st.booleans())
def test_readings_without_raw_bytes_make_the_same_records(apl: bytes, to_device: bool) -> None:
    records = parse_records(apl, to_device=to_device)
    rebuilt = records_of(_as_json(readings(records.whole)), to_device=to_device)
    rebuilt += records.records[len(records.whole) :]
    again = RecordList(rebuilt, records.fillers, records.manufacturer_data, records.more_follows)
    assert encode_records(again) == apl


@_patient
@given(
    _DATA_FIELDS, st.binary(min_size=8, max_size=8), st.sampled_from(["13", "FD17", "6D", "6C", "78", "FD10"])
)
def test_every_value_without_a_note_codes_itself(field: object, data: bytes, vib_hex: str) -> None:
    assert isinstance(field, type(DATA_FIELDS[0]))
    header = encode_dib(Dib(field)) + bytes.fromhex(vib_hex)
    record = parse_records(header + data).records[0]
    fields = reading_fields(readings([record])[0])
    del fields["raw_hex"]
    assert record_of(fields).raw == record.raw
    if Note.INVALID_VALUE in record.notes and field.coding is Coding.INTEGER and vib_hex == "13":
        assert "coded_hex" not in fields


@_patient
@given(
    _DATA_FIELDS,
    st.sampled_from(Function),
    st.integers(0, (1 << 41) - 1),
    st.integers(0, (1 << 20) - 1),
    st.integers(0, (1 << 10) - 1),
)
def test_every_place_codes_itself(
    field: object, function: Function, storage: int, tariff: int, subunit: int
) -> None:
    assert isinstance(field, type(DATA_FIELDS[0]))
    dib = Dib(field, function, storage, tariff, subunit)
    parsed = parse_dib(encode_dib(dib))
    assert parsed.place == dib.place
    assert parsed.data_field == field


@_patient
@given(st.binary(max_size=200), st.integers(-9, 9))
def test_any_profile_content_is_read_or_refused(content: bytes, exponent: int) -> None:
    try:
        profile = parse_profile(content, Scale(exponent))
    except ProtocolError:
        return
    encoded = encode_profile(profile, Scale(exponent))
    assert len(encoded) == len(content)
    assert parse_profile(encoded, Scale(exponent)) == profile
    assert len(profile.values(5, inverse=False)) == len(profile.elements)


@_patient
@given(st.binary(max_size=120), st.binary(max_size=60))
def test_any_compact_frame_is_expanded_or_explained(body: bytes, headers: bytes) -> None:
    cache = FormatCache()
    cache.learn("meter", headers)
    try:
        found = cache.expand("meter", parse_compact(body))
    except ProtocolError:
        return
    assert isinstance(found, bytes | Note)


@_patient
@given(_APL)
def test_records_survive_the_way_through_a_compact_frame(apl: bytes) -> None:
    records = [record for record in parse_records(apl).records if record.problem is None]
    records = [record for record in records if record.header.vib.raw]
    if not records:
        return
    cache = FormatCache()
    cache.learn_records("meter", records)
    expanded = cache.expand("meter", compact_frame_of(records))
    assert expanded == b"".join(record.header.dib_vib + record.raw for record in records)
    assert headers_of(parse_records(bytes(expanded)).records) == headers_of(records)


_PROTOCOLS: list[tuple[Callable[[bytes], object], Callable[..., bytes]]] = [
    (parse_application_error, encode_application_error),
    (parse_alarm, encode_alarm),
    (parse_application_select, encode_application_select),
    (parse_sitp, encode_sitp),
    (parse_image_transfer, encode_image_transfer),
    (lambda body: parse_clock_sync(0x6C, body), encode_clock_sync),
    (lambda body: parse_clock_sync(0x6D, body), encode_clock_sync),
]


@pytest.mark.parametrize(("parse", "encode"), _PROTOCOLS)
@_patient
@given(body=st.binary(max_size=40))
def test_other_protocols_give_their_bytes_back(
    parse: Callable[[bytes], object], encode: Callable[..., bytes], body: bytes
) -> None:
    try:
        found = parse(body)
    except ProtocolError:
        return
    assert encode(found) == body


@_patient
@given(st.binary(max_size=60))
def test_any_format_frame_is_read_or_refused(body: bytes) -> None:
    try:
        headers = parse_format(body)
    except ProtocolError:
        return
    assert headers in body


@pytest.mark.parametrize(
    "unit_hex",
    [
        "0D931F00",  # profiles without a base
        "0413000000000D931FBFF101" + "00" * 189,  # as many profile values as fit
        "8904FD280182066C1F158004FD21",  # standard profiles
        "026C1F11",
        "2F0013",
        "848080808080",
        "0DFC03414180",
        "0193F4F4F4F4",
    ],
)
def test_hostile_messages_take_time_in_proportion(unit_hex: str) -> None:
    unit = bytes.fromhex(unit_hex)

    def seconds(length_bytes: int) -> float:
        message = unit * (length_bytes // len(unit))
        start = time.process_time()
        records = parse_records(message)
        assert encode_records(records) == message
        assert len(readings(records.records)) >= len(records.records)
        return time.process_time() - start

    seconds(1 << 10)
    assert seconds(1 << 16) < 16 * (seconds(1 << 14) + 0.05)  # four times the bytes, and a wide margin
