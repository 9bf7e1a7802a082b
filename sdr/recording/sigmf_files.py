"""Where the two halves of a SigMF recording are: files side by side, or members of one archive.

what the user names           metadata           samples
name.sigmf-meta               that file          name.sigmf-data, or core:dataset beside it
name.sigmf-data               name.sigmf-meta    that file
name (no such file)           name.sigmf-meta    as above
name.sigmf (a tar archive)    its *.sigmf-meta   the *.sigmf-data of the same name

Archives are read in place; nothing is unpacked.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

from sdr.errors import RecordingError
from sdr.recording.sigmf import SigmfMetadata, parse_metadata

META_SUFFIX = ".sigmf-meta"
DATA_SUFFIX = ".sigmf-data"
ARCHIVE_SUFFIX = ".sigmf"

_MAX_META_BYTES = 64 << 20
_MAX_ARCHIVE_MEMBERS = 1000


@dataclass(frozen=True, slots=True)
class SigmfFiles:
    """The metadata, and the bytes of a file that hold the samples."""

    metadata: SigmfMetadata
    data_path: Path
    data_start: int
    data_bytes: int


def is_sigmf(path: Path) -> bool:
    """Whether a path names a SigMF recording in one of the ways of the table."""
    if path.name.lower().endswith((META_SUFFIX, DATA_SUFFIX, ARCHIVE_SUFFIX)):
        return True
    return not exists(path) and exists(_beside(path, META_SUFFIX))


def exists(path: Path) -> bool:
    """Whether there is something at this path; impossible paths hold nothing."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def meta_path(path: Path) -> Path:
    """Name the metadata file that belongs to a metadata file, data file or base name."""
    for suffix in (META_SUFFIX, DATA_SUFFIX):
        if path.name.lower().endswith(suffix):
            if suffix == META_SUFFIX:
                return path
            return path.with_name(path.name[: -len(suffix)] + META_SUFFIX)
    return _beside(path, META_SUFFIX)


def locate(path: Path) -> SigmfFiles:
    """Find and read the metadata, and find the samples.

    Raises:
        RecordingError: a half is missing or unreadable, or the archive holds several recordings.
    """
    if path.name.lower().endswith(ARCHIVE_SUFFIX):
        return _locate_in_archive(path)
    meta = meta_path(path)
    try:
        with meta.open("rb") as file:
            metadata = parse_metadata(_bounded(file.read(_MAX_META_BYTES + 1), meta), str(meta))
    except FileNotFoundError:
        hint = "; pass --format, --rate and --center to read it without" if meta != path else ""
        raise RecordingError(str(path), f"its metadata {meta.name} is missing{hint}") from None
    except OSError as error:
        raise RecordingError(str(meta), f"cannot be read: {error.strerror or error}") from error
    data = meta.with_name(meta.name[: -len(META_SUFFIX)] + DATA_SUFFIX)
    if metadata.dataset is not None:
        if metadata.dataset != Path(metadata.dataset).name:
            raise RecordingError(
                str(meta), f"core:dataset {metadata.dataset!r} is not the name of a file beside it"
            )
        data = meta.with_name(metadata.dataset)
    try:
        n_bytes = data.stat().st_size
    except (OSError, ValueError):
        raise RecordingError(str(path), f"its samples {data.name} are missing") from None
    if not data.is_file():
        raise RecordingError(str(path), f"its samples {data.name} are no file")
    return SigmfFiles(metadata, data, 0, n_bytes)


def _locate_in_archive(path: Path) -> SigmfFiles:
    name = str(path)
    try:
        with tarfile.open(path, "r:") as archive:
            members = []
            for member in archive:
                members.append(member)
                if len(members) > _MAX_ARCHIVE_MEMBERS:
                    raise RecordingError(name, f"holds more than {_MAX_ARCHIVE_MEMBERS} files")
            metas = [m for m in members if m.isfile() and m.name.lower().endswith(META_SUFFIX)]
            if len(metas) != 1:
                raise RecordingError(name, f"holds {len(metas)} recordings; one is read, so unpack it")
            wanted = metas[0].name[: -len(META_SUFFIX)] + DATA_SUFFIX
            data = [m for m in members if m.isfile() and m.name == wanted]
            if len(data) != 1 or data[0].issparse():
                raise RecordingError(name, f"has no samples {wanted} that can be read in place")
            content = archive.extractfile(metas[0])
            text = content.read(_MAX_META_BYTES + 1) if content is not None else b""
    except RecordingError:
        raise
    except OSError as error:
        raise RecordingError(name, f"cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        raise RecordingError(name, f"is not a SigMF archive (an uncompressed tar file): {error}") from error
    metadata = parse_metadata(_bounded(text, path), f"{name}: {metas[0].name}")
    if metadata.dataset is not None:
        raise RecordingError(name, "names a core:dataset, which an archive cannot hold")
    return SigmfFiles(metadata, path, data[0].offset_data, data[0].size)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix) if path.name else path


def _bounded(text: bytes, path: Path) -> bytes:
    if len(text) > _MAX_META_BYTES:
        raise RecordingError(str(path), f"its metadata is longer than {_MAX_META_BYTES >> 20} MiB")
    return text
