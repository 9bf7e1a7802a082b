"""Every byte of a telegram is explained exactly once, whatever the bytes are."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import address, link
from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.errors import ProtocolError
from protocol.explain import ExplainedField, explain
from protocol.explain_layers import c_field_text
from protocol.identify import identify
from protocol.keys import Keyring, KeyRow

VECTORS = Path(__file__).parents[2] / "vectors" / "annex_n.json"
BY_ID = {vector["id"]: vector for vector in json.loads(VECTORS.read_text())}
FRAMES = [vector for vector in BY_ID.values() if vector["verified"] and vector["frame_hex"]]
METER = address.build("ELS", "12345678", 51, 3)


def decoder(*keys: str | None) -> Decoder:
    return Decoder(Keyring([KeyRow("*", key=SecretKey(bytes.fromhex(key))) for key in keys if key]))


def explained(raw: bytes, using: Decoder) -> list[ExplainedField]:
    try:
        found = identify(raw)
        telegram = using.decode(found.frame, is_wired=found.kind == "wired")
    except ProtocolError:
        telegram = None
    fields = explain(raw, telegram)
    check_that_every_byte_is_there_once(raw, fields)
    return fields


def check_that_every_byte_is_there_once(raw: bytes, fields: Iterable[ExplainedField]) -> None:
    seen: list[int] = []
    for each in fields:
        places = [offset + step for offset, size in each.spans for step in range(size)]
        assert bytes(raw[place] for place in places) == each.raw
        assert each.plain is None or len(each.plain) == len(each.raw)
        assert each.name and each.meaning
        seen += places
    assert sorted(seen) == list(range(len(raw)))


def lines(fields: Iterable[ExplainedField]) -> list[str]:
    return [f"{each.layer} {each.name}: {each.meaning}" for each in fields]


@pytest.mark.parametrize("key", ["right", "wrong", "none"])
@pytest.mark.parametrize("vector", FRAMES, ids=[vector["id"] for vector in FRAMES])
def test_annex_n(vector: dict[str, Any], key: str) -> None:
    keys = {"right": vector["key"], "wrong": "00" * 16, "none": None}
    for name in ("frame_hex", "frame_hex_no_crc"):
        if vector.get(name):
            fields = explained(bytes.fromhex(vector[name]), decoder(keys[key]))
            assert any("encrypted" in each.name for each in fields) == (
                key != "right" and bool(vector["key"]) and "fragment_payload_hex" not in vector["expected"]
            )


def test_gas_meter_in_words() -> None:
    raw = bytes.fromhex(BY_ID["N.2.1"]["frame_hex"])
    fields = explained(raw, decoder(BY_ID["N.2.1"]["key"]))
    assert lines(fields)[:11] == [
        "link L-field: 46 bytes follow",
        "link C-field: SND-NR, from the meter",
        "link M-field: ELS",
        "link number: 12345678",
        "link version: 51",
        "link device type: 03h gas",
        "link CRC: of block 1, fits",
        "transport CI-field: 7Ah M-Bus full frame, from the meter",
        "transport ACC: access number 42",
        "transport STS: no error",
        "transport CF: security mode 5 (AES-128-CBC), 32 bytes encrypted, synchronous",
    ]
    assert "application data: 28504.27 m3" in lines(fields)
    plain = b"".join(each.plain for each in fields if each.plain is not None)
    assert plain.hex().upper() == BY_ID["N.2.1"]["plaintext_apl_hex"]
    filler = next(each for each in fields if each.name == "filler")
    assert filler.spans == ((38, 8), (48, 5))  # the CRC of block 3 stands between


def test_authentication_and_addresses_in_words() -> None:
    vector = BY_ID["N.2.4-rsp"]
    said = lines(explained(bytes.fromhex(vector["frame_hex"]), decoder(vector["key"])))
    for text in (
        "ell CC: bidirectional; listens: short window; delay: slow",
        "ell to number: 33445566",
        "afl FCL: whole message",
        "afl MCL: AES-CMAC of 8 bytes",
        "afl MCR: message counter 2739",
        "afl MAC: fits",
        "transport CF extension: key 0, KDF-A",
        "transport 2F2F: the key is right",
    ):
        assert text in said
    wrong = lines(explained(bytes.fromhex(vector["frame_hex"]), decoder("00" * 16)))
    assert "afl MAC: not verified" in wrong
    assert "security encrypted: key wrong" in wrong


def test_fragments() -> None:
    vector = BY_ID["N.3-message"]
    using = decoder(vector["key"])
    parts = [bytes.fromhex(BY_ID[part]["frame_hex"]) for part in vector["sequence"]["assembled_from"]]
    first, second, last = (explained(part, using) for part in parts)
    assert "afl FCL: fragment 1, more follow" in lines(first)
    assert "transport ACC: access number 5" in lines(first)
    assert any(each.name == "fragment" for each in second)
    assert "afl FCL: fragment 3, the last" in lines(last)
    # the last fragment begins within the profile of the message
    plain = b"".join(each.plain for each in last if each.plain is not None)
    assert vector["plaintext_apl_hex"].endswith(plain.hex().upper())
    assert any(each.name == "element 11" for each in last)


def test_session_of_the_link() -> None:
    # the AES-CTR vector of a field telegram: payload CRC and compact frame
    raw = bytes.fromhex("28442D2C7856341233028D207760772920CB5E3D5EF7BAEC24E0CDF4A4265428763B5766BC366FDED8")
    fields = explained(raw, decoder("0102030405060708090A0B0C0D0E0F10"))
    crc = next(each for each in fields if each.name == "payload CRC")
    assert (crc.meaning, crc.plain) == ("fits", bytes.fromhex("7039"))
    assert "application signature: format 2274" in lines(fields)
    assert any(each.name == "encrypted" for each in explained(raw, decoder()))


def test_tag_of_mode_10_and_records_behind_it() -> None:
    # the constructed vector of the transport facts
    raw = bytes.fromhex(
        "304493157856341233038C20757A7500112A1001B30A0000C882038E223BBC1091CEB8C0A1009D388A5AF7883A5B5A7FD6"
    )
    fields = explained(raw, decoder("000102030405060708090A0B0C0D0E0F"))
    assert "transport tag: fits" in lines(fields)
    assert "application data: 28504.27 m3" in lines(fields)


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        ("811D780C1427048502", "nwl routing: 1Dh, stepped over"),
        ("8602ABCD780C1427048502", "ell content: not public"),
        ("8D20776077290000007801", "ell payload CRC: does not fit"),
        ("6E0100000001", "application error code: CI-field not implemented"),
        ("740100000081", "application alarm: bits [0, 7] set"),
        ("537856341293153303010000001005", "application parameter: application 1: user data, block 0"),
        ("6D78563412931533030100000003000C0A", "application TC: correct the clock"),
        ("C3785634129315330301000000200102", "application BCF: transfer end-to-end application data"),
        ("C0785634129315330301000000040102", "application function: state"),
        ("69076D1C0C1402FD17", "application data: not read: format invalid"),
        ("7A010020252F2F0C1427048502", "transport 2F2F: decrypted before"),
        ("7901020304", "application full-frame CRC: compact format unknown"),
        ("FF0102", "application data: not decoded"),
        ("7A0100050D0017030300021122", "security TLS: TLS 1.2 application_data".replace("_", " ")),
        ("7A01", "transport data: not read: truncated"),
        ("8C", "ell data: not read: truncated"),
        ("7A0100000F1122", "security encrypted: unsupported: security mode unsupported"),
    ],
)
def test_other_layers_and_protocols(payload: str, line: str) -> None:
    raw = link.build(0x44, METER, bytes.fromhex(payload)).encode()
    assert any(said.startswith(line) for said in lines(explained(raw, decoder())))


def test_format_b_and_left_over_bytes() -> None:
    frame = bytes.fromhex(BY_ID["N.2.1"]["frame_hex_no_crc"])
    raw = link.add_crcs(frame, "B")
    said = lines(explained(raw + b"\1\2", decoder()))
    assert said[0] == "link L-field: 48 bytes follow, CRCs included"
    assert said[-2:] == ["link CRC: of block 2, fits", "link left over: behind the end of the frame"]


def test_damaged_frames() -> None:
    raw = bytearray.fromhex(BY_ID["N.2.1"]["frame_hex"])
    raw[20] ^= 1
    said = lines(explained(bytes(raw), decoder()))
    assert "link CRC: of block 2, does not fit" in said
    assert "link data: not read: CRC of block 2 does not fit" in said
    (said,) = lines(explained(bytes(raw[:20]), decoder()))
    assert said == "link data: not read: 20 of 55 bytes of a frame of format A"
    for payload in (200,):
        long = bytearray(link.add_crcs(link.build(0x44, METER, b"\x78\x0f" + bytes(payload)).encode(), "B"))
        long[-1] ^= 1
        assert any("not read" in text for text in lines(explained(bytes(long), decoder())))


@pytest.mark.parametrize("vector", FRAMES, ids=[vector["id"] for vector in FRAMES])
def test_truncated_and_altered_frames(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["frame_hex"])
    using = decoder(vector["key"])
    for end in range(len(raw)):
        explained(raw[:end], using)
    bare = bytes.fromhex(vector.get("frame_hex_no_crc") or "")
    for end in range(10, len(bare)):
        explained(bytes((end - 1,)) + bare[1:end], using)


@given(
    st.binary(max_size=60),
    st.integers(0x50, 0xD0),
    st.sampled_from(["", "8C2001", "90020000", "8E0101" + "00" * 8]),
)
def test_random_telegrams(behind: bytes, ci: int, lower: str) -> None:
    payload = bytes.fromhex(lower) + bytes((ci,)) + behind
    explained(link.build(0x44, METER, payload).encode(), decoder("00" * 16))


@given(st.binary(max_size=80))
def test_random_bytes(raw: bytes) -> None:
    explained(raw, decoder())


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0x44, "SND-NR, from the meter"),
        (0xC4, "SND-NR, from the meter, relayed"),
        (0x5B, "REQ-UD2, to the meter"),
        (0x7B, "REQ-UD2, to the meter, frame count bit set"),
        (0x28, "RSP-UD, from the meter, alarm data are waiting"),
        (0x30, "ACK, from the meter, alarm data are waiting, busy"),
        (0x55, "unknown, either way"),
    ],
)
def test_bits_of_the_c_field(code: int, text: str) -> None:
    # EN 13757-2: FCB counts requests where FCV is set, ACD and DFC stand there in replies
    assert c_field_text(code) == text
