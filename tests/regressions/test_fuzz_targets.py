"""A few hundred inputs of every fuzz target: its seeds, mutations of them, and noise.

What benchmarks/fuzz does with millions, here without atheris, the same on every run.
"""

import random
import tracemalloc
from collections.abc import Iterator

import pytest
from fuzz.targets import TARGETS, Target

MUTATIONS = 250
NOISE = 50
MOST_MEMORY_BYTES = 4 << 20


def _mutated(seed: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change, insert, delete or repeat a few bytes, or go on with another seed."""
    data = bytearray(seed)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(data))
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = rng.randbytes(1)
            case 1:
                data[at:at] = rng.choice((b"\x00", b"\xff", b"\x80", b"\x0d", b"\x2f", b"\x7f"))
            case 2:
                del data[at : at + rng.randint(1, 8)]
            case 3:
                data[at:at] = data[at : at + 8] * rng.randint(1, 8)
            case _:
                data[at:] = other[rng.randint(0, len(other)) :]
    return bytes(data)


def _inputs(name: str, target: Target) -> Iterator[bytes]:
    rng = random.Random(name)
    yield b""
    yield from target.seeds
    for _ in range(MUTATIONS):
        yield _mutated(rng.choice(target.seeds), rng.choice(target.seeds), rng)[: target.most_bytes]
    for _ in range(NOISE):
        yield rng.randbytes(rng.randint(1, target.most_bytes))


@pytest.mark.parametrize("name", TARGETS)
def test_target_finds_nothing(name: str) -> None:
    for data in _inputs(name, TARGETS[name]):
        try:
            TARGETS[name].run(data)
        except Exception as error:
            raise AssertionError(f"{name} {data.hex()}") from error


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_takes_much_memory(name: str) -> None:
    target = TARGETS[name]
    tracemalloc.start()
    try:
        for data in (
            *target.seeds[:20],
            *(seed * (target.most_bytes // len(seed)) for seed in target.seeds[:20]),
        ):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            target.run(data)
            assert tracemalloc.get_traced_memory()[1] - before < MOST_MEMORY_BYTES, data.hex()
    finally:
        tracemalloc.stop()
