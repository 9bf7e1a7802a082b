"""CRC-aided repair: order of tries, their number, and what may be changed."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from dsp.repair import Alternative, repair_span


def _tried(alternatives: list[Alternative], raw: bytes, start: int, stop: int, tries: int) -> list[bytes]:
    seen: list[bytes] = []

    def never(span: bytes) -> bool:
        seen.append(span)
        return False

    assert repair_span(raw, start, stop, alternatives, never, tries) is None
    return seen


def test_the_cheapest_combinations_come_first() -> None:
    rng = np.random.default_rng(1)
    costs = rng.uniform(0.1, 2.0, 8).tolist()
    alternatives = [Alternative(cost, (place,)) for place, cost in enumerate(costs)]
    seen = _tried(alternatives, b"\x00", 0, 1, 60)
    assert len(seen) == 60 and len(set(seen)) == 60
    found = [sum(cost for place, cost in enumerate(costs) if span[0] & 0x80 >> place) for span in seen]
    every = sorted(
        sum(chosen) for size in range(1, 5) for chosen in combinations(costs, size)
    )  # at most four at once
    assert found == pytest.approx(every[:60])


def test_the_first_that_fits_is_taken() -> None:
    alternatives = [Alternative(0.5, (3,)), Alternative(0.2, (9, 10)), Alternative(0.4, (14,))]
    wanted = bytes([0b0001_0000, 0b0110_0000])
    assert repair_span(bytes(2), 0, 2, alternatives, wanted.__eq__, 30) == (wanted, 3)


def test_only_the_span_is_changed_and_looked_at() -> None:
    alternatives = [Alternative(0.1, (2,)), Alternative(0.2, (12,)), Alternative(0.3, (15, 16))]
    raw = bytes(4)
    # bit 2 lies before the span, bits 15 and 16 reach over its end
    assert _tried(alternatives, raw, 1, 2, 30) == [b"\x08"]
    assert repair_span(raw, 1, 2, alternatives, b"\x08".__eq__, 30) == (b"\x00\x08\x00\x00", 1)


def test_a_bit_named_twice_is_flipped_back() -> None:
    alternatives = [Alternative(0.1, (0, 1)), Alternative(0.2, (1, 2))]
    assert repair_span(b"\x00", 0, 1, alternatives, b"\xa0".__eq__, 30) == (b"\xa0", 2)


def test_tries_are_bounded() -> None:
    alternatives = [Alternative(float(place), (place,)) for place in range(40)]
    assert len(_tried(alternatives, bytes(5), 0, 5, 7)) == 7
    assert _tried(alternatives, bytes(5), 0, 5, 0) == []


def test_nothing_to_try() -> None:
    assert _tried([], bytes(5), 0, 5, 30) == []
    assert _tried([Alternative(0.1, (50,))], bytes(5), 0, 5, 30) == []
