"""What each idea of the receiver gains, and what it costs: switched on one after another.

    one chip at a time     matched filters, tracked clock, soft words and bits
    + coherent             whole words or sequences where that gives no frame
    + repair               the CRCs mend what was unsure
    + subtraction          decoded frames are taken off the samples; the default receiver

Gains are of single frames in noise, in dB at 90 % of the frames; costs are CPU per frame at the level
where the default receiver hears 90 %. What subtraction is for, dense streets, is measured apart.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sdr.bench.conditions import WIDE, Conditions, nominal
from sdr.bench.sensitivity import Case, Curve, Effort, measure, rounded
from sdr.bench.trials import Batch, Switches, receive, render
from sdr.processes import Processes

IDEAS: Mapping[str, Switches] = {
    "one chip at a time": {"coherent": False, "repair": False, "subtraction": False},
    "+ coherent": {"repair": False, "subtraction": False},
    "+ repair": {"subtraction": False},
    "+ subtraction": {},
}
_ROWS = ("T M2O", "C M2O", "S2 M2O", "C2 O2M")
_TIMED_FRAMES = 20
_TIMED_RUNS = 3


@dataclass(frozen=True, slots=True)
class Idea:
    """What one more idea does for one row.

    Attributes:
        row: name of the air interface.
        name: of the idea.
        ec_n0_db_90: Ec/N0 in dB for 90 % of the frames with it and all before it, and its standard error.
        gain_db: of this idea alone; None for the first.
        cpu_ms: CPU time a frame.
    """

    row: str
    name: str
    ec_n0_db_90: tuple[float, float] | None
    gain_db: float | None
    cpu_ms: float


def run(rows: tuple[str, ...] | None, effort: Effort, pool: Processes) -> Iterator[Idea]:
    """Measure all ideas for each row."""
    for row in _ROWS:
        if rows is None or row in rows:
            conditions = nominal(row, "A", WIDE)
            curve = measure(Case(row, conditions), effort, pool, IDEAS)
            yield from _compare(row, conditions, curve, effort.seed)


def _compare(row: str, conditions: Conditions, curve: Curve, seed: int) -> Iterator[Idea]:
    reached = {name: curve.reached(name, 0.9) for name in IDEAS}
    default = reached[list(IDEAS)[-1]]
    level = 9.0 if default is None else default[0]
    before: tuple[float, float] | None = None
    for name, switches in IDEAS.items():
        here = reached[name]
        gain = None if before is None or here is None else before[0] - here[0]
        yield Idea(row, name, here, gain, _cpu_ms(conditions, level, seed, switches))
        before = here


def _cpu_ms(conditions: Conditions, level: float, seed: int, switches: Switches) -> float:
    """CPU time a frame, the least of some runs."""
    raw, sent = render(Batch(conditions, level, _TIMED_FRAMES, seed, 1 << 16))
    seconds = []
    for _ in range(_TIMED_RUNS):
        started = time.process_time()
        receive(raw, conditions, switches)
        seconds.append(time.process_time() - started)
    return 1e3 * min(seconds) / len(sent)


def to_dict(idea: Idea) -> dict[str, object]:
    """Arrange a result for JSON."""
    return {
        "row": idea.row,
        "idea": idea.name,
        "ec_n0_db_90": rounded(idea.ec_n0_db_90),
        "gain_db": None if idea.gain_db is None else round(idea.gain_db, 2),
        "cpu_ms": round(idea.cpu_ms, 1),
    }


HEADER = f"{'row':<10} {'idea':<20} {'90 % at dB':>12} {'gain dB':>8} {'CPU ms a frame':>15}"


def to_row(idea: Idea) -> str:
    """Write a result as a row under ``HEADER``."""
    reached = "?" if idea.ec_n0_db_90 is None else "{:.2f}±{:.2f}".format(*idea.ec_n0_db_90)
    gain = "" if idea.gain_db is None else f"{idea.gain_db:+.2f}"
    return f"{idea.row:<10} {idea.name:<20} {reached:>12} {gain:>8} {idea.cpu_ms:>15.1f}"
