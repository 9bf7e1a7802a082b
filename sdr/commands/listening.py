"""What replay and receive share: which modes, where receptions go, how many are wanted."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from dsp.modes import BANDS, MODE_LETTERS
from sdr.commands.key_options import add_meter_option, is_wanted
from sdr.errors import UsageError
from sdr.output import FORMATS as OUTPUTS
from sdr.output import Output, open_output
from sdr.reception import Reception

EXIT_REQUIRE = 7


def add_mode_options(group: argparse._ArgumentGroup) -> None:
    """Declare ``--modes`` and ``--band``."""
    group.add_argument("--modes", metavar="LIST", default="all", help="all (default) or letters: S,T,C,R,N,F")
    group.add_argument("--band", choices=sorted(BANDS), help="; ".join(map(_band_help, sorted(BANDS))))


def add_amount_options(group: argparse._ArgumentGroup, duration_help: str) -> None:
    """Declare ``--duration``, ``--count``, ``--require`` and ``--no-repair``."""
    group.add_argument("--duration", metavar="S", type=float, help=duration_help)
    group.add_argument("--count", metavar="N", type=int, help="stop after N telegrams")
    group.add_argument("--require", metavar="N", type=int, help="exit with 7 below N telegrams")
    group.add_argument(
        "--no-repair", action="store_true", help="do not mend frames whose CRC fails by a few uncertain bits"
    )


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Declare ``--output``, ``--rejects`` and ``--meter``."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output",
        metavar="FORMAT[:FILE]",
        action="append",
        help=f"{', '.join(OUTPUTS)}; repeatable (default: table on a terminal, else jsonl)",
    )
    group.add_argument("--rejects", action="store_true", help="show rejected bursts too")
    add_meter_option(group)


def chosen_modes(text: str) -> tuple[str, ...] | None:
    """Read ``--modes``; None for all.

    Raises:
        UsageError: a letter is no mode.
    """
    if text == "all":
        return None
    letters = tuple(letter.strip().upper() for letter in text.split(","))
    unknown = [letter for letter in letters if letter not in MODE_LETTERS]
    if unknown:
        raise UsageError(f"--modes {text}: {unknown[0]!r} is no mode; there are {', '.join(MODE_LETTERS)}")
    return letters


def positive(value: float | None, option: str) -> float | None:
    """Check that a number is above 0.

    Raises:
        UsageError: it is not.
    """
    if value is not None and not value > 0:
        raise UsageError(f"{option} must be above 0")
    return value


@dataclass(slots=True)
class Show:
    """Where receptions go, which of them, and how many telegrams there were."""

    outputs: list[Output]
    meters: list[str] | None
    count: float | None
    n_telegrams: int = 0

    @classmethod
    def from_options(cls, args: argparse.Namespace) -> Show:
        """Open the outputs that the options ask for.

        Raises:
            UsageError: an option makes no sense.
        """
        count = positive(args.count, "--count")
        outputs = [open_output(text, rejects=args.rejects) for text in args.output or [None]]
        return cls(outputs, args.meter, count)

    @property
    def is_full(self) -> bool:
        """Whether as many telegrams as asked for have been shown."""
        return self.count is not None and self.n_telegrams >= self.count

    def wants(self, reception: Reception) -> bool:
        """Whether ``--meter`` lets it through."""
        return is_wanted(reception.telegram, self.meters)

    def write(self, reception: Reception, sample_rate_hz: float) -> None:
        """Write one reception to all outputs, if it is wanted."""
        if self.wants(reception):
            self.n_telegrams += reception.rejection is None
            for output in self.outputs:
                output.write(reception, sample_rate_hz)

    def close(self) -> None:
        """Close the outputs."""
        for output in self.outputs:
            output.close()

    def left_out_lines(self) -> list[str]:
        """Say how many telegrams an output could not hold."""
        return [
            f"{output.left_out} telegrams have no place in {output.kind} and were left out"
            for output in self.outputs
            if output.left_out
        ]


def say(text: str) -> None:
    """Write a sentence for people to standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _band_help(name: str) -> str:
    return f"{name}: {BANDS[name].description}"
