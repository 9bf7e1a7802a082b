"""A test bench for transmitters, in plain numpy and scipy: knows nothing of the project's own receiver.

A discriminator, chip edges fitted to the frequency's zero crossings, and the power spectrum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.signal

from dsp.arrays import ComplexArray
from dsp.modes import PhyMode

# Width in kHz that a transmission may occupy: channel or sub-band as printed. No width is printed
# for F; the receivers' 20 kHz is taken.
WIDTH_KHZ = {"S": 600, "T": 500, "C M2O": 500, "C O2M": 250, "R": 60, "N": 12.5, "N2g": 50, "F": 20}


@dataclass(frozen=True, slots=True)
class Measured:
    """What the test bench reads."""

    carrier_hz: float
    deviation_hz: float
    chip_rate_hz: float
    bandwidth_99_hz: float
    chips: str


def measure(samples: ComplexArray, rate_hz: float, header_chips: int, samples_per_chip: float) -> Measured:
    """Measure one burst around 0 Hz, from its first chip to its last.

    Args:
        samples: complex64 [n].
        rate_hz: sample rate.
        header_chips: chips of preamble and sync word.
        samples_per_chip: to about a tenth of a chip over the header.
    """
    phase_rad = np.unwrap(np.angle(samples.astype(np.complex128)))
    frequency_hz = np.diff(phase_rad) * rate_hz / (2 * np.pi)
    middle_hz = (frequency_hz.max() + frequency_hz.min()) / 2
    # Chip edges: the frequency crosses the carrier. Each lies a whole number of chips after the
    # first one; two passes make the straight line through them sharp.
    header = frequency_hz[: round(header_chips * samples_per_chip)] - middle_hz
    crossings = np.flatnonzero(header[:-1] * header[1:] < 0)
    step = header[crossings] / (header[crossings] - header[crossings + 1])
    edges = crossings + 1 + step  # a phase difference stands for the middle between two samples
    edges_chips = np.round((edges - edges[0]) / samples_per_chip)
    chip_samples, first = np.polyfit(edges_chips, edges, 1)
    # Longest runs of equal chips reach the full deviation even through a Gaussian filter.
    upper_hz = np.median(frequency_hz[frequency_hz > middle_hz + 0.93 * (frequency_hz.max() - middle_hz)])
    lower_hz = np.median(frequency_hz[frequency_hz < middle_hz - 0.93 * (middle_hz - frequency_hz.min())])
    n_chips = int(frequency_hz.size / chip_samples)
    centers = first - chip_samples * round(first / chip_samples) + chip_samples * (np.arange(n_chips) + 0.5)
    at_center = frequency_hz[np.clip(np.round(centers - 0.5).astype(int), 0, frequency_hz.size - 1)]
    return Measured(
        carrier_hz=float(upper_hz + lower_hz) / 2,
        deviation_hz=float(upper_hz - lower_hz) / 2,
        chip_rate_hz=rate_hz / chip_samples,
        bandwidth_99_hz=occupied_bandwidth_hz(samples, rate_hz),
        chips="".join("1" if one else "0" for one in at_center > middle_hz),
    )


def occupied_bandwidth_hz(samples: ComplexArray, rate_hz: float) -> float:
    """Width that holds all but 0.5 % of the power on either side."""
    frequency_hz, density = scipy.signal.welch(
        samples, rate_hz, nperseg=min(4096, samples.size), return_onesided=False, detrend=False
    )
    order = np.argsort(frequency_hz)
    share = np.cumsum(density[order]) / density.sum()
    low, high = np.searchsorted(share, [0.005, 0.995])
    return float(frequency_hz[order][high] - frequency_hz[order][low])


def family(row: PhyMode) -> str:
    if row.name == "N2g":
        return row.name
    return f"C {row.direction}" if row.mode == "C" else row.mode


def tuned(
    samples: ComplexArray, rate_hz: float, offset_hz: float, row: PhyMode
) -> tuple[ComplexArray, float]:
    """Shift a signal from ``offset_hz`` to 0 Hz, filter it and reduce its rate to some 32 samples a chip.

    Returns:
        The samples and their rate; the first one stays the first.
    """
    factor = max(1, math.floor(rate_hz / (32.0 * row.chip_rate_hz)))
    shifted = samples * np.exp(-2j * np.pi * offset_hz / rate_hz * np.arange(samples.size))
    # A Gaussian filter does not overshoot; 3 dB where the second side lobes of the chips lie.
    width_hz = row.deviation.typical_hz + 2.0 * row.chip_rate_hz
    sigma = math.sqrt(math.log(2.0)) / (2.0 * math.pi * width_hz) * rate_hz
    reach = math.ceil(4.0 * sigma / factor)
    taps = scipy.signal.windows.gaussian(2 * reach * factor + 1, sigma)
    filtered = scipy.signal.upfirdn(taps / taps.sum(), shifted, down=factor)
    return filtered[reach : reach + samples.size // factor].astype(np.complex64), rate_hz / factor
