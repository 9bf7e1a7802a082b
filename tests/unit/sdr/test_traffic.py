"""Plans of transmissions: when, what, how long, and drawn from the seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.encoder import encode_levels
from dsp.modes import BY_NAME, MODES, PhyMode
from dsp.modulator import waveform
from protocol import link
from sdr.scene import RandomPayload, Sender, parse
from sdr.traffic import Coverage, Transmission, generator, plan, random_frame

TOP = 'rate = "2.4M"\ncenter = "868.9M"\nduration = 10.0\nseed = 3\nnoise_dbfs = -40\n'
T_METER = '[[meter]]\nmode = "T"\nsnr_db = 20\n'
STREET = "[street]\nrate_per_s = 40\nsnr_db = [12, 35]\npayload = [20, 60]\n"


def _plan(text: str, top: str = TOP) -> list[Transmission]:
    return plan(parse(top + text))


def test_starts_at_the_stated_times_with_a_fraction_of_a_sample() -> None:
    sent = _plan(T_METER + "at = [1.5, 0.25]\nrandom_payload = 20\n")
    starts_s = [one.start_s for one in sent]
    assert starts_s == sorted(starts_s)
    delays_s = np.array(starts_s) - [0.25, 1.5]
    assert np.all((delays_s > 0) & (delays_s < 10e-6))
    assert delays_s[0] != delays_s[1]
    assert [one.first_sample(2.4e6) for one in sent] == [round(start * 2.4e6) for start in starts_s]
    assert sent[0].phase_rad != sent[1].phase_rad


def test_interval_first_jitter_and_count() -> None:
    every = _plan(T_METER + "interval = 2\nfirst = 0.5\nrandom_payload = 20\n")
    assert [one.start_s for one in every] == pytest.approx([0.5, 2.5, 4.5, 6.5, 8.5], abs=2e-5)
    assert len(_plan(T_METER + "interval = 2\ncount = 3\nrandom_payload = 20\n")) == 3
    moved = _plan(T_METER + "interval = 0.1\nfirst = 0.1\njitter = 0.02\nrandom_payload = 20\n")
    off_s = np.array([one.start_s for one in moved]) - 0.1 * np.arange(1, len(moved) + 1)
    assert np.abs(off_s).max() <= 0.02001
    assert off_s.std() == pytest.approx(0.02 / np.sqrt(3), rel=0.2)


def test_frames_in_turn() -> None:
    frames = [f"0c44931578563412330378{n:02x}01" for n in range(3)]
    sent = _plan(T_METER + f"interval = 1\ncount = 5\nframes = {frames}\n".replace("'", '"'))
    assert [one.frame.hex() for one in sent] == [frames[n] for n in (0, 1, 2, 0, 1)]


@pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])
def test_duration_is_that_of_the_modulated_burst(row: PhyMode) -> None:
    for frame_format in row.frame_formats:
        text = (
            f'[[meter]]\nmode = "{row.name}"\nframe_format = "{frame_format}"\nsnr_db = 9\nat = [1.0]\n'
            "random_payload = 40\nchip_rate_error_ppm = 5000\nchip_rate_drift_ppm = -3000\n"
        )
        (sent,) = _plan(text)
        levels = encode_levels(link.add_crcs(sent.frame, frame_format), row, frame_format)
        burst = waveform(levels, row, impairments=sent.impairments)
        assert sent.whole_duration_s == pytest.approx(burst.duration_s, rel=1e-12)
        trailer = 4 if row.postamble_chips[1] else 0
        assert sent.duration_s == pytest.approx(
            sent.whole_duration_s - trailer / (row.chip_rate_hz * 1.005 * 0.997), rel=1e-5
        )


def test_t_downlink_is_reported_as_s() -> None:
    (sent,) = _plan('[[meter]]\nmode = "T"\ndirection = "O2M"\nsnr_db = 9\nat = [1]\nrandom_payload = 9\n')
    assert (sent.row.name, sent.mode, sent.direction) == ("T2 O2M", "S", "O2M")


def test_carrier_edges_and_coverage() -> None:
    (sent,) = _plan(T_METER + "at = [1]\nrandom_payload = 9\ncarrier_offset_hz = -20_000\n")
    assert sent.carrier_hz == 868.93e6
    assert sent.edges_hz == (868.78e6, 869.08e6)  # deviation 50 kHz and chip rate 100 kHz to both sides
    assert sent.coverage(2.4e6, 868.9e6) is Coverage.INSIDE
    assert sent.coverage(300e3, 868.93e6) is Coverage.INSIDE
    assert sent.coverage(300e3, 868.9e6) is Coverage.PARTIAL
    assert sent.coverage(1e6, 868.2e6) is Coverage.OUTSIDE
    assert sent.coverage(1e6, 869.7e6) is Coverage.OUTSIDE


def test_bursts_that_touch_the_recording_are_planned_and_cut_ones_told() -> None:
    sent = _plan(T_METER + "at = [-1.0, -0.001, 5.0, 9.999, 10.1]\nrandom_payload = 60\n")
    assert [one.start_s for one in sent] == pytest.approx([-0.001, 5.0, 9.999], abs=1e-4)
    assert [one.is_whole(10.0) for one in sent] == [False, True, False]


def test_one_meter_does_not_move_the_draws_of_another() -> None:
    meter = T_METER + "interval = 1\njitter = 0.1\nrandom_payload = [5, 90]\n"
    alone = _plan(meter)
    together = _plan(meter + T_METER + "at = [3.3]\nrandom_payload = 50\n")
    assert [one for one in together if one in alone] == alone
    assert len(together) == len(alone) + 1
    assert _plan(meter, TOP.replace("seed = 3", "seed = 4")) != alone
    # A longer recording begins like a shorter one, and its rate and centre change nothing.
    longer = _plan(meter, TOP.replace("10.0", "20.0").replace("2.4M", "1M").replace("868.9M", "869M"))
    assert longer[: len(alone)] == alone


@pytest.mark.parametrize("direction", ["M2O", "O2M"])
def test_random_frames_are_valid(direction: Sender) -> None:
    rng = generator(1, 99)
    frames = [random_frame(rng, RandomPayload(1, 246), direction) for _ in range(300)]
    lengths = {len(frame) - 10 for frame in frames}
    assert min(lengths) <= 5 and max(lengths) >= 240
    parsed = [link.parse(frame) for frame in frames]
    assert {frame.function for frame in parsed} == {"SND-NR" if direction == "M2O" else "SND-UD"}
    assert {frame.direction for frame in parsed} == {direction}
    assert all(frame.address.id.isdigit() for frame in parsed)
    assert len({frame.address.id for frame in parsed}) == 300


def test_street_draws_within_its_limits() -> None:
    sent = _plan(STREET + 'modes = { T = 3, C = 1, "C2 O2M" = 1 }\n')
    assert len(sent) == pytest.approx(400, abs=80)  # Poisson: ± 4σ
    counts = {name: sum(one.row.name == name for one in sent) for name in ("T M2O", "C M2O", "C2 O2M")}
    assert sum(counts.values()) == len(sent)
    assert counts["T M2O"] == pytest.approx(0.6 * len(sent), abs=45)
    assert {one.direction for one in sent if one.row.name == "C2 O2M"} == {"O2M"}
    assert {one.frame_format for one in sent if one.mode == "C"} == {"A", "B"}
    snr_db = np.array([one.snr_db for one in sent])
    assert 12 <= snr_db.min() < 14 and 33 < snr_db.max() <= 35
    lengths = [len(one.frame) - 10 for one in sent]
    assert (min(lengths), max(lengths)) == (20, 60)
    gaps_s = np.diff([one.start_s for one in sent])
    assert gaps_s.mean() == pytest.approx(1 / 40, rel=0.2)
    assert gaps_s.std() == pytest.approx(gaps_s.mean(), rel=0.25)  # exponential
    for one in sent:
        assert abs(one.impairments.carrier_offset_hz) <= 1e-6 * one.row.carrier_tolerance_ppm * one.center_hz
        assert abs(one.impairments.chip_rate_error) <= one.row.tx_chip_rate_tolerance
    assert max(abs(one.impairments.chip_rate_error) for one in sent if one.mode == "T") > 0.09


def test_street_with_stated_offsets() -> None:
    sent = _plan(
        STREET
        + 'modes = ["T", "C", "S", "R"]\n'
        + "carrier_offset_hz = [-5000, 20000]\nchip_rate_error_ppm = [-10000, 9000]\n"
    )
    offsets_hz = [one.impairments.carrier_offset_hz for one in sent]
    assert -5000 <= min(offsets_hz) < -3000 and 18000 < max(offsets_hz) <= 20000
    errors = {mode: [one.impairments.chip_rate_error for one in sent if one.mode == mode] for mode in "TCSR"}
    assert min(errors["T"]) < -0.008 and max(errors["T"]) <= 0.009
    assert max(map(abs, errors["C"])) <= 100e-6  # never beyond the row's tolerance
    assert {one.center_hz for one in sent if one.mode == "R"} == set(BY_NAME["R2"].centers_hz)


def test_a_street_begins_alike_however_long_it_is() -> None:
    text = STREET + 'modes = ["T", "S"]\n'
    short = _plan(text, TOP.replace("10.0", "1.0"))
    assert _plan(text)[: len(short)] == short
    assert len(short) > 20
