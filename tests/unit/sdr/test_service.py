"""The systemd unit: quoting as systemd.service(5) has it, and systemd's own check where it is installed."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from sdr.cli import main
from sdr.commands.service import quoted, unit


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("--modes", "--modes"),
        ("rtlsdr:serial=42", "rtlsdr:serial=42"),
        ("/home/me/my meters.toml", '"/home/me/my meters.toml"'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("", '""'),
        ("7120*", "7120*"),
    ],
)
def test_quoting(argument: str, text: str) -> None:
    assert quoted(argument) == text


def test_unit_is_a_notifying_service_with_a_watchdog() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit("pi", Path("/home/pi/my meters"), ["/opt/omsdr", "receive", "--gain", "auto"]))
    service = parser["Service"]
    assert service["Type"] == "notify"
    assert service["ExecStart"] == "/opt/omsdr receive --gain auto"
    assert int(service["WatchdogSec"]) > 0
    assert (service["User"], service["WorkingDirectory"]) == ("pi", "/home/pi/my meters")
    assert parser["Install"]["WantedBy"] == "multi-user.target"


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    file = tmp_path / "omsdr.service"
    file.write_text(unit("root", tmp_path, ["/bin/true", "receive", "--keys", "a b%.toml"]), encoding="utf-8")
    checked = subprocess.run([analyze, "verify", str(file)], capture_output=True, text=True, check=False)
    assert "omsdr.service" not in checked.stderr, checked.stderr


def test_command_prints_the_unit_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "--user", "pi", "receive", "--modes", "T,C"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("[Unit]\n") and captured.err == ""
    assert "receive --modes T,C\n" in captured.out and "User=pi\n" in captured.out


def test_options_that_receive_refuses_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["service", "receive", "--frequency", "868"])
    assert stopped.value.code == 2
    assert "--frequency" in capsys.readouterr().err
