"""The header of WAV files that hold I on the left and Q on the right channel.

    offset  bytes  field
    0       4      RIFF; RF64 or BW64 for sizes beyond 32 bits (RIFX, big-endian, is refused)
    4       4      bytes that follow
    8       4      WAVE
    12      …      chunks: id (4), size n (4), content (n), pad to even

    chunk   content
    ds64    riff bytes (8), data bytes (8), samples (8), table length (4): RF64 and BW64 only
    fmt     tag (2), channels (2), rate (4), bytes/s (4), bytes/sample (2), bits (2); with tag
            FFFEh: 22 (2), valid bits (2), channel mask (4), GUID that starts with the true tag (16)
    auxi    start (16), stop (16), centre Hz (4), …: SpectraVue, HDSDR, SDRuno and others;
            a time is year, month, weekday, day, hour, minute, second, millisecond (2 each)
    data    the samples

Writers into pipes leave the sizes 0, at the largest value, or near 2 GiB, for they cannot
go back; then the data runs to the end of the input.

Source: Microsoft WAVEFORMATEX and WAVEFORMATEXTENSIBLE, EBU Tech 3306 (RF64),
SpectraVue user guide (auxi).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from sdr.errors import RecordingError
from sdr.recording.byte_stream import ByteStream
from sdr.recording.facts import Facts
from sdr.sample_format import SampleFormat

ORIGIN = "the WAV header"

TAG_PCM = 1
TAG_FLOAT = 3
TAG_EXTENSIBLE = 0xFFFE
SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")

# (tag, bits per value) → how the samples are stored. The middle of unsigned WAV bytes is
# nominally 128; radios write their converter's bytes, whose middle is 127.5.
CODINGS = {
    (TAG_PCM, 8): SampleFormat.CU8,
    (TAG_PCM, 16): SampleFormat.CS16,
    (TAG_FLOAT, 32): SampleFormat.CF32,
}

SIZE_OPEN = 0xFFFFFFFF
_SIZE_OPEN_IN_PIPE = 0x7FFF0000  # some writers promise just under 2 GiB instead
_MAX_CHUNKS = 1000
_MAX_CONTENT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class WavHeader:
    """Where the samples are, how long they run (None: to the end), and what the header tells."""

    facts: Facts
    data_start: int
    data_bytes: int | None
    notes: tuple[str, ...]


def looks_like_wav(start: bytes) -> bool:
    """Whether the first 12 bytes of an input open a WAV file."""
    return start[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX") and start[8:12] == b"WAVE"


def read_header(stream: ByteStream) -> WavHeader:
    """Read up to the first sample.

    Raises:
        RecordingError: no WAV file, not I/Q, or of an encoding that is not read.
    """
    name = stream.name
    start = stream.read(12)
    if len(start) < 12:
        raise RecordingError(name, f"ends after {len(start)} bytes, inside the WAV header")
    if start[:4] == b"RIFX":
        raise RecordingError(name, "is a big-endian WAV file (RIFX), which is not read")
    if not looks_like_wav(start):
        raise RecordingError(name, "is not a WAV file: it does not start with RIFF … WAVE")
    riff_bytes = int.from_bytes(start[4:8], "little")
    contents: dict[bytes, bytes] = {}
    for _ in range(_MAX_CHUNKS):
        head = stream.read(8)
        if len(head) < 8:
            raise RecordingError(name, "ends before any samples: the WAV header has no data chunk")
        chunk_id, n_bytes = head[:4], int.from_bytes(head[4:], "little")
        if chunk_id == b"data":
            break
        n_kept = min(n_bytes, _MAX_CONTENT_BYTES) if chunk_id in (b"fmt ", b"ds64", b"auxi") else 0
        contents[chunk_id] = stream.read(n_kept)
        n_skip = n_bytes + n_bytes % 2 - n_kept
        if len(contents[chunk_id]) < n_kept or stream.skip(n_skip) < n_skip:
            raise RecordingError(name, f"ends inside the WAV chunk {chunk_id.decode('latin-1')!r}")
    else:
        raise RecordingError(name, f"has {_MAX_CHUNKS} WAV chunks and still no samples")
    if b"fmt " not in contents:
        raise RecordingError(name, "has no fmt chunk before its samples")
    notes: list[str] = []
    rate_hz, sample_format = _read_fmt(name, contents[b"fmt "], notes)
    center_hz, start_time = _read_auxi(contents.get(b"auxi"), notes)
    declared = _declared_bytes(start[:4], n_bytes, contents.get(b"ds64"))
    data_bytes = _data_bytes(stream, declared, riff_bytes, notes)
    facts = Facts(ORIGIN, rate_hz, center_hz, sample_format, start_time_hint=start_time)
    return WavHeader(facts, stream.position, data_bytes, tuple(notes))


def _read_fmt(name: str, content: bytes, notes: list[str]) -> tuple[float, SampleFormat]:
    if len(content) < 16:
        raise RecordingError(name, f"has a fmt chunk of {len(content)} bytes; 16 are the least")
    tag, channels, rate_hz, bytes_per_s, bytes_per_sample, bits = struct.unpack_from("<HHIIHH", content)
    if tag == TAG_EXTENSIBLE:
        if len(content) < 40 or content[26:40] != SUBFORMAT_TAIL:
            raise RecordingError(name, "has an extended fmt chunk without a known encoding")
        tag = int.from_bytes(content[24:26], "little")
    if channels != 2:
        raise RecordingError(name, f"has {channels} channel(s); I/Q takes two, this may be audio")
    sample_format = CODINGS.get((tag, bits))
    if sample_format is None:
        kind = {TAG_PCM: "integer", TAG_FLOAT: "float"}.get(tag, f"encoding {tag:#06x}")
        raise RecordingError(name, f"holds {bits}-bit {kind} samples; u8, s16 and f32 are read")
    if bytes_per_sample != sample_format.bytes_per_sample:
        raise RecordingError(
            name, f"contradicts itself: {bytes_per_sample} bytes per sample, but two channels of {bits} bits"
        )
    if bytes_per_s != rate_hz * bytes_per_sample:
        notes.append(
            f"the WAV header's {bytes_per_s} bytes/s do not fit its rate of {rate_hz} S/s, which is kept"
        )
    return float(rate_hz), sample_format


def _read_auxi(content: bytes | None, notes: list[str]) -> tuple[float | None, datetime | None]:
    """Centre frequency and start time; what is zero or impossible was never filled in."""
    if content is None:
        return None, None
    if len(content) < 36 or content.lstrip(b"\xff\xfe").startswith(b"<"):
        notes.append("the WAV header's auxi chunk is of another form and not read")
        return None, None
    year, month, _, day, hour, minute, second, millisecond = struct.unpack_from("<8H", content)
    (center_hz,) = struct.unpack_from("<I", content, 32)
    try:
        start = datetime(year, month, day, hour, minute, second, millisecond * 1000, tzinfo=UTC)
    except ValueError:
        start = None
    return float(center_hz) or None, start


def _declared_bytes(riff_id: bytes, data_size: int, ds64: bytes | None) -> int:
    if riff_id == b"RIFF" or data_size != SIZE_OPEN or ds64 is None or len(ds64) < 16:
        return data_size
    return int.from_bytes(ds64[8:16], "little")


def _data_bytes(stream: ByteStream, declared: int, riff_bytes: int, notes: list[str]) -> int | None:
    """How far the samples run, believing the header only as far as the input bears it out."""
    if stream.n_bytes is None:
        return None if declared == 0 or declared >= _SIZE_OPEN_IN_PIPE else declared
    remaining = stream.n_bytes - stream.position
    empty = declared == 0 and riff_bytes + 8 == stream.n_bytes
    if not empty and declared in (0, SIZE_OPEN):
        notes.append("the WAV header leaves the length open; read to the end of the file")
        return remaining
    if declared > remaining:
        notes.append(f"the WAV header promises {declared} bytes of samples, the file holds {remaining}")
        return remaining
    if remaining - declared > SIZE_OPEN:
        notes.append("the file is longer than a WAV header can tell; read to the end of the file")
        return remaining
    return declared
