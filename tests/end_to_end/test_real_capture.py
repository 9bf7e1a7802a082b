"""A capture off the air: 1.6 MS/s at 868.95 MHz with a cheap dongle, known to hold two T-mode bursts.

About 0.239 s: meter TCH 71200023, L-field 41. About 0.455 s: a weaker burst with L-field 102.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdr.cli import main

NAME = "rtlsdr_868.950M_1M6_samples2.cu8"

pytestmark = pytest.mark.recording


@pytest.fixture(scope="module")
def lines(shared_recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("capture") / "lines.jsonl"
    assert main(["replay", str(shared_recordings / NAME), "--rejects", "--output", f"jsonl:{out}"]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def _telegrams(lines: list[dict[str, Any]], meter: str) -> list[dict[str, Any]]:
    return [line for line in lines if "rejected" not in line and line["link"]["id"] == meter]


def test_the_meter_comes_out_once(lines: list[dict[str, Any]]) -> None:
    (telegram,) = _telegrams(lines, "71200023")
    assert telegram["link"]["manufacturer"] == "TCH"
    assert (telegram["mode"], telegram["direction"], telegram["frame_format"]) == ("T", "M2O", "A")
    assert telegram["frame_hex"].startswith("2944685023002071")  # L-field 41
    assert len(telegram["frame_hex"]) == 2 * 42
    radio = telegram["radio"]
    assert radio["first_sample"] / 1.6e6 == pytest.approx(0.239, abs=0.002)
    assert radio["frequency_error_hz"] == pytest.approx(-13_000, abs=2_000)
    assert radio["chip_rate_hz"] == pytest.approx(100e3, rel=0.005)
    assert radio["snr_db"] > 25


def test_the_weaker_burst_is_not_silently_lost(lines: list[dict[str, Any]]) -> None:
    near = [line for line in lines if abs(line["radio"]["first_sample"] / 1.6e6 - 0.455) < 0.003]
    assert len(near) == 1
    if "rejected" in near[0]:
        assert near[0]["rejected"]["reason"] == "crc_mismatch"
    else:
        assert near[0]["frame_hex"].startswith("6644")  # L-field 102
        assert len(near[0]["frame_hex"]) == 2 * 103


def test_what_is_rejected_says_why(lines: list[dict[str, Any]]) -> None:
    rejected = [line["rejected"] for line in lines if "rejected" in line]
    assert all(set(entry) <= {"layer", "reason", "block"} for entry in rejected)
    # nothing was accepted beyond the two
    assert len(lines) - len(rejected) <= 2
