"""``omsdr bench``: measure this machine and this build."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable
from dataclasses import replace

from dsp.modes import BY_NAME
from sdr.bench import decode, first_start, machine, sensitivity, sweeps, throughput
from sdr.bench.conditions import WIDE, Span
from sdr.errors import UsageError
from sdr.processes import Processes
from sdr.units import parse_hz

EXAMPLES = """\
omsdr bench
       omsdr bench --suite throughput --quick
       omsdr bench --suite decode
       omsdr bench --suite sensitivity --quick
       omsdr bench --suite sensitivity --measure tolerances,oscillators --rows 'T M2O'
       omsdr bench --suite sensitivity --rows 'T M2O,C M2O' --trials 500 --seed 7 --jobs 2
       omsdr bench --suite all --json > results.json
"""
SUITES = ("throughput", "sensitivity", "decode", "all")
_FULL_S = 20.0
_QUICK_S = 3.0
_FULL_TELEGRAMS = 60_000
_QUICK_TELEGRAMS = 10_000
MEASURES = ("curves", "tolerances", "disturbances", "oscillators")
_QUICK_ROWS = ("T M2O", "C M2O", "S2 M2O", "C2 O2M")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Measure how fast this machine receives and decodes, and how weak a signal it hears."
    parser.epilog = "Close other programs first; compare the ratios to the FIR, not the speeds."
    parser.add_argument(
        "--suite", choices=SUITES, default="throughput", help="what to measure (default throughput)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK_S:g} s or {_QUICK_TELEGRAMS} telegrams a scenario; few frames, points and rows",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of frames, times and noise")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    air = parser.add_argument_group("sensitivity")
    air.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="processes")
    air.add_argument(
        "--measure",
        metavar="LIST",
        help=f"{', '.join(MEASURES)} (default all, quick: {MEASURES[0]})",
    )
    air.add_argument("--rows", metavar="LIST", help="names of PHY rows, like 'T M2O,C M2O'")
    air.add_argument("--trials", metavar="N", type=int, help="frames at each point")
    air.add_argument("--step", metavar="DB", type=float, help="distance of the points")
    air.add_argument("--payload", metavar="MIN-MAX", default="20-60", help="bytes (default 20-60)")
    air.add_argument("--offset", metavar="F", default="20k", help="carriers lie within ±F (default 20k)")
    air.add_argument("--rate", metavar="R", help="sample rate; with --center instead of the usual spans")
    air.add_argument("--center", metavar="F", help="centre frequency (default: the carrier of the row)")


def run(args: argparse.Namespace) -> int:
    """Run the suites.

    Raises:
        UsageError: an option makes no sense.
    """
    if args.seed < 0:
        raise UsageError("--seed must not be negative")
    if args.jobs < 1:
        raise UsageError("--jobs must be positive")
    seconds = _QUICK_S if args.quick else _FULL_S
    reference_msps = machine.reference_msps()
    about = machine.describe() | {"reference_fir_msps": round(reference_msps, 1)}
    speeds = throughput.run(seconds, args.seed, reference_msps) if _asked(args, "throughput") else iter(())
    telegrams = _QUICK_TELEGRAMS if args.quick else _FULL_TELEGRAMS
    rates = decode.run(telegrams) if _asked(args, "decode") else iter(())
    with Processes(args.jobs) as pool:
        chosen = _cases(args)
        curves = sensitivity.run(chosen, _effort(args, sensitivity.QUICK, sensitivity.FULL), pool)
        swept = sweeps.run(_sweep_cases(args), _effort(args, sweeps.QUICK, sweeps.FULL), pool)
        starts = first_start.run() if _asked(args, "throughput") else None
        if args.json:
            report = {
                "schema": 1,
                "machine": about,
                "throughput": [throughput.to_dict(result) for result in speeds],
                "first_start": starts,
                "sensitivity": [sensitivity.to_dict(curve) for curve in curves],
                "sweeps": [sweeps.to_dict(result) for result in swept],
                "decode": [decode.to_dict(result) for result in rates],
            }
            print(json.dumps(report, indent=1))  # noqa: T201
            return 0
        print(", ".join(f"{key} {value}" for key, value in about.items()))  # noqa: T201
        _table(throughput.HEADER, map(throughput.to_row, speeds))
        if starts is not None:
            print(", ".join(f"{key} {value}" for key, value in starts.items()))  # noqa: T201
        _table(sensitivity.HEADER, map(sensitivity.to_row, curves))
        _table(sweeps.HEADER, map(sweeps.to_row, swept))
        _table(decode.HEADER, map(decode.to_row, rates))
    return 0


def _asked(args: argparse.Namespace, suite: str) -> bool:
    return args.suite in (suite, "all")


def _measures(args: argparse.Namespace) -> tuple[str, ...]:
    if not _asked(args, "sensitivity"):
        return ()
    if args.measure is None:
        return MEASURES[:1] if args.quick else MEASURES
    asked = tuple(args.measure.split(","))
    for word in asked:
        if word not in MEASURES:
            raise UsageError(f"--measure: there is no {word!r}, but {', '.join(MEASURES)}")
    return asked


def _effort(
    args: argparse.Namespace, quick: sensitivity.Effort, full: sensitivity.Effort
) -> sensitivity.Effort:
    base = quick if args.quick else full
    if args.trials is not None and args.trials < 1:
        raise UsageError("--trials must be positive")
    if args.step is not None and not 0.0 < args.step <= 5.0:
        raise UsageError("--step must be above 0 and at most 5 dB")
    return replace(base, seed=args.seed, frames=args.trials or base.frames, step_db=args.step or base.step_db)


def _rows(args: argparse.Namespace) -> tuple[str, ...] | None:
    rows = tuple(args.rows.split(",")) if args.rows else _QUICK_ROWS if args.quick else None
    for row in rows or ():
        if row not in BY_NAME:
            raise UsageError(f"--rows: no PHY row {row!r}; there are {', '.join(BY_NAME)}")
    return rows


def _sweep_cases(args: argparse.Namespace) -> list[sweeps.SweepCase]:
    families = {
        "tolerances": sweeps.tolerances,
        "disturbances": sweeps.disturbances,
        "oscillators": sweeps.oscillators,
    }
    rows = _rows(args)
    return [case for name, cases in families.items() if name in _measures(args) for case in cases(rows)]


def _cases(args: argparse.Namespace) -> list[sensitivity.Case]:
    if "curves" not in _measures(args):
        return []
    spans: tuple[Span | None, ...] = (None,) if args.quick else (None, WIDE)
    rate_hz = _hz(args.rate, "--rate") if args.rate else None
    if args.center:
        spans = (Span(rate_hz or 1.6e6, _hz(args.center, "--center")),)
    elif args.rate:
        raise UsageError("--rate needs --center")
    return sensitivity.cases(
        _rows(args), spans, payload_bytes=_payload(args.payload), offset_hz=_hz(args.offset, "--offset")
    )


def _hz(text: str, option: str) -> float:
    try:
        return parse_hz(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error


def _payload(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdigit() and (high or low).isdigit() and 2 <= int(low) <= int(high or low) <= 240):
        raise UsageError(f"--payload is like 20-60, between 2 and 240 bytes, not {text!r}")
    return int(low), int(high or low)


def _table(header: str, rows: Iterable[str]) -> None:
    """Print rows as they come; without any, not even their header."""
    for number, row in enumerate(rows):
        if number == 0:
            print(header)  # noqa: T201
        print(row, flush=True)  # noqa: T201
