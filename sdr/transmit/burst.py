"""What a sink takes and what it says afterwards: the mirror of the sources.

source:  IqChunk  ◀── samples, where, when          sink:  IqBurst ──▶ SendReport
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dsp.arrays import RawArray
from sdr.sample_format import SampleFormat


@dataclass(frozen=True, slots=True)
class IqBurst:
    """One burst, whole and bounded, ready for a sink.

    Attributes:
        raw: I, Q, I, Q… in the dtype of ``sample_format`` [2n], power ramps included.
        sample_format: how the samples are stored.
        sample_rate_hz: their rate.
        center_hz: the frequency that 0 Hz of the samples stands for.
        first_sample: place of the first one, counted at ``sample_rate_hz`` from the start of the run.
        gain_reduction_db: by how much the radio's gain is lowered for this burst; the samples are
            that much stronger.
    """

    raw: RawArray
    sample_format: SampleFormat
    sample_rate_hz: float
    center_hz: float
    first_sample: int
    gain_reduction_db: int = 0

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.raw.size // 2

    @property
    def duration_s(self) -> float:
        """Time on air."""
        return self.n_samples / self.sample_rate_hz


@dataclass(frozen=True, slots=True)
class SendReport:
    """What became of a burst.

    Attributes:
        started_at: UTC at which the radio was told to begin; None for files.
        ended_at: UTC at which the last sample had left; None for files.
        underruns: stretches in which the radio had nothing to send; None where it cannot tell.
    """

    started_at: datetime | None = None
    ended_at: datetime | None = None
    underruns: int | None = None


class IqSink(Protocol):
    """Where bursts go.

    Attributes:
        name: how messages call it.
        sample_format: what it takes.
        radiates: whether a burst leaves an antenna, so that it must pass the safety gate.
        half_duplex: whether the radio cannot receive while it is open.
        most_reduction_db: how much its gain can be lowered for a weak burst, in steps of 1 dB.
    """

    name: str
    sample_format: SampleFormat
    radiates: bool
    half_duplex: bool
    most_reduction_db: int

    def send(self, burst: IqBurst) -> SendReport:
        """Send one burst and come back when it has left completely.

        Raises:
            DeviceLost: the radio went away, or did not take all of the burst.
            RecordingError: a file cannot be written.
        """

    def close(self) -> None:
        """Leave the radio switched off, the file complete; a second call does nothing."""
