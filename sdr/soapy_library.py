"""SoapySDR's Python module, which no wheel exists for: from here, or as the system has it.

In a virtual environment the system's packages are not seen. Its folder is not put on the path, as that
would let in all the rest of it; just the two files that are SoapySDR are loaded, if they were built for
this version of Python:

    SoapySDR.py      _SoapySDR<suffix of this Python's extension modules>
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from sdr.errors import DeviceNotFound

ADVICE = (
    "SoapySDR's Python module is missing: install it for this version of Python "
    f"({sys.version_info.major}.{sys.version_info.minor}), on Debian with "
    "'apt install python3-soapysdr' and a driver such as soapysdr-module-hackrf"
)


def load_soapysdr() -> Any:  # noqa: ANN401 (a module without types)
    """Return the module SoapySDR.

    Raises:
        DeviceNotFound: it is not installed for this version of Python; says what to do.
    """
    try:
        return importlib.import_module("SoapySDR")
    except ImportError:
        pass
    for folder in system_folders():
        extension = folder / f"_SoapySDR{sysconfig.get_config_var('EXT_SUFFIX')}"
        module = folder / "SoapySDR.py"
        if extension.is_file() and module.is_file():
            try:
                _load("_SoapySDR", extension)
                return _load("SoapySDR", module)
            except ImportError as error:
                raise DeviceNotFound(f"{module} cannot be loaded: {error}") from error
    raise DeviceNotFound(ADVICE)


def system_folders() -> list[Path]:
    """Return the folders in which systems keep modules of this version of Python."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefixes = dict.fromkeys((sys.base_prefix, "/usr", "/usr/local", "/opt/homebrew"))
    names = ("python3/dist-packages", f"{version}/dist-packages", f"{version}/site-packages")
    return [
        Path(prefix) / library / name for prefix in prefixes for library in ("lib", "lib64") for name in names
    ]


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
