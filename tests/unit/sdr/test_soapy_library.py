"""SoapySDR's module is found outside of the environment, and nothing else with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sdr import soapy_library
from sdr.errors import DeviceNotFound
from sdr.soapy_library import load_soapysdr, system_folders


@pytest.fixture
def no_soapysdr(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SoapySDR", "_SoapySDR"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(soapy_library.importlib, "import_module", _refuse)


def _refuse(name: str) -> None:
    raise ImportError(name)


def test_missing_module_says_what_to_install(no_soapysdr: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soapy_library, "system_folders", list)
    with pytest.raises(DeviceNotFound, match="apt install python3-soapysdr"):
        load_soapysdr()


def test_two_files_are_loaded_without_their_folder(
    no_soapysdr: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # stands for the extension module: a Python file would not load under the suffix of a library
    suffix = ".py"
    (tmp_path / f"_SoapySDR{suffix}").write_text("answer = 42\n", encoding="utf-8")
    (tmp_path / "SoapySDR.py").write_text("from _SoapySDR import answer\n", encoding="utf-8")
    monkeypatch.setattr(soapy_library, "system_folders", lambda: [tmp_path])
    monkeypatch.setattr(soapy_library.sysconfig, "get_config_var", lambda _: suffix)
    path_before = list(sys.path)
    assert load_soapysdr().answer == 42
    assert sys.path == path_before


def test_a_file_that_does_not_load_is_named(
    no_soapysdr: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    suffix = ".so"
    (tmp_path / f"_SoapySDR{suffix}").write_bytes(b"no library")
    (tmp_path / "SoapySDR.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(soapy_library, "system_folders", lambda: [tmp_path])
    monkeypatch.setattr(soapy_library.sysconfig, "get_config_var", lambda _: suffix)
    with pytest.raises(DeviceNotFound, match="cannot be loaded"):
        load_soapysdr()
    assert "_SoapySDR" not in sys.modules


def test_folders_of_this_version_of_python() -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = [str(folder) for folder in system_folders()]
    assert "/usr/lib/python3/dist-packages" in folders
    assert f"/usr/lib64/{version}/site-packages" in folders
