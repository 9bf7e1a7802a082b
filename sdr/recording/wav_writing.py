"""The WAV header that goes before written samples; its length never depends on their number.

    RIFF  JUNK (28 bytes: room for ds64)  fmt  [fact, floats only]  auxi  data

While the length is unknown, the sizes say so (FFFFFFFFh). A file that outgrows 32-bit sizes
becomes RF64, and its JUNK chunk ds64.
Source: see ``sdr.recording.wav``.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from sdr.recording.wav import CODINGS, SIZE_OPEN, TAG_FLOAT
from sdr.sample_format import SampleFormat

_TAGS = {row: tag for (tag, _), row in CODINGS.items()}
_AUXI_BYTES = 164
_CENTER_OFFSET = 32
_DS64_BYTES = 28


def refusal(sample_format: SampleFormat, sample_rate_hz: float) -> str:
    """Why WAV cannot hold these samples; empty if it can."""
    if sample_format not in _TAGS:
        return (
            f"WAV cannot hold {sample_format.label} samples; {', '.join(row.label for row in _TAGS)} it can"
        )
    if not float(sample_rate_hz).is_integer() or not 0 < sample_rate_hz <= SIZE_OPEN:
        return f"WAV cannot hold a sample rate of {sample_rate_hz} S/s; it takes whole numbers"
    return ""


def header(
    sample_format: SampleFormat,
    n_samples: int | None,
    *,
    sample_rate_hz: float,
    center_hz: float,
    start_time: datetime | None,
) -> bytes:
    """Everything before the first sample.

    Args:
        sample_format: a format that ``refusal`` does not refuse.
        n_samples: how many samples follow, None while that is unknown.
        sample_rate_hz: a whole number.
        center_hz: written to the nearest Hz; left out beyond 32 bits.
        start_time: aware time of the first sample, or None.
    """
    tag = _TAGS[sample_format]
    rate_hz = int(sample_rate_hz)
    n_bytes = sample_format.bytes_per_sample
    bits = 8 * sample_format.dtype.itemsize
    fmt = struct.pack("<HHIIHH", tag, 2, rate_hz, rate_hz * n_bytes, n_bytes, bits)
    fact = b""
    if tag == TAG_FLOAT:  # anything but PCM has an (empty) extension and says its length
        fmt += struct.pack("<H", 0)
        fact = _chunk(b"fact", struct.pack("<I", min(n_samples or 0, SIZE_OPEN)))
    tail = _chunk(b"fmt ", fmt) + fact + _chunk(b"auxi", _auxi(center_hz, start_time))
    data_bytes = SIZE_OPEN if n_samples is None else n_samples * n_bytes
    riff_bytes = 4 + 8 + _DS64_BYTES + len(tail) + 8 + data_bytes
    if n_samples is None or riff_bytes <= SIZE_OPEN:
        room = _chunk(b"JUNK", bytes(_DS64_BYTES))
        start = struct.pack("<4sI4s", b"RIFF", min(riff_bytes, SIZE_OPEN), b"WAVE")
        return start + room + tail + struct.pack("<4sI", b"data", data_bytes)
    room = _chunk(b"ds64", struct.pack("<QQQI", riff_bytes, data_bytes, n_samples, 0))
    start = struct.pack("<4sI4s", b"RF64", SIZE_OPEN, b"WAVE")
    return start + room + tail + struct.pack("<4sI", b"data", SIZE_OPEN)


def _auxi(center_hz: float, start_time: datetime | None) -> bytes:
    content = bytearray(_AUXI_BYTES)
    if start_time is not None:
        at = start_time.astimezone(UTC)
        struct.pack_into(
            "<8H",
            content,
            0,
            *(at.year, at.month, at.isoweekday() % 7, at.day),
            *(at.hour, at.minute, at.second, at.microsecond // 1000),
        )
    if 0 < center_hz <= SIZE_OPEN:
        struct.pack_into("<I", content, _CENTER_OFFSET, round(center_hz))
    return bytes(content)


def _chunk(chunk_id: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", chunk_id, len(content)) + content
