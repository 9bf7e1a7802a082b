"""All radios of one run: who has samples is decoded, in one thread, and merged.

Decoding in turn is enough: the radios' own threads fill their rings meanwhile, and the kernels leave the
interpreter to them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from sdr.live.condition import Condition
from sdr.live.merger import Merger
from sdr.live.radio import LiveRadio
from sdr.reception import Reception

_TICK_S = 0.1


class LiveSession:
    """Receives from all radios until told to stop or all have ended.

    Args:
        radios: open radios, at least one.
        woken: the event that their threads set when samples come.
        duration_s: seconds of samples from each radio; None for no limit.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        radios: Sequence[LiveRadio],
        woken: threading.Event,
        *,
        duration_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.radios = list(radios)
        self.stopped = False
        self._woken = woken
        self._duration_s = duration_s
        self._clock = clock
        self._merger = Merger() if len(self.radios) > 1 else None
        for radio in self.radios:
            radio.label = radio.uri if self._merger is not None else None

    def stop(self) -> None:
        """End soon; may be called from a signal handler."""
        self.stopped = True
        self._woken.set()

    def run(self) -> Iterator[Reception | None]:
        """Yield receptions, and None at least every tenth of a second.

        Raises:
            DeviceLost: a radio was given up.
            RecordingError: a file became unreadable.
        """
        active = list(self.radios)
        while active and not self.stopped:
            is_idle = True
            for radio in list(active):
                receptions = radio.receive()
                is_idle = is_idle and receptions is None
                for reception in receptions or ():
                    yield from self._merged([reception])
                yield from self._merged([])
                if radio.ended or self._is_over(radio):
                    active.remove(radio)
                    yield from self._merged(radio.close())
            yield None
            if is_idle and active and not self.stopped:
                self._woken.wait(_TICK_S)
                self._woken.clear()

    def close(self) -> Iterator[Reception]:
        """Let all radios go; yield what was still open."""
        for radio in self.radios:
            yield from self._merged(radio.close())
        if self._merger is not None:
            yield from self._merger.due(float("inf"))

    @property
    def condition(self) -> Condition:
        """The best of the radios' conditions."""
        order = list(Condition)
        return max((radio.condition for radio in self.radios), key=order.index)

    def _is_over(self, radio: LiveRadio) -> bool:
        return self._duration_s is not None and radio.samples_s >= self._duration_s

    def _merged(self, receptions: list[Reception]) -> list[Reception]:
        if self._merger is None:
            return receptions
        now_s = self._clock()
        ready = [out for reception in receptions for out in self._merger.hear(reception, now_s)]
        return ready + self._merger.due(now_s)
