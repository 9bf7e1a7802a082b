"""Where bursts begin: place, tones, polarity and chip rate from the sync pattern alone."""

from __future__ import annotations

import numpy as np
import pytest
from support import InBaseband, carrier_error_hz, in_baseband

from dsp import channel as radio
from dsp.modes import BY_NAME, PhyMode
from dsp.modulator import Impairments
from dsp.sync_search import THRESHOLD, SyncHit, SyncSearch
from dsp.tone_envelopes import HOPS_PER_CHIP

ROWS = [BY_NAME[name] for name in ("S2 M2O", "T M2O", "C M2O", "C2 O2M", "R2", "Na", "Nc", "N2g", "F2")]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def _best(burst: InBaseband) -> SyncHit:
    return SyncSearch(burst.channel).find(burst.samples)[0]


@every_row
@pytest.mark.parametrize("inverted", [False, True], ids=["upright", "inverted"])
def test_the_best_hit_is_the_burst(row: PhyMode, inverted: bool) -> None:
    rng = np.random.default_rng(1)
    n = HOPS_PER_CHIP
    for carrier in (-1.0, 0.0, 0.6):
        for rate in (-1.0, 0.0, 1.0):
            impairments = Impairments(
                carrier_offset_hz=carrier * carrier_error_hz(row),
                chip_rate_error=rate * row.rx_chip_rate_tolerance,
            )
            burst = in_baseband(row, "A", rng, impairments=impairments, inverted=inverted, ec_n0_db=24)
            hit = _best(burst)
            samples_per_chip = burst.channel.samples_per_chip
            period = samples_per_chip / (1 + impairments.chip_rate_error)
            assert hit.metric > 0.7
            # start and rate share the pattern's middle: there the hit is right to half a chip
            middle = burst.pattern_start(period) + period * len(burst.channel.pattern) / 2
            found_period = samples_per_chip / (1 + hit.chip_rate_error)
            found = hit.start + found_period * len(burst.channel.pattern) / 2
            assert abs(found - middle) < 0.5 * samples_per_chip + samples_per_chip / n
            assert (hit.high_hz < hit.low_hz) is inverted
            assert (hit.low_hz + hit.high_hz) / 2 == pytest.approx(
                impairments.carrier_offset_hz, abs=0.6 * row.chip_rate_hz
            )
            assert abs(hit.chip_rate_error) <= row.rx_chip_rate_tolerance * 1.05


@every_row
def test_level_does_not_matter(row: PhyMode) -> None:
    burst = in_baseband(row, "A", np.random.default_rng(2))
    search = SyncSearch(burst.channel)
    loud = search.find(burst.samples * np.float32(30.0))
    soft = search.find(burst.samples * np.float32(1e-4))
    assert [hit.start for hit in loud] == [hit.start for hit in soft]
    assert [hit.metric for hit in loud] == pytest.approx([hit.metric for hit in soft], abs=1e-3)


@every_row
def test_noise_rarely_looks_like_a_sync_word(row: PhyMode) -> None:
    rng = np.random.default_rng(3)
    channel = in_baseband(row, "A", rng).channel
    n_chips = 20_000
    noise = radio.noise(n_chips * channel.samples_per_chip, 1.0, rng)
    hits = SyncSearch(channel).find(noise)
    assert all(hit.metric >= THRESHOLD for hit in hits)
    # a hit costs time, not trust: at most one in 40 chips, and none as clear as a burst
    assert len(hits) < n_chips / 40
    assert max((hit.metric for hit in hits), default=0.0) < 0.7


@every_row
def test_known_noise_hides_no_weak_burst(row: PhyMode) -> None:
    # what is passed over as noise is not the burst, at less than any row is read at
    rng = np.random.default_rng(17)
    n_found = 0
    for _ in range(12):
        burst = in_baseband(row, "A", rng, ec_n0_db=6.0)
        search = SyncSearch(burst.channel)
        anywhere = search.find(burst.samples)
        aware = search.find(burst.samples, chip_noise_power=10.0 ** (-6.0 / 10.0))
        start = burst.pattern_start(burst.channel.samples_per_chip)
        near = [h for h in anywhere if abs(h.start - start) < burst.channel.samples_per_chip]
        assert set(near) <= set(aware)
        assert len(aware) <= len(anywhere)
        n_found += len(near)
    assert n_found >= 9


def test_hits_come_best_first_and_apart() -> None:
    rng = np.random.default_rng(4)
    bursts = [in_baseband(BY_NAME["T M2O"], "A", rng, ec_n0_db=db) for db in (12, 25, 18)]
    search = SyncSearch(bursts[0].channel)
    hits = search.find(np.concatenate([burst.samples for burst in bursts]))
    metrics = [hit.metric for hit in hits]
    assert metrics == sorted(metrics, reverse=True)
    clear = sorted(hit.start for hit in hits[:3])
    starts = np.cumsum([0] + [burst.samples.size for burst in bursts[:2]])
    for found, start, burst in zip(clear, starts, bursts, strict=True):
        assert found - start == pytest.approx(burst.pattern_start(burst.channel.samples_per_chip), abs=4)
    apart = np.diff(sorted(hit.start for hit in hits))
    assert apart.min() >= 6 * bursts[0].channel.samples_per_chip


@pytest.mark.parametrize("n_samples", [0, 1, 50, 200])
def test_too_short_to_hold_a_pattern(n_samples: int) -> None:
    search = SyncSearch(in_baseband(BY_NAME["T M2O"], "A", np.random.default_rng(5)).channel)
    assert search.find(np.ones(n_samples, dtype=np.complex64)) == []


def test_silence_and_a_bare_carrier_give_nothing_clear() -> None:
    search = SyncSearch(in_baseband(BY_NAME["T M2O"], "A", np.random.default_rng(6)).channel)
    assert search.find(np.zeros(4000, dtype=np.complex64)) == []
    carrier = np.exp(0.3j * np.arange(4000)).astype(np.complex64)
    assert all(hit.metric < 0.6 for hit in search.find(carrier))
