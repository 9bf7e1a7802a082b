"""What a decoder remembers from telegram to telegram: counters, fragments, compact formats, continuations."""

import json
from datetime import date

import pytest
from telegram_frames import BY_ID, KEY_N, decode, keyring, plain_frame, profile_b

from protocol.compact import compact_frame_of, encode_compact, encode_format
from protocol.decoder import Decoder
from protocol.errors import InvalidField
from protocol.outcome import Outcome
from protocol.records import parse_records


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
