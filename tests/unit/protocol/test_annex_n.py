"""Every verified message of OMS Vol. 2 Annex N: down to the plain application data, and back.

The way back starts from the decoded fields as the vector file gives them (addresses, counters,
access numbers, status, configuration), the key and the plain data: no ciphertext, MAC or CRC.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from protocol import address, afl, c_field, ci, configuration, ell, link, security, transport, wired
from protocol.address import Address
from protocol.afl import Afl
from protocol.cipher_inputs import meter_address
from protocol.ciphers import SecretKey
from protocol.identify import identify
from protocol.outcome import Outcome
from protocol.reassembly import Reassembler
from protocol.sealing import seal_message

VECTORS = Path(__file__).parents[2] / "vectors" / "annex_n.json"
ALL = json.loads(VECTORS.read_text())
FRAMES = [message for message in ALL if message["verified"] and message["frame_hex"]]
WHOLE = [message for message in FRAMES if "fragment_payload_hex" not in message["expected"]]
ASSEMBLED = [message for message in ALL if message.get("message_hex")]
BY_ID = {message["id"]: message for message in ALL}

Vector = Mapping[str, Any]


@dataclass
class Layers:
    """The lower layers of a frame, and the bytes behind them."""

    c_field: int | None
    sender: Address | None
    address_field: int | None
    ell: ell.Ell | None
    afl: Afl | None
    rest: bytes


def walk(vector: Vector) -> Layers:
    data = bytes.fromhex(vector["frame_hex"])
    found = identify(data)
    assert found.left_over == b""
    if vector["medium"] == "wired":
        assert found.kind == "wired"
        wired_frame = wired.parse(found.frame)
        sender, payload, address_field = None, wired_frame.payload, wired_frame.address_field
        code = wired_frame.c_field
    else:
        assert found.kind == "A"
        assert found.frame == bytes.fromhex(vector["frame_hex_no_crc"])
        frame = link.parse(found.frame)
        sender, payload, address_field, code = frame.address, frame.payload, None, frame.c_field
    extended = authentication = None
    if payload and payload[0] in ci.ELL_CODES:
        extended = ell.parse(payload)
        payload = payload[extended.size :]
    if payload and payload[0] == 0x90:
        authentication = afl.parse(payload)
        payload = payload[authentication.size :]
    return Layers(code, sender, address_field, extended, authentication, payload)


def expected_address(fields: Vector) -> Address:
    return address.build(
        fields["manufacturer"], fields["id"], fields["version"], int(fields["device_type"], 16)
    )


def keys(vector: Vector) -> list[SecretKey]:
    return [SecretKey(bytes.fromhex(vector["key"]))] if vector["key"] else []


def meter_in(vector: Vector) -> Vector | None:
    expected = vector["expected"]
    found: Vector | None = expected.get("application_address") or expected.get("addressed_meter")
    return found


def names(messages: list[Any]) -> list[str]:
    return [message["id"] for message in messages]


def test_all_verified_messages_are_here() -> None:
    assert len(FRAMES) + len(ASSEMBLED) == sum(message["verified"] for message in ALL) == 32


@pytest.mark.parametrize("vector", FRAMES, ids=names(FRAMES))
def test_link_layers(vector: Vector) -> None:
    layers = walk(vector)
    expected = vector["expected"]
    assert layers.c_field == int(expected["c_field"], 16)
    row = c_field.BY_CODE[layers.c_field]
    assert row.function == expected["message_type"]
    assert row.direction in (None, "M2O" if vector["direction"] == "meter->gateway" else "O2M")
    if "link_address" in expected:
        assert layers.sender == expected_address(expected["link_address"])
        assert layers.sender.manufacturer_raw == int(expected["link_address"]["manufacturer_hex"], 16)
    assert layers.address_field == expected.get("address_field")
    assert (layers.ell is None) == ("ell" not in expected)
    if layers.ell is not None:
        fields = expected["ell"]
        assert layers.ell.ci == int(fields["ci"], 16)
        assert layers.ell.communication_control == int(fields["communication_control"], 16)
        assert layers.ell.access_number == fields["access_no"]
        assert set(layers.ell.flags) == {name for name, is_set in fields["cc_bits"].items() if is_set}
        receiver = fields.get("receiver_address")
        assert layers.ell.receiver == (expected_address(receiver) if receiver else None)


@pytest.mark.parametrize("vector", FRAMES, ids=names(FRAMES))
def test_authentication_and_fragmentation(vector: Vector) -> None:
    layer = walk(vector).afl
    expected = vector["expected"].get("afl")
    assert (layer is None) == (expected is None)
    if layer is None or expected is None:
        return
    assert layer.size - 2 == expected["length"]
    assert layer.encode()[2:4].hex().upper() == expected["fcl_hex"]
    assert layer.fragment_number == expected["fragment_id"]
    assert layer.more_fragments == expected["more_fragments"]
    assert layer.message_counter == expected.get("mcr")
    assert layer.message_length == expected.get("ml")
    assert (layer.mac.hex().upper() if layer.mac else None) == expected.get("mac")
    if "mcl" in expected:
        assert layer.message_control == int(expected["mcl"], 16)
        assert layer.authentication_type == expected["mcl_decoded"]["authentication_type"]


def check_header(header: transport.TransportHeader, expected: Vector) -> None:
    assert header.ci == int(expected["ci"], 16)
    assert header.access_number == expected["access_no"]
    assert header.status == int(expected["status"], 16)
    decoded = expected["status_decoded"]
    if "rssi_dbm" in decoded:
        assert header.reception_level_dbm == decoded["rssi_dbm"]
        assert header.status_flags == ()
    else:
        flags = {name for name, is_set in decoded.items() if is_set is True}
        state = {"no error": set(), "any application error": {"application_error"}}[decoded["application"]]
        assert set(header.status_flags) == flags | state
    assert header.mode == expected["security_mode"]
    assert header.configuration is not None
    assert header.configuration.field == int(expected["config"], 16)
    fields = header.configuration.fields()
    renamed = {"tpl_padding": "padding", "kdf": "key_derivation", "key_id": "key_number"}
    for name in expected.keys() & (fields.keys() | renamed.keys()):
        assert fields[renamed.get(name, name)] == expected[name]
    if "config_extension" in expected:
        assert header.configuration.extension == bytes.fromhex(expected["config_extension"])


@pytest.mark.parametrize("vector", WHOLE, ids=names(WHOLE))
def test_messages_open(vector: Vector) -> None:
    layers = walk(vector)
    if not layers.rest:
        assert "tpl" not in vector["expected"]
        return
    header = transport.parse(layers.rest, wired=layers.sender is None)
    check_header(header, vector["expected"]["tpl"])
    named = meter_in(vector)
    assert header.address == (expected_address(named) if named else None)
    meter = meter_address(header, layers.sender, layers.ell)
    opened = security.open_message(header, layers.rest, keys=keys(vector), meter=meter, afl=layers.afl)
    check_opened(opened, header, vector, has_mac=layers.afl is not None)


def check_opened(
    opened: security.Opened, header: transport.TransportHeader, vector: Vector, *, has_mac: bool
) -> None:
    plain = bytes.fromhex(vector["plaintext_apl_hex"] or "")
    assert opened.outcome is (Outcome.PLAIN if header.mode == 0 else Outcome.DECRYPTED)
    assert opened.plaintext == (plain if header.mode == 0 else plain.removeprefix(b"\x2f\x2f"))
    assert opened.authenticated == has_mac
    assert plain.startswith(opened.region)
    assert opened.problem is None


@pytest.mark.parametrize("vector", ASSEMBLED, ids=names(ASSEMBLED))
def test_fragments_are_assembled_and_open(vector: Vector) -> None:
    reassembler = Reassembler()
    parts = [BY_ID[name] for name in vector["sequence"]["assembled_from"]]
    for part in parts[:-1]:
        layers = walk(part)
        assert layers.afl is not None
        assembled = reassembler.push(b"sender", layers.afl, layers.rest)
        assert (assembled.message, assembled.notes) == (None, ())
    layers = walk(parts[-1])
    assert layers.afl is not None
    assembled = reassembler.push(b"sender", layers.afl, layers.rest)
    message = bytes.fromhex(vector["message_hex"])
    assert (assembled.message, assembled.notes) == (message, ())
    assert assembled.afl.message_length == len(message) == vector["expected"]["afl"]["ml"]
    header = transport.parse(message)
    check_header(header, vector["expected"]["tpl"])
    opened = security.open_message(
        header,
        message,
        keys=keys(vector),
        meter=meter_address(header, layers.sender, layers.ell),
        afl=assembled.afl,
    )
    check_opened(opened, header, vector, has_mac=vector["medium"] == "wireless")


def built_header(expected: Vector, meter: Vector | None, *, wired_link: bool) -> transport.TransportHeader:
    mode = expected["security_mode"]
    given = {
        "encrypted_blocks": "encrypted_blocks",
        "content": "content",
        "bidirectional": "bidirectional",
        "accessible": "accessible",
        "synchronous": "synchronous",
        "content_index": "content_index",
        "tpl_padding": "padding",
        "kdf": "key_derivation",
        "key_id": "key_number",
    }
    values = {field: int(expected[name]) for name, field in given.items() if name in expected}
    return transport.build(
        int(expected["ci"], 16),
        expected["access_no"],
        int(expected["status"], 16),
        configuration.build(mode, **values),
        meter=expected_address(meter) if meter else None,
        wired=wired_link,
    )


def built_afl(expected: Vector) -> Afl:
    return afl.build(
        authentication_type=expected["mcl_decoded"]["authentication_type"],
        message_counter=expected.get("mcr"),
        message_length=expected.get("ml"),
    )


def built_frame(vector: Vector, payload: bytes) -> bytes:
    """Put the link layers of a vector around its payload."""
    expected = vector["expected"]
    fcb = bool(int(expected["c_field"], 16) & c_field.FCB)
    code = c_field.code_of(expected["message_type"], fcb=fcb)
    if vector["medium"] == "wired":
        return wired.build(code, expected["address_field"], payload).encode()
    if "ell" in expected:
        fields = expected["ell"]
        flags = sum(bit for bit, name in ell.CC_BITS if fields["cc_bits"][name])
        receiver = fields.get("receiver_address")
        layer = ell.Ell(
            int(fields["ci"], 16),
            flags,
            fields["access_no"],
            expected_address(receiver) if receiver else None,
        )
        payload = layer.encode() + payload
    frame = link.build(code, expected_address(expected["link_address"]), payload)
    return link.add_crcs(frame.encode(), "A")


@pytest.mark.parametrize("vector", WHOLE, ids=names(WHOLE))
def test_frames_are_built_again(vector: Vector) -> None:
    expected = vector["expected"]
    payload = b""
    if "tpl" in expected:
        meter = meter_in(vector)
        header = built_header(expected["tpl"], meter, wired_link=vector["medium"] == "wired")
        owner = meter or expected.get("link_address")
        message, authentication = seal_message(
            header,
            bytes.fromhex(vector["plaintext_apl_hex"] or "").removeprefix(b"\x2f\x2f"),
            key=next(iter(keys(vector)), None),
            meter=expected_address(owner) if owner else None,
            afl=built_afl(expected["afl"]) if "afl" in expected else None,
        )
        payload = (authentication.encode() if authentication else b"") + message
    assert built_frame(vector, payload).hex().upper() == vector["frame_hex"]


@pytest.mark.parametrize("vector", ASSEMBLED, ids=names(ASSEMBLED))
def test_fragments_are_built_again(vector: Vector) -> None:
    parts = [BY_ID[name] for name in vector["sequence"]["assembled_from"]]
    first = parts[0]["expected"]
    meter = expected_address(meter_in(vector) or vector["expected"]["link"])
    named = vector["expected"].get("application_address")
    header = built_header(vector["expected"]["tpl"], named, wired_link=vector["medium"] == "wired")
    message, authentication = seal_message(
        header,
        bytes.fromhex(vector["plaintext_apl_hex"]).removeprefix(b"\x2f\x2f"),
        key=keys(vector)[0],
        meter=meter,
        afl=built_afl(first["afl"]),
    )
    assert authentication is not None
    sizes = [len(bytes.fromhex(part["expected"]["fragment_payload_hex"])) for part in parts]
    built = afl.fragment(authentication, message, sizes)
    for part, (layer, content) in zip(parts, built, strict=True):
        assert built_frame(part, layer.encode() + content).hex().upper() == part["frame_hex"]


ENCRYPTED = [vector for vector in WHOLE if vector["key"]]


@pytest.mark.parametrize("vector", ENCRYPTED, ids=names(ENCRYPTED))
def test_every_fault_has_its_own_outcome(vector: Vector) -> None:
    layers = walk(vector)
    message = layers.rest
    header = transport.parse(message, wired=layers.sender is None)
    meter = meter_address(header, layers.sender, layers.ell)
    right, wrong = keys(vector)[0], SecretKey(bytes(16))
    has_mac = layers.afl is not None

    def outcome(message: bytes, *candidates: SecretKey) -> security.Opened:
        return security.open_message(header, message, keys=candidates, meter=meter, afl=layers.afl)

    tail = bytes.fromhex(vector["plaintext_apl_hex"])[len(outcome(message, right).region) :]
    assert outcome(message).outcome is Outcome.KEY_MISSING
    assert outcome(message, wrong).outcome is Outcome.KEY_WRONG
    assert outcome(message, wrong).plaintext == outcome(message).plaintext == tail
    assert outcome(message, wrong, right).outcome is Outcome.DECRYPTED
    assert (
        outcome(message[:-1] if not tail else message[: header.size + 3], right).outcome is Outcome.INCOMPLETE
    )
    altered = message[: header.size] + bytes((message[header.size] ^ 1,)) + message[header.size + 1 :]
    assert outcome(altered, right).outcome is Outcome.KEY_WRONG
    if has_mac and header.configuration and header.configuration.fields()["encrypted_blocks"] > 1:
        altered = message[:-1] + bytes((message[-1] ^ 1,))
        assert outcome(altered, right).outcome is Outcome.MAC_MISMATCH
        assert outcome(altered, wrong, right).outcome is Outcome.MAC_MISMATCH
        assert outcome(altered, right).plaintext == b""
