"""Every byte of application data is named once; names of codes from OMS Vol. 2 Annex K and M."""

import pytest

from protocol.annotate import annotate_records, value_text
from protocol.records import parse_records


def _lines(apl_hex: str, *, to_device: bool = False) -> list[str]:
    apl = bytes.fromhex(apl_hex)
    fields = annotate_records(parse_records(apl, to_device=to_device), to_device=to_device)
    assert b"".join(field.raw for field in fields) == apl
    assert [field.offset for field in fields] == [
        sum(len(before.raw) for before in fields[:index]) for index in range(len(fields))
    ]
    return [f"{field.raw.hex()} {field.name}: {field.meaning}" for field in fields]


def test_a_plain_record() -> None:
    assert _lines("2F2F 0C1427048502 2F") == [
        "2f2f filler: idle",
        "0c DIF: 8-digit BCD, instantaneous",
        "14 VIF: volume, 0.01 m3",
        "27048502 data: 28504.27 m3",
        "2f filler: idle",
    ]


def test_extensions_and_vifes() -> None:
    assert _lines("CC8410 FB8175 01020304")[:6] == [
        "cc DIF: 8-digit BCD, instantaneous, storage +1",
        "84 DIFE: storage +8",
        "10 DIFE: tariff +4",
        "fb VIF: table FB",
        "81 VIF: energy, 1 MWh",
        "75 VIFE: value * 0.1",
    ]
    assert _lines("01 93FD78 05")[2:] == [
        "fd VIFE: value * 1000",
        "78 VIFE: value + 0.001",
        "05 data: 5.001 m3",
    ]
    assert _lines("01 93FC01 05")[2:4] == ["fc VIFE: the next VIFE is from table FC", "01 VIFE: phase l1"]
    assert _lines("01 905A 05")[2:] == ["5a VIFE: duration of first upper exceed, h", "05 data: 5 h"]


def test_what_is_the_makers_is_not_explained() -> None:
    assert _lines("8101E7FF0F 05")[2:] == [
        "e7 VIF: external temperature, 1 degC",
        "ff VIFE: manufacturer specific",
        "0f VIFE: manufacturer specific",
        "05 data: 05 (manufacturer specific)",
    ]
    assert _lines("02FFA013 3412")[2:4] == [
        "a0 VIFE: manufacturer specific",
        "13 VIFE: manufacturer specific",
    ]
    assert _lines("0F 0102") == ["0f DIF: manufacturer data to the end", "0102 manufacturer data: not public"]
    assert "more records follow" in _lines("1F")[0]


@pytest.mark.parametrize("record_hex", ["02FC0348522574 440D", "02FC7403485225 440D"])
def test_unit_text_stands_where_it_was_sent(record_hex: str) -> None:
    lines = _lines(record_hex)
    assert "03485225 unit: %RH" in lines
    assert "74 VIFE: value * 0.01" in lines
    assert (lines.index("03485225 unit: %RH") == 2) == ("FC03" in record_hex)
    assert lines[-1] == "440d data: 33.96 %RH"


def test_profile_elements() -> None:
    assert _lines("8D04931F 06 7A FE 4401 FFFF")[4:] == [
        "06 LVAR: 6 bytes",
        "7a spacing control: positive increment, unit d",
        "fe spacing value: 254",
        "4401 element 1: 0.144 m3",
        "ffff element 2: gap",
    ]
    assert _lines("8D04931F 01 7A")[-1].startswith("7a data: malformed profile")


@pytest.mark.parametrize(
    ("record_hex", "line"),
    [
        ("8180 40FD2308", "08 data: 8 = data logger"),  # Annex K: subunit 2
        ("8130FD23A0", "a0 data: 160 = temperature difference"),  # Annex K: tariff 3
        ("01FD1F01", "01 data: 1 = open or connected"),  # Annex N.11
        ("01FD6307", "07 data: 7 = Sunday"),
        ("01FD0903", "03 data: 3 = gas"),
        ("02FD0A9315", "9315 data: 5523 = ELS"),  # Annex N.2
        ("01FD23F0", "f0 data: 240"),
        ("026CFFFF", "ffff data: no value (invalid value)"),
        ("0D780441424344", "41424344 data: DCBA"),
        ("02931500 00", "0000 data: no value (record error no data)"),
    ],
)
def test_data(record_hex: str, line: str) -> None:
    assert _lines(record_hex)[-1] == line


@pytest.mark.parametrize(
    "apl_hex", ["8C", "0C", "3F0102", "0D78FF01", "0C1427", "7F", "84" + "80" * 12 + "13 05"]
)
def test_broken_records_are_covered_too(apl_hex: str) -> None:
    assert _lines(apl_hex)


def test_object_actions_of_a_command() -> None:
    assert _lines("02FD9707 0000", to_device=True)[3] == "07 VIFE: action clear"


def test_value_text() -> None:
    assert value_text(None) == "no value"
    assert value_text("DCBA") == "DCBA"


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        ("0014", ["00 DIF: no data, instantaneous", "14 VIF: volume, 0.01 m3 (no data)"]),
        ("0C14", ["0c DIF: 8-digit BCD, instantaneous", "14 VIF: volume, 0.01 m3 (truncated)"]),
        ("0814", ["08 DIF: selection, instantaneous", "14 VIF: volume, 0.01 m3 (selection for readout)"]),
    ],
)
def test_a_record_without_data_says_why(record: str, lines: list[str]) -> None:
    assert _lines(record) == lines
