"""How many samples a second the receive chain takes, for noise, sparse and dense traffic.

Each scenario is rendered to memory as cu8, so that files and pipes do not count, then
received from end to end on one core: conversion, gates, demodulation, link layer. The clock
starts when kernels are compiled and the first second, in which the gates learn the noise
floor and search everything, is over; the median of several passes counts. A further pass tells
where the time goes (``stages``), and the last one, in the small chunks of a dongle, how long after
its last chip a frame comes out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from dsp.arrays import RawArray
from dsp.plan import make_plan
from sdr import scene as scenes
from sdr.bench import stages
from sdr.receiver import StreamReceiver
from sdr.recording.reader import CHUNK_SAMPLES
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import render, truth

_START_UP_S = 1.0
_PASSES = 5  # of which the median counts: what else runs on a machine slows down some
_FORMAT = SampleFormat.CU8
_LIVE_SAMPLES = 16_384  # a dongle's usual transfer
_LATENCY_S = 10.0
_MOST_STAGES = 6  # in a row of the table; JSON has all


@dataclass(frozen=True, slots=True)
class Tuning:
    """Where the receiver stands: name, rate, centre and the modes that are on."""

    name: str
    sample_rate_hz: float
    center_hz: float
    modes: tuple[str, ...] | None
    street: tuple[str, ...]  # PHY rows that are sent


_T_C = ("T M2O", "C M2O")
_S = ("S2 M2O", "T2 O2M")
TUNINGS = (
    Tuning("T+C 1.6 MS/s", 1.6e6, 868.95e6, ("T", "C"), _T_C),
    Tuning("S+T+C 1.6 MS/s", 1.6e6, 868.65e6, ("S", "T", "C"), (*_S, *_T_C)),
    Tuning("S+T+C 2.4 MS/s", 2.4e6, 868.3e6, ("S", "T", "C"), (*_S, *_T_C)),
    Tuning("all 2.4 MS/s", 2.4e6, 868.9e6, None, (*_S, *_T_C, "C2 O2M")),
)
TRAFFIC = {"noise": 0.0, "5 frames/s": 5.0, "50 frames/s": 50.0}


@dataclass(frozen=True, slots=True)
class Throughput:
    """One scenario's figures; speeds in million samples per second of CPU and of wall time.

    ``latency_ms`` is the stream time from the end of a frame's last chip to the end of the chunk with
    which it came out, plus the CPU time that took: median, and the longest but for one in twenty.
    ``stages`` is the share of the CPU time by module.
    """

    tuning: str
    traffic: str
    samples_s: float
    sent: int
    received: int
    wrong: int
    cpu_msps: float
    wall_msps: float
    times_real_time: float
    to_reference: float
    peak_memory_mb: float
    latency_ms: tuple[float, float] | None
    stages: dict[str, float]


def run(
    seconds: float, seed: int, reference_msps: float, tunings: tuple[Tuning, ...] = TUNINGS
) -> Iterator[Throughput]:
    """Measure every tuning with every traffic.

    Args:
        seconds: length of each scenario.
        seed: of frames, times and noise.
        reference_msps: yardstick measured in the same run.
        tunings: where the receiver stands.
    """
    for tuning in tunings:
        for traffic, rate_per_s in TRAFFIC.items():
            yield _measure(tuning, traffic, rate_per_s, seconds, seed, reference_msps)


def _measure(
    tuning: Tuning, traffic: str, rate_per_s: float, seconds: float, seed: int, reference_msps: float
) -> Throughput:
    scene = _scene(tuning, rate_per_s, seconds, seed)
    raw = np.concatenate([from_complex(chunk, _FORMAT)[0] for chunk in render(scene)])
    start_up = int(_START_UP_S * tuning.sample_rate_hz)
    _receive(raw, tuning, start_up)  # compiles what this traffic needs
    passes = [_receive(raw, tuning, start_up) for _ in range(_PASSES)]
    frames, cpu, wall = passes[0][0], median(p[1] for p in passes), median(p[2] for p in passes)
    memory_mb = _peak_memory_mb()
    seconds_by_stage = _watch(raw, tuning, start_up)
    sent = [t.frame for t in truth(scene) if t.is_whole(seconds)]
    n_samples = raw.size // 2 - start_up
    known = set(sent)
    return Throughput(
        tuning=tuning.name,
        traffic=traffic,
        samples_s=seconds,
        sent=len(sent),
        received=sum(frame in known for frame in frames),
        wrong=sum(frame not in known for frame in frames),
        cpu_msps=n_samples / cpu / 1e6,
        wall_msps=n_samples / wall / 1e6,
        times_real_time=(seconds - _START_UP_S) / wall,
        to_reference=n_samples / cpu / 1e6 / reference_msps,
        peak_memory_mb=memory_mb,
        latency_ms=_latency_ms(raw, tuning),
        stages=stages.shares(seconds_by_stage),
    )


def _scene(tuning: Tuning, rate_per_s: float, seconds: float, seed: int) -> scenes.Scene:
    street = ""
    if rate_per_s:
        rows = ", ".join(f'"{row}"' for row in tuning.street)
        street = (
            f"[street]\nrate_per_s = {rate_per_s}\nmodes = [{rows}]\nsnr_db = [12, 35]\npayload = [20, 60]"
        )
    return scenes.parse(
        f"rate = {tuning.sample_rate_hz}\ncenter = {tuning.center_hz}\nduration = {seconds}\n"
        f"seed = {seed}\nnoise_dbfs = -30\n{street}\n",
        f"{tuning.name}, {rate_per_s:g} frames/s",
    )


def _receive(raw: RawArray, tuning: Tuning, start_up: int) -> tuple[list[bytes], float, float]:
    """Receive all; return the frames, and CPU and wall time of what follows the start-up."""
    receiver = _receiver(tuning)
    receptions = []
    receptions += receiver.push(raw[: 2 * start_up])
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(2 * start_up, raw.size, 2 * CHUNK_SAMPLES):
        receptions += receiver.push(raw[start : start + 2 * CHUNK_SAMPLES])
    receptions += receiver.flush()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return [reception.frame for reception in receptions if reception.rejection is None], cpu, wall


def _watch(raw: RawArray, tuning: Tuning, start_up: int) -> dict[str, float]:
    """Receive all; return the CPU seconds of each stage, start-up excluded."""
    receiver = _receiver(tuning)
    receiver.push(raw[: 2 * start_up])
    with stages.watched() as seconds:
        for start in range(2 * start_up, raw.size, 2 * CHUNK_SAMPLES):
            receiver.push(raw[start : start + 2 * CHUNK_SAMPLES])
        receiver.flush()
    return seconds


def _receiver(tuning: Tuning) -> StreamReceiver:
    plan = make_plan(tuning.sample_rate_hz, tuning.center_hz, tuning.modes, "A")
    return StreamReceiver(plan, tuning.sample_rate_hz, tuning.center_hz, _FORMAT)


def _latency_ms(raw: RawArray, tuning: Tuning) -> tuple[float, float] | None:
    """Receive in live chunks; None where no frame came."""
    receiver, rate_hz = _receiver(tuning), tuning.sample_rate_hz
    latencies = []
    for start in range(0, min(raw.size, 2 * int(_LATENCY_S * rate_hz)), 2 * _LIVE_SAMPLES):
        began = time.process_time()
        receptions = receiver.push(raw[start : start + 2 * _LIVE_SAMPLES])
        took_s = time.process_time() - began
        now_s = (start // 2 + _LIVE_SAMPLES) / rate_hz + took_s
        latencies += [
            now_s - (r.first_sample / rate_hz + r.burst.duration_s)
            for r in receptions
            if r.rejection is None and r.first_sample > _START_UP_S * rate_hz
        ]
    if not latencies:
        return None
    usual, late = 1e3 * np.quantile(latencies, (0.5, 0.95))
    return round(float(usual), 1), round(float(late), 1)


def _peak_memory_mb() -> float:
    if sys.platform == "win32":  # which has no resource module
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def to_dict(result: Throughput) -> dict[str, object]:
    """Arrange a result for JSON, with the digits that mean something."""
    found = {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(result).items()}
    return found | {"stages": {name: round(share, 3) for name, share in result.stages.items()}}


HEADER = (
    f"{'tuning':<16} {'traffic':<12} {'CPU MS/s':>9} {'wall MS/s':>10} {'× real':>7} "
    f"{'÷ FIR':>6} {'sent':>5} {'heard':>6} {'wrong':>6} {'MB':>5} {'latency ms':>11}  stages, % of CPU"
)


def to_row(result: Throughput) -> str:
    """Write a result as a row under ``HEADER``."""
    latency = "" if result.latency_ms is None else "{:.0f} … {:.0f}".format(*result.latency_ms)
    parts = ", ".join(
        f"{name} {100 * share:.0f}" for name, share in list(result.stages.items())[:_MOST_STAGES]
    )
    return (
        f"{result.tuning:<16} {result.traffic:<12} {result.cpu_msps:>9.1f} {result.wall_msps:>10.1f} "
        f"{result.times_real_time:>7.1f} {result.to_reference:>6.3f} {result.sent:>5} "
        f"{result.received:>6} {result.wrong:>6} {result.peak_memory_mb:>5.0f} {latency:>11}  {parts}"
    )
