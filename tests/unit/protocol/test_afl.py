"""Authentication and fragmentation layer; the first rows are bytes of OMS Vol. 2 Annex N."""

import pytest

from protocol import afl
from protocol.afl import Afl
from protocol.errors import Incomplete, InvalidField


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            "900F002C25B30A000021924D4F2FB66E01",
            Afl(0x2C00, 0x25, None, 2739, bytes.fromhex("21924D4F2FB66E01"), None),
        ),
        ("9009017865B30A00005600", Afl(0x7801, 0x65, None, 2739, None, 86)),
        ("90020240", Afl(0x4002)),
        ("900A0304BE47ED4C9CC11A78", Afl(0x0403, mac=bytes.fromhex("BE47ED4C9CC11A78"))),
        ("90050170405D00", Afl(0x7001, 0x40, message_length=93)),
        # All fields at once: not printed anywhere, order as the layout of the layer says.
        (
            "9013" + "003E" + "75" + "1005" + "B30A0000" + "0102030405060708" + "1000",
            Afl(0x3E00, 0x75, 0x0510, 2739, bytes.fromhex("0102030405060708"), 16),
        ),
        ("90020000", Afl(0)),
    ],
)
def test_fields_both_ways(data: str, expected: Afl) -> None:
    raw = bytes.fromhex(data)
    assert afl.parse(b"\xff" + raw + b"\x7a", 1) == expected
    assert expected.encode() == raw
    assert expected.size == len(raw)
    for length in range(1, len(raw)):
        with pytest.raises(Incomplete):
            afl.parse(raw[:length])


def test_key_information() -> None:
    layer = afl.parse(bytes.fromhex("9004" + "0002" + "1305"))
    assert (layer.key_version, layer.key_derivation, layer.key_number) == (5, 1, 3)
    without = Afl(0)
    assert (without.key_version, without.key_derivation, without.key_number) == (None, None, None)


@pytest.mark.parametrize(
    "data",
    [
        "900000",  # no room for the control field
        "90010000",
        "9003000000",  # a byte that no field explains
        "90020020",  # MCL announced, not there
        "90020002",  # KI
        "90020008",  # MCR
        "90020004",  # MAC
        "90020010",  # ML
        "90020014",  # MAC and ML: the lengths must not make up for each other
        "9004001400" + "00",
        "900500240000" + "00",  # authentication type 0 has no MAC
        "900C002425" + "00" * 9,  # authentication type 5 has 8 bytes
        "900F002C26B30A000021924D4F2FB66E01",  # authentication type 6 has 12
        "9007000400" + "00" * 4,  # no type has 5
    ],
)
def test_lying_lengths(data: str) -> None:
    with pytest.raises(InvalidField) as caught:
        afl.parse(bytes.fromhex(data) + bytes(20))
    assert caught.value.layer == "afl"
    assert caught.value.reason in ("length_invalid", "length_mismatch")


@pytest.mark.parametrize(
    ("authentication_type", "mac_bytes"), [(3, 2), (4, 4), (5, 8), (6, 12), (7, 16), (8, 12), (9, 16)]
)
def test_build(authentication_type: int, mac_bytes: int) -> None:
    layer = afl.build(authentication_type=authentication_type, message_counter=1)
    assert (layer.control, layer.message_control) == (0x2C00, 0x20 | authentication_type)
    assert layer.mac == bytes(mac_bytes)
    assert afl.parse(layer.encode()) == layer


def test_build_of_a_gateway_is_the_annex_n_header() -> None:
    layer = afl.build(authentication_type=5, message_counter=2739)
    assert layer.encode() == bytes.fromhex("900F002C25B30A0000") + bytes(8)


@pytest.mark.parametrize("authentication_type", [1, 2, 10, 15, 16, -1])
def test_reserved_authentication_types(authentication_type: int) -> None:
    with pytest.raises(InvalidField):
        afl.build(authentication_type=authentication_type)


def test_values_out_of_range() -> None:
    with pytest.raises(InvalidField):
        afl.build(authentication_type=0, message_counter=1 << 32).encode()
    with pytest.raises(InvalidField):
        afl.build(authentication_type=0, message_length=1 << 16).encode()


@pytest.mark.parametrize("sizes", [(), (10,), (5, 4), (5, 6), (10, 0), (1,) * 256])
def test_fragment_sizes_must_add_up(sizes: tuple[int, ...]) -> None:
    with pytest.raises(InvalidField):
        afl.fragment(afl.build(authentication_type=0, message_length=10), bytes(10), sizes)
