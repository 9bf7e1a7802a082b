"""Helpers of the tests: bursts on the air, the receive chain around them, the command line.

    frame ─▶ on_air ─▶ place_in_noise ─▶ receive ─▶ bursts           all at a stated Ec/N0

Levels follow ``dsp.channel``: noise of power ``NOISE_POWER`` a sample, full scale 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import sdr
from dsp import channel
from dsp.arrays import ComplexArray, FloatArray
from dsp.burst import Burst
from dsp.encoder import encode_levels
from dsp.history import RawScale
from dsp.modes import MODES, FrameFormat, Modulation, PhyMode
from dsp.modulator import IDEAL, Impairments, modulate
from dsp.plan import RECEIVER_PPM, Channel, Plan, make_plan
from dsp.receiver import Receiver
from protocol import link
from sdr.receiver import LinkRules
from sdr.recording import open_recording
from sdr.sample_format import SampleFormat
from sdr.session import Replay, Selection, Summary

ROOT = Path(__file__).parents[1]
NOISE_POWER = 1e-3
AS_IS = RawScale(0.0, 1.0)

# The printed gas meter of OMS Vol. 2 Annex N, N.2.1: format A as printed, and the same in
# format B, whose CRC B853 was recomputed.
GAS_FRAME = bytes.fromhex(
    "2E4493157856341233037A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
)
GAS_RAW_A = bytes.fromhex(
    "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493BC2AD"
    "013EC4A6F6D3529B520EDFF0EA6DEFC955B29D6D69EBF3EC8A"
)
GAS_RAW_B = b"\x30" + GAS_FRAME[1:] + bytes.fromhex("B853")

ROWS_AND_FORMATS = [(row, frame_format) for row in MODES for frame_format in row.frame_formats]
ROW_AND_FORMAT_IDS = [f"{row.name} {frame_format}" for row, frame_format in ROWS_AND_FORMATS]


@dataclass(frozen=True, slots=True)
class Air:
    """A recorded span that a test puts bursts into."""

    sample_rate_hz: float
    center_hz: float

    def plan(self, *modes: str, band: str | None = None) -> Plan:
        """Channels of these mode letters; of all usual ones when none is named."""
        return make_plan(self.sample_rate_hz, self.center_hz, modes or None, band)


def narrow_air(row: PhyMode) -> Air:
    """The narrowest span around the carrier that holds every permitted signal of a row."""
    carrier_hz = row.centers_hz[row.default_channel]
    half_hz = carrier_error_hz(row) + row.deviation.max_hz + row.chip_rate_hz
    return Air(max(200e3, 2.0 * half_hz), carrier_hz)


def usual_ec_n0_db(row: PhyMode) -> float:
    """Ec/N0 at which every frame must come through: moderate, 4-GFSK needs more."""
    return 28.0 if row.modulation is Modulation.GFSK4 else 18.0


def carrier_error_hz(row: PhyMode) -> float:
    """What transmitter and a cheap dongle may be off together."""
    return row.centers_hz[row.default_channel] * (row.carrier_tolerance_ppm + RECEIVER_PPM) * 1e-6


def random_frame(rng: np.random.Generator, l_field: int) -> bytes:
    """A CRC-less frame: SND-NR of a random address with random contents."""
    return bytes([l_field, 0x44, 0x93, 0x15]) + rng.bytes(l_field - 3)


def on_air(
    raw: bytes,
    row: PhyMode,
    frame_format: FrameFormat,
    air: Air,
    rng: np.random.Generator,
    *,
    ec_n0_db: float | None = None,
    impairments: Impairments = IDEAL,
    carrier_hz: float | None = None,
    preamble_pairs: int | None = None,
    inverted: bool = False,
    wrong_chips: tuple[int, ...] = (),
) -> ComplexArray:
    """Modulate a frame with CRCs at a random fraction of a sample and a random phase.

    Args:
        wrong_chips: chips of the burst, counted from the preamble's first, that are sent inverted.
    """
    levels = encode_levels(raw, row, frame_format, preamble_pairs=preamble_pairs)
    levels[list(wrong_chips)] *= np.float32(-1)
    return modulate_levels(
        -levels if inverted else levels,
        row,
        air,
        rng,
        ec_n0_db=ec_n0_db,
        impairments=impairments,
        carrier_hz=carrier_hz,
    )


def modulate_levels(
    levels: FloatArray,
    row: PhyMode,
    air: Air,
    rng: np.random.Generator,
    *,
    ec_n0_db: float | None = None,
    impairments: Impairments = IDEAL,
    carrier_hz: float | None = None,
) -> ComplexArray:
    """Modulate levels at the amplitude that gives ``ec_n0_db`` over noise of ``NOISE_POWER``."""
    nominal_hz = row.centers_hz[row.default_channel] if carrier_hz is None else carrier_hz
    samples = modulate(
        levels,
        row,
        air.sample_rate_hz,
        frequency_hz=nominal_hz - air.center_hz,
        impairments=impairments,
        first_sample_s=rng.uniform(0.0, 1.0 / air.sample_rate_hz),
        phase_rad=rng.uniform(0.0, 2.0 * np.pi),
    )
    return samples * np.float32(amplitude(row, air, usual_ec_n0_db(row) if ec_n0_db is None else ec_n0_db))


def amplitude(row: PhyMode, air: Air, ec_n0_db: float) -> float:
    """Amplitude of a burst with this Ec/N0 over noise of ``NOISE_POWER``."""
    return channel.amplitude(ec_n0_db, row.chip_rate_hz, NOISE_POWER, air.sample_rate_hz)


def place_in_noise(
    bursts: list[tuple[int, ComplexArray]], n_samples: int, rng: np.random.Generator
) -> ComplexArray:
    """Add bursts at their first samples to noise."""
    samples = channel.noise(n_samples, NOISE_POWER, rng)
    for first, burst in bursts:
        samples[first : first + burst.size] += burst
    return samples


def pad_with_noise(
    burst: ComplexArray, air: Air, rng: np.random.Generator, pad_s: float = 0.004
) -> ComplexArray:
    """One burst with noise of ``pad_s`` before and behind."""
    pad = round(pad_s * air.sample_rate_hz)
    return place_in_noise([(pad, burst)], burst.size + 2 * pad, rng)


def open_receiver(air: Air, plan: Plan, raw_scale: RawScale = AS_IS) -> Receiver:
    """The receive chain, for complex64 samples unless another scale is given."""
    return Receiver(plan, air.sample_rate_hz, air.center_hz, raw_scale, LinkRules())


def receive(samples: ComplexArray, air: Air, plan: Plan) -> list[Burst]:
    """All bursts of a whole recording."""
    receiver = open_receiver(air, plan)
    return receiver.push(samples.view(np.float32)) + receiver.flush()


def frames_of(bursts: list[Burst]) -> list[bytes]:
    """Raw bytes of what has no fault."""
    return [burst.raw for burst in bursts if burst.fault is None]


def row_plan(row: PhyMode, air: Air) -> Plan:
    """The one channel that a row's default carrier lies on."""
    channels = air.plan(row.mode, band=row.bands[0]).channels
    carrier_hz = row.centers_hz[row.default_channel]
    return Plan(tuple(c for c in channels if row in c.rows and c.center_hz == carrier_hz), ())


@dataclass(frozen=True, slots=True)
class InBaseband:
    """One burst of amplitude 1 in the baseband of its channel, as the stages behind the filter see it.

    Attributes:
        channel: the channel, on a span wide enough for all that it permits.
        samples: complex64, noise before and behind the burst.
        start: where the burst's first preamble chip begins, in samples.
        levels: the levels sent.
    """

    channel: Channel
    samples: ComplexArray
    start: float
    levels: FloatArray

    def pattern_start(self, period: float) -> float:
        """Where the sync pattern's first chip begins, the chips being ``period`` samples long."""
        signs = np.sign(self.levels)
        pattern = np.array([1.0 if chip == "1" else -1.0 for chip in self.channel.pattern])
        places = np.lib.stride_tricks.sliding_window_view(signs, pattern.size) @ pattern
        return self.start + period * int(np.argmax(np.abs(places)))


def in_baseband(
    row: PhyMode,
    frame_format: FrameFormat,
    rng: np.random.Generator,
    *,
    ec_n0_db: float = 20.0,
    impairments: Impairments = IDEAL,
    raw: bytes = GAS_RAW_A,
    inverted: bool = False,
    lead_chips: int = 30,
    sent_as: PhyMode | None = None,
) -> InBaseband:
    """Make a burst in the baseband of a row's default channel.

    Args:
        sent_as: the row as its transmitter sees it, where that differs.
    """
    carrier_hz = row.centers_hz[row.default_channel]
    channels = make_plan(20e6, carrier_hz, (row.mode,), row.bands[0]).channels
    listened = next(c for c in channels if row in c.rows and c.center_hz == carrier_hz)
    rate_hz = listened.baseband_rate_hz
    levels = encode_levels(raw, row, frame_format)
    if inverted:
        levels = -levels
    fraction = float(rng.uniform(0.0, 1.0))
    burst = modulate(
        levels,
        sent_as or row,
        rate_hz,
        impairments=impairments,
        first_sample_s=fraction / rate_hz,
        phase_rad=float(rng.uniform(0.0, 2.0 * np.pi)),
    )
    lead = lead_chips * listened.samples_per_chip
    noise_power = listened.samples_per_chip / 10.0 ** (ec_n0_db / 10.0)
    samples = channel.noise(burst.size + 2 * lead, noise_power, rng)
    samples[lead : lead + burst.size] += burst
    return InBaseband(listened, samples, lead - fraction, levels)


def loop_back(
    raw: bytes,
    row: PhyMode,
    frame_format: FrameFormat,
    rng: np.random.Generator,
    *,
    pad_s: float = 0.004,
    **options: object,
) -> list[Burst]:
    """Send one frame on a narrow span and receive its channel.

    Args:
        pad_s: length of the noise before and behind.
        options: those of ``on_air``.
    """
    air = narrow_air(row)
    burst = on_air(raw, row, frame_format, air, rng, **options)  # type: ignore[arg-type]
    return receive(pad_with_noise(burst, air, rng, pad_s), air, row_plan(row, air))


def sent_raw(rng: np.random.Generator, l_field: int, frame_format: FrameFormat) -> bytes:
    """A random frame with its CRCs; ``l_field`` is that of the CRC-less frame."""
    return link.add_crcs(random_frame(rng, l_field), frame_format)


def frames_in(path: Path, *modes: str, **facts: float | SampleFormat) -> list[str]:
    """CRC-less frames of a recording as hex, in the order of their arrival.

    Args:
        path: the recording.
        modes: letters of the modes to receive; those that the span suggests when none is named.
        facts: what the recording does not tell: ``sample_rate_hz``, ``center_hz``, ``sample_format``.
    """
    with open_recording(path, **facts) as recording:
        replay = Replay(recording, Selection(modes or None), Summary())
        found = [reception for reception in replay.run() if reception.rejection is None]
    found.sort(key=lambda reception: reception.burst.first_sample)
    return [reception.frame.hex() for reception in found]


def run_omsdr(
    *arguments: str | Path, stdin: bytes | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m sdr`` as a process of its own, with the code that the tests import."""
    return subprocess.run(
        [sys.executable, "-m", "sdr", *map(str, arguments)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env=process_environment(environment),
        timeout=120,
        check=False,
    )


def process_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Environment in which a new Python imports the same packages as this one."""
    same_code = {"PYTHONPATH": str(Path(sdr.__file__).parents[1]), "PYTHONSAFEPATH": "1"}
    return {**os.environ, **same_code, **(extra or {})}
