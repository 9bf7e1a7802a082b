"""The identification record of radio modules; address of OMS Vol. 2 Annex N.2."""

import pytest

from protocol.identification import meter_address
from protocol.records import parse_records


def test_whole_address_in_a_record() -> None:
    address = meter_address(parse_records(bytes.fromhex("0C1427048502 0779 7856341293153303")).records)
    assert address is not None
    assert (address.manufacturer, address.id, address.version, address.device_type) == (
        "ELS",
        "12345678",
        51,
        3,
    )


@pytest.mark.parametrize(
    "apl_hex",
    [
        "0C79 78563412",
        "4779 7856341293153303",
        "0779 785634129315",
        "07F93A 7856341293153303",
        "0778 7856341293153303",
        "",
    ],
)
def test_other_records_are_no_address(apl_hex: str) -> None:
    assert meter_address(parse_records(bytes.fromhex(apl_hex)).records) is None
