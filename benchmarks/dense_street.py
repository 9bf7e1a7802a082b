"""Which frames of a dense street are recovered, which are lost, and what they collided with.

Frames begin at random times, Ec/N0 uniform 12 to 35 dB, carrier and chip rate anywhere in the
transmitter's tolerance, cu8 with noise at −30 dBFS; all modes of the tuning on. Each frame belongs to
one class by what overlaps it on the same channel: nothing, or how much weaker or stronger the
strongest overlapping frame is. The fate of a lost frame is the fault reported at its place, or
``silent``. CPU is that of the whole chain, start-up excluded, without and with subtraction.

Usage: python benchmarks/dense_street.py [--seeds 1,2] [--seconds 60] [--rate 50]
                                         [--tunings "T+C 1.6 MS/s,S+T+C 2.4 MS/s"] [--subtraction on,off]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from dsp.arrays import RawArray
from dsp.plan import make_plan
from sdr import scene as scenes
from sdr.bench.throughput import TUNINGS, Tuning
from sdr.receiver import StreamReceiver
from sdr.reception import Reception
from sdr.recording.reader import CHUNK_SAMPLES
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import render, truth
from sdr.traffic import Transmission

LEVEL_STEPS_DB = (-20.0, -10.0, -6.0, -3.0, 3.0, 6.0, 10.0, 20.0)
FORMAT = SampleFormat.CU8
START_UP_S = 1.0
SAME_PLACE_S = 0.5e-3


def street(tuning: Tuning, rate_per_s: float, seconds: float, seed: int) -> scenes.Scene:
    """Describe the street of one seed."""
    rows = ", ".join(f'"{row}"' for row in tuning.street)
    return scenes.parse(
        f"rate = {tuning.sample_rate_hz}\ncenter = {tuning.center_hz}\nduration = {seconds}\n"
        f"seed = {seed}\nnoise_dbfs = -30\n[street]\nrate_per_s = {rate_per_s}\nmodes = [{rows}]\n"
        "snr_db = [12, 35]\npayload = [20, 60]",
        f"{tuning.name}, seed {seed}",
    )


def receive(raw: RawArray, tuning: Tuning, *, subtraction: bool) -> tuple[list[Reception], float]:
    """Receive all; return the receptions, and million samples a second of CPU behind the start-up."""
    plan = make_plan(tuning.sample_rate_hz, tuning.center_hz, tuning.modes, "A")
    receiver = StreamReceiver(plan, tuning.sample_rate_hz, tuning.center_hz, FORMAT, subtraction=subtraction)
    start_up = 2 * int(START_UP_S * tuning.sample_rate_hz)
    receptions = receiver.push(raw[:start_up])
    cpu = time.process_time()
    for start in range(start_up, raw.size, 2 * CHUNK_SAMPLES):
        receptions += receiver.push(raw[start : start + 2 * CHUNK_SAMPLES])
    receptions += receiver.flush()
    return receptions, (raw.size - start_up) / 2e6 / (time.process_time() - cpu)


def collision(sent: Transmission, others: Iterable[Transmission]) -> tuple[str, int]:
    """Name the class of a frame by the strongest that overlaps it, and count those that do."""
    levels_db = [
        other.snr_db + 10.0 * np.log10(other.row.chip_rate_hz / sent.row.chip_rate_hz) - sent.snr_db
        for other in others
        if other is not sent
        and other.center_hz == sent.center_hz
        and other.start_s < sent.start_s + sent.duration_s
        and sent.start_s < other.start_s + other.whole_duration_s
    ]
    if not levels_db:
        return "alone", 0
    step = int(np.searchsorted(LEVEL_STEPS_DB, max(levels_db)))
    low = f"{LEVEL_STEPS_DB[step - 1]:+.0f}" if step else ""
    high = f"{LEVEL_STEPS_DB[step]:+.0f}" if step < len(LEVEL_STEPS_DB) else ""
    return f"other {low}…{high} dB", len(levels_db)


def fate(sent: Transmission, faults: list[tuple[float, str, str]]) -> str:
    """Say what was reported where a lost frame began."""
    near = [
        reason
        for start_s, mode, reason in faults
        if mode == sent.mode and abs(start_s - sent.start_s) < SAME_PLACE_S
    ]
    return near[0] if near else "silent"


def classify(sent: list[Transmission], receptions: list[Reception], rate_hz: float) -> dict[str, object]:
    """Count frames and fates by class."""
    heard = {reception.frame for reception in receptions if reception.rejection is None}
    faults = [
        (r.first_sample / rate_hz, r.burst.row.mode, r.rejection.reason)
        for r in receptions
        if r.rejection is not None
    ]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for transmission in sent:
        level, overlaps = collision(transmission, sent)
        lost = "" if transmission.frame in heard else fate(transmission, faults)
        several = f"{min(overlaps, 3)} overlap{'' if overlaps == 1 else 's'}" + "+" * (overlaps >= 3)
        for group in (level, several, f"mode {transmission.row.name} {transmission.frame_format}"):
            counts[group]["sent"] += 1
            counts[group][lost or "heard"] += 1
    return {group: dict(counts[group]) for group in sorted(counts)}


def main() -> None:
    """Print one JSON object per tuning, seed and setting of subtraction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=50.0, help="frames a second")
    parser.add_argument("--tunings", default=",".join(tuning.name for tuning in TUNINGS))
    parser.add_argument("--subtraction", default="on,off")
    options = parser.parse_args()
    for tuning in (t for t in TUNINGS if t.name in options.tunings.split(",")):
        receive(np.full(2 * int(2 * tuning.sample_rate_hz), 128, dtype=np.uint8), tuning, subtraction=True)
        for seed in map(int, options.seeds.split(",")):
            scene = street(tuning, options.rate, options.seconds, seed)
            raw = np.concatenate([from_complex(chunk, FORMAT)[0] for chunk in render(scene)])
            sent = [t for t in truth(scene) if t.is_whole(options.seconds)]
            known = Counter(t.frame for t in sent)
            for switch in options.subtraction.split(","):
                receptions, msps = receive(raw, tuning, subtraction=switch == "on")
                frames = [r.frame for r in receptions if r.rejection is None]
                result = {
                    "tuning": tuning.name,
                    "seed": seed,
                    "subtraction": switch,
                    "sent": len(sent),
                    "heard": sum(frame in known for frame in set(frames)),
                    "twice": len(frames) - len(set(frames)),
                    "wrong": sum(frame not in known for frame in frames),
                    "share": round(sum(frame in known for frame in set(frames)) / len(sent), 4),
                    "cpu_msps": round(msps, 1),
                    "classes": classify(sent, receptions, tuning.sample_rate_hz),
                }
                print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
