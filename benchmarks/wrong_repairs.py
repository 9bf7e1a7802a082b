"""How many frames that come out are wrong: each mode at the level where 90 % of its frames are heard.

Every row of 868 MHz that a dongle hears at once, each of its frame formats, plain and Gaussian chips, mode C
also at a deviation of 50 kHz. The count takes long, so it runs in pieces: each run has a seed, writes its
counts, and ``--add`` sums them. Levels come from a short curve of their own whose seed never changes, so
pieces belong together; further pieces take them from the first one.

Usage: python benchmarks/wrong_repairs.py --frames 20000 --seed 1 --jobs 2 > piece1.json
       python benchmarks/wrong_repairs.py --frames 20000 --seed 2 --levels-of piece1.json > piece2.json
       python benchmarks/wrong_repairs.py --add piece1.json piece2.json
       python benchmarks/wrong_repairs.py --frames 500 --only " B" --payload 100,240    # long frames
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from sdr.bench.conditions import PAYLOAD_BYTES, WIDE
from sdr.bench.curve import at_most
from sdr.bench.sensitivity import DEFAULT, NO_REPAIR, Case, Effort, batches, case_of, cases, measure
from sdr.bench.trials import Tally, run_batch
from sdr.processes import Processes

ROWS = ("T M2O", "C M2O", "S2 M2O", "S1 M2O", "C2 O2M", "T2 O2M")
LEVELS = Effort(240, 0.5, 1, low_share=0.8)


def main() -> None:
    """Count, or add counts up; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=20_000, help="in all, shared by the modes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--no-repair", action="store_true", help="count without repair as well")
    parser.add_argument("--payload", type=_range, default=PAYLOAD_BYTES, help="least,largest in bytes")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--levels-of", type=Path, help="take the levels from an earlier piece")
    parser.add_argument("--add", type=Path, nargs="+", help="pieces to add up instead of counting")
    args = parser.parse_args()
    if args.add:
        print(json.dumps(added([json.loads(path.read_text()) for path in args.add]), indent=1))
        return
    known = json.loads(args.levels_of.read_text())["modes"] if args.levels_of else {}
    receivers = {"": DEFAULT, "no_repair": NO_REPAIR} if args.no_repair else {"": DEFAULT}
    chosen = [c for c in wanted(tuple(args.rows.split(",")), args.payload) if args.only in c.name]
    started = time.monotonic()
    modes: dict[str, Any] = {}
    with Processes(args.jobs) as pool:
        for case in chosen:
            level = known[case.name]["ec_n0_db"] if case.name in known else level_of(case, pool)
            tasks = batches(case.conditions, level, -(-args.frames // len(chosen)), args.seed)
            total, as_heard = Tally(), Tally()
            for tallies in pool.map(partial(run_batch, receivers=receivers), tasks):
                total += tallies[""]
                as_heard += tallies.get("no_repair", Tally())
            modes[case.name] = {"ec_n0_db": level, **summary(total), "no_repair": asdict(as_heard)}
            print(f"{case.name}: {modes[case.name]}", file=sys.stderr, flush=True)
    report = {"seeds": [args.seed], "elapsed_s": round(time.monotonic() - started), "modes": modes}
    print(json.dumps(report | {"all": _all(modes)}, indent=1))


def wanted(rows: tuple[str, ...], payload_bytes: tuple[int, int] = PAYLOAD_BYTES) -> list[Case]:
    """List the standard cases of some rows, and each with chips shaped otherwise than its row says."""
    standard = cases(rows, (WIDE,), payload_bytes=payload_bytes)
    found = {case.name: case for case in standard}
    for case in standard:
        conditions = case.conditions
        if conditions.deviation_hz is None and conditions.gaussian is None:
            own = conditions.row.bandwidth_time is not None
            other = case_of(replace(conditions, gaussian=not own))
            found.setdefault(other.name, other)
    return list(found.values())


def level_of(case: Case, pool: Processes) -> float:
    """Ec/N0 in dB at which 90 % are heard, to a twentieth of a dB."""
    reached = measure(case, LEVELS, pool, {"": DEFAULT}).reached("", 0.9)
    assert reached is not None, case.name
    return round(20.0 * reached[0]) / 20.0


def summary(total: Tally) -> dict[str, float]:
    """List the counts, with the share of wrong ones among the repaired and its upper bound (95 %)."""
    return asdict(total) | {
        "unrepaired_wrong": total.wrong - total.repaired_wrong,
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
    as_heard: dict[str, Tally] = defaultdict(Tally)
    levels: dict[str, float] = {}
    for piece in pieces:
        for name, counts in piece["modes"].items():
            totals[name] += _tally(counts)
            as_heard[name] += _tally(counts["no_repair"]) if "no_repair" in counts else Tally()
            levels.setdefault(name, counts["ec_n0_db"])
    modes = {
        name: {"ec_n0_db": levels[name], **summary(total), "no_repair": asdict(as_heard[name])}
        for name, total in totals.items()
    }
    return {
        "seeds": seeds,
        "elapsed_s": sum(p["elapsed_s"] for p in pieces),
        "modes": modes,
        "all": _all(modes),
    }


def _all(modes: dict[str, Any]) -> dict[str, Any]:
    as_heard = sum((_tally(mode["no_repair"]) for mode in modes.values()), Tally())
    return summary(sum(map(_tally, modes.values()), Tally())) | {"no_repair": asdict(as_heard)}


def _range(text: str) -> tuple[int, int]:
    low, high = map(int, text.split(","))
    return low, high


def _tally(counts: dict[str, Any]) -> Tally:
    return Tally(**{name: counts[name] for name in asdict(Tally())})


if __name__ == "__main__":
    main()
