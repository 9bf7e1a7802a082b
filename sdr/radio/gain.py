"""Tuner gains: what the tuners of RTL-SDR dongles can, in tenths of a dB.

A driver that is here tells its own table; behind rtl_tcp only the kind of tuner is known.
Source: the tables of librtlsdr, for tuner types as rtl_tcp sends them.
"""

from __future__ import annotations

from collections.abc import Sequence

_R82XX = (
    0, 9, 14, 27, 37, 77, 87, 125, 144, 157, 166, 197, 207, 229, 254, 280, 297, 328,
    338, 364, 372, 386, 402, 421, 434, 439, 445, 480, 496,
)  # fmt: skip
TUNERS: dict[int, tuple[str, tuple[int, ...]]] = {
    1: ("E4000", (-10, 15, 40, 65, 90, 115, 140, 165, 190, 215, 240, 290, 340, 420)),
    2: ("FC0012", (-99, -40, 71, 179, 192)),
    3: (
        "FC0013",
        (-99, -73, -65, -63, -60, -58, -54, 58, 61, 63, 65, 67, 68, 70, 71, 179, 181, 182, 184, 186, 188,
         191, 197),
    ),
    4: ("FC2580", (0,)),
    5: ("R820T", _R82XX),
    6: ("R828D", _R82XX),
}  # fmt: skip


def nearest_gain(gain_db: float, gains_db: Sequence[float]) -> float:
    """Return the gain that the tuner has and that is nearest; as asked where nothing is known."""
    return min(gains_db, key=lambda possible: abs(possible - gain_db)) if gains_db else gain_db


def gain_words(asked_db: float, set_db: float) -> str:
    """Say what was set."""
    if abs(asked_db - set_db) < 0.05:
        return f"gain {set_db:.1f} dB"
    return f"gain {set_db:.1f} dB (the nearest that the tuner has to {asked_db:g} dB)"
