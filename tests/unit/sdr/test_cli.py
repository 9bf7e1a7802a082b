"""The command line itself: help, which command, errors and their exit codes."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest
from support import process_environment, run_omsdr

from sdr import cli, errors
from sdr.cli import COMMANDS, main

every_command = pytest.mark.parametrize("command", COMMANDS)


def _help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_help_opens_with_whole_example_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _help(["--help"], capsys).splitlines()
    assert lines[0].startswith("usage: omsdr replay ")
    assert all(line.strip().startswith("omsdr ") for line in lines[1:3])


@every_command
def test_help_of_a_command_opens_with_its_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _help([command, "--help"], capsys).splitlines()
    assert re.match(rf"usage: omsdr {command}\b", lines[0])
    assert f"omsdr {command}" in lines[1]
    assert any(line.startswith("options:") for line in lines)


@every_command
def test_examples_are_accepted_by_the_parser(command: str) -> None:
    examples = importlib.import_module(f"sdr.commands.{command}").EXAMPLES
    for line in examples.replace("…", "").splitlines():
        alone = line.rpartition("omsdr ")[2].partition(" < ")[0].partition(" > ")[0].partition(" | ")[0]
        words = shlex.split(alone)
        if words and words[0] == command:
            assert cli._parse(words).command == command


@every_command
def test_help_lists_only_what_can_run(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"sdr.commands.{command}")
    assert callable(module.configure) and callable(module.run)
    assert f"{command} " in _help(["--help"], capsys)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"omsdr (\d+\.\d+\.\d+\S*|from source)\n", _help(["--version"], capsys))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.RadioError("odd"), 1),
        (errors.UsageError("odd"), 2),
        (errors.ConfigError("odd"), 3),
        (errors.DeviceNotFound("odd"), 4),
        (errors.DeviceLost("odd"), 5),
        (errors.RecordingError("x.cu8", "odd"), 6),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_errors_end_with_their_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> int:
        raise error

    command = SimpleNamespace(configure=lambda parser: None, run=run)
    monkeypatch.setattr(cli.importlib, "import_module", lambda name: command)
    assert main(["replay"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    if code != 130:
        assert captured.err.startswith("omsdr replay: error: ") and captured.err.endswith("odd\n")


def test_what_a_command_returns_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    command = SimpleNamespace(configure=lambda parser: None, run=lambda args: 7)
    monkeypatch.setattr(cli.importlib, "import_module", lambda name: command)
    assert main(["replay"]) == 7


def test_only_the_chosen_command_is_imported() -> None:
    code = (
        "import sys, sdr.cli; sdr.cli._parse(['simulate', 'a', 'b']);"
        "print(*sorted(m for m in sys.modules if m.startswith('sdr.commands.') or m == 'scipy'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=process_environment(), capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["sdr.commands.simulate"]


def test_no_command_and_an_unknown_one() -> None:
    for arguments in ([], ["fly"]):
        ran = run_omsdr(*arguments)
        assert ran.returncode == 2
        assert ran.stdout == b"" and b"error" in ran.stderr and b"Traceback" not in ran.stderr
