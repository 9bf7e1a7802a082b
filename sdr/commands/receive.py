"""``omsdr receive``: live from radios, telegrams out, until stopped."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

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
from sdr.commands.receive_loop import Recordings, run_session
from sdr.errors import UsageError
from sdr.live.burst_files import KINDS, BurstFiles
from sdr.live.radio import LiveRadio, RadioOptions
from sdr.live.recorder import Recorder, parse_split
from sdr.live.screen import open_screen
from sdr.live.session import LiveSession
from sdr.radio import Tuning, list_radios, open_source
from sdr.radio.opening import is_recorded
from sdr.radio.plans import plans_for
from sdr.recording import FORMATS
from sdr.session import Selection, Summary
from sdr.state_file import StateKeeper
from sdr.timestamps import parse_utc
from sdr.units import parse_hz

EXAMPLES = """\
omsdr receive
       omsdr receive --keys meters.toml --gain 40
       omsdr receive --device rtlsdr:serial=00000868 --record night --record-split 1h
       omsdr receive --device rtl_tcp://192.168.1.20 --modes T,C
       omsdr receive --device rtlsdr:0 --device soapy:driver=airspy
       omsdr receive --output rtl_wmbus | wmbusmeters stdin:rtlwmbus
       omsdr receive --list
"""
_DEFAULT_DEVICE = "rtlsdr"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = (
        "Decode live from a radio until stopped. By default the first RTL-SDR dongle, tuned so that S, T and "
        "C are heard at once, in both directions."
    )
    parser.epilog = (
        "Data go to standard output, everything else to standard error. A radio that is lost is tried again "
        "for ever. Ctrl-C ends with 130, SIGTERM with 0."
    )
    radio = parser.add_argument_group("radio")
    radio.add_argument(
        "--device",
        metavar="D",
        action="append",
        help="rtlsdr (default), rtlsdr:INDEX, rtlsdr:serial=S, rtl_tcp://HOST:PORT, soapy:ARGS, file:PATH, "
        "- for standard input; repeatable: telegrams are merged",
    )
    radio.add_argument("--list", action="store_true", help="list the radios and end")
    radio.add_argument("--rate", metavar="R", help="sample rate, like 2.4M (default: as the modes need)")
    radio.add_argument("--center", metavar="F", help="centre frequency, like 868.9M (default: likewise)")
    radio.add_argument("--format", choices=FORMATS, default="auto", help="of a file or standard input")
    radio.add_argument("--gain", metavar="auto|DB", default="auto", help="tuner gain (default auto)")
    radio.add_argument("--agc", action="store_true", help="automatic level behind the converter (RTL-SDR)")
    radio.add_argument(
        "--bias-tee", action="store_true", help="supply an amplifier through the antenna socket"
    )
    radio.add_argument(
        "--ppm",
        metavar="N|auto",
        help="the radio's frequency error; auto (default) learns it from the meters, and remembers it",
    )
    radio.add_argument(
        "--give-up",
        metavar="S",
        type=float,
        help="exit with 5 when a radio has been lost for S seconds (default: try for ever)",
    )
    what = parser.add_argument_group("what to receive")
    add_mode_options(what)
    what.add_argument("--start-time", metavar="ISO", help="UTC of the first sample, instead of the clock")
    add_amount_options(what, "stop after S seconds of samples")
    add_output_options(parser)
    record = parser.add_argument_group("recording")
    record.add_argument(
        "--record", metavar="FILE", type=Path, help="samples to disk while decoding; SigMF without a suffix"
    )
    record.add_argument(
        "--record-split", metavar="SIZE|TIME", help="begin a new file each so often: 500M, 2G, 30min, 1h"
    )
    record.add_argument("--record-keep", metavar="N", type=int, help="keep the N latest files only")
    record.add_argument(
        "--record-bursts", choices=KINDS, help="each burst, or each that gave no frame, as a small SigMF file"
    )
    record.add_argument(
        "--record-folder",
        metavar="FOLDER",
        type=Path,
        default=Path("bursts"),
        help="where bursts go (default bursts)",
    )
    add_decoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Receive until stopped.

    Raises:
        UsageError: an option makes no sense.
        DeviceNotFound: a radio is not there.
        DeviceLost: a radio went away and was given up.
    """
    if args.list:
        return _list()
    selection = Selection(chosen_modes(args.modes), args.band, repair=not args.no_repair)
    duration_s = positive(args.duration, "--duration")
    require = positive(args.require, "--require") or 0
    give_up_s = positive(args.give_up, "--give-up")
    uris = args.device or [_DEFAULT_DEVICE]
    if len(set(uris)) < len(uris):
        raise UsageError("--device: the same radio is named twice")
    options = [_radio_options(args, uri, selection) for uri in uris]
    screen = open_screen(args.output, say)
    tell = say if screen is None else screen.say
    recorders = _recordings(args, len(uris), tell)
    show = Show.from_options(args) if screen is None else Show([], args.meter, args.count)
    summary = Summary()
    woken = threading.Event()
    with open_decoder(args) as decoder:
        opener = partial(
            open_source,
            sample_format=args.format,
            sample_rate_hz=_hz(args.rate),
            center_hz=_hz(args.center),
        )
        radios = [
            LiveRadio(one, selection, decoder, opener, tell, wake=woken.set, give_up_s=give_up_s)
            for one in options
        ]
        session = LiveSession(radios, woken, duration_s=duration_s)
        keeper = StateKeeper(args.state, decoder.state, tell)
        code = run_session(session, show, recorders, screen, summary, keeper)
    return EXIT_REQUIRE if not code and show.n_telegrams < require else code


def _list() -> int:
    """Print the radios, and why some kinds could not be looked for."""
    radios, problems = list_radios()
    for radio in radios:
        remark = f"  ({radio.remark})" if radio.remark else ""
        serial = f"  serial {radio.serial}" if radio.serial else ""
        print(f"{radio.uri}  {radio.name}{serial}{remark}")  # noqa: T201
    for problem in problems:
        say(problem)
    if not radios:
        say("no radio found; omsdr doctor looks closer")
    return 0


def _radio_options(args: argparse.Namespace, uri: str, selection: Selection) -> RadioOptions:
    gain_db = None if args.gain == "auto" else _number(args.gain, "--gain")
    rate_hz, center_hz = _hz(args.rate), _hz(args.center)
    if rate_hz is not None and center_hz is not None:
        spans = [(rate_hz, center_hz)]
    elif is_recorded(uri):
        spans = [(rate_hz or 0.0, center_hz or 0.0)]
    else:
        plans = plans_for(selection.modes, selection.band)
        if rate_hz is not None or center_hz is not None:
            plans = plans[:1]
        spans = [(rate_hz or plan.sample_rate_hz, center_hz or plan.center_hz) for plan in plans]
    tunings = tuple(
        Tuning(rate, center, gain_db, agc=args.agc, bias_tee=args.bias_tee) for rate, center in spans
    )
    if args.ppm is None:
        ppm = 0.0 if is_recorded(uri) else None
    else:
        ppm = None if args.ppm == "auto" else _number(args.ppm, "--ppm")
    try:
        start_time = None if args.start_time is None else parse_utc(args.start_time)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return RadioOptions(uri, tunings, ppm, start_time)


def _recordings(args: argparse.Namespace, n_radios: int, tell: Callable[[str], None]) -> list[Recordings]:
    """Make what records, for each radio its own."""
    if args.record is None and (args.record_split or args.record_keep):
        raise UsageError("--record-split and --record-keep need --record FILE")
    split = None if args.record_split is None else parse_split(args.record_split)
    keep = None if args.record_keep is None else int(positive(args.record_keep, "--record-keep") or 1)
    made = []
    for index in range(n_radios):
        recorder = bursts = None
        if args.record is not None:
            path = args.record
            if index:
                path = path.with_name(f"{path.stem}_radio{index + 1}{path.suffix}")
            recorder = Recorder(path, tell, split=split, keep=keep)
        if args.record_bursts is not None:
            bursts = BurstFiles(args.record_folder, args.record_bursts, tell)
        made.append(Recordings(recorder, bursts))
    return made


def _hz(text: str | None) -> float | None:
    try:
        return None if text is None else parse_hz(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{option} {text}: must be auto or a number") from None
