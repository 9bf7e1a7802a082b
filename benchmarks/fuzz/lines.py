"""Targets around the protocol: lines of ``omsdr decode`` and ``omsdr encode``, payloads of libraries."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from fuzz.lower import long_frame, refusal
from fuzz.sealed import RING, WIRED, frames
from fuzz.upper import HOSTILE
from protocol.decoder import Decoder
from protocol.frame_format import FrameFormat, add_crcs
from protocol.telegram import Telegram
from sdr.byte_lines import MOST_LINE_BYTES, receive_line
from sdr.line_encoder import LineEncoder
from sdr.output.explain_text import explain_json, explain_text
from sdr.output.json_line import to_json
from sdr.output.json_text import json_text
from sdr.payloads import NOTES, decode_payload
from sdr.reception import ByteReception

_FORMATS: Final[dict[int, FrameFormat]] = {0x20: "A", 0x40: "B"}


def decode_lines(data: bytes) -> None:
    """Decode lines of text, whatever they hold: each gives one line of JSON."""
    decoder = Decoder(RING)
    for number, line in enumerate(data.split(b"\n"), start=1):
        reception = receive_line(decoder, line if len(line) < MOST_LINE_BYTES else None, number)
        assert _line(reception)["schema"] == 1


def round_trip(data: bytes) -> None:
    """Decode a frame, and encode the JSON line: the same frame, or a reason why not.

    Byte 0 says whether the frame is a wired one.
    """
    if not data:
        return
    body = data[1:256]
    frame = long_frame(body) if data[0] & WIRED else bytes((len(body),)) + body
    reception = receive_line(Decoder(RING), frame.hex().encode(), 1)
    text = to_json(reception)
    if reception.rejection is not None:
        return
    line = json.loads(text, parse_float=Decimal)
    del line["frame_hex"], line["raw_hex"]
    if line["application"] is not None:
        del line["application"]["plaintext_hex"]
    encoder = LineEncoder(RING)
    done = encoder.push(json_text(line).encode(), 1) + encoder.flush()
    assert len(done) == 1
    assert done[0].is_done
    telegram = reception.telegram
    assert telegram is not None
    if done[0].frame is not None and _is_known(telegram):
        assert done[0].frame == reception.raw, f"{reception.raw.hex()} became {done[0].frame.hex()}"


def _is_known(telegram: Telegram) -> bool:
    """Whether nothing had to be guessed: a MAC that no key has verified, padding of the transport layer."""
    has_mac = telegram.afl is not None and telegram.afl.mac is not None
    configuration = None if telegram.header is None else telegram.header.configuration
    is_padded = configuration is not None and configuration.has_padding
    return not is_padded and (telegram.security.authenticated or not has_mac)


def explained(data: bytes) -> None:
    """Explain frames one after another, with and without block CRCs: every byte once."""
    decoder = Decoder(RING)
    for options, frame in frames(data):
        raw = frame
        frame_format = _FORMATS.get(options & 0x60)
        if frame_format is not None:
            with refusal:
                raw = add_crcs(frame, frame_format)
        reception = receive_line(decoder, raw.hex().encode(), 1)
        if options & 1:
            assert explain_text(reception, is_coloured=bool(options & 2))
            continue
        seen = bytearray(raw)
        for field in json.loads(explain_json(reception))["fields"]:
            assert field["layer"] and field["field"] and field["meaning"]
            assert field["decrypted_hex"] is None or len(field["decrypted_hex"]) == len(field["hex"])
            taken = b"".join(raw[offset : offset + size] for offset, size in field["spans"])
            assert taken.hex() == field["hex"]
            for offset, size in field["spans"]:
                assert seen[offset : offset + size] == raw[offset : offset + size]
                seen[offset : offset + size] = bytes(byte ^ 0xFF for byte in seen[offset : offset + size])
        assert seen == bytes(byte ^ 0xFF for byte in raw)


def _line(reception: ByteReception) -> dict[str, Any]:
    text = to_json(reception)
    assert b"\n" not in text.encode()
    loaded: dict[str, Any] = json.loads(text, parse_constant=_refuse)
    return loaded


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def encode_lines(data: bytes) -> None:
    """Encode a JSON line that was tampered with: a frame, or a reason why not.

    Byte 0 is the number of changes of three bytes each (how deep, which, by what); then comes the frame.
    """
    if not data:
        return
    count = data[0] % 8
    changes, frame = data[1 : 1 + 3 * count], data[1 + 3 * count :]
    line = _line(receive_line(Decoder(RING), frame.hex().encode(), 1))
    for at in range(0, len(changes) - 2, 3):
        _tamper(line, *changes[at : at + 3])
    try:
        text = json.dumps(line, default=str).encode()
    except ValueError:
        return
    encoder = LineEncoder(RING)
    done = encoder.push(text, 1) + encoder.flush()
    assert len(done) == 1
    assert done[0].is_done


def _tamper(fields: dict[str, Any], deep: int, which: int, value: int) -> None:
    """Replace or remove a field, perhaps of an object inside the object."""
    for _ in range(deep % 3):
        inside = [item for item in fields.values() if isinstance(item, dict) and item]
        inside += [item for items in fields.values() if isinstance(items, list) for item in items[:2]]
        inside = [item for item in inside if isinstance(item, dict) and item]
        if not inside:
            break
        fields = inside[which % len(inside)]
    name = sorted(fields)[which % len(fields)] if fields else "value"
    if value == 0xFF:
        fields.pop(name, None)
    else:
        fields[name] = HOSTILE[value % len(HOSTILE)]


def payloads(data: bytes) -> None:
    """Read a DLMS/COSEM or, with bit 0 of byte 0, an SML payload."""
    if not data:
        return
    found = decode_payload("sml" if data[0] & 1 else "dlms", data[1:])
    assert found is not None
    assert set(found.notes) <= set(NOTES)
    for reading in found.readings:
        json_text(reading.value)
