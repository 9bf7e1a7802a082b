"""A program that ends when its parent ends, however that happens.

    python -m sdr.transmit.guard PARENT_PID PROGRAM ARGUMENT…

Linux sends SIGTERM to a process whose parent has died, if it asked for that; the wish outlives
the change to another program. ``hackrf_transfer`` switches the transmitter off on SIGTERM. Other
systems have no such thing: there the bounded length of what is sent ends the program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with(parent_pid: int) -> None:
    """Ask for SIGTERM when the parent dies; end at once if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent_pid:
            sys.exit(128 + signal.SIGTERM)


def guarded(program: list[str]) -> list[str]:
    """Return the command that runs ``program`` under this guard, as a child of this process."""
    return [*run_module("sdr.transmit.guard"), str(os.getpid()), *program]


def run_module(name: str) -> list[str]:
    """Return the command that runs a module of this very package, whatever lies in the current folder."""
    return [sys.executable, "-P", "-m", name]


def child_environment() -> dict[str, str]:
    """Return the environment in which ``run_module`` finds this package."""
    root = str(Path(__file__).parents[2])
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, others] if others else [root])}


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
