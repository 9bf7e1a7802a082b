"""SigMF metadata by hand: what is read, what is refused, where segments begin."""

import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdr.errors import RecordingError
from sdr.recording import Recording, open_recording
from sdr.recording.sigmf import Capture, parse_metadata, write_metadata
from sdr.recording.spans import find_spans
from sdr.sample_format import SampleFormat

RATE_HZ = 1_000_000
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
FREQUENCY = {"core:frequency": 868_950_000}


def metadata(*captures: dict[str, Any], **facts: object) -> bytes:
    global_object = {"core:datatype": "cu8", "core:version": "1.2.0", "core:sample_rate": RATE_HZ} | {
        f"core:{key}": value for key, value in facts.items()
    }
    entries = list(captures) or [{"core:sample_start": 0, **FREQUENCY}]
    return json.dumps({"global": global_object, "captures": entries, "annotations": []}).encode()


def make(folder: Path, meta: bytes, data: bytes = bytes(range(200))) -> Path:
    (folder / "t.sigmf-meta").write_bytes(meta)
    (folder / "t.sigmf-data").write_bytes(data)
    return folder / "t.sigmf-meta"


def samples(recording: Recording) -> np.ndarray[Any, Any]:
    return np.concatenate([chunk.raw for chunk in recording.chunks(7)])


@pytest.mark.parametrize(
    ("datatype", "stored", "sample_format"),
    [
        ("cu8", "u1", SampleFormat.CU8),
        ("ci8", "i1", SampleFormat.CS8),
        ("ci16_le", "<i2", SampleFormat.CS16),
        ("ci16_be", ">i2", SampleFormat.CS16),
        ("cf32_le", "<f4", SampleFormat.CF32),
        ("cf32_be", ">f4", SampleFormat.CF32),
        ("cf32", "<f4", SampleFormat.CF32),
    ],
)
def test_datatypes(tmp_path: Path, datatype: str, stored: str, sample_format: SampleFormat) -> None:
    values = np.arange(100).astype(stored)
    path = make(tmp_path, metadata(datatype=datatype), values.tobytes())
    with open_recording(path) as recording:
        assert recording.sample_format is sample_format
        assert recording.n_samples == 50
        raw = samples(recording)
    assert raw.dtype == sample_format.dtype
    assert raw.dtype.isnative
    np.testing.assert_array_equal(raw, values)


@pytest.mark.parametrize("name", ["t.sigmf-meta", "t.sigmf-data", "t"])
def test_each_name_of_a_pair(tmp_path: Path, name: str) -> None:
    make(tmp_path, metadata())
    with open_recording(tmp_path / name) as recording:
        assert recording.sample_rate_hz == RATE_HZ
        assert recording.n_samples == 100
        assert recording.assumptions == [
            "sample rate 1 MS/s, centre 868.95 MHz, format cu8 from the SigMF metadata"
        ]


def test_start_time_and_annotations(tmp_path: Path) -> None:
    document = json.loads(
        metadata({"core:sample_start": 0, "core:datetime": "2026-11-20T10:00:00Z", **FREQUENCY})
    )
    document["annotations"] = [{"core:sample_start": 3, "core:sample_count": 4, "x:y": [1]}, "odd"]
    with open_recording(make(tmp_path, json.dumps(document).encode())) as recording:
        assert recording.start_time == START
        assert recording.annotations == ({"core:sample_start": 3, "core:sample_count": 4, "x:y": [1]},)
        assert recording.notes == ["annotations that are no JSON objects are left out"]


def test_options_go_first(tmp_path: Path) -> None:
    path = make(
        tmp_path, metadata({"core:sample_start": 0, "core:datetime": "2026-11-20T10:00:00Z", **FREQUENCY})
    )
    with open_recording(
        path,
        sample_rate_hz=2e6,
        center_hz=434e6,
        sample_format="cs8",
        start_time=datetime(2020, 1, 1),  # noqa: DTZ001
    ) as recording:
        assert recording.sample_rate_hz == 2e6
        assert recording.center_hz == 434e6
        assert recording.sample_format is SampleFormat.CS8
        assert recording.start_time == datetime(2020, 1, 1, tzinfo=UTC)
        assert recording.assumptions == []


def test_the_file_name_comes_last(tmp_path: Path) -> None:
    document = json.loads(metadata({"core:sample_start": 0, "core:frequency": 0}))
    del document["global"]["core:sample_rate"]
    (tmp_path / "g_434M_2M.sigmf-meta").write_text(json.dumps(document))
    (tmp_path / "g_434M_2M.sigmf-data").write_bytes(bytes(10))
    with open_recording(tmp_path / "g_434M_2M") as recording:
        assert (recording.sample_rate_hz, recording.center_hz) == (2e6, 434e6)


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        (b"", "is not SigMF metadata"),
        (b"\xff\xfe", "is not SigMF metadata"),
        (b"[" * 100_000, "is not SigMF metadata"),
        (b"[]", "the metadata is missing or no JSON object"),
        (b"{}", "global is missing"),
        (metadata(datatype=None), "None is no SigMF sample format"),
        (metadata(datatype="c16"), "'c16' is no SigMF sample format"),
        (metadata(datatype="rf32_le"), "real samples"),
        (metadata(datatype="ci32_le"), "cu8, ci8, ci16, cf32 are read"),
        (metadata(datatype=7), "core:datatype in global is not a text"),
        (metadata(num_channels=2), "several interleaved channels"),
        (metadata(metadata_only=True), "metadata only"),
        (metadata(sample_rate="1M"), "core:sample_rate in global is not a number"),
        (metadata(sample_rate=10**400), "core:sample_rate in global is not a number"),
        (metadata(sample_rate=float("nan")), "core:sample_rate in global is not a number"),
        (metadata(sample_rate=True), "core:sample_rate in global is not a number"),
        (metadata(sample_rate=48_000), "sample rate 48 kS/s of the SigMF metadata is outside 200 kS/s"),
        (metadata({"core:frequency": -5}), "centre -5 Hz of the SigMF metadata is outside"),
        (metadata({"core:sample_start": -1, **FREQUENCY}), "core:sample_start in capture 0 is not a whole"),
        (metadata({"core:sample_start": 0.5, **FREQUENCY}), "core:sample_start in capture 0"),
        (metadata({"core:sample_start": 9, **FREQUENCY}, {"core:sample_start": 8}), "not in the order"),
        (metadata({"core:sample_start": 3, **FREQUENCY}, offset=4), "starts before core:offset"),
        (metadata(dataset="../t.bin"), "is not the name of a file beside it"),
        (metadata(dataset="gone.bin"), "its samples gone.bin are missing"),
        (metadata(dataset="a\0b"), "are missing"),
        (b'{"global": {"core:datatype": "cu8"}, "captures": {}}', "captures in the metadata is not a list"),
        (b'{"global": {"core:datatype": "cu8"}, "captures": [1]}', "capture 0 is missing or no JSON object"),
    ],
)  # fmt: skip
def test_refused_metadata(tmp_path: Path, meta: bytes, problem: str) -> None:
    with pytest.raises(RecordingError, match=problem):
        open_recording(make(tmp_path, meta))


def test_missing_halves(tmp_path: Path) -> None:
    (tmp_path / "a.sigmf-meta").write_bytes(metadata())
    (tmp_path / "b.sigmf-data").write_bytes(bytes(20))
    with pytest.raises(RecordingError, match=r"its samples a.sigmf-data are missing"):
        open_recording(tmp_path / "a.sigmf-meta")
    with pytest.raises(RecordingError, match=r"its metadata b.sigmf-meta is missing; pass --format"):
        open_recording(tmp_path / "b.sigmf-data")
    with pytest.raises(RecordingError, match=r"c.sigmf-meta is missing$"):
        open_recording(tmp_path / "c.sigmf-meta")
    with open_recording(
        tmp_path / "b.sigmf-data", sample_format="cu8", sample_rate_hz=1e6, center_hz=868e6
    ) as recording:
        assert recording.n_samples == 10


def test_a_time_that_is_none_is_noted(tmp_path: Path) -> None:
    path = make(tmp_path, metadata({"core:sample_start": 0, "core:datetime": "noon", **FREQUENCY}))
    with open_recording(path) as recording:
        assert recording.start_time is None
        assert "core:datetime 'noon' is no time" in recording.notes[0]


def test_foreign_data_file_with_header_and_trailer(tmp_path: Path) -> None:
    meta = metadata(
        {"core:sample_start": 0, "core:header_bytes": 5, **FREQUENCY}, dataset="t.bin", trailing_bytes=3
    )
    (tmp_path / "t.bin").write_bytes(b"HEAD!" + bytes(range(20)) + b"END")
    with open_recording(make(tmp_path, meta)) as recording:
        assert samples(recording).tolist() == list(range(20))
        assert recording.notes == []


def capture(first_sample: int, **facts: object) -> dict[str, Any]:
    return {"core:sample_start": first_sample} | {f"core:{key}": value for key, value in facts.items()}


def test_a_change_of_centre_begins_a_segment(tmp_path: Path) -> None:
    meta = metadata(
        capture(0, frequency=868_300_000, datetime="2026-11-20T10:00:00Z"),
        capture(40, frequency=868_950_000),
        capture(60),
        capture(70, frequency=868_950_000),
    )
    with open_recording(make(tmp_path, meta)) as recording:
        first, second = recording.segments()
        assert (first.first_sample, first.n_samples, first.center_hz, first.reason) == (0, 40, 868.3e6, "")
        assert (second.first_sample, second.n_samples, second.center_hz) == (40, 60, 868.95e6)
        assert second.start_time == START + timedelta(microseconds=40)
        assert recording.notes == ["the receiver starts anew at sample 40: the centre changes to 868.95 MHz"]
        assert [chunk.first_sample for chunk in second.chunks(50)] == [40, 90]
        assert [chunk.first_sample for chunk in first.chunks(25)] == [0, 25]
        assert samples(recording).tolist() == list(range(200))


def test_missing_samples_begin_a_segment(tmp_path: Path) -> None:
    meta = metadata(
        capture(0, frequency=868e6, global_index=1000),
        capture(10, global_index=1010),
        capture(30, global_index=5030),
    )
    with open_recording(make(tmp_path, meta), start_time=START) as recording:
        first, second = recording.segments()
        assert (first.n_samples, second.first_sample, second.center_hz) == (30, 30, 868e6)
        assert second.reason == "4000 samples are missing"
        assert second.start_time == START + timedelta(microseconds=4030)


def test_the_option_moves_all_times_and_centres(tmp_path: Path) -> None:
    meta = metadata(
        capture(0, frequency=868_300_000, datetime="2026-11-20T10:00:00Z"),
        capture(40, frequency=868_950_000, datetime="2026-11-20T10:00:07Z"),
    )
    other_day = datetime(2020, 1, 1, tzinfo=UTC)
    with open_recording(make(tmp_path, meta), start_time=other_day, center_hz=869e6) as recording:
        assert [segment.start_time for segment in recording.segments()] == [
            other_day,
            other_day + timedelta(seconds=7),
        ]
        assert {segment.center_hz for segment in recording.segments()} == {869e6}


def spans(
    *captures: Capture, data_bytes: int | None = 200
) -> tuple[list[tuple[int, int | None, str]], list[str]]:
    found, notes = find_spans(
        captures, data_start=0, data_bytes=data_bytes, bytes_per_sample=2, sample_rate_hz=RATE_HZ
    )
    return [(span.first_byte, span.n_bytes, span.reason) for span in found], notes


def test_spans() -> None:
    later = START + timedelta(seconds=2)
    assert spans(Capture(0)) == ([(0, 200, "")], [])
    assert spans(Capture(0), data_bytes=None) == ([(0, None, "")], [])
    assert spans(Capture(0), data_bytes=0) == ([(0, 0, "")], [])
    assert spans(Capture(0), Capture(50, start_time=later)) == ([(0, 200, "")], [])
    stepped = spans(Capture(0, start_time=START), Capture(50, start_time=later))
    assert stepped == ([(0, 100, ""), (100, 100, "its clock steps by 2.000 s")], [])
    foreign = spans(Capture(0), Capture(50, header_bytes=4))
    assert foreign == ([(0, 100, ""), (104, 96, "foreign bytes lie between the samples")], [])
    assert spans(Capture(0, 868e6), Capture(100, 869e6)) == (
        [(0, 200, "")],
        ["captures from sample 100 on lie behind the last sample"],
    )
    assert spans(Capture(0, 868e6), Capture(0, 869e6)) == ([(0, 200, "")], [])
    assert spans(Capture(10)) == (
        [(20, 180, "")],
        ["the first 10 samples belong to no capture and are left out"],
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 120), st.sampled_from([None, 868e6, 869e6]), st.integers(0, 9)), min_size=1
    ),
    st.integers(0, 250),
)
def test_spans_lie_inside_the_data_in_order(
    entries: list[tuple[int, float | None, int]], data_bytes: int
) -> None:
    captures = [
        Capture(first, center, header_bytes=header)
        for first, center, header in sorted(entries, key=lambda e: e[0])
    ]
    found, _ = spans(*captures, data_bytes=data_bytes)
    assert found
    end = 0
    for first_byte, n_bytes, _ in found:
        assert n_bytes is not None
        if n_bytes:
            assert first_byte >= end
            end = first_byte + n_bytes
    assert end <= data_bytes


def archive(folder: Path, *names: str) -> Path:
    path = folder / "t.sigmf"
    with tarfile.open(path, "w") as tar:
        for name in names:
            tar.add(folder / name, f"t/{name}")
    return path


def test_archive(tmp_path: Path) -> None:
    make(tmp_path, metadata())
    with open_recording(archive(tmp_path, "t.sigmf-meta", "t.sigmf-data")) as recording:
        assert recording.n_samples == 100
        assert samples(recording).tolist() == list(range(200))


def test_refused_archives(tmp_path: Path) -> None:
    make(tmp_path, metadata())
    (tmp_path / "u.sigmf-meta").write_bytes(metadata())
    with pytest.raises(RecordingError, match=r"has no samples t/t.sigmf-data"):
        open_recording(archive(tmp_path, "t.sigmf-meta"))
    with pytest.raises(RecordingError, match="holds 2 recordings"):
        open_recording(archive(tmp_path, "t.sigmf-meta", "t.sigmf-data", "u.sigmf-meta"))
    path = archive(tmp_path, "t.sigmf-meta", "t.sigmf-data")
    path.write_bytes(path.read_bytes()[:1800])
    with pytest.raises(RecordingError, match="is not a SigMF archive"):
        open_recording(path)
    path.write_bytes(b"")
    with pytest.raises(RecordingError, match="is not a SigMF archive"):
        open_recording(path)


KEYS = [
    *("datatype", "sample_rate", "offset", "num_channels", "dataset", "trailing_bytes"),
    *("sample_start", "frequency", "datetime", "global_index", "header_bytes"),
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["cu8", "cf32_be", "2026-11-20"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([f"core:{key}" for key in KEYS]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_random_bytes_give_a_recording_error(text: bytes) -> None:
    with pytest.raises(RecordingError):
        parse_metadata(text, "t.sigmf-meta")


@given(json_values, json_values, json_values, st.booleans())
def test_random_json_gives_metadata_or_a_recording_error(
    global_object: object, captures: object, annotations: object, is_told: bool
) -> None:
    if is_told and isinstance(global_object, dict):
        global_object["core:datatype"] = "cu8"
    document = {"global": global_object, "captures": captures, "annotations": annotations}
    try:
        parsed = parse_metadata(json.dumps(document).encode(), "t.sigmf-meta")
    except RecordingError:
        return
    assert parsed.captures


@given(st.binary(max_size=2000), st.binary(max_size=40))
def test_random_archives_give_a_recording_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, patch: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.sigmf"
    member = tarfile.TarInfo("a.sigmf-meta")
    member.size = 5
    header = bytearray(member.tobuf())
    header[100 : 100 + len(patch)] = patch
    for whole in (content, bytes(header) + content):
        path.write_bytes(whole)
        with pytest.raises(RecordingError):
            open_recording(path)


def test_what_is_written_is_read() -> None:
    text = write_metadata(
        datatype="ci16_le",
        sample_rate_hz=2.4e6,
        center_hz=868_949_999.5,
        start_time=START,
        annotations=[
            {"core:sample_start": 9, "omsdr:mode": "T"},
            {"core:sample_start": 2, "core:label": "α"},
        ],
        description="one street",
    )
    document = json.loads(text)
    assert document["global"]["core:extensions"] == [{"name": "omsdr", "version": "1.0.0", "optional": True}]
    parsed = parse_metadata(text.encode(), "t")
    assert parsed.sample_format is SampleFormat.CS16
    assert parsed.sample_rate_hz == 2.4e6
    assert parsed.captures == (Capture(0, 868_949_999.5, START),)
    assert [entry["core:sample_start"] for entry in parsed.annotations] == [2, 9]
