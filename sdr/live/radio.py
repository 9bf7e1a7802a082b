"""One radio from its samples to receptions.

    RadioLink ─pieces─▶ SampleClock (UTC) ─▶ StreamReceiver ─▶ Reception
                 │ gap: the receiver is flushed and made anew, never stitched
                 └─▶ Tape: what is to be recorded

The radio's own frequency error, given or learnt, goes into what the receiver takes for its centre and rate.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from dsp.plan import Plan, make_plan
from protocol.decoder import Decoder
from sdr.errors import ConfigError, DeviceNotFound, UsageError
from sdr.live.condition import Condition, Health
from sdr.live.link import RadioLink
from sdr.live.warm_up import warm_up
from sdr.radio import Piece, Source, Tuning
from sdr.radio.ppm import PpmLearner, load_ppm, save_ppm
from sdr.radio.sample_clock import SampleClock
from sdr.receiver import StreamReceiver
from sdr.reception import Reception
from sdr.session import Selection
from sdr.timestamps import later
from sdr.units import format_hz, format_rate

_LOUD_GAP_S = 10.0  # between two sentences about the same trouble
_APPLY_WITHIN_S = 10.0  # also where a burst is always open: it costs what is on the air at that moment
_APPLY_PPM = 4.0  # a learnt error that differs less is applied at the next start only
_SURE = 3.0  # standard errors
_SAVE_S = 600.0
_WORTH_KEEPING_PPM = 2.0  # standard error
_OVERLOAD_S = 10.0
_OVERLOAD_SHARE = 0.02  # of the samples dropped in that time

Tape = Callable[["LiveRadio", Piece], None]
Listener = Callable[["LiveRadio", Reception], None]


@dataclass(frozen=True, slots=True)
class RadioOptions:
    """How one radio is to be used.

    Attributes:
        uri: what ``--device`` says.
        tunings: the best first; the others are fallen back to when samples are dropped.
        ppm: frequency error to correct; None to learn it.
        start_time: UTC of the first sample, instead of the computer's clock.
    """

    uri: str
    tunings: tuple[Tuning, ...]
    ppm: float | None = 0.0
    start_time: datetime | None = None


class LiveRadio:
    """Receives from one radio, for as long as it is asked to.

    Args:
        options: how.
        selection: what to receive.
        decoder: keys, and what earlier telegrams taught; may be shared.
        opener: opens a source with a tuning.
        say: takes sentences for people.
        wake, give_up_s, clock: as for ``RadioLink``.

    Attributes:
        uri: as the user named it.
        plan: what is listened to.
        samples_s: seconds of samples decoded.
        gaps: how often samples were dropped (not decoded in time), lost (the radio says so) or missing
            (only the clock tells).
        tape: takes each piece before it is decoded; None for nobody.
        listener: takes each reception, copies and rejections too; None for nobody.
        link: the connection, with its counts.
        label: name to put on receptions; None for none.
    """

    def __init__(
        self,
        options: RadioOptions,
        selection: Selection,
        decoder: Decoder,
        opener: Callable[[str, Tuning], Source],
        say: Callable[[str], None],
        *,
        wake: Callable[[], None] = lambda: None,
        give_up_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.uri = options.uri
        self.plan = Plan((), ())
        self.samples_s = 0.0
        self.tape: Tape | None = None
        self.listener: Listener | None = None
        self.label: str | None = None
        self.gaps: Counter[str] = Counter()
        self._options = options
        self._selection = selection
        self._decoder = decoder
        self._say = say
        self._clock = clock
        self._health = Health()
        self._learner = PpmLearner()
        self._saved_s = clock()
        self._ppm = options.ppm or 0.0
        self._step = 0  # which of the tunings
        self._source: Source | None = None
        self._receiver: StreamReceiver | None = None
        self._time: SampleClock | None = None
        self._origin = 0
        self._end = 0
        self._learnt_s: float | None = None  # when an error was learnt that is not applied yet
        self._said_s = -float("inf")
        self._overload = (clock(), 0, 0.0)
        self.link = RadioLink(
            lambda: opener(options.uri, options.tunings[self._step]),
            say,
            wake=wake,
            give_up_s=give_up_s,
            clock=clock,
        )

    def open(self) -> None:
        """Open the radio; ``start`` lets samples come.

        Raises:
            DeviceNotFound: it is not there.
            RecordingError: it is a file that cannot be read.
            UsageError: it cannot be tuned to what was asked for.
        """
        source = self.link.open()
        if self._options.ppm is None and source.identity:
            known = load_ppm(source.identity)
            if known is not None:
                self._ppm = known
                self._say(f"{self.uri}: begins with {known:+.1f} ppm, learnt earlier")
        self._say(
            f"{self.uri}: {format_rate(source.sample_rate_hz)} at {format_hz(source.center_hz)}, "
            + "; ".join([source.sample_format.label, *source.settings])
        )
        self._take_source(source)
        rate_hz, center_hz = self._true_span()
        self.plan = make_plan(rate_hz, center_hz, self._selection.modes, self._selection.band)
        if not self.plan.channels:
            raise UsageError(
                f"{self.uri}: no mode lies inside the span {format_rate(source.sample_rate_hz)} wide at "
                f"{format_hz(source.center_hz)}: choose --modes, --center or --rate otherwise"
            )

    def start(self) -> None:
        """Let samples come, once everything that decodes them is compiled."""
        assert self._source is not None
        if not self._source.can_wait:
            warm_up(
                self.plan, self._source.sample_rate_hz, self._source.center_hz, self._source.sample_format
            )
        self._overload = (self._clock(), 0, 0.0)
        self.link.start()

    @property
    def ended(self) -> bool:
        """Whether a file has come to its end."""
        return self.link.ended

    @property
    def source(self) -> Source | None:
        """The radio as it was opened last."""
        return self._source

    @property
    def ppm(self) -> float:
        """The frequency error that is being corrected."""
        return self._ppm

    @property
    def condition(self) -> Condition:
        """How it is doing."""
        return self._health.condition(self._clock())

    def utc(self, sample: int) -> datetime | None:
        """Time of a sample by the clock of this stretch."""
        start = self._options.start_time
        if start is not None and self._source is not None:
            return later(start, sample / self._source.sample_rate_hz)
        return None if self._time is None else self._time.utc(sample)

    def receive(self) -> Iterator[Reception] | None:
        """Decode the next piece, and yield what is complete as soon as it is; None where none is waiting.

        Raises:
            DeviceLost: given up.
            RecordingError: a file became unreadable.
        """
        piece = self.link.take()
        if piece is None:
            return iter(self._finish()) if self.link.ended else None
        return self._decode(piece)

    def close(self) -> list[Reception]:
        """Let the radio go; return what was still open."""
        receptions = self._finish()
        self.link.close()
        self._save_ppm()
        return receptions

    def _decode(self, piece: Piece) -> Iterator[Reception]:
        opened = self.link.source
        if opened is not self._source or piece.lost or self._is_to_retune():
            yield from self._finish()
        if opened is not None and opened is not self._source:
            self._take_source(opened)
        assert self._source is not None
        if piece.lost:
            self._note_gap(piece)
        if self._receiver is None:
            self._begin(piece.first_sample)
        assert self._receiver is not None and self._time is not None
        self._health.samples(self._clock())
        missing = self._time.arrived(piece.end, piece.arrived_s)
        if missing and not self._source.can_wait:
            self._tell_missing(missing)
        self._receiver.tie(self.utc(self._origin))
        if self.tape is not None:
            self.tape(self, piece)
        self.samples_s += piece.raw.size / 2 / self._source.sample_rate_hz
        self._end = piece.end
        for reception in self._receiver.receive(piece.raw):
            yield self._heard(reception)
        self._keep_up()

    def _take_source(self, source: Source) -> None:
        self._source = source
        self._receiver = None

    def _begin(self, first_sample: int) -> None:
        """Make the receiver for a stretch without gaps."""
        source, selection = self._source, self._selection
        assert source is not None
        rate_hz, center_hz = self._true_span()
        self.plan = make_plan(rate_hz, center_hz, selection.modes, selection.band)
        self._time = SampleClock(rate_hz)  # the same rate as the receiver's, so that no error adds up
        self._origin, self._learnt_s = first_sample, None
        self._receiver = StreamReceiver(
            self.plan,
            rate_hz,
            center_hz,
            source.sample_format,
            first_sample=first_sample,
            decoder=self._decoder,
            repair=selection.repair,
        )

    def _is_to_retune(self) -> bool:
        """Tell whether a learnt error is to be applied now: between bursts, or when that takes too long."""
        if self._learnt_s is None or self._receiver is None:
            return False
        return self._receiver.is_quiet or self._clock() - self._learnt_s > _APPLY_WITHIN_S

    def _true_span(self) -> tuple[float, float]:
        """Return rate and centre as a crystal that is off makes them."""
        assert self._source is not None
        factor = 1.0 + self._ppm * 1e-6
        return self._source.sample_rate_hz * factor, self._source.center_hz * factor

    def _finish(self) -> list[Reception]:
        """End the stretch; return what was still open."""
        if self._receiver is None:
            return []
        found = [self._heard(reception) for reception in self._receiver.flush()]
        self._receiver = None
        return found

    def _heard(self, reception: Reception) -> Reception:
        """Learn from a reception and tell the listener."""
        is_frame = reception.rejection is None
        self._health.burst(self._clock(), is_frame=is_frame)
        if is_frame:
            self._learn(reception)
        if self.listener is not None:
            self.listener(self, reception)
        return reception if self.label is None else replace(reception, device=self.label)

    def _note_gap(self, piece: Piece) -> None:
        assert self._source is not None
        kind = "dropped" if piece.dropped else "lost"
        self.gaps[kind] += 1
        lost_s = piece.lost / self._source.sample_rate_hz
        if not self._is_quiet():
            why = (
                "because decoding does not keep up" if piece.dropped else "by the radio or while it was away"
            )
            self._say(
                f"{self.uri}: {piece.lost} samples ({lost_s:.3f} s) lost before sample {piece.first_sample} "
                f"{why}; {self.link.dropped} dropped so far"
            )

    def _tell_missing(self, missing: int) -> None:
        self.gaps["missing"] += 1
        if not self._is_quiet():
            assert self._source is not None
            self._say(
                f"{self.uri}: about {missing} samples ({missing / self._source.sample_rate_hz:.3f} s) are "
                f"missing before sample {self._end}, though its driver tells of no loss: USB or network"
            )

    def _is_quiet(self) -> bool:
        """Whether something like it was said just now."""
        now_s = self._clock()
        if now_s - self._said_s < _LOUD_GAP_S:
            return True
        self._said_s = now_s
        return False

    def _keep_up(self) -> None:
        """Fall back to a cheaper tuning when samples keep being dropped."""
        begun_s, dropped, samples_s = self._overload
        now_s = self._clock()
        if now_s - begun_s < _OVERLOAD_S:
            return
        assert self._source is not None
        n_dropped = self.link.dropped - dropped
        n_decoded = (self.samples_s - samples_s) * self._source.sample_rate_hz
        self._overload = (now_s, self.link.dropped, self.samples_s)
        is_too_much = n_dropped > _OVERLOAD_SHARE * (n_decoded + n_dropped)
        if is_too_much and self._step + 1 < len(self._options.tunings):
            self._step += 1
            tuning = self._options.tunings[self._step]
            self._say(
                f"{self.uri}: this machine does not keep up; falling back to "
                f"{format_rate(tuning.sample_rate_hz)} at {format_hz(tuning.center_hz)}"
            )
            try:
                self.link.reopen()
            except DeviceNotFound as error:
                self.link.lose(str(error))

    def _learn(self, reception: Reception) -> None:
        quality, telegram = reception.burst.quality, reception.telegram
        if self._options.ppm is not None or quality.frequency_error_hz is None or telegram is None:
            return
        sender = telegram.sender
        if sender is None or not quality.carrier_hz:
            return
        heard_ppm = quality.frequency_error_hz / quality.carrier_hz * 1e6
        self._learner.hear((sender.manufacturer, sender.id), heard_ppm - self._ppm)
        now_s = self._clock()
        estimate = self._learner.estimate
        if estimate is not None and abs(estimate[0] - self._ppm) > max(_APPLY_PPM, _SURE * estimate[1]):
            self._ppm, error = estimate
            self._say(
                f"{self.uri}: {self._learner.n_meters} meters say that it is "
                f"{self._ppm:+.1f} ± {error:.1f} ppm off; corrected"
            )
            self._save_ppm()
            self._learnt_s = now_s
        elif now_s - self._saved_s > _SAVE_S:
            self._save_ppm()

    def _save_ppm(self) -> None:
        """Keep what was learnt; that it cannot be kept is said once."""
        self._saved_s = self._clock()
        estimate = self._learner.estimate
        if estimate is None or self._source is None or not self._source.identity:
            return
        if estimate[1] > _WORTH_KEEPING_PPM:
            return  # meters that disagree so much teach nothing
        try:
            save_ppm(self._source.identity, estimate[0])
        except ConfigError as error:
            self._say(f"{self.uri}: its ppm cannot be kept: {error}")
            self._saved_s = float("inf")
