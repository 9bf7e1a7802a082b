"""Whole telegrams: every verified message of OMS Vol. 2 Annex N, and each outcome of the contract."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from protocol import address, afl, c_field, configuration, ell, link, security, transport, wired
from protocol.ciphers import SecretKey
from protocol.compact import compact_frame_of, encode_compact, encode_format
from protocol.dates import iso_text
from protocol.decoder import Decoder
from protocol.errors import InvalidField, ProtocolError
from protocol.identify import identify
from protocol.keys import Keyring, KeyRow
from protocol.outcome import Outcome
from protocol.records import parse_records
from protocol.sealing import seal_message
from protocol.telegram import NOTES, Telegram

VECTORS = Path(__file__).parents[2] / "vectors" / "annex_n.json"
ALL = json.loads(VECTORS.read_text())
BY_ID = {message["id"]: message for message in ALL}
FRAMES = [message for message in ALL if message["verified"] and message["frame_hex"]]
ASSEMBLED = [message for message in ALL if message.get("message_hex")]
GAS = BY_ID["N.2.1"]
GAS_B = BY_ID["N.2.3"]
KEY_N = SecretKey(bytes.fromhex("000102030405060708090A0B0C0D0E0F"))

# Annex N names quantity and data type, or two names, in one text.
QUANTITIES = {
    "date (type G)": "date",
    "date and time (type F)": "date and time",
    "remote control / control state": "remote control",
    "volume, compact profile": "volume",
}

Vector = Mapping[str, Any]


def keyring(*keys: str | bytes | SecretKey | None) -> Keyring:
    made = [bytes.fromhex(key) if isinstance(key, str) else key for key in keys if key is not None]
    return Keyring([KeyRow("*", key=key if isinstance(key, SecretKey) else SecretKey(key)) for key in made])


def decode(decoder: Decoder, frame_hex: str | bytes) -> Telegram:
    found = identify(bytes.fromhex(frame_hex) if isinstance(frame_hex, str) else frame_hex)
    return decoder.decode(found.frame, is_wired=found.kind == "wired")


def decode_vector(vector: Vector, *keys: str | None) -> Telegram:
    return decode(Decoder(keyring(*keys or (vector["key"],))), vector["frame_hex"])


def expected_address(fields: Vector) -> address.Address:
    return address.build(
        fields["manufacturer"], fields["id"], fields["version"], int(fields["device_type"], 16)
    )


def check_readings(telegram: Telegram, records: list[Any]) -> None:
    own = [reading for reading in telegram.readings if "profile_value" not in reading.qualifiers]
    assert len(own) == len(records)
    for reading, record in zip(own, records, strict=True):
        value = iso_text(reading.value) if isinstance(reading.value, date) else reading.value
        assert (value if isinstance(record["value"], str | None) else float(value)) == record["value"]
        assert reading.unit == record["unit"]
        assert reading.quantity == QUANTITIES.get(record["quantity"], record["quantity"])
        assert (reading.function, reading.storage, reading.tariff, reading.subunit) == (
            record["function"],
            record["storage"],
            record["tariff"],
            record["subunit"],
        )
        assert reading.dib_vib.hex().upper() == record["dif_vif_hex"]


def expected_meter(vector: Vector) -> address.Address | None:
    expected = vector["expected"]
    named = expected.get("application_address") or expected.get("addressed_meter")
    if named is None and expected["message_type"] == "REQ-UD2" and "ell" in expected:
        named = expected["ell"].get("receiver_address")
    named = named or expected.get("link_address")
    return expected_address(named) if named else None


@pytest.mark.parametrize("vector", FRAMES, ids=[vector["id"] for vector in FRAMES])
def test_annex_n(vector: Vector) -> None:
    telegram = decode_vector(vector)
    expected = vector["expected"]
    assert telegram.frame.c_field == int(expected["c_field"], 16)
    assert telegram.frame.function == expected["message_type"]
    assert telegram.meter == expected_meter(vector)
    assert telegram.direction in (None, "M2O" if vector["direction"] == "meter->gateway" else "O2M")
    is_fragment = "fragment_payload_hex" in expected
    assert (telegram.ell is None) == ("ell" not in expected)
    assert (telegram.afl is None) == ("afl" not in expected)
    assert (telegram.header is None) == ("tpl" not in expected)
    if telegram.header is not None:
        assert telegram.header.ci == int(expected["tpl"]["ci"], 16)
        assert telegram.header.access_number == expected["tpl"]["access_no"]
        assert telegram.header.status == int(expected["tpl"]["status"], 16)
        assert telegram.header.mode == expected["tpl"]["security_mode"]
    if is_fragment:
        assert telegram.security.outcome is Outcome.INCOMPLETE
        assert telegram.fragment_bytes == len(expected["fragment_payload_hex"]) // 2
        assert not telegram.readings
        return
    assert telegram.problem is None
    assert telegram.security.outcome is (Outcome.DECRYPTED if vector["key"] else Outcome.PLAIN)
    assert telegram.security.authenticated == ("afl" in expected)
    if vector["key"]:
        assert telegram.security.profile == vector["security_profile"]
    check_readings(telegram, expected["records"])


@pytest.mark.parametrize("vector", ASSEMBLED, ids=[vector["id"] for vector in ASSEMBLED])
def test_annex_n_fragments(vector: Vector) -> None:
    decoder = Decoder(keyring(vector["key"]))
    parts = [decode(decoder, BY_ID[part]["frame_hex"]) for part in vector["sequence"]["assembled_from"]]
    assert [part.security.outcome for part in parts[:-1]] == [Outcome.INCOMPLETE] * (len(parts) - 1)
    assert [part.notes for part in parts] == [()] * len(parts)
    last = parts[-1]
    assert last.security.outcome is Outcome.DECRYPTED
    assert last.security.authenticated == (vector["medium"] == "wireless")
    assert last.security.message_counter == parts[0].afl.message_counter  # type: ignore[union-attr]
    assert last.trace.message.hex().upper() == vector["message_hex"]
    check_readings(last, vector["expected"]["records"])


def test_an_error_may_have_no_code() -> None:
    # M-Bus documentation 4.8: CI 70 with zero, one or more bytes
    telegram = Decoder().decode(bytes.fromhex("680303680805707D16"), is_wired=True)
    assert telegram.problem is None and telegram.content is not None
    assert telegram.content.fields == {"code": None, "name": "unspecified error"}


def test_application_error_of_annex_n() -> None:
    telegram = decode_vector(BY_ID["N.8-err"])
    assert telegram.content is not None
    assert telegram.content.protocol == "application_error"
    assert telegram.content.fields is not None
    assert telegram.content.fields["code"] == int(
        BY_ID["N.8-err"]["expected"]["application_error"]["code"], 16
    )


ENCRYPTED = [
    vector for vector in FRAMES if vector["key"] and "fragment_payload_hex" not in vector["expected"]
]


@pytest.mark.parametrize("vector", ENCRYPTED, ids=[vector["id"] for vector in ENCRYPTED])
def test_every_failure_has_its_outcome_and_keeps_what_is_known(vector: Vector) -> None:
    right = decode_vector(vector)
    found = identify(bytes.fromhex(vector["frame_hex"]))
    is_wired = found.kind == "wired"
    tail = right.content.plaintext[len(right.trace.region) - 2 :] if right.content else b""

    def outcome(payload: bytes, *keys: str, strict: bool = False) -> Telegram:
        if is_wired:
            frame = wired.parse(found.frame)
            data = wired.build(frame.c_field or 0, frame.address_field or 0, payload).encode()
        else:
            frame_ = link.parse(found.frame)
            data = link.build(frame_.c_field, frame_.address, payload).encode()
        return Decoder(keyring(*keys), strict=strict).decode(data, is_wired=is_wired)

    payload = right.frame.payload
    # bytes that the meter encrypted, seen from the end of the frame
    start = len(payload) - len(tail) - len(right.trace.region)
    altered = payload[:start] + bytes((payload[start] ^ 1,)) + payload[start + 1 :]
    plain = payload[:start] + right.trace.region + tail
    wrong = "00" * 16
    for telegram, expected in (
        (outcome(payload), Outcome.KEY_MISSING),
        (outcome(payload, wrong), Outcome.KEY_WRONG),
        (outcome(payload, wrong, vector["key"]), Outcome.DECRYPTED),
        (outcome(altered, vector["key"]), Outcome.KEY_WRONG),
        (outcome(plain), Outcome.ALREADY_DECRYPTED),
        (outcome(plain, strict=True), Outcome.KEY_MISSING),
        (outcome(payload[: start + 5], vector["key"]), Outcome.INCOMPLETE),
    ):
        assert telegram.security.outcome is expected
        assert telegram.header == right.header
        assert (telegram.meter, telegram.ell, telegram.direction) == (right.meter, right.ell, right.direction)
        if expected in (Outcome.DECRYPTED, Outcome.ALREADY_DECRYPTED):
            assert telegram.readings == right.readings
        elif expected is not Outcome.INCOMPLETE:
            assert (telegram.content.plaintext if telegram.content else b"") == tail


def test_unencrypted_records_of_a_locked_telegram_are_read() -> None:
    vector = next(vector for vector in ENCRYPTED if vector["id"] == "N.5.3-noell")
    right, locked = decode_vector(vector), decode_vector(vector, "00" * 16)
    assert [reading.quantity for reading in locked.readings] == ["customer location"]
    assert locked.readings[-1].value == right.readings[-1].value
    assert locked.content is not None
    assert locked.content.is_partial


def test_what_begins_within_a_record_is_not_read() -> None:
    # one block of mode 5 is encrypted, and no filler brings the record in it to its end
    behind = bytes.fromhex("44 9315785634123303 7A2A001025" + "00" * 16 + "0405 0C13 27048502 01")
    telegram = Decoder().decode(framed(behind))
    assert telegram.security.outcome is Outcome.KEY_MISSING
    assert (telegram.readings, telegram.notes) == ((), ("unencrypted_part_unclear",))
    assert telegram.content is not None
    assert telegram.content.plaintext.hex() == "04050c132704850201"


def test_altered_mac() -> None:
    # Annex N.2.3 with the last byte of the message altered: the first block still decrypts
    frame = bytearray.fromhex(GAS_B["frame_hex_no_crc"])
    frame[-1] ^= 1
    telegram = decode(Decoder(keyring(GAS_B["key"])), bytes(frame))
    assert telegram.security.outcome is Outcome.MAC_MISMATCH
    assert not telegram.readings
    assert telegram.security.message_counter == GAS_B["expected"]["afl"]["mcr"]


def profile_b(counter: int, apl: bytes = bytes.fromhex("0C1427048502")) -> bytes:
    """The gas meter of Annex N.2.3 with another counter."""
    meter = expected_address(GAS_B["expected"]["link_address"])
    header = transport.build(
        0x7A, 1, 0, configuration.build(7, encrypted_blocks=1, key_derivation=1), meter=meter
    )
    message, layer = seal_message(
        header, apl, key=KEY_N, meter=meter, afl=afl.build(authentication_type=5, message_counter=counter)
    )
    assert layer is not None
    return link.build(0x44, meter, layer.encode() + message).encode()


def test_replay_and_repetition() -> None:
    decoder = Decoder(keyring(KEY_N))
    outcomes = [decoder.decode(profile_b(counter)) for counter in (7, 8, 8, 7, 0xFFFF0000)]
    assert [telegram.security.outcome for telegram in outcomes] == [
        Outcome.DECRYPTED,
        Outcome.DECRYPTED,
        Outcome.DECRYPTED,
        Outcome.REPLAYED,
        Outcome.DECRYPTED,
    ]
    assert [telegram.notes for telegram in outcomes] == [
        (),
        (),
        ("message_repeated",),
        (),
        ("counter_runs_out",),
    ]
    assert not outcomes[3].readings
    assert outcomes[3].security.authenticated
    # nobody may raise the counter with a message that is not authentic
    forged = bytearray(profile_b(0xFFFFFFFF))
    forged[-1] ^= 1
    decoder = Decoder(keyring(KEY_N))
    decoder.decode(bytes(forged))
    assert decoder.decode(profile_b(1)).security.outcome is Outcome.DECRYPTED


def test_state_goes_on() -> None:
    first = Decoder(keyring(KEY_N))
    first.decode(profile_b(8))
    fragments = [BY_ID[part]["frame_hex"] for part in ("N.3.3-rsp", "N.3.4-rsp", "N.3.5-rsp")]
    for fragment in fragments[:2]:
        decode(first, fragment)
    saved = json.loads(json.dumps(first.state()))
    assert KEY_N.check_value in json.dumps(saved)  # the check value tells keys apart; no key is in there
    assert "0001020304" not in json.dumps(saved)
    second = Decoder(keyring(KEY_N), state=saved)
    assert second.decode(profile_b(7)).security.outcome is Outcome.REPLAYED
    assert decode(second, fragments[2]).security.outcome is Outcome.DECRYPTED
    for broken in (
        {"formats": 1},
        {"counters": {"a": "b"}},
        {"fragments": {"zz": 1}},
        {"formats": {"a": 1}},
        {"continuations": {"00": ["xy"]}},
    ):
        with pytest.raises(InvalidField):
            Decoder(state=broken)


METER = address.build("ELS", "12345678", 51, 3)


def plain_frame(ci: str, apl: bytes, meter: address.Address = METER) -> bytes:
    return link.build(0x44, meter, bytes.fromhex(ci) + apl).encode()


def test_compact_frames_are_learnt() -> None:
    apl = bytes.fromhex("0C1427048502 046D32371F15 02FD170000")
    records = parse_records(apl).records
    compact = plain_frame("79", encode_compact(compact_frame_of(records)) + b"\x2f\x2f")
    decoder = Decoder()
    unknown = decoder.decode(compact)
    assert (unknown.readings, unknown.notes) == ((), ("compact_format_unknown",))
    full = decoder.decode(plain_frame("78", apl))
    known = decoder.decode(compact)
    assert [reading.value for reading in known.readings] == [reading.value for reading in full.readings]
    assert known.notes == ()
    altered = compact[:-4] + bytes((compact[-4] ^ 1,)) + compact[-3:]
    assert decoder.decode(altered).notes == ("compact_crc_mismatch",)
    # a format frame teaches as well, and so does the state of an earlier run
    headers = b"".join(record.header.dib_vib for record in records)
    other = Decoder()
    taught = other.decode(plain_frame("69", encode_format(headers)))
    assert taught.content is not None
    assert taught.content.fields == {"headers": ["0c14", "046d", "02fd17"]}
    for teacher in (other, Decoder(state=decoder.state())):
        assert len(teacher.decode(compact).readings) == 3


def test_records_that_go_on_in_the_next_telegram() -> None:
    # storage 1: its date in the first telegram, its value in the second
    first = plain_frame("78", bytes.fromhex("426C1F11 1F"))
    second = plain_frame("78", bytes.fromhex("4C1427048502"))
    decoder = Decoder()
    parts = [decoder.decode(frame) for frame in (first, first, second, second, second)]
    assert [part.notes for part in parts] == [
        ("more_records_follow",),
        ("more_records_follow",),
        ("records_continued",),
        ("records_continued",),
        ("records_continued",),
    ]
    assert [len(part.readings) for part in parts] == [1] * 5
    assert parts[4].readings[0].at == date(2008, 1, 31)
    alone = Decoder().decode(second)
    assert (alone.readings[0].at, alone.notes) == (None, ())


def ell_two(flags: int, session: int, key: SecretKey | None, payload: bytes) -> bytes:
    layer, sealed = ell.seal_payload(
        ell.Ell(0x8D, flags, 1, session_number=session, payload_crc=0), payload, METER.raw, key
    )
    return link.build(0x44, METER, layer.encode() + sealed).encode()


def test_session_encryption_of_the_link() -> None:
    payload = bytes.fromhex("780C1427048502")
    sealed = ell_two(0x20, 0x20000123, KEY_N, payload)
    opened = Decoder(keyring(KEY_N)).decode(sealed)
    assert opened.security.outcome is Outcome.DECRYPTED
    assert str(opened.readings[0].value) == "28504.27"
    for keys, outcome in (((), Outcome.KEY_MISSING), ((bytes(16),), Outcome.KEY_WRONG)):
        telegram = Decoder(keyring(*keys)).decode(sealed)
        assert telegram.security.outcome is outcome
        assert (telegram.header, telegram.content) == (None, None)
        assert telegram.ell == opened.ell
    plain = sealed[:17] + ell_two(0x20, 0x123, None, payload)[17:]
    assert Decoder().decode(plain).security.outcome is Outcome.ALREADY_DECRYPTED
    assert Decoder(strict=True).decode(plain).security.outcome is Outcome.KEY_MISSING
    unencrypted = ell_two(0x20, 0x123, None, payload)
    assert Decoder().decode(unencrypted).security.outcome is Outcome.PLAIN
    damaged = Decoder().decode(unencrypted[:-1] + b"\0")
    assert (damaged.problem, damaged.readings) == (("ell", "payload_crc_mismatch"), ())
    reserved = Decoder(keyring(KEY_N)).decode(sealed[:16] + b"\x40" + sealed[17:])
    assert reserved.security.outcome is Outcome.UNSUPPORTED
    # the AES-CTR vector of a field telegram: its content is a compact frame
    vector = bytes.fromhex(
        "28442D2C7856341233028D207760772920CB5E3D5EF7BAEC24E0CDF4A4265428763B5766BC366FDED8"
    )
    telegram = Decoder(keyring("0102030405060708090A0B0C0D0E0F10")).decode(vector)
    assert telegram.security.outcome is Outcome.DECRYPTED
    assert telegram.content is not None
    assert telegram.content.plaintext.hex() == "7422f58d0b0b00005a0f0000000000000000000000"


def test_records_in_place_of_a_configuration_field() -> None:
    # HYD in vendor order (M, version, type, number): behind status the records follow at once
    head = bytes.fromhex("44 2423 8507 78563490 7A 0100")
    refused = Decoder().decode(framed(head + bytes.fromhex("0C132704")))
    assert refused.frame.address_order == "vendor"  # type: ignore[union-attr]
    assert refused.security.outcome is Outcome.UNSUPPORTED
    assert not refused.readings
    accepted = Decoder().decode(framed(head + bytes.fromhex("0C1327048502")))
    assert (accepted.security.outcome, accepted.problem) == (Outcome.PLAIN, None)
    assert accepted.notes == ("vendor_plain_records",)
    assert [reading.quantity for reading in accepted.readings] == ["volume"]
    # what stands in the place of the mode is a VIF: here energy in kWh, which would be mode 6
    accepted = Decoder().decode(framed(head + bytes.fromhex("0406 10270000 0C1327048502")))
    assert [reading.quantity for reading in accepted.readings] == ["energy", "volume"]
    # scrambled bytes may have the structure of records, but then seldom their sense
    refused = Decoder().decode(framed(head + bytes.fromhex("0CEF13 27048502")))
    assert (refused.security.outcome, refused.readings) == (Outcome.UNSUPPORTED, ())
    # the standard order gives no such licence
    other = Decoder().decode(plain_frame("7A0100", bytes.fromhex("0C1327048502")))
    assert other.security.outcome is Outcome.UNSUPPORTED


def framed(behind: bytes) -> bytes:
    return bytes((len(behind),)) + behind


@pytest.mark.parametrize(
    ("ci", "outcome", "problem"),
    [
        ("FF", Outcome.UNSUPPORTED, ("security", "ci_unknown")),
        ("A0", Outcome.UNSUPPORTED, ("security", "manufacturer_specific")),
        ("8C20018C2001", Outcome.UNSUPPORTED, ("security", "layer_unexpected")),
        ("8C", Outcome.INCOMPLETE, ("ell", "truncated")),
        ("81", Outcome.INCOMPLETE, ("nwl", "truncated")),
        ("90", Outcome.INCOMPLETE, ("afl", "truncated")),
        ("9002002C", Outcome.INCOMPLETE, ("afl", "length_mismatch")),
        ("7A01", Outcome.INCOMPLETE, ("transport", "truncated")),
        ("7A0100000F", Outcome.UNSUPPORTED, ("security", "security_mode_unsupported")),
        ("6E0100000000", Outcome.PLAIN, None),
        ("6E01000000", Outcome.PLAIN, ("application", "truncated")),
        ("6C7856341293153303010000000900", Outcome.PLAIN, ("application", "function_unknown")),
        ("79", Outcome.PLAIN, ("application", "truncated")),
        ("69020000", Outcome.PLAIN, ("application", "truncated")),
        ("8C2001", Outcome.PLAIN, None),
        ("", Outcome.PLAIN, None),
    ],
)
def test_what_ends_the_way_up(ci: str, outcome: Outcome, problem: tuple[str, str] | None) -> None:
    telegram = Decoder().decode(plain_frame(ci, b""))
    assert (telegram.security.outcome, telegram.problem) == (outcome, problem)
    assert telegram.meter == METER


def test_network_layer_is_stepped_over() -> None:
    telegram = Decoder().decode(plain_frame("811D78", bytes.fromhex("0C1427048502")))
    assert telegram.notes == ("network_layer_skipped",)
    assert len(telegram.readings) == 1


def test_tls_is_named() -> None:
    # mode 13, one application data record of TLS 1.2
    body = bytes.fromhex("7A 01 00 050D 00 17 0303 0002 ABCD")
    telegram = Decoder().decode(plain_frame("", body))
    assert (telegram.security.outcome, telegram.security.profile) == (Outcome.UNSUPPORTED, "C")
    assert telegram.content is not None
    assert telegram.content.fields is not None
    named = telegram.content.fields["tls"]
    assert named == [
        {"type": "application_data", "version": "TLS 1.2", "length": 2, "handshakes": [], "whole": True}
    ]


def test_meter_and_its_name() -> None:
    vector = BY_ID["N.5.3-noell"]
    meter = expected_meter(vector)
    assert meter is not None
    rows = [KeyRow(meter.id, key=SecretKey(bytes.fromhex(vector["key"])), name="heat, cellar")]
    telegram = decode(Decoder(Keyring(rows)), vector["frame_hex"])
    assert telegram.meter == meter != telegram.sender
    assert telegram.name == "heat, cellar"
    identified = Decoder().decode(plain_frame("78", bytes.fromhex("0779 78563412 9315 33 07")))
    assert identified.meter == address.build("ELS", "12345678", 51, 7)


def test_downlink_names_the_meter_that_it_is_for() -> None:
    telegram = decode_vector(BY_ID["N.3.4-req"], "00" * 16)
    assert telegram.direction == "O2M"
    receiver = BY_ID["N.3.4-req"]["expected"]["ell"]["receiver_address"]
    assert telegram.meter == expected_address(receiver)
    assert c_field.BY_CODE[telegram.frame.c_field or 0].direction == "O2M"


def test_own_keys_come_first() -> None:
    frame = bytes.fromhex(GAS["frame_hex_no_crc"])
    own = SecretKey(bytes.fromhex(GAS["key"]))
    assert Decoder().decode(frame, own_keys=(own,)).security.outcome is Outcome.DECRYPTED
    telegram = Decoder(keyring(bytes(16), GAS["key"])).decode(frame)
    assert telegram.security.candidate == 1


@pytest.mark.parametrize("vector", FRAMES, ids=[vector["id"] for vector in FRAMES])
def test_truncated_frames_keep_the_link(vector: Vector) -> None:
    found = identify(bytes.fromhex(vector["frame_hex"]))
    if found.kind == "wired":
        frame = wired.parse(found.frame)
        for end in range(len(frame.payload)):
            data = wired.build(frame.c_field or 0, frame.address_field or 0, frame.payload[:end]).encode()
            telegram = Decoder(keyring(vector["key"])).decode(data, is_wired=True)
            assert telegram.frame.c_field == frame.c_field
    else:
        sender = link.parse(found.frame).address
        for end in range(10, len(found.frame)):
            data = bytes((end - 1,)) + found.frame[1:end]
            telegram = Decoder(keyring(vector["key"])).decode(data)
            assert telegram.sender == sender
            assert set(telegram.notes) <= set(NOTES)


def test_link_errors_are_the_only_ones_that_raise() -> None:
    for data in (b"", b"\x05", bytes.fromhex("0A44"), bytes.fromhex("0A44FFFF0000000000000078")):
        with pytest.raises(ProtocolError):
            Decoder().decode(data)


def test_profiles_of_annex_n() -> None:
    assert security.profile(decode_vector(GAS).header, None) == "A"  # type: ignore[arg-type]
    assert decode_vector(GAS_B).security.profile == "B"
