"""Frames on top of each other: both are received, each once, with its own radio quality.

Two bursts of one channel in noise of a known level, the second beginning while the first is on air.
Trials are seeded; the shares that must come through stand in each test.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import NOISE_POWER, Air, on_air, place_in_noise, sent_raw

from dsp.arrays import ComplexArray
from dsp.burst import Burst
from dsp.frame_reader import Attempt
from dsp.history import RawScale
from dsp.hit_reader import HitReader
from dsp.modes import BY_NAME, FrameFormat, PhyMode
from dsp.modulator import Impairments
from dsp.receiver import Receiver
from dsp.subtraction import Removed, Subtraction
from dsp.sync_search import SyncHit
from sdr.receiver import LinkRules

AIR = Air(1.6e6, 868.95e6)
T, C = BY_NAME["T M2O"], BY_NAME["C M2O"]
LEAD = 4000
TRIALS = 8


def _receive(
    bursts: list[tuple[int, ComplexArray]], rng: np.random.Generator, **switches: bool
) -> list[Burst]:
    size = max(first + burst.size for first, burst in bursts) + 2 * LEAD
    samples = place_in_noise(bursts, size, rng)
    receiver = Receiver(
        AIR.plan("T", "C"), AIR.sample_rate_hz, AIR.center_hz, RawScale(0.0, 1.0), LinkRules(), **switches
    )
    return receiver.push(samples.view(np.float32)) + receiver.flush()


def _frames(bursts: list[Burst]) -> list[bytes]:
    return sorted(burst.raw for burst in bursts if burst.fault is None)


def _errors(rng: np.random.Generator, carrier_hz: float | None = None) -> Impairments:
    offset_hz = float(rng.uniform(-20e3, 20e3)) if carrier_hz is None else carrier_hz
    return Impairments(carrier_offset_hz=offset_hz, chip_rate_error=float(rng.uniform(-80e-6, 80e-6)))


@pytest.mark.parametrize("apart_db", [6.0, 10.0, 20.0])
@pytest.mark.parametrize("weaker_first", [True, False])
def test_weak_under_strong(apart_db: float, weaker_first: bool) -> None:
    heard = 0
    for seed in range(TRIALS):
        rng = np.random.default_rng([1, int(apart_db), seed])
        weak, strong = sent_raw(rng, 40, "A"), sent_raw(rng, 35, "A")
        levels = [(weak, 14.0), (strong, 14.0 + apart_db)]
        start, bursts = LEAD, []
        for raw, ec_n0_db in levels if weaker_first else levels[::-1]:
            bursts.append((start, on_air(raw, T, "A", AIR, rng, ec_n0_db=ec_n0_db, impairments=_errors(rng))))
            start += int(rng.uniform(0.1, 0.7) * bursts[0][1].size)
        found = _frames(_receive(bursts, rng))
        assert set(found) <= {weak, strong} and len(found) == len(set(found))
        assert strong in found
        heard += weak in found
    assert heard >= TRIALS - 1


def test_without_subtraction_the_weaker_is_lost() -> None:
    rng = np.random.default_rng(5)
    weak, strong = sent_raw(rng, 40, "A"), sent_raw(rng, 35, "A")
    bursts = [
        (LEAD, on_air(weak, T, "A", AIR, rng, ec_n0_db=14.0)),
        (LEAD + 3000, on_air(strong, T, "A", AIR, rng, ec_n0_db=24.0)),
    ]
    state = rng.bit_generator.state
    assert _frames(_receive(bursts, rng, subtraction=False)) == [strong]
    rng.bit_generator.state = state
    assert _frames(_receive(bursts, rng)) == sorted([weak, strong])


def test_a_strong_signal_beside_the_channel_hides_nothing() -> None:
    # a carrier 330 kHz away with 30 dB over the noise of T's chip rate
    rng = np.random.default_rng(6)
    raw = sent_raw(rng, 40, "A")
    burst = on_air(raw, T, "A", AIR, rng, ec_n0_db=12.0)
    size = burst.size + 2 * LEAD
    power = 1e3 * NOISE_POWER * T.chip_rate_hz / AIR.sample_rate_hz
    turns = -330e3 / AIR.sample_rate_hz * np.arange(size)
    beside = (np.sqrt(power) * np.exp(2j * np.pi * turns)).astype(np.complex64)
    assert _frames(_receive([(LEAD, burst), (0, beside)], rng)) == [raw]


def test_a_frame_that_stays_on_the_samples_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    n_read = 0
    read, subtract = HitReader.read, Subtraction.subtract

    def counted(self: HitReader, baseband: ComplexArray, hit: SyncHit, **how: bool) -> Attempt:
        nonlocal n_read
        n_read += 1
        return read(self, baseband, hit, **how)

    def without_effect(
        self: Subtraction, samples: ComplexArray, baseband: ComplexArray, attempt: Attempt
    ) -> Removed:
        return subtract(self, samples.copy(), baseband, attempt)

    monkeypatch.setattr(HitReader, "read", counted)
    monkeypatch.setattr(Subtraction, "subtract", without_effect)
    rng = np.random.default_rng(7)
    raw = sent_raw(rng, 40, "A")
    assert _frames(_receive([(LEAD, on_air(raw, T, "A", AIR, rng, ec_n0_db=20.0))], rng)) == [raw]
    assert n_read < 20  # not over and over again


@pytest.mark.parametrize(
    ("row", "frame_format", "apart_db", "least"),
    [(T, "A", 0.0, 12), (T, "A", 3.0, 15), (C, "A", 2.0, 13), (C, "A", 3.0, 15), (C, "B", 3.0, 15)],
)
def test_like_strength_on_different_carriers(
    row: PhyMode, frame_format: FrameFormat, apart_db: float, least: int
) -> None:
    # Of sixteen frames, each on top of another 40 kHz beside it. Chips of C have no code to tell them
    # apart by: at exactly the same level only about half of its frames come out.
    heard = 0
    for seed in range(TRIALS):
        rng = np.random.default_rng([2, seed])
        raws = [sent_raw(rng, 40, frame_format) for _ in range(2)]
        bursts, start = [], LEAD
        for raw, carrier_hz, ec_n0_db in zip(raws, (-20e3, 20e3), (24.0, 24.0 + apart_db), strict=True):
            burst = on_air(
                raw, row, frame_format, AIR, rng, ec_n0_db=ec_n0_db, impairments=_errors(rng, carrier_hz)
            )
            bursts.append((start, burst))
            start += int(rng.uniform(0.3, 0.8) * burst.size)
        found = _frames(_receive(bursts, rng))
        assert set(found) <= set(raws) and len(found) == len(set(found))
        heard += len(found)
    assert heard >= least


def test_three_in_a_pile_up() -> None:
    heard = 0
    for seed in range(TRIALS):
        rng = np.random.default_rng([3, seed])
        raws = [sent_raw(rng, 45, "A"), sent_raw(rng, 30, "B"), sent_raw(rng, 40, "A")]
        rows: list[tuple[PhyMode, FrameFormat, float]] = [(T, "A", 30.0), (C, "B", 22.0), (C, "A", 14.0)]
        bursts = [
            (LEAD + 2500 * n, on_air(raw, row, ff, AIR, rng, ec_n0_db=level, impairments=_errors(rng)))
            for n, (raw, (row, ff, level)) in enumerate(zip(raws, rows, strict=True))
        ]
        found = _frames(_receive(bursts, rng))
        assert set(found) <= set(raws) and len(found) == len(set(found))
        heard += len(found)
    assert heard >= 19  # of 24


def test_each_has_its_own_quality() -> None:
    rng = np.random.default_rng(7)
    weak, strong = sent_raw(rng, 40, "A"), sent_raw(rng, 40, "A")
    bursts = [
        (LEAD, on_air(strong, T, "A", AIR, rng, ec_n0_db=30.0, impairments=_errors(rng, 12e3))),
        (LEAD + 4000, on_air(weak, T, "A", AIR, rng, ec_n0_db=15.0, impairments=_errors(rng, -15e3))),
    ]
    noise_db = 10 * np.log10(NOISE_POWER * T.chip_rate_hz / AIR.sample_rate_hz)
    found = {burst.raw: burst for burst in _receive(bursts, rng)}
    for raw, first, ec_n0_db, carrier_hz in ((strong, LEAD, 30.0, 12e3), (weak, LEAD + 4000, 15.0, -15e3)):
        burst = found[raw]
        assert burst.quality.rssi_dbfs == pytest.approx(noise_db + ec_n0_db, abs=0.5)
        assert burst.quality.frequency_error_hz == pytest.approx(carrier_hz, abs=200)
        assert burst.quality.deviation_hz == pytest.approx(50e3, rel=0.01)
        assert burst.first_sample == pytest.approx(first, abs=32)


def test_a_repeaters_copy_is_a_frame_of_its_own() -> None:
    rng = np.random.default_rng(8)
    raw = sent_raw(rng, 30, "A")
    first = on_air(raw, T, "A", AIR, rng, ec_n0_db=25.0)
    copy = on_air(raw, T, "A", AIR, rng, ec_n0_db=18.0)
    found = _receive([(LEAD, first), (LEAD + first.size // 2, copy)], rng)
    assert [burst.raw for burst in found if burst.fault is None] == [raw, raw]
