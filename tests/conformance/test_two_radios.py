"""Frames leave a HackRF at 8 MS/s and arrive in an RTL-SDR at 2.4 MS/s, 20 ppm between their clocks.

HackRF: ``omsdr transmit`` runs the unmodified hackrf_transfer over the fake libhackrf. RTL-SDR: what it
would hear of that, with its noise, its spike at 0 Hz and 8 bits, is played by the fake librtlsdr to the
unmodified pyrtlsdr under ``omsdr receive``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from end_to_end.live import Live, environment
from fakes.air import hear
from fakes.radios import fake_dongle
from fakes.transmitters import build
from support import GAS_FRAME, run_omsdr

from sdr.recording import create_recording

# One dongle hears S, T, C uplink and C downlink at once around here.
RTL_CENTER_HZ, RTL_RATE_HZ = 868.9e6, 2.4e6
WAYS = [
    ["--mode", "S"],
    ["--mode", "T"],
    ["--mode", "C", "--frame-format", "B"],
    ["--mode", "C", "--direction", "O2M"],
    ["--mode", "T", "--direction", "O2M"],
]


@pytest.mark.parametrize("clock_ppm", [-20.0, 20.0])
def test_frames_from_a_hackrf_arrive_in_an_rtl_sdr(clock_ppm: float, tmp_path: Path) -> None:
    radio = build("program", tmp_path / "libraries", tmp_path / "radio")
    played = tmp_path / "heard.cu8"
    with create_recording(played, sample_rate_hz=RTL_RATE_HZ, center_hz=RTL_CENTER_HZ) as recording:
        for seed, way in enumerate(WAYS):
            radio.sent_path.unlink(missing_ok=True)
            to_radio = ["--device", radio.device, "--config", str(radio.config), "--arm"]
            finished = run_omsdr("transmit", GAS_FRAME.hex(), *way, *to_radio, environment=radio.environment)
            assert finished.returncode == 0, finished.stderr
            line = json.loads(finished.stdout)
            assert line["sample_rate_hz"] == 8e6
            heard = hear(
                radio.sent_samples(),
                line["sample_rate_hz"],
                line["center_hz"],
                rate_hz=RTL_RATE_HZ,
                center_hz=RTL_CENTER_HZ,
                clock_ppm=clock_ppm,
                level_dbfs=-20.0,
                noise_dbfs=-32.0,
                seed=seed,
            )
            recording.write(heard + np.complex64(0.02))
    length_s = f"{recording.n_samples / RTL_RATE_HZ:.3f}"
    dongle = fake_dongle(tmp_path / "libraries", tmp_path / "dongle", played)
    with Live(["--duration", length_s], environment(tmp_path, dongle.environment)) as live:
        lines = live.lines()
        assert live.wait() == 0, live.said
    assert {f"rate {RTL_RATE_HZ:.0f}", f"center {RTL_CENTER_HZ:.0f}"} <= set(dongle.events)
    lines.sort(key=lambda line: line["radio"]["first_sample"])
    # T downlink has the air interface of S
    assert [line["mode"] for line in lines] == ["S", "T", "C", "C", "S"]
    assert {line["frame_hex"] for line in lines} == {GAS_FRAME.hex()}
    for line in lines:
        # a fast clock hears everything lower, by 17 kHz here
        expected_hz = -1e-6 * clock_ppm * line["radio"]["carrier_hz"]
        assert line["radio"]["frequency_error_hz"] == pytest.approx(expected_hz, abs=1500)
