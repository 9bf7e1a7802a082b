"""JSON lines to frames: every Annex N message again, lines written by hand, and clear refusals."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import wired
from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.keys import Keyring, KeyRow
from sdr.byte_lines import receive_line
from sdr.line_encoder import EncodedLine, LineEncoder
from sdr.output.json_docs import WRITTEN_BY_HAND
from sdr.output.json_line import to_json
from sdr.output.json_text import json_text

VECTORS = Path(__file__).parents[2] / "vectors" / "annex_n.json"
FRAMES = [vector for vector in json.loads(VECTORS.read_text()) if vector["verified"] and vector["frame_hex"]]
ASSEMBLED = [vector for vector in json.loads(VECTORS.read_text()) if vector.get("message_hex")]
NEVER_READ = ("frame_hex", "raw_hex", "plaintext_hex")
KEY = "000102030405060708090A0B0C0D0E0F"


def ring(*keys: str | None) -> Keyring:
    return Keyring([KeyRow("*", key=SecretKey(bytes.fromhex(key))) for key in keys if key])


def decode(decoder: Decoder, text: str | bytes) -> str:
    return to_json(receive_line(decoder, text.encode() if isinstance(text, str) else text, 1))


def stripped(value: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Without the keys that hold ciphertext, CRCs, MACs or the bytes of records."""
    if isinstance(value, dict):
        return {name: stripped(item) for name, item in value.items() if name not in NEVER_READ}
    return [stripped(item) for item in value] if isinstance(value, list) else value


def again(line: str) -> bytes:
    return json_text(stripped(json.loads(line, parse_float=Decimal))).encode()


def encode(lines: list[bytes], *keys: str | None) -> list[EncodedLine]:
    encoder = LineEncoder(ring(*keys))
    done = [encoded for number, line in enumerate(lines, 1) for encoded in encoder.push(line, number)]
    return done + encoder.flush()


def one(fields: dict[str, Any], *keys: str) -> EncodedLine:
    return encode([json.dumps(fields).encode()], *keys)[0]


def round_trip(frame_hex: str, *keys: str) -> str:
    encoded = encode([again(decode(Decoder(ring(*keys)), frame_hex))], *keys)[0]
    assert encoded.problem is None
    assert encoded.frame is not None
    return encoded.frame.hex()


WHOLE = [vector for vector in FRAMES if "fragment_payload_hex" not in vector["expected"]]


@pytest.mark.parametrize("vector", WHOLE, ids=[vector["id"] for vector in WHOLE])
def test_annex_n(vector: dict[str, Any]) -> None:
    assert round_trip(vector["frame_hex"], vector["key"] or "").upper() == vector["frame_hex"]


@pytest.mark.parametrize("vector", ASSEMBLED, ids=[vector["id"] for vector in ASSEMBLED])
def test_annex_n_fragments_among_other_lines(vector: dict[str, Any]) -> None:
    group = vector["sequence"]["group"]
    frames = [frame["frame_hex"] for frame in FRAMES if frame.get("sequence", {}).get("group") == group]
    assert len(frames) == 6  # three requests, three fragments
    repeated = [*frames[:4], frames[3], *frames[4:], frames[5]]  # the second and the last one sent again
    decoder = Decoder(ring(vector["key"]))
    encoded = encode([again(decode(decoder, frame)) for frame in repeated], vector["key"])
    assert [line.number for line in encoded] == list(range(1, len(repeated) + 1))
    assert [(line.frame or b"").hex().upper() for line in encoded] == repeated


def test_fragments_without_their_end_are_refused() -> None:
    vector = ASSEMBLED[0]
    parts = [frame["frame_hex"] for frame in FRAMES if frame["id"] in vector["sequence"]["assembled_from"]]
    decoder = Decoder(ring(vector["key"]))
    lines = [again(decode(decoder, frame)) for frame in parts]
    unfinished = encode(lines[:2], vector["key"])
    assert {line.problem for line in unfinished} == {"the last fragment of the message is missing"}
    torn = encode([lines[0], lines[2]], vector["key"])
    assert {line.problem for line in torn} == {"fragments of the message are missing"}
    without_key = encode(lines)
    assert all("needs a key" in (line.problem or "") for line in without_key)
    assert [line.number for line in without_key] == [1, 2, 3]


METER = "44 9315 78563412 3303"


def framed(*parts: str) -> str:
    body = bytes.fromhex(" ".join(parts))
    return f"{len(body):02X}{body.hex().upper()}"


OTHERS = {
    # format B of Annex N.2.1, its CRC B853 recomputed
    "format B": "304493157856341233037A2A0020255923C95AAA26D1B2E7493B"
    "013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3B853",
    # vector of the transport facts, confirmed on field telegrams
    "mode 10": "304493157856341233038C20757A7500112A1001B30A0000C882038E223BBC1091CEB8C0A1009D388A"
    "5AF7883A5B5A7FD6",
    "mode 5, decrypted before": framed(
        METER, "7A2A002025 2F2F0C1427048502046D32371F1502FD170000 2F2F2F2F2F2F2F2F2F2F2F2F2F"
    ),
    "mode 7, decrypted before, its AFL gone": framed(METER, "7A2A00100710 2F2F0C1427048502 2F2F2F2F2F2F2F2F"),
    "mode 15, decrypted before": framed(METER, "7A2A00000F 2F2F0C1427048502 2F2F"),
    "mode 3, decrypted before": framed(METER, "7A2A001003 2F2F0C1427048502 2F2F2F2F2F2F2F2F"),
    # an ELL II whose session is not encrypted, and its payload CRC
    "ELL II": framed(METER, "8D 20 77 60772900 4C11 78 0C1427048502"),
    "mode 7 with nothing encrypted, no counter": framed(METER, "7A 05 92 0007 10 0C1427048502"),
    "ELL V": framed(METER, "86 02 ABCD 78 0C1427048502"),
    "network layer": framed(METER, "81 1D 78 0C1427048502"),
    "no header": framed(METER, "78 2F 0C1427048502 2F2F 0F 010203"),
    "manufacturer data, more follows": framed(METER, "78 0C1427048502 1F"),
    "header cut": framed(METER, "78 0C1427048502 2F CC04"),
    "reserved DIF": framed(METER, "78 0C1427048502 3F 0C13"),
    "reserved LVAR": framed(METER, "78 0C1427048502 0D78 F8 01"),
    "command with a record cut": framed("53 9315 78563412 3303", "51 0C1427048502 04FD"),
    "broken record": framed(METER, "78 0C1427048502 0C14270485"),
    "not BCD": framed(METER, "78 0C14AB04EF02"),
    "variable length": framed(METER, "78 0DFD1103434241 0DFD11E20102"),
    "profile": framed(METER, "78 8C041365000000 82046C1F11 8D04931F0A7AFE44011402320358 02"),
    "application error": framed(METER, "6E 01 00 0000 01"),
    "application error without a code": "68030368080570 7D16",
    "dynamic error": framed(METER, "6E 01 00 0000 F0 0DFD1103434241"),
    "alarm": framed(METER, "74 01 00 0000 81 2F2F"),
    "application select": framed(METER, "53 78563412 9315 33 03 01 00 0000 10"),
    "application reset": framed(METER, "50"),
    "clock": framed(METER, "6C 78563412 9315 33 03 01 00 0000 00 1E8C120A2B00 0000"),
    "clock, invalid": framed(METER, "6D 78563412 9315 33 03 01 00 0000 03 3F3F3F"),
    "SITP": framed(METER, "C3 78563412 9315 33 03 01 00 0000 20 0102"),
    "image transfer": framed(METER, "C0 78563412 9315 33 03 01 00 0000 04 0102"),
    "format frame": framed(METER, "69 07 6D1C 0C14 02FD17"),
    "unknown compact frame": framed(METER, "79 0102 0304 05060708"),
    "compact frame": framed(METER, "79 7422 F58D 0B0B00005A0F0000000000000000000000"),
    "unassigned CI": framed(METER, "FF 010203"),
    "manufacturer's CI": framed(METER, "A0 010203"),
    "vendor order": framed("44 2423 8507 78563490 A2 010203"),
    "vendor order with records": framed("44 2423 8507 78563490 7A 01 00 0C1327048502"),
    "id only": framed("44 304C 78563412 0102 A0 010203"),
    "soft address": framed("44 9395 78563412 3303 78 0C1427048502"),
    "no CI": framed(METER),
    "single": "E5",
    "short": "105BFE5916",
    "control": "680303685302B80D16",
    "most significant byte first": wired.build(
        0x08, 5, bytes.fromhex("76 12345678 1593 33 03 2A 04 0000 0C1402850427 0DFD1103414243 2F 0F01 02")
    )
    .encode()
    .hex(),
    "fixed data, most significant byte first": wired.build(
        0x08, 5, bytes.fromhex("77 12345678 0A 00 7EE9 00000001 00000135 0102")
    )
    .encode()
    .hex(),
    "selection, most significant byte first": wired.build(
        0x53, 253, bytes.fromhex("56 12345678 1593 33 03 0C7878563412")
    )
    .encode()
    .hex(),
    "fixed data structure": "681313680805 73 785634120A00E97E0100000035010000 3C16",
    "fixed data structure with more": wired.build(
        0x08, 5, bytes.fromhex("73 78563412 0A 03 2B38 FFFFFFFF 0A000000 2F")
    )
    .encode()
    .hex(),
    "device select": wired.build(0x53, 253, bytes.fromhex("52 78563412 9315 33 03")).encode().hex(),
    "select by fabrication number": wired.build(
        0x53, 253, bytes.fromhex("52 FFFFFFFF FFFF FF FF 0C7878563412")
    )
    .encode()
    .hex(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_frames(name: str) -> None:
    keys = ("0102030405060708090A0B0C0D0E0F11", KEY)
    frame_hex = OTHERS[name].replace(" ", "").upper()
    line = decode(Decoder(ring(*keys)), frame_hex)
    assert "rejected" not in json.loads(line)
    assert round_trip(frame_hex, *keys).upper() == frame_hex


ANNEX_M = json.loads(VECTORS.with_name("annex_m.json").read_text())["uc00_conformance_test"][
    "examples_table_m6"
]


@pytest.mark.parametrize(
    ("ci", "records"),
    [
        (ci, example[name])
        for example in ANNEX_M
        for ci, name in (("5A", "command_hex"), ("7A", "response_hex"))
        if name in example
    ],
)
def test_annex_m(ci: str, records: str) -> None:
    plain = framed(METER, ci, "01 00 0000", records)
    assert round_trip(plain).upper() == plain
    line = {
        **HAND_WRITTEN,
        "transport": {"ci": ci, "access_number": 1, "security_mode": 5},
        "ell": {"ci": "8e", "access_number": 1, "flags": [], "receiver": HAND_WRITTEN["link"]},
        "readings": json.loads(decode(Decoder(), plain))["readings"],
    }
    sealed = one(line, KEY).frame
    assert sealed is not None
    opened = json.loads(decode(Decoder(ring(KEY)), sealed.hex()))
    assert opened["security"]["outcome"] == "decrypted"
    assert opened["application"]["plaintext_hex"].upper().startswith(records)


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from([*range(0x50, 0x92), *range(0xA0, 0xD0)]))
def test_what_is_built_is_what_was_decoded(behind: bytes, ci: int) -> None:
    frame_hex = framed(METER, bytes((ci,)).hex(), behind.hex())
    line = decode(Decoder(ring(KEY)), frame_hex)
    encoded = encode([again(line)], KEY)[0]
    if encoded.frame is None:
        outcome = json.loads(line)["security"]["outcome"]
        assert outcome != "decrypted"
        assert encoded.problem
    else:
        assert encoded.frame.hex().upper() == frame_hex


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_records_are_built_as_they_were_decoded(records: bytes) -> None:
    frame_hex = framed(METER, "78", records.hex())
    assert round_trip(frame_hex).upper() == frame_hex


HAND_WRITTEN: dict[str, Any] = {
    "link": {"function": "SND-NR", "manufacturer": "ELS", "id": "12345678", "version": 51, "device_type": 3},
    "transport": {"ci": "7a", "access_number": 42, "security_mode": 0},
    "readings": [{"quantity": "volume", "unit": "m3", "value": 28504.27}],
}


@pytest.mark.parametrize("mode", [0, 5, 7, 10])
def test_lines_written_by_hand(mode: int) -> None:
    line = {**HAND_WRITTEN, "transport": {"ci": "7a", "access_number": 42, "security_mode": mode}}
    if mode == 7:
        line |= {"afl": {"message_counter": 9}}
    if mode == 10:
        line["transport"] |= {"message_counter": 9}
    frame = one(line, KEY).frame
    assert frame is not None
    decoded = json.loads(decode(Decoder(ring(KEY)), frame.hex()))
    assert decoded["security"]["outcome"] == ("decrypted" if mode else "plain")
    assert decoded["security"]["authenticated"] == (mode in (7, 10))
    reading = decoded["readings"][0]
    assert (reading["quantity"], reading["value"], reading["unit"]) == ("volume", 28504.27, "m3")


def test_the_line_that_the_documentation_shows() -> None:
    frame = one(json.loads(WRITTEN_BY_HAND), KEY).frame
    assert frame is not None
    decoded = json.loads(decode(Decoder(ring(KEY)), frame.hex()))
    assert decoded["security"]["outcome"] == "decrypted"
    assert [
        (reading["quantity"], reading["value"], reading["storage"]) for reading in decoded["readings"]
    ] == [
        ("volume", 28504.27, 0),
        ("date", "2026-12-31", 1),
    ]


def test_long_headers_and_wired_frames_by_hand() -> None:
    line = {**HAND_WRITTEN, "transport": {"ci": "72", "access_number": 1}, "meter": HAND_WRITTEN["link"]}
    for changes, mode in (
        ({}, None),
        ({"mode": "wired", "link": {"function": "RSP-UD", "address_field": 1}}, "wired"),
    ):
        frame = one({**line, **changes}).frame
        assert frame is not None
        decoded = json.loads(decode(Decoder(), frame.hex()))
        assert (decoded["mode"], decoded["meter"]["id"]) == (mode, "12345678")
        assert decoded["readings"][0]["value"] == 28504.27


def test_mode_2_fills_its_blocks() -> None:
    line = {**HAND_WRITTEN, "transport": {"ci": "7a", "access_number": 42, "security_mode": 2}}
    frame = one(line, KEY[:16]).frame
    assert frame is not None
    decoded = json.loads(decode(Decoder(ring(KEY[:16])), frame.hex()))
    assert decoded["security"]["outcome"] == "decrypted"
    assert decoded["readings"][0]["value"] == 28504.27


def test_dates_that_vifes_make_of_numbers() -> None:
    reading = {"quantity": "volume", "value": "2026-11-25", "qualifiers": ["start_date_of"]}
    frame = one(with_("readings", [reading])).frame
    assert frame is not None
    assert json.loads(decode(Decoder(), frame.hex()))["readings"][0]["value"] == "2026-11-25"


def test_wired_frames_written_by_hand() -> None:
    wired_line = {"mode": "wired", "link": {"function": "SND-NKE", "address_field": 5}}
    assert one(wired_line).frame == bytes.fromhex("1040054516")
    assert "address_field" in (one({"mode": "wired", "link": {"function": "SND-NKE"}}).problem or "")
    assert one({"mode": "wired", "link": {"function": "ACK"}}).frame == b"\xe5"


def test_any_frame_format() -> None:
    frame = one({**HAND_WRITTEN, "frame_format": "B"}).frame
    assert frame is not None
    line = json.loads(decode(Decoder(), frame.hex()))
    assert (line["frame_format"], line["notes"]) == ("B", ["crcs_of_format_b"])
    encoder = LineEncoder(ring(), "A")
    (encoded,) = encoder.push(json.dumps(HAND_WRITTEN).encode(), 1)
    assert encoded.frame is not None
    assert json.loads(decode(Decoder(), encoded.frame.hex()))["frame_format"] == "A"
    bare = LineEncoder(ring(), "none").push(json.dumps({**HAND_WRITTEN, "frame_format": "B"}).encode(), 1)
    assert bare[0].frame is not None
    assert bare[0].frame[0] == len(bare[0].frame) - 1


def with_(path: str, value: object) -> dict[str, Any]:
    changed = json.loads(json.dumps(HAND_WRITTEN))
    *places, name = path.split(".")
    table = changed
    for place in places:
        table = table.setdefault(place, {})
    table[name] = value
    return changed


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({}, "link must be given"),
        ({"rejected": {"layer": "link", "reason": "truncated"}}, "a rejected line holds no telegram"),
        (with_("link.id", "1234"), "8 hex digits"),
        (with_("link.manufacturer", "EL"), "manufacturer"),
        (with_("link.version", 256), "no address"),
        (with_("link.version", "51"), "link.version must be a whole number"),
        (with_("link.function", "SND-XX"), "link.function"),
        (with_("link.c_field", "xy"), "link.c_field must be a text of hex digits"),
        (with_("link.address_order", "other"), "link.address_order"),
        (with_("frame_format", "C"), "frame_format must be A, B or null"),
        (with_("transport.ci", "7a7a"), "transport.ci must be one byte"),
        (with_("transport.access_number", None), "transport.access_number must be given"),
        (with_("transport.access_number", 256), "does not fit"),
        (with_("transport.security_mode", 5), "needs a key"),
        (with_("transport.security_mode", 9), "cannot be made here"),
        (with_("transport.ci", "72"), "meter must be given: CI 72 names the device"),
        (with_("transport", None), "transport must be given where there are readings"),
        (with_("transport.security_mode", 7), "afl.message_counter must be given"),
        (with_("transport.security_mode", 10), "transport.message_counter must be given"),
        (with_("mode", "wired"), "link.address_field must be given"),
        (with_("security.outcome", "decripted"), "security.outcome must be one of"),
        (with_("security.outcome", "key_missing"), "the application data are not known"),
        (with_("application", {"partial": True}), "the application data are not known"),
        (with_("application", {"fillers": [1]}), "fillers"),
        (with_("application", {"fillers": [[0, 10**9]]}), "fillers"),
        (with_("readings", [1]), "readings must be a list of objects"),
        (with_("readings", [{"quantity": "volume", "unit": "m4", "value": 1}]), "volume has no unit"),
        (with_("readings", [{"quantity": "volume", "value": 1}]), "volume has no unit None"),
        (with_("readings", [{"quantity": "volumen", "unit": "m3", "value": 1}]), "there is no quantity"),
        (
            with_("readings", [{"quantity": "volume", "unit": "m3", "value": "1"}]),
            "no record holds volume '1'",
        ),
        (with_("readings", [{"quantity": "date and time", "value": "now"}]), "no record holds date and time"),
        (with_("readings", [{"quantity": "volume", "unit": "m3", "value": 1, "function": "max"}]), "maximum"),
        (with_("readings", [{"dib_vib": "0c14", "value": 10**9}]), "is not"),
        (with_("readings", [{"dib_vib": "0c", "value": 1}]), "no DIB and VIB"),
        (with_("ell", {"ci": "8e", "access_number": 1}), "ell.receiver"),
        (with_("ell", {"ci": "8c"}), "ell.access_number must be given"),
        (with_("ell", 1), "ell must be an object or null"),
        (with_("afl", {"control": "0000", "mac_bytes": 99}), "mac_bytes"),
        (with_("problem", {"layer": "ell", "reason": "payload_crc_mismatch"}), "could not be read"),
    ],
)
def test_refusals_say_what_is_wrong(line: dict[str, Any], problem: str) -> None:
    encoded = one(line)
    assert encoded.frame is None
    assert problem in (encoded.problem or "")


@pytest.mark.parametrize("line", [b"x", b"[]", b"{", b'{"a":NaN}', b"\xff", b"[" * 100_000])
def test_lines_that_are_no_objects(line: bytes) -> None:
    assert "no JSON" in (encode([line])[0].problem or "")


def test_failed_telegrams_are_not_built_from_nothing() -> None:
    vector = FRAMES[0]
    locked = decode(Decoder(), vector["frame_hex"])
    assert "not known" in (encode([again(locked)], vector["key"])[0].problem or "")
    damaged = decode(Decoder(), framed(METER, "8D 20 77 60772900 0000 78 0C1427048502"))
    assert "could not be read" in (encode([again(damaged)])[0].problem or "")


def test_the_key_that_opened_a_telegram_closes_it() -> None:
    keys = ("00" * 16, FRAMES[0]["key"])
    line = decode(Decoder(ring(*keys)), FRAMES[0]["frame_hex"])
    assert json.loads(line)["security"]["candidate"] == 1
    assert round_trip(FRAMES[0]["frame_hex"], *keys).upper() == FRAMES[0]["frame_hex"]


def test_numbers_are_exact() -> None:
    # 0.1 has no exact float; as text of the line it has
    line = json.dumps(with_("readings", [{"dib_vib": "0513", "value": 0.1}])).encode()
    assert encode([line])[0].frame is not None
    frame = encode([json.dumps(with_("readings", [{"dib_vib": "0c11", "value": 0.3}])).encode()])[0].frame
    assert frame is not None
    reading = json.loads(decode(Decoder(), frame.hex()), parse_float=Decimal)["readings"][0]
    assert reading["value"] == Decimal("0.3")
