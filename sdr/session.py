"""One recording from its first to its last sample, and what was counted on the way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from dsp.burst import Burst
from dsp.plan import OffRow, Plan, make_plan
from protocol.decoder import Decoder
from protocol.outcome import READ_OUTCOMES
from sdr.read_ahead import ReadAhead
from sdr.receiver import StreamReceiver
from sdr.reception import Reception
from sdr.recording import Recording, Segment


@dataclass(frozen=True, slots=True)
class Selection:
    """What to receive.

    Attributes:
        modes: mode letters; None for all that the span suggests.
        band: key of ``dsp.modes.BANDS``; None for all.
        duration_s: stop after so many seconds of samples; None for no limit.
        repair: mend frames whose CRC does not fit, where the likeliest other readings do.
    """

    modes: tuple[str, ...] | None = None
    band: str | None = None
    duration_s: float | None = None
    repair: bool = True


@dataclass(slots=True)
class Summary:
    """Counts over one or more recordings."""

    samples_s: float = 0.0
    elapsed_s: float = 0.0
    frames: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    received: dict[str, None] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)

    def count(self, reception: Reception) -> None:
        """Count one reception."""
        if reception.rejection is None:
            self.frames[reception.burst.row.mode] += 1
            if reception.decoded is not None:
                self.outcomes[reception.decoded.security.outcome] += 1
        else:
            self.rejects[reception.rejection.reason] += 1

    @property
    def n_frames(self) -> int:
        """Telegrams received."""
        return sum(self.frames.values())

    def note_plan(self, plan: Plan) -> None:
        """Remember which air interfaces were on and which off."""
        for channel in plan.channels:
            for row in channel.rows:
                self.received[row.name] = None
        self.off |= {off.name: off.reason for off in plan.off}

    def lines(self) -> list[str]:
        """Say it in words: one line, and one more for each air interface that was off."""
        speed = self.samples_s / self.elapsed_s if self.elapsed_s > 0.0 else 0.0
        n_rejects = sum(self.rejects.values())
        text = (
            f"{self.samples_s:.3f} s of samples: {self.n_frames + n_rejects} bursts, "
            f"{self.n_frames} frames{_by_kind(self.frames)}, "
            f"{n_rejects} rejected{_by_kind(self.rejects)}; {speed:.1f} × real time"
        )
        off = [OffRow(name, why) for name, why in self.off.items() if name not in self.received]
        return [text, *(f"{row.name} is off: {row.reason}" for row in off)]

    def outcome_lines(self) -> list[str]:
        """Say how many telegrams could be read, if some could not."""
        unread = {name: n for name, n in self.outcomes.items() if name not in READ_OUTCOMES}
        n_read = sum(self.outcomes.values()) - sum(unread.values())
        return [f"{n_read} telegrams read, {sum(unread.values())} not{_by_kind(unread)}"] if unread else []


def _by_kind(counts: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{kind} {n}' for kind, n in sorted(counts.items()))})" if counts else ""


class Replay:
    """Decodes one recording.

    Args:
        recording: open recording.
        selection: what to receive.
        summary: counts to add to.
        decoder: keys, and what earlier telegrams taught; None for a new one without keys.
        executor: demodulates elsewhere; None to do it here.

    Attributes:
        recording: as given.
        samples_done: samples read so far.
    """

    def __init__(
        self,
        recording: Recording,
        selection: Selection,
        summary: Summary,
        decoder: Decoder | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.samples_done = 0
        self.recording = recording
        self._selection = selection
        self._summary = summary
        self._decoder = Decoder() if decoder is None else decoder
        self._executor = executor
        self._plans: list[Plan] = []
        self._ahead: ReadAhead[tuple[StreamReceiver, list[Burst]]] | None = None
        limit_s = selection.duration_s
        self._limit = None if limit_s is None else round(limit_s * recording.sample_rate_hz)

    def begin(self) -> None:
        """Listen in a thread from now on, before anybody asks; ``run`` then finds bursts waiting."""
        self._ahead = ReadAhead(self._listen())

    def run(self, progress: Callable[[int], None] | None = None) -> Iterator[Reception]:
        """Yield receptions as they are complete; ``progress`` is told the samples done."""
        started = time.monotonic()
        try:
            for receiver, bursts in self._ahead or self._listen():
                for burst in bursts:
                    reception = receiver.decode(burst)
                    self._summary.count(reception)
                    yield reception
                if progress is not None:
                    progress(self.samples_done)
        finally:
            self.close()
            for plan in self._plans:
                self._summary.note_plan(plan)
            self._summary.samples_s += self.samples_done / self.recording.sample_rate_hz
            self._summary.elapsed_s += time.monotonic() - started

    def close(self) -> None:
        """Stop listening."""
        if self._ahead is not None:
            self._ahead.close()

    def _listen(self) -> Iterator[tuple[StreamReceiver, list[Burst]]]:
        """Yield each chunk's bursts, with the receiver that is to decode them in this order."""
        for segment in self.recording.segments():
            receiver = self._receiver(segment)
            for chunk in segment.chunks():
                raw = chunk.raw
                if self._limit is not None:
                    raw = raw[: 2 * max(0, self._limit - self.samples_done)]
                self.samples_done += raw.size // 2
                yield receiver, receiver.hear(raw)
                if self._limit is not None and self.samples_done >= self._limit:
                    break
            yield receiver, receiver.hear_rest()

    def _receiver(self, segment: Segment) -> StreamReceiver:
        rate_hz, selection = self.recording.sample_rate_hz, self._selection
        plan = make_plan(rate_hz, segment.center_hz, selection.modes, selection.band)
        self._plans.append(plan)
        return StreamReceiver(
            plan,
            rate_hz,
            segment.center_hz,
            self.recording.sample_format,
            start_time=segment.start_time,
            first_sample=segment.first_sample,
            repair=selection.repair,
            decoder=self._decoder,
            executor=self._executor,
        )
