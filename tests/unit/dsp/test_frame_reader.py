"""From a sync hit to a frame: when reading ends early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import InBaseband, in_baseband, sent_raw

from dsp.arrays import ComplexArray
from dsp.burst import Fault
from dsp.detection import Detected
from dsp.frame_reader import Attempt
from dsp.hit_reader import HitReader
from dsp.modes import BY_NAME, FrameFormat
from dsp.repair import cheapest
from dsp.sync_search import SyncSearch
from sdr.receiver import LinkRules

every_code = pytest.mark.parametrize("name", ["C M2O", "T M2O", "S2 M2O"])


def _read(burst: InBaseband, samples: ComplexArray) -> tuple[Attempt, list[int]]:
    """Read the clearest hit; return the attempt, and how many bytes coherent detection was asked for."""
    reader = HitReader(burst.channel, LinkRules())
    asked: list[int] = []
    detectors = reader._reader._detectors
    original = detectors.of

    def watched(*args, **options):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN003, ANN202
        cheap, *others = original(*args, **options)
        yield cheap
        for detect in others:
            yield lambda n_bytes, detect=detect: asked.append(n_bytes) or detect(n_bytes)

    detectors.of = watched  # type: ignore[method-assign]
    return reader.read(samples, SyncSearch(burst.channel).find(samples)[0]), asked


@every_code
def test_a_clean_frame_never_asks_for_coherent_detection(name: str) -> None:
    row = BY_NAME[name]
    raw = sent_raw(np.random.default_rng(1), 60, "A")
    burst = in_baseband(row, "A", np.random.default_rng(2), ec_n0_db=25, raw=raw)
    attempt, asked = _read(burst, burst.samples)
    assert (attempt.raw, attempt.fault, asked) == (raw, None, [])


@every_code
def test_noise_behind_a_sync_word_is_given_up_after_the_first_block(name: str) -> None:
    row = BY_NAME[name]
    rng = np.random.default_rng(3)
    burst = in_baseband(row, "A", rng, ec_n0_db=15, raw=sent_raw(rng, 150, "A"))
    header = burst.start + burst.channel.samples_per_chip * (row.header_chips + 2)
    samples = burst.samples.copy()
    power = np.mean(np.abs(samples[int(burst.start) : int(header)]) ** 2)
    behind = samples[int(header) :]
    behind[:] = np.sqrt(power / 2) * (
        rng.standard_normal(behind.size) + 1j * rng.standard_normal(behind.size)
    )
    attempt, asked = _read(burst, samples)
    assert attempt.fault is not None
    assert all(n_bytes <= LinkRules().first_span_bytes("A") for n_bytes in asked)


@every_code
def test_a_damaged_frame_is_asked_for_whole(name: str) -> None:
    row = BY_NAME[name]
    rng = np.random.default_rng(4)
    raw = sent_raw(rng, 60, "A")
    burst = in_baseband(row, "A", rng, ec_n0_db=20, raw=raw)
    samples = burst.samples.copy()
    at = int(burst.start + burst.channel.samples_per_chip * (row.header_chips + 40 * row.chips_per_byte))
    samples[at : at + 40 * burst.channel.samples_per_chip] = 0.0
    attempt, asked = _read(burst, samples)
    assert attempt.fault is Fault.CRC_MISMATCH and 1 not in attempt.bad_blocks
    assert asked == [LinkRules().first_span_bytes("A"), len(raw)]


def test_errors_that_cancel_in_rough_chips_are_left_to_the_better_detector() -> None:
    # 151 bits apart in a block of format B, one of them wrong once in 8000 by what the chips say.
    row, raw = BY_NAME["C M2O"], sent_raw(np.random.default_rng(4), 50, "B")
    burst = in_baseband(row, "B", np.random.default_rng(5), ec_n0_db=25, raw=raw)
    reader = HitReader(burst.channel, LinkRules())
    original = reader._reader._detectors.of
    twins = np.array([100, 251])

    def deceived(*args, **options):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN003, ANN202
        cheap, *others = original(*args, **options)

        def detect(n_bytes: int) -> Detected:
            found = cheap(n_bytes)
            bits = found.bits.copy()
            if n_bytes == len(raw):
                bits[twins] *= -1.0
            costs = np.array([0.5, 9.0], dtype=np.float32)
            return replace(found, bits=bits, others=cheapest(costs, twins, np.ones(2, dtype=np.uint64), 2))

        yield detect
        yield from others

    reader._reader._detectors.of = deceived  # type: ignore[method-assign]
    hit = SyncSearch(burst.channel).find(burst.samples)[0]
    rough = reader.read(burst.samples, hit, thorough=False)
    assert rough.raw != raw and rough.fault is Fault.CRC_AMBIGUOUS
    attempt = reader.read(burst.samples, hit)
    assert (attempt.raw, attempt.fault) == (raw, None)


@pytest.mark.parametrize(
    ("name", "frame_format"), [("C M2O", "A"), ("C M2O", "B"), ("T M2O", "A"), ("S2 M2O", "A")]
)
def test_a_frame_that_comes_is_read_on_as_it_would_be_read_whole(
    name: str, frame_format: FrameFormat
) -> None:
    row = BY_NAME[name]
    raw = sent_raw(np.random.default_rng(6), 100, frame_format)
    burst = in_baseband(row, frame_format, np.random.default_rng(7), ec_n0_db=20, raw=raw)
    reader = HitReader(burst.channel, LinkRules())
    hit = SyncSearch(burst.channel).find(burst.samples)[0]
    whole = reader.read(burst.samples, hit, thorough=False)
    coming = hit.start + round(burst.channel.samples_per_chip * (reader.header_chips + 24))
    begun = reader.read(burst.samples[:coming].copy(), hit, thorough=False, is_growing=True)
    assert begun.fault is Fault.TRUNCATED
    stop = reader.announced_stop(begun)
    assert stop is not None and abs(stop - whole.span[1]) < 3 * burst.channel.samples_per_chip
    read_on = reader.read_on(burst.samples, begun)
    assert read_on is not None and (read_on.raw, read_on.fault) == (raw, None) == (whole.raw, whole.fault)
    assert np.array_equal(read_on.chips.values, whole.chips.values)
    assert np.array_equal(read_on.chips.starts, whole.chips.starts)


def test_a_frame_that_comes_damaged_is_left_to_a_new_reading() -> None:
    raw = sent_raw(np.random.default_rng(6), 100, "A")
    burst = in_baseband(BY_NAME["T M2O"], "A", np.random.default_rng(7), ec_n0_db=20, raw=raw)
    reader = HitReader(burst.channel, LinkRules())
    hit = SyncSearch(burst.channel).find(burst.samples)[0]
    coming = hit.start + round(burst.channel.samples_per_chip * (reader.header_chips + 24))
    begun = reader.read(burst.samples[:coming].copy(), hit, thorough=False, is_growing=True)
    samples = burst.samples.copy()
    samples[coming + 1000 : coming + 2000] = 0.0
    assert reader.read_on(samples, begun) is None
