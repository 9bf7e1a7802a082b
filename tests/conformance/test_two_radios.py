"""A frame leaves a HackRF at 8 MS/s and arrives in an RTL-SDR at 2.4 MS/s, 20 ppm between their clocks.

HackRF: the unmodified hackrf_transfer over the fake library, run by omsdr transmit itself. RTL-SDR: what
it would deliver of that, as 8-bit samples with its noise and its spike at 0 Hz.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes.air import hear
from fakes.transmitters import build
from support import GAS_FRAME, frames_in, run_omsdr

from sdr.recording import create_recording

# One dongle hears S, T, C uplink and C downlink at once around here.
RTL_CENTER_HZ, RTL_RATE_HZ = 868.9e6, 2.4e6


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("libraries")


@pytest.mark.parametrize("clock_ppm", [-20.0, 20.0])
@pytest.mark.parametrize(
    "way",
    [
        ["--mode", "S"],
        ["--mode", "T"],
        ["--mode", "C", "--frame-format", "B"],
        ["--mode", "C", "--direction", "O2M"],
        ["--mode", "T", "--direction", "O2M"],
    ],
    ids=" ".join,
)
def test_frame_from_a_hackrf_arrives_in_an_rtl_sdr(
    way: list[str], clock_ppm: float, libraries: Path, tmp_path: Path
) -> None:
    radio = build("program", libraries, tmp_path / "radio")
    words = ["transmit", GAS_FRAME.hex(), *way, "--device", radio.device, "--config", radio.config, "--arm"]
    finished = run_omsdr(*words, environment=radio.environment)
    assert finished.returncode == 0, finished.stderr
    line = json.loads(finished.stdout)
    assert line["sample_rate_hz"] == 8e6
    quiet = np.zeros(round(0.02 * 8e6), np.complex64)
    heard = hear(
        np.concatenate([quiet, radio.sent_samples()]),
        line["sample_rate_hz"],
        line["center_hz"],
        rate_hz=RTL_RATE_HZ,
        center_hz=RTL_CENTER_HZ,
        clock_ppm=clock_ppm,
        level_dbfs=-20.0,
        noise_dbfs=-32.0,
    )
    path = tmp_path / "heard.cu8"
    with create_recording(path, sample_rate_hz=RTL_RATE_HZ, center_hz=RTL_CENTER_HZ) as recording:
        recording.write(heard + np.complex64(0.02))
    facts = {"sample_rate_hz": RTL_RATE_HZ, "center_hz": RTL_CENTER_HZ}
    assert frames_in(path, **facts) == [GAS_FRAME.hex()]
