"""Any radio that SoapySDR has a driver for; its Python module is loaded only here.

    --device soapy:driver=airspy          the arguments are SoapySDR's own, key=value,key=value

SoapySDR tells of an overflow, not
of its size: where samples carry hardware time, that tells it, else one sample is counted and the clock of
arrivals tells the rest.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from sdr.errors import DeviceLost, DeviceNotFound, UsageError
from sdr.radio.gain import gain_words
from sdr.radio.source import Deliver, RadioInfo, Tuning
from sdr.sample_format import SampleFormat
from sdr.soapy_library import load_soapysdr

SCHEME = "soapy"
_FORMATS = {  # the first that the radio offers: whole numbers are what most radios have
    "CS16": SampleFormat.CS16,
    "CS8": SampleFormat.CS8,
    "CU8": SampleFormat.CU8,
    "CF32": SampleFormat.CF32,
}
_TIMEOUT_US = 200_000
_PIECE_S = 0.0137


def list_soapy() -> list[RadioInfo]:
    """Return the radios that SoapySDR finds.

    Raises:
        DeviceNotFound: SoapySDR is not installed.
    """
    found = []
    for result in load_soapysdr().Device.enumerate():
        facts = dict(result)
        keys = [key for key in ("driver", "serial") if facts.get(key)]
        uri = f"{SCHEME}:" + ",".join(f"{key}={facts[key]}" for key in keys)
        name = facts.get("label") or facts.get("device") or facts.get("driver", "")
        found.append(RadioInfo(uri, name, facts.get("serial", "")))
    return found


class SoapySource:
    """A radio behind SoapySDR; see ``Source`` for the attributes.

    Args:
        uri: ``soapy:ARGS``.
        tuning: how to set it.

    Raises:
        DeviceNotFound: SoapySDR or the radio is not there, or does not take the tuning.
        UsageError: the arguments are none.
    """

    def __init__(self, uri: str, tuning: Tuning) -> None:
        self.uri = uri
        self.settings: list[str] = []
        self.can_wait = False
        self._stopped = threading.Event()
        self._soapy = load_soapysdr()
        arguments = _arguments(uri)
        try:
            self._device = self._soapy.Device(arguments)
        except Exception as error:  # SoapySDR raises RuntimeError, its drivers what they like
            raise DeviceNotFound(f"{uri}: cannot be opened: {error}") from error
        self._stream: Any = None
        try:
            self._set_up(tuning)
        except Exception as error:
            self.close()
            raise DeviceNotFound(f"{uri}: does not take its settings: {error}") from error
        serial = arguments.get("serial") or dict(self._device.getHardwareInfo()).get("serial", "")
        self.identity = f"{SCHEME}:{self._device.getDriverKey()}:{serial}" if serial else ""

    def _set_up(self, tuning: Tuning) -> None:
        device, rx = self._device, self._soapy.SOAPY_SDR_RX
        self.settings.append(device.getHardwareKey() or device.getDriverKey())
        device.setSampleRate(rx, 0, tuning.sample_rate_hz)
        device.setFrequency(rx, 0, tuning.center_hz)
        if tuning.gain_db is None:
            if device.hasGainMode(rx, 0):
                device.setGainMode(rx, 0, True)
                self.settings.append("gain automatic")
            else:
                self.settings.append(f"gain {device.getGain(rx, 0):.1f} dB, as it stands (no automatic)")
        else:
            if device.hasGainMode(rx, 0):
                device.setGainMode(rx, 0, False)
            device.setGain(rx, 0, tuning.gain_db)
            self.settings.append(gain_words(tuning.gain_db, device.getGain(rx, 0)))
        if tuning.bias_tee:
            names = [info.key for info in device.getSettingInfo() if "bias" in info.key.lower()]
            for name in names:
                device.writeSetting(name, "true")
            self.settings.append("bias tee on" if names else "this radio has no bias tee")
        if tuning.agc:
            self.settings.append("AGC is a setting of RTL-SDR dongles and was left alone")
        self.sample_rate_hz = float(device.getSampleRate(rx, 0))
        self.center_hz = float(device.getFrequency(rx, 0))
        name = self._choose_format()
        self.sample_format = _FORMATS[name]
        self._stream = device.setupStream(rx, name)

    def _choose_format(self) -> str:
        offered = self._device.getStreamFormats(self._soapy.SOAPY_SDR_RX, 0)
        return next((name for name in _FORMATS if name in offered), "CF32")

    def stream(self, deliver: Deliver) -> None:
        """See ``Source``."""
        soapy, device = self._soapy, self._device
        piece = max(1024, round(self.sample_rate_hz * _PIECE_S))
        expected_ns: float | None = None
        lost = 0
        self._check(device.activateStream(self._stream))
        try:
            while not self._stopped.is_set():
                raw = np.empty(2 * piece, self.sample_format.dtype)
                result = device.readStream(self._stream, [raw], piece, timeoutUs=_TIMEOUT_US)
                if result.ret == soapy.SOAPY_SDR_TIMEOUT:
                    continue
                if result.ret == soapy.SOAPY_SDR_OVERFLOW:
                    lost = max(lost, 1)
                    continue
                self._check(result.ret)
                if not result.ret:
                    continue
                if result.flags & soapy.SOAPY_SDR_HAS_TIME:
                    if expected_ns is not None:
                        gap = round((result.timeNs - expected_ns) * 1e-9 * self.sample_rate_hz)
                        lost = max(lost, gap) if gap > 1 else lost
                    expected_ns = result.timeNs + result.ret * 1e9 / self.sample_rate_hz
                deliver(raw[: 2 * result.ret], lost)
                lost = 0
        finally:
            device.deactivateStream(self._stream)

    def _check(self, code: int) -> None:
        if code < 0:
            raise DeviceLost(f"{self.uri}: the driver says: {self._soapy.errToStr(code)} ({code})")

    def stop(self) -> None:
        """See ``Source``."""
        self._stopped.set()

    def close(self) -> None:
        """See ``Source``."""
        if self._stream is not None:
            self._device.closeStream(self._stream)
            self._stream = None
        if self._device is not None:
            self._device.close()  # not left to the garbage collector: the next opening must find it free
            self._device = None


def _arguments(uri: str) -> dict[str, str]:
    text = uri.partition(":")[2]
    arguments = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"--device {uri}: write soapy:key=value,key=value, such as soapy:driver=hackrf")
        arguments[key.strip()] = value.strip()
    return arguments
