"""The combinable VIFEs as rows: what may follow a VIF and how it changes the record.

    00-7F     behind any VIF of a table
    FC, code  behind the VIFE FC: the extension of this table

Codes 00-0F are object actions on the way to the device and record errors on the way from it.
The limit codes have a pattern: 4x is E100 u f 1 b, 6x is E110 1 f 1 b; u 0 lower 1 upper,
f 0 first 1 last, b 0 begin 1 end.
Source: EN 13757-3:2018; FC 0D-0F from OMS Vol. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocol.notes import Note


class Effect(Enum):
    """What a VIFE does to the record beyond adding its qualifier."""

    QUALIFY = "nothing more"
    UNIT = "the unit gets a suffix"
    DATE = "the data are a date"
    DURATION = "the data are a duration"
    COUNT = "the data are a count"
    FACTOR = "the value is multiplied by 10**exponent"
    CONSTANT = "10**exponent is added to the value"
    PROFILE = "the data are a load profile"
    TYPE_C = "the data are unsigned"
    TYPE_D = "the data are a bit array"
    OPAQUE = "the coding of the data is not known"
    RECORD_ERROR = "the data are not valid"
    MANUFACTURER = "following VIFEs and the data are manufacturer specific"
    TABLE_FC = "the next VIFE is from table FC"
    RESERVED = "not defined"


@dataclass(frozen=True, slots=True)
class VifeRow:
    """One printed row: ``count`` codes from ``first`` on.

    Attributes:
        first: first code, extension bit clear.
        count: number of codes.
        effect: what the codes do.
        words: qualifier of every code; none where the effect leaves no trace but the value.
        units: unit suffix or duration unit: one for all codes, or they repeat along the row.
        exponent: decimal exponent of the first code; it grows by one from code to code.
        printed: factor or constant of the first and the last code, as printed.
        notes: note of each code, or one for all.
    """

    first: int
    count: int
    effect: Effect
    words: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    exponent: int = 0
    printed: tuple[str, str] = ("1", "1")
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class VifeCode:
    """One code: a row at one of its steps."""

    code: int
    effect: Effect
    word: str | None
    unit: str | None
    exponent: int
    note: Note | None


_TIME = ("s", "min", "h", "d")


def _qualify(first: int, *words: str) -> VifeRow:
    return VifeRow(first, len(words), Effect.QUALIFY, words)


def _dates(first: int, *words: str) -> VifeRow:
    return VifeRow(first, len(words), Effect.DATE, words)


def _durations(first: int, word: str) -> VifeRow:
    return VifeRow(first, 4, Effect.DURATION, (word,), _TIME)


def _errors(first: int, *notes: Note) -> VifeRow:
    return VifeRow(first, len(notes), Effect.RECORD_ERROR, notes=notes)


def _reserved(first: int, count: int = 1) -> VifeRow:
    return VifeRow(first, count, Effect.RESERVED, notes=(Note.RESERVED_VIFE,))


RECORD_ERROR_ROWS: Final = (
    VifeRow(0x00, 1, Effect.QUALIFY),  # "no error"
    _errors(
        0x01,
        Note.ERROR_TOO_MANY_DIFE,
        Note.ERROR_STORAGE,
        Note.ERROR_UNIT,
        Note.ERROR_TARIFF,
        Note.ERROR_FUNCTION,
        Note.ERROR_DATA_CLASS,
        Note.ERROR_DATA_SIZE,
    ),
    _reserved(0x08, 3),
    _errors(
        0x0B,
        Note.ERROR_TOO_MANY_VIFE,
        Note.ERROR_VIF_GROUP,
        Note.ERROR_EXPONENT,
        Note.ERROR_MISMATCH,
        Note.ERROR_ACTION,
    ),
)
"""Codes 00-0F on the way from the device."""

OBJECT_ACTION_ROWS: Final = (
    _qualify(
        0x00,
        "action_write",
        "action_add",
        "action_subtract",
        "action_or",
        "action_and",
        "action_xor",
        "action_and_not",
        "action_clear",
        "action_add_entry",
        "action_delete_entry",
        "action_delayed",
        "action_freeze",
        "action_add_to_readout_list",
        "action_delete_from_readout_list",
    ),
    _reserved(0x0E, 2),
)
"""Codes 00-0F on the way to the device."""

COMBINABLE_ROWS: Final = (
    _reserved(0x10, 2),
    _qualify(0x12, "average"),
    VifeRow(0x13, 1, Effect.PROFILE, ("inverse_compact_profile",)),
    _qualify(0x14, "relative_deviation"),
    _errors(0x15, Note.ERROR_NO_DATA, Note.ERROR_OVERFLOW, Note.ERROR_UNDERFLOW, Note.ERROR_DATA),
    _reserved(0x19, 3),
    _errors(0x1C, Note.ERROR_PREMATURE_END),
    _qualify(0x1D, "standard_conform"),
    VifeRow(0x1E, 1, Effect.PROFILE, ("compact_profile_registers",)),
    VifeRow(0x1F, 1, Effect.PROFILE, ("compact_profile",)),
    VifeRow(
        0x20,
        8,
        Effect.UNIT,
        (
            "per_second",
            "per_minute",
            "per_hour",
            "per_day",
            "per_week",
            "per_month",
            "per_year",
            "per_revolution",
        ),
        ("/s", "/min", "/h", "/d", "/week", "/month", "/year", "/rev"),
    ),
    _qualify(
        0x28,
        "increment_per_input_pulse_0",
        "increment_per_input_pulse_1",
        "increment_per_output_pulse_0",
        "increment_per_output_pulse_1",
    ),
    VifeRow(
        0x2C,
        10,
        Effect.UNIT,
        (
            "per_litre",
            "per_m3",
            "per_kg",
            "per_kelvin",
            "per_kwh",
            "per_gj",
            "per_kw",
            "per_kelvin_litre",
            "per_volt",
            "per_ampere",
        ),
        ("/l", "/m3", "/kg", "/K", "/kWh", "/GJ", "/kW", "/(K*l)", "/V", "/A"),
    ),
    VifeRow(
        0x36,
        3,
        Effect.UNIT,
        ("times_second", "times_second_per_volt", "times_second_per_ampere"),
        ("*s", "*s/V", "*s/A"),
    ),
    _dates(0x39, "start_date_of"),
    _qualify(0x3A, "uncorrected", "forward_only", "backward_only"),
    VifeRow(0x3D, 1, Effect.OPAQUE, ("non_metric",), notes=(Note.NON_METRIC_UNSUPPORTED,)),
    _qualify(0x3E, "base_conditions"),
    VifeRow(0x3F, 1, Effect.OPAQUE, ("obis_declaration",)),
    _qualify(0x40, "lower_limit"),
    VifeRow(0x41, 1, Effect.COUNT, ("exceeds_of_lower_limit",)),
    _dates(0x42, "date_of_first_lower_exceed_begin", "date_of_first_lower_exceed_end"),
    _reserved(0x44, 2),
    _dates(0x46, "date_of_last_lower_exceed_begin", "date_of_last_lower_exceed_end"),
    _qualify(0x48, "upper_limit"),
    VifeRow(0x49, 1, Effect.COUNT, ("exceeds_of_upper_limit",)),
    _dates(0x4A, "date_of_first_upper_exceed_begin", "date_of_first_upper_exceed_end"),
    _reserved(0x4C, 2),
    _dates(0x4E, "date_of_last_upper_exceed_begin", "date_of_last_upper_exceed_end"),
    _durations(0x50, "duration_of_first_lower_exceed"),
    _durations(0x54, "duration_of_last_lower_exceed"),
    _durations(0x58, "duration_of_first_upper_exceed"),
    _durations(0x5C, "duration_of_last_upper_exceed"),
    _durations(0x60, "duration_of_first"),
    _durations(0x64, "duration_of_last"),
    _qualify(0x68, "value_during_lower_exceed", "leakage"),
    _dates(0x6A, "date_of_first_begin", "date_of_first_end"),
    _qualify(0x6C, "value_during_upper_exceed", "overflow"),
    _dates(0x6E, "date_of_last_begin", "date_of_last_end"),
    VifeRow(0x70, 8, Effect.FACTOR, exponent=-6, printed=("0.000001", "10")),
    VifeRow(0x78, 4, Effect.CONSTANT, exponent=-3, printed=("0.001", "1")),
    VifeRow(0x7C, 1, Effect.TABLE_FC),
    VifeRow(0x7D, 1, Effect.FACTOR, exponent=3, printed=("1000", "1000")),
    _qualify(0x7E, "future_value"),
    VifeRow(0x7F, 1, Effect.MANUFACTURER, notes=(Note.MANUFACTURER_SPECIFIC,)),
)
"""Codes 10-7F."""

FC_ROWS: Final = (
    _reserved(0x00),
    _qualify(
        0x01,
        "phase_l1",
        "phase_l2",
        "phase_l3",
        "neutral",
        "phase_l1_l2",
        "phase_l2_l3",
        "phase_l3_l1",
        "quadrant_1",
        "quadrant_2",
        "quadrant_3",
        "quadrant_4",
        "import_minus_export",
    ),
    VifeRow(0x0D, 1, Effect.OPAQUE, ("alternative_non_metric",), notes=(Note.NON_METRIC_UNSUPPORTED,)),
    _qualify(0x0E, "secondary_sensor", "higher_resolution", "accumulation_of_absolute"),
    VifeRow(0x11, 1, Effect.TYPE_C),
    VifeRow(0x12, 1, Effect.TYPE_D),
    _dates(0x13, "end_date_of"),
    _qualify(0x14, "partner_to_device", "device_to_partner"),
    _reserved(0x16, 0x6A),
)
"""Codes behind the VIFE FC."""

FROM_DEVICE_ROWS: Final = RECORD_ERROR_ROWS + COMBINABLE_ROWS
TO_DEVICE_ROWS: Final = OBJECT_ACTION_ROWS + COMBINABLE_ROWS


def _at(values: tuple[str, ...], step: int) -> str | None:
    """Return the value of a step of a row that gives one for all codes, or one each."""
    return values[step % len(values)] if values else None


def _expand(row: VifeRow) -> list[VifeCode]:
    return [
        VifeCode(
            code=row.first + step,
            effect=row.effect,
            word=_at(row.words, step),
            unit=_at(row.units, step),
            exponent=row.exponent + step,
            note=row.notes[step % len(row.notes)] if row.notes else None,
        )
        for step in range(row.count)
    ]


def _expanded(rows: tuple[VifeRow, ...]) -> dict[int, VifeCode]:
    return {code.code: code for row in rows for code in _expand(row)}


FROM_DEVICE: Final = _expanded(FROM_DEVICE_ROWS)
"""Every VIFE of a record that a device sends, by code (extension bit clear)."""

TO_DEVICE: Final = _expanded(TO_DEVICE_ROWS)
"""Every VIFE of a record that is sent to a device."""

TABLE_FC: Final = _expanded(FC_ROWS)
"""Every code behind the VIFE FC."""
