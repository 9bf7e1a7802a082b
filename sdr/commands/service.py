"""``omsdr service``: the systemd unit that keeps a receiver running."""

from __future__ import annotations

import argparse
import getpass
import importlib
import re
import sys
from pathlib import Path

EXAMPLES = """\
omsdr service receive --keys meters.toml --output jsonl:telegrams.jsonl
       omsdr service receive --device rtlsdr:serial=42 | sudo tee /etc/systemd/system/omsdr.service
       sudo systemctl daemon-reload && sudo systemctl enable --now omsdr && systemctl status omsdr
"""
_WATCHDOG_S = 60
_RESTART_S = 10
_NEEDS_NO_QUOTES = re.compile(r"[\w@%+=:,./*$-]+")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Print a systemd unit that receives at every start of this machine, and for ever."
    parser.epilog = "Nothing is installed: write it where the second example does, and the third starts it."
    parser.add_argument("--user", default=getpass.getuser(), help="who runs it (default: you)")
    parser.add_argument("receive", choices=["receive"], help="what the service does")
    parser.add_argument("options", nargs=argparse.REMAINDER, metavar="…", help="options of omsdr receive")


def run(args: argparse.Namespace) -> int:
    """Print the unit; options that ``omsdr receive`` refuses are refused here."""
    receive = argparse.ArgumentParser(prog="omsdr receive")
    importlib.import_module("sdr.commands.receive").configure(receive)
    receive.parse_args(args.options)
    print(unit(args.user, Path.cwd(), [*_program(), "receive", *args.options]), end="")  # noqa: T201
    return 0


def unit(user: str, folder: Path, command: list[str]) -> str:
    """Write the unit.

    Args:
        user: who runs it.
        folder: where relative paths of the command begin.
        command: program and arguments.

    Source: systemd.service(5), systemd.exec(5).
    """
    return f"""\
[Unit]
Description=omsdr, a software radio for smart meters
After=network.target time-sync.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={" ".join(map(quoted, command))}
User={user}
SupplementaryGroups=plugdev
WorkingDirectory={folder_text(folder)}
Restart=on-failure
RestartSec={_RESTART_S}
WatchdogSec={_WATCHDOG_S}
TimeoutStartSec=180
CacheDirectory=omsdr
Environment=NUMBA_CACHE_DIR=%C/omsdr
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes

[Install]
WantedBy=multi-user.target
"""


def quoted(argument: str) -> str:
    """Write an argument so that systemd takes it as it is.

    Source: systemd.service(5), "Command lines".
    """
    text = argument.replace("%", "%%").replace("$", "$$")
    if _NEEDS_NO_QUOTES.fullmatch(text):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text}"'


def folder_text(folder: Path) -> str:
    """Write a folder as a value that is one path, not words."""
    return str(folder).replace("%", "%%")


def _program() -> list[str]:
    """Return how this program is called, whatever folder one is in."""
    script = Path(sys.argv[0])
    if script.name == "omsdr" and script.exists():
        return [str(script.absolute())]
    return [str(Path(sys.executable).absolute()), "-m", "sdr"]
