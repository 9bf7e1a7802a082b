"""JOIN: raw chunks through the receive chain into the protocol stack.

    RawChunk ─▶ dsp.Receiver ─▶ Burst ─▶ protocol.link ─▶ protocol.decoder ─▶ Reception

The one place where samples and protocol meet: the chain gets its frame rules from the
link layer, and what the link layer refuses becomes a counted rejection.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from dsp.arrays import IndexArray, RawArray
from dsp.burst import Burst, Fault
from dsp.history import RawScale
from dsp.modes import MODES, FrameFormat, PhyMode
from dsp.plan import Plan
from dsp.receiver import Receiver
from protocol import link
from protocol.crc import bit_remainders, crc16
from protocol.decoder import Decoder
from protocol.errors import ProtocolError
from protocol.frame_format import CRC_BYTES, FIRST_BLOCK_BYTES, crc_spans
from sdr.reception import Reception, Rejection
from sdr.sample_format import SampleFormat
from sdr.timestamps import later

_PHY_FAULTS = (Fault.SYNC_NOT_FOUND,)


class LinkRules:
    """The link layer's answers to the receive chain."""

    def air_length(self, l_field: int, frame_format: FrameFormat) -> int:
        """Bytes on air from the L-field to the last CRC; 0 for an impossible L-field."""
        try:
            return link.air_length(l_field, frame_format)
        except ProtocolError:
            return 0

    def first_span_bytes(self, frame_format: FrameFormat) -> int:
        """Bytes to read before the length is known: format A's first block, else the L-field."""
        return FIRST_BLOCK_BYTES + CRC_BYTES if frame_format == "A" else 1

    def bad_blocks(self, raw: bytes, frame_format: FrameFormat) -> tuple[int, ...]:
        """Numbers, from 1, of the blocks whose CRC does not fit."""
        return link.bad_blocks(raw, frame_format)

    def crc_spans(self, length: int, frame_format: FrameFormat) -> tuple[tuple[int, int], ...]:
        """Byte ranges that one CRC protects, CRC included, in a frame of ``length`` bytes."""
        return crc_spans(length, frame_format)

    def remainder(self, span: bytes) -> int:
        """Tell what is wrong with such a range by the CRC at its end; 0 when it fits."""
        return crc16(span[:-CRC_BYTES]) ^ int.from_bytes(span[-CRC_BYTES:], "big")

    def bit_remainders(self, n_bits: int) -> IndexArray:
        """Tell how each bit of a range of ``n_bits``, CRC included, changes the remainder: int64 [n_bits]."""
        return _bit_remainders(n_bits)


@lru_cache(maxsize=512)
def _bit_remainders(n_bits: int) -> IndexArray:
    return np.array(bit_remainders(n_bits), dtype=np.int64)


class StreamReceiver:
    """Receives one stream without gaps: a recording's segment, or a radio between two faults.

    Args:
        plan: channels to receive.
        sample_rate_hz: rate of the stream.
        center_hz: its middle.
        sample_format: how samples are stored.
        start_time: UTC of ``first_sample``, or None.
        first_sample: number of the stream's first sample.
        decoder: keys, and what earlier telegrams taught; None for a new one without keys.
        repair: mend frames whose CRC does not fit, where the likeliest other readings do.
        subtraction: take decoded frames off the samples and search again beneath them.
        executor: demodulates elsewhere; None to do it here and at once.
    """

    def __init__(
        self,
        plan: Plan,
        sample_rate_hz: float,
        center_hz: float,
        sample_format: SampleFormat,
        *,
        start_time: datetime | None = None,
        first_sample: int = 0,
        decoder: Decoder | None = None,
        repair: bool = True,
        subtraction: bool = True,
        executor: Executor | None = None,
    ) -> None:
        raw_scale = RawScale(sample_format.zero_offset, sample_format.scale)
        self._chain = Receiver(
            plan,
            sample_rate_hz,
            center_hz,
            raw_scale,
            LinkRules(),
            repair=repair,
            subtraction=subtraction,
            executor=executor,
        )
        self._sample_rate_hz = sample_rate_hz
        self._start_time = start_time
        self._first_sample = first_sample
        self._decoder = Decoder() if decoder is None else decoder

    def tie(self, start_time: datetime | None) -> None:
        """Tell the UTC of ``first_sample`` anew: live, the two clocks drift apart."""
        self._start_time = start_time

    @property
    def is_quiet(self) -> bool:
        """Whether no burst is open: a moment to begin anew at little risk."""
        return self._chain.is_quiet

    def push(self, raw: RawArray) -> list[Reception]:
        """Take stored values [2n]; return what is complete, by time."""
        return [self.decode(burst) for burst in self.hear(raw)]

    def receive(self, raw: RawArray) -> Iterator[Reception]:
        """Take stored values [2n]; yield what is complete as soon as it is read."""
        for bursts in self._chain.bursts(raw):
            for burst in bursts:
                yield self.decode(burst)

    def flush(self) -> list[Reception]:
        """End of the stream: return what was still open."""
        return [self.decode(burst) for burst in self.hear_rest()]

    def hear(self, raw: RawArray) -> list[Burst]:
        """Do the first half of ``push``: take stored values [2n]; return complete bursts, by time."""
        return self._chain.push(raw)

    def hear_rest(self) -> list[Burst]:
        """Do the first half of ``flush``."""
        return self._chain.flush()

    def decode(self, burst: Burst) -> Reception:
        """Do the second half: read a burst's telegram; what it teaches is kept for the next."""
        received_at = None
        if self._start_time is not None:
            received_at = later(self._start_time, burst.first_sample / self._sample_rate_hz)
        reception = Reception(
            burst=burst,
            received_at=received_at,
            first_sample=self._first_sample + burst.first_sample,
            frame=b"",
            link=None,
            rejection=None,
            direction=_DIRECTIONS[burst.row.name],
        )
        if burst.fault is not None:
            return replace(reception, rejection=_rejection(burst))
        assert burst.frame_format is not None  # a burst without fault has a sync word
        try:
            frame = link.strip_crcs(burst.raw, burst.frame_format)
            decoded = link.parse(frame, may_be_knx=burst.row.mode == "S")
        except ProtocolError as error:
            return replace(reception, rejection=Rejection(error.layer, error.reason))
        telegram = self._decoder.decode_frame(decoded, now_s=self._now_s(reception))
        direction = telegram.direction or reception.direction
        return replace(reception, frame=frame, link=decoded, direction=direction, decoded=telegram)

    def _now_s(self, reception: Reception) -> float:
        """Time of a reception for the waiting of fragments, on the clock or else on that of the samples."""
        if reception.received_at is not None:
            return reception.received_at.timestamp()
        return reception.first_sample / self._sample_rate_hz


def _rejection(burst: Burst) -> Rejection:
    assert burst.fault is not None
    layer = "phy" if burst.fault in _PHY_FAULTS else "link"
    return Rejection(layer, burst.fault.value, burst.bad_blocks[0] if burst.bad_blocks else None)


def _mode_direction(row: PhyMode) -> str | None:
    """Tell the direction where all rows that look like a burst's have the same one."""
    alike = {
        other.direction
        for other in MODES
        if other.mode == row.mode
        and other.centers_hz == row.centers_hz
        and other.chip_rate_hz == row.chip_rate_hz
    }
    return alike.pop() if len(alike) == 1 and "both" not in alike else None


_DIRECTIONS = {row.name: _mode_direction(row) for row in MODES}
