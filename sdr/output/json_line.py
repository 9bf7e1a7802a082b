"""Reception → JSON line: the only place that knows the schema.

Rejected bursts and telegrams share ``schema``, ``time``, ``mode``, ``raw_hex`` and ``radio``.
Values that could not be measured are null; layers that are not present are null.
"""

from __future__ import annotations

import json
from typing import Any

from dsp.burst import Burst
from protocol.link import LinkFrame
from sdr.reception import Reception
from sdr.timestamps import format_utc

SCHEMA = 1


def to_json(reception: Reception) -> str:
    """Write one reception as one line of JSON, without the line feed."""
    return json.dumps(to_dict(reception), separators=(",", ":"), ensure_ascii=False)


def to_dict(reception: Reception) -> dict[str, Any]:
    """Arrange one reception as the schema wants it."""
    burst, rejection = reception.burst, reception.rejection
    time = None if reception.received_at is None else format_utc(reception.received_at)
    head: dict[str, Any] = {"schema": SCHEMA, "time": time, "mode": burst.row.mode}
    radio = _radio(burst, reception.first_sample)
    if rejection is not None:
        rejected: dict[str, Any] = {"layer": rejection.layer, "reason": rejection.reason}
        if rejection.block is not None:
            rejected["block"] = rejection.block
        return {**head, "rejected": rejected, "raw_hex": burst.raw.hex(), "radio": radio}
    assert reception.link is not None
    sender = _link(reception.link)
    return {
        **head,
        "direction": reception.direction,
        "frame_format": burst.frame_format,
        "frame_hex": reception.frame.hex(),
        "raw_hex": burst.raw.hex(),
        "repaired": 0,
        "radio": radio,
        "link": sender,
        "meter": {key: sender[key] for key in _METER_KEYS},
        "ell": None,
        "afl": None,
        "transport": None,
        "security": None,
        "application": None,
        "readings": [],
        "notes": [],
    }


_METER_KEYS = ("manufacturer", "id", "version", "device_type", "device_type_name")


def _link(frame: LinkFrame) -> dict[str, Any]:
    sender = frame.address
    return {
        "c_field": f"{frame.c_field:02x}",
        "function": frame.function,
        "manufacturer": sender.manufacturer,
        "id": sender.id,
        "version": sender.version,
        "device_type": sender.device_type,
        "device_type_name": sender.device_type_name,
    }


def _radio(burst: Burst, first_sample: int) -> dict[str, Any]:
    quality = burst.quality
    return {
        "rssi_dbfs": _rounded(quality.rssi_dbfs, 1),
        "snr_db": _rounded(quality.snr_db, 1),
        "noise_dbfs": _rounded(quality.noise_dbfs, 1),
        "carrier_hz": _rounded(quality.carrier_hz, 0),
        "frequency_error_hz": _rounded(quality.frequency_error_hz, 0),
        "deviation_hz": _rounded(quality.deviation_hz, 0),
        "chip_rate_hz": _rounded(quality.chip_rate_hz, 1),
        "inverted": quality.inverted,
        "first_sample": first_sample,
        "duration_ms": round(burst.duration_s * 1e3, 3),
    }


def _rounded(value: float | None, digits: int) -> float | int | None:
    if value is None:
        return None
    return round(value, digits) if digits else round(value)
