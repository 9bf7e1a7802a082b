"""Codes whose numbers have names: descriptors of tariffs and subunits, control states, weekdays.

    01 FD 23 xx    what the subunit and the tariff of this record's DIB stand for
    01 FD 1F xx    control state of a valve or breaker
    01 FD 63 xx    day of week
    01 FD 09 xx    device type
    02 FD 0A xxxx  manufacturer

Source: OMS Vol. 2 Annex K (descriptors), Annex M (control states); EN 13757-3 (weekdays).
"""

from __future__ import annotations

from typing import Final

from protocol.address import manufacturer_letters
from protocol.device_types import DEVICE_TYPE_NAMES
from protocol.vif_table import VifCode, VifTable

_OBIS_CHANNELS = {code: f"OBIS group B {code}" for code in range(1, 5)}
_PULSE_INPUTS = {12 + pulse: f"pulse input {pulse}" for pulse in range(1, 9)}
_CONFIGURATIONS = {code: "configuration" for code in range(21, 30)}
_MANUFACTURER = {code: "manufacturer specific" for code in (*range(100, 128), *range(128, 140))}

DESCRIPTORS: Final = {
    0: "main",
    **_OBIS_CHANNELS,
    5: "tariff",
    6: "minimum",
    7: "maximum",
    8: "data logger",
    9: "event logger",
    10: "test",
    11: "calibration",
    12: "adjustment",
    **_PULSE_INPUTS,
    **_CONFIGURATIONS,
    **_MANUFACTURER,
    150: "time of day",
    151: "weekdays",
    152: "days in month",
    160: "temperature difference",
    161: "forward temperature",
    162: "return temperature",
    163: "return temperature threshold",
    164: "flow",
    165: "power",
    190: "energy",
    191: "volume",
    192: "financial",
    210: "combination",
    211: "combination",
    212: "combination",
    230: "positive energy",
    231: "negative energy",
    232: "heating",
    233: "cooling",
    234: "external input 1",
    235: "external input 2",
}
"""Subunit descriptors up to 127, tariff descriptors from 128 on."""

CONTROL_STATES: Final = {0: "closed or disconnected", 1: "open or connected", 2: "released"}

WEEKDAYS: Final = {
    1: "Monday",
    2: "Tuesday",
    3: "Wednesday",
    4: "Thursday",
    5: "Friday",
    6: "Saturday",
    7: "Sunday",
}

_DEVICE_TYPE_VIF: Final = (VifTable.FD, 0x09)
_MANUFACTURER_VIF: Final = (VifTable.FD, 0x0A)
_NAMES: Final = {
    (VifTable.FD, 0x1F): CONTROL_STATES,
    (VifTable.FD, 0x23): DESCRIPTORS,
    (VifTable.FD, 0x63): WEEKDAYS,
}


def code_name(vif: VifCode, value: object) -> str | None:
    """Return the name of a record's value, or None if its numbers have no names."""
    place = (vif.table, vif.code)
    if not isinstance(value, int) or not 0 <= value <= 0xFFFF:
        return None
    if place == _MANUFACTURER_VIF:
        return manufacturer_letters(value)
    if place == _DEVICE_TYPE_VIF:
        return DEVICE_TYPE_NAMES[value] if value <= 0xFF else None
    return _NAMES.get(place, {}).get(value)
