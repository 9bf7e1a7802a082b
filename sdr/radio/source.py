"""What every radio can do: stream samples until told to stop.

RTL-SDR (its driver calls back)   rtl_tcp   SoapySDR   file or standard input, paced
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dsp.arrays import RawArray
from sdr.sample_format import SampleFormat

Deliver = Callable[[RawArray, int], None]
"""Takes stored values I, Q, I, Q… [2n] and how many samples were lost before them. Never raises."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a radio is set.

    Attributes:
        sample_rate_hz: samples per second.
        center_hz: middle of the span.
        gain_db: tuner gain, snapped to what the tuner can; None lets the tuner choose.
        agc: automatic level behind the converter of an RTL-SDR.
        bias_tee: supply an amplifier through the antenna socket.
    """

    sample_rate_hz: float
    center_hz: float
    gain_db: float | None = None
    agc: bool = False
    bias_tee: bool = False


@dataclass(frozen=True, slots=True)
class RadioInfo:
    """A radio that is there.

    Attributes:
        uri: what to give to ``--device``.
        name: maker and model, for people.
        serial: as the radio tells it; empty where it tells none.
        remark: what is worth knowing, such as a serial that others have too.
    """

    uri: str
    name: str
    serial: str = ""
    remark: str = ""


class Source(Protocol):
    """An open radio.

    Attributes:
        uri: as the user named it.
        identity: the device across replugging, such as ``rtlsdr:00000001``; empty where unknown.
        sample_rate_hz, center_hz: as the radio really has them.
        sample_format: how it stores samples.
        settings: sentences on how it was set and what differs from what was asked for.
        can_wait: nothing is lost while nobody reads: a file.
    """

    uri: str
    identity: str
    sample_rate_hz: float
    center_hz: float
    sample_format: SampleFormat
    settings: list[str]
    can_wait: bool

    def stream(self, deliver: Deliver) -> None:
        """Hand on samples until ``stop``, or the end of a file, and then return.

        Raises:
            DeviceLost: the radio went away.
        """

    def stop(self) -> None:
        """Make ``stream`` return soon; may be called from any thread, and more than once."""

    def close(self) -> None:
        """Let the radio go. ``stream`` must have returned."""
