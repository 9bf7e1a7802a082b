"""Bursts leave fake radios: complete, once, and never without an end.

The radios are those of tests/fakes: the unmodified hackrf_transfer and libhackrf's interface over a fake
library, and the unmodified SoapySDR with a plug-in.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.transmitters import KINDS, FakeTransmitter, build
from support import GAS_FRAME, frames_in, process_environment, run_omsdr

from sdr.transmit.safety.ledger import Ledger

GAS_HEX = GAS_FRAME.hex()
every_radio = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture
def radio(kind: str, libraries: Path, tmp_path: Path) -> FakeTransmitter:
    return build(kind, libraries, tmp_path / "radio")


def _transmit(
    radio: FakeTransmitter, *words: str, fault: str = "", stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    options = ("--device", radio.device, "--config", str(radio.config), "--arm")
    environment = radio.environment | ({"OMSDR_FAKE_FAULT": fault} if fault else {})
    return run_omsdr("transmit", *words, *options, environment=environment, stdin=stdin)


def _received(radio: FakeTransmitter, center_hz: float, rate_hz: float = 8e6) -> list[str]:
    return frames_in(radio.sent_path, sample_rate_hz=rate_hz, center_hz=center_hz)


@every_radio
def test_burst_of_a_few_ms_leaves_complete_and_once(radio: FakeTransmitter) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T")
    assert finished.returncode == 0, finished.stderr
    (line,) = map(json.loads, finished.stdout.splitlines())
    assert (line["sent_to"], line["frame_hex"]) == ("air", GAS_HEX)
    # output -20 dBm, level -1 dB, cable -0.5 dB, a dipole
    assert line["erp_dbm"] == pytest.approx(-21.5)
    assert line["underruns"] == 0
    assert line["time"].endswith("Z") and line["ended"] > line["time"]
    assert _received(radio, 868.75e6) == [GAS_HEX]
    power = np.abs(radio.sent_samples())
    on = np.flatnonzero(power > 0.1)
    assert (on[-1] - on[0]) / 8e6 == pytest.approx(7.12e-3 + 2e-5, abs=1e-5)
    assert np.all(power[on[0] : on[-1]] > 0.1), "one burst without a gap"
    assert power[on[0] + 100 : on[-1] - 100].max() < 0.91  # nothing clipped
    assert not power[on[-1] + 200 :].any()
    assert not radio.is_on


@every_radio
def test_settings_reach_the_radio(radio: FakeTransmitter) -> None:
    words = ("--mode", "C", "--direction", "O2M", "--gain", "11", "--rate", "10M", "--center", "869.41M")
    finished = _transmit(radio, GAS_HEX, *words)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["erp_dbm"] == pytest.approx(-10.5)
    events = radio.events
    assert "sample_rate 10000000" in events
    assert "frequency 869410000" in events
    assert {"gain 11", "gain 11.000000"} & set(events)
    if radio.kind != "soapy":
        assert {"filter 1750000", "amplifier 0"} <= set(events)
    assert _received(radio, 869.41e6, 10e6) == [GAS_HEX]


@every_radio
def test_several_bursts_are_each_in_the_ledger(radio: FakeTransmitter) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T", "--repeat", "3", "--interval", "0.4")
    assert finished.returncode == 0, finished.stderr
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    assert len(lines) == 3
    assert _received(radio, 868.75e6) == [GAS_HEX] * 3
    ledger = (radio.folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [entry for entry in map(json.loads, ledger) if entry["air_time_s"]]
    assert len(entries) == 3
    assert np.all(np.diff([entry["utc"] for entry in entries]) > 0)


@every_radio
def test_a_scene_is_sent_burst_by_burst(radio: FakeTransmitter, tmp_path: Path) -> None:
    scene = tmp_path / "steps.toml"
    scene.write_text(
        'rate = "2.4M"\ncenter = "868.9M"\nduration = 1.5\nseed = 4\nnoise_dbfs = "none"\n[[meter]]\n'
        'mode = "S"\nlevel_dbfs = { from = -1, to = -13, step = -6 }\ninterval = 0.4\nfirst = 0.2\n'
        "count = 3\nrandom_payload = [10, 20]\n",
        encoding="utf-8",
    )
    finished = _transmit(radio, "--scene", str(scene))
    assert finished.returncode == 0, finished.stderr
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [line["erp_dbm"] for line in lines] == pytest.approx([-21.5, -27.5, -33.5])
    if radio.kind != "soapy":  # below -12 dBFS the gain is lowered instead
        gains = [event for event in radio.events if event.startswith("gain ")]
        assert gains == ["gain 0"] * 3, "the lowest gain is the lowest"
    assert _received(radio, lines[0]["center_hz"]) == [line["frame_hex"] for line in lines]


@pytest.mark.parametrize("kind", ["program", "library"])
def test_weak_bursts_use_the_gain_of_a_hackrf(radio: FakeTransmitter) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T", "--gain", "20", "--level", "-42")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["erp_dbm"] == pytest.approx(-42.5)
    assert "gain 0" in radio.events
    power = np.abs(radio.sent_samples())
    assert 20 * np.log10(power.max()) == pytest.approx(-22, abs=1)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("program", "absent"),
        ("program", "busy"),
        ("library", "absent"),
        ("library", "busy"),
        ("soapy", "receiver"),
    ],
)
def test_radio_that_cannot_be_opened(radio: FakeTransmitter, fault: str) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T", fault=fault)
    assert finished.returncode == 4, finished.stderr
    assert b"Traceback" not in finished.stderr
    assert b"cannot" in finished.stderr
    assert not finished.stdout


@every_radio
def test_radio_that_hangs_is_switched_off(radio: FakeTransmitter) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "S", fault="stall")
    assert finished.returncode == 5, finished.stderr
    assert b"Traceback" not in finished.stderr
    assert not finished.stdout
    assert not radio.is_on


@pytest.mark.parametrize("kind", ["program", "library"])
def test_radio_that_is_unplugged(radio: FakeTransmitter) -> None:
    # 60 bytes in mode S last 37 ms, more than the first transfer of 16 ms
    finished = _transmit(radio, GAS_HEX, "--mode", "S", fault="unplug")
    assert finished.returncode == 5, finished.stderr
    assert not finished.stdout
    assert b"Traceback" not in finished.stderr
    assert not radio.is_on


@every_radio
def test_underruns_are_reported(radio: FakeTransmitter) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T", fault="underrun")
    assert finished.returncode == 0, finished.stderr
    expected = 1 if radio.kind == "soapy" else 3
    assert json.loads(finished.stdout)["underruns"] == expected
    assert f"{expected} underruns".encode() in finished.stderr


@pytest.mark.parametrize("kind", ["soapy"])
@pytest.mark.parametrize(("fault", "problem"), [("detuned", b"tunes to"), ("loud", b"gain of 20 dB")])
def test_radio_that_sets_something_else_sends_nothing(
    radio: FakeTransmitter, fault: str, problem: bytes
) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T", fault=fault)
    assert finished.returncode == 5
    assert problem in finished.stderr
    assert "activate" not in radio.events
    assert not radio.sent_samples().size


@pytest.mark.parametrize("kind", ["program", "library"])
def test_firmware_that_counts_no_underruns(radio: FakeTransmitter) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T", fault="old_firmware")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["underruns"] is None
    assert _received(radio, 868.75e6) == [GAS_HEX]


@pytest.mark.parametrize("kind", ["program", "library"])
@pytest.mark.parametrize(("serial", "code"), [("cafe0001", 0), ("deadbeef", 4)])
def test_hackrf_by_its_serial_number(radio: FakeTransmitter, serial: str, code: int) -> None:
    named = replace(radio, device=f"hackrf:{serial}")
    assert _transmit(named, GAS_HEX, "--mode", "T").returncode == code


@pytest.mark.parametrize("kind", ["program", "library"])
def test_library_that_drops_what_is_under_way(radio: FakeTransmitter) -> None:
    finished = _transmit(radio, GAS_HEX, "--mode", "T", fault="drop")
    assert finished.returncode == 0, finished.stderr
    assert _received(radio, 868.75e6) == [GAS_HEX]


@pytest.mark.parametrize("kind", ["soapy"])
def test_driver_that_holds_back_short_bursts(radio: FakeTransmitter) -> None:
    held = FakeTransmitter(
        radio.kind, radio.device + ",key=hackrf", radio.folder, radio.config, radio.environment
    )
    finished = _transmit(held, GAS_HEX, "--mode", "T")
    assert finished.returncode == 0, finished.stderr
    assert _received(held, 868.75e6) == [GAS_HEX]


def _start(radio: FakeTransmitter, fault: str = "") -> subprocess.Popen[bytes]:
    """Begin a burst that takes seconds, and come back once the radio is on air."""
    # Mode F sends 2400 chips a second: an L-field of 255 takes almost a second at 2 MS/s
    frame = "ff" + "44931578563412330378" + "00" * 245
    words = [frame, "--mode", "F", "--rate", "2M", "--device", radio.device]
    process = subprocess.Popen(
        [sys.executable, "-m", "sdr", "transmit", *words, "--config", str(radio.config), "--arm"],
        env=process_environment(radio.environment | ({"OMSDR_FAKE_FAULT": fault} if fault else {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _wait(lambda: radio.is_on or process.poll() is not None)
    assert radio.is_on, process.stderr and process.stderr.read()
    return process


def _wait(is_so: Callable[[], bool], limit_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not is_so() and time.monotonic() < deadline_s:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("kind", "ending"),
    [(kind, ending) for kind in KINDS for ending in ("SIGKILL", "SIGINT")]
    + [("program", "SIGTERM"), ("library", "SIGHUP")],
)
def test_killed_process_leaves_the_transmitter_off(radio: FakeTransmitter, ending: str) -> None:
    process = _start(radio, "" if radio.kind == "soapy" else "stall")
    process.send_signal(getattr(signal, ending))
    process.communicate(timeout=20)
    assert process.returncode != 0
    if ending == "SIGINT":
        assert process.returncode == 130
    _wait(lambda: not radio.is_on, 10.0)
    assert not radio.is_on


@every_radio
def test_driver_that_crashes_is_switched_off_by_the_parent(radio: FakeTransmitter) -> None:
    process = _start(radio, "stall")
    for worker in _children(process.pid):
        os.kill(worker, signal.SIGKILL)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 5, errors
    assert b"Traceback" not in errors
    assert not radio.is_on


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            stat = (folder / "stat").read_text(encoding="ascii", errors="replace")
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


@pytest.mark.parametrize("kind", ["program"])
def test_two_programs_cannot_share_one_duty_cycle(radio: FakeTransmitter) -> None:
    with Ledger(radio.folder / "ledger.jsonl"):
        finished = _transmit(radio, GAS_HEX, "--mode", "T")
    assert finished.returncode == 8
    assert b"another program is transmitting" in finished.stderr
    assert not radio.events
