"""Code words of transmitters that filter their chips though their row does not ask for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import in_baseband, sent_raw

from dsp import line_code
from dsp.chip_detector import SoftChips
from dsp.code_word_detector import CodeWordDetector
from dsp.encoder import chip_string
from dsp.gaussian_words import BANDWIDTH_TIME, GaussianWords
from dsp.line_code import code_words
from dsp.modes import BY_NAME, PhyMode
from dsp.modulator import Impairments

ROWS = [BY_NAME[name] for name in ("T M2O", "S2 M2O", "R2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
kinds = pytest.mark.parametrize("gaussian", [False, True], ids=["plain", "Gaussian"])


@every_row
@kinds
@pytest.mark.parametrize("deviation", [0.85, 1.2], ids=["small", "large"])
def test_kinds_of_chips_are_told_apart(row: PhyMode, gaussian: bool, deviation: float) -> None:
    rng = np.random.default_rng(1)
    deviation_hz = deviation * row.deviation.typical_hz
    sent = replace(row, bandwidth_time=BANDWIDTH_TIME) if gaussian else row
    burst = in_baseband(
        row, "A", rng, sent_as=sent, ec_n0_db=8.0, impairments=Impairments(deviation_hz=deviation_hz)
    )
    n = burst.channel.samples_per_chip
    words = GaussianWords(row, n, code_words(row.line_code).astype(np.int64), 0.92)
    starts = burst.start + n * np.arange(burst.levels.size - 4)
    tones = 0.9 * deviation_hz if gaussian else deviation_hz
    found = words.fit(
        burst.samples, starts, n, burst.levels[: starts.size] > 0, tones / burst.channel.baseband_rate_hz
    )
    assert (found.gaussian > found.plain) == gaussian
    if gaussian:
        assert found.deviation * burst.channel.baseband_rate_hz == pytest.approx(deviation_hz, rel=0.08)


@every_row
def test_word_errors_at_the_limit(row: PhyMode) -> None:
    # 9 dB: at most 4 bytes in 1000 wrong, as from plain transmitters
    rng = np.random.default_rng(3)
    sent_row = replace(row, bandwidth_time=BANDWIDTH_TIME)
    deviation_hz = row.deviation.typical_hz
    wrong = total = 0
    for _ in range(8):
        burst = in_baseband(row, "A", rng, sent_as=sent_row, ec_n0_db=9.0, raw=sent_raw(rng, 60, "A"))
        n, pattern = burst.channel.samples_per_chip, chip_string(burst.channel.pattern)
        first = round((burst.pattern_start(n) - burst.start) / n)
        stop = burst.levels.size - 4
        levels = burst.levels[first:stop].copy()
        levels[pattern.size + rng.choice(levels.size - pattern.size, levels.size // 20, replace=False)] *= -1
        chips = SoftChips(
            levels, burst.start + n * np.arange(first, stop), -0.9 * deviation_hz, 0.9 * deviation_hz
        )
        found, _ = CodeWordDetector(burst.channel, row).detect(burst.samples, chips)
        got = line_code.decode(found.values[pattern.size :], row.line_code)
        sent = line_code.decode(burst.levels[first + pattern.size : stop], row.line_code)
        wrong += sum(a != b for a, b in zip(got, sent, strict=True))
        total += len(sent)
    assert wrong <= 0.004 * total


@pytest.mark.parametrize(
    ("name", "deviation_hz", "tones_hz", "ec_n0_db"),
    [("S2 M2O", 80e3, (-50e3, 65e3), 7.0), ("T M2O", 40e3, (-25e3, 41e3), 6.5)],
)
def test_words_at_the_edges_of_the_deviation(
    name: str, deviation_hz: float, tones_hz: tuple[float, float], ec_n0_db: float
) -> None:
    # tones as the sync pattern tells them, low and beside the carrier: plain words lose their phase on them
    row = BY_NAME[name]
    sent_row = replace(row, bandwidth_time=BANDWIDTH_TIME)
    impairments = Impairments(deviation_hz=deviation_hz)
    failed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        raw = sent_raw(rng, 40, "A")
        burst = in_baseband(
            row, "A", rng, sent_as=sent_row, ec_n0_db=ec_n0_db, raw=raw, impairments=impairments
        )
        n, n_known = burst.channel.samples_per_chip, len(burst.channel.pattern)
        first, stop = round((burst.pattern_start(n) - burst.start) / n), burst.levels.size - 4
        levels = burst.levels[first:stop].copy()
        wrong = n_known + rng.choice(levels.size - n_known, levels.size // 8, replace=False)
        levels[wrong] *= -0.5
        chips = SoftChips(levels, burst.start + n * np.arange(first, stop), *tones_hz)
        found, _ = CodeWordDetector(burst.channel, row).detect(burst.samples, chips)
        got = line_code.decode(found.values[n_known:], row.line_code)
        failed += sum(a != b for a, b in zip(got, raw, strict=True)) > 2
    assert failed <= 1
