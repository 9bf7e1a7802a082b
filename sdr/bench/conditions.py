"""What a sensitivity measurement puts on the air: one air interface, and all that is wrong with it.

``nominal`` is the standard case: random payloads of 20 to 60 bytes, random delay and phase,
carrier within ±20 kHz (or the row's own tolerance where that is less), chip rate anywhere in the
transmitter's tolerance but at most ±1.5 % (T: ±1 %), nominal deviation, shortest preamble, 8-bit
samples with noise at −30 dBFS, all modes of the span on. Sweeps replace one of these.
"""

from __future__ import annotations

from dataclasses import dataclass

from dsp.modes import BY_NAME, FrameFormat, Modulation, PhyMode
from dsp.oscillator import Oscillator
from dsp.plan import Plan, make_plan

CARRIER_HZ = 20e3
PAYLOAD_BYTES = (20, 60)
_CHIP_RATE_ERROR = {"T": 0.01}
_MOST_CHIP_RATE_ERROR = 0.015
_GAUSSIAN_BT = 0.5
_NARROW_CHIP_RATE_HZ = 10e3
_NARROW_SPAN_HZ = 250e3


@dataclass(frozen=True, slots=True)
class Span:
    """Where the receiver stands: rate, centre, and mode letters (None: all that are usual there)."""

    sample_rate_hz: float
    center_hz: float
    modes: tuple[str, ...] | None = None
    band: str | None = "A"

    def plan(self) -> Plan:
        """Return the channels that are on."""
        return make_plan(self.sample_rate_hz, self.center_hz, self.modes, self.band)


WIDE = Span(2.4e6, 868.9e6)
"""One dongle over S, T and C in both directions."""


def on_carrier(row: PhyMode, sample_rate_hz: float | None = None) -> Span:
    """Stand on a row's carrier: 1.6 MS/s, for the narrow modes 250 kS/s in their own plan."""
    narrow = row.chip_rate_hz < _NARROW_CHIP_RATE_HZ
    rate_hz = sample_rate_hz or (_NARROW_SPAN_HZ if narrow else 1.6e6)
    return Span(
        rate_hz, row.centers_hz[row.default_channel], ("R",) if row.mode == "R" else None, row.bands[0]
    )


@dataclass(frozen=True, slots=True)
class Interferer:
    """A second transmitter that never stops: 2-FSK of random chips.

    Attributes:
        center_hz: its carrier.
        level_db: its power over the noise in the wanted signal's chip rate, comparable to Ec/N0.
        chip_rate_hz: of its chips.
        deviation_hz: of its tones.
    """

    center_hz: float
    level_db: float
    chip_rate_hz: float
    deviation_hz: float


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is sent, and through what it is heard.

    Attributes:
        row: the air interface.
        frame_format: of the frames.
        span: where the receiver stands.
        payload_bytes: least and largest payload behind the address.
        deviation_hz: None for the row's typical one.
        gaussian: shape the chips with BT 0.5, or not; None for what the row says.
        carrier_hz: least and largest carrier offset.
        chip_rate_error: least and largest relative error of the chip rate at the first chip.
        chip_rate_drift: least and largest change of the chip rate from first to last chip.
        preamble_pairs: ``01`` pairs; None for the row's least.
        noise_dbfs: level of the noise over the whole span.
        oscillator: phase noise; None for ideal oscillators.
        interferer: a second signal.
        dc: constant offset of the samples, full scale 1.
        iq_gain_db: gain of I over Q.
        iq_phase_deg: how far Q is from a right angle to I.
        gain_db: of everything, noise included; drives the converter into its limits.
    """

    row: PhyMode
    frame_format: FrameFormat
    span: Span
    payload_bytes: tuple[int, int] = PAYLOAD_BYTES
    deviation_hz: float | None = None
    gaussian: bool | None = None
    carrier_hz: tuple[float, float] = (-CARRIER_HZ, CARRIER_HZ)
    chip_rate_error: tuple[float, float] = (0.0, 0.0)
    chip_rate_drift: tuple[float, float] = (0.0, 0.0)
    preamble_pairs: int | None = None
    noise_dbfs: float = -30.0
    oscillator: Oscillator | None = None
    interferer: Interferer | None = None
    dc: complex = 0j
    iq_gain_db: float = 0.0
    iq_phase_deg: float = 0.0
    gain_db: float = 0.0

    @property
    def bandwidth_time(self) -> float | None:
        """BT of the Gaussian filter that is used; None without one."""
        if self.gaussian is None:
            return self.row.bandwidth_time
        return _GAUSSIAN_BT if self.gaussian else None

    @property
    def modulation_index(self) -> float:
        """Twice the deviation over the chip rate: h."""
        deviation_hz = self.row.deviation.typical_hz if self.deviation_hz is None else self.deviation_hz
        return 2.0 * deviation_hz / self.row.chip_rate_hz


def nominal(
    row_name: str, frame_format: FrameFormat, span: Span | None = None, *, offset_hz: float = CARRIER_HZ
) -> Conditions:
    """Return the standard case of an air interface, on its carrier unless a span is given.

    Raises:
        KeyError: no such row.
        ValueError: the row has no such frame format.
    """
    row = BY_NAME[row_name]
    if frame_format not in row.frame_formats:
        raise ValueError(f"{row_name} has no frame format {frame_format}")
    carrier_hz = min(offset_hz, row.centers_hz[row.default_channel] * row.carrier_tolerance_ppm * 1e-6)
    most = _CHIP_RATE_ERROR.get(row.mode, _MOST_CHIP_RATE_ERROR)
    error = min(most, row.tx_chip_rate_tolerance)
    return Conditions(
        row=row,
        frame_format=frame_format,
        span=on_carrier(row) if span is None else span,
        carrier_hz=(-carrier_hz, carrier_hz),
        chip_rate_error=(-error, error),
    )


def is_four_level(row: PhyMode) -> bool:
    """Tell the 4-GFSK rows, whose limits are stated apart."""
    return row.modulation is Modulation.GFSK4
