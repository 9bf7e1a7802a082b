"""The bundled recordings, played by each kind of radio through its real driver, give what replay gives."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from end_to_end.live import STREET, Heard, Live, environment, heard
from fakes.radios import FakeDongle, RtlTcpServer, debian_rtl_tcp, fake_dongle, fake_soapy
from scipy.signal import resample_poly
from support import ROOT, run_omsdr

from sdr.radio.plans import plans_for

_PLAYED_S = "0.6"


@pytest.fixture(scope="module")
def replayed() -> Heard:
    return heard([json.loads(line) for line in run_omsdr("replay", STREET).stdout.splitlines()])


@pytest.fixture
def dongle(libraries: Path, tmp_path: Path) -> FakeDongle:
    return fake_dongle(libraries, tmp_path / "dongle", STREET)


def _received(arguments: list[str | Path], env: dict[str, str]) -> tuple[Heard, Live]:
    with Live([*arguments, "--duration", _PLAYED_S], env) as live:
        lines = live.lines()
        assert live.wait() == 0, live.said
        return heard(lines), live


def test_rtlsdr_through_pyrtlsdr(dongle: FakeDongle, tmp_path: Path, replayed: Heard) -> None:
    got, live = _received(["--gain", "30", "--bias-tee"], environment(tmp_path, dongle.environment))
    assert got == replayed and replayed
    assert {"rate 2400000", "center 868900000", "gain 297", "bias_tee 1", "agc 0"} <= set(dongle.events)
    assert dongle.events[-1] == "close 0"
    assert any("gain 29.7 dB (the nearest that the tuner has to 30 dB)" in line for line in live.said)


def test_transfers_of_odd_lengths(dongle: FakeDongle, tmp_path: Path, replayed: Heard) -> None:
    dongle.control("short")
    assert _received([], environment(tmp_path, dongle.environment))[0] == replayed


def test_soapy_through_a_plugin(libraries: Path, tmp_path: Path, replayed: Heard) -> None:
    env = environment(tmp_path, fake_soapy(libraries, tmp_path / "soapy", STREET))
    got, live = _received(
        ["--device", "soapy:driver=omsdr_rx", "--gain", "30.6", "--bias-tee"],
        env,
    )
    assert got == replayed
    events = (tmp_path / "soapy" / "events").read_text().splitlines()
    assert {"sample_rate 2400000", "frequency 868900000", "manual", "biastee true", "stream CS16"} <= set(
        events
    )
    assert any("gain 30.0 dB" in line for line in live.said)


def test_rtl_tcp_of_our_own(tmp_path: Path, replayed: Heard) -> None:
    with RtlTcpServer(STREET.read_bytes()).running() as server:
        got, _ = _received(["--device", server.uri, "--gain", "30"], environment(tmp_path))
    assert got == replayed
    assert {(1, 868_900_000), (2, 2_400_000), (3, 1), (4, 297), (8, 0)} <= set(server.commands)


def test_rtl_tcp_of_the_distribution(dongle: FakeDongle, tmp_path: Path, replayed: Heard) -> None:
    with debian_rtl_tcp(dongle) as uri:
        got, _ = _received(["--device", uri, "--gain", "30"], environment(tmp_path))
    assert got == replayed
    assert {"rate 2400000", "center 868900000", "gain 297"} <= set(dongle.events)


def test_a_file_at_its_own_speed(tmp_path: Path, replayed: Heard) -> None:
    assert _received(["--device", f"file:{STREET}"], environment(tmp_path))[0] == replayed


def test_standard_input(tmp_path: Path, replayed: Heard) -> None:
    done = run_omsdr(
        "receive", "--device", "-", "--rate", "2.4M", "--center", "868.9M", "--format", "cu8",
        stdin=STREET.read_bytes(), environment=environment(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert heard([json.loads(line) for line in done.stdout.splitlines()]) == replayed


@pytest.mark.parametrize(
    ("recording", "options", "rate_hz", "center_hz"),
    [
        ("r2_868.36M_300k.cu8", ["--modes", "R"], 300e3, 868.36e6),
        ("n_169.46M_200k.sigmf-data", ["--modes", "N"], 200e3, 169.46e6),
        ("f_433.8M_200k.cu8", ["--modes", "F"], 200e3, 433.8e6),
        ("street_433.95M_1600k.cu8", ["--band", "B"], 1.6e6, 433.95e6),
    ],
    ids=["R2", "N", "F", "433 MHz"],
)
def test_tuning_plans_of_other_bands(
    libraries: Path, tmp_path: Path, recording: str, options: list[str], rate_hz: float, center_hz: float
) -> None:
    """A dongle tuned by the plan hears a recording that was made elsewhere, moved to where it would be."""
    path = ROOT / "recordings" / recording
    mode = options[1] if options[0] == "--modes" else None
    plan = plans_for((mode,) if mode else None, None if mode else "B")[0]
    wide_hz, middle_hz = plan.sample_rate_hz, plan.center_hz
    source = path.with_suffix(".sigmf-meta") if path.suffix == ".sigmf-data" else path
    expected = [
        json.loads(line)["frame_hex"] for line in run_omsdr("replay", source, *options).stdout.splitlines()
    ]
    moved = tmp_path / "moved.cu8"
    _move(path, rate_hz, center_hz, wide_hz, middle_hz).tofile(moved)
    playing = fake_dongle(libraries, tmp_path / "playing", moved)
    played_s = str(moved.stat().st_size / 2 / wide_hz + 0.5)
    with Live([*options, "--duration", played_s], environment(tmp_path, playing.environment)) as live:
        lines = live.lines()
    assert sorted(line["frame_hex"] for line in lines) == sorted(expected)
    assert expected
    assert {f"rate {wide_hz:.0f}", f"center {middle_hz:.0f}"} <= set(playing.events)


def _move(path: Path, rate_hz: float, center_hz: float, wide_hz: float, middle_hz: float) -> np.ndarray:  # type: ignore[type-arg]
    """Resample a cu8 recording and shift it to where another centre has it."""
    values = (np.fromfile(path, np.uint8).astype(np.float32) - 127.5) / 127.5
    ratio = Fraction(round(wide_hz), round(rate_hz))
    wide = resample_poly(values.view(np.complex64), ratio.numerator, ratio.denominator)
    shift = np.exp(2j * np.pi * (center_hz - middle_hz) / wide_hz * np.arange(wide.size))
    shifted = (wide * shift).astype(np.complex64).view(np.float32)
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0, 0.004, shifted.size)
    return np.clip(np.rint((shifted + noise) * 127.5 + 127.5), 0, 255).astype(np.uint8)


def test_list_tells_equal_serials_apart(dongle: FakeDongle, tmp_path: Path) -> None:
    dongle.control("devices=3 serials=00000001,00000001,77")
    env = environment(tmp_path, dongle.environment)
    done = run_omsdr("receive", "--list", environment=env)
    lines = done.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["rtlsdr:0", "rtlsdr:1", "rtlsdr:serial=77"]
    assert "2 dongles have this serial" in lines[0]
    done = run_omsdr("receive", "--device", "rtlsdr:serial=00000001", environment=env)
    assert done.returncode == 4
    assert b"choose by index" in done.stderr
    done = run_omsdr("receive", "--device", "rtlsdr:serial=77", "--duration", "0.05", environment=env)
    assert done.returncode == 0
    assert "open 2" in dongle.events


@pytest.mark.parametrize(
    ("control", "device", "code", "words"),
    [
        ("devices=0", "rtlsdr", 4, "no RTL-SDR dongle is plugged in"),
        ("busy", "rtlsdr", 4, "dvb_usb_rtl28xxu"),
        ("access", "rtlsdr:0", 4, "udev rule"),
        ("", "rtlsdr:5", 4, "there are only 1 dongles"),
        ("", "rtlsdr:serial=5", 4, "no dongle has this serial"),
        ("", "rtlsdr:first", 2, "rtlsdr:serial=00000001"),
        ("", "rtl_tcp://127.0.0.1:9", 4, "is rtl_tcp running there"),
        ("", "rtl_tcp://", 2, "write it like"),
        ("", "usrp", 2, "no such device"),
        ("", "file:nowhere.cu8", 6, "no such file"),
    ],
)
def test_what_cannot_be_opened(
    dongle: FakeDongle, tmp_path: Path, control: str, device: str, code: int, words: str
) -> None:
    dongle.control(control)
    done = run_omsdr("receive", "--device", device, environment=environment(tmp_path, dongle.environment))
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_soapy_radio_that_is_not_there(libraries: Path, tmp_path: Path) -> None:
    env = environment(tmp_path, fake_soapy(libraries, tmp_path / "soapy", STREET))
    done = run_omsdr("receive", "--device", "soapy:driver=nothing", environment=env)
    assert done.returncode == 4
    listed = run_omsdr("receive", "--list", environment=env)
    assert b"soapy:driver=omsdr_rx,serial=42" in listed.stdout


def test_somebody_else_answers_instead_of_rtl_tcp(tmp_path: Path) -> None:
    with RtlTcpServer(b"", greeting=b"SSH-2.0-OpenSSH_9.2").running() as server:
        done = run_omsdr("receive", "--device", server.uri, environment=environment(tmp_path))
    assert done.returncode == 4
    assert b"not as rtl_tcp does" in done.stderr


def test_rtl_wmbus_lines_for_wmbusmeters(dongle: FakeDongle, tmp_path: Path) -> None:
    """wmbusmeters takes modes S1, T1 and C1 of uplink only, in lines of exactly this form."""
    env = environment(tmp_path, dongle.environment)
    finished = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m sdr receive --output rtl_wmbus --duration {_PLAYED_S} | cat"],
        env=env, capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    lines = finished.stdout.splitlines()
    assert len(lines) == 13
    form = r"[STC]1;1;1;20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6};-?\d{1,3};-?\d{1,3};[0-9a-f]{8};0x[0-9a-f]+"
    assert all(re.fullmatch(form, line) for line in lines)
    for line in lines:
        frame = bytes.fromhex(line.rpartition("0x")[2])
        assert frame[0] == len(frame) - 1  # the L-field of format A, whatever it was on air
