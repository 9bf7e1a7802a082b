"""Everything a change must pass: ``python tests/check.py`` runs format, lint, types, tests.

Stops at the first that fails, and ends with its exit code. Arguments go on to pytest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMANDS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("pytest",),
)


def main(pytest_arguments: list[str]) -> int:
    """Run the commands in order; return the exit code of the first that fails, else 0."""
    for command in COMMANDS:
        extra = pytest_arguments if command == ("pytest",) else []
        sys.stderr.write(f"--- {' '.join([*command, *extra])}\n")
        # -P: the tests run against what is installed, not against what lies in the folder
        finished = subprocess.run(
            [sys.executable, "-P", "-m", *command, *extra], cwd=Path(__file__).parents[1], check=False
        )
        if finished.returncode:
            return finished.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
