"""A transmitter by its name, with everything that has to be true before it may send."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from sdr.errors import UsageError
from sdr.traffic import Transmission
from sdr.transmit.burst import IqSink
from sdr.transmit.hackrf_burst import DEFAULT_RATE_HZ, MAX_GAIN_DB, RATE_RANGE_HZ, filter_hz
from sdr.transmit.hackrf_program import PROGRAM, HackrfProgram
from sdr.transmit.safety.config import DEVICE_KINDS, RadioConfig, load_config
from sdr.transmit.safety.gate import Clearance, SafetyGate
from sdr.transmit.safety.ledger import Ledger
from sdr.transmit.settings import RadioSettings
from sdr.transmit.tuning import Tuning, choose_tuning
from sdr.transmit.worker_sink import WorkerSink
from sdr.transmitter import Sent, Transmitter, air_time_s
from sdr.units import format_rate


class RadioRun:
    """One run of a transmitter: configuration, ledger, gate and, once needed, the radio itself.

    Args:
        device: ``hackrf``, ``hackrf:SERIAL`` or ``soapy:ARGUMENTS``.
        config_path: file with the section ``[transmit]``.
        gain_db: instead of the configured gain.
        sample_rate_hz: instead of the usual rate.
        center_hz: instead of one that suits.

    Raises:
        UsageError: no such kind of radio, or it cannot be set so.
        TransmissionRefused: no configuration, or the ledger says no.
        ConfigError: the configuration makes no sense.
    """

    def __init__(
        self,
        device: str,
        config_path: Path,
        gain_db: float | None = None,
        sample_rate_hz: float | None = None,
        center_hz: float | None = None,
    ) -> None:
        self.name = device
        self._kind, _, self._address = device.partition(":")
        if self._kind not in DEVICE_KINDS:
            raise UsageError(f"--device {device}: a transmitter is one of {', '.join(DEVICE_KINDS)}")
        self._rate_hz = DEFAULT_RATE_HZ if sample_rate_hz is None else sample_rate_hz
        self._center_hz = center_hz
        config = load_config(config_path)
        self._config: RadioConfig = config.radios[self._kind]
        self._gain_db = self._config.gain_db if gain_db is None else gain_db
        if self._kind == "hackrf":
            self._check_hackrf()
        self._sink: IqSink | None = None
        self._ledger = Ledger(config.ledger)
        self._gate = SafetyGate(config, self._ledger, self._kind, self._gain_db)

    def tuning(self, sent: Transmission) -> Tuning:
        """Rate and centre for one burst.

        Raises:
            UsageError: it does not fit.
        """
        return choose_tuning(
            [sent],
            sample_rate_hz=self._rate_hz,
            center_hz=self._center_hz,
            clock_error_ppm=self._config.clock_error_ppm,
        )

    def clear(self, sent: Sequence[Transmission]) -> list[Clearance]:
        """Check all bursts beforehand.

        Raises:
            TransmissionRefused: one of them may not be sent.
        """
        return self._gate.check(sent, air_time_s)

    def send(self, sent: Sequence[Transmission]) -> Iterator[Sent]:
        """Open the radio and send; yield each burst when it has left.

        Raises:
            TransmissionRefused: the gate stopped a burst.
            DeviceNotFound: there is no such radio.
            DeviceLost: it went away.
        """
        self._sink = self._open(self._filter_hz(sent))
        yield from Transmitter(self._sink, self.tuning, self._gate).run(sent)

    def close(self) -> None:
        """Switch off and release everything; a second call does nothing."""
        try:
            if self._sink is not None:
                self._sink.close()
        finally:
            self._ledger.close()

    def __enter__(self) -> RadioRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_hackrf(self) -> None:
        least_hz, most_hz = RATE_RANGE_HZ
        if not least_hz <= self._rate_hz <= most_hz:
            raise UsageError(f"a HackRF takes {format_rate(least_hz)} to {format_rate(most_hz)}")
        if not 0 <= self._gain_db <= MAX_GAIN_DB or self._gain_db != int(self._gain_db):
            raise UsageError(f"the gain of a HackRF is a whole number from 0 to {MAX_GAIN_DB} dB")

    def _open(self, bandwidth_hz: float) -> IqSink:
        settings = RadioSettings(self._address, self._gain_db, self._config.amplifier, bandwidth_hz)
        via_program = self._config.via == "program" or (
            self._config.via is None and shutil.which(PROGRAM) is not None
        )
        if self._kind == "hackrf" and via_program:
            return HackrfProgram(settings)
        return WorkerSink(self._kind, settings)

    def _filter_hz(self, sent: Sequence[Transmission]) -> float:
        """Bandwidth of the radio's filter that passes all bursts, each at its own tuning."""
        needed_hz = max(
            2.0 * max(abs(edge - self.tuning(one).center_hz) for edge in one.edges_hz) for one in sent
        )
        return filter_hz(needed_hz)
