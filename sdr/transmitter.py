"""JOIN: telegrams to samples to a sink.

    Transmission ─▶ link.add_crcs ─▶ encoder ─▶ modulator ─▶ IqBurst ─▶ gate ─▶ sink ─▶ SendReport

Samples are made before the burst is due; what is left to do then is one call of the sink. A
gateway that answers a meter uses the same parts: ``make_burst`` ahead of time, ``Transmitter.send``
in the response window.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from dsp.arrays import RawArray
from sdr.errors import TransmissionRefused, UsageError
from sdr.sample_format import SampleFormat, from_complex
from sdr.simulator import waveform_of
from sdr.traffic import Transmission
from sdr.transmit.burst import IqBurst, IqSink, SendReport
from sdr.transmit.tuning import Tuning

KEYING_CHIPS = 1.0
"""Length of the power ramps before the first and behind the last chip, in chips."""

_WEAKEST_DBFS = -12.0
"""Below this a burst is made weaker by the radio's gain, where that can be set, to use all of its bits."""

_PIECE_SAMPLES = 1 << 16


class Pausable(Protocol):
    """A receiver on the same radio."""

    def pause(self) -> None:
        """Release the radio."""

    def resume(self) -> None:
        """Take it again."""


class Gate(Protocol):
    """What every burst that leaves an antenna has to pass."""

    def reserve(self, sent: Transmission, air_time_s: float) -> None:
        """Enter one burst in the ledger, or refuse it.

        Raises:
            TransmissionRefused: it may not be sent; says why, with the numbers.
        """


@dataclass(frozen=True, slots=True)
class Sent:
    """A transmission that has left.

    Attributes:
        transmission: what was sent; for a file, where.
        tuning: how.
        report: what the sink says.
    """

    transmission: Transmission
    tuning: Tuning
    report: SendReport


def keying_s(sent: Transmission) -> float:
    """Length of the power ramps of a burst."""
    return KEYING_CHIPS / sent.row.chip_rate_hz


def air_time_s(sent: Transmission) -> float:
    """Time for which the transmitter is on: the burst and its power ramps."""
    return sent.whole_duration_s + 2.0 * keying_s(sent)


def gain_reduction_db(sent: Transmission, sink: IqSink) -> int:
    """By how many dB to lower a sink's gain for a weak transmission."""
    level_dbfs = sent.settings.level_dbfs
    if level_dbfs is None or level_dbfs >= _WEAKEST_DBFS:
        return 0
    return min(sink.most_reduction_db, math.floor(_WEAKEST_DBFS - level_dbfs))


def make_burst(
    sent: Transmission, tuning: Tuning, sample_format: SampleFormat, gain_reduction_db: int = 0
) -> IqBurst:
    """Make the samples of one transmission whose level is given.

    Args:
        sent: the transmission; ``start_s`` counts from the start of the run.
        tuning: how the radio is set.
        sample_format: what the sink takes.
        gain_reduction_db: what the samples have to be stronger by, as the radio's gain is lowered.

    Raises:
        UsageError: the level does not fit the sample format: samples would be clipped.
    """
    rate_hz, ramp_s = tuning.sample_rate_hz, keying_s(sent)
    # A clock that is fast by some ppm makes both the carrier and the chips fast: take that off beforehand.
    clock = 1.0 + 1e-6 * tuning.clock_error_ppm
    shape = waveform_of(_for_clock(sent, clock), sent.center_hz / clock - tuning.center_hz, keying_s=ramp_s)
    first = math.floor((sent.start_s - ramp_s) * rate_hz)
    stop = math.ceil((sent.start_s + sent.whole_duration_s * clock + ramp_s) * rate_hz) + 1
    gain = np.float32(sent.amplitude(0.0, rate_hz) * 10.0 ** (gain_reduction_db / 20.0))
    pieces: list[RawArray] = []
    n_clipped = 0
    for start in range(first, stop, _PIECE_SAMPLES):
        times_s = np.arange(start, min(start + _PIECE_SAMPLES, stop)) / rate_hz - sent.start_s
        raw, clipped = from_complex(gain * shape.samples(times_s), sample_format)
        pieces.append(raw)
        n_clipped += clipped
    # cf32 can hold more than full scale, but the converter behind it cannot
    if n_clipped or gain > 1.0:
        raise UsageError(f"a level of {_dbfs(float(gain)):.1f} dBFS clips in {sample_format.label}")
    raw = np.concatenate(pieces)
    return IqBurst(raw, sample_format, rate_hz, tuning.center_hz, first, gain_reduction_db)


def _for_clock(sent: Transmission, clock: float) -> Transmission:
    wrong = sent.impairments
    settings = replace(
        sent.settings,
        impairments=replace(
            wrong,
            carrier_offset_hz=wrong.carrier_offset_hz / clock,
            chip_rate_error=(1.0 + wrong.chip_rate_error) / clock - 1.0,
        ),
    )
    return replace(sent, settings=settings)


def _dbfs(amplitude: float) -> float:
    return 20.0 * math.log10(amplitude) if amplitude > 0.0 else -math.inf


class Transmitter:
    """Sends transmissions one after another, each when it is due.

    Args:
        sink: where to.
        tuning: gives each transmission its rate and centre.
        gate: what bursts that leave an antenna must pass; files need none.
        receiver: uses the same radio, and is paused for each burst where that is half duplex.
        clock: monotonic time in seconds; ``sleep`` waits so long. For tests.

    Raises:
        UsageError: a sink that radiates without a gate.
    """

    def __init__(
        self,
        sink: IqSink,
        tuning: Callable[[Transmission], Tuning],
        gate: Gate | None = None,
        *,
        receiver: Pausable | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if sink.radiates and gate is None:
            raise UsageError(f"{sink.name} radiates: nothing is sent to it without a safety gate")
        self._sink = sink
        self._tuning = tuning
        self._gate = gate
        self._receiver = receiver if sink.half_duplex else None
        self._clock = clock
        self._sleep = sleep

    def run(self, sent: Iterable[Transmission]) -> Iterator[Sent]:
        """Send all; yield each when it has left.

        Raises:
            TransmissionRefused: the gate stopped a burst; those before it have been sent.
            DeviceLost: the radio went away.
        """
        started_s = self._clock()
        for one in sent:
            tuning = self._tuning(one)
            reduction_db = gain_reduction_db(one, self._sink)
            burst = make_burst(one, tuning, self._sink.sample_format, reduction_db)
            if self._sink.radiates:
                self._wait_until(started_s + one.start_s)
            yield Sent(one, tuning, self.send(one, burst))

    def send(self, sent: Transmission, burst: IqBurst) -> SendReport:
        """Send one burst now, if the gate lets it pass.

        Raises:
            TransmissionRefused: it does not.
            DeviceLost: the radio went away.
        """
        if self._gate is not None:
            self._gate.reserve(sent, air_time_s(sent))
        if self._receiver is None:
            return self._sink.send(burst)
        self._receiver.pause()
        try:
            return self._sink.send(burst)
        finally:
            self._receiver.resume()

    def send_between(
        self, sent: Transmission, burst: IqBurst, earliest_s: float, latest_s: float
    ) -> SendReport:
        """Send one burst in a window, such as the one in which a meter listens.

        Args:
            sent: what is sent.
            burst: its samples.
            earliest_s: start of the window, by this transmitter's clock; it is waited for.
            latest_s: end of it.

        Raises:
            TransmissionRefused: the window is over, or the gate does not let the burst pass.
            DeviceLost: the radio went away.
        """
        self._wait_until(earliest_s)
        late_s = self._clock() - latest_s
        if late_s > 0.0:
            raise TransmissionRefused(f"the window closed {1e3 * late_s:.1f} ms ago")
        return self.send(sent, burst)

    def _wait_until(self, due_s: float) -> None:
        wait_s = due_s - self._clock()
        if wait_s > 0.0:
            self._sleep(wait_s)
