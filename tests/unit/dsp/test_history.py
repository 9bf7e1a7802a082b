"""The window onto the raw stream: any storage, any cut, bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.arrays import ComplexArray, RawArray
from dsp.history import History, RawScale
from sdr.sample_format import SampleFormat, to_complex

every_format = pytest.mark.parametrize("sample_format", SampleFormat, ids=[f.label for f in SampleFormat])


def _scale(sample_format: SampleFormat) -> RawScale:
    return RawScale(sample_format.zero_offset, sample_format.scale)


def _random(sample_format: SampleFormat, n_samples: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    if sample_format is SampleFormat.CF32:
        return rng.standard_normal(2 * n_samples).astype(np.float32)
    limits = np.iinfo(sample_format.dtype)
    return rng.integers(limits.min, limits.max, 2 * n_samples, dtype=sample_format.dtype, endpoint=True)


def _held(raw: RawArray, raw_scale: RawScale) -> History:
    history = History(raw.size // 2, raw_scale)
    history.append(raw)
    return history


def _read(history: History, start: int, stop: int, offset: complex = 0.0) -> ComplexArray:
    samples = np.empty(stop - start, dtype=np.complex64)
    history.read(start, samples, offset)
    return samples


@every_format
def test_stored_values_become_samples(sample_format: SampleFormat) -> None:
    raw = _random(sample_format, 1000)
    samples = _read(_held(raw, _scale(sample_format)), 0, 1000)
    np.testing.assert_allclose(samples, to_complex(raw, sample_format), rtol=1e-6, atol=1e-7)


def test_an_offset_is_taken_off() -> None:
    raw = _random(SampleFormat.CU8, 1000)
    history = _held(raw, _scale(SampleFormat.CU8))
    shifted = _read(history, 0, 1000, 0.25 - 0.5j)
    np.testing.assert_allclose(shifted, _read(history, 0, 1000) - (0.25 - 0.5j), atol=1e-7)


def test_full_scale_of_8_bits() -> None:
    raw = np.array([0, 255, 127, 128], dtype=np.uint8)
    samples = _read(_held(raw, _scale(SampleFormat.CU8)), 0, 2)
    np.testing.assert_allclose(samples, [-1 + 1j, (-0.5 + 0.5j) / 127.5], rtol=1e-6)


@every_format
@pytest.mark.parametrize("seed", range(3))
def test_any_stretch_that_is_held_comes_back(sample_format: SampleFormat, seed: int) -> None:
    rng = np.random.default_rng(seed)
    keep, n_samples = 700, 20_000
    raw = _random(sample_format, n_samples)
    whole = _read(_held(raw, _scale(sample_format)), 0, n_samples)
    history = History(keep, _scale(sample_format))
    done = 0
    while done < n_samples:
        n_new = int(rng.integers(0, 900))
        history.append(raw[2 * done : 2 * (done + n_new)])
        done = min(done + n_new, n_samples)
        assert history.end == done
        oldest = max(0, done - keep)
        start, stop = sorted(int(i) for i in rng.integers(oldest, done + 1, 2))
        assert history.first <= start
        np.testing.assert_array_equal(_read(history, start, stop), whole[start:stop])


def test_what_is_handed_out_is_not_touched_later() -> None:
    history = History(50, RawScale(0.0, 1.0))
    history.append(np.ones(100, dtype=np.float32))
    samples = _read(history, 0, 50)
    samples *= 3
    for _ in range(20):
        history.append(np.zeros(100, dtype=np.float32))
    np.testing.assert_array_equal(samples, np.full(50, 3 + 3j))
    assert _read(history, history.end - 50, history.end).max() == 0


def test_memory_is_bounded_by_what_is_kept() -> None:
    history = History(1000, RawScale(127.5, 1 / 127.5))
    sizes = set()
    for _ in range(500):
        history.append(np.zeros(2 * 300, dtype=np.uint8))
        sizes.add(history._raw.nbytes)
    assert len(sizes) == 1
    assert sizes.pop() <= 2 * (2 * 1000 + 300)
