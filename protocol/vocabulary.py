"""The closed vocabularies of readings, gathered from the tables that produce them.

    QUANTITIES   words of ``Reading.quantity``
    UNITS        units without suffix; ``is_known_unit`` takes per-units, too
    QUALIFIERS   words of ``Reading.qualifiers``
    NOTES        words of ``Reading.notes``
    FUNCTIONS    words of ``Reading.function``
    APPLICATION_REASONS   ``reason`` of a `ProtocolError` of the application layer

A reading with the qualifier ``plain_text_unit`` has the device's own text as its unit.
"""

from __future__ import annotations

from typing import Final

from protocol.dif import Function
from protocol.header_builder import PROFILE_VALUE, REGISTER_NUMBER
from protocol.notes import Note
from protocol.records import GLOBAL_READOUT
from protocol.vif import PLAIN_TEXT_UNIT
from protocol.vif_table import VIF_ROWS
from protocol.vife_table import FC_ROWS, FROM_DEVICE_ROWS, TO_DEVICE_ROWS, Effect

_VIF_ROWS = tuple(row for rows in VIF_ROWS.values() for row in rows)
_VIFE_ROWS = FROM_DEVICE_ROWS + TO_DEVICE_ROWS + FC_ROWS

QUANTITIES: Final = tuple(sorted({row.quantity for row in _VIF_ROWS} | {GLOBAL_READOUT}))

UNITS: Final = tuple(
    sorted(
        {unit for row in _VIF_ROWS for unit in row.units}
        | {unit for row in _VIFE_ROWS if row.effect is Effect.DURATION for unit in row.units}
    )
)

UNIT_SUFFIXES: Final = tuple(
    sorted({unit for row in _VIFE_ROWS if row.effect is Effect.UNIT for unit in row.units})
)
"""What VIFEs append to a unit, any number of times; a pure number starts from ``1``."""

QUALIFIERS: Final = tuple(
    sorted(
        {word for row in _VIFE_ROWS for word in row.words} | {PLAIN_TEXT_UNIT, PROFILE_VALUE, REGISTER_NUMBER}
    )
)

NOTES: Final = tuple(sorted(note.value for note in Note))

FUNCTIONS: Final = tuple(function.value for function in Function)


APPLICATION_REASONS: Final = {
    "truncated": "the bytes end before the structure does",
    "function_unknown": "a command whose function field is not assigned",
    "format_invalid": "a format frame that does not fit its signature",
    "profile_invalid": "a load profile with elements or spacing that do not exist",
    "header_invalid": "bytes that are no DIB and VIB, or numbers that no DIB holds",
    "value_invalid": "a value that the data type of the record cannot hold",
    "value_out_of_range": "a number does not fit its field",
    "reading_invalid": "a description of a reading lacks a field or has one of the wrong kind",
    "qualifier_invalid": "no VIFE says this qualifier",
    "state_invalid": "what is to be restored is no state",
}
"""Closed vocabulary, with what each word means; most occur when telegrams are written."""


def is_known_unit(unit: str) -> bool:
    """Whether a unit is one of ``UNITS``, or one of them (or 1) with suffixes."""
    if unit in UNITS:
        return True
    return any(
        unit.endswith(suffix) and (unit == f"1{suffix}" or is_known_unit(unit.removesuffix(suffix)))
        for suffix in UNIT_SUFFIXES
    )
