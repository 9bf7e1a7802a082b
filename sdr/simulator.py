"""A scene to samples: the receiver's noise, and the bursts of all transmitters on top of it.

    noise at the stated level  +  Σ bursts at the stated Ec/N0  →  gain, I/Q imbalance, DC spike

Samples are made in fixed pieces counted from the start of the recording; the noise of each
piece has its own generator. So a long recording needs no more memory than a short one, and a
shorter one is exactly the beginning of a longer one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dsp import channel
from dsp.arrays import ComplexArray
from dsp.encoder import encode_levels
from dsp.modulator import Waveform, waveform
from protocol import link
from sdr.scene import Scene
from sdr.traffic import NOISE, Coverage, Transmission, generator, plan

PIECE_SAMPLES = 65_536


def truth(scene: Scene) -> list[Transmission]:
    """List what is sent in a scene, by start time, whether or not a recording's span holds it."""
    return plan(scene)


def render(
    scene: Scene, *, sample_rate_hz: float | None = None, center_hz: float | None = None
) -> Iterator[ComplexArray]:
    """Make the samples of a scene.

    Bursts that the span does not hold are left out; of those at its edge a receiver's
    anti-aliasing filter keeps the part inside.

    Args:
        scene: the scene.
        sample_rate_hz: another rate than the scene's; the noise keeps its total power.
        center_hz: another centre frequency than the scene's.

    Yields:
        The recording in pieces of complex64, full scale ±1 (beyond it, samples are to be clipped).
    """
    rate_hz = scene.sample_rate_hz if sample_rate_hz is None else sample_rate_hz
    middle_hz = scene.center_hz if center_hz is None else center_hz
    noise_power = 0.0 if scene.noise_dbfs is None else channel.power_from_dbfs(scene.noise_dbfs)
    gain = math.sqrt(channel.power_from_dbfs(scene.gain_db))
    waiting = deque(t for t in plan(scene) if t.coverage(rate_hz, middle_hz) is not Coverage.OUTSIDE)
    on_air: list[_Burst] = []
    n_samples = round(scene.duration_s * rate_hz)
    for piece, first in enumerate(range(0, n_samples, PIECE_SAMPLES)):
        stop = min(first + PIECE_SAMPLES, n_samples)
        samples = channel.noise(stop - first, noise_power, generator(scene.seed, NOISE, piece))
        while waiting and waiting[0].start_s * rate_hz - channel.EDGE_SAMPLES < stop:
            on_air.append(_Burst.begin(waiting.popleft(), rate_hz, middle_hz, noise_power))
        for burst in on_air:
            burst.add_to(samples, first)
        on_air = [burst for burst in on_air if burst.stop > stop]
        yield channel.spoil(samples, dc=scene.dc, iq_gain_db=scene.iq_gain_db, gain=gain)


def waveform_of(sent: Transmission, frequency_hz: float, *, keying_s: float = 0.0) -> Waveform:
    """Give a transmission its waveform.

    Args:
        sent: the transmission.
        frequency_hz: its nominal carrier relative to the middle of the samples.
        keying_s: length of the power ramps around the burst.
    """
    levels = encode_levels(
        link.add_crcs(sent.frame, sent.frame_format),
        sent.row,
        sent.frame_format,
        preamble_pairs=sent.settings.preamble_pairs,
        postamble_chips=sent.settings.postamble_chips,
    )
    return waveform(
        -levels if sent.inverted else levels,
        sent.row,
        frequency_hz=frequency_hz,
        impairments=sent.impairments,
        phase_rad=sent.phase_rad,
        keying_s=keying_s,
    )


@dataclass(frozen=True, slots=True)
class _Burst:
    """One burst while it is on air: its waveform, and the absolute samples ``first`` to ``stop``."""

    waveform: Waveform
    start_s: float
    sample_rate_hz: float
    gain: float
    filtered: bool
    first: int
    stop: int

    @classmethod
    def begin(cls, sent: Transmission, rate_hz: float, middle_hz: float, noise_power: float) -> _Burst:
        shape = waveform_of(sent, sent.center_hz - middle_hz)
        filtered = sent.coverage(rate_hz, middle_hz) is Coverage.PARTIAL
        margin = channel.EDGE_SAMPLES if filtered else 0
        return cls(
            waveform=shape,
            start_s=sent.start_s,
            sample_rate_hz=rate_hz,
            gain=sent.amplitude(noise_power, rate_hz),
            filtered=filtered,
            first=math.ceil(sent.start_s * rate_hz) - margin,
            stop=math.ceil((sent.start_s + shape.duration_s) * rate_hz) + margin,
        )

    def add_to(self, samples: ComplexArray, first: int) -> None:
        """Add what of the burst falls on ``samples``, which begin at the absolute sample ``first``."""
        start, stop = max(self.first, first), min(self.stop, first + samples.size)
        if start >= stop:
            return
        at = self._evaluate_filtered if self.filtered else self._evaluate
        samples[start - first : stop - first] += np.float32(self.gain) * at(start, stop)

    def _evaluate(self, start: int, stop: int) -> ComplexArray:
        return self.waveform.samples(np.arange(start, stop) / self.sample_rate_hz - self.start_s)

    def _evaluate_filtered(self, start: int, stop: int) -> ComplexArray:
        ticks = channel.oversampled_ticks(start, stop)
        times_s = ticks / (channel.OVERSAMPLING * self.sample_rate_hz) - self.start_s
        return channel.anti_alias(self.waveform.samples(times_s))
