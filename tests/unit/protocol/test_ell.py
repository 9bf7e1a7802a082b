"""Extended link layer; the session vector is from EN 13757-4 material, recomputed."""

from dataclasses import replace

import pytest

from protocol import address, ell, link, nwl
from protocol.ciphers import SecretKey
from protocol.errors import Incomplete, InvalidField
from protocol.outcome import Outcome

KEY = SecretKey(bytes.fromhex("0102030405060708090A0B0C0D0E0F10"))
FRAME = link.parse(
    bytes.fromhex("28442D2C7856341233028D207760772920CB5E3D5EF7BAEC24E0CDF4A4265428763B5766BC366FDED8")
)
PLAIN = bytes.fromhex("797422F58D0B0B00005A0F0000000000000000000000")
LAYER = ell.parse(FRAME.payload)
BODY = FRAME.payload[LAYER.size :]


def test_fields_of_a_session() -> None:
    assert (LAYER.ci, LAYER.numeral, LAYER.communication_control) == (0x8D, "II", 0x20)
    assert (LAYER.access_number, LAYER.flags, LAYER.size) == (0x77, ("synchronous",), 9)
    assert LAYER.session_number == 0x20297760
    assert (LAYER.encryption, LAYER.session_minutes, LAYER.session_counter) == (1, 0x29776, 0)
    assert LAYER.encode() == FRAME.payload[:9]


def test_session_is_decrypted() -> None:
    opened = ell.open_payload(LAYER, BODY, FRAME.address.raw, [KEY])
    assert opened == (Outcome.DECRYPTED, PLAIN)


def test_session_is_encrypted() -> None:
    assert ell.seal_payload(LAYER, PLAIN, FRAME.address.raw, KEY) == (LAYER, BODY)


@pytest.mark.parametrize("cc", [0x20, 0x30, 0x22, 0x32])
def test_repeaters_do_not_disturb_the_cipher(cc: int) -> None:
    relayed = replace(LAYER, communication_control=cc)
    assert ell.open_payload(relayed, BODY, FRAME.address.raw, [KEY])[0] is Outcome.DECRYPTED


def test_keys() -> None:
    wrong, des = SecretKey(bytes(16)), SecretKey(bytes(8))
    sender = FRAME.address.raw
    assert ell.open_payload(LAYER, BODY, sender, []) == (Outcome.KEY_MISSING, b"")
    assert ell.open_payload(LAYER, BODY, sender, [des]) == (Outcome.KEY_MISSING, b"")
    assert ell.open_payload(LAYER, BODY, sender, [wrong]) == (Outcome.KEY_WRONG, b"")
    assert ell.open_payload(LAYER, BODY, sender, [wrong, KEY]) == (Outcome.DECRYPTED, PLAIN)
    altered = BODY[:-1] + bytes((BODY[-1] ^ 1,))
    assert ell.open_payload(LAYER, altered, sender, [KEY]) == (Outcome.KEY_WRONG, b"")


def test_payload_that_was_decrypted_before() -> None:
    # The payload CRC of the vector is 3970h.
    layer = replace(LAYER, payload_crc=0x3970)
    assert ell.open_payload(layer, PLAIN, FRAME.address.raw, []) == (Outcome.ALREADY_DECRYPTED, PLAIN)
    strict = ell.open_payload(layer, PLAIN, FRAME.address.raw, [], strict=True)
    assert strict == (Outcome.KEY_MISSING, b"")


def test_session_without_encryption() -> None:
    layer = replace(LAYER, session_number=0x00297760, payload_crc=0x3970)
    assert layer.encryption == 0
    assert ell.open_payload(layer, PLAIN, FRAME.address.raw, []) == (Outcome.PLAIN, PLAIN)
    assert ell.seal_payload(replace(layer, payload_crc=0), PLAIN, FRAME.address.raw, None) == (layer, PLAIN)
    with pytest.raises(InvalidField) as caught:
        ell.open_payload(layer, PLAIN + b"\0", FRAME.address.raw, [])
    assert (caught.value.layer, caught.value.reason) == ("ell", "payload_crc_mismatch")


def test_unknown_encryption() -> None:
    layer = replace(LAYER, session_number=0x40297760)
    assert ell.open_payload(layer, BODY, FRAME.address.raw, [KEY]) == (Outcome.UNSUPPORTED, b"")
    with pytest.raises(InvalidField):
        ell.seal_payload(layer, PLAIN, FRAME.address.raw, KEY)
    with pytest.raises(InvalidField):
        ell.seal_payload(LAYER, PLAIN, FRAME.address.raw, None)


def test_layout_iv_has_receiver_and_session() -> None:
    receiver = address.build("RAD", "11223344", 3, 0x37)
    layer = ell.Ell(0x8F, 0x84, 7, receiver, 0x20297760, 0)
    sealed, body = ell.seal_payload(layer, PLAIN, FRAME.address.raw, KEY)
    assert ell.parse(sealed.encode()) == sealed
    assert (sealed.size, sealed.numeral) == (17, "IV")
    assert ell.open_payload(sealed, body, FRAME.address.raw, [KEY]) == (Outcome.DECRYPTED, PLAIN)


@pytest.mark.parametrize(
    ("cc", "access", "delay"),
    [
        (0x00, "none", "slow"),
        (0x04, "not_now", "slow"),
        (0x80, "short_window", "slow"),
        (0x84, "always", "slow"),
        (0xC0, "short_window", "fast"),
        (0x01, "none", "extended"),
        (0x41, "none", "reserved"),
    ],
)
def test_access_and_delay(cc: int, access: str, delay: str) -> None:
    layer = ell.Ell(0x8C, cc, 0)
    assert (layer.access, layer.delay) == (access, delay)
    assert ell.Ell(0x86, None, None).access is ell.Ell(0x86, None, None).delay is None


def test_layout_v_is_stepped_over() -> None:
    layer = ell.parse(bytes.fromhex("00" + "8603AABBCC" + "7A"), 1)
    assert (layer.skipped.hex(), layer.size, layer.numeral, layer.flags) == ("aabbcc", 5, "V", ())
    assert layer.encode().hex() == "8603aabbcc"
    assert ell.open_payload(layer, b"\x7a", FRAME.address.raw, []) == (Outcome.PLAIN, b"\x7a")


@pytest.mark.parametrize("layer", ["8C2075", "8D207760772920CB5E", "8E847524484433221103" + "37", "8602AABB"])
def test_truncated(layer: str) -> None:
    data = bytes.fromhex(layer)
    assert ell.parse(data).encode() == data
    for length in range(1, len(data)):
        with pytest.raises(Incomplete):
            ell.parse(data[:length])


def test_fields_out_of_range() -> None:
    with pytest.raises(InvalidField):
        ell.Ell(0x8C, 256, 0).encode()
    with pytest.raises(InvalidField):
        ell.Ell(0x86, None, None, skipped=bytes(256)).encode()


def test_network_layer_is_stepped_over() -> None:
    layer = nwl.parse(bytes.fromhex("811D72"))
    assert (layer.routing, layer.size, layer.encode().hex()) == (0x1D, 2, "811d")
    with pytest.raises(Incomplete):
        nwl.parse(b"\x81")


def test_a_payload_that_looks_plain_by_chance_is_decrypted_nevertheless() -> None:
    # Of 65536 session numbers one has a keystream whose CRC is such that the encrypted CRC fits, too.
    payload, sender = bytes.fromhex("780C1427048502"), FRAME.address.raw
    session = ell.Ell(0x8D, 0xA0, 1, session_number=1 << 29 | 33167, payload_crc=0)
    layer, sealed = ell.seal_payload(session, payload, sender, KEY)
    assert ell.open_payload(layer, sealed, sender, []) == (Outcome.ALREADY_DECRYPTED, sealed)
    assert ell.open_payload(layer, sealed, sender, [KEY]) == (Outcome.DECRYPTED, payload)
