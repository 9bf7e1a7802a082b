"""Samples and baseband of a region in step, while bursts are taken off and put back."""

from __future__ import annotations

import numpy as np
from support import NOISE_POWER, Air, on_air, place_in_noise, sent_raw

from dsp.arrays import ComplexArray
from dsp.baseband import BasebandFilter
from dsp.history import History, RawScale
from dsp.hit_reader import HitReader
from dsp.modes import BY_NAME
from dsp.subtraction import Subtraction
from dsp.sync_search import SyncSearch
from dsp.workspace import Workspace
from sdr.receiver import LinkRules

FIRST = 12_345


def _history(samples: ComplexArray) -> History:
    """Hold samples from ``FIRST`` on."""
    history = History(FIRST + samples.size, RawScale(0.0, 1.0))
    history.append(np.zeros(2 * FIRST, dtype=np.float32))
    history.append(samples.view(np.float32))
    return history


def _workspace(name: str, air: Air) -> tuple[Workspace, BasebandFilter, HitReader, SyncSearch]:
    row = BY_NAME[name]
    rng = np.random.default_rng(3)
    channel = next(c for c in air.plan().channels if row in c.rows)
    burst = on_air(sent_raw(rng, 40, "A"), row, "A", air, rng, ec_n0_db=25)
    samples = place_in_noise([(4000, burst)], burst.size + 9001, rng)
    baseband_filter = BasebandFilter(channel, air.sample_rate_hz, air.center_hz)
    shift = (channel.center_hz - air.center_hz) / air.sample_rate_hz
    subtraction = Subtraction(channel, shift, baseband_filter.step)
    workspace = Workspace(baseband_filter, subtraction)
    workspace.begin(FIRST, NOISE_POWER)
    workspace.grow(_history(samples), FIRST + samples.size, is_last=True)
    return workspace, baseband_filter, HitReader(channel, LinkRules()), SyncSearch(channel)


def test_the_baseband_follows_the_samples() -> None:
    for name, air in (("T M2O", Air(1.6e6, 868.95e6)), ("S2 M2O", Air(2.4e6, 868.9e6))):
        workspace, baseband_filter, reader, search = _workspace(name, air)
        before = workspace.baseband.copy()
        attempt = reader.read(workspace.baseband, search.find(workspace.baseband)[0])
        lifted = workspace.lift_off(attempt)
        anew = baseband_filter.extract(workspace._samples, FIRST)
        # where the rates' ratio is no whole number, other ones of 128 fractional delays are nearest
        noise = float(np.sqrt(workspace.noise_power))
        np.testing.assert_allclose(workspace.baseband, anew, atol=0.03 * noise)
        workspace.put_back(lifted)
        np.testing.assert_allclose(workspace.baseband, before, atol=0.03 * noise)


def test_growing_changes_nothing() -> None:
    for name, air in (("T M2O", Air(1.6e6, 868.95e6)), ("S2 M2O", Air(2.4e6, 868.9e6))):
        workspace, _, _, _ = _workspace(name, air)
        samples, baseband = workspace._samples.copy(), workspace.baseband.copy()
        noise = float(np.sqrt(workspace.noise_power))
        workspace.begin(FIRST, NOISE_POWER)
        for start in range(0, samples.size, 777):
            assert workspace.next_sample == FIRST + start
            workspace.grow(_history(samples), FIRST + start + 777, is_last=start + 777 >= samples.size)
            n = workspace.baseband.size  # what is there does not change any more
            np.testing.assert_allclose(workspace.baseband, baseband[:n], atol=0.03 * noise)
        assert workspace.baseband.size == baseband.size


def test_what_is_more_than_noise_is_found() -> None:
    workspace, _, reader, search = _workspace("T M2O", Air(1.6e6, 868.95e6))
    span = (0, workspace.baseband.size)
    window = 256
    unclean = workspace.unclean(span, window, 1.3)
    assert unclean is not None
    start, stop = (place * workspace.step for place in unclean)
    assert abs(start - 4000) <= 2 * window and abs(stop - (workspace._samples.size - 5001)) <= 4 * window
    attempt = reader.read(workspace.baseband, search.find(workspace.baseband)[0])
    removed = workspace.take_off(attempt)
    assert workspace.unclean(workspace.span(removed), window, 1.3) is None
    assert workspace.power(workspace.span(removed)) < 1.1 * workspace.noise_power
