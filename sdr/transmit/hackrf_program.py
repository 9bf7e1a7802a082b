"""A HackRF through its own program: each burst is a file of bounded length for ``hackrf_transfer``.

The program ends by itself at the end of the file, switches the transmitter off on SIGINT and SIGTERM,
and gets SIGTERM when this process dies (guard.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sdr.errors import DeviceLost, DeviceNotFound
from sdr.sample_format import SampleFormat
from sdr.transmit.burst import IqBurst, SendReport
from sdr.transmit.guard import child_environment, guarded
from sdr.transmit.hackrf_burst import padded_bytes
from sdr.transmit.settings import START_S, RadioSettings

PROGRAM = "hackrf_transfer"

_NOT_OPENED = re.compile(r"hackrf_open\w*\(\) failed: (\S+)")
# Firmware before 2022.09 does not count underruns, which is no failure.
_FAILED = re.compile(r"hackrf_(?!get_m0_state)\w+\(\) failed: .+|Couldn't transfer any bytes.*")
_UNDERRUNS = re.compile(r"(\d+) underruns?")
_TRANSFERRED = re.compile(r"^ *([0-9.]+) MiB /", re.MULTILINE)
_MIB = 1 << 20
_ROUNDED_MIB = 0.05
_STOP_S = 3.0


class HackrfProgram:
    """Sends each burst by one run of ``hackrf_transfer``.

    Args:
        settings: gain, filter, which HackRF.

    Raises:
        DeviceNotFound: the program is not installed.
    """

    sample_format = SampleFormat.CS8
    radiates = True
    half_duplex = True

    def __init__(self, settings: RadioSettings) -> None:
        found = shutil.which(PROGRAM)
        if found is None:
            raise DeviceNotFound(f"{PROGRAM} is not installed; on Debian: apt install hackrf")
        self.name = "hackrf" + (f":{settings.address}" if settings.address else "")
        self.most_reduction_db = int(settings.gain_db)
        self._program = found
        self._settings = settings
        usage = subprocess.run([found, "-h"], capture_output=True, text=True, check=False)
        self._has_statistics = "[-B]" in usage.stdout + usage.stderr

    def send(self, burst: IqBurst) -> SendReport:
        """Send one burst.

        Raises:
            DeviceNotFound: there is no such HackRF, or it is in use.
            DeviceLost: it did not take all of the burst.
        """
        content = padded_bytes(burst)
        with tempfile.TemporaryDirectory(prefix="omsdr-") as folder:
            path = Path(folder) / "burst.cs8"
            path.write_bytes(content)
            limit_s = START_S + len(content) / 2.0 / burst.sample_rate_hz
            started_at = datetime.now(UTC)
            output, code = self._run(self._command(path, burst), limit_s)
            ended_at = datetime.now(UTC)
        if (opened := _NOT_OPENED.search(output)) is not None:
            raise DeviceNotFound(f"{self.name} cannot be opened: {opened[1]}")
        failed = _FAILED.search(output)
        if code < 0:
            self._receive_briefly()
            raise DeviceLost(f"{self.name}: {PROGRAM} was killed by signal {-code}; switched off")
        if code or failed is not None:
            reason = failed[0].strip() if failed is not None else f"{PROGRAM} ended with {code}"
            raise DeviceLost(f"{self.name}: {reason}")
        self._check_complete(output, len(content.rstrip(b"\0")))
        counted = _UNDERRUNS.findall(output)
        return SendReport(started_at, ended_at, int(counted[-1]) if counted else None)

    def _check_complete(self, output: str, n_bytes: int) -> None:
        """Compare what the program says has left, in tenths of MiB each second, with the burst."""
        if not self._has_statistics:
            return
        left = [float(mib) + _ROUNDED_MIB for mib in _TRANSFERRED.findall(output)]
        if sum(left) * _MIB < n_bytes:
            raise DeviceLost(f"{self.name}: less than the {n_bytes} bytes of the burst have left")

    def close(self) -> None:
        """Do nothing: between bursts no program runs."""

    def _command(self, path: Path, burst: IqBurst) -> list[str]:
        settings = self._settings
        return [
            self._program,
            *("-t", str(path)),
            *("-f", f"{burst.center_hz:.0f}"),
            *("-s", f"{burst.sample_rate_hz:.0f}"),
            *("-b", f"{settings.bandwidth_hz:.0f}"),
            *("-x", f"{settings.gain_db - burst.gain_reduction_db:.0f}"),
            *("-a", "1" if settings.amplifier else "0"),
            *(("-d", settings.address) if settings.address else ()),
            *(("-B",) if self._has_statistics else ()),
        ]

    def _run(self, command: list[str], limit_s: float) -> tuple[str, int]:
        """Run it to its end, which comes within ``limit_s`` or is made to come."""
        process = subprocess.Popen(
            guarded(command),
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            output, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            self._stop(process)
            raise DeviceLost(f"{self.name} did not finish within {limit_s:.1f} s; switched off") from None
        except BaseException:
            self._stop(process)
            raise
        return output, process.returncode

    def _stop(self, process: subprocess.Popen[str]) -> None:
        """End the program so that it switches the transmitter off; by force if it does not listen."""
        process.terminate()
        try:
            process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self._receive_briefly()

    def _receive_briefly(self) -> None:
        """Let a new run of the program take the HackRF out of transmit mode: it receives one transfer."""
        address = ("-d", self._settings.address) if self._settings.address else ()
        command = [self._program, "-r", "/dev/null", "-n", "131072", *address]
        try:
            subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_STOP_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise DeviceLost(f"{self.name} does not answer: unplug it") from None
