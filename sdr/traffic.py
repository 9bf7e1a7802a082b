"""Who is on air when: a scene's meters and street as a list of transmissions.

Every draw has its own generator, made from the scene's seed and the place of what is drawn
(which meter, which transmission), so that changing one meter leaves all others as they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

import numpy as np

from dsp import channel
from dsp.encoder import count_chips
from dsp.modes import FrameFormat, PhyMode
from dsp.modulator import Impairments, chip_edges_s
from protocol import c_field, link
from protocol.address import manufacturer_code
from sdr.scene import BurstSettings, Interval, Meter, RandomPayload, Scene, Sender, Street

# First word of a generator's place.
NOISE: Final = 0
_METER: Final = 1
_STREET: Final = 2

_C_FIELDS: Final[dict[Sender, int]] = {"M2O": c_field.code_of("SND-NR"), "O2M": c_field.code_of("SND-UD")}
# M-Bus data without a header, from and to a meter; then a data block in the maker's own format.
_APPLICATION_STARTS: Final[dict[Sender, bytes]] = {"M2O": b"\x78\x0f", "O2M": b"\x51\x0f"}
_MANUFACTURER: Final = manufacturer_code("ELS").to_bytes(2, "little")
_DEVICE_TYPES: Final = (0x02, 0x03, 0x04, 0x07, 0x08)  # electricity, gas, heat, water, heat cost allocator

# Transmitters know nothing of the sample clock: this spreads starts over at least two samples of
# the slowest recording, so that they lie anywhere between samples.
_START_SPREAD_S: Final = 10e-6


class Coverage(Enum):
    """How much of a transmission's spectrum a recording holds."""

    INSIDE = "inside"
    PARTIAL = "partial"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Transmission:
    """One burst as it is sent: the truth that a receiver is measured against.

    Attributes:
        start_s: start of the first preamble chip, seconds from the recording's first sample.
        duration_s: from there to the end of the last CRC chip.
        whole_duration_s: the same with the postamble.
        row: the air interface.
        direction: who sends.
        frame_format: of the frame on air.
        frame: CRC-less frame.
        center_hz: nominal carrier.
        settings: level, impairments, length of preamble and trailer.
        phase_rad: carrier phase at the start.
        inverted: chip 1 is the lower frequency.
    """

    start_s: float
    duration_s: float
    whole_duration_s: float
    row: PhyMode
    direction: Literal["M2O", "O2M"]
    frame_format: FrameFormat
    frame: bytes
    center_hz: float
    settings: BurstSettings
    phase_rad: float
    inverted: bool

    @property
    def mode(self) -> str:
        """Letter that a receiver reports: T downlink has the air interface of S."""
        return self.row.mode

    @property
    def impairments(self) -> Impairments:
        """What is wrong with this transmitter."""
        return self.settings.impairments

    @property
    def snr_db(self) -> float | None:
        """Ec/N0, where it is given instead of the level."""
        return self.settings.snr_db

    def amplitude(self, noise_power: float, sample_rate_hz: float) -> float:
        """Amplitude, full scale 1, in a recording whose noise has this power a sample."""
        if self.settings.level_dbfs is not None:
            return math.sqrt(channel.power_from_dbfs(self.settings.level_dbfs))
        assert self.settings.snr_db is not None
        return channel.amplitude(self.settings.snr_db, self.row.chip_rate_hz, noise_power, sample_rate_hz)

    @property
    def carrier_hz(self) -> float:
        """Actual carrier at the burst's start."""
        return self.center_hz + self.impairments.carrier_offset_hz

    @property
    def deviation_hz(self) -> float:
        """Actual peak deviation."""
        given = self.impairments.deviation_hz
        return self.row.deviation.typical_hz if given is None else given

    @property
    def edges_hz(self) -> tuple[float, float]:
        """Lower and upper edge of the occupied spectrum: deviation and chip rate to both sides."""
        half_hz = self.deviation_hz + self.row.chip_rate_hz
        return self.carrier_hz - half_hz, self.carrier_hz + half_hz

    def first_sample(self, sample_rate_hz: float) -> int:
        """Sample nearest to the start, counted from the recording's first."""
        return round(self.start_s * sample_rate_hz)

    def coverage(self, sample_rate_hz: float, center_hz: float) -> Coverage:
        """Tell whether a recording of this rate and centre holds the occupied spectrum."""
        low_hz, high_hz = (edge - center_hz for edge in self.edges_hz)
        limit_hz = sample_rate_hz / 2.0
        if low_hz >= limit_hz or high_hz <= -limit_hz:
            return Coverage.OUTSIDE
        return Coverage.INSIDE if -limit_hz <= low_hz and high_hz <= limit_hz else Coverage.PARTIAL

    def is_whole(self, duration_s: float) -> bool:
        """Tell whether the burst, to its last CRC chip, lies within a recording of this length."""
        return self.start_s >= 0.0 and self.start_s + self.duration_s <= duration_s


def generator(seed: int, *place: int) -> np.random.Generator:
    """Return the random generator of one place in a scene."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=place)))


def plan(scene: Scene) -> list[Transmission]:
    """List all transmissions that touch the scene's time, by start time."""
    found = [
        transmission
        for number, meter in enumerate(scene.meters)
        for transmission in _of_meter(scene, number, meter)
    ]
    if scene.street is not None:
        found += _of_street(scene, scene.street)
    touching = [t for t in found if t.start_s + t.whole_duration_s > 0.0 and t.start_s < scene.duration_s]
    return sorted(touching, key=lambda transmission: transmission.start_s)


def _of_meter(scene: Scene, number: int, meter: Meter) -> Iterator[Transmission]:
    for n, start_s in enumerate(_starts(scene, meter.schedule)):
        rng = generator(scene.seed, _METER, number, n)
        jitter_s = meter.schedule.jitter_s if isinstance(meter.schedule, Interval) else 0.0
        start_s += rng.uniform(-jitter_s, jitter_s) + rng.uniform(0.0, _START_SPREAD_S)
        frame = _frame(rng, meter, n)
        yield transmission(
            frame,
            meter.row,
            meter.frame_format,
            meter.direction,
            start_s=start_s,
            center_hz=meter.center_hz,
            settings=meter.bursts[n % len(meter.bursts)],
            phase_rad=float(rng.uniform(0.0, 2.0 * np.pi)),
            inverted=meter.inverted,
        )


def _starts(scene: Scene, schedule: tuple[float, ...] | Interval) -> Iterator[float]:
    if not isinstance(schedule, Interval):
        yield from schedule
        return
    n = 0
    while schedule.count is None or n < schedule.count:
        start_s = schedule.first_s + n * schedule.interval_s
        if start_s - schedule.jitter_s >= scene.duration_s:
            return
        yield start_s
        n += 1


def _frame(rng: np.random.Generator, meter: Meter, n: int) -> bytes:
    if isinstance(meter.frames, RandomPayload):
        return random_frame(rng, meter.frames, meter.direction)
    return meter.frames[n % len(meter.frames)]


def random_frame(rng: np.random.Generator, size: RandomPayload, direction: Sender) -> bytes:
    """Make a valid CRC-less frame of random id and contents: SND-NR up, SND-UD down."""
    n_bytes = int(rng.integers(size.min_bytes, size.max_bytes, endpoint=True))
    identification = bytes.fromhex(f"{rng.integers(0, 10**8):08d}")
    version, device_type = int(rng.integers(0, 256)), int(rng.choice(_DEVICE_TYPES))
    payload = (_APPLICATION_STARTS[direction] + rng.bytes(n_bytes))[:n_bytes]
    head = bytes((_C_FIELDS[direction],)) + _MANUFACTURER + identification + bytes((version, device_type))
    return bytes((len(head) + n_bytes,)) + head + payload


def _of_street(scene: Scene, street: Street) -> Iterator[Transmission]:
    gaps = generator(scene.seed, _STREET, 0)
    weights = np.array(street.weights) / sum(street.weights)
    start_s, n = gaps.exponential(1.0 / street.rate_per_s), 1
    while start_s < scene.duration_s:
        rng = generator(scene.seed, _STREET, n)
        row = street.rows[int(rng.choice(len(street.rows), p=weights))]
        direction: Sender = "M2O" if row.direction == "both" else row.direction
        center_hz = float(rng.choice(row.centers_hz))
        frame_format = row.frame_formats[int(rng.integers(len(row.frame_formats)))]
        settings = BurstSettings(
            snr_db=float(rng.uniform(*street.snr_db)),
            level_dbfs=None,
            impairments=_street_impairments(rng, street, row, center_hz),
            preamble_pairs=row.preamble_pairs,
            postamble_chips=None,
        )
        frame = random_frame(rng, street.payload, direction)
        yield transmission(
            frame,
            row,
            frame_format,
            direction,
            start_s=start_s,
            center_hz=center_hz,
            settings=settings,
            phase_rad=float(rng.uniform(0.0, 2.0 * np.pi)),
        )
        start_s, n = start_s + gaps.exponential(1.0 / street.rate_per_s), n + 1


def _street_impairments(
    rng: np.random.Generator, street: Street, row: PhyMode, center_hz: float
) -> Impairments:
    offset_hz = 1e-6 * row.carrier_tolerance_ppm * center_hz
    tolerance = row.tx_chip_rate_tolerance
    low, high = np.clip(street.chip_rate_error or (-tolerance, tolerance), -tolerance, tolerance)
    return Impairments(
        carrier_offset_hz=float(rng.uniform(*(street.carrier_offset_hz or (-offset_hz, offset_hz)))),
        chip_rate_error=float(rng.uniform(low, high)),
    )


def transmission(
    frame: bytes,
    row: PhyMode,
    frame_format: FrameFormat,
    direction: Sender,
    *,
    start_s: float,
    center_hz: float,
    settings: BurstSettings,
    phase_rad: float = 0.0,
    inverted: bool = False,
) -> Transmission:
    """Say all about one burst: what it takes on air follows from the frame and how it is sent.

    Raises:
        ProtocolError: the format cannot hold the frame.
    """
    raw_length = len(link.add_crcs(frame, frame_format))
    chips, all_chips = count_chips(
        raw_length,
        row,
        frame_format,
        preamble_pairs=settings.preamble_pairs,
        postamble_chips=settings.postamble_chips,
    )
    edges_s = chip_edges_s(all_chips, row, settings.impairments)
    return Transmission(
        start_s=float(start_s),
        duration_s=float(edges_s[chips]),
        whole_duration_s=float(edges_s[-1]),
        row=row,
        direction=direction,
        frame_format=frame_format,
        frame=frame,
        center_hz=center_hz,
        settings=settings,
        phase_rad=phase_rad,
        inverted=inverted,
    )
