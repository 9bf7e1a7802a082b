"""Every verified message of OMS Vol. 2 Annex N as a whole telegram: read, without a key, altered, cut off."""

import pytest
from telegram_frames import (
    ASSEMBLED,
    BY_ID,
    ENCRYPTED,
    FRAMES,
    GAS,
    GAS_B,
    Vector,
    check_readings,
    decode,
    decode_vector,
    expected_address,
    expected_meter,
    keyring,
    plain_frame,
)

from protocol import address, c_field, link, security, wired
from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.identify import identify
from protocol.keys import Keyring, KeyRow
from protocol.outcome import Outcome
from protocol.telegram import NOTES, Telegram


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
    check_readings(telegram.readings, expected["records"])


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
    check_readings(last.readings, vector["expected"]["records"])


def test_application_error_of_annex_n() -> None:
    telegram = decode_vector(BY_ID["N.8-err"])
    assert telegram.content is not None
    assert telegram.content.protocol == "application_error"
    assert telegram.content.fields is not None
    assert telegram.content.fields["code"] == int(
        BY_ID["N.8-err"]["expected"]["application_error"]["code"], 16
    )


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


def test_altered_mac() -> None:
    # Annex N.2.3 with the last byte of the message altered: the first block still decrypts
    frame = bytearray.fromhex(GAS_B["frame_hex_no_crc"])
    frame[-1] ^= 1
    telegram = decode(Decoder(keyring(GAS_B["key"])), bytes(frame))
    assert telegram.security.outcome is Outcome.MAC_MISMATCH
    assert not telegram.readings
    assert telegram.security.message_counter == GAS_B["expected"]["afl"]["mcr"]


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


def test_profiles_of_annex_n() -> None:
    assert security.profile(decode_vector(GAS).header, None) == "A"  # type: ignore[arg-type]
    assert decode_vector(GAS_B).security.profile == "B"


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
