"""DIB examples of EN 13757-3 Annex F, OMS Vol. 2 Annex G and K; limits from the DIFE layout."""

import pytest

from protocol.dif import (
    DATA_FIELDS,
    MAX_STORAGE,
    MAX_SUBUNIT,
    MAX_TARIFF,
    Coding,
    Dib,
    Function,
    encode_dib,
    parse_dib,
)
from protocol.errors import InvalidField


@pytest.mark.parametrize(
    ("dib_hex", "storage", "tariff", "subunit", "function", "data_field"),
    [
        ("0C", 0, 0, 0, Function.INSTANTANEOUS, 0xC),
        ("42", 1, 0, 0, Function.INSTANTANEOUS, 0x2),
        ("21", 0, 0, 0, Function.MINIMUM, 0x1),
        ("31", 0, 0, 0, Function.ERROR, 0x1),
        ("8904", 8, 0, 0, Function.INSTANTANEOUS, 0x9),
        ("CC04", 9, 0, 0, Function.INSTANTANEOUS, 0xC),
        ("8206", 12, 0, 0, Function.INSTANTANEOUS, 0x2),
        ("818040", 0, 0, 2, Function.INSTANTANEOUS, 0x1),
        ("8130", 0, 3, 0, Function.INSTANTANEOUS, 0x1),
        ("9201", 2, 0, 0, Function.MAXIMUM, 0x2),
    ],
)
def test_printed_blocks_decode_and_encode(
    dib_hex: str, storage: int, tariff: int, subunit: int, function: Function, data_field: int
) -> None:
    dib = parse_dib(bytes.fromhex(dib_hex))
    assert (dib.storage, dib.tariff, dib.subunit) == (storage, tariff, subunit)
    assert (dib.function, dib.data_field.code) == (function, data_field)
    assert not dib.register_number
    assert encode_dib(dib) == bytes.fromhex(dib_hex)


def test_largest_numbers_need_ten_difes() -> None:
    dib = Dib(DATA_FIELDS[4], Function.MAXIMUM, MAX_STORAGE, MAX_TARIFF, MAX_SUBUNIT)
    block = encode_dib(dib)
    assert block == bytes([0xD4]) + b"\xff" * 9 + b"\x7f"
    assert parse_dib(block) == dib


def test_last_dife_00_marks_a_register_number() -> None:
    dib = parse_dib(bytes.fromhex("8C8400"))
    assert dib.storage == 8
    assert dib.register_number
    assert encode_dib(dib) == bytes.fromhex("8C8400")
    assert not parse_dib(bytes.fromhex("8C00")).register_number


def test_eleventh_dife_is_flagged_and_ignored() -> None:
    dib = parse_dib(b"\x81" + b"\x80" * 10 + b"\x0f")
    assert dib.too_many_dife
    assert dib.storage == 0


@pytest.mark.parametrize(
    "dib",
    [
        Dib(DATA_FIELDS[4], storage=MAX_STORAGE + 1),
        Dib(DATA_FIELDS[4], tariff=-1),
        Dib(DATA_FIELDS[4], subunit=MAX_SUBUNIT + 1),
        Dib(DATA_FIELDS[4], register_number=True),
    ],
)
def test_numbers_that_do_not_fit_are_refused(dib: Dib) -> None:
    with pytest.raises(InvalidField):
        encode_dib(dib)


def test_every_data_field_is_at_its_code() -> None:
    assert [field.code for field in DATA_FIELDS] == list(range(16))
    assert {field.length_bytes for field in DATA_FIELDS if field.coding is Coding.BCD} == {1, 2, 3, 4, 6}
