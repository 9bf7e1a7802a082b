import os
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import dsp
import protocol
import sdr

ROOT = Path(__file__).parent.parent
PACKAGES = ("dsp", "protocol", "sdr")


@pytest.fixture(scope="module")
def installed_files() -> list[str]:
    try:
        files = metadata.files("omsdr") or []
    except metadata.PackageNotFoundError:
        files = []
    names = [str(file) for file in files]
    if not any(name.startswith("dsp/") for name in names):
        if os.environ.get("OMSDR_NO_SKIP"):
            pytest.fail("omsdr is not installed from a wheel here")
        pytest.skip("omsdr is not installed from a wheel here")
    return names


def test_wheel_holds_the_three_packages_and_nothing_else(installed_files: list[str]) -> None:
    tops = {name.split("/")[0] for name in installed_files if not name.startswith("..")}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_wheel_says_that_it_is_typed(installed_files: list[str]) -> None:
    for package in PACKAGES:
        assert f"{package}/py.typed" in installed_files


def test_wheel_brings_the_licence_and_the_command(installed_files: list[str]) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in installed_files)
    (command,) = (entry for entry in metadata.entry_points(group="console_scripts") if entry.name == "omsdr")
    assert command.value == "sdr.cli:main"


def test_the_installed_packages_are_what_is_tested(installed_files: list[str]) -> None:
    for package in (dsp, protocol, sdr):
        assert ROOT not in Path(str(package.__file__)).parents or ".venv" in str(package.__file__)


def test_drivers_that_have_no_wheel_everywhere_are_marked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bundled = [text for text in project["dependencies"] if text.startswith("pyrtlsdrlib")]
    assert bundled
    assert all("sys_platform" in text for text in bundled)
    assert not any("oapysdr" in text.lower() for text in project["dependencies"])
