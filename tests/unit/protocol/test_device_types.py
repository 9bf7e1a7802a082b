"""Device types as OMS Vol. 2 Issue 5.0.1, Tables 2-4 list them."""

import json

import pytest

from protocol import address
from protocol.device_types import DEVICE_TYPE_NAMES, DEVICE_TYPES, RESERVED_RANGES
from sdr.output.json_layers import address_text


def test_every_code_has_one_name() -> None:
    assert len(DEVICE_TYPE_NAMES) == 256
    reserved = [code for first, last, _ in RESERVED_RANGES for code in range(first, last + 1)]
    assert sorted([*DEVICE_TYPES, *reserved]) == list(range(256))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x02, "electricity"),
        (0x03, "gas"),
        (0x06, "warm water"),
        (0x07, "water"),
        (0x08, "heat cost allocator"),
        (0x0A, "cooling (outlet)"),
        (0x1A, "smoke alarm device"),
        (0x20, "breaker (electricity)"),
        (0x31, "communication controller"),
        (0x37, "radio converter (meter side)"),
        (0x38, "wired adapter"),
        (0x80, "reserved"),
        (0xFF, "wildcard"),
    ],
)
def test_names(code: int, name: str) -> None:
    assert DEVICE_TYPE_NAMES[code] == name


@pytest.mark.parametrize(
    ("manufacturer", "code", "name"),
    [
        ("TCH", 0x80, "heat cost allocator (Techem)"),
        ("TCH", 0xF0, "smoke alarm device (Techem)"),
        ("TCH", 0x08, "heat cost allocator"),
        ("ELS", 0x80, "reserved"),
    ],
)
def test_reserved_codes_that_techem_uses(manufacturer: str, code: int, name: str) -> None:
    device = address.build(manufacturer, "12345678", 0x69, code)
    assert device.device_type_name == name
    shown = json.loads(f"{{{address_text(device)}}}")
    assert (shown["device_type"], shown["device_type_name"]) == (code, name)
