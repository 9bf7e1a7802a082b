"""``omsdr transmit`` without a radio: what it takes, what it writes, how it refuses."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import GAS_FRAME, GAS_RAW_A, GAS_RAW_B, ROOT, frames_in

from dsp.modes import BY_NAME
from sdr.cli import main
from sdr.recording import open_recording
from sdr.sample_format import to_complex
from sdr.scene import parse as parse_scene
from sdr.send_plan import plan_scene
from sdr.transmit.safety.config import load_config
from sdr.transmit.safety.power import power_budget

GAS_HEX = GAS_FRAME.hex()
Capture = pytest.CaptureFixture[str]


def _lines(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("name", "options", "truth"),
    [
        ("x_868.75M_2400k.cu8", [], "x_868.75M_2400k.cu8.json"),
        ("x_868.75M_2400k.cs8", [], "x_868.75M_2400k.cs8.json"),
        ("x_868.75M_2400k.cs16", [], "x_868.75M_2400k.cs16.json"),
        ("x_868.75M_2400k.cf32", [], "x_868.75M_2400k.cf32.json"),
        ("x_868.75M.wav", [], "x_868.75M.wav.json"),
        ("x_868.75M.wav", ["--format", "cu8"], "x_868.75M.wav.json"),
        ("x.sigmf-meta", [], "x.sigmf-meta"),
        ("x.sigmf-data", ["--format", "cs8"], "x.sigmf-meta"),
        ("x", ["--format", "cf32"], "x.sigmf-meta"),
    ],
)
def test_every_kind_of_recording(
    name: str, options: list[str], truth: str, tmp_path: Path, capsys: Capture
) -> None:
    words = ["transmit", GAS_HEX, "--mode", "T", "--repeat", "2", "--interval", "0.02"]
    assert main([*words, "--file", str(tmp_path / name), *options]) == 0
    assert frames_in(tmp_path / name) == [GAS_HEX] * 2
    annotations = json.loads((tmp_path / truth).read_text(encoding="utf-8"))["annotations"]
    lines = _lines(capsys)
    assert [line["first_sample"] for line in lines] == [24_000, 72_000]
    assert [one["core:sample_start"] for one in annotations] == [24_000, 72_000]
    assert [one["omsdr:frame_hex"] for one in annotations] == [GAS_HEX] * 2
    assert annotations[0]["core:freq_lower_edge"] == 868.8e6
    assert annotations[0]["omsdr:rssi_dbfs"] == -1.0
    assert {line["sent_to"] for line in lines} == {"file"}


def test_same_options_give_the_same_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.cs16", "b.cs16")]
    for path in paths:
        assert main(["transmit", GAS_HEX, "--mode", "C", "--file", str(path)]) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_samples_are_where_the_truth_says(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "x.cf32"
    assert main(["transmit", GAS_HEX, "--mode", "T", "--level", "-6", "--file", str(path)]) == 0
    (line,) = _lines(capsys)
    rate_hz = line["sample_rate_hz"]
    with open_recording(path, sample_rate_hz=rate_hz, center_hz=line["center_hz"]) as recording:
        raw = np.concatenate([c.raw for s in recording.segments() for c in s.chunks()])
        samples = to_complex(raw, recording.sample_format)
    first = line["first_sample"]
    # 48 header chips, 55 bytes of 12 chips, postamble of 4, at 100 kcps; ramps of one chip around
    last = first + round((48 + 55 * 12 + 4) / 100e3 * rate_hz)
    np.testing.assert_allclose(np.abs(samples[first:last]), 10 ** (-6 / 20), atol=1e-5)
    ramp = round(rate_hz / 100e3)
    assert not samples[: first - ramp].any()
    assert not samples[last + ramp + 1 :].any()
    assert samples.size == pytest.approx(last + 0.01 * rate_hz, abs=1)


def test_hex_with_and_without_crcs_and_what_is_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    spaced = " ".join(f"{byte:02X}" for byte in GAS_RAW_A)
    _stdin(monkeypatch, f"{GAS_HEX}\n\n0x{GAS_RAW_B.hex()}\r\n{spaced}\n".encode())
    path = tmp_path / "x.sigmf-meta"
    words = ["transmit", "-", "--mode", "C", "--interval", "0.02", "--file", str(path)]
    assert main(words) == 0
    lines = _lines(capsys)
    assert [line["frame_format"] for line in lines] == ["A", "B", "A"]
    assert frames_in(path) == [GAS_HEX] * 3
    assert main([*words[:1], "--frames", str(tmp_path / "missing"), *words[2:]]) == 6


def test_json_lines_of_decode_and_for_encode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    key = "0102030405060708090A0B0C0D0E0F11"
    assert main(["decode", GAS_HEX, "--key", key, "--output", "jsonl"]) == 0
    line = json.loads(capsys.readouterr().out)
    described = {k: v for k, v in line.items() if k not in ("frame_hex", "raw_hex", "repaired", "radio")}
    described["application"].pop("plaintext_hex")
    received = {"schema": 1, "mode": "C", "direction": "M2O", "frame_format": "B", "frame_hex": GAS_HEX}
    frames = tmp_path / "frames.jsonl"
    texts = [json.dumps(described | {"mode": "T", "frame_format": "A"}), json.dumps(received)]
    frames.write_text("\n".join(texts), encoding="utf-8")
    path = tmp_path / "x.sigmf-meta"
    words = ["--frames", str(frames), "--key", key, "--interval", "0.02", "--file", str(path)]
    assert main(["transmit", *words]) == 0
    lines = _lines(capsys)
    assert [(line["mode"], line["frame_format"]) for line in lines] == [("T", "A"), ("C", "B")]
    assert frames_in(path) == [GAS_HEX] * 2


@pytest.mark.parametrize(
    ("options", "row", "center_mhz"),
    [
        (["--mode", "S"], "S2 M2O", 868.3),
        (["--mode", "S1 M2O"], "S1 M2O", 868.3),
        (["--mode", "T", "--direction", "O2M"], "T2 O2M", 868.3),
        (["--mode", "C", "--direction", "O2M", "--frame-format", "B"], "C2 O2M", 869.525),
        (["--mode", "T", "--band", "B"], "T M2O 433", 434.475),
        (["--mode", "R"], "R2", 868.33),
        (["--mode", "R", "--channel", "9"], "R2", 868.57),
        (["--mode", "N", "--sub-mode", "N2g"], "N2g", 169.4375),
        (["--mode", "F"], "F2", 433.82),
    ],
)
def test_way_of_a_frame(options: list[str], row: str, center_mhz: float, capsys: Capture) -> None:
    assert main(["transmit", GAS_HEX, *options]) == 0
    (line,) = _lines(capsys)
    assert (line["row"], line["carrier_hz"]) == (row, pytest.approx(1e6 * center_mhz))
    assert line["sent_to"] == "nowhere"
    # the radio's own carrier leak lies off the signal, inside the sub-band where one is known
    offset_hz = abs(line["center_hz"] - line["carrier_hz"])
    assert offset_hz > BY_NAME[row].deviation.typical_hz + BY_NAME[row].chip_rate_hz
    if (sub_band_hz := BY_NAME[row].sub_band_hz) is not None:
        assert sub_band_hz[0] < line["center_hz"] < sub_band_hz[1]


def test_direction_follows_from_the_c_field(capsys: Capture) -> None:
    request = "0b" + "5b" + GAS_HEX[4:20] + "7a00"
    request = f"{len(bytes.fromhex(request)) - 1:02x}" + request[2:]
    assert main(["transmit", request, "--mode", "C"]) == 0
    (line,) = _lines(capsys)
    assert (line["direction"], line["row"]) == ("O2M", "C2 O2M")


def test_scene_through_the_transmitter(tmp_path: Path, capsys: Capture) -> None:
    scene = tmp_path / "scene.toml"
    scene.write_text(
        'rate = "2.4M"\ncenter = "868.9M"\nduration = 0.3\nseed = 3\nnoise_dbfs = -40\n[[meter]]\n'
        'mode = "T"\n'
        "snr_db = { from = 40, to = 30, step = -5 }\nat = [0.05, 0.1, 0.15]\nrandom_payload = [10, 60]\n"
        'carrier_offset_hz = [-20000, 0, 20000]\n[[meter]]\nmode = "C"\ndirection = "O2M"\nat = [0.2]\n'
        "level_dbfs = -10\nrandom_payload = 20\nchip_rate_error_ppm = 90\npreamble_pairs = 40\n",
        encoding="utf-8",
    )
    path = tmp_path / "x.sigmf-meta"
    assert main(["transmit", "--scene", str(scene), "--file", str(path)]) == 0
    lines = _lines(capsys)
    # Ec/N0 40 dB: -40 dBFS in 2.4 MHz are -53.8 dBFS in 100 kHz
    assert [line["rssi_dbfs"] for line in lines] == pytest.approx([-13.802, -18.802, -23.802, -10], abs=1e-3)
    assert [line["frequency_error_hz"] for line in lines] == [-20e3, 0, 20e3, 0]
    assert lines[3]["chip_rate_hz"] == pytest.approx(50e3 * (1 + 90e-6))
    assert frames_in(path) == [line["frame_hex"] for line in lines]
    again = tmp_path / "y.sigmf-meta"
    assert main(["transmit", "--scene", str(scene), "--seed", "4", "--file", str(again)]) == 0
    assert [line["frame_hex"] for line in _lines(capsys)] != [line["frame_hex"] for line in lines]


def test_examples_of_the_documentation(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "transmit.md").read_text(encoding="utf-8")
    scene, section = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    sent = plan_scene(parse_scene(scene))
    assert [one.settings.level_dbfs for one in sent if one.mode == "T"] == list(range(-1, -62, -2))
    assert [one.impairments.deviation_hz for one in sent if one.mode == "C"][-1] == 31_250
    path = tmp_path / "omsdr.toml"
    path.write_text(section, encoding="utf-8")
    config = load_config(path)
    assert power_budget(config, "hackrf", 0.0, -1.0).erp_dbm == pytest.approx(-36.5)


def test_scene_that_needs_two_transmitters(tmp_path: Path, capsys: Capture) -> None:
    scene = tmp_path / "scene.toml"
    meter = '[[meter]]\nmode = "T"\nlevel_dbfs = -3\nat = [0.1]\nrandom_payload = 20\n'
    top = 'rate = "2.4M"\ncenter = "868.9M"\nduration = 0.3\nnoise_dbfs = "none"\n'
    scene.write_text(top + 2 * meter, encoding="utf-8")
    assert main(["transmit", "--scene", str(scene)]) == 2
    assert "omsdr simulate" in capsys.readouterr().err
    scene.write_text(top, encoding="utf-8")
    assert main(["transmit", "--scene", str(scene)]) == 2


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        ([], 2, "give one of frames"),
        ([GAS_HEX], 2, "--mode"),
        ([GAS_HEX, "--mode", "X"], 2, "no PHY mode"),
        ([GAS_HEX, "--mode", "T", "--frame-format", "B"], 2, "no frame format B"),
        ([GAS_HEX, "--mode", "T", "--level", "1"], 2, "--level"),
        ([GAS_HEX, "--mode", "T", "--level", "0", "--format", "cs16", "--file", "{}/x"], 2, "clips"),
        ([GAS_HEX, "--mode", "T", "--repeat", "0"], 2, "--repeat"),
        ([GAS_HEX, "--mode", "T", "--repeat", "2", "--interval", "0.001"], 2, "longer --interval"),
        ([GAS_HEX, "--mode", "T", "--interval", "nan"], 2, "--interval"),
        ([GAS_HEX, "--mode", "T", "--channel", "1"], 2, "channels 0 to 0"),
        ([GAS_HEX, "--mode", "T", "--sub-mode", "Na"], 2, "no sub-mode"),
        ([GAS_HEX, "--mode", "T", "--preamble-pairs", "-1"], 2, "--preamble-pairs"),
        ([GAS_HEX, "--mode", "T", "--rate", "100k"], 2, "does not hold"),
        ([GAS_HEX, "--mode", "T", "--center", "900M"], 2, "does not hold"),
        ([GAS_HEX, "--mode", "T", "--rate", "x"], 2, "--rate"),
        ([GAS_HEX, "--mode", "T", "--arm"], 2, "--arm needs a --device"),
        ([GAS_HEX, "--mode", "T", "--seed", "1"], 2, "--seed"),
        ([GAS_HEX, "--mode", "T", "--file", "x", "--device", "hackrf"], 2, "either"),
        ([GAS_HEX, "--mode", "T", "--device", "rtlsdr"], 2, "a transmitter is one of"),
        ([GAS_HEX, "--mode", "T", "--file", "{}/x.mp3"], 6, "none of"),
        ([GAS_HEX[:-2], "--mode", "T"], 6, "line 1"),
        ([GAS_HEX + "00", "--mode", "T"], 6, "left over"),
        (["xyz", "--mode", "T"], 6, "line 1: not_hex"),
        ([GAS_RAW_A[:-1].hex() + "00", "--mode", "T"], 6, "line 1"),
        (["6804046808017a00831 6".replace(" ", ""), "--mode", "T"], 6, "wired"),
        (["{}", "--mode", "T"], 6, "line 1"),
        (["{", "--mode", "T"], 6, "line 1"),
        (["0944ffff0102030405", "--mode", "T"], 6, "line 1"),
    ],
)
def test_mistakes_end_in_one_sentence(
    words: list[str], code: int, problem: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["transmit", *(word.replace("{}/", f"{tmp_path}/") for word in words)]) == code
    captured = capsys.readouterr()
    assert problem in captured.err
    assert not captured.out


def test_random_bytes_are_refused_or_sent(tmp_path: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        code = main(["transmit", rng.bytes(int(rng.integers(0, 40))).hex() or "00", "--mode", "T"])
        assert code in (0, 6)
    capsys.readouterr()


# to the air, as far as it goes without a radio

SECTION = """
[transmit]
country_plan = "CEPT"
band = "A"
max_erp_dbm = 5
cable_loss_db = 0.5
antenna_gain_dbi = 2.15
ledger = "{folder}/ledger.jsonl"
[transmit.hackrf]
output_dbm = -20
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "omsdr.toml"
    path.write_text(SECTION.format(folder=tmp_path), encoding="utf-8")
    return path


def test_not_armed_is_a_dry_run_that_sends_nothing(config: Path, capsys: Capture) -> None:
    assert main(["transmit", GAS_HEX, "--mode", "T", "--device", "hackrf", "--config", str(config)]) == 8
    captured = capsys.readouterr()
    (line,) = map(json.loads, captured.out.splitlines())
    assert (line["sent_to"], line["erp_dbm"], line["sample_rate_hz"]) == ("nowhere", -21.5, 8e6)
    assert "not armed" in captured.err
    assert "0.007 of 3.600 s in the hour" in captured.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--mode", "T", "--band", "B"], "band B, but the configuration permits A"),
        (["--mode", "T", "--gain", "40"], "above 5.0 dBm"),
        (["--mode", "T", "--repeat", "600"], "duty cycle of 0.1 %"),
        (["--mode", "T", "--preamble-pairs", "5000"], "too long"),
        (["--mode", "N"], "clock ±20 ppm"),
    ],
)
def test_refusals_with_numbers(words: list[str], problem: str, config: Path, capsys: Capture) -> None:
    options = ["--device", "hackrf", "--config", str(config), "--arm"]
    assert main(["transmit", GAS_HEX, *words, *options]) == 8
    captured = capsys.readouterr()
    assert problem in captured.err
    assert not captured.out


def test_clock_set_back_is_refused(config: Path, tmp_path: Path, capsys: Capture) -> None:
    seen = {"utc": 4e9, "boot_id": "", "boot_s": 0.0, "air_time_s": 0.007, "sub_band_hz": [868.7e6, 869.2e6]}
    (tmp_path / "ledger.jsonl").write_text(json.dumps(seen) + "\n", encoding="utf-8")
    words = ["transmit", GAS_HEX, "--mode", "T", "--device", "hackrf", "--config", str(config), "--arm"]
    assert main(words) == 8
    assert "set back" in capsys.readouterr().err


def test_no_configuration_no_transmission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["transmit", GAS_HEX, "--mode", "T", "--device", "hackrf", "--arm"]) == 8
    assert "no configuration" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--rate", "1M"], ["--gain", "48"], ["--gain", "1.5"]])
def test_what_a_hackrf_cannot_do(options: list[str], config: Path, capsys: Capture) -> None:
    words = ["transmit", GAS_HEX, "--mode", "T", "--device", "hackrf", "--config", str(config)]
    assert main([*words, *options]) == 2
    assert "HackRF" in capsys.readouterr().err
