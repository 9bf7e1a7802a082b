"""DLMS/COSEM and SML payloads, made by hand.

The bytes follow the tags of IEC 62056-5-3 and the type-length fields of SML (BSI TR-03109-1).
"""

import random
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from smllib.crc.x25 import get_crc

from protocol.ci import PROTOCOLS
from protocol.vocabulary import QUANTITIES
from sdr.payloads import NOTES, READERS, UNITS, PayloadReading, PayloadReadings, decode_payload

ENERGY = bytes.fromhex("01 00 01 08 00 FF")
POWER = bytes.fromhex("01 00 10 07 00 FF")
NAME = bytes.fromhex("00 00 60 01 00 FF")
CLOCK = bytes.fromhex("00 00 01 00 00 FF")
SENT_AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def found(protocol: str, data: bytes) -> PayloadReadings:
    payload = decode_payload(protocol, data)
    assert payload is not None
    assert payload.protocol == protocol
    assert set(payload.notes) <= set(NOTES)
    return payload


def notes(protocol: str, data: bytes) -> tuple[str, ...]:
    payload = found(protocol, data)
    assert payload.readings == ()
    return payload.notes


# DLMS/COSEM


def octet_string(data: bytes) -> bytes:
    return bytes((0x09, len(data))) + data


def text(characters: str) -> bytes:
    return bytes((0x0A, len(characters))) + characters.encode()


def u32(number: int) -> bytes:
    return b"\x06" + number.to_bytes(4, "big")


def i64(number: int) -> bytes:
    return b"\x14" + number.to_bytes(8, "big", signed=True)


def structure(*items: bytes) -> bytes:
    return bytes((0x02, len(items))) + b"".join(items)


def array(*items: bytes) -> bytes:
    return b"\x01\x82" + len(items).to_bytes(2, "big") + b"".join(items)


def scaler_unit(scaler: int, unit: int) -> bytes:
    return structure(b"\x0f" + scaler.to_bytes(1, "big", signed=True), bytes((0x16, unit)))


def clock(deviation_minutes: int) -> bytes:
    """Return 11:00 on Friday, 20 November 2026, as date-time."""
    moment = bytes.fromhex("07EA 0B 14 05 0B 00 00 00")
    return moment + deviation_minutes.to_bytes(2, "big", signed=True) + b"\x00"


LINES = (
    (octet_string(NAME), text("AB1234")),
    (octet_string(ENERGY), u32(123456), scaler_unit(-1, 30)),
    (octet_string(POWER), i64(-250), scaler_unit(0, 27)),
)
BODY = array(*(structure(*line) for line in LINES))
INVOKE_ID = bytes.fromhex("40 000001")
NOTIFICATION = b"\x0f" + INVOKE_ID + b"\x0c" + clock(-60) + BODY
UNTIMED = b"\x0f" + INVOKE_ID + b"\x00" + BODY
READINGS = [
    PayloadReading("0-0:96.1.0*255", "unspecified", "AB1234"),
    PayloadReading("1-0:1.8.0*255", "energy", Decimal("12345.6"), "Wh"),
    PayloadReading("1-0:16.7.0*255", "power", -250, "W"),
]


@pytest.mark.parametrize("saps", [b"", b"\x01\x67"])
@pytest.mark.parametrize("fillers", [b"", b"\x2f" * 9])
def test_data_notification(saps: bytes, fillers: bytes) -> None:
    payload = found("dlms", saps + NOTIFICATION + fillers)
    assert payload.notes == ()
    assert [reading.at for reading in payload.readings] == [SENT_AT] * 3
    assert list(found("dlms", saps + UNTIMED + fillers).readings) == READINGS


def test_get_response_and_data_alone() -> None:
    assert list(found("dlms", bytes.fromhex("C4 01 C1 00") + BODY).readings) == READINGS
    assert list(found("dlms", BODY).readings) == READINGS
    assert list(found("dlms", b"\x10\x66" + BODY).readings) == READINGS


def test_values_in_one_flat_structure() -> None:
    flat = structure(*(item for line in LINES for item in line))
    assert list(found("dlms", flat).readings) == READINGS


def test_push_list_names_the_values() -> None:
    names = [bytes.fromhex("00 00 19 09 00 FF"), CLOCK, ENERGY]
    objects = [structure(b"\x12\x00\x03", octet_string(name), b"\x0f\x02", b"\x12\x00\x00") for name in names]
    body = structure(array(*objects), octet_string(clock(-60)), u32(7))
    assert list(found("dlms", body).readings) == [
        PayloadReading("0-0:1.0.0*255", "unspecified", SENT_AT),
        PayloadReading("1-0:1.8.0*255", "unspecified", 7),
    ]


def test_push_list_of_other_length_names_nothing() -> None:
    named = structure(b"\x12\x00\x03", octet_string(ENERGY), b"\x0f\x02", b"\x12\x00\x00")
    assert list(found("dlms", structure(array(named), u32(7))).readings) == [
        PayloadReading(None, "unspecified", 7)
    ]


def test_values_without_a_name_are_kept() -> None:
    body = structure(b"\x11\x05", octet_string(b"\x00\xff"), octet_string(b""), b"\x00")
    values = [(reading.obis, reading.value) for reading in found("dlms", body).readings]
    assert values == [(None, 5), (None, "00ff"), (None, ""), (None, None)]


@pytest.mark.parametrize(
    ("item_hex", "value"),
    [
        ("03 01", 1),  # boolean
        ("04 0A FF80", "ff80"),  # bit string of ten bits
        ("05 FFFFFFFE", -2),  # double-long
        ("06 FFFFFFFE", 0xFFFFFFFE),  # double-long-unsigned
        ("09 81 03 414243", "ABC"),  # octet string, its length in two bytes
        ("0A 03 414243", "ABC"),  # visible string
        ("0C 03 4142C3", "4142c3"),  # UTF-8 string, not cut at a whole character
        ("0C 05 5AC3A46831", "Zäh1"),  # UTF-8 string
        ("0D 42", "42"),  # BCD
        ("0F FF", -1),  # integer
        ("10 FFFE", -2),  # long
        ("11 FF", 255),  # unsigned
        ("12 FFFE", 0xFFFE),  # long-unsigned
        ("14 FFFFFFFFFFFFFFFE", -2),  # long64
        ("15 FFFFFFFFFFFFFFFE", 0xFFFFFFFFFFFFFFFE),  # long64-unsigned
        ("16 1E", 30),  # enumeration
        ("17 3FC00000", 1.5),  # float32
        ("18 C000000000000000", -2.0),  # float64
        ("18 7FF0000000000000", "7ff0000000000000"),  # no number: JSON has no infinity
        ("19 07EA0B14 05 0B0000 00 FFC4 00", SENT_AT),  # date-time, UTC + 1 h
        ("19 07EA0B14 05 0B00FF 00 8000 00", datetime(2026, 11, 20, 11)),  # noqa: DTZ001  # no seconds, no zone
        ("19 FFFFFFFF FF 0B0000 00 8000 00", "ffffffffff0b000000800000"),  # every day
        ("1A 07EA0B1405", "07ea0b1405"),  # date
        ("1B 0B000000", "0b000000"),  # time
        ("FF", None),  # don't care
    ],
)
def test_every_data_type(item_hex: str, value: object) -> None:
    payload = found("dlms", structure(bytes.fromhex(item_hex)))
    assert [reading.value for reading in payload.readings] == [value]
    assert payload.notes == ()


def test_bytes_left_over() -> None:
    payload = found("dlms", BODY + b"\x01\x2f")
    assert payload.notes == ("payload_bytes_left_over",)
    assert list(payload.readings) == READINGS


@pytest.mark.parametrize(
    ("payload_hex", "note"),
    [
        ("DB 08 4142433132333435 20 30 00000001 0011223344", "payload_encrypted"),  # general-glo-ciphering
        ("01 67 DB 08 4142433132333435 20 30 00000001 00", "payload_encrypted"),  # behind SAPs
        ("CC 10 30 00000001 00112233", "payload_encrypted"),  # glo-get-response
        ("C4 02 81 00 00000001 00 03 010203", "payload_unsupported"),  # get response with a block
        ("C4 01 81 01 02", "payload_unsupported"),  # get response with an error
        ("60 1D A1 09", "payload_unsupported"),  # no tag that is read, and none behind SAPs
        ("02 01 13 02 01 81 13", "payload_unsupported"),  # compact array
        ("02 01 0B 00", "payload_malformed"),  # reserved tag
        ("02 02 11 05", "payload_malformed"),  # an element is missing
        ("02 01 09 05 4142", "payload_malformed"),
        ("", "payload_malformed"),
        ("2F2F2F", "payload_malformed"),
        ("0F", "payload_malformed"),
        ("0F 00000001 00", "payload_malformed"),
        ("60", "payload_malformed"),
    ],
)
def test_what_cannot_be_read(payload_hex: str, note: str) -> None:
    assert notes("dlms", bytes.fromhex(payload_hex)) == (note,)


# SML


def octets(data: bytes) -> bytes:
    """Return an octet string: its type-length field counts itself."""
    return bytes((len(data) + 1,)) + data if len(data) < 15 else b"\x81" + bytes((len(data) + 2 - 16,)) + data


def listed(*items: bytes) -> bytes:
    return bytes((0x70 | len(items),)) + b"".join(items)


def unsigned(number: int, length: int) -> bytes:
    return bytes((0x60 | (length + 1),)) + number.to_bytes(length, "big")


def signed(number: int, length: int) -> bytes:
    return bytes((0x50 | (length + 1),)) + number.to_bytes(length, "big", signed=True)


NOTHING = b"\x01"


def message(kind: int, body: bytes) -> bytes:
    """Return a message; the library does not look at its CRC."""
    return listed(
        octets(b"\x01\x02"),
        unsigned(0, 1),
        unsigned(0, 1),
        listed(unsigned(kind, 2), body),
        unsigned(0, 2),
        b"\x00",
    )


def entry(obis: bytes, value: bytes, unit: int | None = None, scaler: int = 0) -> bytes:
    coded_unit = NOTHING if unit is None else unsigned(unit, 1)
    coded_scaler = NOTHING if unit is None else signed(scaler, 1)
    return listed(octets(obis), NOTHING, NOTHING, coded_unit, coded_scaler, value, NOTHING)


def get_list(entries: Iterable[bytes], at: bytes = NOTHING) -> bytes:
    values = list(entries)
    body = listed(NOTHING, octets(b"\x0a\x01"), NOTHING, at, listed(*values), NOTHING, NOTHING)
    return message(0x0701, body)


OPEN = message(0x0101, listed(NOTHING, NOTHING, octets(b"\x07"), octets(b"\x0a\x01"), NOTHING, NOTHING))
CLOSE = message(0x0201, listed(NOTHING))
ENTRIES = [
    entry(NAME, octets(b"AB1234")),
    entry(ENERGY, unsigned(123456, 4), 30, -1),
    entry(POWER, signed(-250, 2), 27),
]


def in_transport(messages: bytes) -> bytes:
    padding = -len(messages) % 4
    framed = bytes.fromhex("1B1B1B1B 01010101") + messages + bytes(padding)
    framed += bytes.fromhex("1B1B1B1B 1A") + bytes((padding,))
    return framed + get_crc(framed).to_bytes(2, "big")


@pytest.mark.parametrize("fillers", [b"", b"\x2f" * 5])
def test_sml_messages(fillers: bytes) -> None:
    messages = OPEN + get_list(ENTRIES) + CLOSE
    assert list(found("sml", messages + fillers).readings) == READINGS
    assert list(found("sml", in_transport(messages) + fillers).readings) == READINGS
    assert list(found("sml", get_list(ENTRIES) + fillers).readings) == READINGS


def test_sml_time() -> None:
    # Choice 2 is a timestamp, seconds since 1970; choice 1 a count of seconds, which is no time of day.
    stamp = listed(unsigned(2, 1), unsigned(int(SENT_AT.timestamp()), 4))
    seconds = listed(unsigned(1, 1), unsigned(1000, 4))
    assert [reading.at for reading in found("sml", get_list(ENTRIES, stamp)).readings] == [SENT_AT] * 3
    assert [reading.at for reading in found("sml", get_list(ENTRIES, seconds)).readings] == [None] * 3


@pytest.mark.parametrize(
    ("payload", "note"),
    [
        (b"", "payload_malformed"),
        (b"\x2f\x2f", "payload_malformed"),
        (get_list(ENTRIES)[:-9], "payload_malformed"),
        (in_transport(OPEN)[:-1], "payload_malformed"),
        (in_transport(OPEN)[:-1] + b"\x00", "payload_malformed"),
        (message(0x0401, listed(NOTHING)), "payload_unsupported"),
    ],
)
def test_sml_that_cannot_be_read(payload: bytes, note: str) -> None:
    assert notes("sml", payload) == (note,)


# Both


def test_missing_library_gives_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sdr.payload_sml", raising=False)
    monkeypatch.setitem(sys.modules, "smllib", None)
    assert notes("sml", get_list(ENTRIES)) == ("sml_library_missing",)
    assert "omsdr[sml]" in NOTES["sml_library_missing"]
    assert list(found("dlms", BODY).readings) == READINGS


def test_other_protocols_are_not_read() -> None:
    assert [name for name in PROTOCOLS if decode_payload(name, b"\x01\x00") is not None] == ["dlms", "sml"]
    assert decode_payload("unheard of", b"") is None


def test_quantities_are_words_of_the_vocabulary() -> None:
    assert {quantity for _, quantity in UNITS.values()} <= set(QUANTITIES)
    assert all(unit.isascii() for unit, _ in UNITS.values())


HOSTILE = {
    "dlms": [
        "0F0000000000" + "0184FFFFFFFF",
        "0101" * 8000,
        "0984FFFFFFFF00",
        "02FF" + "FF" * 127,
        "0202" * 40,
        "02 01 13 02 01 81 13",
        "0F40000000001302018113",
    ],
    "sml": [
        "FFFFFFFFFFFFFF0F" * 20,
        "76" * 15000,
        "71" * 15000,
        "7F" * 15000,
        "FF0F" * 8000,
        "76" + "8F" * 900,
    ],
}


@pytest.mark.parametrize(
    ("protocol", "payload_hex"), [(name, text) for name, texts in HOSTILE.items() for text in texts]
)
def test_announced_counts_cost_nothing(protocol: str, payload_hex: str) -> None:
    start = time.process_time()
    assert found(protocol, bytes.fromhex(payload_hex)).notes
    assert time.process_time() - start < 1


@pytest.mark.parametrize("protocol", READERS)
def test_any_bytes_give_readings_or_a_note(protocol: str) -> None:
    rng = random.Random(protocol)
    whole = {"dlms": NOTIFICATION, "sml": OPEN + get_list(ENTRIES) + CLOSE}[protocol]
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(rng.randint(0, 4)):
            data[rng.randrange(len(data))] = rng.choice(
                (0, 1, 2, 0x13, 0x71, 0x7F, 0x84, 0xFF, rng.randrange(256))
            )
        cut = bytes(data[: rng.randint(0, len(data) + 20)])
        payload = found(protocol, cut if rng.random() < 0.7 else rng.randbytes(rng.randint(0, 200)))
        for reading in payload.readings:
            assert reading.quantity in QUANTITIES
            assert reading.value is None or isinstance(reading.value, int | float | Decimal | str | datetime)
