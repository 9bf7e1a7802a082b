"""The doctor's findings, on a file system made for it; the shapes of /sys as Linux 6.1 shows them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sdr.cli import main
from sdr.doctor import Finding, Level, headroom, radio, software, usb
from sdr.doctor.radio import Measured


class Machine:
    """A root folder with USB devices in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.devices = root / "sys/bus/usb/devices"
        self.devices.mkdir(parents=True)

    def plug(self, place: str, vendor: str = "0bda", product: str = "2838", **facts: str) -> Path:
        folder = self.devices / place
        number = len(list(self.devices.iterdir())) + 1
        values = {"idVendor": vendor, "idProduct": product, "serial": "00000001", "speed": "480"}
        values |= {"busnum": "1", "devnum": str(number)} | facts
        (folder / f"{place}:1.0").mkdir(parents=True)
        for name, value in values.items():
            (folder / name).write_text(f"{value}\n", encoding="utf-8")
        node = self.root / f"dev/bus/usb/001/{number:03d}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        return folder

    def hold(self, folder: Path, driver: str) -> None:
        target = self.root / "sys/bus/usb/drivers" / driver
        target.mkdir(parents=True)
        (folder / f"{folder.name}:1.0" / "driver").symlink_to(target)

    def check(self) -> list[Finding]:
        return list(usb.check(self.root))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_radio_that_may_be_opened(machine: Machine) -> None:
    machine.plug("1-2", serial="00000042")
    machine.plug("1-3", vendor="046d", product="c31c")  # a keyboard
    (finding,) = machine.check()
    assert (finding.level, finding.subject) == (Level.OK, "RTL-SDR 00000042")


def test_no_radio_is_a_note(machine: Machine) -> None:
    (finding,) = machine.check()
    assert finding.level is Level.NOTE and "0bda:2838" in finding.mend[0]


def test_a_system_without_sys_is_a_note(tmp_path: Path) -> None:
    (finding,) = usb.check(tmp_path)
    assert finding.level is Level.NOTE


def test_a_radio_that_may_not_be_opened_gets_its_udev_rule(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.plug("1-2", vendor="1d50", product="6089")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (finding,) = machine.check()
    assert finding.level is Level.FAULT and finding.subject.startswith("HackRF One")
    assert 'ATTRS{idVendor}=="1d50", ATTRS{idProduct}=="6089"' in finding.mend[0]
    assert "udevadm" in finding.mend[1] and "plugdev" in finding.mend[2]


def test_a_device_that_a_container_hides(machine: Machine) -> None:
    machine.plug("1-2", devnum="77")
    (finding,) = machine.check()
    assert finding.level is Level.FAULT and "container" in finding.text


def test_the_television_driver_in_the_way(machine: Machine) -> None:
    machine.hold(machine.plug("1-2"), "dvb_usb_rtl28xxu")
    levels = {finding.level: finding for finding in machine.check()}
    assert "dvb_usb_rtl28xxu" in levels[Level.WARNING].text
    assert levels[Level.WARNING].mend[0] == "sudo rmmod dvb_usb_rtl28xxu"


def test_a_program_that_holds_the_radio_is_named(machine: Machine) -> None:
    folder = machine.plug("1-2")
    machine.hold(folder, "usbfs")
    process = machine.root / "proc/4711"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("rtl_433\n", encoding="utf-8")
    (process / "fd/9").symlink_to(machine.root / "dev/bus/usb/001/002")
    (machine.root / "dev/bus/usb/001/002").touch()
    (folder / "devnum").write_text("2\n", encoding="utf-8")
    (finding,) = machine.check()
    assert finding.level is Level.WARNING and "rtl_433 (process 4711)" in finding.text


def test_two_dongles_with_the_factory_serial(machine: Machine) -> None:
    machine.plug("1-2")
    machine.plug("1-3")
    warning = machine.check()[-1]
    assert warning.level is Level.WARNING and "2 dongles" in warning.text and "rtl_eeprom" in warning.mend[0]


def test_a_slow_connection(machine: Machine) -> None:
    machine.plug("1-2", speed="12")
    assert "12 Mbit/s" in machine.check()[-1].text


@pytest.mark.parametrize("fact", ["busnum", "devnum", "speed"])
def test_nonsense_in_sys_is_no_traceback(machine: Machine, fact: str) -> None:
    machine.plug("1-2", **{fact: "?"})
    assert machine.check()


def test_software_names_versions_and_the_library_loaded() -> None:
    findings = {finding.subject: finding for finding in software.check()}
    assert findings["Python"].level is Level.OK and "numba 0" in findings["Python"].text
    assert "pyrtlsdr" in findings["RTL-SDR driver"].text or findings["RTL-SDR driver"].mend
    assert findings["compiled kernels"].level in (Level.OK, Level.WARNING)


def test_a_missing_library_comes_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    findings = {finding.subject: finding for finding in software.check()}
    assert findings["HackRF tools"].level is Level.NOTE
    assert findings["HackRF tools"].mend == ("sudo apt install hackrf",)


@pytest.mark.parametrize(("times", "level"), [(0.5, Level.FAULT), (1.5, Level.WARNING), (9.0, Level.OK)])
def test_headroom_is_judged(monkeypatch: pytest.MonkeyPatch, times: float, level: Level) -> None:
    monkeypatch.setattr(headroom, "_times_real_time", lambda rate_per_s: times)
    findings = list(headroom.check())
    assert {finding.level for finding in findings} == {level}
    assert f"{times:.1f} × real time" in findings[0].text


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--skip-speed", "--skip-radios"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("✓ Python: ")
    assert main(["doctor", "--skip-speed", "--skip-radios", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings[0].keys() == {"level", "subject", "text", "mend"}


def test_speed_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--skip-radios"]) == 0
    assert capsys.readouterr().out.count("× real time") == 3


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (Measured(2.4e6, 0, 0.0, -30.0), []),
        (Measured(2.1e6, 0, 0.0, -30.0), ["delivers 2.1 MS/s of 2.4 MS/s"]),
        (Measured(2.4e6, 512, 0.0, -30.0), ["512 samples lost"]),
        (Measured(2.4e6, 0, 0.02, -15.0), ["overloaded"]),
        (Measured(2.4e6, 0, 0.0, -5.0), ["overloaded"]),
        (Measured(2.4e6, 0, 0.0, -48.0), ["next to nothing"]),
    ],
)
def test_what_a_radio_delivers_is_judged(measured: Measured, words: list[str]) -> None:
    findings = list(radio.judge("rtlsdr:0", measured, 2.4e6))
    assert len(findings) == len(words)
    for finding, word in zip(findings, words, strict=True):
        assert word in finding.text and finding.mend


def test_a_radio_that_is_not_there_is_a_fault() -> None:
    (finding,) = radio.check(["rtl_tcp://127.0.0.1:9"])
    assert finding.level is Level.FAULT and "rtl_tcp" in finding.text
