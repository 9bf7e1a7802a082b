"""Compile the fake drivers of this folder, once a test session.

What a build needs (a compiler, header files, programs) is looked for; where it is missing the test is
skipped, and fails under ``OMSDR_NO_SKIP=1``, as in CI, which installs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

FOLDER = Path(__file__).parent
_FLAGS = ("-shared", "-fPIC", "-O1", "-Wall", "-Werror")


def compile_shared(source: str, target: Path, options: Sequence[str] = ()) -> Path:
    """Compile one C or C++ file of this folder to a shared library.

    Args:
        source: name of the file; ``.cpp`` is C++.
        target: the library to make; one that is there already is taken as it is.
        options: further options of the compiler, such as ``-lSoapySDR``.
    """
    if target.exists():
        return target
    compiler = need_program("g++" if source.endswith(".cpp") else "gcc")
    target.parent.mkdir(parents=True, exist_ok=True)
    finished = subprocess.run(
        [compiler, *_FLAGS, str(FOLDER / source), "-o", str(target), "-lpthread", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        missing(f"{source} does not compile: {finished.stderr}")
    return target


def need_program(name: str) -> str:
    """Return the path of a program."""
    found = shutil.which(name)
    if found is None:
        missing(f"the program {name} is not installed")
    return found


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail where nothing may be skipped."""
    if os.environ.get("OMSDR_NO_SKIP") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
