"""Security modes beyond the printed examples.

Modes 2 and 10: constructed vectors, their ciphers confirmed on field telegrams. The rest is built
by the sealing side and opened again, after Annex N has proven both sides.
"""

from dataclasses import replace

import pytest

from protocol import address, afl, cipher_inputs, configuration, ell, link, security, transport
from protocol.afl import Afl
from protocol.ciphers import SecretKey
from protocol.configuration import Configuration
from protocol.errors import InvalidField, ProtocolError, Unsupported
from protocol.outcome import Outcome
from protocol.sealing import seal_message
from protocol.transport import TransportHeader

MASTER = SecretKey(bytes(range(16)))
WRONG = SecretKey(bytes(16))
METER = address.build("ELS", "12345678", 51, 3)
RECORDS = bytes.fromhex("0C1427048502046D32371F1502FD170000")


def short(secured: Configuration, access_number: int = 0x75) -> TransportHeader:
    return transport.build(0x7A, access_number, 0, secured)


def opened(
    header: TransportHeader,
    message: bytes,
    *keys: SecretKey,
    layer: Afl | None = None,
    strict: bool = False,
) -> security.Opened:
    return security.open_message(header, message, keys=keys, meter=METER, afl=layer, strict=strict)


# Mode 2: DES-CBC with an initial vector of zeros.

DES = SecretKey(bytes.fromhex("133457799BBCDFF1"))
DES_FRAME = link.parse(bytes.fromhex("1E4493157856341233037A2A001002AD827A3EEF10CC2AFAE32921CC8759A4"))


def test_mode_2() -> None:
    header = transport.parse(DES_FRAME.payload)
    found = opened(header, DES_FRAME.payload, DES)
    assert found.outcome is Outcome.DECRYPTED
    assert found.plaintext == bytes.fromhex("0C1427048502") + b"\x2f" * 8
    assert not found.authenticated
    assert seal_message(header, bytes.fromhex("0C1427048502"), key=DES)[0] == DES_FRAME.payload
    assert opened(header, DES_FRAME.payload).outcome is Outcome.KEY_MISSING
    # A key for AES is no candidate for DES.
    assert opened(header, DES_FRAME.payload, MASTER).outcome is Outcome.KEY_MISSING
    assert opened(header, DES_FRAME.payload, SecretKey(bytes(8))).outcome is Outcome.KEY_WRONG


def test_mode_2_has_no_mac() -> None:
    header = transport.parse(DES_FRAME.payload)
    layer = afl.build(authentication_type=5, message_counter=1)
    found = opened(header, DES_FRAME.payload, DES, layer=layer)
    assert (found.outcome, found.problem) == (Outcome.DECRYPTED, "authentication_unsupported")
    assert not found.authenticated
    with pytest.raises(Unsupported):
        seal_message(header, RECORDS, key=DES, meter=METER, afl=layer)


# Mode 10: AES-128-CCM.

CCM_FRAME = link.parse(
    bytes.fromhex(
        "304493157856341233038C20757A7500112A1001B30A0000C882038E223BBC1091CEB8C0A1009D388A5AF7883A5B5A7FD6"
    )
)
CCM_MESSAGE = CCM_FRAME.payload[3:]


def test_mode_10() -> None:
    header = transport.parse(CCM_MESSAGE)
    found = opened(header, CCM_MESSAGE, MASTER)
    assert (found.outcome, found.plaintext, found.authenticated) == (Outcome.DECRYPTED, RECORDS, True)
    assert security.profile(header, None) == "D"
    assert seal_message(header, RECORDS, key=MASTER, meter=METER)[0] == CCM_MESSAGE


@pytest.mark.parametrize("position", [*range(8, 8 + 25), 1])
def test_mode_10_notices_every_altered_byte(position: int) -> None:
    altered = bytearray(CCM_MESSAGE)
    altered[position] ^= 0x20
    header = transport.parse(bytes(altered))
    assert opened(header, bytes(altered), MASTER).outcome is Outcome.KEY_WRONG
    assert opened(header, bytes(altered)).outcome is Outcome.KEY_MISSING


@pytest.mark.parametrize("announced", [17, 255])
def test_mode_10_long_header(announced: int) -> None:
    secured = configuration.build(
        10, message_counter=5, encrypted_bytes=announced, key_derivation=1, tag_length=1
    )
    header = transport.build(0x72, 1, 0, secured, meter=METER)
    message, _ = seal_message(header, RECORDS, key=MASTER, meter=METER)
    assert opened(header, message, MASTER).plaintext == RECORDS


def test_mode_10_partial_and_persistent() -> None:
    secured = configuration.build(10, message_counter=5, encrypted_bytes=4, tag_length=1)
    header = short(secured)
    message, _ = seal_message(header, RECORDS, key=MASTER, meter=METER)
    assert message.endswith(RECORDS[4:])
    found = opened(header, message, WRONG, MASTER)
    assert (found.outcome, found.plaintext) == (Outcome.DECRYPTED, RECORDS)
    assert opened(header, message, WRONG).plaintext == RECORDS[4:]


def test_mode_10_with_an_unknown_tag_length() -> None:
    header = short(configuration.build(10, message_counter=5, encrypted_bytes=4, tag_length=2))
    found = opened(header, header.encode() + bytes(20), MASTER)
    assert (found.outcome, found.problem) == (Outcome.UNSUPPORTED, "tag_length_unsupported")
    with pytest.raises(Unsupported):
        seal_message(header, RECORDS, key=MASTER, meter=METER)


@pytest.mark.parametrize("cut", range(1, 26))
def test_mode_10_cut(cut: int) -> None:
    header = transport.parse(CCM_MESSAGE)
    assert opened(header, CCM_MESSAGE[:-cut], MASTER).outcome is Outcome.INCOMPLETE


# Modes 4, 5 and 7.


def test_mode_4() -> None:
    header = short(configuration.build(4, encrypted_blocks=2))
    message, _ = seal_message(header, RECORDS, key=MASTER)
    assert message[header.size :] == MASTER.cbc_encrypt(b"\x2f\x2f" + RECORDS + b"\x2f" * 13, bytes(16))
    assert opened(header, message, MASTER).plaintext == RECORDS + b"\x2f" * 13


@pytest.mark.parametrize("mode", [4, 5])
def test_all_remaining_bytes_encrypted(mode: int) -> None:
    header = short(configuration.build(mode, encrypted_blocks=15))
    message, _ = seal_message(header, RECORDS * 5, key=MASTER, meter=METER)
    assert (len(message) - header.size) % 16 == 0
    found = opened(header, message, MASTER)
    assert found.plaintext.rstrip(b"\x2f") == RECORDS * 5
    assert opened(header, message[:-1], MASTER).outcome is Outcome.INCOMPLETE


@pytest.mark.parametrize("mode", [2, 4, 5, 7])
def test_nothing_encrypted(mode: int) -> None:
    header = short(configuration.parse(bytes((0, mode, 0x10))))
    message, _ = seal_message(header, RECORDS)
    assert message == header.encode() + RECORDS
    found = opened(header, message)
    assert (found.outcome, found.plaintext, found.region) == (Outcome.PLAIN, RECORDS, b"")


def test_mode_5_needs_the_meter_address() -> None:
    header = short(configuration.build(5, encrypted_blocks=2))
    found = security.open_message(header, header.encode() + bytes(32), keys=[MASTER])
    assert (found.outcome, found.problem) == (Outcome.UNSUPPORTED, "address_missing")


def sealed_mode_7(**values: int) -> tuple[TransportHeader, bytes, Afl]:
    secured = configuration.build(7, encrypted_blocks=2, key_derivation=1, **values)
    layer = afl.build(authentication_type=5, message_counter=2739)
    header = short(secured)
    message, sealed = seal_message(header, RECORDS, key=MASTER, meter=METER, afl=layer)
    assert sealed is not None
    return header, message, sealed


@pytest.mark.parametrize(("authentication_type", "mac_bytes"), [(3, 2), (4, 4), (5, 8), (6, 12), (7, 16)])
def test_every_length_of_mac(authentication_type: int, mac_bytes: int) -> None:
    header, _, _ = sealed_mode_7()
    layer = afl.build(authentication_type=authentication_type, message_counter=2739)
    message, sealed = seal_message(header, RECORDS, key=MASTER, meter=METER, afl=layer)
    assert sealed is not None
    assert len(sealed.mac or b"") == mac_bytes
    assert opened(header, message, MASTER, layer=sealed).authenticated
    forged = replace(sealed, mac=(sealed.mac or b"")[:-1] + b"\0")
    assert opened(header, message, MASTER, layer=forged).outcome is Outcome.MAC_MISMATCH


def test_a_mac_of_the_wrong_length_does_not_fit() -> None:
    header, message, layer = sealed_mode_7()
    cut = replace(layer, mac=(layer.mac or b"")[:2])
    assert opened(header, message, MASTER, layer=cut).outcome is Outcome.MAC_MISMATCH


def test_gmac_is_not_verified() -> None:
    header, message, layer = sealed_mode_7()
    gmac = replace(layer, message_control=0x28, mac=bytes(12))
    found = opened(header, message, MASTER, layer=gmac)
    assert (found.outcome, found.authenticated) == (Outcome.DECRYPTED, False)
    assert found.problem == "authentication_unsupported"


def test_right_key_and_malformed_content() -> None:
    header, _, layer = sealed_mode_7()
    kenc, kmac = MASTER.derive_pair(0x00, 2739, METER.raw[2:6])
    malformed = header.encode() + kenc.cbc_encrypt(bytes(32), bytes(16))
    mac = kmac.cmac(bytes((0x25,)) + (2739).to_bytes(4, "little") + malformed)[:8]
    found = opened(header, malformed, MASTER, layer=replace(layer, mac=mac))
    assert (found.outcome, found.authenticated) == (Outcome.DECRYPTED, True)
    assert (found.plaintext, found.problem) == (b"", "content_malformed")


def test_counter_of_the_transport_header_goes_first() -> None:
    header, message, layer = sealed_mode_7()
    secured = configuration.build(7, message_counter=99, encrypted_blocks=2, key_derivation=1)
    other = short(secured)
    message, sealed = seal_message(other, RECORDS, key=MASTER, meter=METER, afl=layer)
    assert sealed is not None
    assert cipher_inputs.CipherInputs(other, METER, sealed).counter == 99
    assert cipher_inputs.CipherInputs(header, METER, sealed).counter == 2739
    assert opened(other, message, MASTER, layer=sealed).authenticated


def test_no_counter() -> None:
    header, message, _ = sealed_mode_7()
    found = opened(header, message, MASTER)
    assert (found.outcome, found.problem) == (Outcome.UNSUPPORTED, "counter_missing")
    assert opened(header, message).outcome is Outcome.KEY_MISSING


def test_reserved_key_derivation() -> None:
    header = short(configuration.build(7, encrypted_blocks=1, key_derivation=2))
    found = opened(header, header.encode() + bytes(16), MASTER)
    assert (found.outcome, found.problem) == (Outcome.UNSUPPORTED, "key_derivation_reserved")


def test_persistent_key_in_mode_7() -> None:
    header = short(configuration.build(7, encrypted_blocks=2, key_derivation=0))
    message, _ = seal_message(header, RECORDS, key=MASTER, meter=METER)
    assert message[header.size :] == MASTER.cbc_encrypt(b"\x2f\x2f" + RECORDS + b"\x2f" * 13, bytes(16))
    assert opened(header, message, MASTER).plaintext.startswith(RECORDS)


def test_transport_padding() -> None:
    header, message, layer = sealed_mode_7(padding=1)
    found = opened(header, message, MASTER, layer=layer)
    assert found.plaintext == RECORDS
    assert found.region == b"\x2f\x2f" + RECORDS + bytes((13,)) * 13


def test_messages_to_the_device_have_their_own_keys() -> None:
    secured = configuration.build(7, encrypted_blocks=2, key_derivation=1)
    header = transport.build(0x5B, 1, 0x17, secured, meter=METER)
    layer = afl.build(authentication_type=5, message_counter=0x0AF0)
    message, sealed = seal_message(header, RECORDS, key=MASTER, meter=METER, afl=layer)
    lenc = SecretKey(bytes.fromhex("C80712E720025DB9B4B50819C2445035"))  # Annex N.11
    assert message[header.size :] == lenc.cbc_encrypt(b"\x2f\x2f" + RECORDS + b"\x2f" * 13, bytes(16))
    assert opened(header, message, MASTER, layer=sealed).authenticated


def test_plain_message_with_mac() -> None:
    header = short(configuration.build(0))
    layer = afl.build(authentication_type=5, message_counter=1)
    message, sealed = seal_message(header, RECORDS, key=MASTER, meter=METER, afl=layer)
    assert opened(header, message, MASTER, layer=sealed).authenticated
    unknown = opened(header, message, layer=sealed)
    assert (unknown.outcome, unknown.authenticated, unknown.plaintext) == (Outcome.PLAIN, False, RECORDS)
    forged = opened(header, message + b"\0", MASTER, layer=sealed)
    assert (forged.outcome, forged.plaintext) == (Outcome.MAC_MISMATCH, RECORDS + b"\0")


# Messages that someone decrypted before.


@pytest.mark.parametrize("mode", [5, 7])
def test_already_decrypted(mode: int) -> None:
    values = {"key_derivation": 1} if mode == 7 else {}
    header = short(configuration.build(mode, encrypted_blocks=2, **values))
    layer = afl.build(authentication_type=5, message_counter=1) if mode == 7 else None
    body = b"\x2f\x2f" + RECORDS + b"\x2f" * 13 + b"tail"
    message = header.encode() + body
    for keys in ((), (WRONG,)):
        found = opened(header, message, *keys, layer=layer)
        assert (found.outcome, found.plaintext) == (Outcome.ALREADY_DECRYPTED, body[2:])
        assert not found.authenticated
        strict = opened(header, message, *keys, layer=layer, strict=True)
        assert strict.outcome is (Outcome.KEY_WRONG if keys else Outcome.KEY_MISSING)
        assert strict.plaintext == b"tail"


# What is only recognised.


@pytest.mark.parametrize("mode", [1, 3, 6, 8, 9, 11, 12, 13, 14, 15, *range(16, 32)])
def test_unsupported_modes(mode: int) -> None:
    header = short(configuration.parse(bytes((0x20, mode, 0x00))))
    message = header.encode() + bytes(40)
    found = opened(header, message, MASTER)
    assert (found.outcome, found.plaintext) == (Outcome.UNSUPPORTED, b"")
    assert found.problem == "security_mode_unsupported"
    with pytest.raises(Unsupported):
        seal_message(header, RECORDS, key=MASTER, meter=METER)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("D0" + "0102", "ci_unknown"),
        ("A2" + "0102", "manufacturer_specific"),
        ("8C" + "0102", "layer_unexpected"),
        ("CF" + "0102", "layer_unexpected"),
    ],
)
def test_ci_fields_without_a_known_header(data: str, problem: str) -> None:
    message = bytes.fromhex(data)
    header = transport.parse(message)
    found = opened(header, message, MASTER)
    assert (found.outcome, found.problem) == (Outcome.UNSUPPORTED, problem)
    assert found.plaintext.hex() == "0102"
    assert seal_message(header, found.plaintext)[0] == message


def test_data_in_the_place_of_the_configuration_field() -> None:
    # A maker with its own address order sends records right behind the status byte.
    message = bytes.fromhex("7A2A00" + "0C1327048502")
    header = transport.parse(message)
    assert header.mode == 19
    found = security.open_message(header, message, vendor_order=True)
    assert (found.outcome, found.candidate.hex()) == (Outcome.UNSUPPORTED, "0c1327048502")
    assert security.open_message(header, message).candidate == b""


@pytest.mark.parametrize(
    ("ci", "mode", "has_mac", "name"),
    [
        (0x7A, 0, False, "none"),
        (0x7A, 5, False, "A"),
        (0x7A, 7, True, "B"),
        (0x7A, 7, False, None),
        (0x7A, 13, False, "C"),
        (0x9E, 0, True, "C"),
        (0x7A, 10, False, "D"),
        (0x7A, 4, False, None),
        (0x7A, 15, False, None),
    ],
)
def test_profiles(ci: int, mode: int, has_mac: bool, name: str | None) -> None:
    header = transport.parse(bytes((ci, 0, 0, 0, mode)) + bytes(8))
    layer = afl.build(authentication_type=5) if has_mac else None
    assert security.profile(header, layer) == name


def test_whose_message_it_is() -> None:
    gateway = address.build("XYZ", "33445566", 10, 0x31)
    extended = ell.Ell(0x8E, 0x84, 1, METER)
    up, down = transport.parse(bytes.fromhex("7A00000000")), transport.parse(bytes.fromhex("5A00000000"))
    long = transport.build(0x72, 0, 0, configuration.build(0), meter=METER)
    assert cipher_inputs.meter_address(up, METER, None) == METER
    assert cipher_inputs.meter_address(up, None, None) is None
    assert cipher_inputs.meter_address(down, gateway, None) is None
    assert cipher_inputs.meter_address(down, gateway, extended) == METER
    assert cipher_inputs.meter_address(long, gateway, None) == METER


@pytest.mark.parametrize("mode", [2, 4, 5, 7, 10])
def test_sealing_needs_a_fitting_key(mode: int) -> None:
    header = short(configuration.parse(bytes((0x10, mode | 0x20, 0x10, 0x01)) + bytes(4)))
    for key in (None, MASTER if mode == 2 else DES):
        with pytest.raises(InvalidField) as caught:
            seal_message(header, RECORDS, key=key, meter=METER)
        assert caught.value.reason == "key_missing"


def test_sealing_without_an_address() -> None:
    with pytest.raises(ProtocolError):
        seal_message(short(configuration.build(5, encrypted_blocks=1)), RECORDS, key=MASTER)


def test_results_do_not_show_the_key() -> None:
    header, message, layer = sealed_mode_7()
    assert "0001020304" not in repr(opened(header, message, MASTER, layer=layer)).replace("\\x", "")
