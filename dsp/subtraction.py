"""Take a decoded frame off the samples, so that what lies beneath it can be heard.

The bytes give the chips, the chips the waveform (``known_waveform``) but for carrier, deviation,
clock, amplitude and phase, which are fitted by least squares to c[k], the received amplitude of each
chip. Seen from the local mean over 32 chips, a chip's phase is off by

    θ[k] = 2π · (−deviation · level[k] · δτ(k)  +  δdeviation · ∫ level)

so clock error (a cubic where clocks drift, else a straight line) and deviation follow from one small
linear system; the carrier from the mean advance of c[k]. Then each piece of 64 chips is given its own
complex amplitude and slope, which follows fading and phase noise slower than that, and subtracted.

What is left of the frame is about 4 / 64 of what disturbed it, noise and other bursts in its own
bandwidth alike: 12 dB below them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dsp import line_code
from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, PhasorArray
from dsp.encoder import chip_string
from dsp.frame_reader import Attempt
from dsp.known_waveform import KnownBurst, WaveformMaker, chip_phasors, moving_mean
from dsp.modes import PhyMode, Postamble
from dsp.plan import Channel

_PIECE_CHIPS = 64
_REFERENCE_CHIPS = 32
_DRIFT_ORDER = 3
_STEADY_TOLERANCE = 1e-3  # of the chip rate; clocks of a closer tolerance do not drift
_LEAST_FIT_CHIPS = 2 * _REFERENCE_CHIPS
_MOST_SHIFT_CHIPS = 0.2  # of an edge, by the fit
_MOST_DEVIATION_CHANGE = 0.15
_GAUSSIAN_BANDWIDTH_TIME = 0.5
_GAUSSIAN_READS = 0.87  # of the deviation, by tones
_COHERENT = 0.93  # less: try the other frequency pulse


@dataclass(frozen=True, slots=True)
class Removed:
    """What was subtracted.

    Attributes:
        start: first sample.
        waveform: complex64 [n], what to add from there on to undo it.
        power: mean power of the burst.
        carrier_offset: from the channel's carrier, in cycles per sample.
        frame: the burst as it was fitted, without what stands before the sync pattern and behind the frame.
    """

    start: int
    waveform: ComplexArray
    power: float
    carrier_offset: float
    frame: KnownBurst

    @property
    def stop(self) -> int:
        """Sample after the last."""
        return self.start + self.waveform.size


class Subtraction:
    """Subtracts the frames of one channel.

    Args:
        channel: whose frames.
        shift: the channel's carrier in cycles per sample.
        step: samples per baseband sample.
    """

    def __init__(self, channel: Channel, shift: float, step: float) -> None:
        self._channel = channel
        self._shift = shift
        self._step = step
        drifts = channel.chip_rate_tolerance > _STEADY_TOLERANCE
        self._clock_order = _DRIFT_ORDER if drifts else 1
        self._rows = {v.row.name for v in channel.variants if v.row.bits_per_chip == 1}
        self._straight = WaveformMaker(None)
        self._gaussian = WaveformMaker(_GAUSSIAN_BANDWIDTH_TIME)

    def knows(self, attempt: Attempt) -> bool:
        """Tell whether the frame's chips follow from its bytes alone."""
        return attempt.variant.row.name in self._rows

    def subtract(self, samples: ComplexArray, attempt: Attempt) -> Removed:
        """Take a frame off.

        Args:
            samples: complex64 of the wide stream, changed in place; its first is where the baseband began.
            attempt: a frame whose CRCs fit, or whose chips are mostly right.
        """
        row = attempt.variant.row
        burst = _inside(self._first_guess(attempt), samples.size)
        usual, other = self._straight, self._gaussian
        if row.bandwidth_time is not None:
            usual, other = other, usual
        maker = usual
        if burst.levels.size >= _LEAST_FIT_CHIPS:
            burst, coherence = self._fitted(samples, usual, burst)
            if coherence < _COHERENT:
                otherwise, better = self._fitted(samples, other, self._first_guess(attempt))
                maker, burst = (other, otherwise) if better > coherence else (usual, burst)
        return self._take_off(samples, maker, burst, row)

    def _first_guess(self, attempt: Attempt) -> KnownBurst:
        """Build the burst as the detectors saw it."""
        known = chip_string(self._channel.pattern + attempt.variant.continuation)
        chips = np.concatenate([known, line_code.encode(attempt.raw, attempt.variant.row.line_code)])
        starts: DoubleArray = attempt.chips.starts[: chips.size] * self._step
        k: DoubleArray = np.arange(chips.size + 1) * (2.0 / chips.size) - 1.0
        order = self._clock_order if starts.size > 4 * _REFERENCE_CHIPS else 1
        powers = np.asarray(k[:, None] ** np.arange(order + 1), dtype=np.float64)
        low, high = attempt.chips.low_hz, attempt.chips.high_hz
        rate_hz = self._channel.baseband_rate_hz * self._step
        return KnownBurst(
            levels=chips.astype(np.float32) * np.float32(2) - np.float32(1),
            edges=powers @ _least_squares(powers[: starts.size], starts),
            carrier=self._shift + (low + high) / 2.0 / rate_hz,
            deviation=(high - low) / 2.0 / rate_hz,
        )

    def _fitted(
        self, samples: ComplexArray, maker: WaveformMaker, burst: KnownBurst
    ) -> tuple[KnownBurst, float]:
        """Fit with one frequency pulse; also tell how coherent the chips are, 0…1."""
        if maker is self._gaussian:  # tones read low where chips are rounded
            burst = replace(burst, deviation=burst.deviation / _GAUSSIAN_READS)
            burst, _ = self._fit(samples, maker, _inside(burst, samples.size))
        return self._fit(samples, maker, _inside(burst, samples.size))

    def _fit(
        self, samples: ComplexArray, maker: WaveformMaker, burst: KnownBurst
    ) -> tuple[KnownBurst, float]:
        """Refine carrier, deviation and clock once."""
        first, wave, bounds = maker.make(burst)
        c = chip_phasors(samples[first : first + wave.size], wave, bounds)
        advance = float(np.angle(np.sum(c[1:] * c[:-1].conj())))
        c *= np.exp(-1j * advance * np.arange(c.size))
        local = moving_mean(c, _REFERENCE_CHIPS)
        size, local_size = float(np.mean(np.abs(c))) + 1e-30, float(np.mean(np.abs(local))) + 1e-30
        phase = np.imag(c * local.conj()) / (size * local_size)
        length = float(burst.edges[-1] - burst.edges[0])
        x = 2.0 * (burst.edges - burst.edges[0]) / length - 1.0
        powers = x[:, None] ** np.arange(self._clock_order + 1)
        steps = burst.levels * np.diff(burst.edges)
        columns = np.empty((c.size, powers.shape[1] + 1))
        columns[:, :-1] = (-2.0 * math.pi * burst.deviation * burst.levels)[:, None] * powers[:-1]
        columns[:, -1] = 2.0 * math.pi * (np.cumsum(steps) - 0.5 * steps)
        columns -= moving_mean(columns, _REFERENCE_CHIPS)
        solution = _least_squares(columns, phase)
        most_shift = _MOST_SHIFT_CHIPS * length / c.size
        most_change = _MOST_DEVIATION_CHANGE * abs(burst.deviation)
        fitted = KnownBurst(
            levels=burst.levels,
            edges=burst.edges + np.clip(powers @ solution[:-1], -most_shift, most_shift),
            carrier=burst.carrier + advance * c.size / (2.0 * math.pi * length),
            deviation=burst.deviation + min(max(float(solution[-1]), -most_change), most_change),
        )
        return _inside(fitted, samples.size), local_size / size

    def _take_off(
        self, samples: ComplexArray, maker: WaveformMaker, frame: KnownBurst, row: PhyMode
    ) -> Removed:
        extended = _extended(frame, row, samples.size)
        first, wave, bounds = maker.make(extended.burst)
        c = chip_phasors(samples[first : first + wave.size], wave, bounds)
        start = extended.before - _steps_present(c[: extended.before + _REFERENCE_CHIPS][::-1])
        stop = c.size - extended.behind
        stop += _steps_present(c[max(0, stop - _REFERENCE_CHIPS) :])
        n_pieces = max(1, round((stop - start) / _PIECE_CHIPS))
        limits = np.linspace(start, stop, n_pieces + 1).astype(np.int64)
        offset = int(bounds[start])
        waveform = wave[offset : bounds[stop]]
        _give_amplitude(c, bounds, limits, waveform)
        samples[first + offset : first + offset + waveform.size] -= waveform
        power = float(np.mean(waveform.real**2 + waveform.imag**2)) if waveform.size else 0.0
        return Removed(first + offset, waveform, power, frame.carrier - self._shift, frame)


def _inside(burst: KnownBurst, size: int) -> KnownBurst:
    """Cut off the chips that lie beyond the samples."""
    inside = np.flatnonzero((burst.edges >= 0.0) & (burst.edges <= size - 1.0))
    start, stop = (int(inside[0]), int(inside[-1])) if inside.size else (0, 0)
    return KnownBurst(burst.levels[start:stop], burst.edges[start : stop + 1], burst.carrier, burst.deviation)


@dataclass(frozen=True, slots=True)
class _Extended:
    """A burst with the chips that may stand before and behind its frame."""

    burst: KnownBurst
    before: int
    behind: int


def _extended(burst: KnownBurst, row: PhyMode, size: int) -> _Extended:
    """Add alternating chips: how many of them are really there is found by their amplitude."""
    first_period, last_period = burst.edges[1] - burst.edges[0], burst.edges[-1] - burst.edges[-2]
    n_before = max(0, min(row.header_chips, int(burst.edges[0] / first_period)))
    n_behind = 0 if row.postamble is Postamble.NONE else row.postamble_chips[1]
    n_behind = max(0, min(n_behind, int((size - 1 - burst.edges[-1]) / last_period)))
    behind = -1.0 if row.postamble is Postamble.ZERO_ONE else -burst.levels[-1]
    return _Extended(
        KnownBurst(
            levels=np.concatenate(
                [
                    burst.levels[0] * (-1.0) ** np.arange(n_before, 0, -1),
                    burst.levels,
                    behind * (-1.0) ** np.arange(n_behind),
                ]
            ).astype(np.float32),
            edges=np.concatenate(
                [
                    burst.edges[0] - first_period * np.arange(n_before, 0, -1),
                    burst.edges,
                    burst.edges[-1] + last_period * np.arange(1, n_behind + 1),
                ]
            ),
            carrier=burst.carrier,
            deviation=burst.deviation,
        ),
        n_before,
        n_behind,
    )


def _steps_present(c: PhasorArray) -> int:
    """How many chips behind the first 32, which are the burst's, go on in the same amplitude and phase."""
    reference = c[:_REFERENCE_CHIPS].mean()
    agreement = np.real(c[_REFERENCE_CHIPS:] * np.conj(reference)) / (abs(reference) ** 2 + 1e-30) - 0.5
    climb = np.cumsum(agreement)
    best = int(np.argmax(climb)) if climb.size else 0
    return best + 1 if climb.size and climb[best] > 0.0 else 0


def _least_squares(columns: DoubleArray, values: DoubleArray) -> DoubleArray:
    """Solve by the normal equations, which are regular whatever the columns."""
    square = columns.T @ columns
    diagonal = np.einsum("ii->i", square)
    diagonal += 1e-12 * diagonal.max() + 1e-30
    return np.asarray(np.linalg.solve(square, columns.T @ values))


@kernel
def _give_amplitude(c, bounds, limits, wave):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Multiply the waveform, which begins at chip ``limits[0]``, by each piece's amplitude and slope."""
    origin = bounds[limits[0]]
    for p in range(limits.size - 1):
        begin, end = bounds[limits[p]], bounds[limits[p + 1]]
        middle, half = 0.5 * (begin + end), max(1.0, 0.5 * (end - begin))
        level = complex(0.0, 0.0)
        slope = complex(0.0, 0.0)
        spread = 1e-9
        for k in range(limits[p], limits[p + 1]):
            t = (0.5 * (bounds[k] + bounds[k + 1]) - middle) / half
            level += c[k]
            slope += c[k] * t
            spread += (bounds[k + 1] - bounds[k]) * t * t
        level /= max(1, end - begin)
        slope /= spread
        for n in range(begin, end):
            wave[n - origin] *= level + slope * ((n - middle) / half)
