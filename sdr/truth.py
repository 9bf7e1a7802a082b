"""What was really sent, in the words of the JSON line: beside every recording that omsdr makes.

    core:freq_lower_edge, core:freq_upper_edge, core:label, core:comment    as SigMF defines them
    omsdr:mode, omsdr:frame_hex, omsdr:carrier_hz, …                        what a receiver should say

A value that a recording does not define (Ec/N0 without noise) is left out.
"""

from __future__ import annotations

import math
from typing import Any

from sdr.traffic import Transmission

NAMESPACE = "omsdr:"


def truth_fields(
    sent: Transmission, *, sample_rate_hz: float, center_hz: float, noise_dbfs: float | None = None
) -> dict[str, Any]:
    """Describe one transmission as the fields of a SigMF annotation.

    Args:
        sent: the transmission.
        sample_rate_hz: of the recording.
        center_hz: of the recording.
        noise_dbfs: power of the noise of the whole recorded band; None where there is none.
    """
    low_hz, high_hz = sent.edges_hz
    chip_noise_dbfs = None
    if noise_dbfs is not None:
        chip_noise_dbfs = noise_dbfs + 10.0 * math.log10(sent.row.chip_rate_hz / sample_rate_hz)
    level_dbfs, snr_db = sent.settings.level_dbfs, sent.snr_db
    if chip_noise_dbfs is not None:
        if level_dbfs is not None:
            snr_db = level_dbfs - chip_noise_dbfs
        elif snr_db is not None:
            level_dbfs = chip_noise_dbfs + snr_db
    strength = f"level {level_dbfs:g} dBFS" if snr_db is None else f"Ec/N0 {snr_db:g} dB"
    levels = {"rssi_dbfs": level_dbfs, "snr_db": snr_db, "noise_dbfs": chip_noise_dbfs}
    return {
        "core:freq_lower_edge": round(low_hz, 3),
        "core:freq_upper_edge": round(high_hz, 3),
        "core:label": f"{sent.mode} {sent.direction} {sent.frame_format}",
        "core:comment": f"{sent.row.name}, frame format {sent.frame_format}, {strength}",
        "omsdr:mode": sent.mode,
        "omsdr:direction": sent.direction,
        "omsdr:frame_format": sent.frame_format,
        "omsdr:frame_hex": sent.frame.hex(),
        "omsdr:row": sent.row.name,
        "omsdr:start_s": round(sent.start_s, 9),
        "omsdr:duration_ms": round(1e3 * sent.duration_s, 6),
        **{NAMESPACE + key: round(value, 3) for key, value in levels.items() if value is not None},
        "omsdr:carrier_hz": round(sent.carrier_hz, 3),
        "omsdr:frequency_error_hz": round(sent.impairments.carrier_offset_hz, 3),
        "omsdr:deviation_hz": round(sent.deviation_hz, 3),
        "omsdr:chip_rate_hz": round(sent.row.chip_rate_hz * (1.0 + sent.impairments.chip_rate_error), 3),
        "omsdr:preamble_pairs": sent.settings.preamble_pairs,
        "omsdr:coverage": sent.coverage(sample_rate_hz, center_hz).value,
        "omsdr:inverted": sent.inverted,
    }
