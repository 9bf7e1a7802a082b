"""docs/json.md is what the code does: the page is made of its tables, and lines hold nothing else."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.burst import Fault
from protocol import address, link
from protocol.ciphers import SecretKey
from protocol.configuration import LAYOUTS
from protocol.decoder import Decoder
from protocol.ell import ACCESS, CC_BITS, DELAYS
from protocol.keys import Keyring, KeyRow
from protocol.outcome import Outcome
from protocol.reasons import REASONS
from protocol.telegram import NOTES
from protocol.vocabulary import (
    APPLICATION_REASONS,
    FUNCTIONS,
    QUALIFIERS,
    is_known_unit,
)
from protocol.vocabulary import NOTES as READING_NOTES
from sdr import payloads
from sdr.byte_lines import receive_line
from sdr.output import json_docs, json_schema
from sdr.output.json_line import to_dict
from sdr.reception import INPUT_NOTES, INPUT_REASONS

ROOT = Path(__file__).parents[3]
FRAMES = [
    vector["frame_hex"]
    for vector in json.loads((ROOT / "tests" / "vectors" / "annex_n.json").read_text())
    if vector["verified"] and vector["frame_hex"]
]
KEYS = ("0102030405060708090A0B0C0D0E0F11", "000102030405060708090A0B0C0D0E0F")
METER = address.build("ELS", "12345678", 51, 3)
BIT_FIELDS = {field.name for layout in LAYOUTS.values() for field in layout}
LINK_REASONS = {**REASONS, **json_docs.PHY_REASONS}
LAYERS = ("link", "ell", "nwl", "afl", "transport", "security", "application", "input", "phy")


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "json.md").read_text(encoding="utf-8") == json_docs.page(), (
        "run: python -m sdr.output.json_docs > docs/json.md"
    )


def test_reasons_of_the_receive_chain() -> None:
    assert set(json_docs.PHY_REASONS) == {fault.value for fault in Fault}
    assert set(json_docs.OUTCOMES) == set(Outcome)


def line_of(text: str) -> dict[str, Any]:
    ring = Keyring([KeyRow("*", key=SecretKey(bytes.fromhex(key)), name="x") for key in KEYS])
    return to_dict(receive_line(Decoder(ring), text.encode(), 1))


def check(line: dict[str, Any]) -> None:
    """Hold every key and every word of a line to the page."""
    if "rejected" in line:
        within(line, json_schema.REJECTED_LINE_KEYS)
        within(line["rejected"], json_schema.REJECTED_KEYS)
        assert line["rejected"]["layer"] in LAYERS
        assert line["rejected"]["reason"] in {**LINK_REASONS, **INPUT_REASONS}
        return
    within(line, json_schema.LINE_KEYS)
    for name in ("link", "meter", "ell", "nwl", "afl", "transport", "security", "application"):
        within(line.get(name), getattr(json_schema, f"{name.upper()}_KEYS"))
    extended = line["ell"] or {}
    within(extended.get("receiver"), json_schema.ADDRESS_KEYS)
    assert set(extended.get("flags", ())) <= {name for _, name in CC_BITS}
    assert extended.get("access", "none") in ACCESS.values()
    assert extended.get("delay", "slow") in DELAYS.values()
    transport = line["transport"] or {}
    within(transport.get("configuration"), {*json_schema.CONFIGURATION_KEYS, *BIT_FIELDS})
    assert set(transport.get("status_flags", ())) <= set(json_docs.STATUS_FLAGS)
    assert line["security"]["outcome"] in json_docs.OUTCOMES
    assert set(line["notes"]) <= {*NOTES, *INPUT_NOTES, *payloads.NOTES}
    if "problem" in line:
        assert line["problem"]["layer"] in LAYERS
        assert line["problem"]["reason"] in {**REASONS, **APPLICATION_REASONS}
    for reading in line["readings"]:
        check_reading(reading)


def check_reading(reading: dict[str, Any]) -> None:
    within(reading, json_schema.READING_KEYS)
    within(reading.get("profile"), json_schema.PROFILE_KEYS)
    assert reading["quantity"] in json_docs.reading_quantities()
    assert reading["function"] in FUNCTIONS
    assert set(reading["qualifiers"]) <= set(QUALIFIERS)
    assert set(reading.get("notes", ())) <= set(READING_NOTES)
    unit = reading["unit"]
    if unit is not None and "plain_text_unit" not in reading["qualifiers"]:
        assert is_known_unit(unit) or unit in json_docs.reading_units()


def within(fields: Iterable[str] | None, keys: Iterable[str]) -> None:
    assert set(fields or ()) <= set(keys)


@pytest.mark.parametrize("frame_hex", FRAMES)
def test_annex_n_lines_hold_only_what_the_page_lists(frame_hex: str) -> None:
    line = line_of(frame_hex)
    check(line)
    optional = {"nwl", "problem"}
    assert set(json_schema.LINE_KEYS) - optional <= set(line)


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0x40, 0xD0))
def test_other_lines_hold_only_what_the_page_lists(behind: bytes, ci: int) -> None:
    check(line_of(link.build(0x44, METER, bytes((ci,)) + behind).encode().hex()))
    check(line_of(behind.hex()))
