"""Messages that announce more encrypted bytes than they have.

All of mode 10 encrypted (N = FF) and no more there than a tag: the tag was read as records in plain.
Decrypted before, and the fillers left out: the records are there to be read, unless ``strict``.
"""

import pytest

from protocol.decoder import Decoder
from protocol.telegram import Problem

MODE_10 = "449315785634123303 7A7500FF2A1001B30A0000"
MODE_5 = "449315785634123303 7A2A002025 2F2F0C1427048502"
NOT_THERE = Problem("security", "encrypted_length_mismatch")


def framed(behind_l_field: str) -> bytes:
    data = bytes.fromhex(behind_l_field)
    return bytes((len(data),)) + data


@pytest.mark.parametrize("size", [1, 7, 8])
def test_a_tag_alone_is_no_plain_message(size: int) -> None:
    telegram = Decoder().decode(framed(MODE_10 + "010203040506070809"[: 2 * size]))
    assert (telegram.security.outcome, telegram.problem) == ("incomplete", NOT_THERE)
    assert not telegram.readings


def test_fillers_left_out_by_whoever_decrypted_it() -> None:
    telegram = Decoder().decode(framed(MODE_5))
    assert (telegram.security.outcome, telegram.problem) == ("already_decrypted", NOT_THERE)
    assert [(reading.quantity, str(reading.value)) for reading in telegram.readings] == [
        ("volume", "28504.27")
    ]
    telegram = Decoder(strict=True).decode(framed(MODE_5))
    assert (telegram.security.outcome, list(telegram.readings)) == ("incomplete", [])
