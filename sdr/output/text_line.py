"""Reception → one line of text: table row, hex, rtl_wmbus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sdr.reception import Reception

TABLE_HEADER = (
    f"{'time':<15} {'mode':<5} {'sender':<22} {'kind':<22} {'C-field':<8} "
    f"{'RSSI':>6} {'SNR':>5} {'Δf/kHz':>7} {'bytes':>5}"
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RTL_WMBUS_MODES = ("S", "T", "C")


def table_row(reception: Reception, sample_rate_hz: float) -> str:
    """Write a row for people: when, who, how strong."""
    burst, quality = reception.burst, reception.burst.quality
    when = (
        reception.received_at.strftime("%H:%M:%S.%f")
        if reception.received_at is not None
        else f"{reception.first_sample / sample_rate_hz:.6f} s"
    )
    mode = f"{burst.row.mode} {'↓' if reception.direction == 'O2M' else ' '}{burst.frame_format or ''}"
    levels = (
        f"{_number(quality.rssi_dbfs, 1):>6} {_number(quality.snr_db, 1):>5} "
        f"{_number(None if quality.frequency_error_hz is None else quality.frequency_error_hz / 1e3, 1):>7} "
        f"{len(burst.raw):>5}"
    )
    if reception.link is None:
        assert reception.rejection is not None
        block = f" in block {reception.rejection.block}" if reception.rejection.block else ""
        what = f"rejected: {reception.rejection.reason.replace('_', ' ')}{block}"
        return f"{when:<15} {mode:<5} {what:<54} {levels}"
    sender = reception.link.address
    who = f"{sender.manufacturer} {sender.id} v{sender.version}"
    kind = sender.device_type_name[:22]
    return f"{when:<15} {mode:<5} {who:<22} {kind:<22} {reception.link.function:<8} {levels}"


def hex_line(reception: Reception) -> str | None:
    """Write the frame in hex; None for a rejection."""
    return reception.frame.hex() if reception.link is not None else None


def rtl_wmbus_line(reception: Reception, sample_rate_hz: float) -> str | None:
    """Write the line that wmbusmeters takes from rtl_wmbus; None for what has no place there.

    Without a known clock the time runs from 1970-01-01 with the samples.
    """
    if reception.link is None or reception.direction == "O2M":
        return None
    if reception.burst.row.mode not in _RTL_WMBUS_MODES:
        return None
    time = reception.received_at or _EPOCH + timedelta(seconds=reception.first_sample / sample_rate_hz)
    stamp = time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    rssi = min(99, max(-999, round(reception.burst.quality.rssi_dbfs or 0.0)))
    sender = reception.link.address.id
    return f"{reception.burst.row.mode}1;1;1;{stamp};{rssi};{rssi};{sender};0x{reception.frame.hex()}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
