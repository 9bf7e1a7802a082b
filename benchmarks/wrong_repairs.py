"""How many repaired frames are wrong: each mode at the level where 90 % of its frames are heard.

The count takes long, so it runs in pieces: each run has a seed, writes its counts, and ``--add`` sums
them. Levels come from a short curve of their own whose seed never changes, so pieces belong together.

Usage: python benchmarks/wrong_repairs.py --frames 20000 --seed 1 --jobs 2 > piece1.json
       python benchmarks/wrong_repairs.py --frames 20000 --seed 2 --levels-of piece1.json > piece2.json
       python benchmarks/wrong_repairs.py --add piece1.json piece2.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from sdr.bench.conditions import WIDE
from sdr.bench.curve import at_most
from sdr.bench.sensitivity import DEFAULT, Case, Effort, batches, cases, measure
from sdr.bench.trials import Tally, run_batch
from sdr.processes import Processes

ROWS = ("T M2O", "C M2O", "S2 M2O", "C2 O2M")
LEVELS = Effort(240, 0.5, 1, low_share=0.8)


def main() -> None:
    """Count, or add counts up; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=20_000, help="in all, shared by the modes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--levels-of", type=Path, help="take the levels from an earlier piece")
    parser.add_argument("--add", type=Path, nargs="+", help="pieces to add up instead of counting")
    args = parser.parse_args()
    if args.add:
        print(json.dumps(added([json.loads(path.read_text()) for path in args.add]), indent=1))
        return
    known = json.loads(args.levels_of.read_text())["modes"] if args.levels_of else {}
    chosen = cases(tuple(args.rows.split(",")), (WIDE,))
    started = time.monotonic()
    modes: dict[str, Any] = {}
    with Processes(args.jobs) as pool:
        for case in chosen:
            level = known[case.name]["ec_n0_db"] if case.name in known else level_of(case, pool)
            tasks = batches(case.conditions, level, -(-args.frames // len(chosen)), args.seed)
            total = Tally()
            for tallies in pool.map(partial(run_batch, receivers={"": DEFAULT}), tasks):
                total += tallies[""]
            modes[case.name] = {"ec_n0_db": level, **summary(total)}
            print(f"{case.name}: {modes[case.name]}", file=sys.stderr, flush=True)
    report = {"seeds": [args.seed], "elapsed_s": round(time.monotonic() - started), "modes": modes}
    print(json.dumps(report | {"all": _all(modes)}, indent=1))


def level_of(case: Case, pool: Processes) -> float:
    """Ec/N0 in dB at which 90 % are heard, to a twentieth of a dB."""
    reached = measure(case, LEVELS, pool, {"": DEFAULT}).reached("", 0.9)
    assert reached is not None, case.name
    return round(20.0 * reached[0]) / 20.0


def summary(total: Tally) -> dict[str, float]:
    """List the counts, with the share of wrong ones among the repaired and its upper bound (95 %)."""
    return asdict(total) | {
        "repaired_wrong_share": round(total.repaired_wrong / max(1, total.repaired), 6),
        "repaired_wrong_at_most": round(at_most(total.repaired_wrong, total.repaired), 6),
    }


def added(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum the pieces mode by mode.

    Raises:
        ValueError: two pieces have the same seed, whose frames are the same.
    """
    seeds = [seed for piece in pieces for seed in piece["seeds"]]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"pieces of the same seed count the same frames twice: {seeds}")
    totals: dict[str, Tally] = defaultdict(Tally)
    levels: dict[str, float] = {}
    for piece in pieces:
        for name, counts in piece["modes"].items():
            totals[name] += _tally(counts)
            levels.setdefault(name, counts["ec_n0_db"])
    modes = {name: {"ec_n0_db": levels[name], **summary(total)} for name, total in totals.items()}
    return {
        "seeds": seeds,
        "elapsed_s": sum(p["elapsed_s"] for p in pieces),
        "modes": modes,
        "all": _all(modes),
    }


def _all(modes: dict[str, Any]) -> dict[str, float]:
    return summary(sum(map(_tally, modes.values()), Tally()))


def _tally(counts: dict[str, Any]) -> Tally:
    return Tally(**{name: counts[name] for name in asdict(Tally())})


if __name__ == "__main__":
    main()
