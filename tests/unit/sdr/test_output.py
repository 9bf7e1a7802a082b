"""Outputs: one reception as a JSON line, a table row, hex, an rtl_wmbus line; targets and left-outs."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import GAS_FRAME, GAS_RAW_A

from dsp.burst import Burst, Fault, Quality
from dsp.modes import BY_NAME
from protocol import link
from sdr.errors import UsageError
from sdr.output import FORMATS, Output, open_output, parse_target
from sdr.output.json_line import to_dict, to_json
from sdr.output.text_line import hex_line, rtl_wmbus_line, table_header, table_row
from sdr.reception import Reception, Rejection

RATE_HZ = 1.6e6
QUALITY = Quality(
    rssi_dbfs=-31.2345,
    noise_dbfs=-49.6,
    carrier_hz=868_951_234.4,
    frequency_error_hz=1234.4,
    deviation_hz=49_800.2,
    chip_rate_hz=100_012.54,
)
BURST = Burst(
    row=BY_NAME["T M2O"],
    frame_format="A",
    raw=GAS_RAW_A,
    fault=None,
    bad_blocks=(),
    repaired_bits=3,
    first_sample=123_456,
    duration_s=0.0071004,
    quality=QUALITY,
)
TELEGRAM = Reception(
    burst=BURST,
    received_at=datetime(2026, 11, 20, 10, 0, 0, 123_456, tzinfo=UTC),
    first_sample=9_123_456,
    frame=GAS_FRAME,
    link=link.parse(GAS_FRAME),
    rejection=None,
    direction="M2O",
)
REJECTED = replace(
    TELEGRAM,
    burst=replace(BURST, fault=Fault.CRC_MISMATCH, bad_blocks=(2, 3), raw=GAS_RAW_A[:40], repaired_bits=0),
    frame=b"",
    link=None,
    rejection=Rejection("link", "crc_mismatch", 2),
)
TABLE_HEADER = table_header(TELEGRAM)
SILENT = replace(
    REJECTED,
    burst=replace(BURST, fault=Fault.SYNC_NOT_FOUND, frame_format=None, raw=b"", quality=Quality()),
    rejection=Rejection("phy", "sync_not_found"),
    received_at=None,
    direction=None,
)


def test_json_of_a_telegram() -> None:
    line = to_dict(TELEGRAM)
    assert json.loads(to_json(TELEGRAM)) == line and "\n" not in to_json(TELEGRAM)
    assert line["schema"] == 1
    assert line["time"] == "2026-11-20T10:00:00.123456Z"
    assert (line["mode"], line["direction"], line["frame_format"]) == ("T", "M2O", "A")
    assert line["frame_hex"] == GAS_FRAME.hex() and line["raw_hex"] == GAS_RAW_A.hex()
    assert line["repaired"] == 3
    assert line["radio"] == {
        "rssi_dbfs": -31.2,
        "snr_db": 18.4,
        "noise_dbfs": -49.6,
        "carrier_hz": 868_951_234,
        "frequency_error_hz": 1234,
        "deviation_hz": 49_800,
        "chip_rate_hz": 100_012.5,
        "inverted": False,
        "first_sample": 9_123_456,
        "duration_ms": 7.1,
    }
    assert line["link"]["id"] == line["meter"]["id"] == "12345678"


def test_json_of_rejections() -> None:
    line = to_dict(REJECTED)
    assert line["rejected"] == {"layer": "link", "reason": "crc_mismatch", "block": 2}
    assert line["raw_hex"] == GAS_RAW_A[:40].hex()
    assert "frame_hex" not in line and line["radio"]["snr_db"] == 18.4
    silent = to_dict(SILENT)
    assert silent["rejected"] == {"layer": "phy", "reason": "sync_not_found"}
    assert silent["time"] is None and silent["raw_hex"] == ""


def test_what_could_not_be_measured_is_null() -> None:
    radio = to_dict(SILENT)["radio"]
    unmeasured = {name for name, value in radio.items() if value is None}
    assert set(radio) - unmeasured == {"inverted", "first_sample", "duration_ms"}


def test_table() -> None:
    row = table_row(TELEGRAM, RATE_HZ)
    assert row.split()[:8] == ["10:00:00.123456", "T", "A", "ELS", "12345678", "v51", "gas", "SND-NR"]
    assert row.split()[8:12] == ["-31.2", "18.4", "1.2", "55"]
    for name in ("sender", "kind", "C-field"):
        assert row[TABLE_HEADER.index(name) - 1] == " "
        assert row[TABLE_HEADER.index(name)] != " "
    for name, value in (("RSSI", "-31.2"), ("SNR", "18.4"), ("bytes", "55")):
        end = TABLE_HEADER.index(name) + len(name)
        assert row[:end].endswith(f" {value}")


def test_table_of_rejections_and_without_a_clock() -> None:
    row = table_row(REJECTED, RATE_HZ)
    assert "rejected: crc mismatch in block 2" in row
    assert row[: TABLE_HEADER.index("bytes") + 5].endswith(" 40")
    silent = table_row(SILENT, RATE_HZ)
    assert silent.startswith(f"{9_123_456 / 1.6e6:.6f} s ") and "sync not found" in silent
    assert silent.split()[-4:] == ["–", "–", "–", "0"]
    downlink = replace(TELEGRAM, direction="O2M")
    assert " T ↓A " in table_row(downlink, RATE_HZ)


def test_hex() -> None:
    assert hex_line(TELEGRAM) == GAS_FRAME.hex()
    assert hex_line(REJECTED) is None


def test_rtl_wmbus() -> None:
    assert rtl_wmbus_line(TELEGRAM, RATE_HZ) == (
        f"T1;1;1;2026-11-20 10:00:00.123456;-31;-31;12345678;0x{GAS_FRAME.hex()}"
    )
    # without a clock the time runs with the samples
    line = rtl_wmbus_line(replace(TELEGRAM, received_at=None), RATE_HZ)
    assert line is not None and line.split(";")[3] == "1970-01-01 00:00:05.702160"


@pytest.mark.parametrize(("rssi_dbfs", "text"), [(-1234.5, "-999"), (1.5, "2"), (-0.4, "0"), (None, "0")])
def test_rtl_wmbus_levels_fit_four_characters(rssi_dbfs: float | None, text: str) -> None:
    quality = replace(QUALITY, rssi_dbfs=rssi_dbfs)
    line = rtl_wmbus_line(replace(TELEGRAM, burst=replace(BURST, quality=quality)), RATE_HZ)
    assert line is not None and line.split(";")[4:6] == [text, text]


@pytest.mark.parametrize(
    "reception",
    [
        REJECTED,
        replace(TELEGRAM, direction="O2M"),
        *(replace(TELEGRAM, burst=replace(BURST, row=BY_NAME[name])) for name in ("R2", "Na", "F2")),
    ],
    ids=["rejected", "downlink", "R", "N", "F"],
)
def test_rtl_wmbus_has_no_place_for_the_rest(reception: Reception) -> None:
    assert rtl_wmbus_line(reception, RATE_HZ) is None


def _written(kind: str, *receptions: Reception, rejects: bool = False) -> tuple[list[str], Output]:
    stream = io.StringIO()
    output = Output(kind, stream, rejects=rejects)
    for reception in receptions:
        output.write(reception, RATE_HZ)
    return stream.getvalue().splitlines(), output


def test_rejections_where_they_have_a_place() -> None:
    for kind in FORMATS:
        lines, output = _written(kind, TELEGRAM, REJECTED, TELEGRAM)
        assert len(lines) == 2 + (kind == "table")
        assert output.left_out == 0
    for kind, n_lines in (("jsonl", 3), ("table", 4), ("hex", 2), ("rtl_wmbus", 2)):
        lines, output = _written(kind, TELEGRAM, REJECTED, TELEGRAM, rejects=True)
        assert len(lines) == n_lines
        assert output.left_out == 0  # a rejection is no telegram


def test_the_table_has_its_header_once_and_only_above_rows() -> None:
    lines, _ = _written("table", TELEGRAM, TELEGRAM)
    assert lines[0] == TABLE_HEADER and lines.count(TABLE_HEADER) == 1
    assert _written("table")[0] == [] and _written("table", REJECTED)[0] == []


def test_what_is_left_out_is_counted() -> None:
    lines, output = _written("rtl_wmbus", TELEGRAM, replace(TELEGRAM, direction="O2M"), TELEGRAM)
    assert len(lines) == 2 and output.left_out == 1


def test_each_line_is_written_at_once() -> None:
    class Stream(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed = self.tell()

    stream = Stream()
    Output("jsonl", stream, rejects=False).write(TELEGRAM, RATE_HZ)
    assert stream.flushed == len(stream.getvalue()) > 0


def test_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_target("jsonl") == ("jsonl", None)
    assert parse_target("hex:C:/x.txt") == ("hex", "C:/x.txt")
    for text in ("xml", "", ":x", "JSONL"):
        with pytest.raises(UsageError, match=re.escape(", ".join(FORMATS))):
            parse_target(text)
    target = tmp_path / "lines.jsonl"
    output = open_output(f"jsonl:{target}", rejects=False)
    output.write(TELEGRAM, RATE_HZ)
    output.close()
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == 1
    for text in ("hex", "hex:-", None):
        output = open_output(text, rejects=False)
        output.write(TELEGRAM, RATE_HZ)
        output.close()  # standard output stays open
    assert len(capsys.readouterr().out.splitlines()) == 3
    with pytest.raises(UsageError, match="missing"):
        open_output(f"hex:{tmp_path / 'missing' / 'x'}", rejects=False)


def test_the_default_is_a_table_for_people_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_output(None, rejects=False).kind == "jsonl"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert open_output(None, rejects=False).kind == "table"
