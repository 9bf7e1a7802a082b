"""The page that explains a telegram: aligned in a pipe, coloured on a terminal, honest when nothing fits."""

import json
import re
from pathlib import Path

from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.keys import Keyring, KeyRow
from sdr.byte_lines import receive_line
from sdr.output.explain_text import explain_json, explain_text
from sdr.reception import ByteReception

VECTORS = Path(__file__).parents[2] / "vectors" / "annex_n.json"
BY_ID = {vector["id"]: vector for vector in json.loads(VECTORS.read_text())}


def received(line: str, key: str | None = None) -> ByteReception:
    rows = [] if key is None else [KeyRow("*", key=SecretKey(bytes.fromhex(key)), name="the cellar")]
    return receive_line(Decoder(Keyring(rows)), line.encode(), 3)


def test_plain_page() -> None:
    vector = BY_ID["N.2.3"]
    page = explain_text(received(vector["frame_hex"], vector["key"]), is_coloured=False).splitlines()
    assert page[0] == "SND-NR from ELS 12345678 v51 gas “the cellar” · 78 bytes, frame format A"
    assert page[1] == "decrypted · authentic · security profile B · message counter 2739 · 3 readings"
    assert page[2].split() == ["offset", "bytes", "decrypted", "field", "meaning"]
    rules = [line.strip("─ ") for line in page if line.startswith("──")]
    assert rules == [
        "link layer",
        "extended link layer",
        "authentication and fragmentation layer",
        "transport layer",
        "application data",
    ]
    names_at = page[2].index("field")
    for line in page[3:]:
        if line and not line.startswith("──"):
            assert re.match(r" *\d+  [0-9A-F]{2}( [0-9A-F]{2})* ", line + " ")
            assert line[names_at - 1 : names_at] in (" ", "")


def test_bytes_stand_in_their_order_and_notes_in_sentences() -> None:
    vector = BY_ID["N.2.3"]
    raw = bytes.fromhex(vector["frame_hex"])
    page = explain_text(received(vector["frame_hex"] + "0102", vector["key"]), is_coloured=False).splitlines()
    assert page[2] == "note: bytes behind the end of the frame were ignored"
    rows = [line for line in page if line[:6].strip().isdecimal()]
    assert bytes.fromhex("".join(row[8:31] for row in rows)) == raw + b"\x01\x02"
    assert [int(row[:6]) for row in rows] == sorted({int(row[:6]) for row in rows})


def test_the_last_fragment_lists_the_readings_of_all() -> None:
    rows = [KeyRow("*", key=SecretKey(bytes.fromhex(BY_ID["N.3.3-rsp"]["key"])))]
    decoder = Decoder(Keyring(rows))
    pages = [
        explain_text(receive_line(decoder, BY_ID[name]["frame_hex"].encode(), 1), is_coloured=False)
        for name in ("N.3.3-rsp", "N.3.4-rsp", "N.3.5-rsp")
    ]
    assert "\nincomplete: fragment 2 of a message\n" in pages[1]
    assert "── readings" not in pages[1]
    listed = pages[2].partition("── readings")[2].splitlines()[1:]
    assert len(listed) == 18
    assert listed[2].split() == ["storage", "1", "volume", "383.294", "m3"]


def test_colours_change_nothing_but_colours() -> None:
    vector = BY_ID["N.2.1"]
    reception = received(vector["frame_hex"], vector["key"])
    coloured = explain_text(reception, is_coloured=True)
    assert "\033[1m28504.27 m3\033[0m" in coloured
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == explain_text(reception, is_coloured=False)


def test_what_is_no_telegram() -> None:
    assert explain_text(received("xyz"), is_coloured=False).startswith(
        "no telegram: not hex (input), 0 bytes"
    )
    cut = received(BY_ID["N.2.1"]["frame_hex"][:40])
    assert explain_text(cut, is_coloured=False).startswith("no telegram: truncated (link), 20 bytes")
    line = json.loads(explain_json(cut))
    assert line["rejected"] == {"layer": "link", "reason": "truncated", "line": 3}
    assert line["fields"][0]["size"] == 20


def test_json_page() -> None:
    vector = BY_ID["N.2.1"]
    line = json.loads(explain_json(received(vector["frame_hex"], vector["key"])))
    assert (line["schema"], line["outcome"], line["rejected"]) == (1, "decrypted", None)
    value = next(each for each in line["fields"] if each["meaning"] == "28504.27 m3")
    assert value == {
        "layer": "application", "field": "data", "meaning": "28504.27 m3", "offset": 21, "size": 4,
        "spans": [[21, 4]], "hex": "aa26d1b2", "decrypted_hex": "27048502",
    }  # fmt: skip


def test_a_line_whose_bytes_contradict_each_other() -> None:
    frame = BY_ID["N.2.1"]["frame_hex_no_crc"]
    line = json.dumps({"frame_hex": frame, "raw_hex": "10"})
    page = json.loads(explain_json(received(line, BY_ID["N.2.1"]["key"])))
    assert sum(each["size"] for each in page["fields"]) == len(frame) // 2
