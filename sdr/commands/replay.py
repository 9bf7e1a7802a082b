"""``omsdr replay``: I/Q recordings in, telegrams out."""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import partial

from dsp.modes import BANDS, MODE_LETTERS
from sdr.commands.key_options import add_decoder_options, add_meter_option, is_wanted, open_decoder
from sdr.errors import RadioError, RecordingError, UsageError
from sdr.output import FORMATS as OUTPUTS
from sdr.output import Output, open_output
from sdr.processes import Processes
from sdr.progress import Progress
from sdr.reception import Reception
from sdr.recording import FORMATS, InputPath, Recording, expand_paths, open_recording
from sdr.session import Replay, Selection, Summary
from sdr.timestamps import parse_utc
from sdr.units import format_hz, format_rate, parse_hz

EXAMPLES = """\
omsdr replay street_868.9M_2400k.cu8
       omsdr replay recordings/ --output table --rejects
       omsdr replay street_868.9M_2400k.cu8 --keys meters.toml
       omsdr replay archive/*.cu8 --jobs 2 --keys meters.toml
       omsdr replay night.sigmf-meta --modes T,C --meter '7120*' > night.jsonl
       rtl_sdr -f 868.95M -s 1.6M - | omsdr replay - --rate 1.6M --center 868.95M --format cu8
"""
_EXIT_REQUIRE = 7


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Decode I/Q recordings, as fast as this machine can."
    parser.epilog = "Data go to standard output, everything else to standard error."
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="files, folders, patterns; - is standard input"
    )
    source = parser.add_argument_group("input")
    source.add_argument("--rate", metavar="R", help="sample rate, like 1.6M")
    source.add_argument("--center", metavar="F", help="centre frequency, like 868.95M")
    source.add_argument("--format", choices=FORMATS, default="auto", help="sample format (default auto)")
    source.add_argument(
        "--modes", metavar="LIST", default="all", help="all (default) or letters: S,T,C,R,N,F"
    )
    source.add_argument("--band", choices=sorted(BANDS), help="; ".join(map(_band_help, sorted(BANDS))))
    source.add_argument("--start-time", metavar="ISO", help="UTC of the first sample")
    source.add_argument("--duration", metavar="S", type=float, help="stop after S seconds of each recording")
    source.add_argument("--count", metavar="N", type=int, help="stop after N telegrams")
    source.add_argument(
        "--jobs", metavar="N", type=int, help="work with N processes (default 1); the output is the same"
    )
    source.add_argument("--require", metavar="N", type=int, help="exit with 7 below N telegrams")
    source.add_argument(
        "--no-repair", action="store_true", help="do not mend frames whose CRC fails by a few uncertain bits"
    )
    sink = parser.add_argument_group("output")
    sink.add_argument(
        "--output",
        metavar="FORMAT[:FILE]",
        action="append",
        help=f"{', '.join(OUTPUTS)}; repeatable (default: table on a terminal, else jsonl)",
    )
    sink.add_argument("--rejects", action="store_true", help="show rejected bursts too")
    add_meter_option(sink)
    add_decoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Decode all recordings; one that cannot be read does not stop the others.

    Raises:
        UsageError: an option makes no sense.
    """
    selection = Selection(
        _modes(args.modes), args.band, _positive(args.duration, "--duration"), repair=not args.no_repair
    )
    require = _positive(args.require, "--require") or 0
    count = _positive(args.count, "--count")
    opener = _recording_opener(args)
    show = _Show(
        [open_output(text, rejects=args.rejects) for text in args.output or [None]], args.meter, count
    )
    summary = Summary()
    failures = 0
    jobs = int(_positive(args.jobs, "--jobs") or 1)
    with open_decoder(args) as decoder, Processes(jobs) as processes:

        def replay_of(path: str) -> Replay:
            return Replay(opener(path), selection, summary, decoder, processes.executor)

        try:
            for replay in _in_turn(expand_paths(args.paths), replay_of, jobs):
                try:
                    if isinstance(replay, RecordingError):
                        raise replay
                    with replay.recording:
                        _replay(replay, show)
                except BrokenExecutor:
                    raise RadioError("a process of --jobs ended, perhaps for want of memory") from None
                except RecordingError as error:
                    _say(f"error: {error}")
                    failures = error.exit_code
                if show.is_full:
                    break
        finally:
            for output in show.outputs:
                output.close()
            for line in summary.lines() + summary.outcome_lines() + _left_out(show.outputs):
                _say(line)
    if failures:
        return failures
    return _EXIT_REQUIRE if show.n_telegrams < require else 0


@dataclass(slots=True)
class _Show:
    """Where receptions go, which of them, and how many telegrams there were."""

    outputs: list[Output]
    meters: list[str] | None
    count: float | None
    n_telegrams: int = 0

    @property
    def is_full(self) -> bool:
        """Whether as many telegrams as asked for have been shown."""
        return self.count is not None and self.n_telegrams >= self.count

    def write(self, reception: Reception, sample_rate_hz: float) -> None:
        """Write one reception to all outputs, if it is wanted."""
        if is_wanted(reception.telegram, self.meters):
            self.n_telegrams += reception.rejection is None
            for output in self.outputs:
                output.write(reception, sample_rate_hz)


def _in_turn(
    entries: list[InputPath], replay_of: Callable[[str], Replay], jobs: int
) -> Iterator[Replay | RecordingError]:
    """Open recordings in their order; with several jobs as many are listened to ahead of their turn."""
    waiting: deque[Replay | RecordingError] = deque()
    try:
        for entry in entries:
            try:
                if entry.problem is not None:
                    raise entry.problem
                replay = replay_of(entry.path)
                if jobs > 1:
                    replay.begin()
                waiting.append(replay)
            except RecordingError as error:
                waiting.append(error)
            if len(waiting) == jobs:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for unused in waiting:
            if isinstance(unused, Replay):
                unused.close()
                unused.recording.close()


def _replay(replay: Replay, show: _Show) -> None:
    recording = replay.recording
    name = "standard input" if recording.name == "-" else recording.name
    _say(
        f"{name}: {format_rate(recording.sample_rate_hz)} at {format_hz(recording.center_hz)}, "
        f"{recording.sample_format.label}" + "".join(f"; {text}" for text in recording.assumptions)
    )
    progress = Progress(name, recording.n_samples)
    for reception in replay.run(progress.show):
        progress.clear()
        show.write(reception, recording.sample_rate_hz)
        if show.is_full:
            break
    progress.clear()
    for note in recording.notes:
        _say(f"{name}: {note}")


def _modes(text: str) -> tuple[str, ...] | None:
    if text == "all":
        return None
    letters = tuple(letter.strip().upper() for letter in text.split(","))
    unknown = [letter for letter in letters if letter not in MODE_LETTERS]
    if unknown:
        raise UsageError(f"--modes {text}: {unknown[0]!r} is no mode; there are {', '.join(MODE_LETTERS)}")
    return letters


def _recording_opener(args: argparse.Namespace) -> Callable[[str], Recording]:
    """Read the input options once; what comes back opens a recording with them.

    Raises:
        UsageError: an option makes no sense.
    """
    try:
        sample_rate_hz = None if args.rate is None else parse_hz(args.rate)
        center_hz = None if args.center is None else parse_hz(args.center)
        start_time = None if args.start_time is None else parse_utc(args.start_time)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return partial(
        open_recording,
        sample_rate_hz=sample_rate_hz,
        center_hz=center_hz,
        sample_format=args.format,
        start_time=start_time,
    )


def _positive(value: float | None, option: str) -> float | None:
    if value is not None and not value > 0:
        raise UsageError(f"{option} must be above 0")
    return value


def _band_help(name: str) -> str:
    return f"{name}: {BANDS[name].description}"


def _left_out(outputs: list[Output]) -> list[str]:
    return [
        f"{output.left_out} telegrams have no place in {output.kind} and were left out"
        for output in outputs
        if output.left_out
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201
