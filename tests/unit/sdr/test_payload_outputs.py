"""What the layers below say of payloads stands in every output, not in the JSON line alone."""

import json

import pytest

from protocol import address, configuration, ell, link, transport
from protocol.decoder import Decoder
from sdr.byte_lines import receive_line
from sdr.commands.decode import Counts
from sdr.output.explain_text import explain_json, explain_text
from sdr.output.json_line import to_dict
from sdr.output.text_line import table_row
from sdr.reception import ByteReception

NOTIFICATION = bytes.fromhex(
    "0F40000001 0C 07EA0B14050B000000FFC400"  # data notification of 20 November 2026, 11:00, UTC+1
    "0101 0203 0906 0100010800FF 06 0001E240 0202 0FFF 161E"  # 1-0:1.8.0*255, 123456 * 10^-1 Wh
)


@pytest.fixture
def reception() -> ByteReception:
    header = transport.build(0x7D, 1, 0, configuration.build(0)).encode()
    frame = link.build(0x44, address.build("ELS", "12345678", 51, 2), header + NOTIFICATION).encode()
    return receive_line(Decoder(), frame.hex().encode(), 1)


def test_json_line_and_table(reception: ByteReception) -> None:
    (reading,) = to_dict(reception)["readings"]
    assert (reading["obis"], reading["value"], reading["unit"]) == ("1-0:1.8.0*255", 12345.6, "Wh")
    assert table_row(reception, 1.0).endswith("  1-0:1.8.0*255 12345.6 Wh")


def test_explained(reception: ByteReception) -> None:
    text = explain_text(reception, is_coloured=False)
    assert "1 reading\n" in text
    assert "DLMS/COSEM" in text
    last = text.splitlines()[-1]
    assert last.split() == ["1-0:1.8.0*255", "energy", "12345.6", "Wh", "at", "2026-11-20T11:00+01:00"]
    explained = json.loads(explain_json(reception))
    assert explained["readings"] == to_dict(reception)["readings"]
    assert sum(each["size"] for each in explained["fields"]) == len(reception.raw)


def test_an_altered_payload_is_named() -> None:
    session = ell.Ell(0x8D, 0xA0, 1, session_number=0x123, payload_crc=0)
    layer, payload = ell.seal_payload(session, bytes.fromhex("780C1427048502"), bytes(8), None)
    frame = link.build(0x44, address.build("ELS", "12345678", 51, 3), layer.encode() + payload).encode()
    altered = receive_line(Decoder(), (frame[:-1] + b"\x03").hex().encode(), 1)
    assert to_dict(altered)["problem"] == {"layer": "ell", "reason": "payload_crc_mismatch"}
    assert table_row(altered, 1.0).endswith("  payload crc mismatch")
    assert "plain: payload crc mismatch (ell)" in explain_text(altered, is_coloured=False)
    counts = Counts()
    counts.add(altered)
    assert counts.lines() == ["1 of 1 telegrams not read: payload_crc_mismatch 1"]
