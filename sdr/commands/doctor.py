"""``omsdr doctor``: what is installed, which radios are found, what is wrong and how to mend it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from sdr.doctor import Finding, Level, headroom, radio, software, usb

EXAMPLES = """\
omsdr doctor
       omsdr doctor --device rtl_tcp://192.168.1.20
       omsdr doctor --skip-radios --skip-speed
       omsdr doctor --json
"""
_SIGNS = {Level.OK: "✓", Level.NOTE: "·", Level.WARNING: "!", Level.FAULT: "✗"}
_COLOURS = {Level.OK: "32", Level.NOTE: "2", Level.WARNING: "33", Level.FAULT: "31"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = (
        "Look at this machine: libraries, radios, speed; say what is wrong and how to mend it."
    )
    parser.epilog = "Nothing is changed and nothing is transmitted. Works without any radio."
    parser.add_argument(
        "--device",
        metavar="D",
        action="append",
        default=[],
        help="try this radio only, as omsdr receive names it; repeatable (default: all that are found)",
    )
    parser.add_argument("--skip-radios", action="store_true", help="do not open any radio")
    parser.add_argument("--skip-speed", action="store_true", help="do not measure how fast this machine is")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(args: argparse.Namespace) -> int:
    """Look at everything; what is found does not change the exit code."""
    findings = _findings(args)
    if args.json:
        print(json.dumps({"schema": 1, "findings": [asdict(finding) for finding in findings]}, indent=1))  # noqa: T201
        return 0
    counts = dict.fromkeys(Level, 0)
    for finding in findings:
        counts[finding.level] += 1
        print(text_of(finding, coloured=sys.stdout.isatty()), flush=True)  # noqa: T201
    print(_verdict(counts))  # noqa: T201
    return 0


def _findings(args: argparse.Namespace) -> Iterator[Finding]:
    yield from software.check()
    yield from usb.check()
    if not args.skip_radios:
        yield from radio.check(args.device)
    if not args.skip_speed:
        yield from headroom.check()


def text_of(finding: Finding, *, coloured: bool) -> str:
    """Write a finding and, indented below it, how to mend it."""
    sign = _SIGNS[finding.level]
    if coloured:
        sign = f"\033[{_COLOURS[finding.level]}m{sign}\033[0m"
    return "\n".join([f"{sign} {finding.subject}: {finding.text}", *(f"    {line}" for line in finding.mend)])


def _verdict(counts: dict[Level, int]) -> str:
    faults, warnings = counts[Level.FAULT], counts[Level.WARNING]
    if faults:
        return f"{faults} fault{'s' if faults > 1 else ''} to mend before it works."
    if warnings:
        return f"It works; {warnings} thing{'s' if warnings > 1 else ''} could be better."
    return "All well."
