"""Fake transmitters as a test sees them: switched on by the environment, read out through their folder.

hackrf program    unmodified hackrf_transfer over the fake libhackrf.so.0
hackrf library    libhackrf.so.0 loaded by omsdr itself
soapy             unmodified SoapySDR with a plug-in
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fakes.building import compile_shared, missing, need_program

from dsp.arrays import ComplexArray
from sdr.errors import DeviceNotFound
from sdr.sample_format import SampleFormat, to_complex
from sdr.soapy_library import load_soapysdr

KINDS = ("program", "library", "soapy")

CONFIG = """
[transmit]
country_plan = "CEPT"
band = ["A", "B"]
max_erp_dbm = 5
cable_loss_db = 0.5
antenna_gain_dbi = 2.15
ledger = "{ledger}"
[transmit.hackrf]
output_dbm = -20
clock_tolerance_ppm = 1
{via}
[transmit.soapy]
output_dbm = -20
clock_tolerance_ppm = 1
"""


@dataclass(frozen=True, slots=True)
class FakeTransmitter:
    """One fake radio and where it keeps what it did.

    Attributes:
        kind: one of ``KINDS``.
        device: what ``--device`` calls it.
        folder: of ``events``, ``state`` and what was sent.
        config: configuration file that permits its use.
        environment: variables under which a program finds it.
    """

    kind: str
    device: str
    folder: Path
    config: Path
    environment: dict[str, str]

    @property
    def events(self) -> list[str]:
        """What was asked of it, in order."""
        path = self.folder / "events"
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []

    @property
    def is_on(self) -> bool:
        """Whether it is in transmit mode."""
        path = self.folder / "state"
        return path.exists() and path.read_text(encoding="ascii") == "tx"

    @property
    def sent_path(self) -> Path:
        """Samples that left, as a raw recording."""
        return self.folder / ("tx.cf32" if self.kind == "soapy" else "tx.cs8")

    def sent_samples(self) -> ComplexArray:
        """Samples that left."""
        sample_format = SampleFormat.CF32 if self.kind == "soapy" else SampleFormat.CS8
        if not self.sent_path.exists():
            return np.zeros(0, dtype=np.complex64)
        return to_complex(np.fromfile(self.sent_path, dtype=sample_format.dtype), sample_format)

    def clear(self) -> None:
        """Forget what was sent and what the ledger holds."""
        for path in self.folder.iterdir():
            path.unlink()


def build(kind: str, libraries: Path, folder: Path) -> FakeTransmitter:
    """Compile what is not compiled yet, and make a radio.

    Args:
        kind: one of ``KINDS``.
        libraries: folder for what is compiled, the same in a whole test session.
        folder: of this radio.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder.parent / f"{folder.name}.toml"
    via = "" if kind == "soapy" else f'via = "{kind}"'
    config.write_text(CONFIG.format(ledger=folder / "ledger.jsonl", via=via), encoding="utf-8")
    if kind == "soapy":
        try:
            load_soapysdr()
        except DeviceNotFound as error:
            missing(str(error))
        plugins = libraries / "soapy"
        compile_shared("soapy_transmitter.cpp", plugins / "libtransmitter.so", ["-lSoapySDR"])
        environment = {"SOAPY_SDR_PLUGIN_PATH": str(plugins), "OMSDR_FAKE_SOAPY": str(folder)}
        return FakeTransmitter(kind, "soapy:driver=omsdr_tx", folder, config, environment)
    if kind == "program":
        need_program("hackrf_transfer")
    target = libraries / "libhackrf.so.0"
    compile_shared("libhackrf.c", target, ["-Wl,-soname,libhackrf.so.0"])
    environment = {"LD_LIBRARY_PATH": str(libraries), "OMSDR_FAKE_HACKRF": str(folder)}
    return FakeTransmitter(kind, "hackrf", folder, config, environment)
