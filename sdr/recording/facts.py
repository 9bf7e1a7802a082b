"""What is known of a recording besides its samples, and who said so.

Each origin (the options, SigMF metadata, the WAV header, the file name) gives one
``Facts``; for every fact the first origin that has it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sdr.errors import RecordingError, UsageError
from sdr.sample_format import SampleFormat
from sdr.timestamps import format_utc
from sdr.units import format_hz, format_rate

SAMPLE_RATE_RANGE_HZ = (200e3, 20e6)
CENTER_RANGE_HZ = (1e6, 10e9)  # wide enough for every radio; catches a forgotten M

OPTIONS = "the options"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """What one origin says; None where it says nothing.

    ``start_time`` is only believed of the options and of SigMF: the clocks of WAV
    headers and file names are often local time, and are offered as a hint.
    """

    origin: str
    sample_rate_hz: float | None = None
    center_hz: float | None = None
    sample_format: SampleFormat | None = None
    start_time: datetime | None = None
    start_time_hint: datetime | None = None
    ambiguous: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deduced:
    """The facts that a recording is read with, all there; ``assumptions`` tell their origins."""

    sample_rate_hz: float
    center_hz: float
    sample_format: SampleFormat
    start_time: datetime | None
    start_time_hint: datetime | None
    assumptions: tuple[str, ...]


def deduce(name: str, all_facts: Sequence[Facts]) -> Deduced:
    """Choose each fact from the first origin that has it.

    Raises:
        RecordingError: a fact is missing or impossible, with the option to pass.
        UsageError: the options hold an impossible value.
    """
    rate, rate_origin = _first([(facts.sample_rate_hz, facts) for facts in all_facts])
    center, center_origin = _first([(facts.center_hz, facts) for facts in all_facts])
    sample_format, format_origin = _first([(facts.sample_format, facts) for facts in all_facts])
    start_time, start_origin = _first([(facts.start_time, facts) for facts in all_facts])
    hint, hint_origin = _first([(facts.start_time_hint, facts) for facts in all_facts])
    if rate is None or center is None or sample_format is None:
        missing = [
            text
            for fact, text in (
                (rate, "its sample rate (pass --rate, like --rate 1.6M)"),
                (center, "its centre frequency (pass --center, like --center 868.95M)"),
                (
                    sample_format,
                    f"its sample format (pass --format {'|'.join(f.label for f in SampleFormat)})",
                ),
            )
            if fact is None
        ]
        doubts = [text for facts in all_facts for text in facts.ambiguous]
        raise RecordingError(name, "nothing tells " + ", ".join(missing) + "".join(f"; {d}" for d in doubts))
    _check_range(name, "sample rate", format_rate, rate, SAMPLE_RATE_RANGE_HZ, rate_origin, "--rate")
    _check_range(name, "centre", format_hz, center, CENTER_RANGE_HZ, center_origin, "--center")
    told = [
        (rate_origin, f"sample rate {format_rate(rate)}"),
        (center_origin, f"centre {format_hz(center)}"),
        (format_origin, f"format {sample_format.label}"),
    ]
    if start_time is not None:
        told.append((start_origin, f"start time {format_utc(start_time)}"))
        hint = None
    assumptions = _sentences(told)
    if hint is not None:
        text = format_utc(hint)
        assumptions += (f"{hint_origin} dates the recording {text}; pass --start-time {text} to use that",)
    return Deduced(rate, center, sample_format, start_time, hint, assumptions)


def _first(candidates: Sequence[tuple[T | None, Facts]]) -> tuple[T | None, str]:
    return next(((fact, facts.origin) for fact, facts in candidates if fact is not None), (None, ""))


def _check_range(
    name: str,
    what: str,
    written: Callable[[float], str],
    value_hz: float,
    range_hz: tuple[float, float],
    origin: str,
    option: str,
) -> None:
    low_hz, high_hz = range_hz
    if low_hz <= value_hz <= high_hz:
        return
    problem = f"{what} {written(value_hz)} of {origin} is outside {written(low_hz)} … {written(high_hz)}"
    if origin == OPTIONS:
        raise UsageError(problem)
    raise RecordingError(name, f"{problem}; pass {option}")


def _sentences(told: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """One sentence per origin; what the options say was not assumed."""
    origins = dict.fromkeys(origin for origin, _ in told if origin != OPTIONS)
    return tuple(
        f"{', '.join(text for said_by, text in told if said_by == origin)} from {origin}"
        for origin in origins
    )
