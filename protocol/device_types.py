"""Device types: the medium or kind of a device, one byte of every address.

Codes 39h-FEh are reserved; FFh is the wildcard of secondary addressing, not a type.

Source: OMS Vol. 2 Issue 5.0.1, Tables 2-4; EN 13757-7.
"""

from __future__ import annotations

from typing import Final

DEVICE_TYPES: Final = {
    0x00: "other",
    0x01: "oil",
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat (outlet)",
    0x05: "steam",
    0x06: "warm water",
    0x07: "water",
    0x08: "heat cost allocator",
    0x09: "compressed air",
    0x0A: "cooling (outlet)",
    0x0B: "cooling (inlet)",
    0x0C: "heat (inlet)",
    0x0D: "combined heat/cooling",
    0x0E: "bus/system component",
    0x0F: "unknown",
    0x10: "irrigation water",
    0x11: "water data logger",
    0x12: "gas data logger",
    0x13: "gas converter",
    0x14: "calorific value",
    0x15: "hot water",
    0x16: "cold water",
    0x17: "dual register hot/cold water",
    0x18: "pressure",
    0x19: "A/D converter",
    0x1A: "smoke alarm device",
    0x1B: "room sensor",
    0x1C: "gas detector",
    0x1D: "carbon monoxide alarm",
    0x1E: "heat alarm",
    0x1F: "sensor",
    0x20: "breaker (electricity)",
    0x21: "valve (gas or water)",
    0x25: "customer unit",
    0x28: "waste water",
    0x29: "garbage",
    0x31: "communication controller",
    0x32: "unidirectional repeater",
    0x33: "bidirectional repeater",
    0x36: "radio converter (system side)",
    0x37: "radio converter (meter side)",
    0x38: "wired adapter",
}
"""The assigned device types."""

TECHEM_TYPES: Final = {
    0x43: "heat (Techem)",
    0x62: "warm water (Techem)",
    0x72: "cold water (Techem)",
    0x80: "heat cost allocator (Techem)",
    0xC3: "heat (Techem)",
    0xF0: "smoke alarm device (Techem)",
}
"""Codes that one maker, TCH, uses although they are reserved; from field telegrams."""

RESERVED_RANGES: Final = (
    (0x22, 0x24, "reserved switching device"),
    (0x26, 0x27, "reserved customer unit"),
    (0x2A, 0x2A, "reserved carbon dioxide"),
    (0x2B, 0x2F, "reserved environmental device"),
    (0x30, 0x30, "reserved system device"),
    (0x34, 0x35, "reserved system device"),
    (0x39, 0x3F, "reserved system device"),
    (0x40, 0xFE, "reserved"),
    (0xFF, 0xFF, "wildcard"),
)

_RESERVED: Final = {code: name for first, last, name in RESERVED_RANGES for code in range(first, last + 1)}
DEVICE_TYPE_NAMES: Final = tuple((_RESERVED | DEVICE_TYPES)[code] for code in range(256))
"""A name for each of the 256 codes."""
