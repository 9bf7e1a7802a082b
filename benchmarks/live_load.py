"""Live reception in real time: share of a core, samples dropped, time from the last chip to the line.

    python benchmarks/live_load.py --seconds 30

A dense street at 2.4 MS/s, S, T and C in both directions, through link, ring and session as from any radio,
in pieces as long as the RTL-SDR's. Ec/N0 is 12 to 35 dB; at 50 frames a second frames collide.
"""

from __future__ import annotations

import argparse
import json
import threading
import time

import numpy as np

from dsp.arrays import RawArray
from protocol.decoder import Decoder
from sdr import scene as scenes
from sdr.live.radio import LiveRadio, RadioOptions
from sdr.live.session import LiveSession
from sdr.output.json_line import to_json
from sdr.radio import Deliver, Tuning
from sdr.sample_format import SampleFormat, from_complex
from sdr.session import Selection
from sdr.simulator import render

RATE_HZ, CENTER_HZ = 2.4e6, 868.9e6
LOOP_S, PIECE = 10.0, 32768
TRAFFIC_PER_S = (0.0, 5.0, 50.0)


class StreetSource:
    """A street at its own speed, over and over; see ``Source`` for the attributes."""

    uri, identity, sample_format, can_wait = "street:0", "", SampleFormat.CU8, False
    sample_rate_hz, center_hz = RATE_HZ, CENTER_HZ

    def __init__(self, raw: RawArray) -> None:
        self.settings: list[str] = []
        self.started_s = 0.0
        self._raw = raw
        self._stopped = threading.Event()

    def stream(self, deliver: Deliver) -> None:
        """Hand on the street."""
        self.started_s = time.monotonic()
        n_done, values = 0, self._raw.size // (2 * PIECE) * (2 * PIECE)
        while not self._stopped.wait(
            max(0.0, self.started_s + (n_done + PIECE) / RATE_HZ - time.monotonic())
        ):
            at = 2 * n_done % values
            deliver(self._raw[at : at + 2 * PIECE], 0)
            n_done += PIECE

    def stop(self) -> None:
        """End the stream."""
        self._stopped.set()

    def close(self) -> None:
        """Nothing to let go."""


def street(rate_per_s: float) -> RawArray:
    """Render one loop."""
    lines = [
        f"rate = {RATE_HZ}",
        f"center = {CENTER_HZ}",
        f"duration = {LOOP_S}",
        "seed = 1",
        "noise_dbfs = -30",
    ]
    if rate_per_s:
        lines += ["[street]", f"rate_per_s = {rate_per_s}", "snr_db = [12, 35]", "payload = [20, 60]"]
        lines += ['modes = ["S2 M2O", "T M2O", "C M2O", "C2 O2M"]']
    scene = scenes.parse("\n".join(lines), "live load")
    return np.concatenate([from_complex(chunk, SampleFormat.CU8)[0] for chunk in render(scene)])


def measure(rate_per_s: float, seconds: float) -> dict[str, float | int | str]:
    """Receive a street for so long; leave out the first seconds, in which kernels are loaded."""
    source = StreetSource(street(rate_per_s))
    woken = threading.Event()
    options = RadioOptions("street:0", (Tuning(RATE_HZ, CENTER_HZ),))
    radio = LiveRadio(options, Selection(), Decoder(), lambda *_: source, lambda _text: None, wake=woken.set)
    radio.open()
    radio.start()
    delays_ms: list[float] = []
    begun_s, cpu_s = time.monotonic() + 3.0, 0.0
    session = LiveSession([radio], woken, duration_s=seconds + 3.0)
    for reception in session.run():
        now_s = time.monotonic()
        if now_s < begun_s:
            cpu_s = time.process_time()
        elif reception is not None and reception.rejection is None:
            to_json(reception)
            last_chip_s = reception.first_sample / RATE_HZ + reception.burst.duration_s
            delays_ms.append(1e3 * (time.monotonic() - source.started_s - last_chip_s))
    elapsed_s = time.monotonic() - begun_s
    list(session.close())
    result: dict[str, float | int | str] = {
        "frames_per_s_sent": rate_per_s,
        "frames": len(delays_ms),
        "share_of_one_core": round((time.process_time() - cpu_s) / elapsed_s, 3),
        "samples_dropped": radio.link.dropped,
    }
    if delays_ms:
        for name, share in (("median", 50), ("p90", 90), ("p99", 99)):
            result[f"last_chip_to_line_ms_{name}"] = round(float(np.percentile(delays_ms, share)), 1)
    return result


def main() -> None:
    """Run, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    args = parser.parse_args()
    for rate_per_s in TRAFFIC_PER_S:
        print(json.dumps(measure(rate_per_s, args.seconds)), flush=True)


if __name__ == "__main__":
    main()
