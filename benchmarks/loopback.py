"""Frame success against Ec/N0 for every row of the PHY table, all channels of its band on.

Random payloads of 20 to 60 bytes, random fractional delay and phase, carrier within ±20 kHz (or
the row's own tolerance where that is less), chip rate anywhere in the transmitter's tolerance but
at most ±1.5 %, nominal deviation, shortest preamble, cu8 with noise at −30 dBFS.

Usage: python benchmarks/loopback.py [--trials 100] [--seed 1] [--rows "T M2O,C M2O"]
                                     [--from 7 --to 16 --step 1]
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from dsp import channel, encoder, modulator
from dsp.modes import BY_NAME, MODES, FrameFormat, PhyMode
from dsp.plan import half_width_hz, make_plan
from protocol import link
from sdr.receiver import StreamReceiver
from sdr.sample_format import SampleFormat, from_complex

NOISE_POWER = channel.power_from_dbfs(-30.0)
QUIET_S = 0.004
ELS = bytes.fromhex("9315")


def trial(
    row: PhyMode, frame_format: FrameFormat, ec_n0_db: float, rng: np.random.Generator
) -> tuple[bool, int]:
    """Send one frame; return whether it came out, once, and how many others did."""
    payload = rng.integers(0, 256, rng.integers(20, 61), dtype=np.uint8).tobytes()
    number = rng.integers(0, 256, 6, dtype=np.uint8).tobytes()
    frame = bytes([9 + len(payload), 0x44]) + ELS + number + payload
    center_hz = row.centers_hz[0]
    rate_hz = max(200e3, 1.6e6 if row.chip_rate_hz > 1e4 else 2.2 * half_width_hz(row, center_hz))
    carrier_hz = min(20e3, center_hz * row.carrier_tolerance_ppm * 1e-6)
    tolerance = min(row.tx_chip_rate_tolerance, 0.015)
    burst = modulator.modulate(
        encoder.encode_levels(link.add_crcs(frame, frame_format), row, frame_format),
        row,
        rate_hz,
        impairments=modulator.Impairments(
            carrier_offset_hz=rng.uniform(-carrier_hz, carrier_hz),
            chip_rate_error=rng.uniform(-tolerance, tolerance),
        ),
        first_sample_s=rng.uniform(0.0, 1.0 / rate_hz),
        phase_rad=rng.uniform(0.0, 2.0 * np.pi),
    )
    quiet = int(QUIET_S * rate_hz)
    samples = channel.noise(burst.size + 2 * quiet, NOISE_POWER, rng)
    gain = channel.amplitude(ec_n0_db, row.chip_rate_hz, NOISE_POWER, rate_hz)
    samples[quiet : quiet + burst.size] += np.float32(gain) * burst
    plan = make_plan(rate_hz, center_hz, None if row.mode != "R" else ("R",), row.bands[0])
    receiver = StreamReceiver(plan, rate_hz, center_hz, SampleFormat.CU8)
    receptions = receiver.push(from_complex(samples, SampleFormat.CU8)[0]) + receiver.flush()
    found = [reception.frame for reception in receptions if reception.rejection is None]
    return found == [frame], sum(other != frame for other in found)


def main() -> None:
    """Print one JSON object per row and frame format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", default=",".join(row.name for row in MODES))
    parser.add_argument("--from", dest="low", type=float, default=7.0)
    parser.add_argument("--to", dest="high", type=float, default=14.0)
    parser.add_argument("--step", type=float, default=1.0)
    args = parser.parse_args()
    for name in args.rows.split(","):
        row = BY_NAME[name]
        for frame_format in row.frame_formats:
            rng = np.random.default_rng(args.seed)
            success, wrong = {}, 0
            for ec_n0_db in np.arange(args.low, args.high + 1e-9, args.step):
                results = [trial(row, frame_format, float(ec_n0_db), rng) for _ in range(args.trials)]
                success[round(float(ec_n0_db), 2)] = sum(ok for ok, _ in results) / args.trials
                wrong += sum(n for _, n in results)
            print(
                json.dumps({"row": name, "frame_format": frame_format, "success": success, "wrong": wrong}),
                flush=True,
            )


if __name__ == "__main__":
    main()
