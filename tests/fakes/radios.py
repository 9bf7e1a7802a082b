"""Fake radios as a test sees them: real drivers over devices that play a file.

rtlsdr         unmodified pyrtlsdr over the fake librtlsdr.so
soapy          unmodified SoapySDR with a plug-in
rtl_tcp        a server in Python
rtl_tcp_debian the distribution's rtl_tcp over the fake librtlsdr.so.0
"""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fakes.building import compile_shared, missing, need_program

from sdr.errors import DeviceNotFound
from sdr.soapy_library import load_soapysdr

_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class FakeDongle:
    """A folder that the fake library plays from and writes to.

    Attributes:
        folder: of ``samples.cu8``, ``control`` and ``events``.
        environment: variables under which a program finds the fake.
    """

    folder: Path
    environment: dict[str, str]

    def control(self, *words: str) -> None:
        """Make faults, or end them."""
        fresh = self.folder / "control.new"
        fresh.write_text(" ".join(words) + "\n", encoding="ascii")
        fresh.replace(self.folder / "control")

    @property
    def events(self) -> list[str]:
        """What was asked of it, in order."""
        path = self.folder / "events"
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []


def fake_dongle(libraries: Path, folder: Path, samples: Path | None = None) -> FakeDongle:
    """Build the fake library, once a session, and make a dongle that plays a recording."""
    library = compile_shared("librtlsdr.c", libraries / "rtlsdr" / "librtlsdr.so", ["-lm"])
    versioned = library.with_name("librtlsdr.so.0")
    if not versioned.exists():
        versioned.symlink_to(library.name)
    hidden = libraries / "without_pyrtlsdrlib"  # the bundled library would be preferred
    hidden.mkdir(exist_ok=True)
    (hidden / "pyrtlsdrlib.py").write_text("raise ImportError\n", encoding="ascii")
    folder.mkdir(parents=True, exist_ok=True)
    if samples is not None:
        (folder / "samples.cu8").symlink_to(samples)
    return FakeDongle(
        folder,
        {
            "LD_LIBRARY_PATH": str(library.parent),
            "OMSDR_FAKE_RTL": str(folder),
            "OMSDR_FIRST_PATH": str(hidden),
        },
    )


def fake_soapy(libraries: Path, folder: Path, samples: Path) -> dict[str, str]:
    """Build the plug-in, once a session; return the environment of a radio that plays a recording."""
    try:
        load_soapysdr()
    except DeviceNotFound as error:
        missing(str(error))
    plugins = libraries / "soapy_rx"
    compile_shared("soapy_receiver.cpp", plugins / "libreceiver.so", ["-lSoapySDR"])
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "SOAPY_SDR_PLUGIN_PATH": str(plugins),
        "OMSDR_FAKE_SOAPY": str(folder),
        "OMSDR_FAKE_SAMPLES": str(samples),
    }


@dataclass(slots=True)
class RtlTcpServer:
    """An rtl_tcp server that plays a recording to one client after another, then noise.

    Attributes:
        samples: what it plays.
        commands: what clients asked for: number and parameter.
        greeting: what it says first.
        hang_up_after: bytes after which it closes each connection; None for never.
    """

    samples: bytes
    rate_hz: float = 2.4e6
    greeting: bytes = b"RTL0" + struct.pack(">II", 5, 29)
    commands: list[tuple[int, int]] = field(default_factory=list)
    hang_up_after: int | None = None
    _socket: socket.socket = field(default_factory=socket.socket)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def uri(self) -> str:
        """What ``--device`` calls it."""
        return f"rtl_tcp://127.0.0.1:{self._socket.getsockname()[1]}"

    @contextmanager
    def running(self) -> Iterator[RtlTcpServer]:
        """Serve until the end of the block."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1)
        self._socket.settimeout(0.1)
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join(_PATIENCE_S)
            self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            with client:
                try:
                    self._play(client)
                except OSError:
                    continue

    def _play(self, client: socket.socket) -> None:
        client.settimeout(5.0)
        client.sendall(self.greeting)
        started_s = time.monotonic()
        listener = threading.Thread(target=self._listen, args=(client,), daemon=True)
        listener.start()
        position, size = 0, 19_999  # odd: segments that end between I and Q
        while not self._ended.is_set():
            piece = self.samples[position : position + size]
            piece += bytes([127, 128] * size)[: size - len(piece)] if position % 2 == 0 else b""
            if not piece:
                piece = bytes([128, 127] * size)[:size]
            client.sendall(piece)
            position += len(piece)
            if self.hang_up_after is not None and position >= self.hang_up_after:
                client.shutdown(socket.SHUT_RDWR)  # closing alone waits for the listener
                return
            time.sleep(max(0.0, started_s + position / 2 / self.rate_hz - time.monotonic()))

    def _listen(self, client: socket.socket) -> None:
        rest = b""
        while not self._ended.is_set():
            try:
                content = client.recv(4096)
            except OSError:
                return
            if not content:
                return
            rest += content
            while len(rest) >= 5:
                number, parameter = struct.unpack(">BI", rest[:5])
                self.commands.append((number, parameter))
                rest = rest[5:]


@contextmanager
def debian_rtl_tcp(dongle: FakeDongle) -> Iterator[str]:
    """Run the distribution's unmodified rtl_tcp over a fake dongle; yield what ``--device`` calls it."""
    program = need_program("rtl_tcp")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, "-a", "127.0.0.1", "-p", str(port)],
        env={**dongle.environment, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + _PATIENCE_S
        while not _is_listening(port):  # it keeps what it prints to itself, and takes one client
            assert process.poll() is None and time.monotonic() < until, "rtl_tcp does not listen"
            time.sleep(0.05)
        yield f"rtl_tcp://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _is_listening(port: int) -> bool:
    rows = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows)
