"""Fuzz one target, guided by the branches that inputs take: needs ``pip install omsdr[fuzz]``.

Usage: PYTHONPATH=benchmarks python -m fuzz TARGET [--runs 1000000] [--seed 1] [--corpus FOLDER]

Stops at the first finding, prints it and writes its input to ``finding-…``. The corpus makes the
next run begin where this one ended.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["protocol", "sdr", "smllib"]):
    # Imported on demand otherwise, and then not instrumented.
    import sdr.payload_dlms
    import sdr.payload_sml  # noqa: F401
    from fuzz.targets import TARGETS

if TYPE_CHECKING:
    from fuzz.targets import Target

_MEMORY_MB = 600
_ALLOCATION_MB = 64
"""Most that one input may ask for at once."""
_COLLECT_EVERY = 2000
_TIMED_AGAIN = 3


class _Guard:
    """Runs inputs of a target, and calls one that takes too long a finding."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._inputs = 0
        # Otherwise the collection of all garbage so far would be on the bill of one input.
        gc.disable()

    def __call__(self, data: bytes) -> None:
        self._inputs += 1
        if self._inputs % _COLLECT_EVERY == 0:
            gc.collect()
        took_ms = self._took_ms(data)
        if took_ms > self._target.limit_ms:
            # A machine that others use takes its time now and then, but not again and again.
            took_ms = min(self._took_ms(data) for _ in range(_TIMED_AGAIN))
            if took_ms > self._target.limit_ms:
                raise TimeoutError(f"{len(data)} bytes took {took_ms:.0f} ms")

    def _took_ms(self, data: bytes) -> float:
        start = time.process_time()
        self._target.run(data)
        return 1000 * (time.process_time() - start)


def main() -> None:
    """Write the seeds into the corpus and hand over to libFuzzer, which ends the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--corpus", type=Path, help="folder to begin with and to add to (default: in the temporary directory)"
    )
    arguments = parser.parse_args()
    target = TARGETS[arguments.target]
    corpus: Path = arguments.corpus or Path(tempfile.gettempdir(), "omsdr-fuzz", arguments.target)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    options = (
        str(corpus),
        f"-runs={arguments.runs}",
        f"-seed={arguments.seed}",
        f"-max_len={target.most_bytes}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-malloc_limit_mb={_ALLOCATION_MB}",
        "-use_value_profile=1",
        f"-artifact_prefix=finding-{arguments.target}-",
        "-print_final_stats=1",
        "-verbosity=1",
    )
    atheris.Setup([sys.argv[0], *options], _Guard(target))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
