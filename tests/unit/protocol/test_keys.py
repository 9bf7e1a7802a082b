"""Which keys fit which address."""

import timeit

import pytest

from protocol import address
from protocol.ciphers import SecretKey
from protocol.keys import Keyring, KeyRow

METER = address.build("ELS", "12345678", 51, 3)


def key(number: int) -> SecretKey:
    return SecretKey(number.to_bytes(16, "big"))


def test_exact_rows_come_before_wildcards() -> None:
    ring = Keyring(
        [
            KeyRow("*", key=key(1)),
            KeyRow("1234*", key=key(2), name="street"),
            KeyRow("12345678", key=key(3), name="gas cellar"),
            KeyRow("12345678", key=key(4)),
            KeyRow("12345679", key=key(5)),
            KeyRow("12345678", key=key(3)),
        ]
    )
    assert ring.candidates(METER).keys == (key(3), key(4), key(1), key(2))
    assert ring.candidates(METER).name == "gas cellar"
    assert len(ring) == 6


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        (KeyRow("12345678"), True),
        (KeyRow("12345678", "ELS", 51, 3), True),
        (KeyRow("12345678", "els"), True),
        (KeyRow("12345678", "XYZ"), False),
        (KeyRow("12345678", version=52), False),
        (KeyRow("12345678", device_type=4), False),
        (KeyRow("*5678", "ELS"), True),
        (KeyRow("12*78"), True),
        (KeyRow("1*3*8"), True),
        (KeyRow("12345678*"), True),
        (KeyRow("*", "ELS", 51, 3), True),
        (KeyRow("*", "XYZ"), False),
        (KeyRow("2*"), False),
        (KeyRow("*", excluded=("12345678",)), False),
        (KeyRow("*", excluded=("1234*",)), False),
        (KeyRow("*", excluded=("9*",)), True),
    ],
)
def test_rows(row: KeyRow, fits: bool) -> None:
    assert Keyring([row]).rows(METER) == ([row] if fits else [])


def test_unknown_version_fits_only_rows_for_any() -> None:
    sender = address.from_link(METER.raw, order="id_only")
    assert Keyring([KeyRow("12345678", version=51)]).rows(sender) == []
    assert len(Keyring([KeyRow("12345678", "ELS")]).rows(sender)) == 1


def test_hex_digits_in_either_case() -> None:
    device = address.build("ELS", "12AB34CD", 1, 3)
    assert Keyring([KeyRow("12AB34CD", key=key(1))]).candidates(device).keys == (key(1),)
    assert Keyring([KeyRow("12ab*CD", key=key(1))]).candidates(device).keys == (key(1),)


def test_without_an_address_only_rows_for_all_fit() -> None:
    ring = Keyring([KeyRow("12345678", key=key(1)), KeyRow("*", "ELS", key=key(2)), KeyRow("*", key=key(3))])
    assert ring.candidates(None).keys == (key(3),)
    assert ring.candidates(None).name is None


def test_rows_without_a_key_give_only_their_name() -> None:
    ring = Keyring([KeyRow("12345678", name="attic")])
    assert ring.candidates(METER).keys == ()
    assert ring.candidates(METER).name == "attic"


@pytest.mark.parametrize(
    "pattern", ["", "1234567", "123456789", "1234567g", "12.*", "?2345678", "x*", " 12345678"]
)
def test_ids_that_are_none(pattern: str) -> None:
    with pytest.raises(ValueError, match="an id has 8 hex digits"):
        Keyring([KeyRow(pattern)])
    with pytest.raises(ValueError, match="an id has 8 hex digits"):
        Keyring([KeyRow("*", excluded=(pattern,))])


def test_nothing_secret_is_shown() -> None:
    secret = SecretKey(bytes.fromhex("A1B2C3D4E5F60718293A4B5C6D7E8F90"))
    row = KeyRow("12345678", key=secret)
    assert "a1b2" not in (repr(row) + repr(Keyring([row])) + str(Keyring([row]))).lower()


def test_looking_up_takes_no_longer_with_many_meters() -> None:
    few = Keyring(KeyRow(f"{number:08}", key=key(number)) for number in range(10))
    many = Keyring(KeyRow(f"{number:08}", key=key(number)) for number in range(10_000))
    device = address.build("ELS", "00000005", 1, 3)
    of_few = min(timeit.repeat(lambda: few.candidates(device), number=200, repeat=5))
    of_many = min(timeit.repeat(lambda: many.candidates(device), number=200, repeat=5))
    assert of_many < of_few * 10
