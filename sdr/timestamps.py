"""Instants in ISO 8601, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 instant; one without a time zone is taken as UTC.

    Raises:
        ValueError: the text is no date, or lies outside the years 1 to 9999 in UTC.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time; write it like 2026-11-20T10:00:00Z") from None


def format_utc(instant: datetime) -> str:
    """Write an aware instant as ``2026-11-20T10:00:00.123456Z``."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def later(instant: datetime, seconds: float) -> datetime | None:
    """Return the instant ``seconds`` later, or None where that leaves the calendar."""
    try:
        return instant + timedelta(seconds=seconds)
    except OverflowError:
        return None
