"""Captures → spans: stretches of samples that the receiver may run through without a reset.

Captures that only repeat what holds already are one span (the SigMF specification asks for
that). A new span begins where samples are missing or the radio was tuned elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sdr.recording.sigmf import Capture
from sdr.timestamps import later
from sdr.units import format_hz

# Host clocks that stamp captures wander by milliseconds; a larger step means lost samples.
CLOCK_STEP_S = 0.05


@dataclass(frozen=True, slots=True)
class Span:
    """One gapless stretch: where its bytes are, and the capture that opens it."""

    capture: Capture
    first_byte: int
    n_bytes: int | None
    reason: str


def find_spans(
    captures: Sequence[Capture],
    *,
    data_start: int,
    data_bytes: int | None,
    bytes_per_sample: int,
    sample_rate_hz: float,
) -> tuple[list[Span], list[str]]:
    """Cut the data at the captures that need it.

    Args:
        captures: at least one, in the order of their samples.
        data_start: first byte of the data in its file.
        data_bytes: length of the data, None for a pipe.
        bytes_per_sample: I and Q together.
        sample_rate_hz: samples per second.

    Returns:
        The spans (one that is empty if there are no samples), and sentences on what is left out.
    """
    notes = []
    if captures[0].first_sample:
        notes.append(f"the first {captures[0].first_sample} samples belong to no capture and are left out")
    openings: list[tuple[Capture, int, str]] = []
    n_header_bytes = 0
    center_hz = captures[0].center_hz
    for index, capture in enumerate(captures):
        n_header_bytes += capture.header_bytes
        first_byte = data_start + n_header_bytes + capture.first_sample * bytes_per_sample
        if index and data_bytes is not None and first_byte >= data_start + data_bytes:
            notes.append(f"captures from sample {capture.first_sample} on lie behind the last sample")
            break
        reason = ""
        if index:
            reason = _break_reason(captures[index - 1], capture, center_hz, sample_rate_hz)
        if reason or not index:
            openings.append((capture, first_byte, reason))
        center_hz = capture.center_hz or center_hz
    spans: list[Span] = []
    for index, (capture, first_byte, reason) in enumerate(openings):
        n_bytes = None
        if data_bytes is not None:
            end = data_start + data_bytes
            if index + 1 < len(openings):
                following = openings[index + 1][0]
                n_samples = following.first_sample - capture.first_sample
                end = min(end, first_byte + n_samples * bytes_per_sample)
            n_bytes = max(0, end - first_byte)
        if n_bytes != 0 or len(openings) == 1:
            spans.append(Span(capture, first_byte, n_bytes, reason if spans else ""))
    return spans, notes


def span_start_time(
    first: Capture, capture: Capture, start_time: datetime | None, sample_rate_hz: float
) -> datetime | None:
    """When a capture began.

    Args:
        first: the recording's first capture.
        capture: the capture in question.
        start_time: when ``first`` began, as deduced (the options may have moved it), or None.
        sample_rate_hz: samples per second.
    """
    if start_time is None:
        return capture.start_time
    if first.start_time is not None and capture.start_time is not None:
        elapsed_s = (capture.start_time - first.start_time).total_seconds()
    elif first.global_index is not None and capture.global_index is not None:
        elapsed_s = (capture.global_index - first.global_index) / sample_rate_hz
    else:
        elapsed_s = (capture.first_sample - first.first_sample) / sample_rate_hz
    return later(start_time, elapsed_s)


def _break_reason(
    before: Capture, after: Capture, center_hz_before: float | None, sample_rate_hz: float
) -> str:
    """Why the receiver must start anew at ``after``; empty where it need not."""
    if after.center_hz is not None and after.center_hz != center_hz_before:
        return f"the centre changes to {format_hz(after.center_hz)}"
    n_samples = after.first_sample - before.first_sample
    if before.global_index is not None and after.global_index is not None:
        n_missing = after.global_index - before.global_index - n_samples
        return f"{n_missing} samples are missing" if n_missing else ""
    if before.start_time is not None and after.start_time is not None:
        step_s = (after.start_time - before.start_time).total_seconds() - n_samples / sample_rate_hz
        if abs(step_s) > CLOCK_STEP_S:
            return f"its clock steps by {step_s:.3f} s"
    return "foreign bytes lie between the samples" if after.header_bytes else ""
