"""What receive writes to disk replays to what it heard; a disk that is full stops no reception."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from end_to_end.live import STREET, environment, heard
from support import run_omsdr

from sdr.errors import UsageError
from sdr.live.recorder import Split, parse_split

_FILE = f"file:{STREET}"


def _lines(stdout: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_a_recording_is_what_came_and_overwrites_nothing(tmp_path: Path) -> None:
    env = environment(tmp_path)
    for _ in range(2):
        done = run_omsdr("receive", "--device", _FILE, "--record", tmp_path / "night", environment=env)
        assert done.returncode == 0, done.stderr
    for name in ("night", "night_2"):
        assert (tmp_path / f"{name}.sigmf-data").read_bytes() == STREET.read_bytes()
        replayed = run_omsdr("replay", tmp_path / f"{name}.sigmf-meta")
        assert heard(_lines(replayed.stdout)) == heard(_lines(done.stdout))
        metadata = json.loads((tmp_path / f"{name}.sigmf-meta").read_text())
        assert metadata["captures"][0]["core:datetime"].startswith("20")


def test_rotation_by_size_keeps_the_last_files(tmp_path: Path) -> None:
    done = run_omsdr(
        "receive", "--device", _FILE, "--record", tmp_path / "part.cu8", "--record-split", "400k",
        "--record-keep", "2", environment=environment(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = sorted(tmp_path.glob("part*.cu8"))
    assert [file.name for file in files] == ["part_4.cu8", "part_5.cu8"]
    street = STREET.read_bytes()
    kept = b"".join(file.read_bytes() for file in files)
    assert street.endswith(kept) and all(file.stat().st_size <= 400_000 for file in files)


def test_bursts_are_recorded_with_what_they_say(tmp_path: Path) -> None:
    done = run_omsdr(
        "receive", "--device", _FILE, "--record-bursts", "all", "--record-folder", tmp_path / "bursts",
        environment=environment(tmp_path),
    )  # fmt: skip
    lines = _lines(done.stdout)
    described = sorted((tmp_path / "bursts").glob("*.sigmf-meta"))
    assert len(described) == len(lines) == 19
    frames = []
    for path in described:
        (annotation,) = json.loads(path.read_text())["annotations"]
        frames.append(annotation["omsdr:frame_hex"])
        again = _lines(run_omsdr("replay", path).stdout) if "_T_" in path.name else None
        if again is not None:
            assert annotation["omsdr:frame_hex"] in [line["frame_hex"] for line in again]
    assert sorted(frames) == sorted(str(line["frame_hex"]) for line in lines)


def test_only_undecoded_bursts(tmp_path: Path) -> None:
    cut = tmp_path / "cut_868.9M_2400k.cu8"
    damaged = bytearray(STREET.read_bytes())
    damaged[2 * 33_000 : 2 * 37_000] = bytes([127, 128]) * 4_000  # into the first frame
    cut.write_bytes(damaged)
    run_omsdr(
        "receive", "--device", f"file:{cut}", "--record-bursts", "undecoded", "--record-folder",
        tmp_path / "bursts", environment=environment(tmp_path),
    )  # fmt: skip
    (path,) = (tmp_path / "bursts").glob("*.sigmf-meta")
    (annotation,) = json.loads(path.read_text())["annotations"]
    assert annotation["omsdr:rejected"]["reason"] in ("crc_mismatch", "truncated")


def test_a_full_disk_stops_recording_only(tmp_path: Path) -> None:
    def at_most_half_a_megabyte() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    done = subprocess.run(
        [sys.executable, "-m", "sdr", "receive", "--device", _FILE, "--record", str(tmp_path / "full.cu8")],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        preexec_fn=at_most_half_a_megabyte,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 19
    assert done.stderr.count(b"reception goes on without recording") == 1


@pytest.mark.parametrize(
    ("text", "split"),
    [("500M", Split(5e8)), ("2G", Split(2e9)), ("90s", Split(None, 90)), ("30min", Split(None, 1800)),
     ("1.5h", Split(None, 5400)), ("1d", Split(None, 86400))],
)  # fmt: skip
def test_split(text: str, split: Split) -> None:
    assert parse_split(text) == split


@pytest.mark.parametrize("text", ["", "0s", "5", "5m", "-1G", "G"])
def test_no_split(text: str) -> None:
    with pytest.raises(UsageError):
        parse_split(text)
