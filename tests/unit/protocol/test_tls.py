"""TLS records by name; layouts of RFC 5246."""

import pytest

from protocol.tls import TlsRecord, records

CLIENT_HELLO = bytes.fromhex("0100000403030102")


def record(kind: int, content: bytes, version: str = "0303") -> bytes:
    return bytes((kind,)) + bytes.fromhex(version) + len(content).to_bytes(2, "big") + content


def test_plain_handshakes() -> None:
    server = bytes.fromhex("020000020303" + "0B000001AA" + "0E000000")
    assert records(record(22, CLIENT_HELLO)) == (
        TlsRecord("handshake", "TLS 1.2", 8, ("client_hello",), True),
    )
    assert records(record(22, server))[0].handshakes == ("server_hello", "certificate", "server_hello_done")


def test_several_records() -> None:
    data = record(20, b"\x01") + record(22, bytes(40)) + record(23, bytes(33)) + record(21, b"\x01\x00")
    found = records(data)
    assert [entry.type for entry in found] == [
        "change_cipher_spec",
        "handshake",
        "application_data",
        "alert",
    ]
    assert [entry.length for entry in found] == [1, 40, 33, 2]


@pytest.mark.parametrize("content", [bytes.fromhex("14" + "A7" * 39), bytes.fromhex("0100000503030102")])
def test_encrypted_handshakes_are_not_named(content: bytes) -> None:
    assert records(record(22, content))[0].handshakes == ()


def test_record_longer_than_the_message() -> None:
    # The configuration field saturates at 255 bytes; the record tells its real length.
    found = records(record(23, bytes(400))[:200])
    assert found == (TlsRecord("application_data", "TLS 1.2", 400, (), False),)


@pytest.mark.parametrize("data", ["", "1603", "2F2F0C1427", "1602FE000100", "9903030001AA"])
def test_no_records(data: str) -> None:
    assert records(bytes.fromhex(data)) == ()
