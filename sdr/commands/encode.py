"""``omsdr encode``: telegrams described in JSON lines become frames."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from sdr.commands.key_options import add_key_options, keyring
from sdr.errors import RecordingError
from sdr.line_encoder import EncodedLine, LineEncoder

EXAMPLES = """\
omsdr encode telegrams.jsonl --keys meters.toml
       omsdr encode telegrams.jsonl --keys meters.toml --frame-format B
       omsdr decode 2E44931578563412… --keys meters.toml | omsdr encode - --keys meters.toml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Build telegrams from the JSON lines of omsdr decode, encrypted and authenticated."
    parser.epilog = (
        "Taken are addresses, headers, counters and readings; never frame_hex, raw_hex, plaintext_hex or "
        "a MAC. Lines written by hand may be short; docs/json.md shows one."
    )
    parser.add_argument("file", metavar="FILE", help="JSON lines; - is standard input")
    parser.add_argument(
        "--frame-format",
        choices=("as-given", "A", "B", "none"),
        default="as-given",
        help="block CRCs of wireless frames (default: as frame_format of the line says)",
    )
    add_key_options(parser)


def run(args: argparse.Namespace) -> int:
    """Encode all lines; one that describes no telegram does not stop the others.

    Raises:
        ConfigError: a key file makes no sense.
        RecordingError: the file cannot be read, or lines in it describe no telegram.
    """
    encoder = LineEncoder(keyring(args), None if args.frame_format == "as-given" else args.frame_format)
    if args.file == "-":
        n_failed = _encode(encoder, sys.stdin.buffer)
    else:
        try:
            with Path(args.file).open("rb") as stream:
                n_failed = _encode(encoder, stream)
        except OSError as error:
            raise RecordingError(args.file, error.strerror or str(error)) from None
    if n_failed:
        raise RecordingError(args.file, f"{n_failed} lines describe no telegram")
    return 0


def _encode(encoder: LineEncoder, stream: BinaryIO) -> int:
    n_failed = 0
    for number, line in enumerate(stream, start=1):
        if line.strip():
            n_failed += _write(encoder.push(line, number))
    return n_failed + _write(encoder.flush())


def _write(lines: Iterable[EncodedLine]) -> int:
    """Write frames to standard output and problems to standard error; return the number of the latter."""
    n_failed = 0
    for line in lines:
        if line.frame is not None:
            print(line.frame.hex())  # noqa: T201
        else:
            n_failed += 1
            print(f"line {line.number}: {line.problem}", file=sys.stderr)  # noqa: T201
    return n_failed
