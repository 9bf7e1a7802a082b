"""A device that never ended its message (DIF 1F) made every further telegram cost more than the last.

All readings of all earlier telegrams were made anew for each: 300 ms after 300 telegrams. Their
number is counted here, not their time.
"""

import json
from collections.abc import Sequence

import pytest

from protocol import continuation
from protocol.decoder import Decoder
from protocol.readings import Reading, readings
from protocol.records import DataRecord

# Volume, a compact profile of 189 increments of one byte, and more records follow.
APL = bytes.fromhex("0413 E8030000 0D931F BF 6101") + bytes(range(189)) + b"\x1f"
HEAD = bytes.fromhex("44 9315 78563412 3303 78")


def frame(number: int) -> bytes:
    body = HEAD + APL[:-2] + bytes((number,)) + APL[-1:]
    return bytes((len(body),)) + body


def test_each_telegram_makes_its_own_readings_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(
        records: Sequence[DataRecord], device_type: int | None, before: Sequence[DataRecord]
    ) -> list[Reading]:
        found = readings(records, device_type, before)
        made.append(len(found))
        return found

    monkeypatch.setattr(continuation, "readings", counted)
    decoder = Decoder()
    telegrams = [decoder.decode(frame(number)) for number in range(40)]
    assert {len(telegram.readings) for telegram in telegrams} == {191}
    assert set(made) == {191}


def test_earlier_telegrams_still_date_and_base_later_ones() -> None:
    decoder = Decoder()

    def decode(apl_hex: str) -> Sequence[Reading]:
        body = HEAD + bytes.fromhex(apl_hex)
        return decoder.decode(bytes((len(body),)) + body).readings

    # 1 November 2026, 00:00, and 1000 l in the first telegram; 3 l in the hour behind it in the second.
    decode("046D 0000413B 0413 E8030000 1F")
    profile, hour = decode("0D931F 03 6101 03")
    assert (profile.value, float(str(hour.value))) == (None, 1.003)
    assert profile.at is None
    assert hour.at is not None
    assert hour.at.isoformat() == "2026-11-01T01:00:00"


def test_a_message_goes_on_behind_a_restart() -> None:
    def frame_of(apl_hex: str) -> bytes:
        body = HEAD + bytes.fromhex(apl_hex)
        return bytes((len(body),)) + body

    first, last = frame_of("046D 0000413B 0413 E8030000 1F"), frame_of("0D931F 03 6101 03")
    decoder = Decoder()
    decoder.decode(first)
    saved = json.loads(json.dumps(decoder.state()))
    assert saved["continuations"]
    restarted = Decoder(state=saved)
    assert restarted.decode(last) == decoder.decode(last)
    assert restarted.state()["continuations"] == {}


def test_parts_without_records_do_not_pile_up() -> None:
    decoder = Decoder()
    most = 0
    for number in range(1000):
        body = HEAD + b"\x1f" + number.to_bytes(2, "big")
        decoder.decode(bytes((len(body),)) + body)
        state = decoder.state()["continuations"]
        assert isinstance(state, dict)
        most = max([most, *map(len, state.values())])
    assert 1 < most <= 256
