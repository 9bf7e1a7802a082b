"""Fragments in every order; the rules are those of OMS Vol. 2, 6."""

import json

import pytest

from protocol import afl
from protocol.afl import Afl
from protocol.errors import InvalidField
from protocol.reassembly import MESSAGE_LIMIT_BYTES, NOTES, OPEN_LIMIT, Reassembler

MESSAGE = bytes(range(100))
WHOLE = afl.build(authentication_type=5, message_counter=7, message_length=len(MESSAGE))
FRAGMENTS = afl.fragment(WHOLE, MESSAGE, [40, 40, 20])
ONE, TWO, THREE = FRAGMENTS


def test_in_order() -> None:
    reassembler = Reassembler()
    assert reassembler.push(b"a", *ONE).message is None
    assert reassembler.push(b"a", *TWO).message is None
    assembled = reassembler.push(b"a", *THREE)
    assert assembled.message == MESSAGE
    assert (assembled.afl.message_counter, assembled.afl.mac) == (7, WHOLE.mac)
    assert assembled.notes == ()


def test_unfragmented_passes_through() -> None:
    reassembler = Reassembler()
    reassembler.push(b"a", *ONE)
    assert reassembler.push(b"a", WHOLE, b"other").message == b"other"
    reassembler.push(b"a", *TWO)
    assert reassembler.push(b"a", *THREE).message == MESSAGE


def test_senders_do_not_mix() -> None:
    reassembler = Reassembler()
    for fragment in FRAGMENTS[:2]:
        for sender in (b"a", b"b", b"c"):
            assert reassembler.push(sender, *fragment).message is None
    assert [reassembler.push(sender, *THREE).message for sender in (b"b", b"a", b"c")] == [MESSAGE] * 3


def test_repetitions_are_ignored() -> None:
    reassembler = Reassembler()
    notes = []
    for fragment in (ONE, ONE, TWO, TWO, TWO, THREE, THREE):
        notes.append(reassembler.push(b"a", *fragment).notes)
    repeated = ("fragment_repeated",)
    assert notes == [(), repeated, (), repeated, repeated, (), repeated]


@pytest.mark.parametrize(
    "order",
    [
        (TWO,),
        (ONE, THREE),
        (ONE, TWO, (TWO[0], b"other bytes")),
        (ONE, TWO, (ONE[0], b""), THREE),
        (ONE, TWO, THREE, TWO),
    ],
)
def test_disorder_gives_up_the_message(order: list[tuple[Afl, bytes]]) -> None:
    reassembler = Reassembler()
    results = [reassembler.push(b"a", *fragment) for fragment in order]
    assert results[-1].message is None
    assert results[-1].notes == ("fragment_missing",)
    # What remains cannot be completed any more.
    assert reassembler.push(b"a", *THREE).message is None


def test_a_new_first_fragment_starts_over() -> None:
    reassembler = Reassembler()
    reassembler.push(b"a", *ONE)
    reassembler.push(b"a", *TWO)
    assert reassembler.push(b"a", *ONE).notes == ("message_abandoned",)
    reassembler.push(b"a", *TWO)
    assert reassembler.push(b"a", *THREE).message == MESSAGE
    assert reassembler.push(b"a", *ONE).notes == ()


def test_wrong_message_length() -> None:
    reassembler = Reassembler()
    lying = afl.fragment(afl.build(authentication_type=0, message_length=99), MESSAGE, [40, 60])
    reassembler.push(b"a", *lying[0])
    assembled = reassembler.push(b"a", *lying[1])
    assert (assembled.message, assembled.notes) == (None, ("message_length_mismatch",))


def test_timeout() -> None:
    reassembler = Reassembler(timeout_s=10)
    reassembler.push(b"a", *ONE, now_s=100.0)
    assert reassembler.push(b"a", *TWO, now_s=109.0).notes == ()
    assert reassembler.push(b"a", *THREE, now_s=119.5).notes == ("message_expired", "fragment_missing")
    reassembler.push(b"a", *ONE, now_s=200.0)
    assert reassembler.push(b"a", *TWO).notes == ()


def test_message_limit() -> None:
    reassembler = Reassembler()
    part = bytes(240)
    notes: list[tuple[str, ...]] = []
    for number in range(1, 256):
        notes.append(reassembler.push(b"a", Afl(0x4000 | number), part).notes)
    allowed = MESSAGE_LIMIT_BYTES // 240
    assert notes[:allowed] == [()] * allowed
    assert notes[allowed] == ("message_too_long",)
    assert set(notes[allowed + 1 :]) == {("fragment_missing",)}


def test_the_longest_waiting_makes_room() -> None:
    reassembler = Reassembler()
    for number in range(OPEN_LIMIT + 1):
        reassembler.push(number.to_bytes(4, "big"), *ONE)
    assert len(reassembler.state()) == OPEN_LIMIT
    assert reassembler.push((0).to_bytes(4, "big"), *TWO).notes == ("fragment_missing",)
    assert reassembler.push((1).to_bytes(4, "big"), *TWO).notes == ()


def test_state_goes_on_in_another_run() -> None:
    first = Reassembler()
    first.push(b"a", *ONE)
    first.push(b"a", *TWO)
    first.push(b"b", *ONE)
    saved = json.loads(json.dumps(first.state()))
    second = Reassembler()
    second.restore(saved)
    assert second.state() == first.state()
    assert second.push(b"a", *TWO).notes == ("fragment_repeated",)
    assembled = second.push(b"a", *THREE)
    assert assembled.message == MESSAGE
    assert assembled.afl.mac == WHOLE.mac
    assert list(second.state()) == [b"b".hex()]


@pytest.mark.parametrize(
    "state",
    [
        {"zz": {"afl": "90020140", "fragments": ["00"]}},
        {"00": {"afl": "90020140", "fragments": []}},
        {"00": {"afl": "90020140", "fragments": ["00" * (MESSAGE_LIMIT_BYTES + 1)]}},
        {"00": {"afl": "9002", "fragments": ["00"]}},
        {"00": {"afl": "", "fragments": ["00"]}},
        {"00": {"fragments": ["00"]}},
        {"00": None},
        [],
    ],
)
def test_broken_state_is_an_error(state: object) -> None:
    with pytest.raises(InvalidField) as caught:
        Reassembler().restore(state)  # type: ignore[arg-type]
    assert caught.value.reason == "state_invalid"


def test_notes_are_the_vocabulary() -> None:
    assert all(NOTES.values())
