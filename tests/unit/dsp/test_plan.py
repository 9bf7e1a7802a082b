"""Which channels a span covers, and what distinguishes the rows of one channel."""

from __future__ import annotations

import pytest

from dsp.modes import BY_NAME, MODES, PhyMode
from dsp.plan import PATTERN_CHIPS, RECEIVER_PPM, Channel, Plan, half_width_hz, make_plan


def _rows(plan: Plan) -> dict[float, set[str]]:
    return {channel.center_hz: {row.name for row in channel.rows} for channel in plan.channels}


def _wide_plan(row: PhyMode) -> Plan:
    return make_plan(20e6, row.centers_hz[row.default_channel], (row.mode,))


def test_rows_with_one_carrier_and_chip_rate_share_a_channel() -> None:
    assert _rows(make_plan(2.4e6, 868.9e6)) == {
        868.300e6: {"S1 M2O", "S2 M2O", "S2 O2M", "T2 O2M"},
        868.950e6: {"T M2O", "C M2O"},
        869.525e6: {"C2 O2M"},
    }


def test_same_carrier_with_another_chip_rate_is_another_channel() -> None:
    plan = make_plan(2.4e6, 434.0e6, band="B")
    assert [(channel.center_hz, channel.chip_rate_hz) for channel in plan.channels] == [
        (433.5e6, 32_768.0),
        (433.5e6, 50_000.0),
        (433.82e6, 2_400.0),
        (434.475e6, 100_000.0),
    ]


def test_r_only_when_named_and_n_and_f_where_the_span_holds_them() -> None:
    assert {row.mode for c in make_plan(3.2e6, 868.9e6).channels for row in c.rows} == {"S", "T", "C"}
    assert len(make_plan(3.2e6, 868.9e6, ("R",)).channels) == 10
    assert {row.name for c in make_plan(200e3, 169.45e6).channels for row in c.rows} == {
        "Na", "Nb", "Nc", "Nd", "Ne", "Nf", "N2g",
    }  # fmt: skip
    assert {row.name for c in make_plan(200e3, 433.82e6).channels for row in c.rows} == {"F2"}
    assert make_plan(1e6, 100e6).channels == ()


def test_bands_choose_rows() -> None:
    assert {row.name for c in make_plan(2.4e6, 434.0e6, band="A").channels for row in c.rows} == {"F2"}
    both = {row.name for c in make_plan(2.4e6, 434.0e6).channels for row in c.rows}
    assert {"F2", "T M2O 433", "C M2O 433", "C2 O2M 433", "S2 M2O 433"} <= both


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_a_row_is_on_exactly_when_its_whole_channel_fits(row: PhyMode) -> None:
    carrier_hz = row.centers_hz[row.default_channel]
    off_hz = 1e-6 * carrier_hz * (row.carrier_tolerance_ppm + 20.0)
    half_hz = off_hz + row.deviation.typical_hz + row.chip_rate_hz / 2
    assert half_width_hz(row, carrier_hz) == pytest.approx(half_hz)
    rate_hz = 1e6
    for sign in (-1, 1):
        edge_hz = carrier_hz + sign * (rate_hz / 2 - half_hz)
        for step_hz, fits in ((-1.0, True), (1.0, False)):
            plan = make_plan(rate_hz, edge_hz + sign * step_hz, (row.mode,), row.bands[0])
            on = {(r.name, c.center_hz) for c in plan.channels for r in c.rows}
            assert ((row.name, carrier_hz) in on) is fits


def test_what_is_off_says_why() -> None:
    # T reaches up to 869.12 MHz, C with its better crystals only to 869.084 MHz
    plan = make_plan(1.6e6, 868.3e6)
    assert {off.name: off.reason for off in plan.off} == {
        "T M2O": "its channel 868.780…869.120 MHz is not inside the span 867.500…869.100 MHz",
        "C2 O2M": "its channel 869.436…869.614 MHz is not inside the span 867.500…869.100 MHz",
    }
    # rows of another region of the spectrum are not worth a word, unless they were named
    assert {row.name for row in make_plan(1.6e6, 868.3e6, ("N",)).off} == {
        "Na", "Nb", "Nc", "Nd", "Ne", "Nf", "N2g",
    }  # fmt: skip


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_pattern_and_continuation_are_the_end_of_the_header(row: PhyMode) -> None:
    for channel in _wide_plan(row).channels:
        if row not in channel.rows:
            continue
        ways = [(variant.row, variant.frame_format) for variant in channel.variants]
        for frame_format, sync_word in row.sync_words.items():
            header = "01" * row.preamble_pairs + sync_word
            found = [
                variant
                for variant in channel.variants
                if variant.frame_format == frame_format
                and variant.row.line_code is row.line_code
                and header.endswith(channel.pattern + variant.continuation)
            ]
            assert len(found) == 1, (row.name, frame_format, ways)


def test_t_and_c_are_told_apart_behind_the_common_chips() -> None:
    # Printed: 54 3D for all, then 54 CD is C format A, 54 3D is C format B, all else is T.
    channel = next(c for c in make_plan(2.4e6, 868.9e6).channels if c.center_hz == 868.95e6)
    assert channel.pattern.endswith(f"{0x543D:016b}")
    assert {(v.row.mode, v.frame_format): v.continuation for v in channel.variants} == {
        ("T", "A"): "",
        ("C", "A"): f"{0x54CD:016b}",
        ("C", "B"): f"{0x543D:016b}",
    }


def _channels() -> list[Channel]:
    plans = [_wide_plan(row) for row in MODES]
    return list({c.name: c for plan in plans for c in plan.channels}.values())


@pytest.mark.parametrize("channel", _channels(), ids=[c.name for c in _channels()])
def test_a_channel_holds_all_that_its_rows_permit(channel: Channel) -> None:
    assert len(channel.pattern) <= PATTERN_CHIPS
    assert channel.samples_per_chip % 4 == 0
    for row in channel.rows:
        off_hz = 1e-6 * channel.center_hz * (row.carrier_tolerance_ppm + RECEIVER_PPM)
        assert channel.carrier_tolerance_hz >= off_hz - 1e-6
        if row.chip_rate_hz > 10e3:  # 60 ppm of a meter and 20 of a dongle, whoever sends
            assert channel.carrier_tolerance_hz >= 80e-6 * channel.center_hz - 1e-6
        assert channel.deviation_min_hz <= row.deviation.min_hz
        assert channel.deviation_max_hz >= row.deviation.max_hz
        assert channel.chip_rate_tolerance >= row.rx_chip_rate_tolerance
        assert channel.passband_hz > off_hz + row.deviation.max_hz
        assert channel.baseband_rate_hz > 2 * (off_hz + row.deviation.max_hz)
        # format A with L-field 255 has 290 bytes on air, the least frame 12
        slow = row.chip_rate_hz * (1 - row.rx_chip_rate_tolerance)
        fast = row.chip_rate_hz * (1 + row.rx_chip_rate_tolerance)
        assert channel.longest_burst_s >= (row.header_chips + 290 * row.chips_per_byte) / slow
        assert channel.shortest_burst_s <= (row.header_chips + 12 * row.chips_per_byte) / fast
        assert channel.longest_header_s >= row.header_chips / slow


def test_frequencies_of_one_channel_in_numbers() -> None:
    channel = next(c for c in make_plan(2.4e6, 868.9e6).channels if c.center_hz == 868.95e6)
    assert channel.name == "868.9500 MHz 100 kcps"
    assert channel.carrier_tolerance_hz == pytest.approx(868.95 * 80)  # 60 ppm and a dongle of 20
    assert (channel.deviation_min_hz, channel.deviation_max_hz) == (33.75e3, 80e3)
    assert channel.chip_rate_tolerance == 0.12
    assert channel.longest_burst_s == pytest.approx((48 + 290 * 12) / 88e3)
    assert BY_NAME["T M2O"] in channel.rows
