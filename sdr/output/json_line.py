"""Reception → JSON line: the only place that knows the schema, with ``json_layers``.

Rejections and telegrams share ``schema``, ``time``, ``mode``, ``raw_hex`` and ``radio``.
Values that could not be measured are null; layers that are not present are null.
"""

from __future__ import annotations

import json
from typing import Any

from dsp.burst import Burst
from protocol.link import LinkFrame
from protocol.telegram import Telegram
from sdr.output.json_layers import (
    address_text,
    afl_text,
    application_text,
    ell_text,
    link_text,
    numbered_text,
    readings_texts,
    security_text,
    transport_text,
)
from sdr.output.json_text import json_text, quoted
from sdr.reception import ByteReception, Reception, Rejection
from sdr.timestamps import format_utc

SCHEMA = 1


def to_json(reception: Reception | ByteReception) -> str:
    """Write one reception as one line of JSON, without the line feed."""
    time, mode, raw, radio = _head(reception)
    head = f'{{"schema":{SCHEMA},"time":{time},"mode":{mode}'
    if reception.rejection is not None:
        rejected = _rejected(reception.rejection)
        return f'{head},"rejected":{rejected},"raw_hex":"{raw.hex()}","radio":{radio}}}'
    telegram = reception.telegram
    assert telegram is not None
    direction = "null" if reception.direction is None else f'"{reception.direction}"'
    frame_format = "null" if reception.frame_format is None else f'"{reception.frame_format}"'
    return (
        f'{head},"direction":{direction},"frame_format":{frame_format},'
        f'"frame_hex":"{reception.frame.hex()}","raw_hex":"{raw.hex()}","repaired":{reception.repaired},'
        f'"radio":{radio},{_telegram(telegram, reception.notes)}}}'
    )


def to_dict(reception: Reception | ByteReception) -> dict[str, Any]:
    """Arrange one reception as the schema wants it."""
    arranged: dict[str, Any] = json.loads(to_json(reception))
    return arranged


def _telegram(telegram: Telegram, notes: tuple[str, ...]) -> str:
    """Write the keys that tell what the telegram says."""
    frame, meter = telegram.frame, telegram.meter
    sender_address = frame.address if isinstance(frame, LinkFrame) else None
    sender = None if sender_address is None else address_text(sender_address)
    if meter is None:
        number = telegram.meter_id
        owner = "null" if number is None else numbered_text(number)
    else:
        name = "" if telegram.name is None else f',"name":{quoted(telegram.name)}'
        owner = f"{{{sender if meter is sender_address else address_text(meter)}{name}}}"
    readings, payload_notes = readings_texts(telegram)
    all_notes = telegram.notes + payload_notes + notes
    nwl = "" if telegram.nwl is None else f'"nwl":{{"routing":{telegram.nwl.routing}}},'
    problem = "" if telegram.problem is None else f',"problem":{json_text(telegram.problem._asdict())}'
    return (
        f'"link":{link_text(frame, sender)},"meter":{owner},'
        f'"ell":{ell_text(telegram.ell)},{nwl}"afl":{afl_text(telegram)},'
        f'"transport":{transport_text(telegram.header)},"security":{security_text(telegram)},'
        f'"application":{application_text(telegram.content)},'
        f'"readings":[{",".join(readings)}],'
        f'"notes":{json_text(all_notes) if all_notes else "[]"}{problem}'
    )


def _head(reception: Reception | ByteReception) -> tuple[str, str, bytes, str]:
    """Return time, mode, raw bytes and radio, all but the bytes as JSON."""
    if isinstance(reception, ByteReception):
        time = "null" if reception.time is None else quoted(reception.time)
        mode = "null" if reception.mode is None else quoted(reception.mode)
        return time, mode, reception.raw, reception.radio
    burst = reception.burst
    time = "null" if reception.received_at is None else f'"{format_utc(reception.received_at)}"'
    radio = json_text(_radio(burst, reception.first_sample) | _radios(reception))
    return time, f'"{burst.row.mode}"', burst.raw, radio


def _rejected(rejection: Rejection) -> str:
    fields = {"layer": rejection.layer, "reason": rejection.reason}
    places = {"block": rejection.block, "line": rejection.line}
    return json_text(fields | {name: place for name, place in places.items() if place is not None})


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


def _radios(reception: Reception) -> dict[str, Any]:
    """Tell which radio heard it, where several listen, and how the others did."""
    if reception.device is None:
        return {}
    copies = [
        {
            "device": copy.device,
            "rssi_dbfs": _rounded(copy.rssi_dbfs, 1),
            "snr_db": _rounded(copy.snr_db, 1),
            "frequency_error_hz": _rounded(copy.frequency_error_hz, 0),
        }
        for copy in reception.copies
    ]
    return {"device": reception.device, "copies": copies}


def _rounded(value: float | None, digits: int) -> float | int | None:
    if value is None:
        return None
    return round(value, digits) if digits else round(value)
