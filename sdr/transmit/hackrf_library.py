"""A HackRF through libhackrf, inside the worker process.

The library asks for transfers in a thread of its own. It gets the burst, then silence until the burst
must have left (every transfer that was under way has come back for more), then the refusal to go on;
what is asked for is bounded, so that the transmitter falls silent whatever else happens.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import threading
from typing import Any

from sdr.errors import DeviceLost, DeviceNotFound
from sdr.transmit.hackrf_burst import QUEUED_TRANSFERS, TRANSFER_BYTES
from sdr.transmit.settings import START_S, RadioSettings

_NAMES = ("libhackrf.so.0", "libhackrf.0.dylib", "libhackrf.dylib", "hackrf.dll")
_SUCCESS = 0


class _Transfer(ctypes.Structure):
    _fields_ = (
        ("device", ctypes.c_void_p),
        ("buffer", ctypes.c_void_p),
        ("buffer_length", ctypes.c_int),
        ("valid_length", ctypes.c_int),
        ("rx_ctx", ctypes.c_void_p),
        ("tx_ctx", ctypes.c_void_p),
    )


class _M0State(ctypes.Structure):
    _fields_ = (
        ("requested_mode", ctypes.c_uint16),
        ("request_flag", ctypes.c_uint16),
        *((name, ctypes.c_uint32) for name in ("active_mode", "m0_count", "m4_count", "num_shortfalls")),
        *((name, ctypes.c_uint32) for name in ("longest_shortfall", "shortfall_limit", "threshold")),
        *((name, ctypes.c_uint32) for name in ("next_mode", "error")),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Transfer))


def load_libhackrf() -> ctypes.CDLL:
    """Load the library.

    Raises:
        DeviceNotFound: it is not installed.
    """
    for name in (*_NAMES, ctypes.util.find_library("hackrf")):
        if name is not None:
            try:
                return ctypes.CDLL(name)
            except OSError:
                continue
    raise DeviceNotFound("libhackrf is not installed; on Debian: apt install libhackrf0")


class HackrfDriver:
    """One open HackRF.

    Args:
        settings: gain, filter, which HackRF.

    Raises:
        DeviceNotFound: no library, or no such HackRF, or it is in use.
    """

    def __init__(self, settings: RadioSettings) -> None:
        self._settings = settings
        self._library = load_libhackrf()
        self._library.hackrf_error_name.restype = ctypes.c_char_p
        self._device = ctypes.c_void_p()
        serial = settings.address.encode("ascii", "replace") or None
        self._library.hackrf_init()
        code = self._library.hackrf_open_by_serial(serial, ctypes.byref(self._device))
        if code != _SUCCESS:
            self._library.hackrf_exit()
            raise DeviceNotFound(f"the HackRF cannot be opened: {self._error(code)}")

    def send(
        self, content: bytes, sample_rate_hz: float, center_hz: float, gain_reduction_db: float
    ) -> int | None:
        """Send whole transfers of cs8 samples; return the number of underruns, None if unknown.

        Raises:
            DeviceLost: the HackRF refused, or did not take all of it in time.
        """
        self._tune(sample_rate_hz, center_hz, self._settings.gain_db - gain_reduction_db)
        feed = _Feed(content)
        callback = _Callback(feed.fill)
        try:
            self._call("hackrf_start_tx", callback, None)
            limit_s = START_S + feed.n_bytes / 2.0 / sample_rate_hz
            if not feed.finished.wait(limit_s):
                raise DeviceLost(f"the HackRF took {feed.taken} of {feed.n_bytes} bytes in {limit_s:.1f} s")
            return self._shortfalls()
        finally:
            self.reset()

    def reset(self) -> None:
        """Take the HackRF out of transmit mode."""
        self._library.hackrf_stop_tx(self._device)

    def close(self) -> None:
        """Switch off and release the HackRF; a second call does nothing."""
        if self._device:
            self.reset()
            self._library.hackrf_close(self._device)
            self._device = ctypes.c_void_p()
            self._library.hackrf_exit()

    def _tune(self, sample_rate_hz: float, center_hz: float, gain_db: float) -> None:
        settings = self._settings
        self._call("hackrf_set_sample_rate", ctypes.c_double(sample_rate_hz))
        self._call("hackrf_set_baseband_filter_bandwidth", ctypes.c_uint32(round(settings.bandwidth_hz)))
        self._call("hackrf_set_freq", ctypes.c_uint64(round(center_hz)))
        self._call("hackrf_set_amp_enable", ctypes.c_uint8(settings.amplifier))
        self._call("hackrf_set_antenna_enable", ctypes.c_uint8(0))
        self._call("hackrf_set_txvga_gain", ctypes.c_uint32(math.floor(gain_db)))

    def _shortfalls(self) -> int | None:
        read = getattr(self._library, "hackrf_get_m0_state", None)
        state = _M0State()
        if read is None or read(self._device, ctypes.byref(state)) != _SUCCESS:
            return None
        return int(state.num_shortfalls)

    def _call(self, name: str, *arguments: Any) -> None:  # noqa: ANN401 (as C takes them)
        code = getattr(self._library, name)(self._device, *arguments)
        if code != _SUCCESS:
            raise DeviceLost(f"{name}: {self._error(code)}")

    def _error(self, code: int) -> str:
        name = self._library.hackrf_error_name(code)
        return f"{name.decode('ascii', 'replace') if name else 'error'} ({code})"


class _Feed:
    """Hands out the content, then bounded silence, then nothing."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        # a transfer has left when as many as may be under way have been asked for behind it
        self.n_bytes = len(content) + (QUEUED_TRANSFERS + 1) * TRANSFER_BYTES
        self.taken = 0
        self.finished = threading.Event()

    def fill(self, transfer: Any) -> int:  # noqa: ANN401 (a ctypes pointer)
        """Fill one transfer, in the library's thread."""
        if self.taken >= self.n_bytes:
            self.finished.set()
            return -1
        length = int(transfer.contents.buffer_length)
        piece = self._content[self.taken : self.taken + length]
        ctypes.memmove(transfer.contents.buffer, piece.ljust(length, b"\0"), length)
        transfer.contents.valid_length = length
        self.taken += length
        return 0
