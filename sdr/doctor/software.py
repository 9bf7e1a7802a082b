"""Libraries and programs: which are there, in which version, and from where."""

from __future__ import annotations

import contextlib
import importlib
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from dsp._kernel import cache_folder
from sdr.doctor.finding import Finding, Level
from sdr.errors import DeviceNotFound
from sdr.soapy_library import load_soapysdr

_NEEDED = ("numpy", "scipy", "numba", "cryptography")
_OPTIONAL = {"smllib": "to read SML payloads: pip install 'omsdr[sml]'"}


def check() -> Iterator[Finding]:
    """Look at everything that is installed."""
    libraries = ", ".join(f"{name} {_version(name)}" for name in _NEEDED)
    yield Finding(Level.OK, "Python", f"{platform.python_version()}, {libraries}")
    yield _kernel_cache()
    yield _librtlsdr()
    yield _soapy()
    yield _hackrf()
    for name, use in _OPTIONAL.items():
        if find_spec(name) is None:
            yield Finding(Level.NOTE, name, "not installed", (use,))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _kernel_cache() -> Finding:
    folder = cache_folder()
    if folder is not None:
        return Finding(Level.OK, "compiled kernels", f"are kept in {folder}")
    return Finding(
        Level.WARNING,
        "compiled kernels",
        "no folder is writable: signal processing is compiled at every start, about ten seconds",
        ("export NUMBA_CACHE_DIR=/a/folder/that/can/be/written",),
    )


def _librtlsdr() -> Finding:
    subject = "RTL-SDR driver"
    advice = (
        "pip install --force-reinstall pyrtlsdr pyrtlsdrlib    # brings its own library on most machines",
        "sudo apt install rtl-sdr                              # else that of the system",
    )
    try:
        importlib.import_module("rtlsdr")
    except ImportError as error:
        return Finding(Level.WARNING, subject, f"cannot be loaded: {error}", advice)
    except Exception as error:  # a library too old lacks a function that pyrtlsdr asks for
        return Finding(Level.WARNING, subject, f"does not fit pyrtlsdr: {error}", advice)
    return Finding(Level.OK, subject, f"pyrtlsdr {_version('pyrtlsdr')} with {loaded_library('librtlsdr')}")


def loaded_library(name: str) -> str:
    """Return the file that a shared library was loaded from, as far as the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            path = line.partition("/")[2]
            if name in path.rpartition("/")[2]:
                return f"/{path}"
    return name


def _soapy() -> Finding:
    subject = "SoapySDR"
    try:
        module = load_soapysdr()
    except DeviceNotFound as error:
        return Finding(
            Level.NOTE,
            subject,
            f"{error} (only radios other than RTL-SDR need it)",
            ("sudo apt install python3-soapysdr soapysdr-module-all",),
        )
    return Finding(Level.OK, subject, f"{module.getLibVersion()}, from {module.__file__}")


def _hackrf() -> Finding:
    program = shutil.which("hackrf_transfer")
    if program:
        return Finding(Level.OK, "HackRF tools", program)
    return Finding(
        Level.NOTE,
        "HackRF tools",
        "not installed (only transmitting with a HackRF needs them)",
        ("sudo apt install hackrf",),
    )
