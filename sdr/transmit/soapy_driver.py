"""Any SoapySDR transmitter, inside the worker process.

A burst is written with the end-of-burst flag on its last samples. Some drivers (the one for the HackRF
among them) collect samples and hold back what does not fill their buffers; silence in whole buffers
behind the burst pushes it out.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from sdr.errors import DeviceLost, DeviceNotFound
from sdr.soapy_library import load_soapysdr
from sdr.transmit.settings import LEAD_S, START_S, RadioSettings

_TIMEOUT_US = 100_000
_FREQUENCY_TOLERANCE_HZ = 100.0
_GAIN_TOLERANCE_DB = 0.5
_HOLDING_BACK = {"hackrf": 16}
"""Buffers that a driver may hold back, by its name."""


class SoapyDriver:
    """One open transmitter.

    Args:
        settings: gain, filter; ``address`` holds SoapySDR's arguments.

    Raises:
        DeviceNotFound: no SoapySDR, no such radio, or it cannot transmit.
    """

    def __init__(self, settings: RadioSettings) -> None:
        self._soapy = soapy = load_soapysdr()
        self._settings = settings
        self._stream: Any = None
        try:
            self._device = soapy.Device(settings.address)
            if self._device.getNumChannels(soapy.SOAPY_SDR_TX) < 1:
                raise DeviceNotFound(f"soapy:{settings.address} cannot transmit")
            self._key = str(self._device.getDriverKey()).lower()
        except RuntimeError as error:
            raise DeviceNotFound(f"soapy:{settings.address} cannot be opened: {error}") from error

    def send(
        self, content: bytes, sample_rate_hz: float, center_hz: float, gain_reduction_db: float
    ) -> int | None:
        """Send cf32 samples; return the number of underruns that the driver tells.

        Raises:
            DeviceLost: the radio refused, or did not take all of it in time.
        """
        samples = np.frombuffer(content, dtype=np.complex64)
        try:
            self._tune(sample_rate_hz, center_hz, self._settings.gain_db - gain_reduction_db)
            mtu = max(1, int(self._device.getStreamMTU(self._stream)))
            lead = math.ceil(LEAD_S * sample_rate_hz)
            length = -(-(lead + samples.size) // mtu) * mtu + _HOLDING_BACK.get(self._key, 1) * mtu
            padded = np.zeros(length, dtype=np.complex64)
            padded[lead : lead + samples.size] = samples
            self._device.activateStream(self._stream)
            deadline_s = time.monotonic() + START_S + length / sample_rate_hz
            underruns = self._write(padded, mtu, deadline_s)
            return underruns + self._drain(deadline_s)
        except RuntimeError as error:
            raise DeviceLost(f"soapy:{self._settings.address}: {error}") from error
        finally:
            self.close()

    def reset(self) -> None:
        """Take the radio out of transmit mode."""
        try:
            self._stream = self._device.setupStream(self._soapy.SOAPY_SDR_TX, "CF32")
        except RuntimeError as error:
            raise DeviceLost(f"soapy:{self._settings.address}: {error}") from error
        self.close()

    def close(self) -> None:
        """Switch the transmitter off and release its stream; a second call does nothing."""
        if self._stream is not None:
            self._device.deactivateStream(self._stream)
            self._device.closeStream(self._stream)
            self._stream = None

    def _tune(self, sample_rate_hz: float, center_hz: float, gain_db: float) -> None:
        soapy, device, settings = self._soapy, self._device, self._settings
        device.setSampleRate(soapy.SOAPY_SDR_TX, 0, sample_rate_hz)
        actual_hz = device.getSampleRate(soapy.SOAPY_SDR_TX, 0)
        if abs(actual_hz - sample_rate_hz) > 1e-6 * sample_rate_hz:
            raise DeviceLost(f"the radio makes {actual_hz:.0f} samples/s of {sample_rate_hz:.0f}; see --rate")
        if any(True for _ in device.getBandwidthRange(soapy.SOAPY_SDR_TX, 0)):
            device.setBandwidth(soapy.SOAPY_SDR_TX, 0, settings.bandwidth_hz)
        device.setFrequency(soapy.SOAPY_SDR_TX, 0, center_hz)
        device.setGain(soapy.SOAPY_SDR_TX, 0, gain_db)
        # Some drivers quietly set what they can instead; a driver that tells nothing says 0.
        actual_hz = device.getFrequency(soapy.SOAPY_SDR_TX, 0)
        if actual_hz and abs(actual_hz - center_hz) > _FREQUENCY_TOLERANCE_HZ:
            raise DeviceLost(f"the radio tunes to {actual_hz:.0f} Hz instead of {center_hz:.0f} Hz")
        actual_db = device.getGain(soapy.SOAPY_SDR_TX, 0)
        if actual_db > gain_db + _GAIN_TOLERANCE_DB:
            raise DeviceLost(f"the radio sets a gain of {actual_db:g} dB instead of {gain_db:g} dB")
        self._stream = device.setupStream(soapy.SOAPY_SDR_TX, "CF32")

    def _write(self, samples: np.ndarray[Any, Any], mtu: int, deadline_s: float) -> int:
        soapy = self._soapy
        written = underruns = 0
        while written < samples.size:
            if time.monotonic() > deadline_s:
                raise DeviceLost(f"the radio took {written} of {samples.size} samples in time")
            piece = samples[written : written + mtu]
            flags = soapy.SOAPY_SDR_END_BURST if written + piece.size == samples.size else 0
            result = self._device.writeStream(self._stream, [piece], piece.size, flags, timeoutUs=_TIMEOUT_US)
            if result.ret >= 0:
                written += result.ret
            elif result.ret == soapy.SOAPY_SDR_UNDERFLOW:
                underruns += 1
            elif result.ret != soapy.SOAPY_SDR_TIMEOUT:
                raise DeviceLost(f"the radio stopped taking samples: {soapy.errToStr(result.ret)}")
        return underruns

    def _drain(self, deadline_s: float) -> int:
        """Wait until the radio says that the burst is over, or has nothing more to say."""
        soapy = self._soapy
        underruns = 0
        while time.monotonic() < deadline_s:
            status = self._device.readStreamStatus(self._stream, timeoutUs=_TIMEOUT_US)
            if status.ret == soapy.SOAPY_SDR_UNDERFLOW:
                underruns += 1
            elif status.flags & soapy.SOAPY_SDR_END_BURST or status.ret < 0:
                break
        return underruns
