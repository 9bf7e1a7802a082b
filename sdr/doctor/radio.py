"""Each radio for a few seconds as ``omsdr receive`` would use it: rate, lost samples, level, noise.

opened, tuned ─▶ settling (thrown away) ─▶ measured: rate by the arrival of samples, what was lost,
                                                     share at full scale, power of all of it
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sdr.doctor.finding import Finding, Level
from sdr.errors import RadioError
from sdr.radio import Piece, Reader, Ring, Source, Tuning, list_radios, open_source
from sdr.radio.plans import plans_for
from sdr.sample_format import SampleFormat, to_complex
from sdr.units import format_rate

_SETTLE_S = 1.0
_MEASURE_S = 3.0
_PATIENCE_S = 10.0
_RATE_TOLERANCE = 0.01
_CLIPPED = 1e-3
_LOUD_DBFS = -10.0  # noise so high leaves no room for near meters
_FAINT_DBFS = -43.0  # below that 8 bits are too coarse for the noise, and weak meters drown


@dataclass(frozen=True, slots=True)
class Measured:
    """What a radio delivered.

    Attributes:
        rate_hz: samples per second by this computer's clock.
        lost_samples: what the radio or its driver said it lost.
        clipped: share of stored values at the ends of their range.
        power_dbfs: of the whole span; a tone at full scale is 0.
    """

    rate_hz: float
    lost_samples: int
    clipped: float
    power_dbfs: float


def check(uris: Sequence[str] = ()) -> Iterator[Finding]:
    """Try radios, one after the other.

    Args:
        uris: which; none means all that can be found.
    """
    for uri in uris or [radio.uri for radio in list_radios()[0]]:
        yield from _check(uri)


def _check(uri: str) -> Iterator[Finding]:
    plan = plans_for(None, None)[0]
    try:
        source = open_source(uri, Tuning(plan.sample_rate_hz, plan.center_hz))
        settings, rate_hz = source.settings, source.sample_rate_hz
        measured = _measure(source)
    except RadioError as error:
        yield Finding(Level.FAULT, uri, str(error))
        return
    if measured is None:
        yield Finding(
            Level.FAULT,
            uri,
            "opens, but sends no samples",
            ("unplug it and plug it in again, if possible into another port, without a hub",),
        )
        return
    facts = (
        f"{format_rate(measured.rate_hz)}, {measured.lost_samples} samples lost, "
        f"{100.0 * measured.clipped:.2f} % at full scale, noise {measured.power_dbfs:.1f} dBFS"
    )
    yield Finding(Level.OK, uri, "; ".join([*settings, facts]))
    yield from judge(uri, measured, rate_hz)


def judge(uri: str, measured: Measured, rate_hz: float) -> Iterator[Finding]:
    """Say what could be better.

    Args:
        uri: which radio.
        measured: what it delivered.
        rate_hz: what it was asked for.
    """
    short = 1.0 - measured.rate_hz / rate_hz
    if abs(short) > _RATE_TOLERANCE or measured.lost_samples:
        yield Finding(
            Level.WARNING,
            uri,
            f"delivers {format_rate(measured.rate_hz)} of {format_rate(rate_hz)}, "
            f"{measured.lost_samples} samples lost",
            (
                "use a USB port of its own and a short cable",
                "omsdr receive --modes T,C       # one carrier less, at half the rate",
            ),
        )
    if measured.clipped > _CLIPPED or measured.power_dbfs > _LOUD_DBFS:
        yield Finding(
            Level.WARNING, uri, "is overloaded", ("omsdr receive --gain 20        # or less, or a filter",)
        )
    elif measured.power_dbfs < _FAINT_DBFS:
        yield Finding(
            Level.WARNING,
            uri,
            "hears next to nothing: weak meters are lost in its steps",
            ("omsdr receive --gain 40        # or more; is the antenna connected?",),
        )


def _measure(source: Source) -> Measured | None:
    """Read a few seconds; None where nothing comes.

    Raises:
        RadioError: the radio went away.
    """
    ring = Ring(round((_SETTLE_S + _MEASURE_S + _PATIENCE_S) * source.sample_rate_hz))
    reader = Reader(source, ring)
    reader.start()
    try:
        pieces = _read(ring, reader)
    finally:
        reader.stop()
    if reader.failure is not None:
        raise reader.failure
    if len(pieces) < 2:
        return None
    elapsed_s = pieces[-1].arrived_s - pieces[0].arrived_s
    n_samples = pieces[-1].end - pieces[0].end
    raw = np.concatenate([piece.raw for piece in pieces])
    return Measured(
        rate_hz=n_samples / elapsed_s if elapsed_s > 0.0 else 0.0,
        lost_samples=sum(piece.lost for piece in pieces[1:]),
        clipped=float(np.mean(_at_full_scale(raw, source.sample_format))),
        power_dbfs=10.0 * math.log10(float(np.var(to_complex(raw, source.sample_format))) + 1e-20),
    )


def _read(ring: Ring, reader: Reader) -> list[Piece]:
    """Collect what comes behind the settling time, for the time of measuring."""
    pieces: list[Piece] = []
    first_s = None
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s and (reader.is_running or ring.held_samples):
        piece = ring.take()
        if piece is None:
            time.sleep(0.01)
            continue
        if first_s is None:
            first_s = piece.arrived_s
            until_s = time.monotonic() + _SETTLE_S + _MEASURE_S
        if piece.arrived_s - first_s >= _SETTLE_S:
            pieces.append(piece)
    return pieces


def _at_full_scale(raw: np.ndarray, sample_format: SampleFormat) -> np.ndarray:
    if sample_format is SampleFormat.CF32:
        return np.asarray(np.abs(raw) >= 1.0)
    limits = np.iinfo(sample_format.dtype)
    return np.asarray((raw == limits.min) | (raw == limits.max))
