"""The join: bursts become receptions with a time, a direction and a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from support import GAS_FRAME, GAS_RAW_A, Air, narrow_air, on_air, pad_with_noise

from dsp.arrays import ComplexArray
from dsp.modes import BY_NAME, FrameFormat, PhyMode
from protocol import link
from sdr.receiver import LinkRules, StreamReceiver
from sdr.reception import Reception
from sdr.sample_format import SampleFormat

T, S, C, C_DOWN, F = (BY_NAME[name] for name in ("T M2O", "S2 M2O", "C M2O", "C2 O2M", "F2"))
START = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


def _samples(raw: bytes, row: PhyMode, frame_format: FrameFormat = "A") -> tuple[ComplexArray, Air]:
    rng = np.random.default_rng(1)
    air = narrow_air(row)
    return pad_with_noise(on_air(raw, row, frame_format, air, rng), air, rng, 0.02), air


def _receive(raw: bytes, row: PhyMode, frame_format: FrameFormat = "A", **options: object) -> Reception:
    samples, air = _samples(raw, row, frame_format)
    receiver = StreamReceiver(
        air.plan(row.mode), air.sample_rate_hz, air.center_hz, SampleFormat.CF32,
        **options,  # type: ignore[arg-type]
    )  # fmt: skip
    (reception,) = receiver.push(samples.view(np.float32)) + receiver.flush()
    return reception


def test_a_frame_becomes_a_telegram() -> None:
    reception = _receive(GAS_RAW_A, T)
    assert reception.rejection is None
    assert reception.frame == GAS_FRAME
    assert reception.burst.raw == GAS_RAW_A
    assert reception.link is not None and reception.link.address.id == "12345678"
    assert reception.telegram is not None
    assert (reception.mode, reception.frame_format, reception.repaired) == ("T", "A", 0)
    assert reception.received_at is None  # no clock is known


def test_time_and_sample_count_are_the_first_preamble_chip() -> None:
    first = round(0.02 * narrow_air(T).sample_rate_hz)
    reception = _receive(GAS_RAW_A, T, start_time=START, first_sample=5_000_000)
    assert reception.received_at is not None
    assert abs(reception.received_at - START - timedelta(seconds=0.02)) < timedelta(microseconds=20)
    assert reception.first_sample == pytest.approx(5_000_000 + first, abs=8)


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    assert _receive(GAS_RAW_A, T, start_time=end).received_at is None


@pytest.mark.parametrize(
    ("c_field", "row", "direction"),
    [
        (0x44, F, "M2O"),  # SND-NR: only meters send it
        (0x5B, F, "O2M"),  # REQ-UD2: only the other side does
        (0x00, F, None),  # ACK: both do, and mode F has one air interface for both
        (0x00, C, "M2O"),  # the carrier tells
        (0x00, C_DOWN, "O2M"),
        (0x5B, S, "O2M"),
    ],
)
def test_direction_from_c_field_or_mode(c_field: int, row: PhyMode, direction: str | None) -> None:
    frame = bytes([9, c_field]) + GAS_FRAME[2:10]  # no more than an address
    assert _receive(link.add_crcs(frame, "A"), row).direction == direction


def test_a_damaged_frame_becomes_a_rejection_with_its_block() -> None:
    raw = bytearray(GAS_RAW_A)
    raw[20] ^= 0xFF
    reception = _receive(bytes(raw), T)
    assert reception.rejection is not None and reception.link is None and reception.frame == b""
    assert (reception.rejection.layer, reception.rejection.reason) == ("link", "crc_mismatch")
    assert reception.rejection.block == 2
    assert reception.telegram is None


def test_a_frame_cut_short() -> None:
    samples, air = _samples(GAS_RAW_A, T)
    receiver = StreamReceiver(air.plan("T"), air.sample_rate_hz, air.center_hz, SampleFormat.CF32)
    half = samples[: samples.size // 2]
    (reception,) = receiver.push(half.view(np.float32)) + receiver.flush()
    assert reception.rejection is not None
    assert (reception.rejection.layer, reception.rejection.reason) == ("link", "truncated")
    assert reception.rejection.block is None


def test_knx_rf_is_named_and_not_reported_as_a_meter() -> None:
    # C-field 44 followed by FF, which no manufacturer has.
    frame = bytes([0x10, 0x44, 0xFF]) + bytes(14)
    reception = _receive(link.add_crcs(frame, "A"), S)
    assert reception.rejection is not None
    assert (reception.rejection.layer, reception.rejection.reason) == ("link", "knx_rf")


def test_format_b_gets_the_l_field_of_format_a() -> None:
    reception = _receive(link.add_crcs(GAS_FRAME, "B"), C, "B")
    assert reception.frame == GAS_FRAME
    assert reception.raw[0] == 0x30


def test_link_rules() -> None:
    rules = LinkRules()
    assert rules.air_length(0x2E, "A") == 55
    assert rules.air_length(0xFF, "A") == 290
    assert rules.air_length(0xFF, "B") == 256
    # an L-field too small for an address; a third block of format B without room for data
    assert [rules.air_length(l_field, "A") for l_field in (0, 8)] == [0, 0]
    assert [rules.air_length(l_field, "B") for l_field in (0, 10, 128, 129)] == [0, 0, 0, 0]
    assert rules.bad_blocks(GAS_RAW_A, "A") == ()
    spans = rules.crc_spans(len(GAS_RAW_A), "A")
    assert spans == ((0, 12), (12, 30), (30, 48), (48, 55))
    assert all(rules.remainder(GAS_RAW_A[start:stop]) == 0 for start, stop in spans)
    assert rules.remainder(GAS_RAW_A[1:12])
    # each bit changes the remainder as said, and alike after 151 bits
    for bit in range(96):
        wrong = int.from_bytes(GAS_RAW_A[:12], "big") ^ 1 << 95 - bit
        assert rules.remainder(wrong.to_bytes(12, "big")) == rules.bit_remainders(96)[bit]
    assert rules.bit_remainders(400)[10] == rules.bit_remainders(400)[161] == rules.bit_remainders(400)[312]
