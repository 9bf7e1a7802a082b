"""RTL-SDR dongles through pyrtlsdr (GPL-3, imported only here and only when one is asked for).

The driver calls back from its own queue of USB transfers, so that nothing is lost between two reads.
It has one way to fail that it does not tell: it returns. Frequency errors are corrected in the receive
chain, to a fraction of a ppm, not in the driver, which knows whole ppm only.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from collections import Counter
from typing import Any

import numpy as np

from sdr.errors import DeviceLost, DeviceNotFound, UsageError
from sdr.radio.gain import TUNERS, gain_words, nearest_gain
from sdr.radio.source import Deliver, RadioInfo, Tuning
from sdr.sample_format import SampleFormat

SCHEME = "rtlsdr"
# About 13 ms at 2.4 MS/s: short enough for quick telegrams, long enough for few calls.
_TRANSFER_BYTES = 1 << 16
_TRANSFERS = 32
_STRING_BYTES = 256
_BUSY, _ACCESS, _NO_DEVICE = -6, -3, -4


def list_rtlsdr() -> list[RadioInfo]:
    """Return the dongles that are plugged in.

    Raises:
        DeviceNotFound: the driver cannot be loaded.
    """
    library = _driver().librtlsdr
    strings = [_usb_strings(library, index) for index in range(library.rtlsdr_get_device_count())]
    serials = Counter(serial for _, _, serial in strings)
    found = []
    for index, (maker, product, serial) in enumerate(strings):
        name = " ".join(filter(None, (maker, product)))
        name = name or library.rtlsdr_get_device_name(index).decode("utf-8", "replace")
        unique = bool(serial) and serials[serial] == 1
        remark = ""
        if serial and not unique:
            remark = (
                f"{serials[serial]} dongles have this serial: choose by index, "
                f"or give it a serial of its own with 'rtl_eeprom -d {index} -s NAME'"
            )
        uri = f"{SCHEME}:serial={serial}" if unique else f"{SCHEME}:{index}"
        found.append(RadioInfo(uri, name, serial, remark))
    return found


class RtlSdrSource:
    """A dongle on this computer; see ``Source`` for the attributes.

    Args:
        uri: ``rtlsdr[:INDEX|:serial=S]``.
        tuning: how to set it.

    Raises:
        DeviceNotFound: not there, busy, or not permitted; says what to do.
        UsageError: the address is none.
    """

    def __init__(self, uri: str, tuning: Tuning) -> None:
        self.uri = uri
        self.sample_format = SampleFormat.CU8
        self.settings: list[str] = []
        self.can_wait = False
        self._stopped = threading.Event()
        self._closing = threading.Lock()
        package = _driver()
        index = _index(uri, package.librtlsdr)
        serial = _usb_strings(package.librtlsdr, index)[2]
        self.identity = f"{SCHEME}:{serial}" if serial else ""
        try:
            self._device = package.RtlSdr(index)
        except OSError as error:
            raise DeviceNotFound(f"{uri}: {_reason(error, index)}") from error
        self._device.DEFAULT_ASYNC_BUF_NUMBER = _TRANSFERS
        try:
            self._set_up(tuning)
        except OSError as error:
            self._device.close()
            raise DeviceNotFound(f"{uri}: {_reason(error, index)}") from error

    def _set_up(self, tuning: Tuning) -> None:
        device = self._device
        self.settings.append(f"tuner {TUNERS.get(device.get_tuner_type(), ('unknown', ()))[0]}")
        device.set_sample_rate(tuning.sample_rate_hz)
        device.set_center_freq(tuning.center_hz)
        device.set_agc_mode(tuning.agc)
        if tuning.gain_db is None:
            device.set_gain("auto")
            self.settings.append("gain automatic")
        else:
            gain_db = nearest_gain(tuning.gain_db, device.valid_gains_db)
            device.set_gain(gain_db)
            self.settings.append(gain_words(tuning.gain_db, gain_db))
        if tuning.agc:
            self.settings.append("AGC on")
        if tuning.bias_tee:
            device.set_bias_tee(True)
            self.settings.append("bias tee on")
        self.sample_rate_hz = float(device.get_sample_rate())
        self.center_hz = tuning.center_hz

    def stream(self, deliver: Deliver) -> None:
        """See ``Source``."""

        def take(values: Any, _context: object) -> None:  # noqa: ANN401 (a ctypes array)
            deliver(np.frombuffer(values, np.uint8, len(values) & ~1).copy(), 0)

        if self._stopped.is_set():
            return
        try:
            self._device.read_bytes_async(take, _TRANSFER_BYTES)
        except OSError as error:
            if not self._stopped.is_set():
                raise DeviceLost(f"{self.uri}: {_reason(error, 0)}") from error
        if not self._stopped.is_set():
            raise DeviceLost(f"{self.uri}: the dongle stopped sending, as it does when it is unplugged")

    def stop(self) -> None:
        """See ``Source``."""
        self._stopped.set()
        with self._closing:
            if self._device.device_opened:
                try:
                    self._device.cancel_read_async()
                except OSError:  # it had ended by itself
                    return

    def close(self) -> None:
        """See ``Source``."""
        with self._closing:
            self._device.close()


def _driver() -> Any:  # noqa: ANN401 (a module without types)
    try:
        return importlib.import_module("rtlsdr")
    except Exception as error:  # whatever a library that does not fit makes of its import
        raise DeviceNotFound(
            f"the RTL-SDR driver cannot be loaded ({error}): install one with "
            "'pip install pyrtlsdr pyrtlsdrlib' or 'apt install librtlsdr0'; omsdr doctor tells more"
        ) from error


def _usb_strings(library: Any, index: int) -> tuple[str, str, str]:  # noqa: ANN401 (a ctypes library)
    """Return maker, product and serial, empty where they cannot be read."""
    buffers = [(ctypes.c_ubyte * _STRING_BYTES)() for _ in range(3)]
    if library.rtlsdr_get_device_usb_strings(index, *buffers):
        return "", "", ""
    texts = [bytes(buffer).partition(b"\0")[0].decode("utf-8", "replace") for buffer in buffers]
    return texts[0], texts[1], texts[2]


def _index(uri: str, library: Any) -> int:  # noqa: ANN401 (a ctypes library)
    """Find the dongle that is meant."""
    selector = uri.partition(":")[2]
    n_devices: int = library.rtlsdr_get_device_count()
    if not n_devices:
        raise DeviceNotFound(f"{uri}: no RTL-SDR dongle is plugged in (omsdr doctor looks closer)")
    if selector.startswith("serial="):
        wanted = selector.removeprefix("serial=")
        matches = [i for i in range(n_devices) if _usb_strings(library, i)[2] == wanted]
        if not matches:
            raise DeviceNotFound(
                f"{uri}: no dongle has this serial; omsdr receive --list shows those that are there"
            )
        if len(matches) > 1:
            numbers = ", ".join(map(str, matches))
            raise DeviceNotFound(
                f"{uri}: the dongles {numbers} all have this serial: choose by index, or give each a serial "
                f"of its own with 'rtl_eeprom -d {matches[0]} -s NAME'"
            )
        return matches[0]
    if selector and not selector.isdigit():
        raise UsageError(f"--device {uri}: write rtlsdr, rtlsdr:0 or rtlsdr:serial=00000001")
    index = int(selector or 0)
    if index >= n_devices:
        raise DeviceNotFound(f"{uri}: there are only {n_devices} dongles, counted from 0")
    return index


def _reason(error: OSError, index: int) -> str:
    """Say a driver's number in words, with the mend."""
    number = error.errno
    if number == _BUSY:
        return (
            "the dongle is busy: another program uses it, or the kernel's television driver holds it "
            "('sudo modprobe -r dvb_usb_rtl28xxu'; omsdr doctor tells how to keep it away)"
        )
    if number == _ACCESS:
        return "access denied: a udev rule is missing; omsdr doctor prints it"
    if number == _NO_DEVICE:
        return "the dongle was unplugged"
    return f"the driver says: {error}"
