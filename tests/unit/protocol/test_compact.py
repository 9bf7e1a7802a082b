"""Compact and format frames: example of OMS Vol. 2 and signatures seen in field telegrams."""

import json

import pytest

from protocol.compact import (
    BUILT_IN_FORMATS,
    CompactFrame,
    FormatCache,
    compact_frame_of,
    encode_compact,
    encode_format,
    full_frame,
    headers_of,
    parse_compact,
    parse_format,
    split_headers,
)
from protocol.crc import crc16
from protocol.errors import Incomplete, InvalidField
from protocol.notes import Note
from protocol.records import parse_records

HEADERS = bytes.fromhex("0405 04FB8275 04853C 04FB82F53C 01FD17")
BODY = bytes.fromhex("7422 F58D 0B0B0000 5A0F0000 00000000 00000000 00")
FULL = bytes.fromhex("04050B0B0000 04FB82755A0F0000 04853C00000000 04FB82F53C00000000 01FD1700")


def test_printed_example_both_ways() -> None:
    frame = parse_compact(BODY)
    assert (frame.signature, frame.full_frame_crc) == (0x2274, 0x8DF5)
    assert crc16(HEADERS) == 0x2274
    assert full_frame(HEADERS, frame) == FULL
    records = parse_records(FULL).records
    assert headers_of(records) == HEADERS
    assert encode_compact(compact_frame_of(records)) == BODY
    assert encode_compact(frame) == BODY


@pytest.mark.parametrize(
    ("headers", "signature"),
    [
        *zip(
            BUILT_IN_FORMATS,
            (0xA8ED, 0xD2F7, 0xDD34, 0x7C0E, 0xC412, 0x61EB, 0x36D4, 0x0905, 0x052D, 0x2274),
            strict=True,
        )
    ],
)
def test_built_in_formats_prove_themselves(headers: bytes, signature: int) -> None:
    assert crc16(headers) == signature
    assert b"".join(split_headers(headers)) == headers
    records = parse_records(
        b"".join(header + bytes(8)[: _length(header)] for header in split_headers(headers))
    )
    assert headers_of(records.records) == headers
    frame = compact_frame_of(records.records)
    expanded = FormatCache().expand("any", frame)
    assert parse_records(bytes(expanded) if isinstance(expanded, bytes) else b"") == records


def _length(header: bytes) -> int:
    return {1: 1, 2: 2, 4: 4, 6: 6}[header[0] & 0x0F]


def test_format_is_learnt_from_a_full_frame_and_survives_as_state() -> None:
    cache = FormatCache()
    full = bytes.fromhex("0C1427048502 046D32371F15")
    headers = bytes.fromhex("0C14 046D")
    frame = compact_frame_of(parse_records(full).records)
    assert cache.expand("meter", frame) is Note.COMPACT_FORMAT_UNKNOWN
    cache.learn_records("meter", parse_records(full).records)
    assert cache.expand("meter", frame) == full
    assert cache.expand("another meter", frame) == full
    state = json.loads(json.dumps(cache.state()))
    assert state == {"meter": [headers.hex()], "another meter": [headers.hex()]}
    restored = FormatCache(state)
    assert restored.expand("a third meter", frame) == full
    assert restored.state()["meter"] == [headers.hex()]


@pytest.mark.parametrize("index", [4, 8, len(BODY) - 1])
def test_altered_data_do_not_fit_the_full_frame_crc(index: int) -> None:
    cache = FormatCache({"meter": [HEADERS.hex()]})
    altered = bytearray(BODY)
    altered[index] ^= 1
    assert cache.expand("meter", parse_compact(bytes(altered))) is Note.COMPACT_CRC_MISMATCH


@pytest.mark.parametrize("cut", [1, 4, 13])
def test_missing_data_do_not_fit(cut: int) -> None:
    cache = FormatCache({"meter": [HEADERS.hex()]})
    assert cache.expand("meter", parse_compact(BODY[:-cut])) is Note.COMPACT_CRC_MISMATCH


def test_a_format_longer_than_any_format_frame_is_not_kept() -> None:
    cache = FormatCache()
    cache.learn("meter", bytes.fromhex("0413") * 126)
    cache.learn("meter", bytes.fromhex("0413") * 127)
    assert [len(headers) // 2 for headers in cache.state()["meter"]] == [252]


def test_fillers_and_manufacturer_data_stay_behind_the_records() -> None:
    cache = FormatCache({"meter": [HEADERS.hex()]})
    assert cache.expand("meter", parse_compact(BODY + b"\x2f\x2f")) == FULL + b"\x2f\x2f"
    with_block = cache.expand("meter", parse_compact(BODY + b"\x0f\x01"))
    assert with_block == FULL + b"\x0f\x01"


def test_variable_length_data_carry_their_length() -> None:
    full = bytes.fromhex("0D78 0441424344 0413 01000000 0DFD10 E1FF")
    records = parse_records(full).records
    frame = compact_frame_of(records)
    assert frame.data == bytes.fromhex("0441424344 01000000 E1FF")
    assert full_frame(headers_of(records), frame) == full
    assert full_frame(headers_of(records), CompactFrame(0, 0, b"\xff")) is None
    assert full_frame(headers_of(records), CompactFrame(0, 0, b"")) is None


@pytest.mark.parametrize("length_bytes", [len(HEADERS), len(HEADERS) + 2])
def test_format_frame_with_either_reading_of_its_length(length_bytes: int) -> None:
    body = bytes((length_bytes, 0x74, 0x22)) + HEADERS + b"\x2f\x2f"
    assert parse_format(body) == HEADERS
    assert encode_format(HEADERS) == bytes((len(HEADERS) + 2, 0x74, 0x22)) + HEADERS


@pytest.mark.parametrize(
    ("body_hex", "error"),
    [
        ("", Incomplete),
        ("057422", Incomplete),
        ("0474220405", InvalidField),  # headers of another signature
        ("FF74220405", InvalidField),
    ],
)
def test_format_frames_that_do_not_fit_are_refused(body_hex: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_format(bytes.fromhex(body_hex))


def test_format_of_bytes_that_are_no_headers_is_refused() -> None:
    rubbish = bytes.fromhex("0405 2F84")
    with pytest.raises(InvalidField):
        parse_format(bytes((len(rubbish) + 2,)) + crc16(rubbish).to_bytes(2, "little") + rubbish)
    with pytest.raises(InvalidField):
        encode_format(bytes(254))


def test_compact_frame_without_signature_is_incomplete() -> None:
    with pytest.raises(Incomplete):
        parse_compact(b"\x74\x22\xf5")


@pytest.mark.parametrize("state", [{"meter": "0405"}, {"meter": ["zz"]}, {"meter": [5]}])
def test_state_that_is_none_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(InvalidField):
        FormatCache(state)


def test_broken_records_teach_nothing() -> None:
    cache = FormatCache()
    cache.learn_records("meter", parse_records(FULL[:-1]).records)
    cache.learn_records("meter", parse_records(b"\x7f").records)
    cache.learn_records("meter", ())
    assert cache.state() == {}


def test_memory_is_bounded() -> None:
    cache = FormatCache()
    for number in range(5000):
        storage = bytes((0x84, number & 0x0F, 0x13)) if number < 16 else b""
        cache.learn("meter", storage or bytes((0x84, 0x80 | number & 0x0F, number >> 4 & 0x7F, 0x13)))
    assert len(cache.state()["meter"]) == 16
    frame = parse_compact(BODY)
    cache.learn("meter", HEADERS)
    assert cache.expand("other", frame) == FULL
