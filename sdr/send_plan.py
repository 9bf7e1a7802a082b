"""What is sent when: given frames, or a scene, as a list of transmissions with their levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dsp.modes import BANDS, FrameFormat, PhyMode, find_mode
from dsp.modulator import IDEAL
from protocol.errors import ProtocolError
from sdr.errors import UsageError
from sdr.frame_input import GivenFrame
from sdr.scene import BurstSettings, Scene, Sender
from sdr.traffic import Transmission, plan, transmission

DEFAULT_LEVEL_DBFS = -1.0
"""A little below full scale, so that nothing is clipped when it is rounded to 8 bits."""


@dataclass(frozen=True, slots=True)
class Way:
    """How given frames go; None: as their lines or the row say.

    Attributes:
        mode: letter, or name of a PHY row.
        direction: who sends.
        frame_format: A or B.
        band: key of ``dsp.modes.BANDS``.
        sub_mode: name of a PHY row.
        channel: index of the row's carriers.
        level_dbfs: level of the samples.
        preamble_pairs: ``01`` pairs before the sync word.
    """

    mode: str | None = None
    direction: str | None = None
    frame_format: str | None = None
    band: str = "A"
    sub_mode: str | None = None
    channel: int | None = None
    level_dbfs: float = DEFAULT_LEVEL_DBFS
    preamble_pairs: int | None = None


def plan_frames(
    frames: Sequence[GivenFrame], way: Way, *, repeat: int, interval_s: float, first_s: float
) -> list[Transmission]:
    """Send all frames in order, ``repeat`` times, ``interval_s`` from start to start.

    Args:
        frames: the frames.
        way: how they go.
        repeat: how often the whole list is sent.
        interval_s: from the start of a burst to the start of the next.
        first_s: start of the first one.

    Raises:
        UsageError: a frame cannot go that way, or the interval is too short.
    """
    once = [_transmission(frame, way) for frame in frames]
    n_bursts = repeat * len(once)
    longest_s = max(one.whole_duration_s for one in once)
    if n_bursts > 1 and interval_s <= longest_s + 2e-3:
        raise UsageError(f"bursts of {1e3 * longest_s:.1f} ms need a longer --interval than {interval_s:g} s")
    return [replace(once[n % len(once)], start_s=first_s + n * interval_s) for n in range(n_bursts)]


def plan_scene(scene: Scene) -> list[Transmission]:
    """Take the transmissions of a scene, each at the level that it has in the scene's recording.

    Raises:
        UsageError: the scene sends nothing, or several at once: one transmitter cannot do that.
    """
    noise_power = 0.0 if scene.noise_dbfs is None else 10.0 ** (scene.noise_dbfs / 10.0)
    found = []
    for one in plan(scene):
        level_dbfs = one.settings.level_dbfs
        if level_dbfs is None:
            level_dbfs = 20.0 * math.log10(one.amplitude(noise_power, scene.sample_rate_hz))
        level_dbfs += scene.gain_db
        found.append(replace(one, settings=replace(one.settings, snr_db=None, level_dbfs=level_dbfs)))
    for before, after in pairwise(found):
        if before.start_s + before.whole_duration_s + 1e-3 > after.start_s:
            raise UsageError(
                f"one transmitter cannot send the bursts at {before.start_s:.4f} s and "
                f"{after.start_s:.4f} s of the scene; omsdr simulate renders what many send at once"
            )
    whole = [one for one in found if one.start_s > 0.0]
    if not whole:
        raise UsageError("the scene sends nothing")
    return whole


def _transmission(given: GivenFrame, way: Way) -> Transmission:
    mode = way.mode or given.mode
    if mode is None:
        raise UsageError(f"frame {given.number}: neither the line nor --mode names its mode")
    direction = way.direction or given.direction
    row = _row(mode, direction or "M2O", way)
    frame_format: FrameFormat = "B" if (way.frame_format or given.frame_format) == "B" else "A"
    if frame_format not in row.frame_formats:
        if way.frame_format is not None or given.mode == row.mode:
            raise UsageError(f"frame {given.number}: {row.name} has no frame format {frame_format}")
        frame_format = row.frame_formats[0]
    channel = row.default_channel if way.channel is None else way.channel
    if not 0 <= channel < len(row.centers_hz):
        raise UsageError(f"{row.name} has channels 0 to {len(row.centers_hz) - 1}, not {channel}")
    sender: Sender = "O2M" if (direction or row.direction) == "O2M" else "M2O"
    settings = BurstSettings(
        snr_db=None,
        level_dbfs=way.level_dbfs,
        impairments=IDEAL,
        preamble_pairs=row.preamble_pairs if way.preamble_pairs is None else way.preamble_pairs,
        postamble_chips=None,
    )
    try:
        return transmission(
            given.frame,
            row,
            frame_format,
            sender,
            start_s=0.0,
            center_hz=row.centers_hz[channel],
            settings=settings,
        )
    except ProtocolError as error:
        raise UsageError(f"frame {given.number}: {error}") from error


def _row(mode: str, direction: str, way: Way) -> PhyMode:
    if way.band not in BANDS:
        raise UsageError(f"--band must be one of {', '.join(BANDS)}")
    try:
        row = find_mode(mode, direction, way.band, way.sub_mode)
    except KeyError as error:
        raise UsageError(error.args[0]) from error
    if not row.name.startswith(mode[:1]):
        raise UsageError(f"{row.name} is no sub-mode of {mode}")
    if way.direction is not None and row.direction not in ("both", way.direction):
        raise UsageError(f"{row.name} is not for direction {way.direction}")
    return row
