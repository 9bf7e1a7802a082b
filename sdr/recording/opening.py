"""Open a recording: find its container, deduce its facts, lay out its segments.

container   told by                                      header
SigMF       .sigmf-meta, .sigmf-data, .sigmf, base name  beside the samples
WAV         .wav, or RIFF … WAVE where no suffix tells   before the samples
raw         everything else                              none
"""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO

from sdr.errors import RecordingError, UsageError
from sdr.recording import sigmf, wav
from sdr.recording.byte_stream import ByteStream
from sdr.recording.facts import OPTIONS, Facts, deduce
from sdr.recording.file_name import RAW_SUFFIXES, facts_from_name, name_suffix
from sdr.recording.reader import Recording, Segment
from sdr.recording.sigmf import Capture
from sdr.recording.sigmf_files import exists, is_sigmf, locate, meta_path
from sdr.recording.spans import find_spans, span_start_time
from sdr.sample_format import SampleFormat

STDIN = "-"
FORMATS = (*(row.label for row in SampleFormat), "wav", "sigmf", "auto")


@dataclass(frozen=True, slots=True)
class _Container:
    """Where the samples lie, and what is said around them."""

    stream: ByteStream
    facts: Facts
    data_start: int = 0
    data_bytes: int | None = None
    big_endian: bool = False
    captures: tuple[Capture, ...] = (Capture(0),)
    annotations: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


def open_recording(
    path: str | PathLike[str],
    *,
    sample_rate_hz: float | None = None,
    center_hz: float | None = None,
    sample_format: SampleFormat | str | None = None,
    start_time: datetime | None = None,
    stdin: BinaryIO | None = None,
) -> Recording:
    """Open an I/Q recording for reading.

    Args:
        path: a file, the base name of a SigMF recording, or ``-`` for standard input.
        sample_rate_hz: the option ``--rate``; options go before what the recording tells of itself.
        center_hz: the option ``--center``.
        sample_format: the option ``--format``: an entry of ``FORMATS`` or a SampleFormat.
        start_time: the option ``--start-time``; one without zone is taken as UTC.
        stdin: the stream that ``-`` stands for; standard input if None.

    Raises:
        RecordingError: unreadable, of unknown format, or a fact is missing or impossible.
        UsageError: an option is impossible for every recording.
    """
    name = fspath(path)
    container_kind, row = _read_format_option(sample_format)
    if start_time is not None:
        start_time = (
            start_time.replace(tzinfo=UTC) if start_time.tzinfo is None else start_time.astimezone(UTC)
        )
    options = Facts(OPTIONS, sample_rate_hz, center_hz, row, start_time)
    container = _open_container(name, container_kind, options, stdin)
    try:
        return _lay_out(container, options, Facts("") if name == STDIN else facts_from_name(Path(name).name))
    except BaseException:
        container.stream.close()
        raise


def _read_format_option(option: SampleFormat | str | None) -> tuple[str | None, SampleFormat | None]:
    """Split the option into a container (wav, sigmf) and a sample format, either may be open."""
    if option is None or option == "auto":
        return None, None
    if isinstance(option, SampleFormat):
        return None, option
    if option in ("wav", "sigmf"):
        return option, None
    row = SampleFormat.named(option)
    if row is None:
        raise UsageError(f"format {option!r} is unknown; {', '.join(FORMATS)} are read")
    return None, row


def _lay_out(container: _Container, options: Facts, from_name: Facts) -> Recording:
    stream = container.stream
    deduced = deduce(stream.name, [options, container.facts, from_name])
    spans, notes = find_spans(
        container.captures,
        data_start=container.data_start,
        data_bytes=container.data_bytes,
        bytes_per_sample=deduced.sample_format.bytes_per_sample,
        sample_rate_hz=deduced.sample_rate_hz,
    )
    segments = []
    center_hz = deduced.center_hz
    for span in spans:
        capture = span.capture
        if options.center_hz is None and capture.center_hz is not None:
            center_hz = capture.center_hz
        segments.append(
            Segment(
                stream,
                deduced.sample_format,
                big_endian=container.big_endian,
                first_byte=span.first_byte,
                n_bytes=span.n_bytes,
                first_sample=capture.first_sample,
                center_hz=center_hz,
                start_time=span_start_time(
                    container.captures[0], capture, deduced.start_time, deduced.sample_rate_hz
                ),
                reason=span.reason,
            )
        )
        if span.reason:
            notes.append(f"the receiver starts anew at sample {capture.first_sample}: {span.reason}")
    return Recording(
        stream,
        deduced,
        segments,
        captures=container.captures,
        annotations=container.annotations,
        notes=(*container.notes, *notes),
    )


def _open_container(name: str, kind: str | None, options: Facts, stdin: BinaryIO | None) -> _Container:
    if name == STDIN:
        if kind == "sigmf":
            raise RecordingError(
                name, "SigMF is two files and cannot be piped; pipe the samples as cu8, cs16 …"
            )
        stream = ByteStream(sys.stdin.buffer if stdin is None else stdin, STDIN, None, borrowed=True)
        suffix = ""
    else:
        path = Path(name)
        bare_data = _is_told(options) and not exists(meta_path(path)) and not name.lower().endswith(".sigmf")
        if kind == "sigmf" or (kind is None and is_sigmf(path) and not bare_data):
            return _open_sigmf(path)
        stream = _open_file(path)
        suffix = name_suffix(path.name)
    try:
        is_open = options.sample_format is None and suffix not in RAW_SUFFIXES
        if kind is None and (suffix == ".wav" or is_open):
            # With --format cs16 a .wav keeps its header: the option tells the coding behind it.
            is_wav = wav.looks_like_wav(stream.peek(12))
            kind = "wav" if is_wav or (suffix == ".wav" and is_open) else None
        if kind == "wav":
            header = wav.read_header(stream)
            return _Container(stream, header.facts, header.data_start, header.data_bytes, notes=header.notes)
        return _Container(stream, Facts(""), 0, stream.n_bytes)
    except BaseException:
        stream.close()
        raise


def _is_told(options: Facts) -> bool:
    """Whether the options alone say how to read samples."""
    return None not in (options.sample_format, options.sample_rate_hz, options.center_hz)


def _open_sigmf(path: Path) -> _Container:
    files = locate(path)
    metadata = files.metadata
    return _Container(
        _open_file(files.data_path, name=str(path)),
        Facts(
            sigmf.ORIGIN,
            metadata.sample_rate_hz,
            metadata.captures[0].center_hz,
            metadata.sample_format,
            metadata.captures[0].start_time,
        ),
        files.data_start,
        max(0, files.data_bytes - metadata.trailing_bytes),
        metadata.big_endian,
        metadata.captures,
        metadata.annotations,
        metadata.notes,
    )


def _open_file(path: Path, name: str | None = None) -> ByteStream:
    name = str(path) if name is None else name
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise RecordingError(name, "is a folder")
        file = path.open("rb")
    except FileNotFoundError:
        raise RecordingError(name, "there is no such file") from None
    except (OSError, ValueError) as error:
        raise RecordingError(
            name, f"cannot be opened: {getattr(error, 'strerror', None) or error}"
        ) from error
    return ByteStream(file, name, status.st_size if stat.S_ISREG(status.st_mode) else None)
