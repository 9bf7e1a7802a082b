"""``omsdr replay``: I/Q recordings in, telegrams out."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from functools import partial

from sdr.commands.key_options import add_decoder_options, open_decoder
from sdr.commands.listening import (
    EXIT_REQUIRE,
    Show,
    add_amount_options,
    add_mode_options,
    add_output_options,
    chosen_modes,
    positive,
    say,
)
from sdr.errors import RadioError, RecordingError, UsageError
from sdr.processes import Processes
from sdr.progress import Progress
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
    add_mode_options(source)
    source.add_argument("--start-time", metavar="ISO", help="UTC of the first sample")
    source.add_argument(
        "--jobs", metavar="N", type=int, help="work with N processes (default 1); the output is the same"
    )
    add_amount_options(source, "stop after S seconds of each recording")
    add_output_options(parser)
    add_decoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Decode all recordings; one that cannot be read does not stop the others.

    Raises:
        UsageError: an option makes no sense.
    """
    selection = Selection(
        chosen_modes(args.modes), args.band, positive(args.duration, "--duration"), repair=not args.no_repair
    )
    require = positive(args.require, "--require") or 0
    opener = _recording_opener(args)
    show = Show.from_options(args)
    summary = Summary()
    failures = 0
    jobs = int(positive(args.jobs, "--jobs") or 1)
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
                    say(f"error: {error}")
                    failures = error.exit_code
                if show.is_full:
                    break
        finally:
            show.close()
            for line in summary.lines() + summary.outcome_lines() + show.left_out_lines():
                say(line)
    if failures:
        return failures
    return EXIT_REQUIRE if show.n_telegrams < require else 0


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


def _replay(replay: Replay, show: Show) -> None:
    recording = replay.recording
    name = "standard input" if recording.name == "-" else recording.name
    say(
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
        say(f"{name}: {note}")


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
