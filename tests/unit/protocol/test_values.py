"""Data types A, B, C, D, H and LVAR of EN 13757-3, their invalid codes, and scaling."""

import math
import struct
from decimal import Decimal

import pytest

from protocol.errors import InvalidField
from protocol.lvar import LVAR, LvarKind, OpaqueVariableLength, VariableLength
from protocol.notes import Note
from protocol.scale import Scale
from protocol.values import (
    Bcd,
    BcdIdentifier,
    BitArray,
    Codec,
    IntegerType,
    NoValue,
    OpaqueBytes,
    Real32,
    SignedInteger,
    UnsignedInteger,
    Value,
)

MILLI = Scale(-3)


@pytest.mark.parametrize(
    ("codec", "raw_hex", "value"),
    [
        (SignedInteger(1), "9C", -100),  # RF level of `21 FD 71 9C`
        (SignedInteger(2), "440D", 3396),
        (SignedInteger(3), "FFFFFF", -1),
        (SignedInteger(6), "010000000080", -(2**47) + 1),
        (SignedInteger(8), "FFFFFFFFFFFFFF7F", 2**63 - 1),
        (SignedInteger(2, MILLI), "18FC", Decimal("-1.000")),
        (UnsignedInteger(1), "9C", 156),
        (UnsignedInteger(2), "FEFF", 0xFFFE),
        (BitArray(2), "FFFF", 0xFFFF),
        (Bcd(4, Scale(-2)), "27048502", Decimal("28504.27")),
        (Bcd(6), "129078563412", 123456789012),
        (Bcd(2), "23F1", -123),
        (Bcd(1), "F9", -9),
        (BcdIdentifier(4), "44332201", "01223344"),
        (Real32(), "0000A040", 5.0),
        (Real32(Scale(3)), "0000A040", 5000.0),
        (OpaqueBytes(3), "01FF7F", "01ff7f"),
        (VariableLength(), "03485225", "%RH"),
        (VariableLength(), "00", ""),
        (VariableLength(), "01B0", "°"),
        (VariableLength(), "E1FE", -2),
        (VariableLength(IntegerType.C), "E1FE", 254),
        (VariableLength(IntegerType.D), "E1FF", 255),
        (VariableLength(scale=MILLI), "E20002", Decimal("0.512")),
        (OpaqueVariableLength(), "03485225", "485225"),
    ],
)
def test_both_ways(codec: Codec, raw_hex: str, value: Value) -> None:
    raw = bytes.fromhex(raw_hex)
    decoded, notes = codec.decode(raw)
    assert decoded == value
    assert type(decoded) is type(value)
    assert notes == ()
    assert codec.encode(value) == raw


@pytest.mark.parametrize(
    ("codec", "raw_hex", "note"),
    [
        (SignedInteger(1), "80", Note.INVALID_VALUE),
        (SignedInteger(2), "0080", Note.INVALID_VALUE),
        (SignedInteger(8), "0000000000000080", Note.INVALID_VALUE),
        (UnsignedInteger(1), "FF", Note.INVALID_VALUE),
        (UnsignedInteger(4), "FFFFFFFF", Note.INVALID_VALUE),
        (Bcd(2), "FFFF", Note.NOT_BCD),
        (Real32(), "0000C07F", Note.INVALID_VALUE),
        (VariableLength(), "E0", Note.NO_DATA),
    ],
)
def test_invalid_codes_both_ways(codec: Codec, raw_hex: str, note: Note) -> None:
    assert codec.decode(bytes.fromhex(raw_hex)) == (None, (note,))
    assert codec.encode(None) == bytes.fromhex(raw_hex)


@pytest.mark.parametrize(
    ("codec", "raw_hex", "decoded"),
    [
        (Bcd(2), "2A12", (None, (Note.NOT_BCD,))),  # A in a digit
        (Bcd(2), "1F12", (None, (Note.NOT_BCD,))),  # F, but not the most significant digit
        (Bcd(2), "00F0", (0, (Note.NEGATIVE_ZERO,))),
        (BcdIdentifier(4), "443322F1", ("f1223344", (Note.NOT_BCD,))),
        (Real32(), "0000807F", (None, (Note.INVALID_VALUE,))),  # infinity
        (VariableLength(), "C22301", (123, ())),
        (VariableLength(scale=MILLI), "D22301", (Decimal("-0.123"), ())),
        (VariableLength(), "D100", (0, (Note.NEGATIVE_ZERO,))),
        (VariableLength(), "D1FA", (None, (Note.NOT_BCD,))),
        (VariableLength(), "C1F1", (None, (Note.NOT_BCD,))),  # no sign digit in positive BCD
        (VariableLength(), "C0", (None, (Note.NO_DATA,))),
        (VariableLength(identifier=True), "C444332201", ("01223344", ())),
        (VariableLength(), "E20080", (None, (Note.INVALID_VALUE,))),
        (VariableLength(), "F0" + "01" + "00" * 15, (1, ())),
        (VariableLength(), "F6" + "01" + "00" * 63, (1, ())),
        (NoValue(1, (Note.NO_DATA,)), "55", (None, (Note.NO_DATA,))),
    ],
)
def test_other_codings_of_a_value(codec: Codec, raw_hex: str, decoded: tuple[Value, object]) -> None:
    assert codec.decode(bytes.fromhex(raw_hex)) == decoded


def test_lengths_of_lvar_are_as_printed() -> None:
    assert LVAR[0xBF] == (LvarKind.TEXT, 0xBF)
    assert LVAR[0xC9] == (LvarKind.POSITIVE_BCD, 9)
    assert LVAR[0xD9] == (LvarKind.NEGATIVE_BCD, 9)
    assert LVAR[0xEF] == (LvarKind.BINARY, 15)
    assert [LVAR[lvar][1] for lvar in range(0xF0, 0xF5)] == [4 * (lvar - 0xEC) for lvar in range(0xF0, 0xF5)]
    assert [LVAR[lvar][1] for lvar in (0xF5, 0xF6)] == [48, 64]
    reserved = set(range(0x100)) - set(LVAR)
    assert reserved == {*range(0xCA, 0xD0), *range(0xDA, 0xE0), *range(0xF7, 0x100)}


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (SignedInteger(1), 200),
        (SignedInteger(1), "7"),
        (SignedInteger(1), True),
        (SignedInteger(1, MILLI), Decimal("0.0001")),
        (SignedInteger(1), Decimal("1E999999")),
        (SignedInteger(1), math.inf),
        (SignedInteger(1), Decimal("NaN")),
        (UnsignedInteger(1), -1),
        (BitArray(1), None),
        (BitArray(1), 256),
        (Bcd(1), 100),
        (Bcd(1), -10),
        (BcdIdentifier(1), "123"),
        (BcdIdentifier(1), 1.5),
        (Real32(), 1e39),
        (Real32(), 10**400),
        (OpaqueBytes(2), "01"),
        (OpaqueBytes(1), "0 1"),
        (OpaqueBytes(1), "zz"),
        (NoValue(0, ()), 1),
        (VariableLength(), "x" * 192),
        (VariableLength(), "€"),
        (VariableLength(), 1 << 512),
        (VariableLength(IntegerType.C), -1),
        (OpaqueVariableLength(), "00" * 192),
    ],
)
def test_values_that_do_not_fit_are_refused(codec: Codec, value: Value) -> None:
    with pytest.raises(InvalidField):
        codec.encode(value)


def test_json_floats_find_their_data() -> None:
    assert Bcd(4, Scale(-2)).encode(28504.27) == bytes.fromhex("27048502")


def test_scale_is_exact_beyond_the_default_precision() -> None:
    number = (1 << 511) - 1
    value = Scale(-3).apply(number)
    assert str(value).replace(".", "") == str(number)
    assert Scale(-3).invert(value) == number


def test_factor_and_constant_apply_in_their_order() -> None:
    assert Scale(-2).times(3).apply(5) == 50
    assert Scale(-2).plus(0).apply(5) == Decimal("1.05")
    assert Scale(0).plus(0).times(3).apply(5) == 6000
    assert Scale(0).times(3).plus(0).apply(5) == 5001
    assert Scale(binary_exponent=-12).apply(4096) == 1
    assert Scale(binary_exponent=-12).apply(1) == Decimal("0.000244140625")


@pytest.mark.parametrize("exponent", [-9, -3, 0, 1, 4])
def test_scaled_real32_finds_its_bits(exponent: int) -> None:
    codec = Real32(Scale(exponent))
    for number in (0.1, 1e-30, 123456.789, -3e38, 1.4e-45):
        raw = struct.pack("<f", number)
        assert codec.encode(codec.decode(raw)[0]) == raw
