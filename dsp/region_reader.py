"""All bursts of a region, layer by layer: what is read is taken off, what lay beneath is read next.

    sync hits, best first ─▶ read ─▶ frame: subtract it at once ─▶ is more left than noise?
                              │                  hits beneath it, and what failed over it ─▶ read …
                              └▶ failures that overlap with like strength ─▶ separation ─▶ frame …

In a street of 50 frames a second with levels over 23 dB, reading alone recovers 70 %, layers 87 %
and separation 92 % (``benchmarks/dense_street.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dsp import measure
from dsp.burst import Quality
from dsp.frame_reader import Attempt
from dsp.hit_reader import HitReader
from dsp.plan import Channel
from dsp.separation import Separation, worth_separating
from dsp.sync_search import SyncHit, SyncSearch
from dsp.workspace import Workspace

_NEW_BURST_METRIC = 0.75  # a hit inside a good frame must be this clear to be tried
_WINDOW_CHIPS = 32
_CLEAN_EXCESS = 1.25  # of the noise: more than that in a window is another burst
_SAME_HIT_CHIPS = 4
_MOST_ROUNDS = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """An attempt with what was measured of its burst.

    Attributes:
        attempt: what was read.
        quality: with the levels; of a frame that was subtracted, its own, whatever else was on air.
        start: first preamble chip, in baseband samples.
        stop: end of the frame's last chip.
    """

    attempt: Attempt
    quality: Quality
    start: float
    stop: float


class RegionReader:
    """Reads one region.

    Args:
        channel: whose region.
        search: the channel's.
        reader: the channel's.
        workspace: the region's samples.
        chip_noise_power: noise power in a bandwidth equal to the chip rate; 0 where unknown.
    """

    def __init__(
        self,
        channel: Channel,
        search: SyncSearch,
        reader: HitReader,
        workspace: Workspace,
        chip_noise_power: float,
    ) -> None:
        self._channel = channel
        self._search = search
        self._reader = reader
        self._workspace = workspace
        self._chip_noise_power = chip_noise_power
        self._good: list[Reading] = []
        self._failed: list[Attempt] = []
        self._since_search: list[Reading] = []
        self._laid_open: list[tuple[int, int]] = []  # baseband spans
        self._tried: dict[int, Attempt] = {}  # by identity; kept, so that no identity comes twice

    def read(self, *, subtraction: bool) -> tuple[list[Reading], list[Attempt]]:
        """Read all that can be read.

        Args:
            subtraction: take frames off and look beneath them.

        Returns:
            Frames, and failed attempts.
        """
        accept = self._take_off if subtraction else self._keep
        hits = self._search.find(self._workspace.baseband)
        for _ in range(_MOST_ROUNDS):
            for hit in hits:
                if not self._explained(hit):
                    attempt = self._reader.read(self._workspace.baseband, hit)
                    if attempt.fault is None:
                        accept(attempt)
                    else:
                        self._failed.append(attempt)
            if subtraction and not self._laid_open:
                self._separate()
            if not self._laid_open:
                break
            hits = self._hits_beneath()
        return self._good, self._failed

    def measure(self, attempt: Attempt) -> Reading:
        """Measure an attempt on what is left of the samples."""
        baseband, noise_power = self._workspace.baseband, self._workspace.noise_power
        detector, metric = self._reader.detector, attempt.hit.metric
        quality, start, stop = measure.measure(
            baseband, detector, self._channel, attempt.chips, metric, attempt.tuning
        )
        quality = measure.with_levels(quality, baseband, start, stop, self._chip_noise_power, noise_power)
        return Reading(attempt, quality, start, stop)

    def _explained(self, hit: SyncHit) -> bool:
        """Tell whether a hit is merely a likeness inside a frame that was read since hits were searched."""
        pattern_samples = len(self._channel.pattern) * self._channel.samples_per_chip
        for reading in self._since_search:
            start, stop = reading.attempt.span
            if abs(hit.start - start) < pattern_samples:
                return True
            if start < hit.start < stop and hit.metric < _NEW_BURST_METRIC:
                return True
        return False

    def _keep(self, attempt: Attempt) -> None:
        """Keep a frame on the samples."""
        tuning = self._reader.tune(self._workspace.baseband, attempt)
        self._add(self.measure(replace(attempt, tuning=tuning)))

    def _take_off(self, attempt: Attempt) -> None:
        """Keep a frame and take it off the samples."""
        if not self._workspace.knows(attempt):
            self._keep(attempt)
            return
        tuning = self._reader.tune(self._workspace.baseband, attempt)
        removed = self._workspace.take_off(replace(attempt, tuning=tuning))
        self._laid_open.append(self._workspace.span(removed))
        self._add(
            Reading(
                attempt,
                *measure.of_removed(
                    removed, self._workspace.step, self._channel, attempt.hit.metric, self._chip_noise_power
                ),
            )
        )

    def _add(self, reading: Reading) -> None:
        self._since_search.append(reading)
        if all(reading.attempt.raw != other.attempt.raw for other in self._good):
            self._good.append(reading)
        self._failed = [a for a in self._failed if not self._same_place(a.hit, reading.attempt.hit)]

    def _hits_beneath(self) -> list[SyncHit]:
        """Find syncs where something is left beneath frames; what failed and overlaps them is tried again."""
        channel = self._channel
        window = _WINDOW_CHIPS * channel.samples_per_chip
        pattern = len(channel.pattern) * channel.samples_per_chip
        longest = channel.longest_burst_s * channel.baseband_rate_hz
        hits: list[SyncHit] = []
        again: list[Attempt] = []
        for span in _united(self._laid_open):
            unclean = self._workspace.unclean(span, window, _CLEAN_EXCESS)
            if unclean is not None:
                from_, to = max(0, unclean[0] - window), unclean[1] + window + pattern
                found = self._search.find(self._workspace.baseband[from_:to])
                hits += [replace(hit, start=hit.start + from_) for hit in found]
                again += [a for a in self._failed if span[0] - longest < a.hit.start < span[1]]
        self._laid_open, self._since_search = [], []
        retried = {id(attempt) for attempt in again}
        self._failed = [attempt for attempt in self._failed if id(attempt) not in retried]
        for attempt in again:
            if not any(self._same_place(attempt.hit, hit) for hit in hits):
                hits.append(attempt.hit)
        return sorted(hits, key=lambda hit: (-hit.metric, hit.start))

    def _same_place(self, a: SyncHit, b: SyncHit) -> bool:
        return abs(a.start - b.start) <= _SAME_HIT_CHIPS * self._channel.samples_per_chip

    def _separate(self) -> None:
        """Read one of the damaged frames by turns with what lies upon it."""
        separation = Separation(self._channel, self._search, self._reader)
        for upper in sorted(self._failed, key=_merit, reverse=True):
            if id(upper) in self._tried or not worth_separating(upper):
                continue
            self._tried[id(upper)] = upper
            if separation.separate(self._workspace, upper, self._failed, self._take_off):
                return


def _merit(attempt: Attempt) -> tuple[float, float]:
    return attempt.merit


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], stop)
        else:
            joined.append((start, stop))
    return joined
