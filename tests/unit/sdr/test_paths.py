import os
from pathlib import Path

import pytest

from sdr.recording import expand_paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = [
        "b.cu8", "a.CS16", "notes.txt", ".hidden.cu8", "x.raw",
        "gqrx_20200101_120000_868950000_1600000_fc.raw",
        "deep/c.sigmf-meta", "deep/c.sigmf-data", "deep/alone.sigmf-data", "deep/d.sigmf", "deep/e.wav",
        "empty/readme.md", "odd[1].cu8",
    ]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def listed(folder: Path, *arguments: str) -> list[str]:
    names = []
    for entry in expand_paths(str(folder / argument) if argument != "-" else "-" for argument in arguments):
        name = entry.path if entry.path == "-" else Path(entry.path).relative_to(folder).as_posix()
        names.append(f"{name}: {entry.problem.problem}" if entry.problem else name)
    return names


def test_a_folder_is_all_recordings_below_it(folder: Path) -> None:
    assert listed(folder, "") == [
        "a.CS16",
        "b.cu8",
        "deep/alone.sigmf-data",
        "deep/c.sigmf-meta",
        "deep/d.sigmf",
        "deep/e.wav",
        "gqrx_20200101_120000_868950000_1600000_fc.raw",
        "odd[1].cu8",
    ]


def test_arguments_keep_their_order_and_nothing_comes_twice(folder: Path) -> None:
    assert listed(folder, "-", "deep/e.wav", "b.cu8", "deep", "./b.cu8", "-") == [
        "-",
        "deep/e.wav",
        "b.cu8",
        "deep/alone.sigmf-data",
        "deep/c.sigmf-meta",
        "deep/d.sigmf",
    ]


@pytest.mark.parametrize(
    "argument", ["deep/c", "deep/c.sigmf-data", "deep/c.sigmf-meta", "deep/c.*", "d*/c*"]
)
def test_a_sigmf_pair_is_one_recording(folder: Path, argument: str) -> None:
    assert listed(folder, argument, "deep/c.sigmf-meta") == ["deep/c.sigmf-meta"]


def test_patterns(folder: Path) -> None:
    assert listed(folder, "*.cu8") == ["b.cu8", "odd[1].cu8"]
    assert listed(folder, "**/*.wav") == ["deep/e.wav"]
    assert listed(folder, "odd[1].cu8") == ["odd[1].cu8"]
    assert listed(folder, "e*") == ["empty: there are no recordings in this folder"]


def test_what_is_named_is_taken_whatever_its_suffix(folder: Path) -> None:
    assert listed(folder, "notes.txt", "x.raw") == ["notes.txt", "x.raw"]


def test_problems_spoil_only_their_own_entry(folder: Path) -> None:
    assert listed(folder, "gone.cu8", "*.nix", "empty", "b.cu8", "gone.sigmf-meta") == [
        "gone.cu8: there is no such file",
        "*.nix: no file fits this pattern",
        "empty: there are no recordings in this folder",
        "b.cu8",
        "gone.sigmf-meta",
    ]


def test_impossible_names() -> None:
    for name in ("a\0b", "x" * 5000):
        (entry,) = expand_paths([name])
        assert entry.problem is not None


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_read(folder: Path) -> None:
    (folder / "deep").chmod(0)
    try:
        assert listed(folder, "deep") == ["deep: cannot be listed: Permission denied"]
    finally:
        (folder / "deep").chmod(0o755)
