"""Options of keys and state, the same for every command that decodes or builds telegrams."""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.decoder import Decoder
from protocol.errors import ProtocolError
from protocol.keys import Keyring, KeyRow
from protocol.telegram import Telegram
from sdr.errors import ConfigError
from sdr.keyfiles import keyring_of, load
from sdr.state_file import load_state, save_state


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Declare ``--key`` and ``--keys``."""
    group = parser.add_argument_group("keys")
    group.add_argument(
        "--key",
        metavar="HEX",
        help="one key for all telegrams; for a quick look, it shows in the process list",
    )
    group.add_argument(
        "--keys",
        metavar="PATH",
        action="append",
        type=Path,
        help="TOML or CSV file, or folder of wmbusmeters meter files; repeatable",
    )


def add_decoder_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of everything that decodes telegrams."""
    add_key_options(parser)
    group = parser.add_argument_group("decoding")
    group.add_argument(
        "--state",
        metavar="FILE",
        type=Path,
        help="keep formats of compact frames, unfinished messages and message counters between runs",
    )
    group.add_argument(
        "--strict", action="store_true", help="refuse payloads that were decrypted before they came here"
    )


def add_meter_option(group: argparse._ArgumentGroup) -> None:
    """Declare ``--meter``."""
    group.add_argument(
        "--meter", metavar="ID", action="append", help="only meters with this id; * and ? as wildcards"
    )


def keyring(args: argparse.Namespace) -> Keyring:
    """Read the keys, and warn of what is odd about their files.

    Raises:
        ConfigError: a key file cannot be read, or a key is none.
    """
    rows: list[KeyRow] = []
    for path in args.keys or ():
        loaded = load(path)
        rows += loaded.rows
        for warning in loaded.warnings:
            print(f"warning: {warning}", file=sys.stderr)  # noqa: T201
    return keyring_of(tuple(rows), args.key)


@contextmanager
def open_decoder(args: argparse.Namespace) -> Iterator[Decoder]:
    """Make the decoder that the options ask for; at the end, even an interrupted one, keep its state.

    Raises:
        ConfigError: keys or state make no sense, or the state cannot be kept.
    """
    state = {} if args.state is None else load_state(args.state)
    try:
        decoder = Decoder(keyring(args), strict=args.strict, state=state)
    except ProtocolError as error:
        raise ConfigError(f"{args.state}: {error}") from None
    try:
        yield decoder
    finally:
        if args.state is not None:
            save_state(args.state, decoder.state())


def is_wanted(telegram: Telegram | None, patterns: list[str] | None) -> bool:
    """Whether ``--meter`` lets a telegram through: by its meter's id, or by its sender's."""
    if patterns is None:
        return True
    if telegram is None:
        return False
    sender_id = None if telegram.sender is None else telegram.sender.id
    ids = {number for number in (telegram.meter_id, sender_id) if number is not None}
    return any(fnmatch.fnmatchcase(id, pattern.lower()) for id in ids for pattern in patterns)
