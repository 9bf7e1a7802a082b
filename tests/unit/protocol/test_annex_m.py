"""The CI-fields that OMS Vol. 2 Annex M, table M.2, names for its use cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.ci import RADIO_CI, WIRED_CI

VECTORS = Path(__file__).parents[2] / "vectors" / "annex_m.json"
TABLE_M2 = json.loads(VECTORS.read_text())["ci_fields_table_m2"]

PROTOCOLS = {
    "App-Select": "application_select",
    "App-Reset": "application_select",
    "App-Error": "application_error",
    "Dev-Select": "device_select",
    "MBus-Cmd": "mbus_command",
    "MBus-Data": "mbus",
    "Clock-Sync": "clock_sync",
    "ITP-Cmd": "image_transfer",
    "ITP-Rsp": "image_transfer",
    "SITP-Cmd": "sitp",
    "SITP-Rsp": "sitp",
}


@pytest.mark.parametrize("entry", TABLE_M2, ids=[entry["name"] for entry in TABLE_M2])
def test_ci_fields_of_the_use_cases(entry: dict[str, Any]) -> None:
    expected = (PROTOCOLS[entry["name"]], "O2M" if entry["direction"] == "to device" else "M2O")
    for table, codes in ((RADIO_CI, entry["wireless"]), (WIRED_CI, entry["wired"])):
        for code in codes:
            row = table[int(code, 16)]
            assert (row.protocol, row.direction) == expected
