"""``omsdr replay`` held to the outside contract: outputs, options, exit codes, what goes where."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import ROOT

from sdr.cli import main

STREET = ROOT / "recordings" / "street_868.9M_2400k.cu8"

# Keys of schema 1 as the contract prints them; keys may be added, none removed or renamed.
TELEGRAM_KEYS = {
    "schema", "time", "mode", "direction", "frame_format", "frame_hex", "raw_hex", "repaired", "radio",
    "link", "meter", "ell", "afl", "transport", "security", "application", "readings", "notes",
}  # fmt: skip
RADIO_KEYS = {
    "rssi_dbfs", "snr_db", "noise_dbfs", "carrier_hz", "frequency_error_hz", "deviation_hz", "chip_rate_hz",
    "first_sample", "duration_ms",
}  # fmt: skip
METER_KEYS = {"manufacturer", "id", "version", "device_type", "device_type_name"}
LINK_KEYS = METER_KEYS | {"c_field", "function"}
REJECTED_KEYS = {"schema", "time", "mode", "rejected", "raw_hex", "radio"}

RTL_WMBUS = re.compile(
    r"[STC]1;1;1;\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6};-?\d{1,3};-?\d{1,3};[0-9a-f]{8};0x([0-9a-f]{2})+"
)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Ran:
        code = main(["replay", *map(str, arguments)])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the street whose second half of a T burst is torn: one telegram less, one reject more."""
    path = tmp_path_factory.mktemp("noisy") / STREET.name
    content = bytearray(STREET.read_bytes())
    content[2 * 34_000 : 2 * 40_000] = bytes([127, 128]) * 6000  # within the first T burst
    path.write_bytes(content)
    return path


def test_jsonl_has_the_keys_of_the_contract(replay: Run) -> None:
    ran = replay(STREET, "--output", "jsonl")
    assert ran.code == 0
    assert len(ran.lines) == 19
    for line in ran.lines:
        assert set(line) >= TELEGRAM_KEYS
        assert line["schema"] == 1
        assert set(line["radio"]) >= RADIO_KEYS
        assert all(value is not None for value in line["radio"].values())
        assert set(line["link"]) >= LINK_KEYS
        assert set(line["meter"]) >= METER_KEYS
        assert line["time"] is None and line["repaired"] == 0
        assert re.fullmatch(r"([0-9a-f]{2})+", line["frame_hex"])
        frame = bytes.fromhex(line["frame_hex"])
        assert frame[0] == len(frame) - 1  # the L-field of frame format A
        assert len(line["raw_hex"]) > len(line["frame_hex"])


def test_jsonl_is_the_default_off_a_terminal(replay: Run) -> None:
    assert replay(STREET, "--count", 2).out == replay(STREET, "--count", 2, "--output", "jsonl").out


def test_the_first_telegram_says_what_was_sent(replay: Run) -> None:
    # OMS Vol. 2 Annex N, N.2.1: gas meter ELS 12345678, version 51
    line = replay(STREET, "--modes", "T", "--count", 1).lines[0]
    meter = {
        "manufacturer": "ELS", "id": "12345678", "version": 51, "device_type": 3, "device_type_name": "gas"
    }  # fmt: skip
    assert line["meter"] == meter
    assert line["link"] == {"c_field": "44", "function": "SND-NR", **meter}
    assert (line["mode"], line["direction"], line["frame_format"]) == ("T", "M2O", "A")
    # the scene: 12 ms, 22 dB, -12 kHz, ±48 kHz, 100 kcps running from +2600 to -4600 ppm
    radio = line["radio"]
    assert radio["first_sample"] == pytest.approx(0.012 * 2.4e6, abs=2 * 24)
    assert radio["snr_db"] == pytest.approx(22, abs=1)
    assert radio["rssi_dbfs"] - radio["noise_dbfs"] == pytest.approx(radio["snr_db"], abs=0.11)
    assert radio["frequency_error_hz"] == pytest.approx(-12_000, abs=1500)
    assert radio["carrier_hz"] == pytest.approx(868_950_000 + radio["frequency_error_hz"], abs=1)
    assert radio["deviation_hz"] == pytest.approx(48_000, rel=0.05)
    assert radio["chip_rate_hz"] == pytest.approx(99_900, abs=100)
    assert radio["duration_ms"] == pytest.approx((48 + 55 * 12) / 99.9, abs=0.05)


def test_same_input_same_bytes(replay: Run) -> None:
    assert replay(STREET, "--rejects").out == replay(STREET, "--rejects").out


def test_start_time_dates_every_frame(replay: Run) -> None:
    lines = replay(STREET, "--start-time", "2026-11-20T10:00:00Z", "--modes", "T").lines
    for line in lines:
        assert re.fullmatch(r"2026-11-20T10:00:00\.\d{6}Z", line["time"])
        seconds = float(line["time"][17:-1])
        assert seconds == pytest.approx(line["radio"]["first_sample"] / 2.4e6, abs=1e-6)


def test_rejects_only_when_asked_for(replay: Run, noisy: Path) -> None:
    assert all("rejected" not in line for line in replay(noisy).lines)
    ran = replay(noisy, "--rejects")
    rejected = [line for line in ran.lines if "rejected" in line]
    assert rejected and len(ran.lines) - len(rejected) == 18
    for line in rejected:
        assert set(line) >= REJECTED_KEYS
        assert {"layer", "reason"} <= set(line["rejected"]) <= {"layer", "reason", "block"}
        assert set(line["radio"]) >= RADIO_KEYS
    torn = min(rejected, key=lambda line: line["radio"]["first_sample"])
    assert torn["rejected"]["layer"] == "link" and torn["rejected"]["reason"] == "crc_mismatch"
    assert torn["rejected"]["block"] >= 1
    assert "crc_mismatch 1" in ran.err


def test_table(replay: Run, noisy: Path) -> None:
    ran = replay(noisy, "--output", "table", "--rejects", "--start-time", "2026-11-20T10:00:00Z")
    header, *rows = ran.out.splitlines()
    assert header.split()[:9] == [
        "time",
        "mode",
        "sender",
        "kind",
        "C-field",
        "RSSI",
        "SNR",
        "Δf/kHz",
        "bytes",
    ]
    assert len(rows) >= 19
    assert any(re.match(r"10:00:00\.\d{6} T  A  ELS 12345678 v51 +gas +SND-NR ", row) for row in rows)
    assert any("rejected: crc mismatch in block" in row for row in rows)
    assert any(re.match(r"\S+ +C ↓B +XYZ", row) for row in rows)  # downlink
    levels = slice(header.index("RSSI") - 2, header.index("bytes") + len("bytes"))
    assert all(re.fullmatch(r" *(-?\d+\.\d|–)( +(-?\d+\.\d|–)){2} +\d+", row[levels]) for row in rows)
    assert replay(STREET, "--output", "table").out.splitlines()[1].startswith("0.0")  # no clock: seconds


def test_hex(replay: Run, noisy: Path) -> None:
    frames = [line["frame_hex"] for line in replay(noisy).lines]
    assert replay(noisy, "--output", "hex", "--rejects").out.split() == frames


def test_rtl_wmbus(replay: Run) -> None:
    clock = ("--start-time", "2026-11-20T10:00:00Z")
    lines = replay(STREET, *clock).lines
    ran = replay(STREET, *clock, "--output", "rtl_wmbus")
    rows = ran.out.splitlines()
    upward = [line for line in lines if line["direction"] != "O2M"]
    for row, line in zip(rows, upward, strict=True):
        assert RTL_WMBUS.fullmatch(row), row
        mode, _, _, stamp, rssi, again, meter, frame = row.split(";")
        assert mode == line["mode"] + "1"
        assert stamp == line["time"].replace("T", " ").rstrip("Z")
        assert int(rssi) == int(again) == pytest.approx(line["radio"]["rssi_dbfs"], abs=0.56)
        assert meter == line["link"]["id"]
        assert frame == "0x" + line["frame_hex"]
    assert f"{len(lines) - len(upward)} telegrams have no place in rtl_wmbus and were left out" in ran.err
    # without a clock the time still has its form
    assert RTL_WMBUS.fullmatch(replay(STREET, "--count", 1, "--output", "rtl_wmbus").out.strip())


def test_rejects_are_not_left_out_telegrams(replay: Run, noisy: Path) -> None:
    assert "have no place in hex" not in replay(noisy, "--output", "hex", "--rejects").err


def test_several_outputs_at_once(replay: Run, tmp_path: Path) -> None:
    jsonl, rows = tmp_path / "night.jsonl", tmp_path / "night.txt"
    ran = replay(STREET, "--output", f"jsonl:{jsonl}", "--output", f"table:{rows}", "--output", "hex")
    frames = [json.loads(line)["frame_hex"] for line in jsonl.read_text(encoding="utf-8").splitlines()]
    assert ran.out.split() == frames
    assert len(rows.read_text(encoding="utf-8").splitlines()) == 1 + 19


def test_only_data_on_standard_output(replay: Run, tmp_path: Path) -> None:
    ran = replay(STREET, "--output", f"jsonl:{tmp_path / 'out'}")
    assert ran.out == ""
    assert len([line for line in ran.err.splitlines() if "bursts" in line]) == 1


def test_the_summary(replay: Run, noisy: Path) -> None:
    err = replay(noisy).err
    summary = next(line for line in err.splitlines() if "bursts" in line)
    assert re.fullmatch(
        r"0\.330 s of samples: \d+ bursts, 18 frames \(C 7, S 6, T 5\), "
        r"\d+ rejected \(crc_mismatch 1.*\); \d+\.\d × real time",
        summary,
    )
    # what was assumed is said once
    assert err.count("from the file name") == 1
    # R is off because it was not named, which is the rule and nothing to tell
    assert "R2 is off" not in err
    off = replay(STREET, "--modes", "N,T", "--count", 1).err
    assert re.search(r"Na is off: its channel .* is not inside the span 867\.700…870\.100 MHz", off)
    assert "T M2O is off" not in off


def test_modes(replay: Run) -> None:
    assert {line["mode"] for line in replay(STREET, "--modes", "T").lines} == {"T"}
    assert {line["mode"] for line in replay(STREET, "--modes", "s, c").lines} == {"S", "C"}
    assert replay(STREET, "--modes", "F").out == ""


def test_duration(replay: Run) -> None:
    ran = replay(STREET, "--duration", 0.1)
    assert "0.100 s of samples" in ran.err
    whole = {line["frame_hex"]: line for line in replay(STREET).lines}
    ends = [line["radio"]["first_sample"] / 2.4e6 + line["radio"]["duration_ms"] / 1e3 for line in ran.lines]
    assert max(ends) <= 0.1
    inside = [
        frame
        for frame, line in whole.items()
        if line["radio"]["first_sample"] / 2.4e6 + line["radio"]["duration_ms"] / 1e3 < 0.0995
    ]
    assert {line["frame_hex"] for line in ran.lines} >= set(inside)
    assert replay(STREET, "--duration", 1e9).code == 0


def test_count(replay: Run, noisy: Path) -> None:
    assert len(replay(STREET, "--count", 3).lines) == 3
    # over all files together, and the files that are not needed are not read
    ran = replay(STREET, noisy, "missing_868.9M_2400k.cu8", "--count", 20)
    assert len(ran.lines) == 20 and ran.code == 0


def test_jobs_change_nothing(replay: Run, noisy: Path) -> None:
    paths = (ROOT / "recordings", noisy, "missing_868.9M_2400k.cu8", STREET)
    one, two = (replay(*paths, "--rejects", "--jobs", jobs) for jobs in (1, 2))
    assert two.out == one.out and two.code == one.code == 6
    # all that is said, but for the speed
    assert [line.split(";")[0] for line in two.err.splitlines()] == [
        line.split(";")[0] for line in one.err.splitlines()
    ]
    few = replay(*paths, "--rejects", "--jobs", 2, "--count", 5)
    assert few.code == 0 and one.out.startswith(few.out) and len(few.lines) == 5


def test_require(replay: Run) -> None:
    assert replay(STREET, "--require", 19).code == 0
    ran = replay(STREET, "--require", 20)
    assert ran.code == 7 and len(ran.lines) == 19


def test_meter_filter(replay: Run) -> None:
    def wanted(*patterns: str) -> set[str]:
        options = [word for pattern in patterns for word in ("--meter", pattern)]
        return {line["meter"]["id"] for line in replay(STREET, *options).lines}

    assert wanted("1234567?") == {"12345678"}
    assert wanted("12345678", "8066*") == {"12345678"}
    assert len(wanted("*")) > 5
    assert replay(STREET, "--meter", "99999999").out == ""


def test_meter_filter_goes_before_count_and_require(replay: Run) -> None:
    ran = replay(STREET, "--meter", "08091649", "--count", 1)
    assert [line["meter"]["id"] for line in ran.lines] == ["08091649"]
    assert replay(STREET, "--meter", "99999999", "--require", 1).code == 7


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--modes", "T,X"], "--modes"),
        (["--output", "xml"], "xml"),
        (["--output", "jsonl:/nonexistent/folder/x"], "/nonexistent"),
        (["--rate", "fast"], "fast"),
        (["--center", "FM"], "FM"),
        (["--start-time", "yesterday"], "yesterday"),
        (["--duration", "0"], "--duration"),
        (["--duration", "nan"], "--duration"),
        (["--count", "0"], "--count"),
        (["--require", "-1"], "--require"),
    ],
)
def test_options_that_make_no_sense(replay: Run, arguments: list[str], word: str) -> None:
    ran = replay(STREET, *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert word in ran.err and "error" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["replay"],
        ["replay", "x", "--band", "Z"],
        ["replay", "x", "--format", "mp3"],
        ["fly"],
        ["replay", "x", "--count", "many"],
    ],
)
def test_usage_errors_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "error" in captured.err


def test_a_missing_file_is_told_and_the_others_run(replay: Run, tmp_path: Path) -> None:
    ran = replay(tmp_path / "missing_868.9M_2400k.cu8", STREET)
    assert ran.code == 6
    assert len(ran.lines) == 19
    assert "missing_868.9M_2400k.cu8: there is no such file" in ran.err


def test_unreadable_goes_before_too_few(replay: Run, tmp_path: Path) -> None:
    assert replay(tmp_path / "missing_868.9M_2400k.cu8", "--require", 1).code == 6


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.txt", b"not a recording", "notes.txt"),
        ("unknown.cu8", bytes(1000), "rate"),
        ("lies_868.9M_2400k.wav", b"RIFF\x10\x00\x00\x00JUNKJUNK", "lies_868.9M_2400k.wav"),
        ("half.sigmf-meta", b"{", "half.sigmf-meta"),
    ],
)
def test_unknown_formats(replay: Run, tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ran = replay(path)
    assert ran.code == 6
    assert ran.out == "" and told in ran.err and "Traceback" not in ran.err


def test_an_empty_file_is_no_error(replay: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty_868.9M_2400k.cu8"
    path.write_bytes(b"")
    ran = replay(path)
    assert ran.code == 0
    assert ran.out == "" and "it holds no samples" in ran.err
    assert "0.000 s of samples: 0 bursts" in ran.err


def test_a_file_that_ends_inside_a_sample(replay: Run, tmp_path: Path) -> None:
    path = tmp_path / "odd_868.9M_2400k.cu8"
    path.write_bytes(STREET.read_bytes() + b"\x80")
    ran = replay(path)
    assert ran.code == 0
    assert len(ran.lines) == 19
    assert "it ends inside a sample: the last 1 byte(s) are left out" in ran.err


def test_folders_and_patterns(replay: Run, tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    shutil.copy(STREET, tmp_path / "deeper" / "a_868.9M_2400k.cu8")
    shutil.copy(STREET, tmp_path / "b_868.9M_2400k.cu8")
    assert len(replay(tmp_path).lines) == 38
    assert len(replay(tmp_path / "b_*").lines) == 19


def test_options_go_before_the_file_name(replay: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong_433M_1000k.cu8"
    shutil.copy(STREET, path)
    ran = replay(path, "--rate", "2.4M", "--center", "868.9M", "--format", "cu8")
    assert len(ran.lines) == 19
