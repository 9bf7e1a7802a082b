"""The doctor opens a radio through its real driver and says what it delivers, or why nothing comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.live import STREET, environment
from fakes.radios import FakeDongle, fake_dongle
from support import run_omsdr


@pytest.fixture
def dongle(tmp_path: Path) -> FakeDongle:
    return fake_dongle(tmp_path / "libraries", tmp_path / "dongle", STREET)


def _findings(dongle: FakeDongle, folder: Path) -> dict[str, str]:
    env = environment(folder, dongle.environment)
    done = run_omsdr("doctor", "--skip-speed", "--device", "rtlsdr", "--json", environment=env)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["findings"]
    driver = next(finding["text"] for finding in found if finding["subject"] == "RTL-SDR driver")
    assert dongle.environment["LD_LIBRARY_PATH"] in driver  # the library that was really loaded
    return {finding["level"]: finding["text"] for finding in found if finding["subject"] == "rtlsdr"}


def test_a_radio_that_delivers(dongle: FakeDongle, tmp_path: Path) -> None:
    text = _findings(dongle, tmp_path)["ok"]
    assert "0 samples lost" in text and "dBFS" in text
    assert dongle.events[-1] == "close 0"


def test_a_radio_that_sends_nothing(dongle: FakeDongle, tmp_path: Path) -> None:
    dongle.control("freeze")
    assert "sends no samples" in _findings(dongle, tmp_path)["fault"]


def test_a_radio_that_is_in_use(dongle: FakeDongle, tmp_path: Path) -> None:
    dongle.control("busy")
    assert "fault" in _findings(dongle, tmp_path)
