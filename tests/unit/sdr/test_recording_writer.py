"""What is written is read again, within half a step of the sample format."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from sdr.errors import RecordingError
from sdr.recording import create_recording, open_recording
from sdr.sample_format import SampleFormat, to_complex

RATE_HZ = 2.4e6
CENTER_HZ = 868.9e6
START = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)

NAMES = [("t.cu8", None), ("t.cs8", None), ("t.cs16", None), ("t.cf32", SampleFormat.CF32)]
NAMES += [("t.wav", row) for row in SampleFormat if row is not SampleFormat.CS8]
NAMES += [("t.sigmf-meta", row) for row in SampleFormat] + [("t.sigmf-data", None), ("t", None)]


def iq_samples(n_samples: int = 1000) -> np.ndarray[tuple[int], np.dtype[np.complex64]]:
    parts = np.random.default_rng(7).uniform(-0.99, 0.99, 2 * n_samples)
    return parts.astype(np.float32).view(np.complex64)


@pytest.mark.parametrize(("name", "sample_format"), NAMES)
def test_round_trip(tmp_path: Path, name: str, sample_format: SampleFormat | None) -> None:
    iq = iq_samples()
    with create_recording(
        tmp_path / name,
        sample_rate_hz=RATE_HZ,
        center_hz=CENTER_HZ,
        sample_format=sample_format,
        start_time=START,
    ) as writer:
        for first in range(0, len(iq), 333):
            writer.write(iq[first : first + 333])
    assert (writer.n_samples, writer.n_clipped) == (1000, 0)
    is_raw = SampleFormat.named(Path(name).suffix[1:]) is not None
    with open_recording(
        tmp_path / name, sample_rate_hz=RATE_HZ if is_raw else None, center_hz=CENTER_HZ if is_raw else None
    ) as recording:
        assert (recording.sample_rate_hz, recording.center_hz) == (RATE_HZ, CENTER_HZ)
        assert recording.sample_format is writer.sample_format
        raw = np.concatenate([chunk.raw for chunk in recording.chunks(64)])
        assert recording.notes == []
        if name == "t.wav":
            assert (recording.start_time, recording.start_time_hint) == (None, START)
            assert "pass --start-time 2026-11-20T10:00:00.250000Z" in recording.assumptions[1]
        elif not is_raw:
            assert recording.start_time == START
    half_a_step = (
        0 if recording.sample_format is SampleFormat.CF32 else 0.5 / recording.sample_format.full_scale
    )
    error = (to_complex(raw, recording.sample_format) - iq).view(np.float32)
    assert np.max(np.abs(error)) <= half_a_step * 1.0001


@pytest.mark.parametrize("sample_format", SampleFormat)
def test_stored_values_are_written_as_they_are(tmp_path: Path, sample_format: SampleFormat) -> None:
    raw = np.arange(-100, 100).astype(sample_format.dtype)
    facts = {"sample_rate_hz": RATE_HZ, "center_hz": CENTER_HZ}
    with create_recording(tmp_path / "t", sample_format=sample_format, **facts) as writer:  # type: ignore[arg-type]
        writer.write_raw(raw)
        with pytest.raises(ValueError, match="pairs of"):
            writer.write_raw(raw[:3])
        with pytest.raises(ValueError, match="pairs of"):
            writer.write_raw(raw.astype(np.float64))
    with open_recording(tmp_path / "t") as recording:
        np.testing.assert_array_equal(np.concatenate([chunk.raw for chunk in recording.chunks()]), raw)


def test_limited_samples_are_counted(tmp_path: Path) -> None:
    with create_recording(tmp_path / "t.cu8", sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ) as writer:
        writer.write(np.array([0, 2, 0.5, 2j], dtype=np.complex64))
        writer.write(np.array([-3], dtype=np.complex64))
    assert writer.n_clipped == 3


def test_annotations_go_into_the_metadata(tmp_path: Path) -> None:
    with create_recording(
        tmp_path / "t.sigmf-meta", sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ, description="one meter"
    ) as writer:
        writer.write(iq_samples(10))
        writer.annotate(5, 2, {"omsdr:frame_hex": "2e44"})
        writer.annotate(1, 3, {"core:label": "T"})
    document = json.loads((tmp_path / "t.sigmf-meta").read_text())
    assert document["annotations"] == [
        {"core:sample_start": 1, "core:sample_count": 3, "core:label": "T"},
        {"core:sample_start": 5, "core:sample_count": 2, "omsdr:frame_hex": "2e44"},
    ]
    data = (tmp_path / "t.sigmf-data").read_bytes()
    assert document["global"]["core:sha512"] == hashlib.sha512(data).hexdigest()
    assert document["global"]["core:description"] == "one meter"
    with open_recording(tmp_path / "t.sigmf-meta") as recording:
        assert list(recording.annotations) == document["annotations"]


@pytest.mark.parametrize("name", ["t.cu8", "t.wav"])
def test_annotations_of_other_files_go_beside_them(tmp_path: Path, name: str) -> None:
    for annotated in (False, True):
        with create_recording(tmp_path / name, sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ) as writer:
            writer.write(iq_samples(10))
            if annotated:
                writer.annotate(1, 3, {"core:label": "T"})
        assert (tmp_path / f"{name}.json").exists() is annotated
    document = json.loads((tmp_path / f"{name}.json").read_text())
    assert document["global"]["core:sample_rate"] == 2_400_000
    assert document["annotations"][0]["core:label"] == "T"


def test_same_facts_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with create_recording(
            tmp_path / name, sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ, start_time=START
        ) as writer:
            writer.write(iq_samples(10))
    for suffix in (".sigmf-meta", ".sigmf-data"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_broken_off_recording_can_be_read(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        create_recording(tmp_path / "t.wav", sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ) as writer,
    ):
        writer.write(iq_samples(10))
        raise KeyboardInterrupt
    writer.close()
    with open_recording(tmp_path / "t.wav") as recording:
        assert recording.n_samples == 10
        assert recording.notes == []


def test_a_wav_file_that_was_never_closed_can_be_read(tmp_path: Path) -> None:
    with create_recording(tmp_path / "t.wav", sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ) as writer:
        writer.write(iq_samples(3000))
        with open_recording(tmp_path / "t.wav") as recording:
            assert recording.notes == ["the WAV header leaves the length open; read to the end of the file"]
            assert recording.n_samples is not None
            assert recording.n_samples > 1000


def test_start_times_are_utc(tmp_path: Path) -> None:
    east = START.astimezone(timezone(timedelta(hours=2)))
    for name, start_time in (("east", east), ("bare", START.replace(tzinfo=None))):
        with create_recording(
            tmp_path / name, sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ, start_time=start_time
        ):
            pass
        with open_recording(tmp_path / name) as recording:
            assert recording.start_time == START


@pytest.mark.parametrize(
    ("name", "sample_format", "rate_hz", "problem"),
    [
        ("t.mp3", None, RATE_HZ, r"\.mp3 is none of \.cu8, \.cs8"),
        ("t.sigmf", None, RATE_HZ, r"\.sigmf is none of"),
        ("t.cu8", SampleFormat.CS16, RATE_HZ, "its suffix says cu8, not cs16"),
        ("t.wav", SampleFormat.CS8, RATE_HZ, "WAV cannot hold cs8"),
        ("t.wav", None, 250_000.5, "whole numbers"),
        ("gone/t.cu8", None, RATE_HZ, "cannot be written: No such file"),
    ],
)
def test_refused(
    tmp_path: Path, name: str, sample_format: SampleFormat | None, rate_hz: float, problem: str
) -> None:
    with pytest.raises(RecordingError, match=problem):
        create_recording(
            tmp_path / name, sample_rate_hz=rate_hz, center_hz=CENTER_HZ, sample_format=sample_format
        )
    assert list(tmp_path.iterdir()) == []


def test_refused_annotations(tmp_path: Path) -> None:
    with create_recording(tmp_path / "t.cu8", sample_rate_hz=RATE_HZ, center_hz=CENTER_HZ) as writer:
        with pytest.raises(ValueError, match="has no namespace"):
            writer.annotate(0, 1, {"label": "T"})
        with pytest.raises(ValueError, match="from 0 on"):
            writer.annotate(-1, 1, {})


def test_a_recording_that_is_never_closed_can_be_opened(tmp_path: Path) -> None:
    writer = create_recording(tmp_path / "cut", sample_rate_hz=1e6, center_hz=868e6)
    writer.describe()
    writer.write(np.zeros(1000, np.complex64))
    writer._file.flush()  # as far as the system had it when the power went
    with open_recording(tmp_path / "cut.sigmf-meta") as recording:
        assert (recording.n_samples, recording.center_hz) == (1000, 868e6)
    writer.close()
    assert "core:sha512" in (tmp_path / "cut.sigmf-meta").read_text(encoding="utf-8")
