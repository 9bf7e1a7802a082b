"""What the user names on the command line → the recordings it stands for, in a fixed order.

A file stands for itself, a folder for all recordings below it, a pattern (``*.cu8``) for
what it matches, ``-`` for standard input. Nothing is listed twice, and the two files of a
SigMF recording are one recording. What stands for nothing becomes an entry with a problem.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sdr.errors import RecordingError
from sdr.recording.file_name import RAW_SUFFIXES, facts_from_name, name_suffix
from sdr.recording.sigmf_files import ARCHIVE_SUFFIX, DATA_SUFFIX, META_SUFFIX, exists, is_sigmf, meta_path

STDIN = "-"
FOLDER_SUFFIXES = frozenset((*RAW_SUFFIXES, ".wav", META_SUFFIX, DATA_SUFFIX, ARCHIVE_SUFFIX))


@dataclass(frozen=True, slots=True)
class InputPath:
    """One recording to open, or why there is none."""

    path: str
    problem: RecordingError | None = None


def expand_paths(arguments: Iterable[str | os.PathLike[str]]) -> list[InputPath]:
    """List the recordings that the arguments stand for; never raises.

    Arguments keep their order; what one folder or pattern stands for is sorted by path.
    """
    found: dict[str, InputPath] = {}
    for argument in arguments:
        name = os.fspath(argument)
        for entry in _expand(name):
            key = entry.path if entry.path == STDIN or entry.problem else os.path.realpath(entry.path)
            found.setdefault(key, entry)
    return list(found.values())


def _expand(name: str) -> Iterator[InputPath]:
    path = Path(name)
    if name == STDIN or is_sigmf(path):
        yield InputPath(name if name == STDIN else _one_name(path))
    elif exists(path):
        yield from _expand_existing(path)
    elif glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - a Path has no absolute patterns
        if not matches:
            yield InputPath(name, RecordingError(name, "no file fits this pattern"))
        for match in matches:
            yield from _expand_existing(Path(match))
    else:
        yield InputPath(name, RecordingError(name, "there is no such file"))


def _expand_existing(path: Path) -> Iterator[InputPath]:
    if not path.is_dir():
        yield InputPath(_one_name(path))
        return
    problems: list[OSError] = []
    names = sorted(
        {
            _one_name(Path(folder, file))
            for folder, _, files in os.walk(path, onerror=problems.append)
            for file in files
            if _is_recording(file)
        }
    )
    for problem in problems:
        unreadable = str(problem.filename or path)
        yield InputPath(unreadable, RecordingError(unreadable, f"cannot be listed: {problem.strerror}"))
    if not names and not problems:
        yield InputPath(str(path), RecordingError(str(path), "there are no recordings in this folder"))
    for name in names:
        yield InputPath(name)


def _is_recording(file: str) -> bool:
    """Whether a file in a folder is taken for a recording; hidden files are not."""
    if file.startswith("."):
        return False
    return name_suffix(file) in FOLDER_SUFFIXES or facts_from_name(file).sample_format is not None


def _one_name(path: Path) -> str:
    """Return the name a recording goes by: of a SigMF pair the metadata, where there are any."""
    is_other_name = path.name.lower().endswith(DATA_SUFFIX) or not exists(path)
    return str(meta_path(path)) if is_other_name and exists(meta_path(path)) else str(path)
