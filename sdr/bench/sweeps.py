"""How much a receiver loses at the edges: tolerances, disturbances, unsteady oscillators.

Each family varies one thing about the standard case of a few rows. What counts is the loss: how many dB
more it takes until 90 % of the frames are heard. The first case of a row is the standard one.

    tolerances     carrier, chip rate and its drift, deviation, shape of chips, preamble, level, sample rate
    disturbances   a second signal beside the channel, DC spike, I/Q imbalance, clipping
    oscillators    phase noise and drift of both ends; with and without coherent detection
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dsp.modes import FrameFormat
from dsp.oscillator import POOR, TYPICAL
from dsp.plan import RECEIVER_PPM
from sdr.bench.conditions import WIDE, Conditions, Interferer, nominal, on_carrier
from sdr.bench.sensitivity import DEFAULT, NO_REPAIR, Curve, Effort, measure, rounded
from sdr.bench.sensitivity import Case as CurveCase
from sdr.bench.trials import Switches
from sdr.processes import Processes

FULL = Effort(160, 0.75, 1, low_share=0.8)
QUICK = Effort(80, 1.0, 1, low_share=0.8)
_STANDARD = "standard"
_ROWS: tuple[tuple[str, FrameFormat], ...] = (
    ("T M2O", "A"),
    ("C M2O", "A"),
    ("S2 M2O", "A"),
    ("C2 O2M", "A"),
)
_CARRIER_SPREAD_HZ = 2e3
_FARTHEST_HZ = 70e3  # 60 ppm of a meter and 20 of a dongle
_RATES_HZ = (1.0e6, 1.2e6, 2.048e6, 2.4e6, 3.2e6, 8.0e6, 20.0e6)
_NOISE_DBFS = (-40.0, -35.0, -20.0, -15.0)
_DRIFT = 0.01
_DEFAULT_ONLY: Mapping[str, Switches] = {"default": DEFAULT}
_DETECTORS: Mapping[str, Switches] = {
    "default": DEFAULT,
    "no repair": NO_REPAIR,
    "noncoherent": {"coherent": False},
}


@dataclass(frozen=True, slots=True)
class SweepCase:
    """One value of one thing that is varied."""

    family: str
    label: str
    conditions: Conditions

    @property
    def row(self) -> str:
        """Name and frame format of the air interface."""
        return f"{self.conditions.row.name} {self.conditions.frame_format}"


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a case takes.

    Attributes:
        case: what was varied.
        curve: the counts of each receiver.
        standard: the curve of the row's standard case.
    """

    case: SweepCase
    curve: Curve
    standard: Curve

    def loss_db(self, receiver: str) -> tuple[float, float] | None:
        """More Ec/N0 for 90 % than in the standard case, and its standard error."""
        here, there = self.curve.reached(receiver, 0.9), self.standard.reached(receiver, 0.9)
        if here is None or there is None or self.curve is self.standard:
            return None
        return here[0] - there[0], math.hypot(here[1], there[1])


def run(cases: Iterable[SweepCase], effort: Effort, pool: Processes) -> Iterator[SweepResult]:
    """Measure the cases, which are grouped by family and row and begin with the standard one."""
    standard: Curve | None = None
    for case in cases:
        known = None if standard is None or case.label == _STANDARD else standard.reached("default", 0.9)
        receivers = _DETECTORS if case.family == "oscillators" else _DEFAULT_ONLY
        start_db = None if known is None else known[0]
        curve = measure(CurveCase(case.label, case.conditions), effort, pool, receivers, start_db=start_db)
        if case.label == _STANDARD or standard is None:
            standard = curve
        yield SweepResult(case, curve, standard)


def tolerances(rows: tuple[str, ...] | None = None) -> list[SweepCase]:
    """List the tolerance sweeps."""
    return [
        SweepCase("tolerances", label, conditions)
        for base in _bases(rows)
        for label, conditions in ((_STANDARD, base), *_tolerances_of(base))
    ]


def _bases(rows: tuple[str, ...] | None) -> list[Conditions]:
    return [nominal(name, form) for name, form in _ROWS if rows is None or name in rows]


def _tolerances_of(base: Conditions) -> Iterator[tuple[str, Conditions]]:
    row = base.row
    ppm_hz = row.centers_hz[row.default_channel] * (row.carrier_tolerance_ppm + RECEIVER_PPM) * 1e-6
    edges_hz = (_FARTHEST_HZ, ppm_hz) if ppm_hz < 0.9 * _FARTHEST_HZ else (_FARTHEST_HZ,)
    for offset_hz in (sign * edge_hz for edge_hz in edges_hz for sign in (-1, 1)):
        spread = (offset_hz - _CARRIER_SPREAD_HZ, offset_hz + _CARRIER_SPREAD_HZ)
        yield f"carrier {offset_hz / 1e3:+.0f} kHz", replace(base, carrier_hz=spread)
    if row.rx_chip_rate_tolerance > 1e-3:
        for error in (-row.rx_chip_rate_tolerance, row.rx_chip_rate_tolerance):
            yield f"chip rate {100 * error:+.1f} %", replace(base, chip_rate_error=(error, error))
        for drift in (-_DRIFT, _DRIFT):
            yield (
                f"chip rate drifts {100 * drift:+.0f} % in a frame",
                replace(base, chip_rate_drift=(drift, drift)),
            )
    limits = row.deviation
    for deviation_hz in (limits.min_hz, (limits.typical_hz + limits.max_hz) / 2.0, limits.max_hz):
        yield f"deviation {deviation_hz / 1e3:g} kHz", replace(base, deviation_hz=deviation_hz)
    gaussian = row.bandwidth_time is None
    yield "GFSK, BT 0.5" if gaussian else "FSK", replace(base, gaussian=gaussian)
    more = 2 * row.preamble_pairs
    yield f"preamble {more} pairs", replace(base, preamble_pairs=more)
    for noise_dbfs in _NOISE_DBFS:
        yield f"noise {noise_dbfs:.0f} dBFS", replace(base, noise_dbfs=noise_dbfs)
    for rate_hz in _RATES_HZ:
        yield f"{rate_hz / 1e6:g} MS/s", replace(base, span=on_carrier(row, rate_hz))
    yield "2.4 MS/s at 868.9 MHz", replace(base, span=WIDE)


def disturbances(rows: tuple[str, ...] | None = None) -> list[SweepCase]:
    """List what disturbs: other signals, and the faults of a dongle."""
    return [
        SweepCase("disturbances", label, conditions)
        for base in _bases(rows)
        for wide in (replace(base, span=WIDE),)
        for label, conditions in ((_STANDARD, wide), *_disturbances_of(wide))
    ]


def _disturbances_of(base: Conditions) -> Iterator[tuple[str, Conditions]]:
    own_hz = base.row.centers_hz[base.row.default_channel]
    others = (
        Interferer(869.525e6, 40.0, 76.8e3, 38.4e3),
        Interferer(868.30e6, 40.0, 32.768e3, 50e3),
        Interferer(868.62e6, 30.0, 9.6e3, 20e3),
        Interferer(868.95e6, 40.0, 100e3, 50e3),
    )
    for other in others:
        if abs(other.center_hz - own_hz) > 250e3:
            label = f"{other.level_db:.0f} dB of FSK at {other.center_hz / 1e6:.3f} MHz"
            yield label, replace(base, interferer=other)
    yield "DC spike, -20 dBFS", replace(base, dc=0.07 + 0.07j)
    yield (
        "DC spike, -20 dBFS, radio on the carrier",
        replace(base, dc=0.07 + 0.07j, span=on_carrier(base.row)),
    )
    yield "I/Q imbalance 1 dB, 5 degrees", replace(base, iq_gain_db=1.0, iq_phase_deg=5.0)
    for gain_db in (20.0, 26.0):
        yield f"clipping: noise at {base.noise_dbfs + gain_db:.0f} dBFS", replace(base, gain_db=gain_db)


def oscillators(rows: tuple[str, ...] | None = None) -> list[SweepCase]:
    """List the oscillators."""
    return [
        SweepCase("oscillators", label, replace(base, oscillator=oscillator))
        for base in _bases(rows)
        for label, oscillator in (
            (_STANDARD, None),
            ("typical oscillators", TYPICAL),
            ("poor oscillators", POOR),
        )
    ]


def to_dict(result: SweepResult) -> dict[str, object]:
    """Arrange a result for JSON."""
    total = result.curve.all
    return {
        "family": result.case.family,
        "row": result.case.row,
        "case": result.case.label,
        "ec_n0_db_90": {name: rounded(result.curve.reached(name, 0.9)) for name in result.curve.counts},
        "loss_db": {name: rounded(result.loss_db(name)) for name in result.curve.counts},
        "sent": total.sent,
        "wrong": total.wrong,
        "repaired": total.repaired,
        "repaired_wrong": total.repaired_wrong,
    }


HEADER = f"{'row':<10} {'case':<44} {'90 % at dB, and the loss: each receiver':<60} {'wrong':>5}"


def to_row(result: SweepResult) -> str:
    """Write a result as a row under ``HEADER``."""
    texts = []
    for name in result.curve.counts:
        reached, loss = result.curve.reached(name, 0.9), result.loss_db(name)
        value = "above all levels" if reached is None else f"{reached[0]:.2f}"
        more = "" if loss is None else f" ({loss[0]:+.2f} ±{loss[1]:.2f})"
        texts.append(f"{name} {value}{more}")
    return f"{result.case.row:<10} {result.case.label:<44} {', '.join(texts):<60} {result.curve.all.wrong:>5}"
