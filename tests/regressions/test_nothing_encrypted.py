"""A message that announces all of its blocks as encrypted and has none was encoded with one of fillers."""

import pytest

from protocol import transport
from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.keys import Keyring, KeyRow
from protocol.outcome import Outcome
from protocol.sealing import seal_message
from protocol.security import open_message
from sdr.byte_lines import receive_line
from sdr.line_encoder import LineEncoder
from sdr.output.json_line import to_json

KEY = SecretKey(bytes(range(16)))


@pytest.mark.parametrize("mode", ["04", "05"])
def test_header_alone_stays_a_header_alone(mode: str) -> None:
    message = bytes.fromhex(f"7A 2A 00 F0{mode}")
    header = transport.parse(message)
    opened = open_message(header, message, keys=[KEY])
    assert (opened.outcome, opened.plaintext) == (Outcome.PLAIN, b"")
    assert seal_message(header, b"", key=KEY)[0] == message


def test_decoded_line_gives_the_frame_again() -> None:
    frame = "0eb46c1533124d324f78563403f904"
    ring = Keyring([KeyRow(key=KEY)])
    line = to_json(receive_line(Decoder(ring), frame.encode(), 1))
    encoded = LineEncoder(ring).push(line.encode(), 1)
    assert [one.frame and one.frame.hex() for one in encoded] == [frame]
