"""Ciphers against RFC 4493, NIST SP 800-38A, FIPS 46-3 practice values and OMS Vol. 2 Annex N keys."""

import pickle

import pytest

from protocol.ciphers import SecretKey

NIST = SecretKey(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
TEXT = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
IV = bytes(range(16))
MASTER = SecretKey(bytes(range(16)))
NUMBER = bytes.fromhex("78563412")


def test_cbc_of_nist() -> None:
    sealed = bytes.fromhex(
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
    )
    assert NIST.cbc_encrypt(TEXT, IV) == sealed
    assert NIST.cbc_decrypt(sealed, IV) == TEXT
    assert NIST.cbc_decrypt(sealed[:16], IV) == TEXT[:16]


def test_ctr_of_nist() -> None:
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    sealed = bytes.fromhex(
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
    )
    assert NIST.ctr(TEXT, counter) == sealed
    assert NIST.ctr(sealed[:23], counter) == TEXT[:23]
    assert NIST.ctr(b"", counter) == b""


@pytest.mark.parametrize(
    ("length", "tag"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_cmac_of_rfc_4493(length: int, tag: str) -> None:
    assert NIST.cmac(TEXT[:length]).hex() == tag


@pytest.mark.parametrize(
    ("constant", "counter", "keys"),
    [
        (0x00, 0x0AB3, ("ECCF39D475D730B8284FDFDC1995D52F", "C9CD19FF5A9AAD5A6BBDA13BD2C4C7AD")),
        (0x10, 0x0AF0, ("C80712E720025DB9B4B50819C2445035", "B68594D44212BBBBFD9905CC4021235B")),
        (0x00, 0x0AF1, ("B1F100E8F43BB4480295F1DC4F731655", "2ADD039729C2853E7816C5DE1C21BC69")),
    ],
)
def test_keys_of_annex_n(constant: int, counter: int, keys: tuple[str, str]) -> None:
    found = MASTER.derive_pair(constant, counter, NUMBER)
    assert found == tuple(SecretKey(bytes.fromhex(key)) for key in keys)


def test_derivation_is_cmac_of_one_block() -> None:
    for first in range(0, 128, 2):
        key = SecretKey(bytes((first * 5 & 0xFF,)) * 16)
        block = bytes((first,)) + (first * 77777).to_bytes(4, "little") + NUMBER + b"\x07" * 7
        second = bytes((first + 1,)) + block[1:]
        pair = key.derive_pair(first, first * 77777, NUMBER)
        assert pair == (SecretKey(key.cmac(block)), SecretKey(key.cmac(second)))


def test_des() -> None:
    # The classic worked example of the cipher: key 133457799BBCDFF1.
    key = SecretKey(bytes.fromhex("133457799BBCDFF1"))
    assert key.des_cbc_encrypt(bytes.fromhex("0123456789ABCDEF")).hex().upper() == "85E813540F0AB405"
    assert key.des_cbc_decrypt(bytes.fromhex("85E813540F0AB405")).hex().upper() == "0123456789ABCDEF"
    assert not key.is_aes


def test_ccm_tag() -> None:
    sealed = NIST.ccm_encrypt(b"text", bytes(13), b"head")
    assert len(sealed) == 4 + 8
    assert NIST.ccm_decrypt(sealed, bytes(13), b"head") == b"text"
    assert NIST.ccm_decrypt(sealed, bytes(13), b"tail") is None
    assert NIST.ccm_decrypt(sealed[:7], bytes(13), b"head") is None


@pytest.mark.parametrize("size", [0, 7, 15, 17, 24, 32])
def test_key_sizes(size: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        SecretKey(bytes(size))


def test_a_key_never_shows_itself() -> None:
    material = bytes.fromhex("A1B2C3D4E5F60718293A4B5C6D7E8F90")
    key = SecretKey(material)
    for shown in (repr(key), str(key), f"{key}", repr([key]), key.check_value):
        assert "a1b2" not in shown.lower()
        assert "8f90" not in shown.lower()
    assert key.check_value == MASTER.__class__(material).check_value != MASTER.check_value


def test_keys_travel_to_other_processes() -> None:
    MASTER.cmac(b"")
    MASTER.cbc_decrypt(bytes(16), IV)
    copy = pickle.loads(pickle.dumps(MASTER))
    assert copy == MASTER
    assert copy.cbc_decrypt(bytes(16), IV) == MASTER.cbc_decrypt(bytes(16), IV)
