"""How a radio is set for a burst, and the silence around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp.arrays import RawArray
from sdr.sample_format import SampleFormat, from_complex

LEAD_S = 2e-3
"""Silence before a burst, in which oscillator and amplifier settle."""

START_S = 5.0
"""What a driver may take to open, tune and begin; beyond that and the burst it hangs."""


@dataclass(frozen=True, slots=True)
class RadioSettings:
    """What a driver is told.

    Attributes:
        address: which of several radios: a serial number, or SoapySDR's arguments; may be empty.
        gain_db: gain to set.
        amplifier: HackRF: the RF amplifier.
        bandwidth_hz: of the radio's own filter before the mixer.
    """

    address: str
    gain_db: float
    amplifier: bool
    bandwidth_hz: float


def silence(n_samples: int, sample_format: SampleFormat) -> RawArray:
    """Return stored values of silence [2n]."""
    raw, _ = from_complex(np.zeros(n_samples, dtype=np.complex64), sample_format)
    return raw
