"""OMS Vol. 2 Annex N: application data of every verified message, both ways."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from telegram_frames import check_readings

from protocol.reading_fields import reading_fields, records_of
from protocol.readings import Reading, readings
from protocol.records import RecordList, encode_records, parse_records

_VECTORS = Path(__file__).parents[2] / "vectors" / "annex_n.json"
_MESSAGES = [
    message
    for message in json.loads(_VECTORS.read_text())
    if message["verified"] and message["plaintext_apl_hex"] and (message["expected"] or {}).get("records")
]


def _read(message: dict[str, Any]) -> tuple[bytes, RecordList, list[Reading]]:
    apl = bytes.fromhex(message["plaintext_apl_hex"])
    records = parse_records(apl)
    return apl, records, readings(records.records)


def test_every_record_of_the_annex_is_there() -> None:
    assert sum(len(message["expected"]["records"]) for message in _MESSAGES) >= 40


@pytest.mark.parametrize("message", _MESSAGES, ids=lambda message: message["id"])
def test_readings_are_as_printed(message: dict[str, Any]) -> None:
    _, _, found = _read(message)
    records = message["expected"]["records"]
    check_readings(found, records)
    own = [reading for reading in found if "profile_value" not in reading.qualifiers]
    for reading, record in zip(own, records, strict=True):
        assert reading.raw.hex().upper() in (record["raw_hex"], f"23{record['raw_hex']}")


@pytest.mark.parametrize("message", _MESSAGES, ids=lambda message: message["id"])
def test_readings_without_raw_bytes_give_the_identical_application_data(message: dict[str, Any]) -> None:
    apl, records, found = _read(message)
    described = json.loads(
        json.dumps([{**reading_fields(reading), "raw_hex": None} for reading in found], default=float)
    )
    assert not any("coded_hex" in fields for fields in described)
    rebuilt = RecordList(records_of(described), records.fillers)
    assert encode_records(rebuilt) == apl
    assert encode_records(records) == apl


@pytest.mark.parametrize("message_id", ["N.3-message", "N.4-message"])
def test_profile_months_are_as_printed(message_id: str) -> None:
    message = next(message for message in _MESSAGES if message["id"] == message_id)
    _, _, found = _read(message)
    printed = next(record["profile"] for record in message["expected"]["records"] if "profile" in record)
    profile = next(reading.profile for reading in found if reading.profile is not None)
    assert [float(element or 0) for element in profile.elements] == printed["differences"]
    assert profile.increment_mode.value.replace("_", " ") == printed["increment_mode"]

    dated = [reading for reading in found if reading.storage >= 8 and isinstance(reading.at, date)]
    months = [
        {"month": f"{reading.at:%Y-%m}", "volume_m3": float(reading.value or 0)}  # type: ignore[arg-type]
        for reading in dated
    ]
    assert months == printed["absolute_values"]
    assert [reading.storage for reading in dated] == list(range(8, 20))
