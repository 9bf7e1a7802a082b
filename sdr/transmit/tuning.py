"""Where a transmitter's own oscillator goes, and at what rate it is fed.

    sub-band  |      gap      ████ occupied ████   gap   |
                      ↑
                   centre: its carrier leak lies in the widest gap, off every signal, inside the sub-band

A mixer leaks its oscillator at 0 Hz, and a converter adds images of the signal at multiples of the
sample rate. So 0 Hz is kept off all signals but inside the sub-band, where such a leak does least
harm, and the rate is chosen so that images fall far outside the radio's own filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdr.errors import UsageError
from sdr.traffic import Coverage, Transmission
from sdr.units import format_hz, format_rate

FILE_RATES_HZ = (300e3, 2.4e6, 8e6, 20e6)
_USABLE = 0.8
"""Share of the sample rate that signals may fill."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a transmitter is set.

    Attributes:
        sample_rate_hz: samples per second.
        center_hz: what the radio is told to tune to.
        clock_error_ppm: known error of the radio's clock, which the samples make up for.
    """

    sample_rate_hz: float
    center_hz: float
    clock_error_ppm: float = 0.0


def choose_tuning(
    sent: Sequence[Transmission],
    *,
    sample_rate_hz: float | None = None,
    center_hz: float | None = None,
    clock_error_ppm: float = 0.0,
) -> Tuning:
    """Choose rate and centre for some transmissions, as far as they are not given.

    Args:
        sent: what has to fit.
        sample_rate_hz: the rate; None for the least of ``FILE_RATES_HZ`` that holds all of it.
        center_hz: the centre; None for the widest gap.
        clock_error_ppm: known error of the radio's clock.

    Raises:
        UsageError: the transmissions do not fit.
    """
    rates_hz = FILE_RATES_HZ if sample_rate_hz is None else (sample_rate_hz,)
    for rate_hz in rates_hz:
        middle_hz = _center_hz(sent, rate_hz) if center_hz is None else center_hz
        if middle_hz is None:
            continue
        if all(one.coverage(rate_hz, middle_hz) is Coverage.INSIDE for one in sent):
            return Tuning(rate_hz, middle_hz, clock_error_ppm)
    low_hz, high_hz = min(one.edges_hz[0] for one in sent), max(one.edges_hz[1] for one in sent)
    where = "" if center_hz is None else f" at {format_hz(center_hz)}"
    raise UsageError(
        f"{format_rate(rates_hz[-1])}{where} does not hold {format_hz(low_hz)} to {format_hz(high_hz)}"
    )


def _center_hz(sent: Sequence[Transmission], rate_hz: float) -> float | None:
    """Middle of the widest stretch, inside the sub-band if possible, that no signal occupies."""
    edges_hz = sorted(one.edges_hz for one in sent)
    least = max(high for _, high in edges_hz) - _USABLE * rate_hz / 2.0
    most = edges_hz[0][0] + _USABLE * rate_hz / 2.0
    if least > most:
        return None
    bands_hz = [one.row.sub_band_hz for one in sent]
    if all(bands_hz):
        inside = [band for band in bands_hz if band is not None]
        low_hz, high_hz = max(least, min(b[0] for b in inside)), min(most, max(b[1] for b in inside))
        if (found := _widest_gap(edges_hz, low_hz, high_hz)) is not None:
            return found
    # as far away as the signals are wide, and no farther
    width_hz = max(high - low for low, high in edges_hz)
    low_hz, high_hz = edges_hz[0][0] - 2.0 * width_hz, max(high for _, high in edges_hz) + 2.0 * width_hz
    return _widest_gap(edges_hz, max(least, low_hz), min(most, high_hz))


def _widest_gap(edges_hz: list[tuple[float, float]], low_hz: float, high_hz: float) -> float | None:
    gaps: list[tuple[float, float]] = []
    start = low_hz
    for low, high in edges_hz:
        gaps.append((start, min(low, high_hz)))
        start = max(start, high)
    gaps.append((start, high_hz))
    first, last = max(gaps, key=lambda gap: gap[1] - gap[0])
    return float(round((first + last) / 2.0)) if last > first else None
