"""rtl_tcp client: a dongle on another computer.

    server → client, once   "RTL0", tuner type u32, number of gains u32      big endian
    server → client, then   I, Q as u8 …
    client → server         command u8, parameter u32

Source: rtl_tcp of librtlsdr.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

import numpy as np

from sdr.errors import DeviceLost, DeviceNotFound, UsageError
from sdr.radio.gain import TUNERS, gain_words, nearest_gain
from sdr.radio.source import Deliver, Tuning
from sdr.sample_format import SampleFormat

DEFAULT_PORT = 1234
_MAGIC = b"RTL0"
_CONNECT_S = 5.0
_POLL_S = 0.5
_STALE_S = 0.2
_READ_BYTES = 1 << 16

_SET_CENTER, _SET_RATE, _SET_GAIN_MODE, _SET_GAIN = 0x01, 0x02, 0x03, 0x04
_SET_AGC, _SET_BIAS_TEE = 0x08, 0x0E


class RtlTcpSource:
    """A dongle behind rtl_tcp; see ``Source`` for the attributes.

    Args:
        uri: ``rtl_tcp://HOST[:PORT]``.
        tuning: how to set the dongle.

    Raises:
        DeviceNotFound: nobody answers there, or it is no rtl_tcp.
        UsageError: the address is none.
    """

    def __init__(self, uri: str, tuning: Tuning) -> None:
        self.uri = uri
        self.identity = uri
        self.sample_rate_hz = tuning.sample_rate_hz
        self.center_hz = tuning.center_hz
        self.sample_format = SampleFormat.CU8
        self.settings: list[str] = []
        self.can_wait = False
        self._tuning = tuning
        self._stopped = threading.Event()
        self._connect()

    def stream(self, deliver: Deliver) -> None:
        """Hand on samples as they come; see ``Source``."""
        if time.monotonic() - self._connected_s > _STALE_S:
            self._socket.close()  # the server has been sending all the time: begin with what is new
            try:
                self._connect()
            except DeviceNotFound as error:
                raise DeviceLost(str(error)) from error
        self._socket.settimeout(_POLL_S)
        odd = b""
        while not self._stopped.is_set():
            try:
                content = self._socket.recv(_READ_BYTES)
            except TimeoutError:
                continue
            except OSError as error:
                if self._stopped.is_set():
                    return
                raise DeviceLost(f"{self.uri}: {error.strerror or error}") from error
            if not content:
                if self._stopped.is_set():
                    return
                raise DeviceLost(f"{self.uri}: the server closed the connection")
            content = odd + content
            n_bytes = len(content) & ~1  # a TCP segment may end between I and Q
            odd = content[n_bytes:]
            if n_bytes:
                deliver(np.frombuffer(content, np.uint8, n_bytes), 0)

    def stop(self) -> None:
        """See ``Source``."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """See ``Source``."""
        self._socket.close()

    def _connect(self) -> None:
        host, port = _address(self.uri)
        try:
            self._socket = socket.create_connection((host, port), _CONNECT_S)
        except OSError as error:
            raise DeviceNotFound(
                f"{self.uri}: {error.strerror or error}; is rtl_tcp running there, "
                f"started with 'rtl_tcp -a 0.0.0.0 -p {port}'?"
            ) from error
        self._connected_s = time.monotonic()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._set_up(self._greeting(), self._tuning)
        except BaseException:
            self._socket.close()
            raise

    def _greeting(self) -> int:
        """Read the header; return the tuner type."""
        header = b""
        try:
            while len(header) < 12:
                content = self._socket.recv(12 - len(header))
                if not content:
                    break
                header += content
        except OSError:
            header = b""
        if len(header) < 12 or not header.startswith(_MAGIC):
            raise DeviceNotFound(
                f"{self.uri}: answers, but not as rtl_tcp does (perhaps somebody else is connected to it)"
            )
        tuner_type: int = struct.unpack(">I", header[4:8])[0]
        return tuner_type

    def _set_up(self, tuner_type: int, tuning: Tuning) -> None:
        tuner, gains = TUNERS.get(tuner_type, (f"of unknown type {tuner_type}", ()))
        self.settings[:] = [f"tuner {tuner}"]
        self._command(_SET_RATE, round(tuning.sample_rate_hz))
        self._command(_SET_CENTER, round(tuning.center_hz))
        self._command(_SET_AGC, int(tuning.agc))
        if tuning.gain_db is None:
            self._command(_SET_GAIN_MODE, 0)
            self.settings.append("gain automatic")
        else:
            gain_db = nearest_gain(tuning.gain_db, [tenths / 10 for tenths in gains])
            self._command(_SET_GAIN_MODE, 1)
            self._command(_SET_GAIN, round(10 * gain_db))
            self.settings.append(gain_words(tuning.gain_db, gain_db))
        if tuning.bias_tee:
            self._command(_SET_BIAS_TEE, 1)
            self.settings.append("bias tee on")

    def _command(self, number: int, parameter: int) -> None:
        try:
            self._socket.sendall(struct.pack(">BI", number, parameter & 0xFFFFFFFF))
        except OSError as error:
            raise DeviceNotFound(f"{self.uri}: {error.strerror or error}") from error


def _address(uri: str) -> tuple[str, int]:
    try:
        parts = urlsplit(uri.removeprefix("rtl_tcp:"))  # a scheme has no underscore
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--device {uri}: {error}") from None
    if not parts.hostname or port == 0:
        raise UsageError(f"--device {uri}: write it like rtl_tcp://192.168.1.20:{DEFAULT_PORT}")
    return parts.hostname, port or DEFAULT_PORT
