"""Reception → one line of text: table row, hex, rtl_wmbus."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from dsp.burst import Quality
from protocol.annotate import value_text
from protocol.outcome import Outcome
from protocol.readings import Reading
from protocol.telegram import Telegram
from protocol.wired import WiredFrame
from sdr.payloads import PayloadReading, payload_of
from sdr.reception import WIRED, ByteReception, Reception
from sdr.timestamps import parse_utc

_WHO = f"{'time':<15} {'mode':<5} {'sender':<22} {'kind':<22} {'C-field':<8}"
_LEVELS = f"{'RSSI':>6} {'SNR':>5} {'Δf/kHz':>7}"
_WHAT = f"{'bytes':>5}  readings"
TABLE_HEADER = f"{_WHO} {_LEVELS} {_WHAT}"
BYTES_TABLE_HEADER = f"{_WHO} {_WHAT}"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RTL_WMBUS_MODES = ("S", "T", "C")


def table_header(reception: Reception | ByteReception) -> str:
    """Write the head of the table that begins with this reception."""
    return TABLE_HEADER if isinstance(reception, Reception) else BYTES_TABLE_HEADER


def table_row(reception: Reception | ByteReception, sample_rate_hz: float) -> str:
    """Write a row for people: when, who, how strong if it was heard, what."""
    arrow = "↓" if reception.direction == "O2M" else " "
    space = "" if reception.mode == WIRED else " "
    mode = f"{reception.mode or '–'}{space}{arrow}{reception.frame_format or ''}"
    start = f"{_when(reception, sample_rate_hz):<15} {mode:<5}"
    levels = _levels(reception.burst.quality) if isinstance(reception, Reception) else ""
    size = f"{levels}{len(reception.raw):>5}"
    telegram = reception.telegram
    if telegram is None:
        assert reception.rejection is not None
        block = f" in block {reception.rejection.block}" if reception.rejection.block else ""
        what = f"rejected: {reception.rejection.reason.replace('_', ' ')}{block}"
        return f"{start} {what:<54} {size}"
    who, kind = _who(telegram)
    return f"{start} {who:<22} {kind:<22} {telegram.frame.function:<8} {size}  {_says(telegram)}".rstrip()


def _levels(quality: Quality) -> str:
    error_hz = quality.frequency_error_hz
    error_khz = _number(None if error_hz is None else error_hz / 1e3, 1)
    return f"{_number(quality.rssi_dbfs, 1):>6} {_number(quality.snr_db, 1):>5} {error_khz:>7} "


def _when(reception: Reception | ByteReception, sample_rate_hz: float) -> str:
    if isinstance(reception, ByteReception):
        return "–" if reception.time is None else reception.time[11:].rstrip("Z")
    if reception.received_at is not None:
        return reception.received_at.strftime("%H:%M:%S.%f")
    return f"{reception.first_sample / sample_rate_hz:.6f} s"


def _who(telegram: Telegram) -> tuple[str, str]:
    """Return the sender, or in wired frames the meter, and its kind."""
    sender = telegram.sender or telegram.meter
    if sender is None:
        address_field = telegram.frame.address_field if isinstance(telegram.frame, WiredFrame) else None
        number = "" if telegram.meter_id is None else f", {telegram.meter_id}"
        return ("–" if address_field is None else f"address {address_field}{number}"), ""
    return f"{sender.manufacturer} {sender.id} v{sender.version}", sender.device_type_name[:22]


def _says(telegram: Telegram) -> str:
    """Return the first readings, or why there are none."""
    payload = payload_of(telegram)
    readings = telegram.readings if payload is None else payload.readings
    texts = [f"{_named(reading)} {value_text(reading.value, reading.unit)}" for reading in readings[:3]]
    if len(readings) > len(texts):
        texts.append(f"+{len(readings) - len(texts)}")
    outcome, problem = telegram.security.outcome, telegram.problem
    is_good = outcome in (Outcome.PLAIN, Outcome.DECRYPTED)
    words = [*([] if is_good else [outcome.value]), *([] if problem is None else [problem.reason])]
    verdict = [": ".join(dict.fromkeys(words)).replace("_", " ")] if words else []
    return ", ".join(verdict + texts)


def _named(reading: Reading | PayloadReading) -> str:
    return reading.name if isinstance(reading, PayloadReading) else reading.quantity


def hex_line(reception: Reception | ByteReception) -> str | None:
    """Write the frame in hex; None for a rejection."""
    return reception.frame.hex() if reception.rejection is None else None


def rtl_wmbus_line(reception: Reception | ByteReception, sample_rate_hz: float) -> str | None:
    """Write the line that wmbusmeters takes from rtl_wmbus; None for what has no place there.

    Without a known clock the time runs from 1970-01-01 with the samples.
    """
    telegram = reception.telegram
    if telegram is None or telegram.sender is None or reception.direction == "O2M":
        return None
    if reception.mode not in _RTL_WMBUS_MODES:
        return None
    if isinstance(reception, ByteReception):
        time = parse_utc(reception.time) if reception.time else _EPOCH
        rssi_dbfs = (json.loads(reception.radio) or {}).get("rssi_dbfs")
    else:
        time = reception.received_at or _EPOCH + timedelta(seconds=reception.first_sample / sample_rate_hz)
        rssi_dbfs = reception.burst.quality.rssi_dbfs
    stamp = time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    rssi = min(99, max(-999, round(rssi_dbfs or 0.0)))
    return f"{reception.mode}1;1;1;{stamp};{rssi};{rssi};{telegram.sender.id};0x{reception.frame.hex()}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
