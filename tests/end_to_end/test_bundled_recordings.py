"""The bundled recordings through ``omsdr replay``: all that was sent, to the byte, once, and nothing else."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from support import ROOT

from dsp.modes import MODES
from sdr.cli import main

FOLDER = ROOT / "recordings"
MANIFEST: list[dict[str, Any]] = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))[
    "recording"
]
# The slowest chip of a mode; first_sample may be two of them off.
CHIP_RATE_HZ = {row.mode: min(r.chip_rate_hz for r in MODES if r.mode == row.mode) for row in MODES}


@pytest.mark.parametrize("entry", MANIFEST, ids=[entry["file"] for entry in MANIFEST])
def test_every_expected_telegram_once(entry: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    modes = "R" if entry["expected"][0]["mode"] == "R" else "all"  # R is received only when named
    path = str(FOLDER / entry["file"])
    assert main(["replay", path, "--band", entry["band"], "--modes", modes, "--rejects"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    telegrams = sorted(
        (line for line in lines if "rejected" not in line), key=lambda line: line["radio"]["first_sample"]
    )
    keys = ("mode", "direction", "frame_format", "frame_hex")
    expected = sorted(entry["expected"], key=lambda sent: sent["first_sample"])
    assert [[line[key] for key in keys] for line in telegrams] == [
        [sent[key] for key in keys] for sent in expected
    ]
    for line, sent in zip(telegrams, expected, strict=True):
        apart_s = abs(line["radio"]["first_sample"] - sent["first_sample"]) / entry["sample_rate_hz"]
        assert apart_s * CHIP_RATE_HZ[sent["mode"]] <= 2
    assert [line["rejected"] for line in lines if "rejected" in line] == []
