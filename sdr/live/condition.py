"""How a radio is doing, in plain words.

no samples                     nothing comes from the radio
samples but no bursts          the antenna hears nothing: gain, antenna, centre frequency
bursts but no good frames      something is heard, but it cannot be read: level, ppm, other traffic
receiving
"""

from __future__ import annotations

from enum import StrEnum

FRESH_SAMPLES_S = 2.0
FRESH_S = 300.0


class Condition(StrEnum):
    """The four words."""

    NO_SAMPLES = "no samples"
    NO_BURSTS = "samples but no bursts"
    NO_FRAMES = "bursts but no good frames"
    RECEIVING = "receiving"


class Health:
    """Derives the condition from when something was last seen; monotonic seconds."""

    def __init__(self) -> None:
        self._samples_s = self._burst_s = self._frame_s = -float("inf")

    def samples(self, at_s: float) -> None:
        """Note samples."""
        self._samples_s = at_s

    def burst(self, at_s: float, *, is_frame: bool) -> None:
        """Note a burst."""
        self._burst_s = at_s
        if is_frame:
            self._frame_s = at_s

    def condition(self, now_s: float) -> Condition:
        """Return how it is."""
        if now_s - self._samples_s > FRESH_SAMPLES_S:
            return Condition.NO_SAMPLES
        if now_s - self._frame_s <= FRESH_S:
            return Condition.RECEIVING
        return Condition.NO_FRAMES if now_s - self._burst_s <= FRESH_S else Condition.NO_BURSTS
