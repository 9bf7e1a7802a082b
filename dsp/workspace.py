"""The samples of a region with its baseband: they grow, and bursts are taken off and put back.

Both are kept in step: where samples change, that stretch of the baseband is made anew, on the
same grid of instants. Baseband samples are made as soon as all that they depend on is there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray
from dsp.baseband import BasebandFilter
from dsp.frame_reader import Attempt
from dsp.growing import Growing
from dsp.history import History
from dsp.subtraction import Removed, Subtraction


@dataclass(frozen=True, slots=True)
class Lifted:
    """A burst that is off the samples for some time.

    Attributes:
        removed: what was subtracted.
        start: first baseband sample that changed.
        baseband: complex64 [n], by how much it became less from there on.
    """

    removed: Removed
    start: int
    baseband: ComplexArray


class Workspace:
    """The regions of one channel, one after another.

    Args:
        baseband_filter: of the channel.
        subtraction: of the channel.

    Attributes:
        noise_power: that of the baseband; 0 where unknown.
        changes: how often samples that were there changed.
        step: samples per baseband sample.
    """

    def __init__(
        self,
        baseband_filter: BasebandFilter,
        subtraction: Subtraction,
    ) -> None:
        self._first = 0
        self._filter = baseband_filter
        self._subtraction = subtraction
        self._wide, self._narrow = Growing(), Growing()
        self.step = baseband_filter.step
        self.noise_power = 0.0
        self.changes = 0

    def begin(self, first: int, noise_density: float) -> None:
        """Begin a region.

        Args:
            first: absolute number of its first sample of the wide stream.
            noise_density: noise power per cycle per sample; 0 where unknown.
        """
        self._first = first
        self._wide.clear()
        self._narrow.clear()
        self.noise_power = noise_density * self._filter.noise_bandwidth

    @property
    def baseband(self) -> ComplexArray:
        """What is left, complex64; element m lies at sample ``m * step``."""
        return self._narrow.array

    @property
    def _samples(self) -> ComplexArray:
        return self._wide.array

    @property
    def next_sample(self) -> int:
        """Absolute number of the sample to go on with."""
        return self._first + self._samples.size

    def grow(self, history: History, stop: int, offset: complex = 0.0, *, is_last: bool) -> None:
        """Go on with the next samples of the wide stream, from ``next_sample`` on.

        Args:
            history: where they are.
            stop: absolute number of the sample behind the last, as far as it is held.
            offset: the radio's, taken off.
            is_last: nothing follows: beyond the end there is silence.
        """
        first = self.next_sample
        history.read(first, self._wide.extend(max(0, min(stop, history.end) - first)), offset)
        usable = self._samples.size - (0 if is_last else self._filter.reach_samples + 1)
        done = self.baseband.size
        n_out = int((usable - 1) / self.step) + 1 - done if usable > 0 else 0
        if n_out > 0:
            self._extract(done, self._narrow.extend(n_out))

    def knows(self, attempt: Attempt) -> bool:
        """Tell whether the chips of an attempt follow from its bytes, so that it can be taken off."""
        return bool(attempt.raw) and self._subtraction.knows(attempt)

    def take_off(self, attempt: Attempt) -> Removed:
        """Subtract the burst of an attempt, as far as its bytes tell its chips."""
        self.changes += 1
        removed = self._subtraction.subtract(self._samples, self.baseband, attempt)
        start, stop = self._reached(removed)
        if stop > start:
            self._extract(start, self.baseband[start:stop])
        return removed

    def lift_off(self, attempt: Attempt) -> Lifted:
        """Subtract the burst of an attempt, to put it back some time."""
        before = self.baseband.copy()
        removed = self.take_off(attempt)
        start, stop = self._reached(removed)
        return Lifted(removed, start, before[start:stop] - self.baseband[start:stop])

    def put_back(self, lifted: Lifted) -> None:
        """Undo a subtraction, whatever else was subtracted since."""
        self.changes += 1
        removed = lifted.removed
        self._samples[removed.start : removed.stop] += removed.waveform
        self.baseband[lifted.start : lifted.start + lifted.baseband.size] += lifted.baseband

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
        piece = self.baseband[span[0] : span[1]].view(np.float32)
        first, last = _louder_windows(piece, 2 * window, excess * self.noise_power * window)
        return (span[0] + first * window, span[0] + (last + 1) * window) if last >= 0 else None

    def _reached(self, removed: Removed) -> tuple[int, int]:
        """First baseband sample that depends on what was subtracted, and the one behind the last."""
        reach = self._filter.reach_samples
        start = max(0, math.floor((removed.start - reach - 1) / self.step))
        return start, min(self.baseband.size, math.ceil((removed.stop + reach + 1) / self.step) + 1)

    def _extract(self, m_start: int, out: ComplexArray) -> None:
        """Make baseband samples from ``m_start`` on."""
        m_stop = m_start + out.size
        step, reach = self.step, self._filter.reach_samples
        start = max(0, math.floor(m_start * step) - reach - 1)
        stop = min(self._samples.size, math.ceil(m_stop * step) + reach + 2)
        self._filter.extract_into(
            out, self._samples[start:stop], self._first + start, begin=m_start * step - start
        )


@kernel
def _louder_windows(parts, width, energy):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the first and the last window of so many parts that holds more energy; −1 twice for none."""
    first = -1
    last = -1
    for w in range(parts.size // width):
        a0 = np.float32(0.0)
        a1 = np.float32(0.0)
        a2 = np.float32(0.0)
        a3 = np.float32(0.0)
        piece = parts[w * width : (w + 1) * width]
        for i in range(0, width - 3, 4):  # four sums side by side hide the adder's latency
            a0 += piece[i] * piece[i]
            a1 += piece[i + 1] * piece[i + 1]
            a2 += piece[i + 2] * piece[i + 2]
            a3 += piece[i + 3] * piece[i + 3]
        if (a0 + a1) + (a2 + a3) > energy:
            last = w
            first = w if first < 0 else first
    return first, last
