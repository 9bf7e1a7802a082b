"""Count frames that the receiver finds in pure noise: each one is wrong.

Usage: python benchmarks/false_frames.py [--samples 1e8] [--seed 1] [--rate 2.4e6] [--center 868.9e6]
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from dsp import channel
from dsp.plan import make_plan
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat, from_complex

CHUNK = 1 << 18


def main() -> None:
    """Run as often as asked and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=float, default=1e8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2.4e6)
    parser.add_argument("--center", type=float, default=868.9e6)
    parser.add_argument("--noise-dbfs", type=float, default=-30.0)
    parser.add_argument("--modes", default="S,T,C,N,F")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    plan = make_plan(args.rate, args.center, tuple(args.modes.split(",")))
    receiver = StreamReceiver(plan, args.rate, args.center, SampleFormat.CU8)
    power = channel.power_from_dbfs(args.noise_dbfs)
    frames, rejects, done, started = [], 0, 0, time.process_time()
    while done < args.samples:
        raw, _ = from_complex(channel.noise(CHUNK, power, rng), SampleFormat.CU8)
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
                "cpu_s": round(time.process_time() - started, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
