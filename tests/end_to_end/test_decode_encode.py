"""``omsdr decode`` and ``omsdr encode`` as commands: pipes, keys, state, filters, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import process_environment, run_omsdr

VECTORS = Path(__file__).parents[1] / "vectors" / "annex_n.json"
ALL = json.loads(VECTORS.read_text())
FRAMES = [vector for vector in ALL if vector["verified"] and vector["frame_hex"]]
BY_ID = {vector["id"]: vector for vector in ALL}
KEYS = sorted({vector["key"] for vector in FRAMES if vector["key"]})
GAS = BY_ID["N.2.1"]


def text_of(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def lines_of(ran: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert b"Traceback" not in ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "meters.toml"
    path.write_text("".join(f'[[meter]]\nid = "*"\nkey = "{key}"\n' for key in KEYS))
    path.chmod(0o600)
    return path


def test_decode_and_encode_give_the_bytes_again(key_file: Path) -> None:
    given = [vector["frame_hex"].lower() for vector in FRAMES]
    decoded = run_omsdr("decode", "-", "--keys", key_file, stdin=text_of(*given))
    assert decoded.returncode == 0
    lines = lines_of(decoded)
    for line in lines:
        for name in ("frame_hex", "raw_hex"):
            del line[name]
        if line["application"]:
            del line["application"]["plaintext_hex"]
        for reading in line["readings"]:
            del reading["raw_hex"]
    encoded = run_omsdr(
        "encode", "-", "--keys", key_file, stdin=text_of(*(json.dumps(line) for line in lines))
    )
    assert (encoded.returncode, encoded.stderr) == (0, b"")
    assert encoded.stdout.decode().split() == given


def test_keys_in_the_lines_and_on_the_command_line() -> None:
    lines = text_of(*(f"{vector['frame_hex']}\t{vector['key'] or ''}" for vector in FRAMES))
    outcomes = [line["security"]["outcome"] for line in lines_of(run_omsdr("decode", stdin=lines))]
    assert outcomes.count("incomplete") == 4
    assert set(outcomes) == {"plain", "decrypted", "incomplete"}
    ran = run_omsdr("decode", GAS["frame_hex"], "--key", GAS["key"])
    assert lines_of(ran)[0]["readings"][0]["value"] == 28504.27
    assert GAS["key"].lower().encode() not in ran.stdout + ran.stderr


def test_one_line_out_for_every_line_in() -> None:
    given = text_of(GAS["frame_hex"], "", "nonsense", GAS["frame_hex"][:40], "   ", "10 5B FE 59 16")
    ran = run_omsdr("decode", "-", "--rejects", stdin=given)
    assert ran.returncode == 0
    lines = lines_of(ran)
    assert [line.get("rejected", {}).get("reason") for line in lines] == [None, "not_hex", "truncated", None]
    assert [line["rejected"]["line"] for line in lines if "rejected" in line] == [3, 4]
    assert b"2 of 4 lines rejected: not_hex 1, truncated 1" in ran.stderr
    assert b"1 of 2 telegrams not read: key_missing 1" in ran.stderr
    assert len(lines_of(run_omsdr("decode", "-", stdin=given))) == 2


def test_strict() -> None:
    plain = bytes.fromhex(GAS["frame_hex_no_crc"])[:15] + bytes.fromhex(GAS["plaintext_apl_hex"])
    ran = run_omsdr("decode", plain.hex())
    assert lines_of(ran)[0]["security"]["outcome"] == "already_decrypted"
    ran = run_omsdr("decode", plain.hex(), "--strict")
    assert lines_of(ran)[0]["security"]["outcome"] == "key_missing"


def test_meter_filter() -> None:
    given = text_of(*(vector["frame_hex"] for vector in FRAMES), "nonsense")
    lines = lines_of(run_omsdr("decode", "-", "--meter", "5566*", "--rejects", stdin=given))
    assert lines
    assert all(line["meter"]["id"] == "55667788" for line in lines)


def test_outputs(tmp_path: Path) -> None:
    given = text_of(GAS["frame_hex"], "nonsense", BY_ID["N.2.2"]["frame_hex"])
    target = tmp_path / "out.jsonl"
    ran = run_omsdr("decode", "-", "--output", "hex", "--output", f"jsonl:{target}", stdin=given)
    frames = [GAS["frame_hex_no_crc"], BY_ID["N.2.2"]["frame_hex"]]
    assert ran.stdout.decode().upper().split() == frames
    assert [json.loads(line)["frame_hex"].upper() for line in target.read_text().splitlines()] == frames
    table = (
        run_omsdr("decode", "-", "--output", "table", "--rejects", stdin=given).stdout.decode().splitlines()
    )
    assert table[0].split()[:4] == ["time", "mode", "sender", "kind"]
    assert len(table) == 4
    assert "volume 28504.27 m3" in table[3]
    ran = run_omsdr("decode", "-", "--output", "rtl_wmbus", stdin=given)
    assert ran.stdout == b""
    assert b"2 telegrams have no place in rtl_wmbus" in ran.stderr


def test_state_is_kept_between_runs(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    vector = BY_ID["N.3-message"]
    parts = [BY_ID[part]["frame_hex"] for part in vector["sequence"]["assembled_from"]]
    options = ("--key", vector["key"], "--state", state)
    for part in parts[:-1]:
        assert lines_of(run_omsdr("decode", part, *options))[0]["security"]["outcome"] == "incomplete"
    last = lines_of(run_omsdr("decode", parts[-1], *options))[0]
    assert last["security"]["outcome"] == "decrypted"
    assert len(last["readings"]) == 18
    again = BY_ID["N.2.3"]["frame_hex"]  # its counter is that of the message before, of another maker's meter
    assert lines_of(run_omsdr("decode", again, *options))[0]["security"]["outcome"] == "decrypted"
    repeated = lines_of(run_omsdr("decode", again, *options))[0]
    assert repeated["notes"] == ["crcs_of_format_a", "message_repeated"][::-1]
    saved = state.read_text()
    assert vector["key"].lower() not in saved.lower()
    assert set(json.loads(saved)) == {"schema", "formats", "fragments", "continuations", "counters"}


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "is no state file"), ('{"schema":2}', "schema 1"), ('{"schema":1,"formats":[]}', "formats")],
)
def test_broken_state(tmp_path: Path, content: str, words: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)
    ran = run_omsdr("decode", GAS["frame_hex"], "--state", state)
    assert ran.returncode == 3
    assert words in ran.stderr.decode()
    assert state.read_text() == content


def test_exit_codes(tmp_path: Path) -> None:
    assert run_omsdr("decode", GAS["frame_hex"], "--keys", tmp_path / "none.toml").returncode == 3
    assert run_omsdr("decode", GAS["frame_hex"], "--key", "12").returncode == 3
    assert run_omsdr("decode", GAS["frame_hex"], "--output", "xml").returncode == 2
    assert run_omsdr("decode", GAS["frame_hex"], "--state", tmp_path / "no" / "folder").returncode == 3
    assert run_omsdr("encode", tmp_path / "none.jsonl").returncode == 6
    ran = run_omsdr("encode", "-", stdin=b"{}\n\nx\n")
    assert ran.returncode == 6
    assert ran.stderr.decode().splitlines()[:2] == [
        "line 1: link must be given",
        "line 3: the line is no JSON",
    ]
    assert run_omsdr("encode").returncode == 2


def test_a_world_readable_key_file_draws_a_warning(key_file: Path) -> None:
    key_file.chmod(0o644)
    ran = run_omsdr("decode", GAS["frame_hex"], "--keys", key_file)
    assert b"warning" in ran.stderr
    assert KEYS[0].encode() not in ran.stderr


def test_lines_are_answered_while_the_pipe_is_open() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sdr", "decode", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=process_environment(),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for vector in FRAMES[:2]:
            process.stdin.write(text_of(vector["frame_hex"]))
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert answer["raw_hex"].upper() == vector["frame_hex"]
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_closed_pipe_ends_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sdr", "decode", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=process_environment(),
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        try:
            _, errors = process.communicate(text_of(*[GAS["frame_hex"]] * 2000), 60)
        except BrokenPipeError:  # pragma: no cover  # the program may be gone before all is written
            errors = b""
        assert process.wait(30) == 0
    assert b"Traceback" not in (errors or b"")


def test_help_opens_with_examples() -> None:
    for command in ("decode", "encode"):
        ran = run_omsdr(command, "--help", environment={**os.environ, "COLUMNS": "100"})
        assert ran.returncode == 0
        assert ran.stdout.decode().startswith(f"usage: omsdr {command} ")


def test_explain() -> None:
    ran = run_omsdr("decode", "--explain", GAS["frame_hex"], "--key", GAS["key"])
    text = ran.stdout.decode()
    assert "\033" not in text  # no colours in a pipe
    assert text.startswith("SND-NR from ELS 12345678 v51 gas · 55 bytes, frame format A\ndecrypted")
    rows = [line for line in text.splitlines() if line[:6].strip().isdecimal()]
    assert any(row.split()[0] == "21" and row.endswith("data             28504.27 m3") for row in rows)
    shown = bytes.fromhex("".join(row[8:31] for row in rows))
    assert shown == bytes.fromhex(GAS["frame_hex"])
    ran = run_omsdr("decode", "-", "--explain=json", stdin=text_of(*(v["frame_hex"] for v in FRAMES), "xx"))
    explained = lines_of(ran)
    assert len(explained) == len(FRAMES) + 1
    for line, vector in zip(explained, FRAMES, strict=False):
        raw = bytearray(len(line["raw_hex"]) // 2)
        for each in line["fields"]:
            part = bytes.fromhex(each["hex"])
            for offset, size in each["spans"]:
                raw[offset : offset + size] = part[:size]
                part = part[size:]
        assert raw.hex().upper() == vector["frame_hex"]
    assert explained[-1]["rejected"]["reason"] == "not_hex"
    assert run_omsdr("decode", GAS["frame_hex"], "--explain", "--output", "hex").returncode == 2
