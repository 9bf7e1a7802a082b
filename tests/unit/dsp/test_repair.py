"""CRC-aided repair: the likeliest reading is found, and believed only when it stands out of chance.

The CRC is that of the link layer; its code words come from ``protocol.link``.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from support import GAS_RAW_A, random_frame

from dsp.repair import MODEL_FAILS, MOST_DOUBT, NO_ALTERNATIVES, Alternatives, cheapest, repair_span
from protocol import link
from sdr.receiver import LinkRules

RULES = LinkRules()
BLOCK = GAS_RAW_A[12:30]


def _others(*readings: tuple[float, tuple[int, ...]]) -> Alternatives:
    """Alternatives from pairs of cost and bits."""
    costs = np.array([cost for cost, _ in readings], dtype=np.float32)
    last = np.array([max(bits) for _, bits in readings])
    mask = np.array([sum(1 << max(bits) - bit for bit in bits) for _, bits in readings], dtype=np.uint64)
    return cheapest(costs, last, mask, 100)


def _flip(span: bytes, *bits: int) -> bytes:
    number = int.from_bytes(span, "big")
    for bit in bits:
        number ^= 1 << 8 * len(span) - 1 - bit
    return number.to_bytes(len(span), "big")


def test_nothing_wrong_and_nothing_unsure() -> None:
    span, n_bits, doubt = repair_span(BLOCK, NO_ALTERNATIVES, RULES)
    assert (span, n_bits) == (BLOCK, 0) and doubt < 2.0**-16
    assert repair_span(_flip(BLOCK, 5), NO_ALTERNATIVES, RULES) == (_flip(BLOCK, 5), 0, 1.0)


def test_what_was_unsure_is_put_right() -> None:
    # three of six unsure places are wrong, one of them two bits wide
    others = _others(
        (0.2, (3,)), (0.5, (77,)), (0.7, (40, 41)), (0.9, (100,)), (1.1, (12,)), (1.3, (130, 133))
    )
    heard = _flip(BLOCK, 77, 40, 41, 12)
    span, n_bits, doubt = repair_span(heard, others, RULES)
    assert (span, n_bits) == (BLOCK, 4)
    # nothing else fits, and all 2^6 readings were looked at: what is left is that it is none of them
    z = math.prod(1.0 + math.exp(-cost) for cost in (0.2, 0.5, 0.7, 0.9, 1.1, 1.3))
    assert doubt == pytest.approx(MODEL_FAILS * 2.0**-16 * z * math.exp(0.5 + 0.7 + 1.1))


def test_what_is_as_likely_by_chance_is_not_believed() -> None:
    # among many unsure places, a reading that costs more than hundreds of others
    heard = _flip(BLOCK, 9)
    unsure = [(1.0 + 0.1 * place, (20 + place,)) for place in range(15)]
    for cost in (1.0, 3.0, 6.0, 9.0):
        span, _, doubt = repair_span(heard, _others((cost, (9,)), *unsure), RULES)
        z = math.prod(1.0 + math.exp(-c) for c in (cost, *(c for c, _ in unsure)))
        believed = MODEL_FAILS * 2.0**-16 * z * math.exp(cost) < MOST_DOUBT
        assert (span == BLOCK) == believed
        assert (doubt <= MOST_DOUBT) == believed


def test_the_doubt_is_the_share_of_all_other_readings_that_fit() -> None:
    # Against every one of 2^14 readings of a block of format B, in whose 560 bits many fit.
    rng = np.random.default_rng(4)
    block = link.add_crcs(random_frame(rng, 67), "B")
    n_bits = 8 * len(block)
    remainders = RULES.bit_remainders(n_bits)
    compared = 0
    for _ in range(60):
        places = np.sort(rng.integers(0, 151, 14) + 151 * rng.integers(0, 3, 14))
        if np.unique(places).size < places.size:
            continue
        costs = rng.exponential(5.0, places.size)
        # what was sent: each place wrong as often as its cost says
        wrong = places[rng.random(places.size) < 1.0 / (1.0 + np.exp(costs))]
        heard = _flip(block, *wrong.tolist())
        others = _others(*((float(c), (int(p),)) for c, p in zip(costs, places, strict=True)))
        weights: dict[int, list[float]] = {}
        for taken in product((False, True), repeat=places.size):
            amount = int(np.bitwise_xor.reduce(remainders[places[list(taken)]], initial=0))
            weights.setdefault(amount, []).append(math.exp(-costs[list(taken)].sum()))
        fit = weights[RULES.remainder(heard)]
        best, total = max(fit), sum(sum(some) for some in weights.values())
        doubt = (sum(fit) - best + MODEL_FAILS * 2.0**-16 * total) / best
        span, _, told = repair_span(heard, others, RULES)
        if doubt <= MOST_DOUBT or (heard == span and RULES.remainder(heard) == 0):
            compared += 1
            assert told == pytest.approx(min(doubt, 1.0), rel=0.05, abs=1e-6)
        else:
            assert told > MOST_DOUBT
    assert compared > 10


def test_two_readings_of_the_same_bits_are_not_taken_together() -> None:
    # flipping (9, 10) and (10, 11) would give what was sent, but no chip can be both
    heard = _flip(BLOCK, 9, 11)
    assert repair_span(heard, _others((0.5, (9, 10)), (0.6, (10, 11))), RULES)[2] == 1.0
    assert repair_span(heard, _others((0.5, (9,)), (0.6, (11,))), RULES)[0] == BLOCK


def test_it_may_be_told_to_change_nothing() -> None:
    heard = _flip(BLOCK, 9)
    assert repair_span(heard, _others((0.1, (9,))), RULES, may_change=False) == (heard, 0, 1.0)


@pytest.mark.parametrize("distance", [151, 302])
def test_bits_that_the_crc_confuses_are_doubted(distance: int) -> None:
    block = link.add_crcs(random_frame(np.random.default_rng(1), 60), "B")
    sent, twin = 20, 20 + distance
    # both wrong: the CRC fits, and the two costs say how likely that is
    both = _flip(block, sent, twin)
    assert RULES.remainder(both) == 0
    for costs in ((1.0, 2.0), (1.0, 9.0), (0.1, 11.0)):
        others = _others((costs[0], (sent,)), (costs[1], (twin,)))
        assert repair_span(both, others, RULES)[2] == pytest.approx(math.exp(-sum(costs)), rel=0.1)
    # one wrong: is it this one or its twin?
    others = _others((1.0, (sent,)), (2.0, (twin,)))
    assert repair_span(_flip(block, sent), others, RULES)[2] == 1.0
    others = _others((1.0, (sent,)), (9.0, (twin,)))
    assert repair_span(_flip(block, sent), others, RULES)[0] == block


def test_the_weight_of_all_readings() -> None:
    assert NO_ALTERNATIVES.log_weight == 0.0
    others = _others((0.0, (3,)), (0.0, (9,)), (2.0, (77, 78)))
    assert others.log_weight == pytest.approx(math.log(2 * 2 * (1 + math.exp(-2))), rel=1e-6)


def test_only_alternatives_that_lie_inside_are_kept() -> None:
    others = _others((0.1, (7,)), (0.2, (8,)), (0.3, (7, 8)), (0.4, (15,)), (0.5, (14, 16)), (0.6, (16,)))
    inside = others.within(8, 16)
    np.testing.assert_allclose(inside.costs, [0.2, 0.4])
    np.testing.assert_array_equal(inside.last, [0, 7])


def test_noise_is_believed_as_rarely_as_said() -> None:
    # Readings of random bytes with 14 unsure places: each fits by chance once in 65536.
    rng = np.random.default_rng(2)
    accepted, trials = 0, 4000
    for _ in range(trials):
        costs = rng.exponential(4.0, 14)
        places = rng.choice(144, 14, replace=False)
        others = _others(*((float(c), (int(p),)) for c, p in zip(costs, places, strict=True)))
        accepted += repair_span(rng.bytes(18), others, RULES)[2] <= MOST_DOUBT
    # such blocks are taken for MODEL_FAILS of all; so many of the believed are wrong by them
    assert MODEL_FAILS * accepted <= 0.1 * MOST_DOUBT * trials
