"""JSON lines that stopped ``omsdr decode``, or made it write what is no JSON.

Lone surrogates have no UTF-8; NaN and numbers beyond every float, which Python's reader takes, are
no JSON; true is no number of repaired bits.
"""

import json

import pytest

from protocol.decoder import Decoder
from sdr.byte_lines import receive_line
from sdr.output.json_line import to_json

FRAME = "2e4493157856341233037a2a0020255923c95aaa26d1b2e7493b013ec4a6f6d3529b520edff0ea6defc99d6d69ebf3"


def decoded(line: str) -> dict[str, object]:
    text = to_json(receive_line(Decoder(), line.encode(), 1))
    loaded: dict[str, object] = json.loads(text.encode(), parse_constant=pytest.fail)
    return loaded


@pytest.mark.parametrize("hex_text", [r"\ud800", r"2e\udfff", r"\u0663\u0663"])
@pytest.mark.parametrize("name", ["frame_hex", "raw_hex"])
def test_surrogates_and_foreign_digits_are_no_hex(name: str, hex_text: str) -> None:
    fields = {"frame_hex": FRAME} | {name: "?"}
    line = json.dumps(fields).replace("?", hex_text)
    assert decoded(line)["rejected"] == {"layer": "input", "reason": "not_hex", "line": 1}


def test_only_numbers_of_json_are_handed_on() -> None:
    radio = r'{"rssi_dbfs":-31.5,"a":NaN,"b":1e999,"c":-Infinity,"\ud800":1,"inverted":true,"d":null}'
    found = decoded(f'{{"frame_hex":"{FRAME}","radio":{radio}}}')
    assert found["radio"] == {"rssi_dbfs": -31.5, "inverted": True, "d": None}


def test_repaired_is_a_number() -> None:
    found = decoded(f'{{"frame_hex":"{FRAME}","repaired":true}}')
    assert repr(found["repaired"]) == "1"
