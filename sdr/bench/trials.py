"""Frames in noise through the receive chain, counted: the measurement behind every sensitivity figure.

    batch:  │ quiet, until the gates know the floor │ frame │ gap │ frame │ gap │ …

A batch is one stream with many frames, so gates, DC tracker and history work as in use. All that is
random in it comes from (seed, conditions, Ec/N0, number of the batch): the counts of a point do not
depend on how batches are spread over processes, and batches of different seeds add up.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TypedDict

import numpy as np

from dsp import channel, encoder
from dsp.arrays import ComplexArray, RawArray
from dsp.burst import Burst
from dsp.history import RawScale
from dsp.modulator import Impairments, waveform
from dsp.receiver import Receiver
from protocol import link
from sdr.bench.conditions import Conditions, Interferer
from sdr.receiver import LinkRules
from sdr.recording.reader import CHUNK_SAMPLES
from sdr.sample_format import SampleFormat, from_complex

_FORMAT = SampleFormat.CU8
_GAP_CHIPS = (400, 800)
_SETTLE_BURSTS = 2.2  # of the longest burst; by then every gate knows its floor
_SETTLE_S = 0.1
_MANUFACTURER = bytes.fromhex("9315")
_C_FIELD = 0x44


class Switches(TypedDict, total=False):
    """Arguments of ``dsp.receiver.Receiver`` that turn its ideas on and off."""

    repair: bool
    coherent: bool
    subtraction: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts that add up.

    Attributes:
        sent: frames.
        heard: that came out exactly, once.
        twice: that came out more than once.
        wrong: accepted frames that were not sent.
        repaired: accepted frames with repaired bits.
        repaired_wrong: wrong ones among them.
        chips_repaired: bits that repair changed in all of them.
    """

    sent: int = 0
    heard: int = 0
    twice: int = 0
    wrong: int = 0
    repaired: int = 0
    repaired_wrong: int = 0
    chips_repaired: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Tally)))

    @property
    def success(self) -> float:
        """Share of the frames that came out exactly, once."""
        return self.heard / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """One stream to be rendered and received.

    Attributes:
        conditions: what is sent.
        ec_n0_db: level of all frames.
        frames: how many.
        seed: of the whole measurement.
        number: of the batch, within the point.
    """

    conditions: Conditions
    ec_n0_db: float
    frames: int
    seed: int
    number: int

    def generator(self) -> np.random.Generator:
        """Return the batch's own source of randomness."""
        place = zlib.crc32(repr(self.conditions).encode())
        level = round(100 * self.ec_n0_db) + (1 << 20)
        return np.random.Generator(
            np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=(place, level, self.number)))
        )


def run_batch(batch: Batch, receivers: Mapping[str, Switches]) -> dict[str, Tally]:
    """Render a batch and give it to one or more receivers.

    Args:
        batch: what to send.
        receivers: by name, the switches of each.

    Returns:
        The counts of each receiver.
    """
    raw, sent = render(batch)
    return {
        name: count(sent, receive(raw, batch.conditions, switches)) for name, switches in receivers.items()
    }


def render(batch: Batch) -> tuple[RawArray, list[bytes]]:
    """Make a batch's stored samples cu8 [2n] and the frames in it, CRCs included."""
    conditions, rng = batch.conditions, batch.generator()
    row, rate_hz = conditions.row, conditions.span.sample_rate_hz
    longest_s = max(c.longest_burst_s for c in conditions.span.plan().channels)
    at = _SETTLE_BURSTS * longest_s + _SETTLE_S
    noise_power = channel.power_from_dbfs(conditions.noise_dbfs)
    gain = np.float32(channel.amplitude(batch.ec_n0_db, row.chip_rate_hz, noise_power, rate_hz))
    sent: list[bytes] = []
    placed: list[tuple[int, ComplexArray]] = []
    for _ in range(batch.frames):
        raw_frame = link.add_crcs(_random_frame(conditions, rng), conditions.frame_format)
        start_s = at + rng.uniform(*_GAP_CHIPS) / row.chip_rate_hz
        first, samples = _burst(raw_frame, conditions, start_s, rng)
        sent.append(raw_frame)
        placed.append((first, samples))
        at = (first + samples.size) / rate_hz
    n_samples = math.ceil((at + _GAP_CHIPS[1] / row.chip_rate_hz) * rate_hz)
    stream = channel.noise(n_samples, noise_power, rng)
    if conditions.interferer is not None:
        stream += _interference(conditions.interferer, conditions, n_samples, rng)
    for first, samples in placed:
        stream[first : first + samples.size] += gain * samples
    stream = channel.spoil(
        stream,
        dc=conditions.dc,
        iq_gain_db=conditions.iq_gain_db,
        iq_phase_deg=conditions.iq_phase_deg,
        gain=10.0 ** (conditions.gain_db / 20.0),
    )
    return from_complex(stream, _FORMAT)[0], sent


def receive(raw: RawArray, conditions: Conditions, switches: Switches) -> list[Burst]:
    """Receive stored samples; return the bursts without fault."""
    span = conditions.span
    scale = RawScale(_FORMAT.zero_offset, _FORMAT.scale)
    receiver = Receiver(span.plan(), span.sample_rate_hz, span.center_hz, scale, LinkRules(), **switches)
    bursts = []
    for start in range(0, raw.size, 2 * CHUNK_SAMPLES):
        bursts += receiver.push(raw[start : start + 2 * CHUNK_SAMPLES])
    bursts += receiver.flush()
    return [burst for burst in bursts if burst.fault is None]


def count(sent: list[bytes], bursts: list[Burst]) -> Tally:
    """Compare what came out with what was sent; random frames are told apart by their bytes."""
    known = set(sent)
    times = Counter(burst.raw for burst in bursts)
    wrong = [burst for burst in bursts if burst.raw not in known]
    return Tally(
        sent=len(sent),
        heard=sum(times[frame] == 1 for frame in sent),
        twice=sum(times[frame] > 1 for frame in sent),
        wrong=len(wrong),
        repaired=sum(burst.repaired_bits > 0 for burst in bursts),
        repaired_wrong=sum(burst.repaired_bits > 0 for burst in wrong),
        chips_repaired=sum(burst.repaired_bits for burst in bursts),
    )


def _random_frame(conditions: Conditions, rng: np.random.Generator) -> bytes:
    low, high = conditions.payload_bytes
    payload = rng.bytes(int(rng.integers(low, high, endpoint=True)))
    return bytes((9 + len(payload), _C_FIELD)) + _MANUFACTURER + rng.bytes(6) + payload


def _burst(
    raw_frame: bytes, conditions: Conditions, start_s: float, rng: np.random.Generator
) -> tuple[int, ComplexArray]:
    """Make one burst of amplitude 1: the number of its first sample, and its samples."""
    span, row = conditions.span, conditions.row
    levels = encoder.encode_levels(
        raw_frame, row, conditions.frame_format, preamble_pairs=conditions.preamble_pairs
    )
    shape = waveform(
        levels,
        replace(row, bandwidth_time=conditions.bandwidth_time),
        frequency_hz=row.centers_hz[row.default_channel] - span.center_hz,
        impairments=Impairments(
            carrier_offset_hz=rng.uniform(*conditions.carrier_hz),
            deviation_hz=conditions.deviation_hz,
            chip_rate_error=rng.uniform(*conditions.chip_rate_error),
            chip_rate_drift=rng.uniform(*conditions.chip_rate_drift),
        ),
        phase_rad=rng.uniform(0.0, 2.0 * np.pi),
    )
    first = math.ceil(start_s * span.sample_rate_hz)
    stop = math.ceil((start_s + shape.duration_s) * span.sample_rate_hz)
    samples = shape.samples(np.arange(first, stop) / span.sample_rate_hz - start_s)
    if conditions.oscillator is not None:
        phase = conditions.oscillator.phase(samples.size, span.sample_rate_hz, rng)
        samples *= np.exp(1j * phase).astype(np.complex64)
    return first, samples


def _interference(
    interferer: Interferer, conditions: Conditions, n_samples: int, rng: np.random.Generator
) -> ComplexArray:
    """Make the second signal over the whole stream."""
    rate_hz = conditions.span.sample_rate_hz
    samples_per_chip = rate_hz / interferer.chip_rate_hz
    chips = 2.0 * rng.integers(0, 2, math.ceil(n_samples / samples_per_chip) + 1) - 1.0
    here = (np.arange(n_samples) / samples_per_chip).astype(np.int64)
    frequency_hz = interferer.center_hz - conditions.span.center_hz + interferer.deviation_hz * chips[here]
    turns = np.cumsum(frequency_hz / rate_hz)
    power = channel.power_from_dbfs(conditions.noise_dbfs)
    gain = channel.amplitude(interferer.level_db, conditions.row.chip_rate_hz, power, rate_hz)
    return np.asarray(gain * np.exp(2j * np.pi * (turns % 1.0)), dtype=np.complex64)
