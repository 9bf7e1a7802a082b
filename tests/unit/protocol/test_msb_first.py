"""Old wired meters that send the most significant byte first: each frame says what its twin says.

EN 1434-3, M-Bus documentation 4.8: mode 2 changes the order of the bytes in all fields of several bytes.
"""

import pytest

from protocol import wired
from protocol.decoder import Decoder
from protocol.msb_first import swap_records
from protocol.telegram import Telegram

RECORDS = "2F 0C1427048502 046D32371F15 02FD170100 0DFD1103434241 0DFD11E20102 8C1014 01000000 0F010203"
SWAPPED = "2F 0C1402850427 046D151F3732 02FD170001 0DFD1103414243 0DFD11E20201 8C1014 00000001 0F010203"


def decoded(payload_hex: str) -> Telegram:
    return Decoder().decode(wired.build(0x08, 5, bytes.fromhex(payload_hex)).encode(), is_wired=True)


def said(telegram: Telegram) -> list[tuple[object, ...]]:
    return [
        (reading.quantity, reading.value, reading.unit, reading.storage, reading.tariff)
        for reading in telegram.readings
    ]


def test_records() -> None:
    usual = decoded(f"72 78563412 9315 33 03 2A 04 0000 {RECORDS}")
    reversed_ = decoded(f"76 12345678 1593 33 03 2A 04 0000 {SWAPPED}")
    assert len(said(usual)) == 6
    assert said(reversed_) == said(usual)
    assert reversed_.meter == usual.meter
    assert reversed_.header is not None
    assert (reversed_.header.access_number, reversed_.header.status_flags) == (42, ("low_power",))
    assert reversed_.header.encode() == bytes.fromhex("76 12345678 1593 33 03 2A 04 0000")


def test_swapping_twice_changes_nothing() -> None:
    assert swap_records(bytes.fromhex(RECORDS)).hex().upper() == SWAPPED.replace(" ", "")
    for end in range(len(bytes.fromhex(RECORDS))):
        cut = bytes.fromhex(RECORDS)[:end]
        assert swap_records(swap_records(cut)) == cut


@pytest.mark.parametrize(
    ("usual", "reversed_"), [("73 785634120A00E97E0100000035010000", "77 123456780A007EE90000000100000135")]
)
def test_fixed_data(usual: str, reversed_: str) -> None:
    assert len(said(decoded(usual))) == 2
    assert said(decoded(reversed_)) == said(decoded(usual))


def test_selection() -> None:
    fields = [
        telegram.content.fields
        for telegram in (decoded("52 78563412 9315 33 03"), decoded("56 12345678 1593 33 03"))
        if telegram.content is not None
    ]
    assert fields[0] == fields[1]
    assert fields[0] is not None and fields[0]["id"] == "12345678"
