"""Write a recording while it comes in: samples at once, everything else on closing.

suffix                        written
.cu8 .cs8 .cs16 .cf32         the samples; annotations, if any, in NAME.json
.wav                          u8, s16 or f32 behind a header with rate, centre and start time
.sigmf-meta, .sigmf-data,     NAME.sigmf-data and NAME.sigmf-meta
or none
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from dsp.arrays import ComplexArray, RawArray
from sdr.errors import RecordingError
from sdr.recording import sigmf, wav_writing
from sdr.recording.file_name import name_suffix
from sdr.recording.sigmf_files import DATA_SUFFIX, META_SUFFIX
from sdr.sample_format import SampleFormat, from_complex

_LITTLE_ENDIAN = {SampleFormat.CS16, SampleFormat.CF32}


class RecordingWriter:
    """A recording being written; use it as a context manager.

    Attributes:
        data_path: the file with the samples; ``meta_path``: the file that describes them
            (for raw and WAV files written only if there are annotations).
        n_samples: written so far; ``n_clipped``: those that did not fit the sample format.
    """

    def __init__(
        self,
        data_path: Path,
        meta_path: Path,
        sample_format: SampleFormat,
        *,
        sample_rate_hz: float,
        center_hz: float,
        start_time: datetime | None,
        description: str,
    ) -> None:
        self.data_path = data_path
        self.meta_path = meta_path
        self.sample_format = sample_format
        self.sample_rate_hz = sample_rate_hz
        self.center_hz = center_hz
        self.start_time = start_time
        self.description = description
        self.n_samples = 0
        self.n_clipped = 0
        self._is_wav = name_suffix(data_path.name) == ".wav"
        self._is_sigmf = name_suffix(data_path.name) == DATA_SUFFIX
        self._annotations: list[dict[str, Any]] = []
        self._hash = hashlib.sha512()
        try:
            self._file: BinaryIO = data_path.open("wb")
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        if self._is_wav:
            self._put(self._wav_header(None))

    def write(self, iq: ComplexArray) -> None:
        """Append samples, full scale ±1, complex64 [n].

        Raises:
            RecordingError: the disk is full or the file went away.
        """
        raw, n_clipped = from_complex(iq, self.sample_format)
        self.n_clipped += n_clipped
        self.write_raw(raw)

    def write_raw(self, raw: RawArray) -> None:
        """Append stored values as they are: I, Q, I, Q… in the recording's own dtype [2n].

        Raises:
            RecordingError: as for ``write``.
            ValueError: values of another dtype, or half a sample.
        """
        if raw.dtype != self.sample_format.dtype or len(raw) % 2:
            raise ValueError(f"{self.sample_format.label} samples are pairs of {self.sample_format.dtype}")
        content = raw.astype(raw.dtype.newbyteorder("<"), copy=False).tobytes()
        self._put(content)
        self._hash.update(content)
        self.n_samples += len(raw) // 2

    def annotate(self, first_sample: int, n_samples: int, fields: Mapping[str, Any]) -> None:
        """Say something about a stretch of samples.

        Args:
            first_sample: number of the first sample.
            n_samples: how many it is about.
            fields: names with their namespace, such as ``core:label`` or ``omsdr:frame_hex``, to JSON values.
        """
        if first_sample < 0 or n_samples < 0:
            raise ValueError("an annotation counts samples from 0 on")
        if bare := [key for key in fields if ":" not in key]:
            raise ValueError(f"annotation field {bare[0]!r} has no namespace")
        self._annotations.append(
            {"core:sample_start": int(first_sample), "core:sample_count": int(n_samples), **fields}
        )

    def describe(self) -> None:
        """Write the metadata of SigMF as they stand; what is killed later leaves a recording all the same.

        Raises:
            RecordingError: as for ``write``.
        """
        if self._is_sigmf:
            try:
                self.meta_path.write_text(self._metadata(is_whole=False), encoding="utf-8", newline="\n")
            except OSError as error:
                raise self._failed(error) from error

    def close(self) -> None:
        """Finish the header and write the metadata; a second call does nothing.

        Raises:
            RecordingError: as for ``write``.
        """
        if self._file.closed:
            return
        try:
            if self._is_wav and self._file.seekable():
                self._file.seek(0)
                self._put(self._wav_header(self.n_samples))
            self._file.close()
            if self._is_sigmf or self._annotations:
                self.meta_path.write_text(self._metadata(is_whole=True), encoding="utf-8", newline="\n")
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._file.close()

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _metadata(self, *, is_whole: bool) -> str:
        order = "_le" if self.sample_format in _LITTLE_ENDIAN else ""
        return sigmf.write_metadata(
            datatype=self.sample_format.sigmf_type + order,
            sample_rate_hz=self.sample_rate_hz,
            center_hz=self.center_hz,
            start_time=self.start_time,
            annotations=self._annotations,
            description=self.description,
            sha512=self._hash.hexdigest() if is_whole and not self._is_wav else None,
        )

    def _wav_header(self, n_samples: int | None) -> bytes:
        return wav_writing.header(
            self.sample_format,
            n_samples,
            sample_rate_hz=self.sample_rate_hz,
            center_hz=self.center_hz,
            start_time=self.start_time,
        )

    def _put(self, content: bytes) -> None:
        try:
            self._file.write(content)
        except (OSError, ValueError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> RecordingError:
        reason = getattr(error, "strerror", None) or error
        return RecordingError(str(self.data_path), f"cannot be written: {reason}")


def create_recording(
    path: str | PathLike[str],
    *,
    sample_rate_hz: float,
    center_hz: float,
    sample_format: SampleFormat | None = None,
    start_time: datetime | None = None,
    description: str = "",
) -> RecordingWriter:
    """Begin a recording; the suffix of its name tells the kind.

    Args:
        path: see the table of the module; an existing file is replaced.
        sample_rate_hz: samples per second.
        center_hz: centre frequency.
        sample_format: for SigMF and WAV (default cs16); a raw suffix names its own.
        start_time: time of the first sample, or None; one without zone is taken as UTC.
        description: one sentence for the SigMF metadata.

    Raises:
        RecordingError: the suffix is unknown or cannot hold the sample format or the rate, or
            the file cannot be created.
    """
    target = Path(path)
    name = fspath(path)
    suffix = name_suffix(target.name)
    named = SampleFormat.named(suffix[1:])
    if named is not None and sample_format not in (None, named):
        raise RecordingError(name, f"its suffix says {named.label}, not {sample_format.label}")
    data_path, meta_path = target, target.with_name(target.name + ".json")
    if suffix in ("", META_SUFFIX, DATA_SUFFIX):
        stem = target.name[: len(target.name) - len(suffix)]
        data_path, meta_path = target.with_name(stem + DATA_SUFFIX), target.with_name(stem + META_SUFFIX)
    elif named is None and suffix != ".wav":
        kinds = ", ".join(f".{row.label}" for row in SampleFormat)
        raise RecordingError(name, f"cannot be written: {suffix} is none of {kinds}, .wav, {META_SUFFIX}")
    chosen = named or sample_format or SampleFormat.CS16
    if suffix == ".wav" and (problem := wav_writing.refusal(chosen, sample_rate_hz)):
        raise RecordingError(name, problem)
    if start_time is not None and start_time.tzinfo is None:
        start_time = start_time.replace(tzinfo=UTC)
    return RecordingWriter(
        data_path,
        meta_path,
        chosen,
        sample_rate_hz=sample_rate_hz,
        center_hz=center_hz,
        start_time=start_time,
        description=description,
    )
