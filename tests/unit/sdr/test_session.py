"""One recording from first to last sample: segments, limits, progress, counts and their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import numpy as np
import pytest
from support import GAS_RAW_A, narrow_air, on_air, pad_with_noise

from dsp.modes import BY_NAME
from dsp.plan import make_plan
from sdr.recording import Recording
from sdr.recording.reader import RawChunk
from sdr.sample_format import SampleFormat, from_complex
from sdr.session import Replay, Selection, Summary

T = BY_NAME["T M2O"]
AIR = narrow_air(T)


def _one_burst(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    samples = pad_with_noise(on_air(GAS_RAW_A, T, "A", AIR, rng), AIR, rng, 0.02)
    return from_complex(samples, SampleFormat.CU8)[0]


@dataclass
class _Segment:
    raw: np.ndarray
    first_sample: int
    start_time: datetime | None = None
    center_hz: float = AIR.center_hz

    def chunks(self) -> Iterator[RawChunk]:
        for start in range(0, self.raw.size, 2000):
            yield RawChunk(self.raw[start : start + 2000], self.first_sample + start // 2)


@dataclass
class _Recording:
    parts: list[_Segment]
    sample_rate_hz: float = AIR.sample_rate_hz
    sample_format: SampleFormat = SampleFormat.CU8
    opened: int = field(default=0)

    def segments(self) -> Iterator[_Segment]:
        for part in self.parts:
            self.opened += 1
            yield part


def _replay(recording: _Recording, selection: Selection | None = None) -> tuple[Replay, Summary]:
    summary = Summary()
    return Replay(cast(Recording, recording), selection or Selection(), summary), summary


def _two_segments() -> _Recording:
    first, second = _one_burst(1), _one_burst(2)
    time = datetime(2026, 11, 20, 10, 0, 7, tzinfo=UTC)
    return _Recording([_Segment(first, 0), _Segment(second, 1_000_000, time)])


def test_every_segment_has_its_own_clock() -> None:
    replay, summary = _replay(_two_segments())
    first, second = list(replay.run())
    assert first.frame == second.frame
    assert first.received_at is None and first.first_sample < 100_000
    assert second.first_sample - 1_000_000 == pytest.approx(first.first_sample, abs=3)
    assert second.received_at is not None and second.received_at.second == 7
    assert summary.n_frames == 2
    n_samples = sum(part.raw.size // 2 for part in _two_segments().parts)
    assert replay.samples_done == n_samples
    assert summary.samples_s == pytest.approx(n_samples / AIR.sample_rate_hz)
    assert summary.elapsed_s > 0


def test_a_burst_cut_by_the_end_of_a_segment_is_not_stitched_to_the_next() -> None:
    raw = _one_burst(1)
    middle = raw.size // 4 * 2
    whole, _ = _replay(_Recording([_Segment(raw, 0)]))
    assert [r.rejection for r in whole.run()] == [None]
    cut, summary = _replay(_Recording([_Segment(raw[:middle], 0), _Segment(raw[middle:], 10**6)]))
    assert all(reception.rejection is not None for reception in cut.run())
    assert summary.n_frames == 0 and summary.rejects["truncated"] == 1


def test_duration_counts_over_all_segments() -> None:
    n_first = _two_segments().parts[0].raw.size // 2
    for limit, expected in ((n_first // 4, 0), (n_first, 1), (n_first + 10, 1), (10 * n_first, 2)):
        replay, summary = _replay(_two_segments(), Selection(duration_s=limit / AIR.sample_rate_hz))
        list(replay.run())
        assert summary.n_frames == expected
        assert replay.samples_done == min(limit, 2 * n_first)


def test_progress_is_told() -> None:
    replay, _ = _replay(_two_segments())
    told: list[int] = []
    list(replay.run(told.append))
    assert told == sorted(told) and told[-1] == replay.samples_done and len(told) > 10


def test_counts_stand_though_the_reader_stops() -> None:
    recording = _two_segments()
    replay, summary = _replay(recording)
    for _ in replay.run():
        break
    assert summary.n_frames == 1 and recording.opened == 1
    assert summary.samples_s > 0


def test_the_summary_in_words() -> None:
    rejects = Counter({"truncated": 1, "crc_mismatch": 2})
    summary = Summary(samples_s=2.5, elapsed_s=0.5, frames=Counter({"T": 3, "C": 1}), rejects=rejects)
    assert summary.lines() == [
        "2.500 s of samples: 7 bursts, 4 frames (C 1, T 3), 3 rejected (crc_mismatch 2, truncated 1); "
        "5.0 × real time"
    ]
    assert Summary().lines() == ["0.000 s of samples: 0 bursts, 0 frames, 0 rejected; 0.0 × real time"]


def test_what_was_off_is_said_unless_another_recording_had_it_on() -> None:
    summary = Summary()
    summary.note_plan(make_plan(1.6e6, 868.3e6))
    assert [line.partition(":")[0] for line in summary.lines()[1:]] == ["T M2O is off", "C2 O2M is off"]
    summary.note_plan(make_plan(2.4e6, 868.9e6))
    assert summary.lines()[1:] == []
