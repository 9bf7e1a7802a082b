"""Frame success against Ec/N0 for the rows of the PHY table, beside what theory allows.

Levels are tried in steps from where the theory of soft decisions puts the edge, downwards until few
frames come out with repair and upwards until nearly all do without; every stream is received twice,
with repair and without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from dsp.modes import FrameFormat
from sdr.bench import theory
from sdr.bench.conditions import CARRIER_HZ, PAYLOAD_BYTES, Conditions, Span, nominal
from sdr.bench.curve import at_most, crossing
from sdr.bench.trials import Batch, Switches, Tally, run_batch
from sdr.processes import Processes

BATCH_FRAMES = 40
DEFAULT: Switches = {}
NO_REPAIR: Switches = {"repair": False}
RECEIVERS: Mapping[str, Switches] = {"repair": DEFAULT, "no repair": NO_REPAIR}
_HIGH_SHARE = 0.965
_LOWEST_DB, _HIGHEST_DB = 2.0, 30.0


@dataclass(frozen=True, slots=True)
class Case:
    """One curve to measure."""

    name: str
    conditions: Conditions


@dataclass(slots=True)
class Curve:
    """Counts of one case by Ec/N0 in dB, for each receiver."""

    case: Case
    counts: dict[str, dict[float, Tally]] = field(default_factory=dict)

    def total(self, receiver: str) -> Tally:
        """Sum over all levels."""
        return sum(self.counts[receiver].values(), Tally())

    @property
    def all(self) -> Tally:
        """Sum over all levels and receivers."""
        return sum((self.total(receiver) for receiver in self.counts), Tally())

    def reached(self, receiver: str, wanted: float) -> tuple[float, float] | None:
        """Ec/N0 in dB at which a share of the frames is heard, and its standard error."""
        return crossing({level: (t.heard, t.sent) for level, t in self.counts[receiver].items()}, wanted)


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly to measure.

    Attributes:
        frames: at each point.
        step_db: between points.
        seed: of everything random.
        low_share: go down until no receiver hears more.
    """

    frames: int
    step_db: float
    seed: int
    low_share: float = 0.4


FULL = Effort(240, 0.5, 1)
QUICK = Effort(60, 1.0, 1)


def measure(
    case: Case,
    effort: Effort,
    pool: Processes,
    receivers: Mapping[str, Switches] = RECEIVERS,
    *,
    start_db: float | None = None,
) -> Curve:
    """Measure one curve, as far down and up as it takes from ``start_db`` (by default, what theory says)."""
    curve = Curve(case, {name: {} for name in receivers})
    guess = _guess_db(case.conditions) if start_db is None else start_db
    start = effort.step_db * round(guess / effort.step_db)
    for direction in (-1, 1):
        level = start if direction < 0 else start + effort.step_db
        while _LOWEST_DB <= level <= _HIGHEST_DB:
            shares = _point(curve, level, effort, pool, receivers)
            if (max(shares) <= effort.low_share) if direction < 0 else (min(shares) >= _HIGH_SHARE):
                break
            level += direction * effort.step_db
    return curve


def _point(
    curve: Curve, level: float, effort: Effort, pool: Processes, receivers: Mapping[str, Switches]
) -> list[float]:
    """Measure one level; return the share heard by each receiver."""
    tasks = batches(curve.case.conditions, level, effort.frames, effort.seed)
    totals = dict.fromkeys(receivers, Tally())
    for tallies in pool.map(partial(run_batch, receivers=dict(receivers)), tasks):
        for name, tally in tallies.items():
            totals[name] += tally
    for name, tally in totals.items():
        curve.counts[name][level] = tally
    return [tally.success for tally in totals.values()]


def batches(conditions: Conditions, ec_n0_db: float, frames: int, seed: int) -> list[Batch]:
    """Split the frames of a point into streams."""
    return [
        Batch(conditions, ec_n0_db, min(BATCH_FRAMES, frames - done), seed, done // BATCH_FRAMES)
        for done in range(0, frames, BATCH_FRAMES)
    ]


def _guess_db(conditions: Conditions) -> float:
    """Roughly where nine of ten frames should come out."""
    reached = [
        theory.reached_at(success, 0.9)
        for limit in theory.LIMITS
        if (success := theory.frame_success(conditions, limit)) is not None
    ]
    return min(reached) if reached else 14.0


def run(chosen: Iterable[Case], effort: Effort, pool: Processes) -> Iterator[Curve]:
    """Measure curves one after another."""
    for case in chosen:
        yield measure(case, effort, pool)


def to_dict(curve: Curve) -> dict[str, object]:
    """Arrange a curve for JSON."""
    conditions = curve.case.conditions
    limits: dict[str, object] = {}
    for limit in theory.LIMITS:
        success = theory.frame_success(conditions, limit)
        if success is not None:
            limits[limit] = {
                "ec_n0_db_90": round(theory.reached_at(success, 0.9), 2),
                "ec_n0_db_50": round(theory.reached_at(success, 0.5), 2),
                "success": {f"{level:g}": round(success(level), 4) for level in theory.GRID_DB.tolist()},
            }
    return {
        "name": curve.case.name,
        "row": conditions.row.name,
        "frame_format": conditions.frame_format,
        "sample_rate_hz": conditions.span.sample_rate_hz,
        "center_hz": conditions.span.center_hz,
        "theory": limits,
        "receivers": {name: _receiver_dict(curve, name) for name in curve.counts},
    }


def _receiver_dict(curve: Curve, name: str) -> dict[str, object]:
    total = curve.total(name)
    return {
        "ec_n0_db_90": rounded(curve.reached(name, 0.9)),
        "ec_n0_db_50": rounded(curve.reached(name, 0.5)),
        "sent": total.sent,
        "wrong": total.wrong,
        "twice": total.twice,
        "repaired": total.repaired,
        "repaired_wrong": total.repaired_wrong,
        "repaired_wrong_at_most": float(f"{at_most(total.repaired_wrong, total.repaired):.2g}"),
        "points": {
            f"{level:g}": {"sent": t.sent, "heard": t.heard, "repaired": t.repaired, "wrong": t.wrong}
            for level, t in sorted(curve.counts[name].items())
        },
    }


def rounded(reached: tuple[float, float] | None) -> list[float] | None:
    """Value and standard error with the digits that mean something."""
    return None if reached is None else [round(reached[0], 2), round(reached[1], 2)]


HEADER = (
    f"{'Ec/N0 in dB at 90 % (50 %)':<34} {'repair':>16} {'no repair':>16} {'hard':>6} {'soft':>6} "
    f"{'coher.':>6} {'sent':>6} {'wrong':>6} {'repaired':>9} {'of it wrong':>11}"
)


def to_row(curve: Curve) -> str:
    """Write a curve as a row under ``HEADER``."""
    reached = {
        name: _text(curve.reached(name, 0.9), curve.reached(name, 0.5)) if name in curve.counts else ""
        for name in RECEIVERS
    }
    limits = []
    for limit in theory.LIMITS:
        success = theory.frame_success(curve.case.conditions, limit)
        limits.append("–" if success is None else f"{theory.reached_at(success, 0.9):.1f}")
    total = curve.all
    return (
        f"{curve.case.name:<34} {reached['repair']:>16} {reached['no repair']:>16} "
        f"{limits[0]:>6} {limits[1]:>6} {limits[2]:>6} "
        f"{total.sent:>6} {total.wrong:>6} {total.repaired:>9} {total.repaired_wrong:>11}"
    )


def _text(ninety: tuple[float, float] | None, fifty: tuple[float, float] | None) -> str:
    high = "?" if ninety is None else f"{ninety[0]:.2f}±{ninety[1]:.2f}"
    return f"{high} ({'?' if fifty is None else f'{fifty[0]:.1f}'})"


def cases(
    rows: tuple[str, ...] | None = None,
    spans: tuple[Span | None, ...] = (None,),
    *,
    payload_bytes: tuple[int, int] = PAYLOAD_BYTES,
    offset_hz: float = CARRIER_HZ,
) -> list[Case]:
    """List the standard curves.

    Args:
        rows: names of PHY rows; None for the usual ones.
        spans: where the receiver stands; None for the row's own carrier.
        payload_bytes: least and largest payload behind the address.
        offset_hz: largest carrier offset, where the row's own tolerance is not less.
    """
    found = []
    for span in spans:
        for name, frame_format, deviation_hz, gaussian in _STANDARD:
            if rows is not None and name not in rows:
                continue
            conditions = replace(
                nominal(name, frame_format, span, offset_hz=offset_hz),
                payload_bytes=payload_bytes,
                deviation_hz=deviation_hz,
                gaussian=gaussian,
            )
            if span is None or _covers(span, conditions):
                found.append(case_of(conditions))
    return found


def case_of(conditions: Conditions) -> Case:
    """Name a curve by what is not the row's own."""
    return Case(_title(conditions), conditions)


def _title(conditions: Conditions) -> str:
    row, given_hz = conditions.row, conditions.deviation_hz
    deviation = "" if given_hz is None else f" dev {given_hz / 1e3:g}"
    shape = "" if conditions.gaussian is None else " GFSK" if conditions.gaussian else " FSK"
    rate = f"{conditions.span.sample_rate_hz / 1e6:g} MS/s"
    return f"{row.name} {conditions.frame_format}{deviation}{shape}, {rate}"


def _covers(span: Span, conditions: Conditions) -> bool:
    return any(conditions.row in channel.rows for channel in span.plan().channels)


_STANDARD: tuple[tuple[str, FrameFormat, float | None, bool | None], ...] = (
    ("T M2O", "A", None, None),
    ("C M2O", "A", None, None),
    ("C M2O", "B", None, None),
    ("C M2O", "A", 50e3, None),
    ("C M2O", "B", 50e3, None),
    ("C M2O", "A", None, True),
    ("C M2O", "B", None, True),
    ("S2 M2O", "A", None, None),
    ("S1 M2O", "A", None, None),
    ("T2 O2M", "A", None, None),
    ("C2 O2M", "A", None, None),
    ("C2 O2M", "B", None, None),
    ("R2", "A", None, None),
    ("Na", "A", None, None),
    ("Na", "B", None, None),
    ("Nc", "A", None, None),
    ("Nc", "B", None, None),
    ("N2g", "A", None, None),
    ("F2", "A", None, None),
    ("F2", "B", None, None),
)
"""Row, frame format, deviation and Gaussian shaping where they are not the row's own."""
