# ruff: noqa: DTZ001  # a meter knows local time without a zone
"""VIBs of EN 13757-3: extension tables, plain text in both orders, and what VIFEs do."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from protocol.notes import Note
from protocol.records import DataRecord, parse_records
from protocol.vif import Vib, parse_vib, vib_end


def _vib(vib_hex: str, *, to_device: bool = False) -> Vib:
    raw = bytes.fromhex(vib_hex)
    assert vib_end(raw + b"\x80\x80\x80", 0) == len(raw)
    return parse_vib(raw, to_device=to_device)


def _record(record_hex: str, *, to_device: bool = False) -> DataRecord:
    found = parse_records(bytes.fromhex(record_hex), to_device=to_device)
    assert len(found.records) == 1
    assert found.records[0].problem is None
    return found.records[0]


@pytest.mark.parametrize(
    ("vib_hex", "quantity", "unit", "qualifiers"),
    [
        ("13", "volume", "m3", ()),
        ("933A", "volume", "m3", ("uncorrected",)),
        ("933E", "volume", "m3", ("base_conditions",)),
        ("FB01", "energy", "MWh", ()),
        ("FB8275", "reactive energy", "kvarh", ()),
        ("FB82F53C", "reactive energy", "kvarh", ("backward_only",)),
        ("853C", "energy", "Wh", ("backward_only",)),
        ("FD17", "error flags", None, ()),
        ("FD971D", "error flags", None, ("standard_conform",)),
        ("FD9F1D", "remote control", None, ("standard_conform",)),
        ("FDFD02", "remaining battery life", "month", ()),
        ("8322", "energy", "Wh/h", ("per_hour",)),
        ("83AC2F", "energy", "Wh/l/K", ("per_litre", "per_kelvin")),
        ("FDE122", "cumulation counter", "1/h", ("per_hour",)),
        ("FDC8FC01", "voltage", "V", ("phase_l1",)),
        ("FDC8FC81FC02", "voltage", "V", ("phase_l1", "phase_l2")),
        ("83FF12", "energy", None, ()),
        ("FF20", "manufacturer specific", None, ()),
        ("FF9F13", "manufacturer specific", None, ()),
        ("EF13", "reserved", None, ()),
    ],
)
def test_meaning(vib_hex: str, quantity: str, unit: str | None, qualifiers: tuple[str, ...]) -> None:
    vib = _vib(vib_hex)
    assert (vib.quantity, vib.unit, vib.qualifiers) == (quantity, unit, qualifiers)


@pytest.mark.parametrize(
    ("record_hex", "unit", "value"),
    [
        ("02FC0348522574440D", "%RH", Decimal("33.96")),  # a field device: text before the VIFEs
        ("02FC7403485225440D", "%RH", Decimal("33.96")),  # EN 13757-3:2018: text behind the VIFEs
        ("027C03485225440D", "%RH", 3396),
        ("027C00440D", "", 3396),
    ],
)
def test_plain_text_unit_in_both_orders(record_hex: str, unit: str, value: object) -> None:
    record = _record(record_hex)
    assert (record.value, record.header.vib.unit) == (value, unit)
    assert record.header.vib.qualifiers == ("plain_text_unit",)
    assert record.header.vib.quantity == "unspecified"


@pytest.mark.parametrize(
    "truncated", ["02", "027C", "027C03", "027C034852", "02FC", "02FC034852F4", "02FB", "0293"]
)
def test_truncated_vib_is_an_index_error(truncated: str) -> None:
    raw = bytes.fromhex(truncated)
    with pytest.raises(IndexError):
        vib_end(raw, 1)


@pytest.mark.parametrize(
    ("record_hex", "value", "unit"),
    [
        ("0193 75 05", Decimal("0.0005"), "m3"),  # 10^-3 * 10^-1
        ("0193 7D 05", 5, "m3"),  # 10^-3 * 10^3
        ("0193 70 05", Decimal("5E-9"), "m3"),
        ("0193 7B 05", Decimal("1.005"), "m3"),  # + 10^0
        ("0193 78 05", Decimal("0.006"), "m3"),  # + 10^-3
        ("0193 FB 7D 05", 1005, "m3"),
        ("0193 FD 7B 05", 6, "m3"),
        ("0593 7D 0000A040", 5.0, "m3"),
        ("01FB 69 05", 5, "W"),
        ("02FB 68 0010", 1, None),  # HCA factor * 2^-12
        ("01 86 22 05", 5000, "Wh/h"),
        ("01 BB 40 80", None, "m3/h"),
        ("01 BB 48 05", Decimal("0.005"), "m3/h"),
        ("01 BB 41 05", 5, None),  # number of exceeds
        ("02 BB 56 0500", 5, "h"),  # duration of a flow limit, seen in the field
        ("8408 BE 58 05000000", 5, "s"),
        ("02 BB 42 1F11", date(2008, 1, 31), None),
        ("04 BB 4F 32371F15", datetime(2008, 5, 31, 23, 50), None),
        ("04 93 39 32371F15", datetime(2008, 5, 31, 23, 50), None),
        ("02 93 FC 13 1F11", date(2008, 1, 31), None),
        ("02 83 FC 11 FEFF", 65534, "Wh"),
        ("02 86 FC 12 FFFF", 65535, "Wh"),
        ("01 AB FC 05 05", 5, "W"),
    ],
)
def test_vifes_change_value_and_unit(record_hex: str, value: object, unit: str | None) -> None:
    record = _record(record_hex)
    assert (record.value, record.header.vib.unit) == (value, unit)


def test_record_errors_have_no_value() -> None:
    record = _record("029315 3412")
    assert (record.value, record.raw.hex()) == (None, "3412")
    assert record.notes == (Note.ERROR_NO_DATA,)
    assert _record("0A A6 18 3412").notes == (Note.ERROR_DATA,)
    assert _record("01 93 00 05").value == Decimal("0.005")  # code 00 is "none"


def test_commands_have_object_actions() -> None:
    record = _record("02FD9700 0000", to_device=True)
    assert record.value == 0
    assert record.header.vib.qualifiers == ("action_write",)
    assert _record("02FD9707 0000", to_device=True).header.vib.qualifiers == ("action_clear",)
    assert _record("02FD9707 0000").value is None


@pytest.mark.parametrize(
    ("record_hex", "value", "note"),
    [
        ("02FF20 3412", "3412", Note.MANUFACTURER_SPECIFIC),
        ("8101E7FF0F 05", "05", Note.MANUFACTURER_SPECIFIC),
        ("01FB07 05", "05", Note.RESERVED_VIF),
        ("01FB23 05", "05", Note.RESERVED_VIF),
        ("0193 3D 05", "05", Note.NON_METRIC_UNSUPPORTED),
        ("0193FC0D 05", "05", Note.NON_METRIC_UNSUPPORTED),
        ("04FD72 01020304", "01020304", Note.DATA_TYPE_UNSUPPORTED),  # type K
        ("0D6D E30A0B0C", "0a0b0c", Note.DATA_TYPE_UNSUPPORTED),  # type M
        ("046C 32371F15", "32371f15", Note.DATA_FIELD_MISMATCH),
        ("026D 1F15", "1f15", Note.DATA_FIELD_MISMATCH),
        ("0C6D 12345678", "12345678", Note.DATA_FIELD_MISMATCH),
        ("02931F 0A7A", "0a7a", Note.DATA_FIELD_MISMATCH),
        ("01FB24 05", Decimal("0.005"), Note.OBSOLETE_VIF),
        ("01FB06 05", Decimal("0.5"), Note.UNCERTAIN_VIF),
        ("019310 05", Decimal("0.005"), Note.RESERVED_VIFE),
        ("0193FC00 05", Decimal("0.005"), Note.RESERVED_VIFE),
        ("00FD21", None, Note.NO_DATA),
        ("0813", None, Note.SELECTION_FOR_READOUT),
        ("0178 FF", None, Note.INVALID_VALUE),
    ],
)
def test_what_is_not_known_is_said(record_hex: str, value: object, note: Note) -> None:
    record = _record(record_hex)
    assert record.value == value
    assert note in record.notes


@pytest.mark.parametrize(
    ("record_hex", "value"),
    [
        ("0C78 44332201", "01223344"),
        ("0479 44332201", 0x01223344),
        ("0779 7856341293153303", "7856341293153303"),  # whole address, as sent
        ("0D78 0441424344", "DCBA"),
        ("0D78 C444332201", "01223344"),
        ("017A FD", 0xFD),
        ("0CFD10 78563412", 12345678),
        ("0DFD0C 04 344B5A31", "1ZK4"),
        ("0DFD3B 03010203", "010203"),  # container: bytes as sent
        ("0DFD3B E3010203", "010203"),
        ("01FD71 9C", -100),
        ("02FD17 FFFF", 0xFFFF),
        ("01FD1A FF", 0xFF),
        ("01FD1B FF", 0xFF),
    ],
)
def test_value_by_kind(record_hex: str, value: object) -> None:
    assert _record(record_hex).value == value


def test_more_than_ten_vifes_have_no_meaning_but_a_known_end() -> None:
    records = parse_records(bytes.fromhex("01 93" + "F4" * 10 + "74 05" + "0C14 27048502")).records
    assert [record.problem for record in records] == [Note.TOO_MANY_VIFE, None]
    assert records[0].value is None
    assert records[1].value == Decimal("28504.27")
    ten = parse_records(bytes.fromhex("01 93" + "F4" * 9 + "74 05")).records[0]
    assert (ten.problem, ten.value) == (None, Decimal("5E-23"))
