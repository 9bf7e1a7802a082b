"""``omsdr transmit``: frames or a scene leave as I/Q samples, to a file or by a radio.

without --file and --device    a dry run: says what would be sent
--file OUT                     a recording, with the truth beside it
--device RADIO                 a dry run through all safety checks; --arm sends

Standard output gets one JSON line for each burst: what is sent, when, how and how strong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dsp.modes import BANDS
from sdr import scene as scenes
from sdr.commands.key_options import add_key_options, keyring
from sdr.errors import RecordingError, TransmissionRefused, UsageError
from sdr.frame_input import read_frames
from sdr.output.json_text import json_text
from sdr.recording import create_recording
from sdr.sample_format import SampleFormat
from sdr.send_plan import DEFAULT_LEVEL_DBFS, Way, plan_frames, plan_scene
from sdr.timestamps import format_utc
from sdr.traffic import Transmission
from sdr.transmit.file_sink import FileSink
from sdr.transmit.radio import RadioRun
from sdr.transmit.safety.config import default_config_path
from sdr.transmit.tuning import Tuning, choose_tuning
from sdr.transmitter import Sent, Transmitter, keying_s
from sdr.truth import NAMESPACE, truth_fields
from sdr.units import format_hz, format_rate, positive_hz

EXAMPLES = """\
omsdr transmit 2E44931578563412… --mode T --file t_868.75M_2400k.cu8
       omsdr transmit - --mode C --direction O2M --frame-format B --file down.sigmf-meta < frames.txt
       omsdr encode telegrams.jsonl --keys meters.toml | omsdr transmit - --mode T --repeat 10 --interval 2
       omsdr transmit --scene steps.toml --file steps.sigmf-meta
       omsdr transmit 2E44931578563412… --mode T --device hackrf --arm
"""
_QUIET_S = 0.01
"""Silence before the first and behind the last burst of a file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Send frames or the bursts of a scene: to a file, or by a HackRF or SoapySDR radio."
    parser.epilog = (
        "Transmitting is regulated: nothing is radiated without --arm and a configuration that names "
        "country plan, band and power (docs/transmit.md)."
    )
    what = parser.add_argument_group("what is sent")
    what.add_argument("frames", metavar="FRAME", nargs="*", help="hex or JSON lines; - is standard input")
    what.add_argument("--frames", metavar="FILE", dest="frames_file", help="read the lines from a file")
    what.add_argument("--scene", metavar="SCENE.toml", help="send the bursts of a scene instead")
    what.add_argument("--seed", metavar="N", type=int, help="seed of the scene's random draws")
    what.add_argument("--repeat", metavar="N", type=int, default=1, help="send all frames N times")
    what.add_argument(
        "--interval", metavar="T", type=float, default=1.0, help="seconds from start to start (default 1)"
    )
    how = parser.add_argument_group("how")
    how.add_argument("--mode", metavar="M", help="S, T, C, R, N, F or the name of a PHY row")
    how.add_argument("--direction", choices=("M2O", "O2M"), help="default: as the C-field tells")
    how.add_argument("--frame-format", choices=("A", "B"), help="default: as given, else A")
    how.add_argument("--band", choices=sorted(BANDS), default="A", help="868 (A, default) or 433 MHz (B)")
    how.add_argument("--sub-mode", metavar="ROW", help="PHY row, where a mode has several, like Nc or N2g")
    how.add_argument("--channel", metavar="N", type=int, help="R2: channel 0 to 9 (default 5)")
    how.add_argument("--preamble-pairs", metavar="N", type=int, help="01 pairs (default: the least)")
    how.add_argument(
        "--level", metavar="DBFS", type=float, default=DEFAULT_LEVEL_DBFS, help="default %(default)g"
    )
    where = parser.add_argument_group("where to")
    where.add_argument("--file", metavar="OUT", help="recording; its suffix tells the kind, none means SigMF")
    where.add_argument(
        "--format",
        choices=[row.label for row in SampleFormat],
        help="how SigMF and WAV store samples (default cs16)",
    )
    where.add_argument("--rate", metavar="R", help="sample rate, like 2.4M (default: one that suits)")
    where.add_argument("--center", metavar="F", help="centre frequency (default: off every signal)")
    where.add_argument("--device", metavar="RADIO", help="hackrf, hackrf:SERIAL or soapy:ARGS")
    where.add_argument("--arm", action="store_true", help="really transmit")
    where.add_argument("--gain", metavar="DB", type=float, help="instead of the configured gain")
    where.add_argument(
        "--config", metavar="FILE", type=Path, help="configuration (default ~/.config/omsdr/omsdr.toml)"
    )
    add_key_options(parser)


def run(args: argparse.Namespace) -> int:
    """Send all.

    Raises:
        UsageError: an option makes no sense.
        ConfigError: configuration, keys or scene make no sense.
        RecordingError: frames cannot be read, or the recording cannot be written.
        TransmissionRefused: the bursts may not be radiated.
        DeviceNotFound: there is no such radio.
        DeviceLost: it went away.
    """
    _check(args)
    sent, length_s = _plan(args)
    rate_hz = positive_hz("--rate", args.rate)
    center_hz = positive_hz("--center", args.center)
    if args.device is not None:
        return _radio(args, sent, rate_hz, center_hz)
    tuning = choose_tuning(sent, sample_rate_hz=rate_hz, center_hz=center_hz)
    if args.file is None:
        for one in sent:
            _show(_line(one, tuning, "nowhere"))
        _say(f"dry run: {_summary(sent)}; --file OUT writes them")
    else:
        _file(args, sent, tuning, length_s)
    return 0


def _check(args: argparse.Namespace) -> None:
    if sum((bool(args.frames), args.frames_file is not None, args.scene is not None)) != 1:
        raise UsageError("give one of frames, --frames FILE or --scene SCENE.toml")
    if args.file is not None and args.device is not None:
        raise UsageError("give either --file or --device")
    if args.arm and args.device is None:
        raise UsageError("--arm needs a --device")
    if args.repeat < 1:
        raise UsageError("--repeat must be at least 1")
    if not args.interval > 0.0:
        raise UsageError("--interval must be above 0")
    if not -100.0 <= args.level <= 0.0:
        raise UsageError("--level must be from -100 to 0 dBFS")
    if args.preamble_pairs is not None and not 0 <= args.preamble_pairs <= 100_000:
        raise UsageError("--preamble-pairs must be from 0 to 100000")
    if args.scene is None and args.seed is not None:
        raise UsageError("--seed belongs to a --scene")


def _plan(args: argparse.Namespace) -> tuple[list[Transmission], float]:
    """Transmissions, and how long a recording of them is."""
    if args.scene is not None:
        scene = scenes.load(Path(args.scene))
        scene = scene if args.seed is None else replace(scene, seed=args.seed)
        return plan_scene(scene), scene.duration_s
    frames = read_frames(*_lines(args))
    way = Way(
        mode=args.mode,
        direction=args.direction,
        frame_format=args.frame_format,
        band=args.band,
        sub_mode=args.sub_mode,
        channel=args.channel,
        level_dbfs=args.level,
        preamble_pairs=args.preamble_pairs,
    )
    sent = plan_frames(frames, way, repeat=args.repeat, interval_s=args.interval, first_s=_QUIET_S)
    return sent, sent[-1].start_s + sent[-1].whole_duration_s + _QUIET_S


def _lines(args: argparse.Namespace) -> tuple[Iterable[bytes], Any, str]:
    keys = keyring(args)
    if args.frames_file is not None and args.frames_file != "-":
        try:
            return Path(args.frames_file).read_bytes().splitlines(), keys, args.frames_file
        except OSError as error:
            raise RecordingError(args.frames_file, error.strerror or str(error)) from None
    if args.frames_file == "-" or args.frames == ["-"]:
        return sys.stdin.buffer, keys, "-"
    return [text.encode() for text in args.frames], keys, "the command line"


def _file(args: argparse.Namespace, sent: Sequence[Transmission], tuning: Tuning, length_s: float) -> None:
    writer = create_recording(
        args.file,
        sample_rate_hz=tuning.sample_rate_hz,
        center_hz=tuning.center_hz,
        sample_format=None if args.format is None else SampleFormat.named(args.format),
        description="sent by omsdr transmit",
    )
    sink = FileSink(writer)
    try:
        for done in Transmitter(sink, lambda _: tuning).run(sent):
            one = done.transmission
            first = one.first_sample(tuning.sample_rate_hz)
            fields = _truth(one, tuning)
            writer.annotate(first, round(one.whole_duration_s * tuning.sample_rate_hz), fields)
            _show(_line(one, tuning, "file", first_sample=first))
        sink.fill(round(length_s * tuning.sample_rate_hz))
    finally:
        sink.close()
    where = f"{format_rate(tuning.sample_rate_hz)} at {format_hz(tuning.center_hz)}"
    _say(f"{writer.data_path}: {_summary(sent)}, {writer.sample_format.label}, {where}")


def _radio(
    args: argparse.Namespace, sent: list[Transmission], rate_hz: float | None, center_hz: float | None
) -> int:
    with RadioRun(args.device, args.config or default_config_path(), args.gain, rate_hz, center_hz) as radio:
        cleared = radio.clear(sent)
        if not args.arm:
            for one, clearance in zip(sent, cleared, strict=True):
                _show(_line(one, radio.tuning(one), "nowhere", erp_dbm=clearance.budget.erp_dbm))
            budget, used = cleared[-1].budget, cleared[-1]
            _say(f"{_summary(sent)}, {budget}")
            _say(f"{used.used_s + used.air_time_s:.3f} of {used.allowed_s:.3f} s in the hour would be used")
            raise TransmissionRefused("not armed: nothing was sent; all other checks pass, --arm sends")
        n_underruns = 0
        for done, clearance in zip(radio.send(sent), cleared, strict=True):
            n_underruns += done.report.underruns or 0
            _show(_line(done.transmission, done.tuning, "air", done, erp_dbm=clearance.budget.erp_dbm))
    _say(f"{radio.name}: {_summary(sent)}; {n_underruns} underruns")
    return 0


def _truth(one: Transmission, tuning: Tuning) -> dict[str, Any]:
    fields = truth_fields(one, sample_rate_hz=tuning.sample_rate_hz, center_hz=tuning.center_hz)
    return {**fields, "omsdr:keying_us": round(1e6 * keying_s(one), 3)}


def _line(
    one: Transmission,
    tuning: Tuning,
    sent_to: str,
    done: Sent | None = None,
    **more: float,
) -> dict[str, Any]:
    """One burst as a JSON line."""
    report = None if done is None else done.report
    truth = {
        key.removeprefix(NAMESPACE): value
        for key, value in _truth(one, tuning).items()
        if key.startswith(NAMESPACE)
    }
    return {
        "schema": 1,
        "sent_to": sent_to,
        "time": None if report is None else _time(report.started_at),
        **truth,
        "center_hz": tuning.center_hz,
        "sample_rate_hz": tuning.sample_rate_hz,
        **{key: round(value, 3) for key, value in more.items()},
        **({} if report is None else {"ended": _time(report.ended_at), "underruns": report.underruns}),
    }


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else format_utc(instant)


def _summary(sent: Sequence[Transmission]) -> str:
    rows = ", ".join(dict.fromkeys(f"{one.row.name} at {format_hz(one.carrier_hz)}" for one in sent[:100]))
    air_ms = 1e3 * sum(one.whole_duration_s for one in sent)
    return f"{len(sent)} burst{'' if len(sent) == 1 else 's'}, {air_ms:.1f} ms on air ({rows})"


def _show(line: dict[str, Any]) -> None:
    print(json_text(line), flush=True)  # noqa: T201


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201
