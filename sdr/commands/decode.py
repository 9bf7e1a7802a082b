"""``omsdr decode``: telegrams that are bytes already, as arguments or line by line."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO, cast

from protocol.decoder import Decoder
from protocol.outcome import READ_OUTCOMES
from sdr.byte_lines import ByteStream, read_lines, receive_line
from sdr.commands.key_options import add_decoder_options, add_meter_option, is_wanted, open_decoder
from sdr.errors import UsageError
from sdr.output import FORMATS, Output, open_output
from sdr.output.explain_text import explain_json, explain_text
from sdr.reception import ByteReception

EXAMPLES = """\
omsdr decode 2E44931578563412330333637A2A0020255923C95AAA26D1… --keys meters.toml
       omsdr decode - --keys meters.toml < telegrams.txt > telegrams.jsonl
       omsdr decode 2E44931578563412330333637A2A0020255923C95AAA26D1… --keys meters.toml --explain
       omsdr replay night.sigmf-meta | omsdr decode - --keys meters.toml --output table
"""
_EXPLAIN_FORMATS = ("text", "json")
_LINES_AT_ONCE = 16
"""Decoded before they are written: few enough for the processor's cache, and each step stays in it longer."""

Lines = Iterable[list[bytes | None]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Decode telegrams given as hex, rtl_wmbus lines or JSON lines; wireless or wired."
    parser.epilog = (
        "A line may carry its own key behind a tab. Data go to standard output, everything else to "
        "standard error."
    )
    parser.add_argument("telegrams", metavar="HEX", nargs="*", help="telegrams; - or none: standard input")
    sink = parser.add_argument_group("output")
    sink.add_argument(
        "--output",
        metavar="FORMAT[:FILE]",
        action="append",
        help=f"{', '.join(FORMATS)}; repeatable (default: table on a terminal, else jsonl)",
    )
    sink.add_argument("--rejects", action="store_true", help="show lines that are no telegrams, too")
    sink.add_argument(
        "--explain",
        nargs="?",
        const="text",
        metavar="json",
        help="show every byte with its field and meaning instead; --explain=json for tools",
    )
    add_meter_option(sink)
    add_decoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Decode all lines; one that is no telegram does not stop the others.

    Raises:
        UsageError: options make no sense, alone or together.
        ConfigError: keys or state make no sense.
    """
    if args.explain not in (None, *_EXPLAIN_FORMATS):
        # argparse takes the telegram behind a bare --explain for its value
        args.telegrams.insert(0, args.explain)
        args.explain = _EXPLAIN_FORMATS[0]
    if args.explain is not None and args.output:
        raise UsageError("--explain shows telegrams in its own way; give either it or --output")
    from_arguments = bool(args.telegrams) and args.telegrams != ["-"]
    lines: Lines = [[text.encode() for text in args.telegrams]]
    if not from_arguments:
        lines = read_lines(cast(ByteStream, sys.stdin.buffer))
    is_live = not from_arguments and sys.stdin.isatty()
    counts = Counts()
    with open_decoder(args) as decoder:
        outputs: list[Output | ExplainOutput]
        if args.explain is not None:
            outputs = [ExplainOutput(args.explain, sys.stdout)]
        else:
            outputs = [
                open_output(text, rejects=args.rejects, is_live=is_live) for text in args.output or [None]
            ]
        try:
            for receptions in _receive(decoder, lines):
                for reception in receptions:
                    counts.add(reception)
                    if args.meter is None or is_wanted(reception.telegram, args.meter):
                        for output in outputs:
                            output.write(reception)
                for output in outputs:
                    output.flush()
        finally:
            for output in outputs:
                output.close()
    for text in counts.lines() + _left_out(outputs):
        print(text, file=sys.stderr)  # noqa: T201
    return 0


def _receive(decoder: Decoder, lines: Lines) -> Iterator[list[ByteReception]]:
    """Yield the receptions of some lines after another, at the latest when a read has no more of them."""
    number = 1
    for part in lines:
        for start in range(0, len(part), _LINES_AT_ONCE):
            some = part[start : start + _LINES_AT_ONCE]
            yield [
                receive_line(decoder, line, index)
                for index, line in enumerate(some, start=number)
                if line is None or line.strip()
            ]
            number += len(some)


class ExplainOutput:
    """Writes telegrams byte by byte, coloured on a terminal.

    Args:
        kind: one of `_EXPLAIN_FORMATS`.
        stream: where lines go.

    Attributes:
        left_out: telegrams that the format cannot hold; there are none.
    """

    left_out = 0

    def __init__(self, kind: str, stream: TextIO) -> None:
        self.kind = kind
        self._stream = stream
        self._is_coloured = stream.isatty() and not os.environ.get("NO_COLOR")

    def write(self, reception: ByteReception) -> None:
        """Write one telegram, or what can be said of bytes that are none."""
        if self.kind == "json":
            text = explain_json(reception)
        else:
            text = explain_text(reception, is_coloured=self._is_coloured)
        self._stream.write(text + "\n")

    def flush(self) -> None:
        """Write out what is still waiting."""
        self._stream.flush()

    def close(self) -> None:
        """Leave standard output open."""


class Counts:
    """What became of the lines."""

    def __init__(self) -> None:
        self._n_telegrams = 0
        self._rejects: Counter[str] = Counter()
        self._unread: Counter[str] = Counter()

    def add(self, reception: ByteReception) -> None:
        """Count one line."""
        if reception.rejection is not None:
            self._rejects[reception.rejection.reason] += 1
            return
        self._n_telegrams += 1
        telegram = reception.telegram
        if telegram is None:
            return
        if telegram.security.outcome not in READ_OUTCOMES:
            self._unread[telegram.security.outcome] += 1
        elif telegram.problem is not None:
            self._unread[telegram.problem.reason] += 1

    def lines(self) -> list[str]:
        """Say what was not read, or nothing."""
        texts = []
        if self._rejects:
            n_lines = self._n_telegrams + self._rejects.total()
            texts.append(f"{self._rejects.total()} of {n_lines} lines rejected: {_by_kind(self._rejects)}")
        if self._unread:
            texts.append(
                f"{self._unread.total()} of {self._n_telegrams} telegrams not read: {_by_kind(self._unread)}"
            )
        return texts


def _left_out(outputs: Iterable[Output | ExplainOutput]) -> list[str]:
    return [
        f"{output.left_out} telegrams have no place in {output.kind} and were left out"
        for output in outputs
        if output.left_out
    ]


def _by_kind(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {number}" for kind, number in sorted(counts.items()))
