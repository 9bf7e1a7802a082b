"""Whole telegrams built by hand: each outcome of the contract, each layer that ends the way up."""

import pytest
from telegram_frames import KEY_N, METER, ell_two, framed, keyring, plain_frame

from protocol.decoder import Decoder
from protocol.errors import ProtocolError
from protocol.outcome import Outcome


def test_an_error_may_have_no_code() -> None:
    # M-Bus documentation 4.8: CI 70 with zero, one or more bytes
    telegram = Decoder().decode(bytes.fromhex("680303680805707D16"), is_wired=True)
    assert telegram.problem is None and telegram.content is not None
    assert telegram.content.fields == {"code": None, "name": "unspecified error"}


def test_what_begins_within_a_record_is_not_read() -> None:
    # one block of mode 5 is encrypted, and no filler brings the record in it to its end
    behind = bytes.fromhex("44 9315785634123303 7A2A001025" + "00" * 16 + "0405 0C13 27048502 01")
    telegram = Decoder().decode(framed(behind))
    assert telegram.security.outcome is Outcome.KEY_MISSING
    assert (telegram.readings, telegram.notes) == ((), ("unencrypted_part_unclear",))
    assert telegram.content is not None
    assert telegram.content.plaintext.hex() == "04050c132704850201"


def test_session_encryption_of_the_link() -> None:
    payload = bytes.fromhex("780C1427048502")
    sealed = ell_two(0x20, 0x20000123, KEY_N, payload)
    opened = Decoder(keyring(KEY_N)).decode(sealed)
    assert opened.security.outcome is Outcome.DECRYPTED
    assert str(opened.readings[0].value) == "28504.27"
    for keys, outcome in (((), Outcome.KEY_MISSING), ((bytes(16),), Outcome.KEY_WRONG)):
        telegram = Decoder(keyring(*keys)).decode(sealed)
        assert telegram.security.outcome is outcome
        assert (telegram.header, telegram.content) == (None, None)
        assert telegram.ell == opened.ell
    plain = sealed[:17] + ell_two(0x20, 0x123, None, payload)[17:]
    assert Decoder().decode(plain).security.outcome is Outcome.ALREADY_DECRYPTED
    assert Decoder(strict=True).decode(plain).security.outcome is Outcome.KEY_MISSING
    unencrypted = ell_two(0x20, 0x123, None, payload)
    assert Decoder().decode(unencrypted).security.outcome is Outcome.PLAIN
    damaged = Decoder().decode(unencrypted[:-1] + b"\0")
    assert (damaged.problem, damaged.readings) == (("ell", "payload_crc_mismatch"), ())
    reserved = Decoder(keyring(KEY_N)).decode(sealed[:16] + b"\x40" + sealed[17:])
    assert reserved.security.outcome is Outcome.UNSUPPORTED
    # the AES-CTR vector of a field telegram: its content is a compact frame
    vector = bytes.fromhex(
        "28442D2C7856341233028D207760772920CB5E3D5EF7BAEC24E0CDF4A4265428763B5766BC366FDED8"
    )
    telegram = Decoder(keyring("0102030405060708090A0B0C0D0E0F10")).decode(vector)
    assert telegram.security.outcome is Outcome.DECRYPTED
    assert telegram.content is not None
    assert telegram.content.plaintext.hex() == "7422f58d0b0b00005a0f0000000000000000000000"


def test_records_in_place_of_a_configuration_field() -> None:
    # HYD in vendor order (M, version, type, number): behind status the records follow at once
    head = bytes.fromhex("44 2423 8507 78563490 7A 0100")
    refused = Decoder().decode(framed(head + bytes.fromhex("0C132704")))
    assert refused.frame.address_order == "vendor"  # type: ignore[union-attr]
    assert refused.security.outcome is Outcome.UNSUPPORTED
    assert not refused.readings
    accepted = Decoder().decode(framed(head + bytes.fromhex("0C1327048502")))
    assert (accepted.security.outcome, accepted.problem) == (Outcome.PLAIN, None)
    assert accepted.notes == ("vendor_plain_records",)
    assert [reading.quantity for reading in accepted.readings] == ["volume"]
    # what stands in the place of the mode is a VIF: here energy in kWh, which would be mode 6
    accepted = Decoder().decode(framed(head + bytes.fromhex("0406 10270000 0C1327048502")))
    assert [reading.quantity for reading in accepted.readings] == ["energy", "volume"]
    # scrambled bytes may have the structure of records, but then seldom their sense
    refused = Decoder().decode(framed(head + bytes.fromhex("0CEF13 27048502")))
    assert (refused.security.outcome, refused.readings) == (Outcome.UNSUPPORTED, ())
    # the standard order gives no such licence
    other = Decoder().decode(plain_frame("7A0100", bytes.fromhex("0C1327048502")))
    assert other.security.outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("ci", "outcome", "problem"),
    [
        ("FF", Outcome.UNSUPPORTED, ("security", "ci_unknown")),
        ("A0", Outcome.UNSUPPORTED, ("security", "manufacturer_specific")),
        ("8C20018C2001", Outcome.UNSUPPORTED, ("security", "layer_unexpected")),
        ("8C", Outcome.INCOMPLETE, ("ell", "truncated")),
        ("81", Outcome.INCOMPLETE, ("nwl", "truncated")),
        ("90", Outcome.INCOMPLETE, ("afl", "truncated")),
        ("9002002C", Outcome.INCOMPLETE, ("afl", "length_mismatch")),
        ("7A01", Outcome.INCOMPLETE, ("transport", "truncated")),
        ("7A0100000F", Outcome.UNSUPPORTED, ("security", "security_mode_unsupported")),
        ("6E0100000000", Outcome.PLAIN, None),
        ("6E01000000", Outcome.PLAIN, ("application", "truncated")),
        ("6C7856341293153303010000000900", Outcome.PLAIN, ("application", "function_unknown")),
        ("79", Outcome.PLAIN, ("application", "truncated")),
        ("69020000", Outcome.PLAIN, ("application", "truncated")),
        ("8C2001", Outcome.PLAIN, None),
        ("", Outcome.PLAIN, None),
    ],
)
def test_what_ends_the_way_up(ci: str, outcome: Outcome, problem: tuple[str, str] | None) -> None:
    telegram = Decoder().decode(plain_frame(ci, b""))
    assert (telegram.security.outcome, telegram.problem) == (outcome, problem)
    assert telegram.meter == METER


def test_network_layer_is_stepped_over() -> None:
    telegram = Decoder().decode(plain_frame("811D78", bytes.fromhex("0C1427048502")))
    assert telegram.notes == ("network_layer_skipped",)
    assert len(telegram.readings) == 1


def test_tls_is_named() -> None:
    # mode 13, one application data record of TLS 1.2
    body = bytes.fromhex("7A 01 00 050D 00 17 0303 0002 ABCD")
    telegram = Decoder().decode(plain_frame("", body))
    assert (telegram.security.outcome, telegram.security.profile) == (Outcome.UNSUPPORTED, "C")
    assert telegram.content is not None
    assert telegram.content.fields is not None
    named = telegram.content.fields["tls"]
    assert named == [
        {"type": "application_data", "version": "TLS 1.2", "length": 2, "handshakes": [], "whole": True}
    ]


def test_link_errors_are_the_only_ones_that_raise() -> None:
    for data in (b"", b"\x05", bytes.fromhex("0A44"), bytes.fromhex("0A44FFFF0000000000000078")):
        with pytest.raises(ProtocolError):
            Decoder().decode(data)
