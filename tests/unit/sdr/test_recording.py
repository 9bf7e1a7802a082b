"""Reading raw files and pipes: deduction of facts, chunks, and everything odd at the end of a file."""

import io
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdr.errors import RecordingError, UsageError
from sdr.recording import Recording, open_recording
from sdr.sample_format import SampleFormat

OPTIONS: dict[str, Any] = {"sample_rate_hz": 1.6e6, "center_hz": 868.95e6, "sample_format": "cu8"}


def raw_samples(recording: Recording, chunk_samples: int = 7) -> np.ndarray[Any, Any]:
    chunks = list(recording.chunks(chunk_samples))
    assert [chunk.first_sample for chunk in chunks] == list(
        range(0, sum(c.n_samples for c in chunks), chunk_samples)
    )
    return (
        np.concatenate([chunk.raw for chunk in chunks])
        if chunks
        else np.empty(0, recording.sample_format.dtype)
    )


class ShortReads(io.RawIOBase):
    """A pipe that hands over as few bytes at a time as the given numbers say."""

    def __init__(self, content: bytes, lengths: list[int]) -> None:
        self._content = content
        self._lengths = lengths

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:
        wanted = self._lengths.pop(0) if self._lengths else len(target)
        piece = self._content[: min(wanted, len(target))]
        self._content = self._content[len(piece) :]
        target[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize("sample_format", SampleFormat)
def test_raw_files(tmp_path: Path, sample_format: SampleFormat) -> None:
    values = np.arange(-60, 60).astype(sample_format.dtype)
    path = tmp_path / f"g001_868.9M_1000k.{sample_format.label}"
    path.write_bytes(values.astype(values.dtype.newbyteorder("<")).tobytes())
    with open_recording(path) as recording:
        assert recording.sample_format is sample_format
        assert (recording.sample_rate_hz, recording.center_hz) == (1e6, 868.9e6)
        assert recording.n_samples == 60
        assert recording.start_time is None
        assert recording.assumptions == [
            f"sample rate 1 MS/s, centre 868.9 MHz, format {sample_format.label} from the file name"
        ]
        raw = raw_samples(recording)
        assert recording.notes == []
    assert raw.dtype == sample_format.dtype
    np.testing.assert_array_equal(raw, values)


def test_a_file_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "t.cu8"
    path.write_bytes(bytes(range(101)))
    with open_recording(path, **OPTIONS) as recording:
        first, second = raw_samples(recording), raw_samples(recording, 3)
        assert first.tolist() == second.tolist() == list(range(100))
        assert recording.notes == ["it ends inside a sample: the last 1 byte(s) are left out"]


@pytest.mark.parametrize(("label", "n_odd"), [("cu8", 1), ("cs16", 3), ("cf32", 7)])
def test_a_file_that_ends_inside_a_sample(tmp_path: Path, label: str, n_odd: int) -> None:
    sample_format = SampleFormat.named(label)
    assert sample_format is not None
    path = tmp_path / f"868M_1M.{label}"
    path.write_bytes(bytes(10 * sample_format.bytes_per_sample + n_odd))
    with open_recording(path) as recording:
        assert recording.n_samples == 10
        assert recording.notes == []
        assert len(raw_samples(recording, 3)) == 20
        assert recording.notes == [f"it ends inside a sample: the last {n_odd} byte(s) are left out"]


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "868M_1M.cu8"
    path.write_bytes(b"")
    with open_recording(path) as recording:
        assert recording.n_samples == 0
        assert list(recording.chunks()) == []
        assert recording.notes == ["it holds no samples"]


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "868M_1M.cu8"
    path.write_bytes(bytes(2000))
    with open_recording(path) as recording:
        os.truncate(path, 500)
        assert sum(chunk.n_samples for chunk in recording.chunks()) == 250
        assert recording.notes == ["it ends 1500 bytes early"]


def test_floats_that_are_no_samples(tmp_path: Path) -> None:
    values = np.array([0.5, np.nan, np.inf, -np.inf, 1e30, 1.0, -0.5, 0.25], dtype="<f4")
    path = tmp_path / "868M_1M.cf32"
    path.write_bytes(values.tobytes())
    with open_recording(path) as recording:
        assert raw_samples(recording, 1).tolist() == [0.5, 0, 0, 0, 0, 1.0, -0.5, 0.25]
        assert recording.notes == ["3 samples are no numbers and were set to zero"]


@given(st.binary(max_size=200))
def test_random_floats_stay_finite_in_power(content: bytes) -> None:
    options = OPTIONS | {"sample_format": "cf32"}
    with open_recording("-", stdin=io.BytesIO(content), **options) as recording, np.errstate(all="raise"):
        for chunk in recording.chunks(5):
            power = chunk.raw.astype(np.float64) ** 2
            assert np.all(power <= 1e18)


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("x.cu8", {}, r"its sample rate \(pass --rate.*its centre frequency \(pass --center"),
        ("x_868.95M.cu8", {}, "nothing tells its sample rate"),
        ("x_1M6.cu8", {}, "nothing tells its centre frequency"),
        ("x_868.95M_1M6.iq", {}, r"its sample format \(pass --format cu8\|cs8\|cs16\|cf32\)"),
        ("x_868.95M_1M_2M.cu8", {}, "the file name holds several: 1M, 2M"),
        (
            "gqrx_20200101_120000_868950000_48000_fc.raw",
            {},
            "48 kS/s of the file name is outside 200 kS/s … 20 MS/s",
        ),
        ("x.wav", {}, "ends after 4 bytes, inside the WAV header"),
        ("x_868.95M_1M6.cu8", {"sample_format": "wav"}, "inside the WAV header"),
        ("x_868.95M_1M6.cu8", {"sample_format": "sigmf"}, "is missing"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, name: str, options: dict[str, Any], problem: str) -> None:
    (tmp_path / name).write_bytes(bytes(4))
    with pytest.raises(RecordingError, match=problem) as caught:
        open_recording(tmp_path / name, **options)
    assert caught.value.name.startswith(str(tmp_path))


@pytest.mark.parametrize(
    "options",
    [
        {"sample_rate_hz": 199_999},
        {"sample_rate_hz": 20_000_001},
        {"sample_rate_hz": float("nan")},
        {"center_hz": 868.95},
        {"center_hz": float("inf")},
        {"sample_format": "mp3"},
    ],
)
def test_impossible_options(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "x.cu8").write_bytes(bytes(4))
    with pytest.raises(UsageError):
        open_recording(tmp_path / "x.cu8", **(OPTIONS | options))


@pytest.mark.parametrize("rate_hz", [200e3, 20e6])
def test_the_limits_of_the_rate_are_allowed(tmp_path: Path, rate_hz: float) -> None:
    (tmp_path / "x.cu8").write_bytes(bytes(4))
    with open_recording(tmp_path / "x.cu8", **(OPTIONS | {"sample_rate_hz": rate_hz})) as recording:
        assert recording.sample_rate_hz == rate_hz


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone_868M_1M.cu8", "there is no such file"),
        ("", "is a folder"),
        ("a\0b.cu8", "cannot be opened"),
        ("x" * 300 + ".cu8", "cannot be opened"),
        ("x" * 300, "cannot be opened"),
    ],
)
def test_files_that_cannot_be_opened(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(RecordingError, match=problem):
        open_recording(tmp_path / name, **OPTIONS)


@given(
    content=st.binary(max_size=300),
    lengths=st.lists(st.integers(1, 20), max_size=100),
    sample_format=st.sampled_from(["cu8", "cs16"]),
    chunk_samples=st.integers(1, 90),
)
def test_a_pipe_gives_the_same_however_it_is_cut(
    content: bytes, lengths: list[int], sample_format: str, chunk_samples: int
) -> None:
    options = OPTIONS | {"sample_format": sample_format}
    with open_recording("-", stdin=io.BytesIO(content), **options) as recording:
        whole = raw_samples(recording, 1000)
        assert recording.n_samples is None
        notes = recording.notes
    with open_recording("-", stdin=ShortReads(content, lengths), **options) as recording:  # type: ignore[arg-type]
        np.testing.assert_array_equal(raw_samples(recording, chunk_samples), whole)
        assert recording.notes == notes
    assert whole.tobytes() == content[: whole.nbytes]


def test_a_pipe_can_be_read_once() -> None:
    with open_recording("-", stdin=io.BytesIO(bytes(20)), **OPTIONS) as recording:
        assert len(raw_samples(recording)) == 20
        with pytest.raises(RecordingError, match="a pipe can be read only once"):
            raw_samples(recording)


def test_an_empty_pipe_and_a_pipe_without_facts() -> None:
    with open_recording("-", stdin=io.BytesIO(b""), **OPTIONS) as recording:
        assert list(recording.chunks()) == []
        assert recording.notes == ["it holds no samples"]
    with pytest.raises(RecordingError, match="standard input: nothing tells its sample rate"):
        open_recording("-", stdin=io.BytesIO(bytes(20)))
    with pytest.raises(RecordingError, match="SigMF is two files"):
        open_recording("-", stdin=io.BytesIO(bytes(20)), sample_format="sigmf")


def test_standard_input_stays_open() -> None:
    stdin = io.BytesIO(bytes(20))
    with open_recording("-", stdin=stdin, **OPTIONS):
        pass
    with pytest.raises(RecordingError):
        open_recording("-", stdin=stdin)
    assert not stdin.closed


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "868M_1M.cu8"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(bytes(range(250)),))
    writer.start()
    with open_recording(path) as recording:
        assert recording.n_samples is None
        assert raw_samples(recording).tolist() == list(range(250))
    writer.join()


def test_a_pipe_that_does_not_wait() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    with (
        os.fdopen(write_end, "wb"),
        os.fdopen(read_end, "rb", buffering=0) as stdin,
        open_recording("-", stdin=stdin, **OPTIONS) as recording,
        pytest.raises(RecordingError, match="use a blocking pipe"),
    ):
        raw_samples(recording)


def test_a_read_error_is_a_recording_error() -> None:
    class Broken(io.RawIOBase):
        def readinto(self, target: memoryview) -> int:
            raise OSError(5, "Input/output error")

    with (
        open_recording("-", stdin=Broken(), **OPTIONS) as recording,
        pytest.raises(RecordingError, match=r"cannot be read: .*Input/output error"),
    ):
        raw_samples(recording)


def test_wav_without_a_suffix_is_seen(tmp_path: Path) -> None:
    header = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0" + (1_600_000).to_bytes(4, "little")
    header += (3_200_000).to_bytes(4, "little") + b"\x02\0\x08\0data\x08\0\0\0"
    content = header + bytes(range(8))
    (tmp_path / "take_868.95M").write_bytes(content)
    with open_recording(tmp_path / "take_868.95M") as recording:
        assert raw_samples(recording).tolist() == list(range(8))
        assert recording.assumptions == [
            "sample rate 1.6 MS/s, format cu8 from the WAV header",
            "centre 868.95 MHz from the file name",
        ]
    with open_recording("-", stdin=io.BytesIO(content), center_hz=868.95e6) as recording:
        assert raw_samples(recording).tolist() == list(range(8))
    (tmp_path / "take.wav").write_bytes(content)
    with open_recording(tmp_path / "take.wav", center_hz=868.95e6, sample_format="cs8") as recording:
        assert recording.sample_format is SampleFormat.CS8
        assert recording.n_samples == 4
    (tmp_path / "bare.wav").write_bytes(bytes(8))
    with open_recording(tmp_path / "bare.wav", **OPTIONS) as recording:
        assert recording.n_samples == 4


def test_a_chunk_holds_a_sample() -> None:
    with (
        open_recording("-", stdin=io.BytesIO(b""), **OPTIONS) as recording,
        pytest.raises(ValueError, match="at least one sample"),
    ):
        list(recording.chunks(0))


def test_the_real_capture_by_its_name_alone(tmp_path: Path) -> None:
    path = tmp_path / "rtlsdr_868.950M_1M6_samples2.cu8"
    path.write_bytes(bytes(64))
    with open_recording(path) as recording:
        assert (recording.sample_rate_hz, recording.center_hz) == (1.6e6, 868.95e6)
        assert recording.sample_format is SampleFormat.CU8
