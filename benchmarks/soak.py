"""Soak test of live reception: hours of samples, faults at random, nothing lost unseen.

    python benchmarks/soak.py --hours 1 --seed 1

A street of meters without collisions is on the air all the time. A radio that stalls, is unplugged, loses
samples and says so, or loses them silently listens to it through the same link, ring and session as any
radio; its clock is the number of samples, so it runs as fast as the machine decodes. Expected is every
telegram that lies whole inside a stretch without gap.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from dsp.arrays import RawArray
from protocol.decoder import Decoder
from sdr import scene as scenes
from sdr.errors import DeviceLost, DeviceNotFound
from sdr.live.radio import LiveRadio, RadioOptions
from sdr.live.session import LiveSession
from sdr.radio import Deliver, Tuning
from sdr.sample_format import SampleFormat, from_complex
from sdr.session import Selection
from sdr.simulator import render, truth

RATE_HZ, CENTER_HZ = 2.4e6, 868.9e6
LOOP_S, SLOT_S = 20.0, 0.2
PIECE = 32768
BACKLOG = 8 * PIECE
FAULTS = ("stall", "unplug", "lost", "silent")
MEAN_S, LEAST_S = 60.0, 25.0  # between two faults
MODES = ("T M2O", "C M2O", "S1 M2O", "C2 O2M", "S2 O2M")


def street() -> tuple[RawArray, list[tuple[bytes, float, float]]]:
    """Render one loop; return its samples, and frame, start and duration of each telegram, seconds."""
    lines = [
        f"rate = {RATE_HZ}",
        f"center = {CENTER_HZ}",
        f"duration = {LOOP_S}",
        "seed = 7",
        "noise_dbfs = -35",
    ]
    for slot in range(round(LOOP_S / SLOT_S)):
        mode = MODES[slot % len(MODES)]
        lines += ["[[meter]]", f'mode = "{mode}"', f"at = [{0.05 + SLOT_S * slot:.3f}]"]
        lines += [f"snr_db = {18 + slot % 13}", "random_payload = [20, 60]"]
    scene = scenes.parse("\n".join(lines), "soak")
    samples = np.concatenate([from_complex(chunk, SampleFormat.CU8)[0] for chunk in render(scene)])
    sent = [(one.frame, one.start_s, one.duration_s) for one in truth(scene)]
    return samples, sent


@dataclass
class Air:
    """What is on the air now, and what became of the radio.

    Attributes:
        end: sample behind which the radio hears nothing more, so that what it heard can be decoded.
        sample: the sample that is on the air: the only clock there is.
        stretches: spans of samples that were delivered without gap, as air samples.
        numbers: number of each piece's first sample in the stream.
        places: the air sample that it is.
    """

    samples: RawArray
    end: float = float("inf")
    sample: int = 0
    gone_until: int = 0
    streaming: bool = False
    faults: Counter[str] = field(default_factory=Counter)
    stretches: list[list[int]] = field(default_factory=list)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    places: array[int] = field(default_factory=lambda: array("q"))

    def clock(self) -> float:
        """Seconds on the air."""
        return self.sample / RATE_HZ

    def take(self, n_samples: int) -> RawArray:
        """Take the next samples from the air."""
        n_loop = self.samples.size // 2
        index = (self.sample + np.arange(n_samples)) % n_loop
        self.sample += n_samples
        if index[-1] > index[0]:
            return self.samples[2 * index[0] : 2 * index[-1] + 2].copy()
        return self.samples.reshape(-1, 2)[index].reshape(-1).copy()


class FaultySource:
    """A radio with faults at random times."""

    uri, identity, sample_format, can_wait = "soak:0", "", SampleFormat.CU8, False
    sample_rate_hz, center_hz = RATE_HZ, CENTER_HZ

    def __init__(self, air: Air, rng: np.random.Generator, radio: list[LiveRadio]) -> None:
        if air.sample < air.gone_until:
            raise DeviceNotFound("soak:0: no radio is plugged in")
        self.settings: list[str] = []
        self._air, self._rng, self._radio = air, rng, radio
        self._stopped = threading.Event()

    def stream(self, deliver: Deliver) -> None:
        """Hand on the air, until the next fault that ends it."""
        air, rng = self._air, self._rng
        air.streaming = True
        try:
            self._stretch()
            due = self._next_fault()
            while not self._stopped.is_set():
                while self._must_wait() and not self._stopped.is_set():
                    time.sleep(0.0005)
                lost = 0
                if air.sample >= due:
                    due = self._next_fault()
                    fault = str(rng.choice(FAULTS))
                    air.faults[fault] += 1
                    if fault == "unplug":
                        air.gone_until = air.sample + round(rng.uniform(1.0, 40.0) * RATE_HZ)
                        raise DeviceLost("soak:0: was unplugged")
                    if fault == "stall":
                        while not self._stopped.wait(0.001):
                            air.sample += PIECE
                        return
                    skipped = round(rng.uniform(0.1, 0.5) * RATE_HZ)
                    air.sample += skipped
                    self._stretch()
                    lost = skipped if fault == "lost" else 0
                self._deliver(deliver, lost)
        finally:
            air.streaming = False

    def stop(self) -> None:
        """End the stream."""
        self._stopped.set()

    def close(self) -> None:
        """Nothing to let go."""

    def _must_wait(self) -> bool:
        return self._air.sample >= self._air.end or self._radio[0].link.backlog_samples > BACKLOG

    def _next_fault(self) -> int:
        wait_s = LEAST_S + self._rng.exponential(MEAN_S - LEAST_S)
        return self._air.sample + round(wait_s * RATE_HZ)

    def _stretch(self) -> None:
        self._air.stretches.append([self._air.sample, self._air.sample])

    def _deliver(self, deliver: Deliver, lost: int) -> None:
        air = self._air
        place = air.sample
        number = self._radio[0].link.next_sample + lost
        raw = air.take(PIECE)
        air.numbers.append(number)
        air.places.append(place)
        air.stretches[-1][1] = air.sample
        deliver(raw, lost)


def main() -> None:
    """Run, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    samples, sent = street()
    air, rng = Air(samples), np.random.default_rng(args.seed)
    said: list[str] = []
    holder: list[LiveRadio] = []
    woken = threading.Event()
    radio = LiveRadio(
        RadioOptions("soak:0", (Tuning(RATE_HZ, CENTER_HZ),)),
        Selection(),
        Decoder(),
        lambda _uri, _tuning: FaultySource(air, rng, holder),
        said.append,
        wake=woken.set,
        clock=air.clock,
    )
    holder.append(radio)
    radio.open()
    radio.start()
    session = LiveSession([radio], woken, clock=air.clock)
    started_s, cpu_s = time.monotonic(), time.process_time()
    air.end = args.hours * 3600.0 * RATE_HZ
    heard: list[tuple[int, bytes]] = []
    rejected = 0
    memory_mb = []
    for reception in session.run():
        if reception is not None:
            rejected += reception.rejection is not None
            heard.append((reception.first_sample, reception.frame))
        elif not air.streaming:
            air.sample += round(0.25 * RATE_HZ)  # nobody else moves the time while the radio is away
        if air.sample > air.end * (len(memory_mb) + 1) / 20:
            memory_mb.append(round(_resident_mb(), 1))
        if reception is None and air.sample >= air.end and not radio.link.backlog_samples:
            break  # all that was heard is decoded
    heard += [(reception.first_sample, reception.frame) for reception in session.close()]
    result = {
        "hours": args.hours,
        "seed": args.seed,
        "samples": sum(stop - start for start, stop in air.stretches),
        "times_real_time": round(air.clock() / (time.monotonic() - started_s), 1),
        "cpu_share_of_real_time": round((time.process_time() - cpu_s) / air.clock(), 4),
        "faults": dict(sorted(air.faults.items())),
        **_compare(air, sent, heard),
        "rejected": rejected,
        "sentences": dict(sorted(_kinds(said).items())),
        "resident_mb": memory_mb,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(result, indent=1))


def _compare(
    air: Air, sent: list[tuple[bytes, float, float]], heard: list[tuple[int, bytes]]
) -> dict[str, int | list[str]]:
    """Count telegrams expected, received, and received though sent at no such time; place the missed."""
    numbers, places = np.array(air.numbers), np.array(air.places)
    on_air: dict[bytes, list[float]] = {}
    for first_sample, frame in heard:
        if frame:
            index = max(0, int(np.searchsorted(numbers, first_sample, side="right")) - 1)
            on_air.setdefault(frame, []).append(float(places[index] + first_sample - numbers[index]))
    expected = received = 0
    missed: list[str] = []
    n_loop = air.samples.size // 2
    for start, stop in air.stretches:
        for loop in range(start // n_loop, stop // n_loop + 1):
            for frame, start_s, duration_s in sent:
                first = loop * n_loop + start_s * RATE_HZ
                if first < start or first + duration_s * RATE_HZ > stop:
                    continue
                expected += 1
                times = on_air.get(frame, [])
                hit = next((at for at in times if abs(at - first) < 0.05 * RATE_HZ), None)
                if hit is not None:
                    received += 1
                    times.remove(hit)
                else:
                    begun_s, left_s = (first - start) / RATE_HZ, (stop - first) / RATE_HZ - duration_s
                    missed.append(f"{begun_s:.4f} s behind a gap, {left_s:.4f} s before the next")
    over = sum(map(len, on_air.values()))
    return {"expected": expected, "received": received, "received_beside_gaps": over, "missed": missed}


def _kinds(said: list[str]) -> Counter[str]:
    """Count sentences by what they tell."""
    kinds = {
        "lost": "trying again",
        "back": "is back after",
        "gap told by the radio": "lost before sample",
        "gap told by the clock": "tells of no loss",
        "dropped": "does not keep up",
    }
    return Counter(next((kind for kind, words in kinds.items() if words in line), "other") for line in said)


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
