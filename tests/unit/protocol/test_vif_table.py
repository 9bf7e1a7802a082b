"""VIF and VIFE tables against the notes on EN 13757-3:2018: every code once, every printed range."""

from decimal import Decimal

import pytest

from protocol.vif_table import VIF_CODES, VIF_ROWS, VifRow, VifTable
from protocol.vife_table import (
    COMBINABLE_ROWS,
    FC_ROWS,
    FROM_DEVICE,
    FROM_DEVICE_ROWS,
    OBJECT_ACTION_ROWS,
    RECORD_ERROR_ROWS,
    TABLE_FC,
    TO_DEVICE,
    TO_DEVICE_ROWS,
    Effect,
    VifeRow,
)

ALL_CODES = list(range(0x80))


@pytest.mark.parametrize("table", VifTable)
def test_every_code_of_a_vif_table_is_in_one_row(table: VifTable) -> None:
    codes = [row.first + step for row in VIF_ROWS[table] for step in range(row.count)]
    assert codes == ALL_CODES
    assert sorted(VIF_CODES[table]) == ALL_CODES
    assert all(VIF_CODES[table][code].code == code for code in ALL_CODES)


@pytest.mark.parametrize(
    "rows", [FROM_DEVICE_ROWS, TO_DEVICE_ROWS, FC_ROWS], ids=["from device", "to device", "table FC"]
)
def test_every_vife_is_in_one_row(rows: tuple[VifeRow, ...]) -> None:
    assert [row.first + step for row in rows for step in range(row.count)] == ALL_CODES


def test_direction_changes_the_first_sixteen_vifes_only() -> None:
    assert [code for code in ALL_CODES if FROM_DEVICE[code] != TO_DEVICE[code]] == list(range(0x10))
    assert sum(row.count for row in RECORD_ERROR_ROWS) == sum(row.count for row in OBJECT_ACTION_ROWS) == 0x10
    assert COMBINABLE_ROWS[0].first == 0x10


@pytest.mark.parametrize(
    ("table", "row"),
    [(table, row) for table in VifTable for row in VIF_ROWS[table]],
    ids=lambda part: part.name if isinstance(part, VifTable) else f"{part.first:02X} {part.quantity}",
)
def test_smallest_and_largest_step_are_as_printed(table: VifTable, row: VifRow) -> None:
    first, last = VIF_CODES[table][row.first], VIF_CODES[table][row.first + row.count - 1]
    assert tuple(Decimal(10) ** code.exponent for code in (first, last)) == tuple(map(Decimal, row.printed))
    assert len(row.units) in (0, 1, row.count)


@pytest.mark.parametrize(
    "row", [row for row in COMBINABLE_ROWS if row.effect in (Effect.FACTOR, Effect.CONSTANT)]
)
def test_smallest_and_largest_factor_are_as_printed(row: VifeRow) -> None:
    first, last = FROM_DEVICE[row.first], FROM_DEVICE[row.first + row.count - 1]
    assert tuple(Decimal(10) ** code.exponent for code in (first, last)) == tuple(map(Decimal, row.printed))


# The scaled rows once more, as "codes, unit, exponent of the first code", from the notes' formulas.
FORMULAS = [
    (VifTable.PRIMARY, 0x00, 0x07, "energy", "Wh", -3),
    (VifTable.PRIMARY, 0x08, 0x0F, "energy", "J", 0),
    (VifTable.PRIMARY, 0x10, 0x17, "volume", "m3", -6),
    (VifTable.PRIMARY, 0x18, 0x1F, "mass", "kg", -3),
    (VifTable.PRIMARY, 0x28, 0x2F, "power", "W", -3),
    (VifTable.PRIMARY, 0x30, 0x37, "power", "J/h", 0),
    (VifTable.PRIMARY, 0x38, 0x3F, "volume flow", "m3/h", -6),
    (VifTable.PRIMARY, 0x40, 0x47, "volume flow", "m3/min", -7),
    (VifTable.PRIMARY, 0x48, 0x4F, "volume flow", "m3/s", -9),
    (VifTable.PRIMARY, 0x50, 0x57, "mass flow", "kg/h", -3),
    (VifTable.PRIMARY, 0x58, 0x5B, "flow temperature", "degC", -3),
    (VifTable.PRIMARY, 0x5C, 0x5F, "return temperature", "degC", -3),
    (VifTable.PRIMARY, 0x60, 0x63, "temperature difference", "K", -3),
    (VifTable.PRIMARY, 0x64, 0x67, "external temperature", "degC", -3),
    (VifTable.PRIMARY, 0x68, 0x6B, "pressure", "bar", -3),
    (VifTable.PRIMARY, 0x6E, 0x6E, "heat cost allocation units", "HCA", 0),
    (VifTable.FB, 0x00, 0x01, "energy", "MWh", -1),
    (VifTable.FB, 0x02, 0x03, "reactive energy", "kvarh", 0),
    (VifTable.FB, 0x04, 0x05, "apparent energy", "kVAh", 0),
    (VifTable.FB, 0x08, 0x09, "energy", "GJ", -1),
    (VifTable.FB, 0x0C, 0x0F, "energy", "Mcal", -1),
    (VifTable.FB, 0x10, 0x11, "volume", "m3", 2),
    (VifTable.FB, 0x14, 0x17, "reactive power", "kvar", -3),
    (VifTable.FB, 0x18, 0x19, "mass", "t", 2),
    (VifTable.FB, 0x1A, 0x1B, "relative humidity", "%", -1),
    (VifTable.FB, 0x20, 0x20, "volume", "ft3", 0),
    (VifTable.FB, 0x21, 0x21, "volume", "ft3", -1),
    (VifTable.FB, 0x22, 0x22, "volume", "gal", -1),
    (VifTable.FB, 0x24, 0x24, "volume flow", "gal/min", -3),
    (VifTable.FB, 0x25, 0x25, "volume flow", "gal/min", 0),
    (VifTable.FB, 0x26, 0x26, "volume flow", "gal/h", 0),
    (VifTable.FB, 0x28, 0x29, "power", "MW", -1),
    (VifTable.FB, 0x2A, 0x2A, "phase angle U-U", "deg", -1),
    (VifTable.FB, 0x2B, 0x2B, "phase angle U-I", "deg", -1),
    (VifTable.FB, 0x2C, 0x2F, "frequency", "Hz", -3),
    (VifTable.FB, 0x30, 0x31, "power", "GJ/h", -1),
    (VifTable.FB, 0x34, 0x37, "apparent power", "kVA", -3),
    (VifTable.FB, 0x58, 0x5B, "flow temperature", "degF", -3),
    (VifTable.FB, 0x69, 0x69, "thermal output rating factor KQ", "W", 0),
    (VifTable.FB, 0x70, 0x73, "cold or warm temperature limit", "degF", -3),
    (VifTable.FB, 0x74, 0x77, "cold or warm temperature limit", "degC", -3),
    (VifTable.FB, 0x78, 0x7F, "cumulative maximum active power", "W", -3),
    (VifTable.FD, 0x00, 0x03, "credit", "currency", -3),
    (VifTable.FD, 0x04, 0x07, "debit", "currency", -3),
    (VifTable.FD, 0x40, 0x4F, "voltage", "V", -9),
    (VifTable.FD, 0x50, 0x5F, "current", "A", -12),
    (VifTable.FD, 0x71, 0x71, "RF level", "dBm", 0),
    (VifTable.FD, 0x74, 0x74, "remaining battery life", "d", 0),
]


@pytest.mark.parametrize(("table", "first", "last", "quantity", "unit", "exponent"), FORMULAS)
def test_scaled_rows_follow_their_formula(
    table: VifTable, first: int, last: int, quantity: str, unit: str, exponent: int
) -> None:
    for step, code in enumerate(range(first, last + 1)):
        found = VIF_CODES[table][code]
        assert (found.quantity, found.unit, found.exponent) == (quantity, unit, exponent + step)


@pytest.mark.parametrize(
    ("table", "first", "quantity", "units"),
    [
        (VifTable.PRIMARY, 0x20, "on time", "s min h d"),
        (VifTable.PRIMARY, 0x24, "operating time", "s min h d"),
        (VifTable.PRIMARY, 0x70, "averaging duration", "s min h d"),
        (VifTable.PRIMARY, 0x74, "actuality duration", "s min h d"),
        (VifTable.FD, 0x24, "storage interval", "s min h d month year"),
        (VifTable.FD, 0x2C, "duration since last readout", "s min h d"),
        (VifTable.FD, 0x31, "duration of tariff", "min h d"),
        (VifTable.FD, 0x34, "period of tariff", "s min h d month year"),
        (VifTable.FD, 0x3C, "period of nominal data transmissions", "s min h d"),
        (VifTable.FD, 0x68, "duration since last cumulation", "h d month year"),
        (VifTable.FD, 0x6C, "battery operating time", "h d month year"),
        (VifTable.FD_FD, 0x02, "remaining battery life", "month year"),
    ],
)
def test_time_rows_walk_their_units(table: VifTable, first: int, quantity: str, units: str) -> None:
    for step, unit in enumerate(units.split()):
        code = VIF_CODES[table][first + step]
        assert (code.quantity, code.unit, code.exponent) == (quantity, unit, 0)


@pytest.mark.parametrize(
    ("table", "code", "quantity"),
    [
        (VifTable.PRIMARY, 0x6C, "date"),
        (VifTable.PRIMARY, 0x6D, "date and time"),
        (VifTable.PRIMARY, 0x78, "fabrication number"),
        (VifTable.PRIMARY, 0x79, "identification"),
        (VifTable.PRIMARY, 0x7A, "address"),
        (VifTable.PRIMARY, 0x7F, "manufacturer specific"),
        (VifTable.FB, 0x68, "heat cost allocator rating factor K"),
        (VifTable.FB, 0x6A, "thermal coupling factor Kc"),
        (VifTable.FB, 0x6B, "thermal coupling factor Kcr"),
        (VifTable.FB, 0x6C, "thermal coupling factor Kch"),
        (VifTable.FB, 0x6D, "low temperature rating factor KT"),
        (VifTable.FB, 0x6E, "display scaling factor KD"),
        (VifTable.FD, 0x08, "unique message identification"),
        (VifTable.FD, 0x0C, "model or version"),
        (VifTable.FD, 0x10, "customer location"),
        (VifTable.FD, 0x17, "error flags"),
        (VifTable.FD, 0x1F, "remote control"),
        (VifTable.FD, 0x22, "size of storage block"),
        (VifTable.FD, 0x30, "start of tariff"),
        (VifTable.FD, 0x3A, "dimensionless"),
        (VifTable.FD, 0x3B, "container wireless M-Bus"),
        (VifTable.FD, 0x60, "reset counter"),
        (VifTable.FD, 0x65, "time point of day change"),
        (VifTable.FD, 0x70, "battery change"),
        (VifTable.FD, 0x72, "daylight saving"),
        (VifTable.FD, 0x76, "container manufacturer specific protocol"),
        (VifTable.FD_FD, 0x00, "selected application"),
        (VifTable.FD_FD, 0x3E, "moisture"),
    ],
)
def test_single_codes(table: VifTable, code: int, quantity: str) -> None:
    assert VIF_CODES[table][code].quantity == quantity


@pytest.mark.parametrize("table", VifTable)
def test_reserved_codes_are_those_without_a_meaning(table: VifTable) -> None:
    reserved = {code for code in ALL_CODES if VIF_CODES[table][code].quantity == "reserved"}
    expected = {
        VifTable.PRIMARY: {0x6F, 0x7B, 0x7D},
        VifTable.FB: {0x07, 0x0A, 0x0B, 0x12, 0x13, 0x1C, 0x1D, 0x1E, 0x1F, 0x23, 0x27, 0x32, 0x33, 0x6F}
        | set(range(0x38, 0x58)),
        VifTable.FD: set(range(0x77, 0x80)),
        VifTable.FD_FD: set(ALL_CODES) - {0x00, 0x02, 0x03, 0x3E},
    }
    assert reserved == expected[table]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (0x12, "average"),
        (0x13, "inverse_compact_profile"),
        (0x1F, "compact_profile"),
        (0x20, "per_second"),
        (0x26, "per_year"),
        (0x27, "per_revolution"),
        (0x2C, "per_litre"),
        (0x2F, "per_kelvin"),
        (0x33, "per_kelvin_litre"),
        (0x35, "per_ampere"),
        (0x36, "times_second"),
        (0x3A, "uncorrected"),
        (0x3B, "forward_only"),
        (0x3C, "backward_only"),
        (0x3E, "base_conditions"),
        (0x40, "lower_limit"),
        (0x48, "upper_limit"),
        (0x68, "value_during_lower_exceed"),
        (0x6C, "value_during_upper_exceed"),
        (0x69, "leakage"),
        (0x6D, "overflow"),
        (0x7E, "future_value"),
    ],
)
def test_single_vifes(code: int, word: str) -> None:
    assert FROM_DEVICE[code].word == word


def test_dates_of_limits_follow_their_bits() -> None:
    """4x is E100 u f 1 b, 6x is E110 1 f 1 b."""
    for upper in (0, 1):
        for last in (0, 1):
            for end in (0, 1):
                limit = FROM_DEVICE[0x42 | upper << 3 | last << 2 | end]
                words = (("lower", "upper")[upper], ("first", "last")[last], ("begin", "end")[end])
                assert limit.effect is Effect.DATE
                assert limit.word == f"date_of_{words[1]}_{words[0]}_exceed_{words[2]}"
                assert FROM_DEVICE[0x6A | last << 2 | end].word == f"date_of_{words[1]}_{words[2]}"


def test_durations_walk_their_units() -> None:
    for first in range(0x50, 0x68, 4):
        assert [FROM_DEVICE[first + step].unit for step in range(4)] == ["s", "min", "h", "d"]
    assert FROM_DEVICE[0x58].word == "duration_of_first_upper_exceed"
    assert FROM_DEVICE[0x64].word == "duration_of_last"


def test_record_errors_and_reserved_vifes() -> None:
    errors = {code for code in ALL_CODES if FROM_DEVICE[code].effect is Effect.RECORD_ERROR}
    assert errors == {*range(0x01, 0x08), *range(0x0B, 0x10), 0x15, 0x16, 0x17, 0x18, 0x1C}
    reserved = {code for code in ALL_CODES if FROM_DEVICE[code].effect is Effect.RESERVED}
    assert reserved == {0x08, 0x09, 0x0A, 0x10, 0x11, 0x19, 0x1A, 0x1B, 0x44, 0x45, 0x4C, 0x4D}
    assert {code for code in range(0x10) if TO_DEVICE[code].effect is Effect.RESERVED} == {0x0E, 0x0F}
    assert [TO_DEVICE[code].word for code in (0x00, 0x07, 0x0D)] == [
        "action_write",
        "action_clear",
        "action_delete_from_readout_list",
    ]


def test_table_fc() -> None:
    words = {code: vife.word for code, vife in TABLE_FC.items() if vife.effect is not Effect.RESERVED}
    assert sorted(words) == list(range(0x01, 0x16))
    assert [words[code] for code in (0x01, 0x04, 0x07, 0x08, 0x0B, 0x0C, 0x0E, 0x0F, 0x10)] == [
        "phase_l1",
        "neutral",
        "phase_l3_l1",
        "quadrant_1",
        "quadrant_4",
        "import_minus_export",
        "secondary_sensor",
        "higher_resolution",
        "accumulation_of_absolute",
    ]
    assert [TABLE_FC[code].effect for code in (0x11, 0x12, 0x13)] == [
        Effect.TYPE_C,
        Effect.TYPE_D,
        Effect.DATE,
    ]
