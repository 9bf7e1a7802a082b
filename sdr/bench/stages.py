"""Where the CPU time goes, by module, without a line of the receive chain knowing of it.

A timer of CPU time interrupts the program about every millisecond. The time since the last
interrupt is booked on the module of ``dsp``, ``protocol`` or ``sdr`` that is innermost on the
stack: kernels, FFTs and numpy count for whoever called them. A module is a stage here.
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

_INTERVAL_S = 0.001
_PACKAGES = ("dsp", "protocol", "sdr")
_NOT_STAGES = ("dsp._kernel", "sdr.bench")


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Watch the main thread; the dictionary then holds CPU seconds by module, without its package.

    Where the system has no such timer (Windows) it stays empty.
    """
    seconds: dict[str, float] = defaultdict(float)
    if not hasattr(signal, "setitimer"):
        yield seconds
        return
    last = time.process_time()

    def book(_number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.process_time()
        seconds[_stage(frame)] += now - last
        last = now

    before = signal.signal(signal.SIGPROF, book)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL_S, _INTERVAL_S)
    try:
        yield seconds
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def shares(seconds: Mapping[str, float], least: float = 0.01) -> dict[str, float]:
    """Shares of the whole, the greatest first; what is below ``least`` is added up as ``other``."""
    total = sum(seconds.values())
    if total <= 0.0:
        return {}
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    found = {name: value / total for name, value in ordered if value >= least * total}
    rest = 1.0 - sum(found.values())
    return found | ({"other": rest} if rest > 0.5e-3 else {})


def _stage(frame: FrameType | None) -> str:
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] in _PACKAGES and not name.startswith(_NOT_STAGES):
            return str(name).rpartition(".")[2]
        frame = frame.f_back
    return "other"
