"""Who may import whom, read from the import statements, wherever in a file they stand.

    dsp        numpy, scipy, numba           arrays in, arrays out; knows no meters
    protocol   cryptography                  bytes in, dataclasses out; knows no samples
    sdr        both, and drivers             files, devices, terminal

Only the modules named below see both sides: those that turn samples into telegrams and back,
and those that only carry a burst together with what it says.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dsp
import protocol
import sdr

FOLDERS = {package.__name__: Path(package.__file__).parent for package in (dsp, protocol, sdr)}

MAY_IMPORT = {
    "dsp": {"dsp", "numpy", "scipy", "numba"},
    "protocol": {"protocol", "cryptography"},
}
# Standard library modules that reach outside the process, or tell the time.
OUTSIDE_WORLD = {
    "argparse", "asyncio", "getpass", "http", "io", "locale", "logging", "multiprocessing", "os", "pathlib",
    "random", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib",
}  # fmt: skip

JOINS = {
    "sdr.receiver",  # samples to telegrams
    "sdr.transmitter",  # telegrams to samples
    "sdr.scene", "sdr.traffic", "sdr.simulator",  # a street of transmitters to samples
    "sdr.send_plan",  # frames to transmissions
    "sdr.bench.trials", "sdr.bench.theory",  # frames sent and received, and what is reachable
}  # fmt: skip
CARRIERS = {"sdr.reception", "sdr.session", "sdr.live.radio", "sdr.output.json_line", "sdr.output.text_line"}
DATA_ONLY = {"dsp.burst", "dsp.modes", "dsp.plan"}  # all that a carrier may know of dsp


def _modules(package: str) -> dict[str, ast.Module]:
    folder = FOLDERS[package]
    return {
        ".".join((package, *path.relative_to(folder).with_suffix("").parts)): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in sorted(folder.rglob("*.py"))
    }


def _imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _packages(tree: ast.Module) -> set[str]:
    return {name.partition(".")[0] for name in _imports(tree)}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_what_the_lower_packages_import(package: str) -> None:
    for name, tree in _modules(package).items():
        foreign = _packages(tree) - MAY_IMPORT[package] - sys.stdlib_module_names
        assert not foreign, f"{name} imports {foreign}"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_the_lower_packages_do_not_reach_outside(package: str) -> None:
    for name, tree in _modules(package).items():
        outside = _packages(tree) & OUTSIDE_WORLD
        assert not outside, f"{name} imports {outside}"
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"open", "print", "input"}, name


def test_only_the_joins_see_both_sides() -> None:
    for name, tree in _modules("sdr").items():
        if name in JOINS or {"dsp", "protocol"} - _packages(tree):
            continue
        assert name in CARRIERS, f"{name} imports both dsp and protocol"
        from_dsp = {
            module for module in _imports(tree) if module.startswith("dsp.") and module.count(".") == 1
        }
        assert from_dsp <= DATA_ONLY, f"{name} imports {from_dsp - DATA_ONLY}"


def test_the_rules_name_modules_that_exist() -> None:
    known = set(_modules("sdr")) | set(_modules("dsp"))
    assert (JOINS - {"sdr.transmitter"}) | CARRIERS | DATA_ONLY <= known
