"""``--record``: the samples of a radio to disk while they are decoded.

A file holds samples without a gap: where samples are missing, or the radio is tuned anew, or the file has
reached its size or time, the next one begins. None is ever overwritten:

    NAME.sigmf-data  NAME_2.sigmf-data  NAME_3.sigmf-data …      the oldest removed beyond --record-keep

A disk that is full is said once; recording tries again from time to time, reception goes on.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sdr.errors import RecordingError, UsageError
from sdr.live.radio import LiveRadio
from sdr.radio import Piece, Source
from sdr.recording import RecordingWriter, create_recording

_RETRY_S = 30.0
_SIZES = {"k": 10**3, "M": 10**6, "G": 10**9}
_TIMES_S = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIGMF_SUFFIXES = (".sigmf-data", ".sigmf-meta")


@dataclass(frozen=True, slots=True)
class Split:
    """When to begin the next file; None for never."""

    size_bytes: float | None = None
    time_s: float | None = None


def parse_split(text: str) -> Split:
    """Read ``500M``, ``2G``, ``90s``, ``30min``, ``1h`` or ``1d``.

    Raises:
        UsageError: it is none of these.
    """
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(k|M|G|s|min|h|d)B?", text.strip())
    if match is None or float(match[1]) == 0.0:
        raise UsageError(f"--record-split {text}: write a size like 500M or 2G, or a time like 30min or 1h")
    number, unit = float(match[1]), match[2]
    return Split(number * _SIZES[unit]) if unit in _SIZES else Split(None, number * _TIMES_S[unit])


class Recorder:
    """Records one radio; give it to ``LiveRadio.tape``.

    Args:
        path: where to; a name without suffix is SigMF.
        split: when to begin the next file.
        keep: how many files to keep; None for all.
        say: takes sentences for people.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        path: Path,
        say: Callable[[str], None],
        *,
        split: Split | None = None,
        keep: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._split = Split() if split is None else split
        self._keep = keep
        self._say = say
        self._clock = clock
        self._writer: RecordingWriter | None = None
        self._source: Source | None = None
        self._next_sample = -1
        self._number = 0
        self._files: deque[RecordingWriter] = deque()
        self._retry_s = -float("inf")
        self._is_failing = False

    def __call__(self, radio: LiveRadio, piece: Piece) -> None:
        """Take a piece."""
        if self._writer is None and self._clock() < self._retry_s:
            return
        try:
            if self._writer is not None and not self._goes_on(radio, piece):
                self._finish()
            if self._writer is None:
                self._begin(radio, piece)
            assert self._writer is not None
            self._writer.write_raw(piece.raw)
            self._next_sample = piece.end
            if self._is_failing:
                self._is_failing = False
                self._say(f"{self._writer.data_path}: recording goes on")
        except RecordingError as error:
            self._fail(error)

    def close(self) -> None:
        """Finish the file."""
        try:
            self._finish()
        except RecordingError as error:
            self._fail(error)

    def _goes_on(self, radio: LiveRadio, piece: Piece) -> bool:
        assert self._writer is not None
        writer, split = self._writer, self._split
        if piece.first_sample != self._next_sample or radio.source is not self._source:
            return False
        n_bytes = writer.n_samples * writer.sample_format.bytes_per_sample + piece.raw.nbytes
        if split.size_bytes is not None and n_bytes > split.size_bytes:
            return False
        return split.time_s is None or writer.n_samples < split.time_s * writer.sample_rate_hz

    def _begin(self, radio: LiveRadio, piece: Piece) -> None:
        source = radio.source
        assert source is not None
        self._writer = create_recording(
            self._free_path(),
            sample_rate_hz=source.sample_rate_hz,
            center_hz=source.center_hz,
            sample_format=source.sample_format,
            start_time=radio.utc(piece.first_sample),
            description=f"recorded by omsdr receive from {radio.uri}",
        )
        self._writer.describe()
        self._source = source
        self._files.append(self._writer)
        while self._keep is not None and len(self._files) > self._keep:
            oldest = self._files.popleft()
            oldest.data_path.unlink(missing_ok=True)
            oldest.meta_path.unlink(missing_ok=True)

    def _free_path(self) -> Path:
        """Return the first name that is not taken."""
        stem, suffix = _stem(self._path), self._path.suffix
        suffix = "" if stem != self._path.name or not suffix else suffix
        stem = stem.removesuffix(suffix)
        while True:
            self._number += 1
            name = f"{stem}_{self._number}" if self._number > 1 else stem
            path = self._path.with_name(name + suffix)
            if not any(path.with_name(path.name + end).exists() for end in ("", *_SIGMF_SUFFIXES)):
                return path

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _fail(self, error: RecordingError) -> None:
        if not self._is_failing:
            self._say(f"{error}; reception goes on without recording, which is tried again")
        self._is_failing = True
        self._retry_s = self._clock() + _RETRY_S
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()  # what was written is whole up to here
            except RecordingError:
                return


def _stem(path: Path) -> str:
    """Return a file name without the suffixes of SigMF."""
    for suffix in _SIGMF_SUFFIXES:
        if path.name.endswith(suffix):
            return path.name.removesuffix(suffix)
    return path.name
