"""Sync words told from each other and from themselves elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.alignment import Alignment
from dsp.arrays import FloatArray

# sync words of mode C from EN 13757-4, behind the shortest preamble of 16 pairs
HEADERS = [
    np.array([1.0 if chip == "1" else -1.0 for chip in "01" * 16 + f"{word:032b}"], dtype=np.float32)
    for word in (0x543D54CD, 0x543D543D)
]
N_KNOWN = 36  # of mode C downlink
SLIPS = (0, -1, 1, -2, 2, -3, 3, -4, 4)


def _levels(sent: int, begins: int, rng: np.random.Generator, wrong: int = 0) -> FloatArray:
    """Symbols of a frame from so many chips behind its sync pattern on, some of the first ones wrong."""
    chips = np.concatenate([HEADERS[sent], rng.choice([-1.0, 1.0], 200)]).astype(np.float32)
    levels = chips[HEADERS[sent].size - N_KNOWN + begins :].copy()
    levels[rng.choice(N_KNOWN, wrong, replace=False)] *= -1
    return levels


@pytest.mark.parametrize("sent", [0, 1])
@pytest.mark.parametrize("wrong", [0, 3, 6])
def test_a_sync_word_is_believed_though_chips_are_wrong(sent: int, wrong: int) -> None:
    rng = np.random.default_rng(1)
    alignment = Alignment(HEADERS)
    believed = [alignment.is_likeliest(_levels(sent, 0, rng, wrong), sent, N_KNOWN) for _ in range(200)]
    assert np.mean(believed) >= (1.0 if wrong < 6 else 0.98)


@pytest.mark.parametrize("sent", [0, 1])
@pytest.mark.parametrize("wrong", [0, 3])
def test_the_same_word_16_chips_on_is_not(sent: int, wrong: int) -> None:
    rng = np.random.default_rng(2)
    alignment = Alignment(HEADERS)
    for _ in range(200):
        displaced = _levels(sent, -16, rng, wrong)
        assert np.count_nonzero(displaced[:N_KNOWN] != HEADERS[1][-N_KNOWN:]) <= 4 + 2 * wrong
        assert not alignment.is_likeliest(displaced, 1, N_KNOWN)


def test_the_other_word_and_none_are_not() -> None:
    rng = np.random.default_rng(3)
    alignment = Alignment(HEADERS)
    for _ in range(200):
        assert not alignment.is_likeliest(_levels(0, 0, rng), 1, N_KNOWN)
        assert not alignment.is_likeliest(rng.choice([-1.0, 1.0], 200).astype(np.float32), 0, N_KNOWN)
    for there in (30, 1, 0):  # cut off
        assert not alignment.is_likeliest(HEADERS[0][-30:][:there], 0, N_KNOWN)
        assert alignment.best_slip(HEADERS[0][-30:][:there], 0, N_KNOWN, SLIPS) == 0


@pytest.mark.parametrize("slip", SLIPS)
def test_slips_are_told(slip: int) -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        assert Alignment(HEADERS).best_slip(_levels(1, -slip, rng, 3), 1, N_KNOWN, SLIPS) == slip


def test_nothing_that_looks_like_it_is_no_slip() -> None:
    rng = np.random.default_rng(5)
    slips = [
        Alignment(HEADERS).best_slip(rng.choice([-1.0, 1.0], 200).astype(np.float32), 1, N_KNOWN, SLIPS)
        for _ in range(200)
    ]
    assert np.count_nonzero(slips) <= 8  # 1.8 % have three chips in four right in one of nine places
