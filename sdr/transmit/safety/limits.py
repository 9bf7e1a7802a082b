"""What the PHY table permits on one air interface; where it is silent or in doubt, the strictest holds.

missing or doubtful    read as
duty cycle             the smallest of the whole table
radiated power         the smallest of the whole table
sub-band               only as much as a transmitter of the row at its own limits occupies
longest burst          is printed nowhere: the row's longest frame behind the longest header of the table

Source: dsp/modes.py (ERC 70-03, EN 13757-4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dsp.modes import MODES, PhyMode

LONGEST_FRAME_BYTES = 290
"""On air: format A with an L-field of 255."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one burst on one carrier.

    Attributes:
        sub_band_hz: lower and upper edge of what may be occupied.
        max_erp_dbm: radiated power.
        duty_cycle: largest share of an hour on air, in the sub-band.
        max_air_time_s: longest burst.
        doubtful: names of those that were read strictly.
    """

    sub_band_hz: tuple[float, float]
    max_erp_dbm: float
    duty_cycle: float
    max_air_time_s: float
    doubtful: tuple[str, ...]


def limits_of(row: PhyMode, center_hz: float) -> Limits:
    """Find the limits of a row.

    Args:
        row: the air interface.
        center_hz: its nominal carrier.
    """
    doubtful = []
    sub_band_hz, duty_cycle, max_erp_w = row.sub_band_hz, row.duty_cycle, row.max_erp_w
    if sub_band_hz is None or "sub_band_hz" in row.uncertain:
        doubtful.append("sub_band_hz")
        half_hz = half_width_hz(row, row.deviation.max_hz) + 1e-6 * row.carrier_tolerance_ppm * center_hz
        sub_band_hz = (center_hz - half_hz, center_hz + half_hz)
    if duty_cycle is None or "duty_cycle" in row.uncertain:
        doubtful.append("duty_cycle")
        duty_cycle = min(other.duty_cycle for other in MODES if other.duty_cycle is not None)
    if "max_erp_w" in row.uncertain:
        doubtful.append("max_erp_w")
        max_erp_w = min(other.max_erp_w for other in MODES)
    header_chips = max(other.header_chips for other in MODES)
    chips = header_chips + LONGEST_FRAME_BYTES * row.chips_per_byte + row.postamble_chips[1] + 2
    return Limits(
        sub_band_hz=sub_band_hz,
        max_erp_dbm=10.0 * math.log10(1e3 * max_erp_w),
        duty_cycle=duty_cycle,
        max_air_time_s=chips / (row.chip_rate_hz * (1.0 - row.tx_chip_rate_tolerance)),
        doubtful=tuple(doubtful),
    )


def half_width_hz(row: PhyMode, deviation_hz: float) -> float:
    """Half of what a transmission occupies: Carson's rule, the chips being up to half their rate."""
    return deviation_hz + 0.5 * row.chip_rate_hz
