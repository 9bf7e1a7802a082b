"""CRC-aided repair: the likeliest reading is found, and believed only when it stands out of chance.

The CRC is that of the link layer; its code words come from ``protocol.link``.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from support import GAS_RAW_A, random_frame

from dsp.repair import MOST_DOUBT, NO_ALTERNATIVES, Alternatives, cheapest, repair_span
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
    assert repair_span(BLOCK, NO_ALTERNATIVES, RULES) == (BLOCK, 0, 0.0)
    assert repair_span(_flip(BLOCK, 5), NO_ALTERNATIVES, RULES) == (_flip(BLOCK, 5), 0, 1.0)


def test_what_was_unsure_is_put_right() -> None:
    # three of six unsure places are wrong, one of them two bits wide
    others = _others(
        (0.2, (3,)), (0.5, (77,)), (0.7, (40, 41)), (0.9, (100,)), (1.1, (12,)), (1.3, (130, 133))
    )
    heard = _flip(BLOCK, 77, 40, 41, 12)
    span, n_bits, doubt = repair_span(heard, others, RULES)
    assert (span, n_bits) == (BLOCK, 4)
    # 2^-16 · Z / e^-cost, by hand
    z = math.prod(1.0 + math.exp(-cost) for cost in (0.2, 0.5, 0.7, 0.9, 1.1, 1.3))
    # or the number of combinations, which is at most 2^6
    assert doubt <= min(2.0**-16 * z * math.exp(0.5 + 0.7 + 1.1), 2.0**-16 * 64) + 1e-9


def test_what_is_as_likely_by_chance_is_not_believed() -> None:
    # among many unsure places, a reading that costs more than hundreds of others
    heard = _flip(BLOCK, 9)
    unsure = [(1.0 + 0.1 * place, (20 + place,)) for place in range(15)]
    for cost in (1.0, 3.0, 6.0, 9.0):
        span, _, doubt = repair_span(heard, _others((cost, (9,)), *unsure), RULES)
        z = math.prod(1.0 + math.exp(-c) for c in (cost, *(c for c, _ in unsure)))
        believed = 2.0**-16 * z * math.exp(cost) < MOST_DOUBT
        assert (span == BLOCK) == believed
        assert (doubt <= MOST_DOUBT) == believed


def test_few_readings_are_tried_whatever_they_cost() -> None:
    heard = _flip(BLOCK, 9, 100)
    others = _others((7.0, (9,)), (9.0, (100,)), (11.0, (60,)), (14.0, (30,)))
    span, _, doubt = repair_span(heard, others, RULES)
    assert span == BLOCK and doubt < 64 * 2.0**-16


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
    for costs, believed in (((1.0, 2.0), False), ((1.0, 9.0), True)):
        others = _others((costs[0], (sent,)), (costs[1], (twin,)))
        assert (repair_span(both, others, RULES)[2] <= MOST_DOUBT) == believed
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
    # at most e^limit combinations each lie within the limit, MOST_DOUBT of 65536 in all
    assert accepted <= MOST_DOUBT * trials
