"""Which stretches of the stream hold energy in a channel's own band.

    block energies (energy_meter) → moving mean                   compared with
    means over half of the shortest burst
                           → low quantile of the last 256         = noise floor

A channel is active where the moving mean exceeds the floor by six standard deviations of
noise; the mean is as long as it takes for that to be half of what a burst of 6 dB adds, but
not longer than half of the shortest burst; where that is not enough, five are taken. The floor
is a quantile over time, so bursts do not lift it and a carrier that never stops becomes part of
it. What is active for less than half of the shortest burst is a click and goes no further.
Until enough is known of the floor, everything is active: a short file is searched from end to
end.

While nothing is open only every second block is measured; where their means stay below the threshold,
4.2 standard deviations of theirs, the step is silent and the other blocks need not be.

Blocks sit on absolute sample numbers, so how the stream is cut changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import DoubleArray, FloatArray
from dsp.energy_meter import BLOCKS_PER_STEP
from dsp.plan import Channel
from dsp.selection import of_rank

_LEAST_BLOCKS_PER_FLOOR_MEAN = 16
_FLOOR_MEANS = 256
_FLOOR_QUANTILE = 0.1
_FLOOR_QUANTILE_SIGMAS = 1.28  # that quantile lies so far below the mean of noise
_BLOCKS_TO_SETTLE = 1024
_WEAKEST_EC_N0 = 4.0  # 6 dB
_SIGMAS = 6.0
_LEAST_SIGMAS = 5.0
_LEAST_PART_OF_BURST = 0.5
_HANN_LOOKS_PER_BIN = 0.514  # independent looks: (Σw²)² / (N·Σw⁴)


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of the stream to search for bursts.

    Attributes:
        start: first sample.
        own_start: syncs before it belong to the region before.
        own_stop: syncs from here on belong to the next region.
        stop: sample after the last.
        active_samples: length of the part that holds energy.
        noise_density: noise power per Hz, full scale 1; 0 where unknown.
        excess: largest ratio of smoothed energy to the noise floor; 0 where unknown.
        settled: the noise floor was known when the region began.
    """

    start: int
    own_start: int
    own_stop: int
    stop: int
    active_samples: int
    noise_density: float
    excess: float
    settled: bool


@dataclass
class Gate:
    """Finds the regions of one channel from its block energies.

    Args:
        channel: whose gate.
        sample_rate_hz: rate of the stream.
        n_fft: samples a block.
        n_bins: FFT bins an energy is the mean of.
    """

    channel: Channel
    sample_rate_hz: float
    n_fft: int
    n_bins: int
    _block: int = 0
    _open_since: int = -1
    _own_since: int = -1
    _first_active: int = -1
    _last_active: int = -1
    _unsettled: bool = False
    _excess: float = 0.0
    _floor_means: DoubleArray = field(default_factory=lambda: np.zeros(_FLOOR_MEANS))  # in no order
    _n_floor_means: int = 0
    _floor: float = 0.0
    _tail: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    _skimmed: FloatArray = field(default_factory=lambda: np.zeros(BLOCKS_PER_STEP, dtype=np.float32))
    _n_skimmed: int = 0

    def __post_init__(self) -> None:
        block_s = self.n_fft / self.sample_rate_hz
        looks_per_block = self.n_bins * _HANN_LOOKS_PER_BIN
        weakest = _WEAKEST_EC_N0 * self.channel.chip_rate_hz / (2.0 * self.channel.half_width_hz)
        wanted = (_SIGMAS / (0.5 * weakest)) ** 2 / looks_per_block
        self._smooth = max(1, math.ceil(min(wanted, 0.5 * self.channel.shortest_burst_s / block_s)))
        sigma = 1.0 / math.sqrt(self._smooth * looks_per_block)
        self._threshold = 1.0 + min(max(0.5 * weakest, _LEAST_SIGMAS * sigma), _SIGMAS * sigma)
        self._floor_blocks = _blocks_per_floor_mean(0.5 * self.channel.shortest_burst_s / block_s)
        floor_sigma = 1.0 / math.sqrt(self._floor_blocks * looks_per_block)
        self._floor_correction = 1.0 / (1.0 - _FLOOR_QUANTILE_SIGMAS * floor_sigma)
        self._hang = 2 * self._smooth + 2
        burst_blocks = math.ceil(self.channel.longest_burst_s / block_s)
        self._lead = math.ceil(self.channel.longest_header_s / block_s) + self._smooth
        self._own_limit = max(2 * burst_blocks, 2 * BLOCKS_PER_STEP)
        self._tail_limit = burst_blocks + self._hang
        self._settle_blocks = max(_BLOCKS_TO_SETTLE, 2 * burst_blocks)  # a burst may come first
        self._click = math.floor(_LEAST_PART_OF_BURST * self.channel.shortest_burst_s / block_s)

    @property
    def keep_samples(self) -> int:
        """How far back a region may reach from the newest sample."""
        blocks = self._lead + self._own_limit + self._tail_limit + self._hang + 2 * BLOCKS_PER_STEP
        return blocks * self.n_fft

    @property
    def noise_density(self) -> float:
        """Noise power per Hz, full scale 1, as far as it is known; 0 before the first step."""
        return self._floor

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is open and the noise floor is known."""
        return self._open_since < 0 and self._is_settled(0)

    def is_silent(self, densities: FloatArray) -> bool:
        """Tell whether a step is silent from the densities of every second block."""
        highest = _highest_mean_of_doubled(self._tail, densities, self._smooth)
        return bool(highest <= self._threshold * self._floor)

    def skim(self, densities: FloatArray) -> None:
        """Take a silent step by the densities of every second block."""
        n = self._n_skimmed + densities.size
        self._skimmed[self._n_skimmed : n] = densities
        self._n_skimmed = n
        if n >= BLOCKS_PER_STEP:
            self._learn_floor(self._skimmed[:n])
            self._n_skimmed = 0
        if 2 * densities.size >= self._smooth - 1 == self._tail.size:
            _keep_doubled(densities, self._tail)
        else:
            self._keep_tail(np.repeat(densities, 2))
        self._block += 2 * densities.size

    def push(self, densities: FloatArray) -> list[Region]:
        """Take the block densities of one step; return the regions that are complete."""
        self._learn_floor(densities)
        floor = self._floor
        settled = self._is_settled(densities.size)
        smoothed, highest = self._means(densities)
        self._keep_tail(densities)
        regions: list[Region] = []
        if settled and self._open_since < 0 and highest <= self._threshold * floor:
            self._block += smoothed.size  # what is silent all along is passed at once
            return regions
        excess = smoothed / floor if settled else np.zeros(smoothed.size)
        threshold = self._threshold if settled else -1.0
        at = 0
        while at < excess.size:
            if self._open_since < 0:
                at += self._wait(excess[at:], threshold, settled)
            else:
                at += self._follow(excess[at:], threshold, regions)
        return regions

    def _learn_floor(self, densities: FloatArray) -> None:
        lowest = _take_floor_means(
            densities, self._floor_blocks, self._floor_means, self._n_floor_means, _FLOOR_QUANTILE
        )
        self._n_floor_means += densities.size // self._floor_blocks
        if self._n_floor_means:
            self._floor = lowest * self._floor_correction

    def flush(self, end: int) -> list[Region]:
        """End of the stream at sample ``end``: close what is open."""
        if self._open_since < 0:
            return []
        last = self._region(self._block, self._block)
        self._open_since = -1
        return [replace(last, own_stop=end, stop=end)]

    def _is_settled(self, n_new: int) -> bool:
        return self._block + n_new >= self._settle_blocks and self._floor > 0.0

    def _means(self, densities: FloatArray) -> tuple[DoubleArray, float]:
        """Mean of each block and those before it, as many as there are, and the highest of these means."""
        smoothed = np.empty(densities.size)
        highest = _moving_mean(np.concatenate([self._tail, densities]), self._smooth, smoothed)
        return smoothed, float(highest)

    def _keep_tail(self, densities: FloatArray) -> None:
        """Keep the blocks that later means reach back to."""
        series = np.concatenate([self._tail, densities])
        self._tail = series[max(0, series.size - self._smooth + 1) :] if self._smooth > 1 else series[:0]

    def _wait(self, excess: DoubleArray, threshold: float, settled: bool) -> int:
        """Open a region at the first active block; return how many blocks come before it."""
        n = int(_first_above(excess, threshold))
        self._block += n
        if n < excess.size:
            # a weak burst may fill the moving mean before it shows
            self._open_since = max(0, self._block - 2 * self._smooth - 2)
            self._own_since = self._open_since
            self._first_active = self._last_active = self._block
            self._excess = 0.0
            self._unsettled = not settled
        return n

    def _follow(self, excess: DoubleArray, threshold: float, regions: list[Region]) -> int:
        """Go on with an open region until it is closed or split; return how many blocks that took."""
        split_at = self._open_since + self._own_limit + self._tail_limit + self._lead
        n, self._last_active, self._excess = _until_quiet_or_long(
            excess, threshold, self._block, self._last_active, self._hang, split_at, self._excess
        )
        self._block += n
        if self._block - 1 - self._last_active > self._hang:
            self._close(regions)
        elif self._block >= split_at:
            self._split(regions)
        return int(n)

    def _close(self, regions: list[Region]) -> None:
        whole = self._own_since == self._open_since and not self._unsettled
        if not whole or self._active_blocks >= self._click:
            regions.append(self._region(self._block, self._block))
        self._open_since = -1

    def _split(self, regions: list[Region]) -> None:
        """Hand out the first part of a long region; frames that start in it are whole."""
        own_stop = self._block - self._tail_limit
        regions.append(self._region(own_stop, self._block))
        self._own_since = own_stop
        self._open_since = own_stop - self._lead

    @property
    def _active_blocks(self) -> int:
        """Blocks with energy; the moving mean stretches them by its own length."""
        return max(0, self._last_active - self._first_active + 1 - self._smooth)

    @property
    def open_since_sample(self) -> int | None:
        """First sample of a region that is still open."""
        return None if self._open_since < 0 else self._open_since * self.n_fft

    def growing(self) -> Region | None:
        """Describe the region that is open as far as it goes; None where none is, or the noise is unknown."""
        if self._open_since < 0 or self._unsettled:
            return None
        return self._region(self._block, self._block)

    def _region(self, own_stop: int, stop: int) -> Region:
        return Region(
            start=self._open_since * self.n_fft,
            own_start=self._own_since * self.n_fft,
            own_stop=own_stop * self.n_fft,
            stop=stop * self.n_fft,
            active_samples=self._active_blocks * self.n_fft,
            noise_density=self.noise_density,
            excess=self._excess,
            settled=not self._unsettled,
        )


def _blocks_per_floor_mean(most: float) -> int:
    """Power of two that divides a step and is not above ``most``, unless that would be too few."""
    wanted = 1 << max(0, math.floor(math.log2(max(most, 1.0))))
    return min(max(wanted, _LEAST_BLOCKS_PER_FLOOR_MEAN), BLOCKS_PER_STEP)


@kernel
def _moving_mean(series, n, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Mean of the ``n`` elements up to each of the last ones, fewer at the beginning; return the highest."""
    behind = series.size - out.size
    total = 0.0
    for i in range(max(0, behind - n + 1), behind):
        total += series[i]
    highest = 0.0
    for i in range(behind, series.size):
        total += series[i]
        out[i - behind] = total / min(n, i + 1)
        highest = max(highest, out[i - behind])
        if i - n + 1 >= 0:
            total -= series[i - n + 1]
    return highest


@kernel
def _highest_mean_of_doubled(tail, densities, n):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the highest mean of ``n`` blocks, those of the tail first, then each density as two blocks."""
    total = 0.0
    for i in range(max(0, tail.size - n + 1), tail.size):
        total += tail[i]
    highest = 0.0
    for i in range(2 * densities.size):
        total += densities[i // 2]
        highest = max(highest, total / min(n, tail.size + i + 1))
        oldest = i - n + 1
        if oldest >= 0:
            total -= densities[oldest // 2]
        elif tail.size + oldest >= 0:
            total -= tail[tail.size + oldest]
    return highest


@kernel
def _keep_doubled(densities, tail):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill ``tail`` with the last blocks, each density being two."""
    skipped = 2 * densities.size - tail.size
    for i in range(tail.size):
        tail[i] = densities[(skipped + i) // 2]


@kernel
def _take_floor_means(densities, n, means, n_before, quantile):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Put the means over ``n`` blocks in the place of the oldest; return a quantile of all there are."""
    taken = n_before
    for i in range(densities.size // n):
        total = 0.0
        for k in range(i * n, (i + 1) * n):
            total += densities[k]
        means[taken % means.size] = total / n
        taken += 1
    there = min(taken, means.size)
    if there == 0:
        return 0.0
    rank = int(quantile * there)
    return of_rank(means[:there], rank)


@kernel
def _first_above(excess, threshold):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(excess.size):
        if excess[i] > threshold:
            return i
    return excess.size


@kernel
def _until_quiet_or_long(excess, threshold, block, last_active, hang, split_at, highest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return how many blocks pass until one is the end, the last active one, and the highest excess."""
    for i in range(excess.size):
        highest = max(highest, excess[i])
        if excess[i] > threshold:
            last_active = block + i
        if block + i - last_active > hang or block + i + 1 >= split_at:
            return i + 1, last_active, highest
    return excess.size, last_active, highest
