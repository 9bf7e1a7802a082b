"""``omsdr bench``: measure this machine and this build."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from dsp.modes import BY_NAME
from sdr.bench import decode, first_start, ideas, machine, plot, sensitivity, sweeps, throughput
from sdr.bench.conditions import WIDE, Span
from sdr.errors import UsageError
from sdr.processes import Processes
from sdr.units import parse_hz

T = TypeVar("T")

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
MEASURES = ("curves", "tolerances", "disturbances", "oscillators", "ideas")
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
    air.add_argument(
        "--plot", metavar="FILE", help="draw the curves, or else the sweeps (SVG or PNG; needs omsdr[plot])"
    )
    air.add_argument("--rows", metavar="LIST", help="names of PHY rows, like 'T M2O,C M2O'")
    air.add_argument("--trials", metavar="N", type=int, help="frames at each point")
    air.add_argument("--step", metavar="DB", type=float, help="distance of the points")
    air.add_argument("--payload", metavar="MIN-MAX", default="20-60", help="bytes (default 20-60)")
    air.add_argument("--offset", metavar="F", default="20k", help="carriers lie within ±F (default 20k)")
    air.add_argument("--rate", metavar="R", help="sample rate around --center (default 1.6M)")
    air.add_argument("--center", metavar="F", help="centre frequency, instead of the usual spans")


def run(args: argparse.Namespace) -> int:
    """Run the suites.

    Raises:
        UsageError: an option makes no sense.
    """
    if args.seed < 0:
        raise UsageError("--seed must not be negative")
    if args.jobs < 1:
        raise UsageError("--jobs must be positive")
    plot_path = _plot_path(args)
    reference_msps = machine.reference_msps()
    about = machine.describe() | {"reference_fir_msps": round(reference_msps, 1)}
    if not args.json:
        print(", ".join(f"{key} {value}" for key, value in about.items()))  # noqa: T201
    report: dict[str, object] = {"schema": 1, "machine": about}
    with Processes(args.jobs) as pool:
        for section in _sections(args, pool, reference_msps):
            report[section.name] = _run(section, show=not args.json)
    if args.json:
        print(json.dumps(report, indent=1))  # noqa: T201
    if plot_path is not None:
        plot.draw(report, plot_path)
    return 0


@dataclass(frozen=True, slots=True)
class _Section(Generic[T]):
    """A part of the report: results as they come, and how to show them."""

    name: str
    results: Iterable[T]
    header: str
    to_row: Callable[[T], str]
    to_dict: Callable[[T], dict[str, object]]


def _run(section: _Section[T], *, show: bool) -> list[dict[str, object]]:
    """Measure a section; print rows as they come, and without any not even their header."""
    found: list[dict[str, object]] = []
    for result in section.results:
        if show:
            if not found:
                print(section.header)  # noqa: T201
            print(section.to_row(result), flush=True)  # noqa: T201
        found.append(section.to_dict(result))
    return found


def _sections(args: argparse.Namespace, pool: Processes, reference_msps: float) -> Iterator[_Section[Any]]:
    if _asked(args, "throughput"):
        seconds = _QUICK_S if args.quick else _FULL_S
        speeds = throughput.run(seconds, args.seed, reference_msps)
        yield _Section("throughput", speeds, throughput.HEADER, throughput.to_row, throughput.to_dict)
        yield _Section(
            "first_start", first_start.run(), first_start.HEADER, first_start.to_row, first_start.to_dict
        )
    if _asked(args, "sensitivity"):
        effort = _effort(args, sensitivity.QUICK, sensitivity.FULL)
        curves = sensitivity.run(_cases(args), effort, pool)
        yield _Section("sensitivity", curves, sensitivity.HEADER, sensitivity.to_row, sensitivity.to_dict)
        losses = sweeps.run(_sweep_cases(args), _effort(args, sweeps.QUICK, sweeps.FULL), pool)
        yield _Section("sweeps", losses, sweeps.HEADER, sweeps.to_row, sweeps.to_dict)
    if "ideas" in _measures(args):
        gains = ideas.run(_rows(args), _effort(args, sensitivity.QUICK, sensitivity.FULL), pool)
        yield _Section("ideas", gains, ideas.HEADER, ideas.to_row, ideas.to_dict)
    if _asked(args, "decode"):
        rates = decode.run(_QUICK_TELEGRAMS if args.quick else _FULL_TELEGRAMS)
        yield _Section("decode", rates, decode.HEADER, decode.to_row, decode.to_dict)


def _plot_path(args: argparse.Namespace) -> Path | None:
    if args.plot is None:
        return None
    if not _asked(args, "sensitivity"):
        raise UsageError("--plot draws the suite sensitivity")
    plot.require()  # before an hour of measuring
    return Path(args.plot)


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
