"""Sums of a profile's elements were rounded to the 28 digits of the usual decimal context."""

from decimal import Decimal

from protocol.profiles import parse_profile
from protocol.readings import readings
from protocol.records import parse_records
from protocol.scale import Scale


def test_increments_on_a_long_value_stay_exact() -> None:
    profile = parse_profile(bytes.fromhex("6201 0100"), Scale(-3))
    base = Decimal(10**30) + Decimal(0)
    up, down = (profile.values(base, inverse=inverse)[0] for inverse in (False, True))
    assert str(up) == "1" + "0" * 30 + ".001"
    assert str(down) == "9" * 30 + ".999"


def test_profile_behind_a_number_of_16_bytes() -> None:
    # Volume in litres: binary of 16 bytes (LVAR F0), then a compact profile with one hourly increment of 1.
    number = 1 << 120
    apl = bytes.fromhex("0D13F0") + number.to_bytes(16, "little") + bytes.fromhex("0D931F04 6201 0100")
    base, _, increased = (str(reading.value) for reading in readings(parse_records(apl).records))
    assert base.replace(".", "") == str(number)
    assert increased.replace(".", "") == str(number + 1)
