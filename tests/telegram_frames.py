"""Helpers of the telegram tests: the messages of OMS Vol. 2 Annex N, and frames built for one test."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from protocol import address, afl, configuration, ell, link, transport
from protocol.ciphers import SecretKey
from protocol.dates import iso_text
from protocol.decoder import Decoder
from protocol.identify import identify
from protocol.keys import Keyring, KeyRow
from protocol.readings import Reading
from protocol.sealing import seal_message
from protocol.telegram import Telegram

VECTORS = Path(__file__).parent / "vectors" / "annex_n.json"
ALL = json.loads(VECTORS.read_text())
BY_ID = {message["id"]: message for message in ALL}
FRAMES = [message for message in ALL if message["verified"] and message["frame_hex"]]
ASSEMBLED = [message for message in ALL if message.get("message_hex")]
GAS = BY_ID["N.2.1"]
GAS_B = BY_ID["N.2.3"]
KEY_N = SecretKey(bytes.fromhex("000102030405060708090A0B0C0D0E0F"))
ENCRYPTED = [
    vector for vector in FRAMES if vector["key"] and "fragment_payload_hex" not in vector["expected"]
]
METER = address.build("ELS", "12345678", 51, 3)

# Annex N names quantity and data type, or two names, in one text.
QUANTITIES = {
    "date (type G)": "date",
    "date and time (type F)": "date and time",
    "remote control / control state": "remote control",
    "volume, compact profile": "volume",
}

Vector = Mapping[str, Any]


def keyring(*keys: str | bytes | SecretKey | None) -> Keyring:
    made = [bytes.fromhex(key) if isinstance(key, str) else key for key in keys if key is not None]
    return Keyring([KeyRow("*", key=key if isinstance(key, SecretKey) else SecretKey(key)) for key in made])


def decode(decoder: Decoder, frame_hex: str | bytes) -> Telegram:
    found = identify(bytes.fromhex(frame_hex) if isinstance(frame_hex, str) else frame_hex)
    return decoder.decode(found.frame, is_wired=found.kind == "wired")


def decode_vector(vector: Vector, *keys: str | None) -> Telegram:
    return decode(Decoder(keyring(*keys or (vector["key"],))), vector["frame_hex"])


def expected_address(fields: Vector) -> address.Address:
    return address.build(
        fields["manufacturer"], fields["id"], fields["version"], int(fields["device_type"], 16)
    )


def expected_meter(vector: Vector) -> address.Address | None:
    expected = vector["expected"]
    named = expected.get("application_address") or expected.get("addressed_meter")
    if named is None and expected["message_type"] == "REQ-UD2" and "ell" in expected:
        named = expected["ell"].get("receiver_address")
    named = named or expected.get("link_address")
    return expected_address(named) if named else None


def plain_frame(ci: str, apl: bytes, meter: address.Address = METER) -> bytes:
    return link.build(0x44, meter, bytes.fromhex(ci) + apl).encode()


def framed(behind: bytes) -> bytes:
    return bytes((len(behind),)) + behind


def profile_b(counter: int, apl: bytes = bytes.fromhex("0C1427048502")) -> bytes:
    """The gas meter of Annex N.2.3 with another counter."""
    meter = expected_address(GAS_B["expected"]["link_address"])
    header = transport.build(
        0x7A, 1, 0, configuration.build(7, encrypted_blocks=1, key_derivation=1), meter=meter
    )
    message, layer = seal_message(
        header, apl, key=KEY_N, meter=meter, afl=afl.build(authentication_type=5, message_counter=counter)
    )
    assert layer is not None
    return link.build(0x44, meter, layer.encode() + message).encode()


def ell_two(flags: int, session: int, key: SecretKey | None, payload: bytes) -> bytes:
    layer, sealed = ell.seal_payload(
        ell.Ell(0x8D, flags, 1, session_number=session, payload_crc=0), payload, METER.raw, key
    )
    return link.build(0x44, METER, layer.encode() + sealed).encode()


def check_readings(found: Iterable[Reading], records: list[Any]) -> None:
    own = [reading for reading in found if "profile_value" not in reading.qualifiers]
    assert len(own) == len(records)
    for reading, record in zip(own, records, strict=True):
        value = iso_text(reading.value) if isinstance(reading.value, date) else reading.value
        assert (value if isinstance(record["value"], str | None) else float(value)) == record["value"]
        assert reading.unit == record["unit"]
        assert reading.quantity == QUANTITIES.get(record["quantity"], record["quantity"])
        assert (reading.function, reading.storage, reading.tariff, reading.subunit) == (
            record["function"],
            record["storage"],
            record["tariff"],
            record["subunit"],
        )
        assert reading.dib_vib.hex().upper() == record["dif_vif_hex"]
