"""A telegram byte by byte, for people (aligned columns, in order of the bytes) and for tools (JSON).

offset  bytes                    decrypted                field           meaning
── transport ─────────────────────────────────────────────────────────────────────
    12  7A                                                CI-field        7Ah M-Bus full frame
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from protocol.annotate import value_text
from protocol.dates import iso_text
from protocol.errors import ProtocolError
from protocol.explain import ExplainedField, explain
from protocol.identify import identify
from protocol.outcome import READ_OUTCOMES, Outcome
from protocol.readings import Reading
from protocol.telegram import NOTES as TELEGRAM_NOTES
from protocol.telegram import Telegram
from sdr.output.json_layers import payload_fields
from sdr.output.json_text import json_text
from sdr.payloads import NOTES as PAYLOAD_NOTES
from sdr.payloads import PayloadReading, payload_of
from sdr.reception import INPUT_NOTES, ByteReception

_BYTES_A_LINE: Final = 8
_HEX_WIDTH: Final = 3 * _BYTES_A_LINE - 1
_NAME_WIDTH: Final = 17
_RULE_WIDTH: Final = 100
_LAYER_NAMES: Final = {
    "link": "link layer",
    "ell": "extended link layer",
    "nwl": "network layer",
    "afl": "authentication and fragmentation layer",
    "transport": "transport layer",
    "security": "security",
    "application": "application data",
}

_NOTES: Final = TELEGRAM_NOTES | PAYLOAD_NOTES | INPUT_NOTES
_SAID_BY_FORMAT: Final = ("crcs_of_format_a", "crcs_of_format_b")

_NORMAL: Final = ""
_BOLD: Final = "1"
_DIM: Final = "2"
_LAYER_COLOUR: Final = "1;36"
_PLAIN_COLOUR: Final = "32"
_GOOD: Final = "1;32"
_BAD: Final = "1;31"
_VALUE_NAMES: Final = ("data",)
_WITHIN_RECORD: Final = ("DIFE", "VIF", "VIFE", "unit", "LVAR", "data", "spacing control", "spacing value")


class Ink:
    """Colours for a terminal, or none for a pipe."""

    def __init__(self, is_coloured: bool) -> None:
        self._is_coloured = is_coloured

    def __call__(self, text: str, code: str) -> str:
        """Return the text in a colour."""
        return f"\033[{code}m{text}\033[0m" if self._is_coloured and code and text.strip() else text


def explain_text(reception: ByteReception, *, is_coloured: bool) -> str:
    """Write a telegram byte by byte, ending with an empty line."""
    ink = Ink(is_coloured)
    fields = _fields(reception)
    has_plain = any(each.plain is not None for each in fields)
    lines = [*_title(reception, ink), _head(has_plain, ink)]
    layer = None
    placed = [(*line, each) for each in fields for line in _field_lines(each, has_plain, ink)]
    for _, line, each in sorted(placed, key=lambda entry: entry[0]):
        # A block CRC interrupts whatever stands around it; it opens no layer of its own.
        if each.layer != layer and each.name != "CRC":
            layer = each.layer
            lines.append(_rule(_LAYER_NAMES.get(layer, layer), ink))
        lines.append(line)
    return "\n".join([*lines, *_reading_lines(reception.telegram, ink), ""])


def explain_json(reception: ByteReception) -> str:
    """Write a telegram byte by byte as one line of JSON, without the line feed."""
    rejection, telegram = reception.rejection, reception.telegram
    payload = None if telegram is None else payload_of(telegram)
    return json_text(
        {
            "schema": 1,
            "raw_hex": reception.raw.hex(),
            "rejected": None
            if rejection is None
            else {"layer": rejection.layer, "reason": rejection.reason, "line": rejection.line},
            "outcome": None if telegram is None else telegram.security.outcome.value,
            "fields": [
                {
                    "layer": each.layer,
                    "field": each.name,
                    "meaning": each.meaning,
                    "offset": each.spans[0][0],
                    "size": len(each.raw),
                    "spans": each.spans,
                    "hex": each.raw.hex(),
                    "decrypted_hex": None if each.plain is None else each.plain.hex(),
                }
                for each in _fields(reception)
            ],
            **({} if payload is None else {"readings": [payload_fields(each) for each in payload.readings]}),
        }
    )


def _fields(reception: ByteReception) -> list[ExplainedField]:
    """Explain the bytes as given; of a JSON line whose bytes contradict each other, the frame."""
    raw, frame = reception.raw, reception.frame
    try:
        is_consistent = reception.telegram is None or identify(raw).frame == frame
    except ProtocolError:
        is_consistent = False
    return explain(raw if is_consistent else frame, reception.telegram)


def _rule(name: str, ink: Ink) -> str:
    return ink(f"── {name} ".ljust(_RULE_WIDTH, "─"), _LAYER_COLOUR)


def _reading_lines(telegram: Telegram | None, ink: Ink) -> list[str]:
    """Write the readings that the bytes do not show: of fragments before, of payloads that are no M-Bus."""
    if telegram is None:
        return []
    payload = payload_of(telegram)
    if payload is not None:
        readings: Sequence[Reading | PayloadReading] = payload.readings
    elif telegram.fragment_bytes is not None:
        readings = telegram.readings
    else:
        return []
    lines = [_rule("readings", ink)] if readings else []
    for each in readings:
        at = "" if each.at is None else f" at {iso_text(each.at)}"
        value = ink(value_text(each.value, each.unit), _BOLD)
        lines.append(
            f"{'':6}  {_place_text(each):<{_HEX_WIDTH}}  {each.quantity:<{_NAME_WIDTH}}  {value}{at}"
        )
    return lines


def _place_text(reading: Reading | PayloadReading) -> str:
    """Return the OBIS code, or function, storage, tariff and subunit where they are not the usual ones."""
    if isinstance(reading, PayloadReading):
        return reading.obis or ""
    numbers = (("storage", reading.storage), ("tariff", reading.tariff), ("subunit", reading.subunit))
    words = [f"{name} {number}" for name, number in numbers if number]
    function = [] if reading.function == "instantaneous" else [reading.function]
    return ", ".join(function + words)


def _title(reception: ByteReception, ink: Ink) -> list[str]:
    size = f"{len(reception.raw)} bytes"
    if reception.frame_format is not None:
        size += f", frame format {reception.frame_format}"
    telegram = reception.telegram
    if telegram is None:
        assert reception.rejection is not None
        reason = reception.rejection.reason.replace("_", " ")
        return [f"{ink('no telegram', _BAD)}: {reason} ({reception.rejection.layer}), {size}"]
    who = f"{telegram.frame.function}{_who(telegram)}"
    title = [f"{ink(who, _BOLD)} · {size}", _security_text(telegram, ink)]
    payload = payload_of(telegram)
    notes = telegram.notes + (() if payload is None else payload.notes) + reception.notes
    title += [f"note: {_NOTES[note]}" for note in notes if note not in _SAID_BY_FORMAT]
    return title


def _who(telegram: Telegram) -> str:
    sender, meter = telegram.sender, telegram.meter
    texts = []
    if sender is not None:
        texts.append(f" from {sender.manufacturer} {sender.id} v{sender.version} {sender.device_type_name}")
    if meter is not None and meter != sender:
        texts.append(f" · meter {meter.manufacturer} {meter.id} v{meter.version} {meter.device_type_name}")
    if telegram.name is not None:
        texts.append(f" “{telegram.name}”")
    return "".join(texts)


def _security_text(telegram: Telegram, ink: Ink) -> str:
    security = telegram.security
    is_read = security.outcome in READ_OUTCOMES
    is_good = is_read and telegram.problem is None
    texts = [ink(security.outcome.replace("_", " "), _GOOD if is_good else _BAD)]
    if telegram.problem is not None:
        texts[0] += f": {telegram.problem.reason.replace('_', ' ')} ({telegram.problem.layer})"
    elif security.outcome is Outcome.INCOMPLETE and telegram.afl is not None:
        texts[0] += f": fragment {telegram.afl.fragment_number} of a message"
    if security.authenticated:
        texts.append(ink("authentic", _GOOD))
    if security.profile is not None:
        texts.append(f"security profile {security.profile}")
    if security.message_counter is not None:
        texts.append(f"message counter {security.message_counter}")
    payload = payload_of(telegram)
    n_readings = len(telegram.readings if payload is None else payload.readings)
    if n_readings:
        texts.append(f"{n_readings} reading{'s' if n_readings > 1 else ''}")
    return " · ".join(texts)


def _head(has_plain: bool, ink: Ink) -> str:
    plain = f"{'decrypted':<{_HEX_WIDTH}}  " if has_plain else ""
    return ink(f"offset  {'bytes':<{_HEX_WIDTH}}  {plain}{'field':<{_NAME_WIDTH}}  meaning", _DIM)


def _field_lines(each: ExplainedField, has_plain: bool, ink: Ink) -> list[tuple[int, str]]:
    """Write a field with the offset of each line: one line, and more where its bytes do not stand in one."""
    style = _style(each)
    quiet = _DIM if style == _DIM else _NORMAL
    indent = "  " if each.layer == "application" and each.name in _WITHIN_RECORD else ""
    lines = []
    index = 0
    for offset, size in each.spans:
        for start in range(0, size, _BYTES_A_LINE):
            part = slice(index, index + min(_BYTES_A_LINE, size - start))
            plain = "" if each.plain is None else _hex(each.plain[part])
            # Behind a block CRC the field goes on.
            name = indent + (each.name if index == 0 else "…" if start == 0 else "")
            cells = [
                (f"{offset + start:>6}", _NORMAL),
                (f"{_hex(each.raw[part]):<{_HEX_WIDTH}}", quiet),
                *([(f"{plain:<{_HEX_WIDTH}}", _PLAIN_COLOUR)] if has_plain else []),
                (f"{name:<{_NAME_WIDTH}}", quiet),
                (each.meaning if index == 0 else "", style),
            ]
            while not cells[-1][0].strip():
                cells.pop()
            last, last_style = cells.pop()
            text = "".join(f"{ink(text, code)}  " for text, code in cells) + ink(last.rstrip(), last_style)
            lines.append((offset + start, text))
            index = part.stop
    return lines


def _style(each: ExplainedField) -> str:
    """Return the colour of a meaning: values stand out, CRCs and fillers step back."""
    if "does not fit" in each.meaning or each.name in ("encrypted", "left over"):
        return _BAD
    if each.name in ("CRC", "filler", "padding", "checksum", "stop"):
        return _DIM
    return _BOLD if each.layer == "application" and each.name in _VALUE_NAMES else _NORMAL


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()
