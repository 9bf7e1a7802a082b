from datetime import UTC, datetime

import pytest

from sdr.timestamps import format_utc, later, parse_utc

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T12:00:00Z",
        "2026-11-20 12:00:00",
        "2026-11-20T13:00:00+01:00",
        "2026-11-20T12:00:00.0000000009Z",
        "20261120T120000Z",
    ],
)
def test_parse(text: str) -> None:
    assert parse_utc(text) == NOON
    assert parse_utc(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "noon", "2026-13-01", "2026-11-20T12:00:60Z", "0001-01-01T00:00:00+10:00"]
)
def test_refuse(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_utc(text)


def test_format_and_later() -> None:
    assert format_utc(NOON) == "2026-11-20T12:00:00.000000Z"
    assert later(NOON, 1.5) == NOON.replace(second=1, microsecond=500_000)
    assert later(NOON, 1e15) is None
