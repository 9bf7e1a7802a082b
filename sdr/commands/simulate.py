"""``omsdr simulate``: a scene becomes a recording, with the truth beside it.

    NAME.sigmf-data + NAME.sigmf-meta   OUT with one of these suffixes or none
    NAME.cu8 … .cf32, .wav              the truth in OUT.json, in the form of SigMF metadata

The truth is one annotation for each transmission: where it lies in time and frequency, and
under the names of the JSON lines what a receiver should say about it (``omsdr:mode``, …).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from sdr import scene as scenes
from sdr.errors import UsageError
from sdr.recording import create_recording
from sdr.sample_format import SampleFormat
from sdr.scene import Scene
from sdr.simulator import render, truth
from sdr.traffic import Coverage, Transmission
from sdr.truth import truth_fields
from sdr.units import format_hz, format_rate, positive_hz

EXAMPLES = """\
omsdr simulate street.toml street_868.9M_2400k.cu8
       omsdr simulate street.toml street.sigmf-meta --format cu8
       omsdr simulate street.toml narrow_868.95M_1600k.cs16 --rate 1.6M --center 868.95M --seed 7
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = EXAMPLES
    parser.description = "Synthesise a recording of a scene: who sends what, when, in which mode, how strong."
    parser.epilog = "The same scene, options and seed give the same samples."
    parser.add_argument("scene", metavar="SCENE.toml", help="the scene")
    parser.add_argument(
        "out", metavar="OUT", help="the recording; its suffix tells the kind, none means SigMF"
    )
    parser.add_argument("--rate", metavar="R", help="sample rate instead of the scene's, like 1.6M")
    parser.add_argument("--center", metavar="F", help="centre frequency instead of the scene's, like 868.95M")
    parser.add_argument(
        "--seed", metavar="N", type=int, help="seed of all random draws instead of the scene's"
    )
    parser.add_argument("--duration", metavar="S", type=float, help="seconds instead of the scene's")
    parser.add_argument(
        "--format",
        choices=[row.label for row in SampleFormat],
        help="how SigMF and WAV store samples (default cs16); raw suffixes tell it themselves",
    )


def run(args: argparse.Namespace) -> int:
    """Render the scene.

    Raises:
        ConfigError: the scene makes no sense.
        UsageError: an option makes no sense.
        RecordingError: the recording cannot be written.
    """
    scene = _with_options(scenes.load(Path(args.scene)), args)
    sample_format = None if args.format is None else SampleFormat.named(args.format)
    sent, n_clipped = record(scene, args.out, sample_format)
    print(_summary(scene, sent, n_clipped), file=sys.stderr)  # noqa: T201
    return 0


def record(
    scene: Scene, out: str | PathLike[str], sample_format: SampleFormat | None = None
) -> tuple[list[Transmission], int]:
    """Write a scene's recording and its truth.

    Args:
        scene: the scene.
        out: name of the recording; the suffix tells the kind.
        sample_format: for SigMF and WAV.

    Returns:
        All transmissions of the scene, and the number of clipped samples.

    Raises:
        RecordingError: the recording cannot be written.
    """
    sent = truth(scene)
    writer = create_recording(
        out,
        sample_rate_hz=scene.sample_rate_hz,
        center_hz=scene.center_hz,
        sample_format=sample_format,
        start_time=scene.start_time,
        description=scene.description,
    )
    with writer:
        for samples in render(scene):
            writer.write(samples)
        for transmission in sent:
            first_sample, n_samples = _sample_range(transmission, scene)
            writer.annotate(first_sample, n_samples, _fields(transmission, scene))
    return sent, writer.n_clipped


def _with_options(scene: Scene, args: argparse.Namespace) -> Scene:
    if args.duration is not None and not 0 < args.duration <= scenes.MAX_DURATION_S:
        raise UsageError(f"--duration must be above 0 and at most {scenes.MAX_DURATION_S:g} seconds")
    if args.seed is not None and args.seed < 0:
        raise UsageError("--seed must not be negative")
    return replace(
        scene,
        sample_rate_hz=positive_hz("--rate", args.rate) or scene.sample_rate_hz,
        center_hz=positive_hz("--center", args.center) or scene.center_hz,
        seed=scene.seed if args.seed is None else args.seed,
        duration_s=scene.duration_s if args.duration is None else args.duration,
    )


def _sample_range(sent: Transmission, scene: Scene) -> tuple[int, int]:
    """First sample and number of samples of what the recording holds of a burst."""
    last_sample = round(scene.duration_s * scene.sample_rate_hz)
    first = min(max(sent.first_sample(scene.sample_rate_hz), 0), last_sample)
    stop = min(round((sent.start_s + sent.whole_duration_s) * scene.sample_rate_hz), last_sample)
    return first, max(0, stop - first)


def _fields(sent: Transmission, scene: Scene) -> dict[str, Any]:
    fields = truth_fields(
        sent,
        sample_rate_hz=scene.sample_rate_hz,
        center_hz=scene.center_hz,
        noise_dbfs=None if scene.noise_dbfs is None else scene.noise_dbfs + scene.gain_db,
    )
    return {**fields, "omsdr:whole": sent.is_whole(scene.duration_s)}


def _summary(scene: Scene, sent: list[Transmission], n_clipped: int) -> str:
    counts = dict.fromkeys(Coverage, 0)
    for transmission in sent:
        counts[transmission.coverage(scene.sample_rate_hz, scene.center_hz)] += 1
    cut = sum(not transmission.is_whole(scene.duration_s) for transmission in sent)
    inside = counts[Coverage.INSIDE]
    parts = [f"{inside} transmission{'' if inside == 1 else 's'}"]
    if counts[Coverage.PARTIAL]:
        parts.append(f"{counts[Coverage.PARTIAL]} at the edge of the span")
    if counts[Coverage.OUTSIDE]:
        parts.append(f"{counts[Coverage.OUTSIDE]} outside the span")
    if cut:
        parts.append(f"{cut} cut by the start or end")
    parts.append(f"{n_clipped} samples clipped")
    where = f"{format_rate(scene.sample_rate_hz)} at {format_hz(scene.center_hz)}"
    return f"{scene.duration_s:g} s, {where}: {', '.join(parts)}"
