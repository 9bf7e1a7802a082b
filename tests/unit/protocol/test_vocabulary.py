"""Closed vocabularies: what the tables give is well formed, and the contract's units are there."""

import ast
import re
from pathlib import Path

import pytest

import protocol
from protocol.vocabulary import (
    APPLICATION_REASONS,
    FUNCTIONS,
    NOTES,
    QUALIFIERS,
    QUANTITIES,
    UNIT_SUFFIXES,
    UNITS,
    is_known_unit,
)


def test_functions_of_the_contract() -> None:
    assert FUNCTIONS == ("instantaneous", "maximum", "minimum", "error")


@pytest.mark.parametrize(
    "unit", ["m3", "m3/h", "Wh", "J", "W", "degC", "K", "bar", "V", "A", "Hz", "s", "h", "d", "%"]
)
def test_units_of_the_contract(unit: str) -> None:
    assert unit in UNITS
    assert is_known_unit(unit)


@pytest.mark.parametrize(
    ("unit", "known"),
    [
        ("Wh/m3", True),
        ("m3/l/K", True),
        ("1/h", True),
        ("V*s/A", True),
        ("1", False),
        ("/h", False),
        ("", False),
    ],
)
def test_units_with_suffixes(unit: str, known: bool) -> None:
    assert is_known_unit(unit) is known


@pytest.mark.parametrize("words", [QUANTITIES, UNITS, UNIT_SUFFIXES, QUALIFIERS, NOTES])
def test_words_are_ascii_sorted_and_single(words: tuple[str, ...]) -> None:
    assert list(words) == sorted(set(words))
    assert all(word.isascii() and word.strip() == word and word for word in words)


def test_qualifiers_and_notes_are_single_words() -> None:
    assert all(re.fullmatch(r"[a-z0-9_]+", word) for word in QUALIFIERS + NOTES)
    assert {"compact_format_unknown", "compact_crc_mismatch"} <= set(NOTES)


def _reasons_of(source: Path) -> set[str]:
    """Return the second argument of every error and helper called with the layer's name."""
    calls = [node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
    names = {"InvalidField", "Incomplete", "Unsupported"}
    return {
        str(call.args[1].value)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in names
        if isinstance(call.args[0], ast.Constant) and call.args[0].value == "application"
        if isinstance(call.args[1], ast.Constant)
    }


def test_every_reason_of_the_application_layer_is_listed() -> None:
    folder = Path(protocol.__file__).parent
    used = set().union(*(_reasons_of(source) for source in folder.glob("*.py")))
    assert used | {"value_out_of_range"} == set(APPLICATION_REASONS)
