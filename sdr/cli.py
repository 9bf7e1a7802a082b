"""The command line: one subcommand each, exit codes of the contract.

0 ended as asked · 1 unexpected error · 2 usage · 3 configuration or keys · 4 radio not found
5 radio lost · 6 input unreadable · 7 --require not reached · 8 transmission refused · 130 interrupted
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TextIO

from sdr.errors import RadioError

COMMANDS = {
    "replay": "decode I/Q recordings",
    "receive": "decode live from a radio",
    "decode": "decode telegrams given as bytes",
    "encode": "build telegrams from JSON lines",
    "simulate": "synthesise a recording from a scene",
    "transmit": "send frames or a scene: to a file, or by a radio",
    "bench": "measure this machine and this build",
    "service": "print a systemd unit that receives for ever",
    "doctor": "say what is installed, what is wrong and how to mend it",
}
EXAMPLES = """\
omsdr replay street_868.9M_2400k.cu8
       omsdr receive --keys meters.toml
       omsdr simulate scene.toml street_868.9M_2400k.cu8
       omsdr decode - --keys meters.toml < telegrams.txt
       omsdr transmit 2E44931578563412… --mode T --file burst.sigmf-meta
       omsdr bench --suite throughput --quick
       omsdr COMMAND --help
"""
_EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    warnings.showwarning = _show_warning
    args = _parse(list(sys.argv[1:] if arguments is None else arguments))
    try:
        code: int = importlib.import_module(f"sdr.commands.{args.command}").run(args)
        sys.stdout.flush()
        return code
    except RadioError as error:
        print(f"omsdr {args.command}: error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BrokenPipeError:
        # who reads us has gone: end quietly, and keep Python from flushing into the void
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say a warning in one line, without the source line that Python would show."""
    print(f"omsdr: warning: {message}", file=sys.stderr)  # noqa: T201


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="omsdr",
        usage=EXAMPLES,
        description="A software radio for smart meters: wireless M-Bus / OMS from I/Q samples to telegrams.",
    )
    parser.add_argument("--version", action="version", version=f"omsdr {_version()}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, prog="omsdr")
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for name, text in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=text)
        if name == chosen:  # only the chosen command is imported: starting up stays fast
            importlib.import_module(f"sdr.commands.{name}").configure(subparser)
    return parser.parse_args(arguments)


def _version() -> str:
    try:
        return version("omsdr")
    except PackageNotFoundError:
        return "from source"
