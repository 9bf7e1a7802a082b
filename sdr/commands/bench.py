"""``omsdr bench``: measure this machine and this build."""

from __future__ import annotations

import argparse
import json

from sdr.bench import machine, throughput
from sdr.errors import UsageError

EXAMPLES = """\
omsdr bench
       omsdr bench --suite throughput --quick
       omsdr bench --json > results.json
"""
_FULL_S = 20.0
_QUICK_S = 3.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Measure how fast this machine receives."
    parser.epilog = "Close other programs first; compare the ratios to the FIR, not the speeds."
    parser.add_argument(
        "--suite", choices=("throughput", "all"), default="all", help="what to measure (default all)"
    )
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_S:g} s a scenario, not {_FULL_S:g} s")
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
    results = throughput.run(seconds, args.seed, reference_msps)
    if args.json:
        report = {
            "schema": 1,
            "machine": about,
            "throughput": [throughput.to_dict(result) for result in results],
        }
        print(json.dumps(report, indent=1))  # noqa: T201
        return 0
    print(", ".join(f"{key} {value}" for key, value in about.items()))  # noqa: T201
    print(throughput.HEADER)  # noqa: T201
    for result in results:
        print(throughput.to_row(result), flush=True)  # noqa: T201
    return 0
