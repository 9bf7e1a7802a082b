"""The sink that radiates nothing: a recording with the bursts in their places and silence between."""

from __future__ import annotations

import numpy as np

from sdr.recording import RecordingWriter
from sdr.sample_format import SampleFormat
from sdr.transmit.burst import IqBurst, SendReport

_PIECE_SAMPLES = 1 << 18


class FileSink:
    """Writes bursts to a recording, in the order of time.

    Args:
        writer: the recording; closed with the sink.
    """

    radiates = False
    half_duplex = False
    most_reduction_db = 0

    def __init__(self, writer: RecordingWriter) -> None:
        self.name = str(writer.data_path)
        self.sample_format: SampleFormat = writer.sample_format
        self._writer = writer

    def send(self, burst: IqBurst) -> SendReport:
        """Write silence up to the burst, then the burst.

        Raises:
            RecordingError: the file cannot be written.
            ValueError: the burst begins before the end of the one before, or has another tuning.
        """
        if burst.first_sample < self._writer.n_samples:
            raise ValueError("bursts in a file must not overlap")
        if (burst.sample_rate_hz, burst.center_hz) != (self._writer.sample_rate_hz, self._writer.center_hz):
            raise ValueError("a file has one sample rate and one centre frequency")
        self.fill(burst.first_sample)
        self._writer.write_raw(burst.raw)
        return SendReport(underruns=0)

    def fill(self, stop_sample: int) -> None:
        """Write silence up to a sample."""
        while (missing := stop_sample - self._writer.n_samples) > 0:
            self._writer.write(np.zeros(min(missing, _PIECE_SAMPLES), dtype=np.complex64))

    def close(self) -> None:
        """Complete the recording."""
        self._writer.close()
