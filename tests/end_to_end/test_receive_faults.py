"""Radios that vanish, freeze, hang and lose samples; programs that are told to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from end_to_end.live import STREET, Live, environment
from fakes.radios import FakeDongle, RtlTcpServer, fake_dongle, fake_soapy
from support import run_omsdr

GAS_METER = "12345678"


@pytest.fixture
def dongle(libraries: Path, tmp_path: Path) -> FakeDongle:
    return fake_dongle(libraries, tmp_path / "dongle", STREET)


def _hear_all(live: Live) -> None:
    """Wait for the recording's 19 telegrams."""
    for _ in range(19):
        live.next_line()


@pytest.mark.parametrize(
    ("control", "words"),
    [
        ("unplug", "as it does when it is unplugged; trying again"),
        ("freeze", "stopped sending samples for"),
    ],
)
def test_a_radio_that_is_lost_comes_back(
    dongle: FakeDongle, tmp_path: Path, control: str, words: str
) -> None:
    with Live([], environment(tmp_path, dongle.environment)) as live:
        _hear_all(live)
        dongle.control(control)
        live.wait_said(words)
        dongle.control()
        live.wait_said("is back after")
        _hear_all(live)
        live.send(signal.SIGTERM)
        assert live.wait() == 0
        assert sum("trying again" in line for line in live.said) == 1, "a fault is told once"
        live.wait_said("lost and found again 1 times")


def test_a_driver_that_hangs_is_left_behind(dongle: FakeDongle, tmp_path: Path) -> None:
    with Live([], environment(tmp_path, dongle.environment)) as live:
        _hear_all(live)
        dongle.control("hang")
        live.wait_said("its driver hangs and was left behind")
        live.send(signal.SIGTERM)
        assert live.wait() == 0


def test_a_radio_that_never_sends_is_told(dongle: FakeDongle, tmp_path: Path) -> None:
    dongle.control("freeze")
    with Live(["--give-up", "3"], environment(tmp_path, dongle.environment)) as live:
        assert live.wait() == 5
        live.wait_said("sends no samples for")
        live.wait_said("error: given up after")


def test_give_up(dongle: FakeDongle, tmp_path: Path) -> None:
    with Live(["--give-up", "1.5"], environment(tmp_path, dongle.environment)) as live:
        _hear_all(live)
        dongle.control("unplug")
        assert live.wait() == 5
        live.wait_said("given up after .* s: rtlsdr: no RTL-SDR dongle is plugged in")


def test_samples_that_vanish_silently_are_noticed(dongle: FakeDongle, tmp_path: Path) -> None:
    with Live([], environment(tmp_path, dongle.environment)) as live:
        _hear_all(live)
        dongle.control("skip=960000")
        line = live.wait_said("though its driver tells of no loss")
        assert 0.3 < float(line.partition("(")[2].split()[0]) < 0.6  # 0.4 s were lost
        live.send(signal.SIGINT)
        assert live.wait() == 130


def test_rtl_tcp_that_hangs_up_is_called_again(tmp_path: Path) -> None:
    street = STREET.read_bytes()
    server = RtlTcpServer(street, hang_up_after=len(street) + 400_000)
    with server.running(), Live(["--device", server.uri], environment(tmp_path)) as live:
        _hear_all(live)
        live.wait_said("the server closed the connection; trying again")
        _hear_all(live)


def test_soapy_overflow_and_loss(libraries: Path, tmp_path: Path) -> None:
    folder = tmp_path / "soapy"
    env = environment(tmp_path, fake_soapy(libraries, folder, STREET))
    with Live(["--device", "soapy:driver=omsdr_rx"], env) as live:
        _hear_all(live)
        (folder / "overflow").touch()
        live.wait_said(r"1000 samples \(0.000 s\) lost before sample \d+ by the radio")
        (folder / "gone").touch()
        live.wait_said("the driver says: STREAM_ERROR")
        (folder / "gone").unlink()
        _hear_all(live)


def test_a_radio_whose_crystal_is_off_is_corrected_and_remembered(libraries: Path, tmp_path: Path) -> None:
    """Twelve meters within 1 ppm, heard by a dongle that is 20 ppm fast: 17.4 kHz at 868.95 MHz."""
    scene = ['rate = "2.4M"', 'center = "868.9M"', "duration = 2.0", "seed = 3", "noise_dbfs = -35"]
    for number in range(12):
        scene += ["[[meter]]", 'mode = "T"', 'direction = "M2O"', f"at = [{0.2 + 0.12 * number:.2f}]"]
        scene += ["snr_db = 25", f"carrier_offset_hz = {150 * number - 800}"]
        scene += [f'frame = "1444931500{number:02}000033037a010000000c1378563412"']
    (tmp_path / "meters.toml").write_text("\n".join(scene))
    made = run_omsdr("simulate", tmp_path / "meters.toml", tmp_path / "meters_868.9M_2400k.cu8")
    assert made.returncode == 0, made.stderr
    dongle = fake_dongle(libraries, tmp_path / "dongle", tmp_path / "meters_868.9M_2400k.cu8")
    dongle.control("shift=17379")
    env = environment(tmp_path, dongle.environment)
    with Live(["--duration", "2.2"], env) as live:
        lines = live.lines()
        said = live.wait_said("meters say that it is")
    assert len(lines) == 12
    assert 19.0 < float(said.split("it is +")[1].split()[0]) < 21.0
    with Live(["--duration", "2.2"], env) as live:
        lines = live.lines()
        live.wait_said(r"begins with \+(19|20)\.\d ppm, learnt earlier")
    assert len(lines) == 12
    assert all(abs(line["radio"]["frequency_error_hz"]) < 2000 for line in lines)


def test_ctrl_c(dongle: FakeDongle, tmp_path: Path) -> None:
    env = environment(tmp_path, dongle.environment)
    with Live([], env) as live:
        _hear_all(live)
        live.send(signal.SIGINT)
        assert live.wait() == 130
        live.wait_said("19 frames")
    assert dongle.events[-1] == "close 0"


def test_a_closed_pipe_is_noticed_without_another_telegram(dongle: FakeDongle, tmp_path: Path) -> None:
    env = environment(tmp_path, dongle.environment)
    command = f"( '{sys.executable}' -m sdr receive; echo $? >code ) | head -n 19 >lines"
    done = subprocess.run(["sh", "-c", command], env=env, cwd=tmp_path, capture_output=True, timeout=240)
    assert (tmp_path / "code").read_text() == "0\n"
    assert (tmp_path / "lines").read_bytes().count(b"\n") == 19
    assert b"Traceback" not in done.stderr


def test_count_and_require(dongle: FakeDongle, tmp_path: Path) -> None:
    env = environment(tmp_path, dongle.environment)
    assert run_omsdr("receive", "--count", "3", environment=env).stdout.count(b"\n") == 3
    done = run_omsdr("receive", "--duration", "0.5", "--meter", "00*", "--require", "1", environment=env)
    assert done.returncode == 7


def test_two_radios_are_merged(libraries: Path, dongle: FakeDongle, tmp_path: Path) -> None:
    """The same street heard twice: each telegram once, with the other radio as its copy."""
    env = environment(tmp_path, dongle.environment)
    dongle.control("devices=2 serials=a,b")
    street = STREET.read_bytes()
    with (
        RtlTcpServer(street).running() as one,
        RtlTcpServer(street).running() as two,
        Live(["--device", one.uri, "--device", two.uri, "--duration", "0.6"], env) as live,
    ):
        uris = {one.uri, two.uri}
        lines = live.lines()
    assert {line["radio"]["device"] for line in lines} <= uris
    frames = [line["frame_hex"] for line in lines]
    # the two servers do not play in step; what lies close enough together is one telegram
    assert set(frames) == {
        json.loads(line)["frame_hex"] for line in run_omsdr("replay", STREET).stdout.splitlines()
    }
    assert 19 <= len(frames) <= 38
    for line in lines:
        for copy in line["radio"]["copies"]:
            assert copy["device"] != line["radio"]["device"]
            assert copy["snr_db"] <= line["radio"]["snr_db"]
