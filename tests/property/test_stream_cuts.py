"""However the stream is cut, the same bursts come out; memory does not grow; carriers lose no frame."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import (
    NOISE_POWER,
    Air,
    frames_of,
    on_air,
    open_receiver,
    place_in_noise,
    sent_raw,
)

from dsp import channel
from dsp.arrays import RawArray
from dsp.burst import Burst, Fault
from dsp.gate import Region
from dsp.history import History, RawScale
from dsp.modes import BY_NAME
from dsp.receiver import Receiver
from sdr.receiver import LinkRules
from sdr.sample_format import SampleFormat, from_complex
from sdr.scene import parse
from sdr.simulator import render

AIR_868 = Air(1.6e6, 868.9e6)
T = BY_NAME["T M2O"]
T_AIR = Air(400e3, T.centers_hz[0])

# Every 868 MHz channel at once; neighbours back to back, a collision, a burst cut at the end, a carrier.
MIXED_SCENE = """
rate = "1.6M"
center = "868.9M"
duration = 0.24
seed = 12
noise_dbfs = -30
dc = [0.01, -0.02]
[[meter]]
mode = "S"
snr_db = 22
at = [0.010, 0.120]
random_payload = 20
[[meter]]
mode = "T"
snr_db = 19
at = [0.012, 0.0205, 0.150, 0.236]
random_payload = 25
carrier_offset_hz = -21_000
chip_rate_error_ppm = 31_000
[[meter]]
mode = "T"
snr_db = 27
at = [0.151]
random_payload = 12
[[meter]]
mode = "C"
frame_format = "B"
snr_db = 18
at = [0.060, 0.175]
random_payload = 40
[[meter]]
mode = "C"
direction = "O2M"
snr_db = 18
at = [0.070, 0.200]
random_payload = 15
"""


# Frames upon frames: regions that are read while they grow, split, and taken apart.
DENSE_SCENE = """
rate = "1.6M"
center = "868.9M"
duration = 1.2
seed = 13
noise_dbfs = -30
[street]
rate_per_s = 70
modes = ["T", "C", "S"]
snr_db = [12, 35]
payload = [20, 60]
"""


@cache
def _dense_raw() -> RawArray:
    return from_complex(np.concatenate(list(render(parse(DENSE_SCENE)))), SampleFormat.CU8)[0]


@cache
def _mixed_raw() -> RawArray:
    samples = np.concatenate(list(render(parse(MIXED_SCENE))))
    click = np.exp(2j * np.pi * 0.04 * np.arange(16_000)).astype(np.complex64)  # 10 ms of a carrier
    samples[300_000:316_000] += np.float32(0.1) * click
    raw, _ = from_complex(samples, SampleFormat.CU8)
    return raw


class _LateExecutor(Executor):
    """Does each task in another place only when it is waited for, or every third at once."""

    def __init__(self) -> None:
        self.n_tasks = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **_: Any) -> Any:  # noqa: ANN401
        self.n_tasks += 1
        task = pickle.dumps((function, args))  # as a process would get it
        late = _Late(task)
        if self.n_tasks % 3 == 0:
            late.result()
        return late


@dataclass
class _Late:
    task: bytes
    found: bytes | None = None

    def done(self) -> bool:
        return self.found is not None

    def result(self, timeout: float | None = None) -> list[Burst]:
        if self.found is None:
            function, args = pickle.loads(self.task)
            self.found = pickle.dumps(function(*args))
        bursts: list[Burst] = pickle.loads(self.found)
        return bursts


def _received(cuts: list[int], executor: Executor | None = None, raw: RawArray | None = None) -> list[Burst]:
    """Bursts of a scene, by default the mixed one, pushed in pieces that end at these samples."""
    raw_scale = RawScale(SampleFormat.CU8.zero_offset, SampleFormat.CU8.scale)
    receiver = Receiver(
        AIR_868.plan(),
        AIR_868.sample_rate_hz,
        AIR_868.center_hz,
        raw_scale,
        LinkRules(),
        executor=executor,
    )
    raw = _mixed_raw() if raw is None else raw
    bounds = [0, *sorted(cuts), raw.size // 2]
    bursts = []
    for start, stop in pairwise(bounds):
        bursts += receiver.push(raw[2 * start : 2 * stop])
    return bursts + receiver.flush()


@cache
def _whole() -> list[Burst]:
    return _received([])


def test_the_mixed_scene_has_something_to_lose() -> None:
    kinds = {
        (burst.row.mode, burst.row.direction, burst.frame_format) for burst in _whole() if not burst.fault
    }
    assert kinds >= {("S", "M2O", "A"), ("T", "M2O", "A"), ("C", "M2O", "B"), ("C", "O2M", "A")}
    assert len(frames_of(_whole())) >= 9
    assert {Fault.TRUNCATED, Fault.SYNC_NOT_FOUND} <= {burst.fault for burst in _whole()}


@settings(max_examples=12, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, 384_000), max_size=40))
def test_random_cuts_change_nothing(cuts: list[int]) -> None:
    assert _received(cuts) == _whole()


@pytest.mark.parametrize("n_chunk", [4096, 16_384, 65_536, 65_537])
def test_even_chunks_change_nothing(n_chunk: int) -> None:
    assert _received(list(range(n_chunk, 384_000, n_chunk))) == _whole()


def test_one_sample_a_push_changes_nothing() -> None:
    assert _received(list(range(1, 384_000))) == _whole()


@pytest.mark.parametrize(
    "cuts", [[], [5_000, 100_000, 100_001, 250_000], list(range(65_536, 384_000, 65_536))]
)
def test_who_demodulates_and_when_changes_nothing(cuts: list[int]) -> None:
    executor = _LateExecutor()
    assert _received(cuts, executor) == _whole()
    assert executor.n_tasks >= 8


def test_neither_cuts_nor_others_change_a_dense_street() -> None:
    raw = _dense_raw()
    whole = _received([], raw=raw)
    assert len(frames_of(whole)) >= 50
    assert len({burst.raw for burst in whole}) == len(whole)  # each once
    cuts = list(range(30_011, raw.size // 2, 30_011))
    assert _received(cuts, raw=raw) == whole
    assert _received(cuts, _LateExecutor(), raw) == whole


def test_memory_stays_bounded_on_endless_traffic() -> None:
    # 3.4 seconds of frames of 27 ms with gaps of 7 ms, which is 80 longest bursts.
    rng = np.random.default_rng(21)
    receiver = open_receiver(T_AIR, T_AIR.plan("T"))
    sent, received, sizes = [], [], []
    for _ in range(100):
        raw = sent_raw(rng, 220, "A")
        burst = on_air(raw, T, "A", T_AIR, rng)
        sent.append(raw)
        samples = place_in_noise([(2000, burst)], burst.size + 2800, rng)
        received += receiver.push(samples.view(np.float32))
        sizes.append(receiver._history._raw.nbytes)
    received += receiver.flush()
    assert frames_of(received) == sent
    assert len(set(sizes[10:])) == 1
    assert sizes[-1] < 16e6
    assert len(receiver._recent) < 100


def _watch_regions(receiver: Receiver) -> list[Region]:
    """List that every region of the first channel is added to."""
    regions: list[Region] = []
    close = receiver._work.close

    def watched(index: int, history: History, region: Region, *rest: Any) -> Any:  # noqa: ANN401
        if index == 0:
            regions.append(region)
        return close(index, history, region, *rest)

    receiver._work.close = watched  # type: ignore[method-assign]
    return regions


def test_frames_on_top_of_an_endless_carrier_are_all_received() -> None:
    # The carrier is longer than the longest region, so it is handed out in parts; it is
    # 3 dB above the noise in the channel. Frames are 20 dB stronger and start anywhere.
    rng = np.random.default_rng(22)
    n_quiet, n_carrier = 80_000, 160_000
    carrier_power = 10**0.3 * NOISE_POWER * 340e3 / T_AIR.sample_rate_hz
    starts = [n_quiet + 1000 + 9_500 * k + int(rng.integers(0, 2000)) for k in range(16)]
    raws = [sent_raw(rng, 40, "A") for _ in starts]
    samples = place_in_noise(
        [
            (start, on_air(raw, T, "A", T_AIR, rng, ec_n0_db=28))
            for start, raw in zip(starts, raws, strict=True)
        ],
        2 * n_quiet + n_carrier,
        rng,
    )
    n = np.arange(n_carrier)
    carrier = np.sqrt(carrier_power) * np.exp(2j * np.pi * 0.21 * n)
    samples[n_quiet : n_quiet + n_carrier] += carrier.astype(np.complex64)
    receiver = open_receiver(T_AIR, T_AIR.plan("T"))
    regions = _watch_regions(receiver)
    bursts = receiver.push(samples.view(np.float32)) + receiver.flush()
    assert sorted(frames_of(bursts)) == sorted(raws)
    assert max(region.stop - region.start for region in regions) < 60_000  # it really was split


def test_an_endless_carrier_becomes_part_of_the_floor() -> None:
    # After it has lasted ten times as long as the floor remembers, only frames open the gate.
    rng = np.random.default_rng(23)
    receiver = open_receiver(T_AIR, T_AIR.plan("T"))
    regions = _watch_regions(receiver)
    phase = 0.0
    for second in range(4):
        samples = channel.noise(400_000, NOISE_POWER, rng)
        samples += np.float32(0.03) * np.exp(1j * (phase + 0.9 * np.arange(400_000))).astype(np.complex64)
        phase += 0.9 * 400_000
        if second == 3:
            regions.clear()
            raw = sent_raw(rng, 40, "A")
            burst = on_air(raw, T, "A", T_AIR, rng, ec_n0_db=30)
            samples[100_000 : 100_000 + burst.size] += burst
        bursts = receiver.push(samples.view(np.float32))
    assert frames_of(bursts) == [raw]
    assert len(regions) == 1
