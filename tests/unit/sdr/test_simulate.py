"""``omsdr simulate``: kinds of recordings, the truth beside them, options and errors."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdr.commands import simulate
from sdr.errors import ConfigError, RecordingError, UsageError
from sdr.recording import open_recording
from sdr.sample_format import to_complex
from sdr.scene import load
from sdr.simulator import render

SCENE = """
rate = "1.6M"
center = "868.5M"
duration = 0.06
seed = 1
noise_dbfs = -40
start_time = 2026-11-20T10:00:00Z
description = "a test"
[[meter]]
mode = "T"
snr_db = 20
at = [0.01, 0.058]
random_payload = 20
carrier_offset_hz = -12_000
chip_rate_error_ppm = 1000
[[meter]]
mode = "T"
direction = "O2M"
snr_db = 15
at = [0.02]
random_payload = 20
[[meter]]
mode = "C"
direction = "O2M"
frame_format = "B"
snr_db = 15
at = [0.021]
random_payload = 20
"""


@pytest.fixture
def scene_path(tmp_path: Path) -> Path:
    path = tmp_path / "scene.toml"
    path.write_text(SCENE, encoding="utf-8")
    return path


def _run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser(prog="omsdr simulate")
    simulate.configure(parser)
    return simulate.run(parser.parse_args([str(word) for word in words]))


def _samples(path: Path) -> np.ndarray:
    with open_recording(path) as recording:
        parts = [chunk.raw for segment in recording.segments() for chunk in segment.chunks()]
        return to_complex(np.concatenate(parts), recording.sample_format)


def _annotations(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    names = {extension["name"] for extension in document["global"]["core:extensions"]}
    assert names == {"omsdr"}
    found: list[dict[str, Any]] = document["annotations"]
    return found


@pytest.mark.parametrize(
    ("out", "options", "truth_name", "tolerance"),
    [
        ("x_868.5M_1600k.cu8", [], "x_868.5M_1600k.cu8.json", 1 / 127),
        ("x_868.5M_1600k.cs8", [], "x_868.5M_1600k.cs8.json", 1 / 128),
        ("x_868.5M_1600k.cs16", [], "x_868.5M_1600k.cs16.json", 1 / 32768),
        ("x_868.5M_1600k.cf32", [], "x_868.5M_1600k.cf32.json", 0),
        ("x_868.5M.wav", ["--format", "cf32"], "x_868.5M.wav.json", 0),
        ("x.sigmf-meta", [], "x.sigmf-meta", 1 / 32768),
        ("x.sigmf-data", ["--format", "cu8"], "x.sigmf-meta", 1 / 127),
        ("x", ["--format", "cf32"], "x.sigmf-meta", 0),
    ],
)
def test_every_kind_of_recording(
    scene_path: Path, tmp_path: Path, out: str, options: list[str], truth_name: str, tolerance: float
) -> None:
    assert _run(scene_path, tmp_path / out, *options) == 0
    expected = np.concatenate(list(render(load(scene_path))))
    np.testing.assert_allclose(_samples(tmp_path / out), expected, atol=tolerance)
    assert len(_annotations(tmp_path / truth_name)) == 4


def test_truth_of_each_transmission(scene_path: Path, tmp_path: Path) -> None:
    _run(scene_path, tmp_path / "x.cu8")
    first, down, outside, cut = _annotations(tmp_path / "x.cu8.json")
    assert (first["omsdr:mode"], first["omsdr:direction"], first["omsdr:row"]) == ("T", "M2O", "T M2O")
    assert first["core:sample_start"] == pytest.approx(16_000, abs=20)
    # 48 header chips, 30 + 3 · 2 bytes of 12 chips, 4 of the postamble, at 100.1 kcps
    assert first["core:sample_count"] == pytest.approx((48 + 36 * 12 + 4) / 100.1e3 * 1.6e6, abs=1)
    assert first["omsdr:duration_ms"] == pytest.approx((48 + 36 * 12) / 100.1, abs=1e-5)
    assert first["omsdr:start_s"] == pytest.approx(0.01, abs=1e-5)
    assert (first["core:freq_lower_edge"], first["core:freq_upper_edge"]) == (868.788e6, 869.088e6)
    assert (first["omsdr:carrier_hz"], first["omsdr:frequency_error_hz"]) == (868.938e6, -12e3)
    assert (first["omsdr:chip_rate_hz"], first["omsdr:deviation_hz"]) == (100.1e3, 50e3)
    # -40 dBFS over 1.6 MHz is -52.04 dBFS in a bandwidth equal to the chip rate
    assert (first["omsdr:noise_dbfs"], first["omsdr:snr_db"]) == (pytest.approx(-52.041), 20)
    assert first["omsdr:rssi_dbfs"] == pytest.approx(-32.041)
    assert (first["omsdr:coverage"], first["omsdr:whole"]) == ("inside", True)
    assert bytes.fromhex(first["omsdr:frame_hex"])[0] == 29
    assert (down["omsdr:mode"], down["omsdr:row"]) == ("S", "T2 O2M")
    assert (outside["omsdr:coverage"], outside["omsdr:frame_format"]) == ("outside", "B")
    assert (cut["omsdr:whole"], cut["core:sample_start"] + cut["core:sample_count"]) == (False, 96_000)


def test_summary_on_stderr(scene_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(scene_path, tmp_path / "x.cu8")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "0.06 s, 1.6 MS/s at 868.5 MHz: 3 transmissions, 1 outside the span, "
        "1 cut by the start or end, 0 samples clipped\n"
    )
    scene_path.write_text(SCENE.replace("seed", "gain_db = 100\nseed"), encoding="utf-8")
    _run(scene_path, tmp_path / "x.cu8")
    n_clipped = int(capsys.readouterr().err.split()[-3])
    assert 95_900 <= n_clipped <= 96_000
    _run(scene_path, tmp_path / "x.cf32")  # floats hold what integers cannot
    assert ", 0 samples clipped" in capsys.readouterr().err


def test_options_overrule_the_scene(scene_path: Path, tmp_path: Path) -> None:
    def made(*options: str) -> bytes:
        _run(scene_path, tmp_path / "x.cs16", *options)
        return (tmp_path / "x.cs16").read_bytes()

    plain = made()
    assert len(plain) == 4 * 96_000
    assert made() == plain
    assert made("--seed", "1") == plain
    assert made("--seed", "2") != plain
    assert made("--duration", "0.02") == plain[: 4 * 32_000]
    assert len(made("--rate", "200k")) == 4 * 12_000
    assert len(made("--rate", "2M4")) == 4 * 144_000
    made("--center", "869.5M")
    coverage = [entry["omsdr:coverage"] for entry in _annotations(tmp_path / "x.cs16.json")]
    assert coverage == ["inside", "outside", "inside", "inside"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--rate", "fast"], "--rate: 'fast' is not"),
        (["--rate", "0"], "--rate must be above 0"),
        (["--center", "0"], "--center must be above 0"),
        (["--seed", "-1"], "--seed must not be negative"),
        (["--duration", "0"], "--duration must be above 0"),
        (["--duration", "nan"], "--duration must be above 0"),
    ],
)
def test_impossible_options(scene_path: Path, tmp_path: Path, options: list[str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        _run(scene_path, tmp_path / "x.cu8", *options)
    assert not (tmp_path / "x.cu8").exists()


def test_errors_leave_with_the_exit_codes_of_the_contract(scene_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as config:
        _run(tmp_path / "none.toml", tmp_path / "x.cu8")
    with pytest.raises(RecordingError) as recording:
        _run(scene_path, tmp_path / "none" / "x.cu8")
    with pytest.raises(RecordingError, match=r"\.mp3 is none of"):
        _run(scene_path, tmp_path / "x.mp3")
    with pytest.raises(RecordingError, match="its suffix says cu8"):
        _run(scene_path, tmp_path / "x.cu8", "--format", "cs8")
    assert (config.value.exit_code, recording.value.exit_code) == (3, 6)


def test_help_opens_with_whole_example_lines() -> None:
    parser = argparse.ArgumentParser(prog="omsdr simulate")
    simulate.configure(parser)
    lines = parser.format_help().splitlines()
    assert lines[0].endswith("omsdr simulate street.toml street_868.9M_2400k.cu8")
    for line in lines[:3]:
        words = line.removeprefix("usage:").split()
        assert words[:2] == ["omsdr", "simulate"]
        assert parser.parse_args(words[2:]).scene.endswith(".toml")
