"""A recording as the receiver reads it: segments of raw chunks.

    Recording   one file or pipe: rate, format, where that is known from, notes
      Segment   samples without a gap at one centre frequency; the receiver starts anew at each
        RawChunk  stored values I, Q, I, Q… in native byte order, with the number of the first

Only one chunk is in memory at a time, however long the recording is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

import numpy as np

from dsp.arrays import RawArray
from sdr.recording.byte_stream import ByteStream
from sdr.recording.facts import Deduced
from sdr.recording.sigmf import Capture
from sdr.sample_format import SampleFormat

CHUNK_SAMPLES = 65536

# Full scale is 1: a float beyond this is no sample but foreign bytes, and its square would overflow.
MAX_MAGNITUDE = np.float32(1e9)


@dataclass(frozen=True, slots=True)
class RawChunk:
    """Stored values [2n] and the number of their first sample since the start of the recording."""

    raw: RawArray
    first_sample: int

    @property
    def n_samples(self) -> int:
        """Number of I/Q samples."""
        return len(self.raw) // 2


class Segment:
    """Samples without a gap.

    Attributes:
        first_sample: number of the first sample; counts on over all segments of the file.
        n_samples: how many there should be, None for a pipe.
        center_hz: centre frequency.
        start_time: UTC of the first sample, or None.
        reason: why the receiver starts anew here; empty for the first segment.
        n_read: samples read so far; ``odd_bytes``: bytes of a sample cut short at the end;
        ``missing_bytes``: promised but not there; ``replaced_samples``: no numbers, set to zero.
    """

    def __init__(
        self,
        stream: ByteStream,
        sample_format: SampleFormat,
        *,
        big_endian: bool,
        first_byte: int,
        n_bytes: int | None,
        first_sample: int,
        center_hz: float,
        start_time: datetime | None,
        reason: str,
    ) -> None:
        self.first_sample = first_sample
        self.n_samples = None if n_bytes is None else n_bytes // sample_format.bytes_per_sample
        self.center_hz = center_hz
        self.start_time = start_time
        self.reason = reason
        self._stream = stream
        self._format = sample_format
        self._stored_dtype = sample_format.dtype.newbyteorder(">" if big_endian else "<")
        self._first_byte = first_byte
        self._n_bytes = n_bytes
        self._begin()

    def chunks(self, chunk_samples: int = CHUNK_SAMPLES) -> Iterator[RawChunk]:
        """Read from the start, in chunks of this many samples (the last one may be shorter).

        Raises:
            RecordingError: the file became unreadable, or a pipe was read before.
        """
        if chunk_samples < 1:
            raise ValueError("a chunk holds at least one sample")
        self._begin()
        bytes_per_sample = self._format.bytes_per_sample
        n_bytes_done = 0
        while True:
            n_wanted = chunk_samples * bytes_per_sample
            if self._n_bytes is not None:
                n_wanted = min(n_wanted, self._n_bytes - n_bytes_done)
            if not n_wanted:
                break
            content = np.empty(n_wanted, dtype=np.uint8)
            self._stream.seek(self._first_byte + n_bytes_done)
            n_got = self._stream.read_into(content.data)
            n_bytes_done += n_got
            n_samples, self.odd_bytes = divmod(n_got, bytes_per_sample)
            if n_samples:
                chunk = RawChunk(
                    self._values(content[: n_samples * bytes_per_sample]), self.first_sample + self.n_read
                )
                self.n_read += n_samples
                yield chunk
            if n_got < n_wanted:
                break
        if self._n_bytes is not None:
            self.missing_bytes = self._n_bytes - n_bytes_done
        self.ended = True

    def _begin(self) -> None:
        self.n_read = 0
        self.odd_bytes = 0
        self.missing_bytes = 0
        self.replaced_samples = 0
        self.ended = False

    def _values(self, content: RawArray) -> RawArray:
        values: RawArray = content.view(self._stored_dtype).astype(self._format.dtype, copy=False)
        if self._format is SampleFormat.CF32:
            sane = np.abs(values) <= MAX_MAGNITUDE  # false for what is no number, too
            if not sane.all():
                values[~sane] = 0
                self.replaced_samples += int(np.count_nonzero(~sane.reshape(-1, 2).all(axis=1)))
        return values


class Recording:
    """An open recording; use it as a context manager.

    Attributes:
        name: the file as the user named it.
        sample_rate_hz, sample_format: of the whole recording.
        center_hz, start_time: of the first segment.
        start_time_hint: a time from a WAV header or file name that is perhaps local, or None.
        n_samples: in all segments together, None for a pipe.
        assumptions: sentences saying which fact came from where.
        captures, annotations: what SigMF metadata say (else one bare capture, and none).
    """

    def __init__(
        self,
        stream: ByteStream,
        deduced: Deduced,
        segments: Sequence[Segment],
        *,
        captures: Sequence[Capture],
        annotations: Sequence[dict[str, Any]],
        notes: Sequence[str],
    ) -> None:
        self.name = stream.name
        self.sample_rate_hz = deduced.sample_rate_hz
        self.sample_format = deduced.sample_format
        self.center_hz = segments[0].center_hz
        self.start_time = segments[0].start_time
        self.start_time_hint = deduced.start_time_hint
        self.assumptions = list(deduced.assumptions)
        self.captures = tuple(captures)
        self.annotations = tuple(annotations)
        counts = [segment.n_samples for segment in segments]
        self.n_samples = None if None in counts else sum(count for count in counts if count is not None)
        self._stream = stream
        self._segments = tuple(segments)
        self._opening_notes = tuple(notes)

    def segments(self) -> tuple[Segment, ...]:
        """List the segments in order, at least one."""
        return self._segments

    def chunks(self, chunk_samples: int = CHUNK_SAMPLES) -> Iterator[RawChunk]:
        """All chunks of all segments; no chunk reaches over the border of a segment."""
        for segment in self._segments:
            yield from segment.chunks(chunk_samples)

    @property
    def notes(self) -> list[str]:
        """Sentences on what was odd, as far as the recording has been read."""
        odd_bytes = sum(segment.odd_bytes for segment in self._segments)
        missing_bytes = sum(segment.missing_bytes for segment in self._segments)
        replaced_samples = sum(segment.replaced_samples for segment in self._segments)
        found = list(self._opening_notes)
        if all(segment.ended and not segment.n_read for segment in self._segments):
            found.append("it holds no samples")
        if odd_bytes:
            found.append(f"it ends inside a sample: the last {odd_bytes} byte(s) are left out")
        if missing_bytes:
            found.append(f"it ends {missing_bytes} bytes early")
        if replaced_samples:
            found.append(f"{replaced_samples} samples are no numbers and were set to zero")
        return found

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._stream.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
