"""The samples of a region with its baseband, from which bursts are taken off and put back.

Both are kept in step: where samples change, that stretch of the baseband is made anew, on the
same grid of instants.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.arrays import ComplexArray
from dsp.baseband import BasebandFilter
from dsp.frame_reader import Attempt
from dsp.subtraction import Removed, Subtraction


class Workspace:
    """One region of one channel while it is worked on.

    Args:
        samples: complex64 of the wide stream, changed in place.
        first: absolute number of ``samples[0]``.
        baseband_filter: of the channel.
        subtraction: of the channel.
        noise_density: noise power per cycle per sample; 0 where unknown.

    Attributes:
        baseband: complex64 of what is left; element m lies at ``samples[m * step]``.
        noise_power: that of the baseband; 0 where unknown.
        step: samples per baseband sample.
    """

    def __init__(
        self,
        samples: ComplexArray,
        first: int,
        baseband_filter: BasebandFilter,
        subtraction: Subtraction,
        noise_density: float,
    ) -> None:
        self._samples = samples
        self._first = first
        self._filter = baseband_filter
        self._subtraction = subtraction
        self.baseband = baseband_filter.extract(samples, first)
        self.step = baseband_filter.step
        self.noise_power = noise_density * baseband_filter.noise_bandwidth

    def knows(self, attempt: Attempt) -> bool:
        """Tell whether the chips of an attempt follow from its bytes, so that it can be taken off."""
        return bool(attempt.raw) and self._subtraction.knows(attempt)

    def take_off(self, attempt: Attempt) -> Removed:
        """Subtract the burst of an attempt, as far as its bytes tell its chips."""
        removed = self._subtraction.subtract(self._samples, attempt)
        self._renew(removed)
        return removed

    def put_back(self, removed: Removed) -> None:
        """Undo a subtraction."""
        self._samples[removed.start : removed.stop] += removed.waveform
        self._renew(removed)

    def span(self, removed: Removed) -> tuple[int, int]:
        """First baseband sample of what was subtracted, and the one behind its last."""
        return int(removed.start / self.step), min(math.ceil(removed.stop / self.step), self.baseband.size)

    def power(self, span: tuple[int, int]) -> float:
        """Mean power of a baseband span."""
        piece = self.baseband[span[0] : span[1]]
        return float(np.mean(piece.real**2 + piece.imag**2)) if piece.size else 0.0

    def unclean(self, span: tuple[int, int], window: int, excess: float) -> tuple[int, int] | None:
        """Find what of a baseband span holds more than noise.

        Args:
            span: first baseband sample and the one behind the last.
            window: baseband samples whose mean power is compared.
            excess: how many times the noise power is more than noise.

        Returns:
            From the first such window to the end of the last, or None.
        """
        n = (span[1] - span[0]) // window
        parts = self.baseband[span[0] : span[0] + n * window].view(np.float32).reshape(n, 2 * window)
        power = 2.0 * np.mean(parts * parts, axis=1)
        places = np.flatnonzero(power > excess * self.noise_power)
        if places.size == 0:
            return None
        return span[0] + int(places[0]) * window, span[0] + (int(places[-1]) + 1) * window

    def _renew(self, removed: Removed) -> None:
        step, reach = self.step, self._filter.reach_samples
        m_start = max(0, math.floor((removed.start - reach - 1) / step))
        m_stop = min(self.baseband.size, math.ceil((removed.stop + reach + 1) / step) + 1)
        start = max(0, math.floor(m_start * step) - reach - 1)
        stop = min(self._samples.size, math.ceil(m_stop * step) + reach + 2)
        piece = self._samples[start:stop]
        renewed = self._filter.extract(
            piece, self._first + start, begin=m_start * step - start, n_out=m_stop - m_start
        )
        self.baseband[m_start:m_stop] = renewed
