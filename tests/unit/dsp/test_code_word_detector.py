"""Coherent detection of 3-of-6 words and Manchester bits as wholes."""

from __future__ import annotations

import numpy as np
import pytest
from support import InBaseband, in_baseband, sent_raw

from dsp import line_code
from dsp.chip_detector import SoftChips
from dsp.code_word_detector import CodeWordDetector
from dsp.modes import BY_NAME, PhyMode
from dsp.modulator import Impairments

ROWS = [BY_NAME[name] for name in ("T M2O", "S2 M2O", "R2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def _noncoherent(burst: InBaseband, row: PhyMode, wrong: np.ndarray | None = None) -> tuple[SoftChips, bytes]:
    """Chips from the sync pattern on as the detector before would decide them, and the bytes behind."""
    n = burst.channel.samples_per_chip
    first = round((burst.pattern_start(n) - burst.start) / n)
    stop = burst.levels.size - 4  # the trailer
    levels = burst.levels[first:stop].copy()
    if wrong is not None:
        levels[wrong] *= np.float32(-1)
    starts = burst.start + n * np.arange(first, stop)
    dev_hz = row.deviation.typical_hz
    chips = SoftChips(levels, starts, -dev_hz, dev_hz)
    sent = line_code.decode(burst.levels[first + len(burst.channel.pattern) : stop], row.line_code)
    return chips, sent


@every_row
def test_words_come_back_though_some_chips_were_decided_wrong(row: PhyMode) -> None:
    rng = np.random.default_rng(1)
    burst = in_baseband(row, "A", rng, ec_n0_db=14)
    n_known = len(burst.channel.pattern)
    wrong = n_known + rng.choice(400, 20, replace=False)
    chips, sent = _noncoherent(burst, row, wrong)
    found, _ = CodeWordDetector(burst.channel, row).detect(burst.samples, chips)
    assert line_code.decode(found.values[n_known:], row.line_code) == sent
    assert found.values.dtype == np.float32


@every_row
@pytest.mark.parametrize("n_heard", [0, 30, 60, 110])
def test_dead_silence_behind_some_chips_is_borne(row: PhyMode, n_heard: int) -> None:
    burst = in_baseband(row, "A", np.random.default_rng(4))
    chips, _ = _noncoherent(burst, row)
    samples = burst.samples.copy()
    samples[round(chips.starts[n_heard]) :] = 0.0
    found, _ = CodeWordDetector(burst.channel, row).detect(samples, chips)
    assert np.all(np.isfinite(found.starts))
    assert (
        np.max(np.abs(found.starts - chips.starts[: found.starts.size])) <= 3 * burst.channel.samples_per_chip
    )


@every_row
def test_tones_are_refined(row: PhyMode) -> None:
    rng = np.random.default_rng(2)
    impairments = Impairments(
        carrier_offset_hz=0.02 * row.chip_rate_hz, deviation_hz=row.deviation.typical_hz
    )
    burst = in_baseband(row, "A", rng, impairments=impairments)
    chips, sent = _noncoherent(burst, row)  # tones as if there were no offset
    found, _ = CodeWordDetector(burst.channel, row).detect(burst.samples, chips)
    offset_hz = (found.low_hz + found.high_hz) / 2
    assert offset_hz == pytest.approx(impairments.carrier_offset_hz, abs=0.004 * row.chip_rate_hz)
    assert line_code.decode(found.values[len(burst.channel.pattern) :], row.line_code) == sent


@every_row
def test_word_errors_at_the_limit(row: PhyMode) -> None:
    # 9 dB: at most 4 bytes in 1000 wrong, which lets nearly every frame of 60 bytes through.
    rng = np.random.default_rng(3)
    wrong = total = 0
    for _ in range(8):
        burst = in_baseband(row, "A", rng, ec_n0_db=9.0, raw=sent_raw(rng, 60, "A"))
        chips, sent = _noncoherent(burst, row)
        found, _ = CodeWordDetector(burst.channel, row).detect(burst.samples, chips)
        got = line_code.decode(found.values[len(burst.channel.pattern) :], row.line_code)
        wrong += sum(a != b for a, b in zip(got, sent, strict=True))
        total += len(sent)
    assert wrong <= 0.004 * total


@every_row
def test_other_words_explain_the_errors(row: PhyMode) -> None:
    rng = np.random.default_rng(4)
    explained = wrong = 0
    for _ in range(12):
        burst = in_baseband(row, "A", rng, ec_n0_db=6.0, raw=sent_raw(rng, 60, "A"))
        chips, sent = _noncoherent(burst, row)
        found, others = CodeWordDetector(burst.channel, row).detect(burst.samples, chips)
        got = line_code.decode(found.values[len(burst.channel.pattern) :], row.line_code)
        errors = np.unpackbits(np.frombuffer(bytes(a ^ b for a, b in zip(got, sent, strict=True)), np.uint8))
        flipped = errors.copy()
        assert np.all(np.diff(others.costs) >= 0) and np.all(others.costs >= 0)
        for last, mask in zip(others.last.tolist(), others.mask.tolist(), strict=True):
            bits = [last - j for j in range(4) if mask >> j & 1]
            if flipped[bits].any() and not flipped[[b for b in bits if not errors[b]]].any():
                flipped[bits] ^= 1
        wrong += np.count_nonzero(errors)
        explained += np.count_nonzero(errors) - np.count_nonzero(flipped)
    assert wrong > 10
    assert explained > 0.5 * wrong


@every_row
def test_fewer_chips_than_a_word(row: PhyMode) -> None:
    burst = in_baseband(row, "A", np.random.default_rng(5))
    chips, _ = _noncoherent(burst, row)
    n = len(burst.channel.pattern) + 1
    few = SoftChips(chips.values[:n], chips.starts[:n], chips.low_hz, chips.high_hz)
    found, others = CodeWordDetector(burst.channel, row).detect(burst.samples, few)
    assert found is few and others.costs.size == 0


@every_row
def test_chip_starts_are_refined(row: PhyMode) -> None:
    # a clock that is up to 4 % of a chip off: at the largest deviation a phase of one radian and more
    rng = np.random.default_rng(6)
    impairments = Impairments(deviation_hz=row.deviation.max_hz)
    burst = in_baseband(row, "A", rng, ec_n0_db=9.0, raw=sent_raw(rng, 60, "A"), impairments=impairments)
    chips, _ = _noncoherent(burst, row)
    n = burst.channel.samples_per_chip
    late = 0.02 * n * (1.0 + np.sin(np.linspace(0.0, 3.0, chips.starts.size)))
    shifted = SoftChips(chips.values, chips.starts - late, -row.deviation.max_hz, row.deviation.max_hz)
    found, _ = CodeWordDetector(burst.channel, row).detect(burst.samples, shifted)
    assert np.abs(found.starts - chips.starts[: found.starts.size]).max() < 0.01 * n
