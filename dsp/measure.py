"""Radio quality of a burst: levels, carrier, deviation, chip rate, and where it began.

Carrier and deviation are what coherent detection tunes to, by the advance of the phase from
chip to chip; where that is not to be had, tones are measured over all chips of the burst by
the turn between the halves of each chip. The chip rate is the slope of the tracked chip edges.
The power of the noise that the filter lets through is taken off the burst's mean power.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dsp.arrays import ComplexArray
from dsp.burst import Quality
from dsp.chip_detector import ChipDetector, SoftChips
from dsp.chip_track import mean_period
from dsp.plan import Channel
from dsp.subtraction import Removed
from dsp.tuning import Tuning


def dbfs(power: float) -> float | None:
    """Level of a power relative to a full-scale tone; None for nothing."""
    return 10.0 * math.log10(power) if power > 0.0 else None


def measure(
    baseband: ComplexArray,
    detector: ChipDetector,
    channel: Channel,
    chips: SoftChips,
    sync_metric: float,
    tuning: Tuning | None,
) -> tuple[Quality, float, float]:
    """Measure frequencies and clock.

    Returns:
        The quality without levels, and the baseband samples where the burst begins and ends.
    """
    if tuning is not None:
        carrier_hz = tuning.carrier * channel.baseband_rate_hz
        low_hz, high_hz = carrier_hz - tuning.deviation_hz, carrier_hz + tuning.deviation_hz
    else:
        low_hz, high_hz = detector.measure_tones(baseband, chips)
    period = mean_period(chips.starts) if chips.starts.size > 1 else float(channel.samples_per_chip)
    start = float(chips.starts[0]) if chips.starts.size else 0.0
    most = max(r.header_chips for r in channel.rows)
    before = detector.alternating_chips_before(baseband, start, period, (low_hz, high_hz), most)
    stop = (float(chips.starts[-1]) if chips.starts.size else start) + period
    offset_hz = (low_hz + high_hz) / 2.0
    quality = Quality(
        carrier_hz=channel.center_hz + offset_hz,
        frequency_error_hz=offset_hz,
        deviation_hz=abs(high_hz - low_hz) / 2.0,
        chip_rate_hz=channel.baseband_rate_hz / period,
        inverted=high_hz < low_hz,
        sync_metric=sync_metric,
    )
    return quality, max(0.0, start - before * period), stop


def of_removed(
    removed: Removed, step: float, channel: Channel, sync_metric: float, noise_power: float
) -> tuple[Quality, float, float]:
    """Say what the fit of a subtracted burst found: its own values, whatever else was on air.

    Args:
        removed: the burst.
        step: samples per baseband sample.
        channel: its channel.
        sync_metric: of its hit.
        noise_power: in a bandwidth equal to the chip rate; 0 where unknown.

    Returns:
        The quality, and the baseband samples where the burst begins and its frame ends.
    """
    frame, rate_hz = removed.frame, channel.baseband_rate_hz * step
    offset_hz = removed.carrier_offset * rate_hz
    period = float(frame.edges[-1] - frame.edges[0]) / frame.levels.size
    quality = Quality(
        rssi_dbfs=dbfs(removed.power),
        noise_dbfs=dbfs(noise_power),
        carrier_hz=channel.center_hz + offset_hz,
        frequency_error_hz=offset_hz,
        deviation_hz=abs(frame.deviation) * rate_hz,
        chip_rate_hz=rate_hz / period,
        inverted=frame.deviation < 0.0,
        sync_metric=sync_metric,
    )
    return quality, removed.start / step, float(frame.edges[-1]) / step


def with_levels(
    quality: Quality,
    baseband: ComplexArray,
    start: float,
    stop: float,
    noise_power: float,
    filter_noise_power: float,
) -> Quality:
    """Add the levels.

    Args:
        quality: to complete.
        baseband: complex64 [n].
        start: where the burst begins, in samples.
        stop: where it ends.
        noise_power: in a bandwidth equal to the chip rate; 0 where unknown.
        filter_noise_power: in the whole baseband.
    """
    piece = baseband[int(start) : max(int(stop), int(start) + 1)]
    power = float(np.mean(piece.real**2 + piece.imag**2, dtype=np.float64)) if piece.size else 0.0
    signal = max(power - filter_noise_power, 1e-3 * power)
    return replace(quality, rssi_dbfs=dbfs(signal), noise_dbfs=dbfs(noise_power))
