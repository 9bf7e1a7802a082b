"""``omsdr bench``: measure this machine and this build."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable

from sdr.bench import decode, machine, throughput
from sdr.errors import UsageError

EXAMPLES = """\
omsdr bench
       omsdr bench --suite throughput --quick
       omsdr bench --suite decode
       omsdr bench --json > results.json
"""
SUITES = ("throughput", "decode", "all")
_FULL_S = 20.0
_QUICK_S = 3.0
_FULL_TELEGRAMS = 60_000
_QUICK_TELEGRAMS = 10_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Measure how fast this machine receives and decodes."
    parser.epilog = "Close other programs first; compare the ratios to the FIR, not the speeds."
    parser.add_argument("--suite", choices=SUITES, default="all", help="what to measure (default all)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK_S:g} s or {_QUICK_TELEGRAMS} telegrams a scenario",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of frames, times and noise")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def run(args: argparse.Namespace) -> int:
    """Run the suites.

    Raises:
        UsageError: an option makes no sense.
    """
    if args.seed < 0:
        raise UsageError("--seed must not be negative")
    seconds = _QUICK_S if args.quick else _FULL_S
    reference_msps = machine.reference_msps()
    about = machine.describe() | {"reference_fir_msps": round(reference_msps, 1)}
    speeds = throughput.run(seconds, args.seed, reference_msps) if args.suite != "decode" else iter(())
    telegrams = _QUICK_TELEGRAMS if args.quick else _FULL_TELEGRAMS
    rates = decode.run(telegrams) if args.suite != "throughput" else iter(())
    if args.json:
        report = {
            "schema": 1,
            "machine": about,
            "throughput": [throughput.to_dict(result) for result in speeds],
            "decode": [decode.to_dict(result) for result in rates],
        }
        print(json.dumps(report, indent=1))  # noqa: T201
        return 0
    print(", ".join(f"{key} {value}" for key, value in about.items()))  # noqa: T201
    _table(throughput.HEADER, map(throughput.to_row, speeds))
    _table(decode.HEADER, map(decode.to_row, rates))
    return 0


def _table(header: str, rows: Iterable[str]) -> None:
    """Print rows as they come; without any, not even their header."""
    for number, row in enumerate(rows):
        if number == 0:
            print(header)  # noqa: T201
        print(row, flush=True)  # noqa: T201
