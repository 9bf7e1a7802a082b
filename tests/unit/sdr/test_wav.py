"""WAV headers made by hand (layout: the module's table) and by scipy, an independent writer."""

import io
import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from sdr.errors import RecordingError
from sdr.recording import open_recording, wav_writing
from sdr.recording.byte_stream import ByteStream
from sdr.recording.wav import WavHeader, read_header
from sdr.sample_format import SampleFormat

RATE_HZ = 1_600_000
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(chunk_id: bytes, content: bytes, size: int | None = None) -> bytes:
    size = len(content) if size is None else size
    return struct.pack("<4sI", chunk_id, size) + content + bytes(len(content) % 2)


def fmt(
    tag: int = 1, channels: int = 2, bits: int = 8, rate_hz: int = RATE_HZ, extension: bytes = b""
) -> bytes:
    align = channels * bits // 8
    return chunk(
        b"fmt ", struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * align, align, bits) + extension
    )


def riff(*chunks: bytes, riff_id: bytes = b"RIFF", size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", riff_id, len(body) if size is None else size) + body


def extensible(tag: int, bits: int) -> bytes:
    return fmt(0xFFFE, 2, bits, extension=struct.pack("<HHIH", 22, bits, 3, tag) + GUID_TAIL)


def header_of(content: bytes, n_bytes: int | None = None) -> WavHeader:
    return read_header(ByteStream(io.BytesIO(content), "t.wav", len(content) if n_bytes is None else n_bytes))


def piped_header_of(content: bytes) -> WavHeader:
    return read_header(ByteStream(io.BytesIO(content), "-", None))


@pytest.mark.parametrize(
    ("format_chunk", "sample_format"),
    [
        (fmt(1, bits=8), SampleFormat.CU8),
        (fmt(1, bits=16), SampleFormat.CS16),
        (fmt(3, bits=32), SampleFormat.CF32),
        (fmt(3, bits=32, extension=bytes(2)), SampleFormat.CF32),
        (extensible(1, 8), SampleFormat.CU8),
        (extensible(1, 16), SampleFormat.CS16),
        (extensible(3, 32), SampleFormat.CF32),
    ],
)
def test_encodings(format_chunk: bytes, sample_format: SampleFormat) -> None:
    header = header_of(
        riff(format_chunk, chunk(b"LIST", b"odd"), chunk(b"data", bytes(64)), chunk(b"id3 ", b"x"))
    )
    assert header.facts.sample_format is sample_format
    assert header.facts.sample_rate_hz == RATE_HZ
    assert header.data_bytes == 64
    assert header.notes == ()


@pytest.mark.parametrize(
    ("format_chunk", "problem"),
    [
        (fmt(1, bits=24), "24-bit integer samples; u8, s16 and f32 are read"),
        (fmt(1, bits=32), "32-bit integer"),
        (fmt(3, bits=64), "64-bit float"),
        (fmt(0x55, bits=8), "encoding 0x0055"),
        (fmt(channels=1), "1 channel"),
        (fmt(channels=6), "6 channel"),
        (extensible(1, 8)[:-1] + b"\0", "without a known encoding"),
        (chunk(b"fmt ", bytes(14)), "fmt chunk of 14 bytes"),
        (chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, RATE_HZ, 0, 4, 8)), "contradicts itself"),
        (b"", "no fmt chunk"),
    ],
)
def test_encodings_that_are_refused(format_chunk: bytes, problem: str) -> None:
    with pytest.raises(RecordingError, match=problem):
        header_of(riff(format_chunk, chunk(b"data", bytes(64))))


@pytest.mark.parametrize("n_bytes", range(44))
def test_cut_header(n_bytes: int) -> None:
    whole = riff(fmt(), chunk(b"data", bytes(8)))
    with pytest.raises(RecordingError, match=r"ends|fmt"):
        header_of(whole[:n_bytes])
    with pytest.raises(RecordingError, match=r"ends|fmt"):
        piped_header_of(whole[:n_bytes])


def test_other_openings() -> None:
    with pytest.raises(RecordingError, match="big-endian"):
        header_of(riff(fmt(), riff_id=b"RIFX"))
    with pytest.raises(RecordingError, match="not a WAV file"):
        header_of(b"OggS" + bytes(40))
    with pytest.raises(RecordingError, match="1000 WAV chunks"):
        header_of(riff(*[chunk(b"junk", b"")] * 1000))


def test_a_chunk_that_promises_more_than_the_file() -> None:
    with pytest.raises(RecordingError, match="ends inside the WAV chunk 'LIST'"):
        header_of(riff(fmt(), chunk(b"LIST", b"", size=0xFFFFFFF0)))
    with pytest.raises(RecordingError, match="ends inside the WAV chunk 'LIST'"):
        piped_header_of(riff(fmt(), chunk(b"LIST", b"", size=0xFFFFFFF0)))


@pytest.mark.parametrize(("declared", "riff_size"), [(0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0, 0xFFFFFFFF)])
def test_open_length_runs_to_the_end(declared: int, riff_size: int) -> None:
    content = riff(fmt(), chunk(b"data", bytes(10), size=declared), size=riff_size)
    header = header_of(content)
    assert header.data_bytes == 10
    assert header.notes == ("the WAV header leaves the length open; read to the end of the file",)
    assert piped_header_of(content).data_bytes is None


def test_no_samples_by_a_header_that_knows() -> None:
    assert header_of(riff(fmt(), chunk(b"data", b""))).data_bytes == 0
    header = header_of(riff(fmt(), chunk(b"data", b""), chunk(b"LIST", bytes(6))))
    assert (header.data_bytes, header.notes) == (0, ())


def test_a_length_near_2_gib_is_open_in_a_pipe() -> None:
    content = riff(fmt(), chunk(b"data", bytes(10), size=0x7FFFFFFF - 36))
    assert piped_header_of(content).data_bytes is None
    assert piped_header_of(riff(fmt(), chunk(b"data", bytes(10)))).data_bytes == 10


def test_a_length_beyond_the_file_is_noted() -> None:
    header = header_of(riff(fmt(), chunk(b"data", bytes(10), size=5000)))
    assert header.data_bytes == 10
    assert header.notes == ("the WAV header promises 5000 bytes of samples, the file holds 10",)


def test_a_length_that_wrapped_at_4_gib_is_noted() -> None:
    content = riff(fmt(), chunk(b"data", b"", size=1000))
    header = header_of(content, n_bytes=44 + 1000 + 2**32)
    assert header.data_bytes == 1000 + 2**32
    assert "longer than a WAV header can tell" in header.notes[0]


@pytest.mark.parametrize("riff_id", [b"RF64", b"BW64"])
def test_sizes_beyond_32_bits(riff_id: bytes) -> None:
    n_data = 5 * 2**30
    ds64 = chunk(b"ds64", struct.pack("<QQQI", n_data + 72, n_data, n_data // 2, 0))
    content = riff(ds64, fmt(), chunk(b"data", b"", size=0xFFFFFFFF), riff_id=riff_id, size=0xFFFFFFFF)
    header = header_of(content, n_bytes=len(content) + n_data + 100)
    assert header.data_bytes == n_data
    assert header.notes == ()


def test_wrong_bytes_per_second_is_noted() -> None:
    content = riff(
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, RATE_HZ, 96000, 2, 8)), chunk(b"data", bytes(4))
    )
    assert header_of(content).notes == (
        "the WAV header's 96000 bytes/s do not fit its rate of 1600000 S/s, which is kept",
    )


def auxi(center_hz: int, *time: int) -> bytes:
    return chunk(b"auxi", struct.pack("<16HI", *time, *time, center_hz).ljust(164, b"\0"))


def test_auxi() -> None:
    content = riff(fmt(), auxi(868_950_000, 2020, 1, 3, 1, 12, 0, 5, 250), chunk(b"data", bytes(4)))
    facts = header_of(content).facts
    assert facts.center_hz == 868.95e6
    assert facts.start_time_hint == datetime(2020, 1, 1, 12, 0, 5, 250_000, tzinfo=UTC)
    assert facts.start_time is None


def test_auxi_that_was_never_filled_in() -> None:
    facts = header_of(riff(fmt(), auxi(0, *[0] * 8), chunk(b"data", bytes(4)))).facts
    assert (facts.center_hz, facts.start_time_hint) == (None, None)
    facts = header_of(riff(fmt(), auxi(868_950_000, *[0xFFFF] * 8), chunk(b"data", bytes(4)))).facts
    assert (facts.center_hz, facts.start_time_hint) == (868.95e6, None)


@pytest.mark.parametrize("content", [b"short", "\ufeff<?xml version='1.0'?>".ljust(60).encode("utf-16-le")])
def test_auxi_of_another_form_is_noted(content: bytes) -> None:
    header = header_of(riff(fmt(), chunk(b"auxi", content), chunk(b"data", bytes(4))))
    assert header.facts.center_hz is None
    assert header.notes == ("the WAV header's auxi chunk is of another form and not read",)


@given(st.binary(max_size=200))
def test_random_bytes_give_a_recording_error(content: bytes) -> None:
    for start in (b"", b"RIFF\0\0\0\0WAVE", b"RF64\xff\xff\xff\xffWAVE"):
        for read in (header_of, piped_header_of):
            try:
                header = read(start + content)
            except RecordingError:
                continue
            assert header.data_bytes is None or header.data_bytes >= 0


@settings(max_examples=200)
@given(position=st.integers(0, 270), patch=st.binary(min_size=1, max_size=8), cut=st.integers(0, 300))
def test_damaged_headers_give_a_recording_error(position: int, patch: bytes, cut: int) -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 300, 16, 4, 0))
    time = (2020, 1, 3, 1, 12, 0, 0, 0)
    whole = riff(
        ds64, extensible(1, 16), auxi(868_950_000, *time), chunk(b"data", bytes(16)), riff_id=b"RF64"
    )
    damaged = (whole[:position] + patch + whole[position + len(patch) :])[:cut]
    stream = io.BytesIO(damaged)
    try:
        with open_recording("-", sample_format="wav", center_hz=868.95e6, stdin=stream) as recording:
            n_samples = sum(chunk.n_samples for chunk in recording.chunks(3))
    except RecordingError:
        return
    assert n_samples <= len(damaged) // 2


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_reads_what_scipy_writes(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "868.95M.wav"
    values = np.arange(200).astype(dtype).reshape(100, 2)
    wavfile.write(path, RATE_HZ, values)
    with open_recording(path) as recording:
        assert recording.sample_rate_hz == RATE_HZ
        raw = np.concatenate([chunk.raw for chunk in recording.chunks(7)])
        assert recording.notes == []
    assert raw.dtype == dtype
    np.testing.assert_array_equal(raw, values.reshape(-1))


@pytest.mark.filterwarnings("ignore:Chunk .non-data. not understood")  # auxi, which scipy does not know
@pytest.mark.parametrize("sample_format", [SampleFormat.CU8, SampleFormat.CS16, SampleFormat.CF32])
def test_scipy_reads_what_is_written(tmp_path: Path, sample_format: SampleFormat) -> None:
    facts = {"sample_rate_hz": RATE_HZ, "center_hz": 868.95e6, "start_time": None}
    raw = np.arange(200).astype(sample_format.dtype)
    path = tmp_path / "t.wav"
    path.write_bytes(wav_writing.header(sample_format, 100, **facts) + raw.tobytes())  # type: ignore[arg-type]
    rate_hz, values = wavfile.read(path)
    assert rate_hz == RATE_HZ
    np.testing.assert_array_equal(values, raw.reshape(100, 2))


@pytest.mark.parametrize("n_samples", [None, 0, 1, 2**31 - 200, 2**31, 2**40])
@pytest.mark.parametrize("sample_format", [SampleFormat.CU8, SampleFormat.CF32])
def test_written_headers_of_any_length(sample_format: SampleFormat, n_samples: int | None) -> None:
    start = datetime(2026, 11, 20, 10, 0, 1, 500_000, tzinfo=UTC)
    content = wav_writing.header(
        sample_format, n_samples, sample_rate_hz=RATE_HZ, center_hz=868_949_999.6, start_time=start
    )
    unknown = wav_writing.header(
        sample_format, None, sample_rate_hz=RATE_HZ, center_hz=868_949_999.6, start_time=start
    )
    assert len(content) == len(unknown)
    n_bytes = (10 if n_samples is None else n_samples) * sample_format.bytes_per_sample
    header = header_of(content, n_bytes=len(content) + n_bytes)
    assert header.facts.sample_format is sample_format
    assert header.facts.center_hz == 868.95e6
    assert header.facts.start_time_hint == start
    assert (header.data_start, header.data_bytes) == (len(content), n_bytes)
    assert len(header.notes) == (1 if n_samples is None else 0)


def test_what_wav_cannot_hold() -> None:
    assert "cs8" in wav_writing.refusal(SampleFormat.CS8, RATE_HZ)
    assert "whole numbers" in wav_writing.refusal(SampleFormat.CU8, 1.5)
    assert wav_writing.refusal(SampleFormat.CU8, 1.6e6) == ""
