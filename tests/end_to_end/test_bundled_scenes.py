"""The bundled recordings are what their scenes say, to the last byte."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from dsp.modes import MODES
from sdr import scene as scenes
from sdr.commands.simulate import record
from sdr.recording import open_recording
from sdr.sample_format import SampleFormat
from sdr.simulator import truth
from sdr.traffic import Coverage

FOLDER = Path(__file__).parents[2] / "recordings"
MANIFEST: list[dict[str, Any]] = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))[
    "recording"
]

every_recording = pytest.mark.parametrize("entry", MANIFEST, ids=[entry["file"] for entry in MANIFEST])


def _scene(entry: dict[str, Any]) -> scenes.Scene:
    return scenes.load(FOLDER / entry["scene"])


def _files(name: str, folder: Path) -> Iterator[Path]:
    yield folder / name
    if name.endswith(".sigmf-meta"):
        yield (folder / name).with_suffix(".sigmf-data")


@every_recording
def test_rendering_gives_the_committed_bytes(entry: dict[str, Any], tmp_path: Path) -> None:
    _, n_clipped = record(_scene(entry), tmp_path / entry["file"], SampleFormat.named(entry["format"]))
    assert n_clipped == 0
    for made, committed in zip(_files(entry["file"], tmp_path), _files(entry["file"], FOLDER), strict=True):
        assert made.read_bytes() == committed.read_bytes()


@every_recording
def test_manifest_says_what_the_scene_sends(entry: dict[str, Any]) -> None:
    scene = _scene(entry)
    sent = truth(scene)
    assert entry["expected"] == [
        {
            "mode": one.mode,
            "direction": one.direction,
            "frame_format": one.frame_format,
            "first_sample": one.first_sample(scene.sample_rate_hz),
            "frame_hex": one.frame.hex(),
        }
        for one in sent
    ]
    assert {band for one in sent for band in one.row.bands} >= {entry["band"]}


@every_recording
def test_every_burst_can_be_heard(entry: dict[str, Any]) -> None:
    scene = _scene(entry)
    sent = truth(scene)
    for one in sent:
        assert one.coverage(scene.sample_rate_hz, scene.center_hz) is Coverage.INSIDE
        assert one.is_whole(scene.duration_s)
        assert 15 <= one.snr_db <= 30
        assert abs(one.impairments.carrier_offset_hz) <= 1e-6 * one.row.carrier_tolerance_ppm * one.center_hz
        assert abs(one.impairments.chip_rate_error) <= one.row.tx_chip_rate_tolerance
        assert one.row.deviation.min_hz <= one.deviation_hz <= one.row.deviation.max_hz
    for a, b in combinations(sent, 2):
        if a.center_hz == b.center_hz:
            assert a.start_s + a.whole_duration_s < b.start_s


@every_recording
def test_the_recording_tells_its_own_rate_and_centre(entry: dict[str, Any]) -> None:
    with open_recording(FOLDER / entry["file"]) as recording:
        assert recording.sample_rate_hz == entry["sample_rate_hz"]
        assert recording.sample_format.label == entry["format"]
        segments = list(recording.segments())
        assert [segment.center_hz for segment in segments] == [entry["center_hz"]]
        assert segments[0].n_samples == round(entry["duration_s"] * entry["sample_rate_hz"])


def test_every_air_interface_is_there() -> None:
    sent = [one for entry in MANIFEST for one in truth(_scene(entry))]
    unheard = {row.name for row in MODES} - {one.row.name for one in sent}
    assert unheard == {"S2 O2M 433"}  # on air the same as T2 O2M 433, which is there
    for letter in "CNF":
        assert {one.frame_format for one in sent if one.mode == letter} == {"A", "B"}


def test_small_enough_and_nothing_unlisted() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 4_000_000
    listed = {path.name for entry in MANIFEST for path in _files(entry["file"], FOLDER)}
    assert {path.name for path in files} == listed | {"README.md", "manifest.toml", "make.py"}
    assert {path.name for path in (FOLDER / "scenes").iterdir()} == {
        Path(entry["scene"]).name for entry in MANIFEST
    }
