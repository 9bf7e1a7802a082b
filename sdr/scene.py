"""A scene: who sends what, when, in which mode and how strong. Parsed from TOML, fully checked.

rate, center           of the recording, "2.4M" or a number
duration               seconds
seed                   every random draw comes from it
noise_dbfs             noise power of the whole recorded band; a full-scale tone is 0 dBFS; "none": no noise
start_time             UTC of the first sample (optional, like all below)
band                   "A" (868 MHz, default) or "B" (433 MHz)
dc, iq_gain_db         the receiver's spike at 0 Hz (number or [I, Q]) and its I/Q imbalance
gain_db                applied last, to drive the recording into clipping
description            for the reader

[[meter]]              one transmitter
mode                   S, T, C, R, N, F, or the unique name of a PHY row
direction, band, frame_format, sub_mode (name of a PHY row), channel (index, R2)
snr_db | level_dbfs    Ec/N0: energy per chip over noise density | level, a full-scale tone being 0
at                     list of start times in seconds, or:
interval, first, jitter, count    seconds between starts, first start, ± jitter; at most count
frame | frames         CRC-less hex with the L-field of format A; a list is used in turn
random_payload         N or [min, max] bytes after the address, random contents and id
deviation, chip_rate_error_ppm, chip_rate_drift_ppm (first to last chip of each burst),
carrier_offset_hz (at the start of each burst), carrier_drift_hz_per_s, ramp_us,
preamble_pairs, postamble_chips, inverted (chip 1 is the lower frequency)
Each of these numbers, and snr_db or level_dbfs, may be a list or { from = 20, to = 0, step = -2 }: its
values are then taken in turn, one for each burst. Such lists of one meter are equally long.

[street]               random traffic that may collide, for load tests
rate_per_s             mean number of transmissions; starts are a Poisson process
modes                  list of modes or PHY rows, or a table mode = weight
snr_db, payload        [min, max], drawn uniformly, as are:
carrier_offset_hz, chip_rate_error_ppm    [min, max]; the row's own tolerance when missing,
                       and never beyond the row's chip-rate tolerance
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dsp.modes import BANDS, FrameFormat, PhyMode, Postamble, find_mode
from dsp.modulator import Impairments
from protocol import link
from protocol.errors import ProtocolError
from sdr.errors import ConfigError
from sdr.timestamps import parse_utc
from sdr.toml_table import TomlTable, shown

Sender = Literal["M2O", "O2M"]

MAX_PAYLOAD_BYTES: dict[FrameFormat, int] = {"A": 246, "B": 242}
"""Bytes after the address that an L-field of 255 leaves room for."""

MAX_DURATION_S = 31 * 86400.0


@dataclass(frozen=True, slots=True)
class Interval:
    """Repeated starts: ``first_s + n · interval_s``, each moved by up to ``jitter_s`` either way."""

    interval_s: float
    first_s: float
    jitter_s: float
    count: int | None


@dataclass(frozen=True, slots=True)
class RandomPayload:
    """Frames of random contents with ``min_bytes`` to ``max_bytes`` after the address."""

    min_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class BurstSettings:
    """How one burst is sent.

    Attributes:
        snr_db: Ec/N0; None where the level is given.
        level_dbfs: level relative to a full-scale tone; None where Ec/N0 is given.
        impairments: what is wrong with the transmitter.
        preamble_pairs: ``01`` pairs sent.
        postamble_chips: length of the trailer, None where the row has none.
    """

    snr_db: float | None
    level_dbfs: float | None
    impairments: Impairments
    preamble_pairs: int
    postamble_chips: int | None


@dataclass(frozen=True, slots=True)
class Meter:
    """One transmitter of the scene, meter or gateway; ``bursts`` and ``frames`` are taken in turn."""

    row: PhyMode
    direction: Sender
    frame_format: FrameFormat
    center_hz: float
    schedule: tuple[float, ...] | Interval
    frames: tuple[bytes, ...] | RandomPayload
    bursts: tuple[BurstSettings, ...]
    inverted: bool


@dataclass(frozen=True, slots=True)
class Street:
    """Random traffic; ``carrier_offset_hz`` and ``chip_rate_error`` None: the row's tolerance."""

    rate_per_s: float
    rows: tuple[PhyMode, ...]
    weights: tuple[float, ...]
    snr_db: tuple[float, float]
    payload: RandomPayload
    carrier_offset_hz: tuple[float, float] | None
    chip_rate_error: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole scene, checked."""

    sample_rate_hz: float
    center_hz: float
    duration_s: float
    seed: int
    noise_dbfs: float | None
    start_time: datetime | None
    dc: complex
    iq_gain_db: float
    gain_db: float
    description: str
    meters: tuple[Meter, ...]
    street: Street | None


def load(path: Path) -> Scene:
    """Read a scene file.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or describes no valid scene.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def parse(text: str, name: str = "scene") -> Scene:
    """Read a scene.

    Args:
        text: the TOML text.
        name: what errors call it.

    Raises:
        ConfigError: no TOML, an unknown key, or a value that makes no sense; says which.
    """
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: not TOML: {error}") from error
    top = TomlTable(values, name)
    band = _band(top, "A")
    scene = Scene(
        sample_rate_hz=top.hz("rate", least=1e3, most=1e9),
        center_hz=top.hz("center", least=1e3, most=1e12),
        duration_s=top.number("duration", least=1e-6, most=MAX_DURATION_S),
        seed=top.whole("seed", 0),
        noise_dbfs=_noise_dbfs(top),
        start_time=_start_time(top),
        dc=_dc(top),
        iq_gain_db=top.number("iq_gain_db", 0.0, least=-40.0, most=40.0),
        gain_db=top.number("gain_db", 0.0, least=-100.0, most=100.0),
        description=top.text("description", ""),
        meters=tuple(
            _meter(TomlTable(table, f"{name}: meter {n}"), band)
            for n, table in enumerate(_tables(top, "meter"), start=1)
        ),
        street=_street(top, name, band),
    )
    top.finish()
    needs_noise = scene.street is not None or any(
        settings.snr_db is not None for meter in scene.meters for settings in meter.bursts
    )
    if scene.noise_dbfs is None and needs_noise:
        raise top.error("snr_db needs noise; without it give level_dbfs")
    return scene


def _noise_dbfs(top: TomlTable) -> float | None:
    if top.required("noise_dbfs") == "none":
        return None
    return top.number("noise_dbfs", least=-200.0, most=60.0)


def _tables(top: TomlTable, key: str) -> list[dict[str, Any]]:
    tables = top.take(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise top.error(f"write each {key} under its own [[{key}]]")
    return tables


def _band(table: TomlTable, default: str) -> str:
    band = table.text("band", default)
    if band not in BANDS:
        raise table.error(f"band must be one of {', '.join(BANDS)}, not {band!r}")
    return band


def _start_time(top: TomlTable) -> datetime | None:
    value = top.take("start_time")
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, datetime) else value
    if not isinstance(text, str):
        raise top.error("start_time must be a date with a time, like 2026-11-20T10:00:00Z")
    try:
        return parse_utc(text)
    except ValueError as error:
        raise top.error(f"start_time: {error}") from error


def _dc(top: TomlTable) -> complex:
    value = top.take("dc", 0.0)
    parts = value if isinstance(value, list) else [value, 0.0]
    if len(parts) != 2:
        raise top.error("dc must be a number or [I, Q]")
    return complex(*(top.checked("dc", part, -1.0, 1.0) for part in parts))


def _find_row(
    table: TomlTable, mode: str, direction: str | None, band: str, sub_mode: str | None = None
) -> PhyMode:
    try:
        row = find_mode(mode, direction or "M2O", band, sub_mode)
    except KeyError as error:
        raise table.error(error.args[0]) from error
    if not row.name.startswith(mode[:1]):
        raise table.error(f"{row.name} is no sub-mode of {mode}")
    if row.direction not in ("both", direction or row.direction):
        raise table.error(f"{row.name} is not for direction {direction}")
    return row


def _meter(table: TomlTable, scene_band: str) -> Meter:
    direction = table.take("direction")
    if direction not in (None, "M2O", "O2M"):
        raise table.error(f"direction must be M2O or O2M, not {shown(direction)}")
    band = _band(table, scene_band)
    sub_mode = table.text("sub_mode", "") or None
    row = _find_row(table, table.text("mode"), direction, band, sub_mode)
    frame_format = table.text("frame_format", "A")
    if frame_format not in row.sync_words:
        raise table.error(f"{row.name} has no frame format {frame_format!r}")
    channel = table.whole("channel", row.default_channel, most=len(row.centers_hz) - 1)
    meter = Meter(
        row=row,
        direction=direction or ("M2O" if row.direction == "both" else row.direction),
        frame_format=frame_format,
        center_hz=row.centers_hz[channel],
        schedule=_schedule(table),
        frames=_frames(table, frame_format),
        bursts=_bursts(table, row),
        inverted=table.flag("inverted"),
    )
    table.finish()
    return meter


def _schedule(table: TomlTable) -> tuple[float, ...] | Interval:
    if ("at" in table) == ("interval" in table):
        raise table.error("give either at or interval")
    if "at" in table:
        return table.numbers("at", least=-1e9, most=1e9)
    return Interval(
        interval_s=table.number("interval", least=1e-3, most=1e9),
        first_s=table.number("first", 0.0, least=-60.0, most=1e9),
        jitter_s=table.number("jitter", 0.0, least=0.0, most=1e9),
        count=table.whole("count", 1, least=1) if "count" in table else None,
    )


def _frames(table: TomlTable, frame_format: FrameFormat) -> tuple[bytes, ...] | RandomPayload:
    if sum(key in table for key in ("frame", "frames", "random_payload")) != 1:
        raise table.error("give one of frame, frames or random_payload")
    if "random_payload" in table:
        return _payload(table, "random_payload", (frame_format,))
    texts = table.take("frames") if "frames" in table else [table.take("frame")]
    if not isinstance(texts, list) or not texts:
        raise table.error("frames must be a list of hex texts")
    return tuple(_frame(table, text, frame_format) for text in texts)


def _frame(table: TomlTable, text: object, frame_format: FrameFormat) -> bytes:
    if not isinstance(text, str):
        raise table.error(f"a frame is a hex text in quotes, not {shown(text)}")
    try:
        frame = bytes.fromhex(text)
        link.add_crcs(frame, frame_format)
    except ProtocolError as error:
        raise table.error(f"frame {text[:20]}…: {error}") from error
    except ValueError as error:
        raise table.error(f"frame {text[:20]!r}…: not hex") from error
    return frame


def _payload(table: TomlTable, key: str, formats: tuple[FrameFormat, ...]) -> RandomPayload:
    most = min(MAX_PAYLOAD_BYTES[frame_format] for frame_format in formats)
    value = table.required(key)
    limits = value if isinstance(value, list) else [value, value]
    whole = all(isinstance(limit, int) and not isinstance(limit, bool) for limit in limits)
    if len(limits) != 2 or not whole or not 1 <= limits[0] <= limits[1] <= most:
        raise table.error(f"{key} must be N or [min, max] whole bytes from 1 to {most}, not {shown(value)}")
    return RandomPayload(limits[0], limits[1])


def _bursts(table: TomlTable, row: PhyMode) -> tuple[BurstSettings, ...]:
    """Read the settings that the bursts of a meter take in turn."""
    if ("snr_db" in table) == ("level_dbfs" in table):
        raise table.error("give one of snr_db or level_dbfs")
    if row.postamble is Postamble.NONE and "postamble_chips" in table:
        raise table.error(f"{row.name} has no postamble")
    level = "snr_db" if "snr_db" in table else "level_dbfs"
    turns = {
        level: table.turns(level, least=-100.0, most=200.0),
        "carrier_offset_hz": table.turns("carrier_offset_hz", 0.0, least=-1e9, most=1e9),
        "carrier_drift_hz_per_s": table.turns("carrier_drift_hz_per_s", 0.0, least=-1e12, most=1e12),
        "deviation": _deviations_hz(table, row),
        "chip_rate_error_ppm": table.turns("chip_rate_error_ppm", 0.0, least=-5e5, most=5e5),
        "chip_rate_drift_ppm": table.turns("chip_rate_drift_ppm", 0.0, least=-5e5, most=5e5),
        "ramp_us": table.turns("ramp_us", 0.0, least=0.0, most=1e9),
        "preamble_pairs": _whole_turns(table, "preamble_pairs", row.preamble_pairs, most=100_000),
        "postamble_chips": _whole_turns(table, "postamble_chips", 4, most=1000),
    }
    n_bursts = max(len(values) for values in turns.values())
    for key, values in turns.items():
        if len(values) not in (1, n_bursts):
            raise table.error(f"{key} has {len(values)} values to take in turn, another list {n_bursts}")
    return tuple(
        _settings({key: values[n % len(values)] for key, values in turns.items()}, row)
        for n in range(n_bursts)
    )


def _settings(values: dict[str, float], row: PhyMode) -> BurstSettings:
    return BurstSettings(
        snr_db=values.get("snr_db"),
        level_dbfs=values.get("level_dbfs"),
        impairments=Impairments(
            carrier_offset_hz=values["carrier_offset_hz"],
            carrier_drift_hz_per_s=values["carrier_drift_hz_per_s"],
            deviation_hz=values["deviation"],
            chip_rate_error=1e-6 * values["chip_rate_error_ppm"],
            chip_rate_drift=1e-6 * values["chip_rate_drift_ppm"],
            ramp_s=1e-6 * values["ramp_us"],
        ),
        preamble_pairs=int(values["preamble_pairs"]),
        postamble_chips=None if row.postamble is Postamble.NONE else int(values["postamble_chips"]),
    )


def _deviations_hz(table: TomlTable, row: PhyMode) -> tuple[float, ...]:
    if isinstance(table.take("deviation"), str):
        return (table.hz("deviation", least=0.0, most=1e9),)
    return table.turns("deviation", row.deviation.typical_hz, least=0.0, most=1e9)


def _whole_turns(table: TomlTable, key: str, default: int, *, most: int) -> tuple[float, ...]:
    values = table.turns(key, default, least=0, most=most)
    if broken := [value for value in values if value != int(value)]:
        raise table.error(f"{key} must be a whole number, not {broken[0]:g}")
    return values


def _street(top: TomlTable, name: str, band: str) -> Street | None:
    values = top.take("street")
    if values is None:
        return None
    if not isinstance(values, dict):
        raise top.error("write the street under [street]")
    table = TomlTable(values, f"{name}: street")
    modes = table.required("modes")
    weights = dict.fromkeys(modes, 1.0) if isinstance(modes, list) and _all_text(modes) else modes
    if not isinstance(weights, dict) or not weights:
        raise table.error("modes must be a list of modes or a table of mode = weight")
    rows = tuple(_find_row(table, mode, None, band) for mode in weights)
    formats = tuple(frame_format for row in rows for frame_format in row.frame_formats)
    ppm = table.span("chip_rate_error_ppm", least=-5e5, most=5e5) if "chip_rate_error_ppm" in table else None
    street = Street(
        rate_per_s=table.number("rate_per_s", least=1e-6, most=1e4),
        rows=rows,
        weights=tuple(table.checked(f"weight of {mode}", weights[mode], 1e-9, 1e9) for mode in weights),
        snr_db=table.span("snr_db", least=-100.0, most=200.0),
        payload=_payload(table, "payload", formats),
        carrier_offset_hz=table.span("carrier_offset_hz", least=-1e9, most=1e9)
        if "carrier_offset_hz" in table
        else None,
        chip_rate_error=None if ppm is None else (1e-6 * ppm[0], 1e-6 * ppm[1]),
    )
    table.finish()
    return street


def _all_text(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
