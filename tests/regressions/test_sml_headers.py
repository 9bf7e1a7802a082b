"""The responses 7E and 7F had each other's header: the long one is 7E, as with 7C before 7D.

Source: EN 13757-7 and OMS Vol. 2, CI-field tables.
"""

import pytest

from protocol import transport

HEADER = bytes.fromhex("2A 00 0000")
ADDRESS = bytes.fromhex("78563412 9315 33 03")


@pytest.mark.parametrize(("long_ci", "short_ci"), [(0x7C, 0x7D), (0x7E, 0x7F), (0x60, 0x61), (0x64, 0x65)])
def test_long_and_short_headers(long_ci: int, short_ci: int) -> None:
    long = transport.parse(bytes((long_ci,)) + ADDRESS + HEADER)
    short = transport.parse(bytes((short_ci,)) + HEADER)
    assert long.address is not None
    assert (long.address.id, long.access_number) == ("12345678", 0x2A)
    assert (short.address, short.access_number) == (None, 0x2A)
