"""Lines of every kind to receptions, the JSON of each layer, and what happens to lines that are none."""

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import ell, link, wired
from protocol.ciphers import SecretKey
from protocol.crc import crc16
from protocol.decoder import Decoder
from protocol.keys import Keyring, KeyRow
from protocol.telegram import NOTES
from sdr import payloads
from sdr.byte_lines import MOST_LINE_BYTES, read_lines, receive_line
from sdr.output.json_line import to_dict, to_json
from sdr.output.json_schema import AFL_KEYS, ELL_KEYS
from sdr.output.json_text import json_text
from sdr.output.text_line import hex_line, rtl_wmbus_line, table_row
from sdr.reception import INPUT_NOTES, INPUT_REASONS

VECTORS = Path(__file__).parents[2] / "vectors" / "annex_n.json"
BY_ID = {vector["id"]: vector for vector in json.loads(VECTORS.read_text())}
GAS = BY_ID["N.2.1"]
BARE, WITH_CRCS = GAS["frame_hex_no_crc"], GAS["frame_hex"]
FORMAT_B = "30" + BARE[2:] + "B853"  # its CRC recomputed
KEY = GAS["key"]


def ring(*keys: str) -> Keyring:
    return Keyring([KeyRow("*", key=SecretKey(bytes.fromhex(key))) for key in keys])


def decoded(line: str | bytes | None, *keys: str) -> dict[str, Any]:
    data = line.encode() if isinstance(line, str) else line
    return to_dict(receive_line(Decoder(ring(*keys)), data, 7))


def reason(line: str | bytes | None) -> tuple[str, str]:
    rejected = decoded(line)["rejected"]
    assert rejected["line"] == 7
    return rejected["layer"], rejected["reason"]


@pytest.mark.parametrize(
    ("line", "frame_format", "notes"),
    [
        (BARE, None, []),
        (WITH_CRCS, "A", ["crcs_of_format_a"]),
        (FORMAT_B, "B", ["crcs_of_format_b"]),
        (BARE + "0102", None, ["bytes_left_over"]),
        (WITH_CRCS + "0102", "A", ["crcs_of_format_a", "bytes_left_over"]),
        (BARE.lower(), None, []),
        ("0x" + BARE, None, []),
        (", ".join("0X" + BARE[k : k + 2] for k in range(0, len(BARE), 2)), None, []),
        ("\ufeff" + BARE + "\r\n", None, []),
        (BARE + "  # the gas meter in the cellar", None, []),
        (f"telegram=|{BARE[:20]}|{BARE[20:]}|+12", None, []),
        (" ".join(BARE[k : k + 2] for k in range(0, len(BARE), 2)), None, []),
        (":".join(BARE[k : k + 2] for k in range(0, len(BARE), 2)), None, []),
        (f"|{BARE}|", None, []),
        (BARE + "\r", None, []),
        (f"{BARE}\t{KEY}", None, []),
        (f"{BARE}\t", None, []),
    ],
)
def test_hex_in_every_form(line: str, frame_format: str | None, notes: list[str]) -> None:
    found = decoded(line, KEY)
    assert found["frame_hex"] == BARE.lower()
    assert (found["frame_format"], found["notes"]) == (frame_format, notes)
    assert found["security"]["outcome"] == "decrypted"
    assert (found["time"], found["mode"], found["direction"], found["radio"]) == (None, None, "M2O", None)
    assert set(found["notes"]) <= set(INPUT_NOTES)


def test_a_bare_frame_that_ends_like_format_b_by_chance() -> None:
    # records chosen so that the last two bytes are the CRC of all before them
    head = bytes.fromhex("44 9315 78563412 3303 78 0C1427048502 0413".replace(" ", ""))
    body = bytes((len(head) + 4,)) + head + bytes(2)
    frame = body + crc16(body).to_bytes(2, "big")
    found = decoded(frame.hex())
    assert (found["frame_format"], found["notes"]) == (None, ["format_b_by_chance"])
    assert len(found["readings"]) == 2


def test_fragments_of_format_b_come_together() -> None:
    # Annex N.3 with the CRCs of format B: a fragment makes no sense alone, in whatever way it is read.
    parts = [
        bytes.fromhex(BY_ID[name]["frame_hex_no_crc"]) for name in ("N.3.3-rsp", "N.3.4-rsp", "N.3.5-rsp")
    ]
    decoder, other = (Decoder(ring(BY_ID["N.3.3-rsp"]["key"])) for _ in range(2))
    for bare in parts:
        raw = link.add_crcs(bare, "B")
        found = to_dict(receive_line(decoder, raw.hex().encode(), 1))
        expected = to_dict(receive_line(other, bare.hex().encode(), 1))
        assert found["notes"] == ["crcs_of_format_b"]
    assert found["security"] == expected["security"] | {"outcome": "decrypted"}
    assert found["readings"] == expected["readings"] != []


@pytest.mark.parametrize("mode", ["S", "T", "C", None])
def test_knx_rf_is_of_mode_s(mode: str | None) -> None:
    line = decoded(json.dumps({"frame_hex": "0f44ff0300112233445578010413000f", "mode": mode}))
    if mode in ("S", None):
        assert line["rejected"]["reason"] == "knx_rf"
    else:
        assert line["link"]["id"] == "33221100"


def test_contract_example() -> None:
    # the line that the contract prints; Annex N.2.1
    found = decoded(WITH_CRCS, KEY)
    address = {
        "manufacturer": "ELS", "id": "12345678", "version": 51, "device_type": 3, "device_type_name": "gas"
    }  # fmt: skip
    assert found["link"] == {"c_field": "44", "function": "SND-NR", **address}
    assert found["meter"] == address
    assert (found["ell"], found["afl"]) == (None, None)
    transport = found["transport"]
    assert {name: transport[name] for name in list(transport)[:5]} == {
        "ci": "7a", "access_number": 42, "status": 0, "status_flags": [], "security_mode": 5
    }  # fmt: skip
    assert transport["configuration"]["field"] == "2520"
    assert transport["configuration"]["encrypted_blocks"] == 2
    assert found["security"] == {"profile": "A", "outcome": "decrypted", "authenticated": False}
    assert found["application"]["protocol"] == "mbus"
    assert found["application"]["plaintext_hex"].startswith("0c1427048502046d32371f15")
    reading = found["readings"][0]
    assert {name: reading[name] for name in list(reading)[:10]} == {
        "quantity": "volume", "value": 28504.27, "unit": "m3", "function": "instantaneous", "storage": 0,
        "tariff": 0, "subunit": 0, "qualifiers": [], "dib_vib": "0c14", "raw_hex": "27048502",
    }  # fmt: skip
    assert reading["at"] == "2008-05-31T23:50"
    assert "problem" not in found


def test_lower_layers() -> None:
    found = decoded(BY_ID["N.2.4-rsp"]["frame_hex"], BY_ID["N.2.4-rsp"]["key"])
    expected = BY_ID["N.2.4-rsp"]["expected"]
    assert set(found["ell"]) <= set(ELL_KEYS)
    assert set(found["afl"]) <= set(AFL_KEYS)
    assert found["ell"]["access_number"] == expected["ell"]["access_no"]
    assert found["ell"]["receiver"]["id"] == expected["ell"]["receiver_address"]["id"]
    assert found["afl"]["message_counter"] == expected["afl"]["mcr"] == found["security"]["message_counter"]
    assert found["meter"]["id"] == expected["application_address"]["id"] != found["link"]["id"]
    assert found["security"] | {"authenticated": True, "profile": "B"} == found["security"]
    level = decoded(BY_ID["N.2.4-req"]["frame_hex"])["transport"]["reception_level_dbm"]
    assert level == BY_ID["N.2.4-req"]["expected"]["tpl"]["status_decoded"]["rssi_dbm"]
    session = ell.Ell(0x8D, 0xA0, 1, session_number=0x00000123, payload_crc=0)
    layer, payload = ell.seal_payload(session, bytes.fromhex("780C1427048502"), bytes(8), None)
    sender = link.parse(bytes.fromhex(BARE)).address
    found = decoded(link.build(0x44, sender, layer.encode() + payload).encode().hex())
    assert set(found["ell"]) <= set(ELL_KEYS)
    assert [found["ell"][name] for name in ("encryption", "session_minutes", "session_counter")] == [0, 18, 3]
    assert (found["ell"]["access"], found["ell"]["flags"]) == (
        "short_window",
        ["bidirectional", "synchronous"],
    )


def test_wired() -> None:
    vector = BY_ID["N.2.2"]
    found = decoded(vector["frame_hex"])
    assert (found["mode"], found["frame_format"]) == ("wired", None)
    assert found["frame_hex"] == found["raw_hex"] == vector["frame_hex"].lower()
    assert found["link"]["manufacturer"] is None
    assert found["link"]["address_field"] == vector["expected"]["address_field"]
    assert found["meter"]["id"] == vector["expected"]["application_address"]["id"]
    request = decoded("105BFE5916")
    assert (request["link"]["function"], request["link"]["address_field_meaning"]) == (
        "REQ-UD2",
        "all answer",
    )
    assert request["meter"] is None
    assert decoded("E5")["link"]["function"] == "ACK"


def test_fixed_data_names_its_meter_by_number_alone() -> None:
    # M-Bus documentation 4.8, the example of the fixed data structure
    found = decoded("681313680805 73 785634120A00E97E0100000035010000 3C16")
    meter = found["meter"]
    assert meter.pop("id") == "12345678"
    assert set(meter.values()) == {None}


def test_bytes_behind_the_last_record_are_no_reading() -> None:
    found = decoded("12 44 9315 78563412 3303 78 0C1427048502 CC04")
    assert [reading["quantity"] for reading in found["readings"]] == ["volume"]
    assert found["application"]["left_over_hex"] == "cc04"
    assert found["application"]["left_over_reason"] == "truncated"
    assert found["notes"] == ["records_left_over"]


def test_rtl_wmbus_lines() -> None:
    line = f"T1;1;1;2026-11-20 10:17:55.365741;-31;-31;12345678;0x{BARE.lower()}"
    found = decoded(line, KEY)
    assert (found["time"], found["mode"]) == ("2026-11-20T10:17:55.365741Z", "T")
    assert found["security"]["outcome"] == "decrypted"
    reception = receive_line(Decoder(), line.encode(), 1)
    assert rtl_wmbus_line(reception, 1.0) == line.replace("-31;-31", "0;0")
    assert reason(line.replace("T1;1;1", "T1;0;1")) == ("input", "crc_failed")
    assert decoded(f"X1;1;1;yesterday;-31;-31;12345678;0x{BARE}")["time"] is None
    assert reason("T1;1;1;x;-31;-31;12345678;0xzz") == ("input", "not_hex")
    with_algorithm = decoded(f"rla;{line}", KEY)
    assert with_algorithm == found


def test_json_lines() -> None:
    first = decoded(WITH_CRCS) | {
        "time": "2026-11-20T10:00:00.000000Z",
        "mode": "T",
        "repaired": 2,
        "radio": {"rssi_dbfs": -31.2, "snr_db": None, "inverted": False, "text": "no", "list": [1]},
    }
    found = decoded(json.dumps(first), KEY)
    for name in ("time", "mode", "direction", "frame_format", "frame_hex", "raw_hex", "repaired"):
        assert found[name] == first[name]
    assert found["radio"] == {"rssi_dbfs": -31.2, "snr_db": None, "inverted": False}
    assert found["security"]["outcome"] == "decrypted"
    assert decoded(json.dumps({"frame_hex": "105BFE5916", "mode": "wired"}))["mode"] == "wired"
    assert decoded(json.dumps({"frame_hex": BARE, "time": 5, "mode": "X", "repaired": "a"}))["mode"] is None
    assert reason('{"frame_hex":1}') == ("input", "frame_hex_missing")
    assert reason('{"rejected":{"layer":"link"}}') == ("input", "frame_hex_missing")
    assert reason('{"frame_hex":') == ("input", "json_invalid")
    assert reason('{"frame_hex":"zz"}') == ("input", "not_hex")
    assert reason("{" * 100_000) == ("input", "json_invalid")


def test_own_key_of_a_line() -> None:
    assert decoded(f"{BARE}\t{KEY}")["security"]["outcome"] == "decrypted"
    assert decoded(f"{BARE}\t")["security"]["outcome"] == "key_missing"
    assert reason(f"{BARE}\t1234") == ("input", "key_invalid")
    assert KEY.lower() not in to_json(receive_line(Decoder(), f"{BARE}x\t{KEY}".encode(), 1)).lower()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hello", ("input", "not_hex")),
        ("2E4", ("input", "not_hex")),
        (b"\xff\xfe", ("input", "not_hex")),
        ("# a comment and nothing else", ("input", "not_hex")),
        ("0x", ("input", "not_hex")),
        (None, ("input", "line_too_long")),
        (BARE[:-2], ("link", "truncated")),
        ("0A44", ("link", "truncated")),
        ("05440000000000", ("link", "length_invalid")),
        (WITH_CRCS[:-2] + "00", ("link", "crc_mismatch")),
        ("0E44FFFF00000000000000780C1400", ("link", "knx_rf")),
        (wired.build(8, 1, b"\x78\x0f").encode()[:-2].hex() + "0016", ("link", "checksum_mismatch")),
    ],
)
def test_rejections(line: str | bytes | None, expected: tuple[str, str]) -> None:
    assert reason(line) == expected
    found = decoded(line)
    assert set(found) == {"schema", "time", "mode", "rejected", "raw_hex", "radio"}
    if expected[0] == "input":
        assert expected[1] in INPUT_REASONS
    if expected[1] == "crc_mismatch":
        assert found["rejected"]["block"] == 4


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_no_line_raises(line: bytes) -> None:
    for text in (line, line.hex().encode(), b"{" + line + b"}"):
        found = to_dict(receive_line(Decoder(), text, 1))
        if "rejected" not in found:
            assert set(found["notes"]) <= set(NOTES) | set(INPUT_NOTES) | set(payloads.NOTES)


class Pieces:
    """A stream that gives what is there."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def read1(self, size: int, /) -> bytes:
        assert size
        return self._pieces.pop(0) if self._pieces else b""


def test_lines_come_as_soon_as_they_are_there() -> None:
    assert list(read_lines(Pieces(b"a\nb", b"c\n\nd"))) == [[b"a"], [b"bc", b""], [b"d"]]
    assert list(read_lines(io.BytesIO(b""))) == []
    piece = b"x" * (MOST_LINE_BYTES // 2)
    long = [piece] * 5
    lines = [line for part in read_lines(Pieces(b"a\n", *long, b"x\nb\n", *long)) for line in part]
    assert lines == [b"a", None, b"b", None]


def test_text_outputs() -> None:
    locked = receive_line(Decoder(), WITH_CRCS.encode(), 1)
    assert "key missing" in table_row(locked, 1.0)
    row = table_row(receive_line(Decoder(ring(KEY)), WITH_CRCS.encode(), 1), 1.0)
    assert "ELS 12345678 v51" in row
    assert row.endswith("volume 28504.27 m3, date and time 2008-05-31T23:50, error flags 0")
    makers_own = receive_line(Decoder(), b"0D449315785634123303A2010203", 1)
    assert table_row(makers_own, 1.0).endswith("unsupported: manufacturer specific")
    assert "rejected: not hex" in table_row(receive_line(Decoder(), b"xx", 1), 1.0)
    assert hex_line(locked) == BARE.lower()
    assert hex_line(receive_line(Decoder(), b"xx", 1)) is None
    assert rtl_wmbus_line(locked, 1.0) is None  # the mode is not known
    short = receive_line(Decoder(), b"105BFE5916", 1)
    assert "address 254" in table_row(short, 1.0)
    assert rtl_wmbus_line(short, 1.0) is None
    heard = receive_line(
        Decoder(), f'{{"frame_hex":"{BARE}","mode":"T","radio":{{"rssi_dbfs":-31.2}}}}'.encode(), 1
    )
    assert ";-31;-31;12345678;" in (rtl_wmbus_line(heard, 1.0) or "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (0.1, "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0E-9"), "0.000000000"),
        (Decimal("-12.50"), "-12.50"),
        ('"\\\n€', '"\\"\\\\\\n€"'),
        ([1, (2, {"a": None})], '[1,[2,{"a":null}]]'),
    ],
)
def test_json_text(value: object, text: str) -> None:
    assert json_text(value) == text
    assert json.loads(text) is not None or value is None
