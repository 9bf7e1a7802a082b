"""Count frames that the receiver finds in pure noise: each one is wrong.

Even noise opens no gate, so it tests gates alone; noise in bursts opens all, and tests search and detectors.

Usage: python benchmarks/false_frames.py [--samples 1e8] [--seed 1] [--rate 2.4e6] [--center 868.9e6]
                                         [--bursts-db 12]
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from dsp import channel
from dsp.arrays import FloatArray
from dsp.plan import make_plan
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat, from_complex

CHUNK = 1 << 18
BURST_S = (0.002, 0.06)  # as long as the shortest and the longest frame
PAUSE_S = (0.005, 0.03)


def main() -> None:
    """Run as often as asked and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=float, default=1e8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2.4e6)
    parser.add_argument("--center", type=float, default=868.9e6)
    parser.add_argument("--noise-dbfs", type=float, default=-30.0)
    parser.add_argument("--bursts-db", type=float, help="rise of the noise in bursts; without: even noise")
    parser.add_argument("--modes", default="S,T,C,N,F")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    plan = make_plan(args.rate, args.center, tuple(args.modes.split(",")))
    receiver = StreamReceiver(plan, args.rate, args.center, SampleFormat.CU8)
    power = channel.power_from_dbfs(args.noise_dbfs)
    frames, rejects, done, started = [], 0, 0, time.process_time()
    pending = np.zeros(0, dtype=np.float32)
    while done < args.samples:
        noise = channel.noise(CHUNK, power, rng)
        if args.bursts_db is not None and done:  # the gates learn the floor from the first chunk
            while pending.size < CHUNK:
                pending = np.concatenate([pending, burst_and_pause(args.rate, args.bursts_db, rng)])
            noise *= pending[:CHUNK]
            pending = pending[CHUNK:]
        raw, _ = from_complex(noise, SampleFormat.CU8)
        done += CHUNK
        for reception in receiver.push(raw):
            if reception.rejection is None:
                frames.append(reception.burst.raw.hex())
            else:
                rejects += 1
    print(
        json.dumps(
            {
                "samples": done,
                "channels": [c.name for c in plan.channels],
                "wrong_frames": frames,
                "rejected_bursts": rejects,
                "bursts_db": args.bursts_db,
                "cpu_s": round(time.process_time() - started, 1),
            }
        )
    )


def burst_and_pause(rate_hz: float, rise_db: float, rng: np.random.Generator) -> FloatArray:
    """Amplitudes float32 [n] of one burst and the pause behind it."""
    burst, pause = (int(rate_hz * rng.uniform(*span)) for span in (BURST_S, PAUSE_S))
    return np.repeat(np.array([10.0 ** (rise_db / 20.0), 1.0], dtype=np.float32), [burst, pause])


if __name__ == "__main__":
    main()
