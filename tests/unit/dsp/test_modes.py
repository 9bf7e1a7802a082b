"""Every row of MODES against the values printed for EN 13757-4 and OMS Vol. 2 Annex O.

``PRINTED`` repeats the printed tables in their own form and units, independent of the code's.
"""

from __future__ import annotations

import pytest

from dsp.modes import BANDS, BY_NAME, MODE_LETTERS, MODES, LineCode, Modulation, PhyMode, Postamble, find_mode

S_SYNC, T_SYNC = "0x07696", "0x03D"
C_SYNC = {"A": "0x543D54CD", "B": "0x543D543D"}
NF_SYNC = {"A": "0xF68D", "B": "0xF672"}

# name: centre MHz, kcps, tx tolerance, rx tolerance, deviation kHz min/typ/max, carrier ppm, header chips
PRINTED = {
    "S1 M2O": (868.300, 32.768, 1.5e-2, 2e-2, (40, 50, 80), 60, 576),
    "S2 M2O": (868.300, 32.768, 1.5e-2, 2e-2, (40, 50, 80), 60, 48),
    "S2 O2M": (868.300, 32.768, 1.5e-2, 2e-2, (40, 50, 80), 25, 48),
    "T2 O2M": (868.300, 32.768, 1.5e-2, 2e-2, (40, 50, 80), 25, 48),
    "T M2O": (868.950, 100, 10e-2, 12e-2, (40, 50, 80), 60, 48),
    "C M2O": (868.950, 100, 100e-6, 100e-6, (33.75, 45, 56.25), 25, 64),
    "C2 O2M": (869.525, 50, 100e-6, 100e-6, (18.75, 25, 31.25), 25, 64),
    "R2": (868.330, 4.8, 1.5e-2, 2e-2, (4.8, 6.0, 7.2), 20, 96),
    "Na": (169.406250, 4.8, 100e-6, 100e-6, (1.68, 2.4, 3.12), 9, 32),
    "Nb": (169.418750, 4.8, 100e-6, 100e-6, (1.68, 2.4, 3.12), 9, 32),
    "Nc": (169.431250, 2.4, 100e-6, 100e-6, (1.68, 2.4, 3.12), 12, 32),
    "Nd": (169.443750, 2.4, 100e-6, 100e-6, (1.68, 2.4, 3.12), 12, 32),
    "Ne": (169.456250, 4.8, 100e-6, 100e-6, (1.68, 2.4, 3.12), 9, 32),
    "Nf": (169.468750, 4.8, 100e-6, 100e-6, (1.68, 2.4, 3.12), 9, 32),
    # Printed: outer ±7.2 kHz. The limits are the 70 to 130 % of the other N rows, the carrier's are unknown.
    "N2g": (169.437500, 9.6, 100e-6, 100e-6, (5.04, 7.2, 9.36), 9, 32),
    "F2": (433.820, 2.4, 100e-6, 100e-6, (4.8, 5.5, 7.0), 16, 94),
    "S1 M2O 433": (433.500, 32.768, 1.5e-2, 2e-2, (40, 50, 60), 60, 576),
    "S2 M2O 433": (433.500, 32.768, 1.5e-2, 2e-2, (40, 50, 60), 60, 48),
    "S2 O2M 433": (433.500, 32.768, 1.5e-2, 2e-2, (40, 50, 60), 25, 48),
    "T2 O2M 433": (433.500, 32.768, 1.5e-2, 2e-2, (40, 50, 60), 25, 48),
    "T M2O 433": (434.475, 100, 1e-2, 1e-2, (40, 50, 60), 60, 48),
    "C M2O 433": (434.475, 100, 100e-6, 100e-6, (33.75, 45, 56.25), 25, 64),
    "C2 O2M 433": (433.500, 50, 100e-6, 100e-6, (18.75, 25, 31.25), 25, 64),
}

# Regulation: sub-band MHz, power mW ERP, duty cycle
REGULATION = {
    "S1 M2O": (868.0, 868.6, 25, 0.01),
    "S2 M2O": (868.0, 868.6, 25, 0.01),
    "S2 O2M": (868.0, 868.6, 25, 0.01),
    "T2 O2M": (868.0, 868.6, 25, 0.01),
    "T M2O": (868.7, 869.2, 25, 0.001),
    "C M2O": (868.7, 869.2, 25, 0.001),
    "C2 O2M": (869.4, 869.65, 500, 0.10),
    "R2": (868.0, 868.6, 25, 0.01),
    **{name: (169.400, 169.475, 500, 0.10) for name in ("Na", "Nb", "Nc", "Nd", "Ne", "Nf", "N2g")},
    # 433 MHz: bandwidths 600 (S), 500 (T and C up) and 250 kHz (C down) around the carrier, 10 mW.
    "S1 M2O 433": (433.2, 433.8, 10, None),
    "S2 M2O 433": (433.2, 433.8, 10, None),
    "S2 O2M 433": (433.2, 433.8, 10, None),
    "T2 O2M 433": (433.2, 433.8, 10, None),
    "T M2O 433": (434.225, 434.725, 10, None),
    "C M2O 433": (434.225, 434.725, 10, None),
    "C2 O2M 433": (433.375, 433.625, 10, None),
}

LETTER_FACTS = {
    # modulation, BT, line code, sync, postamble, its length in chips
    "S": (Modulation.FSK2, None, LineCode.MANCHESTER, {"A": S_SYNC}, Postamble.ZERO_ONE, (2, 8)),
    "T": (Modulation.FSK2, None, LineCode.THREE_OF_SIX, {"A": T_SYNC}, Postamble.COMPLEMENT, (2, 8)),
    "R": (Modulation.FSK2, None, LineCode.MANCHESTER, {"A": S_SYNC}, Postamble.ZERO_ONE, (2, 8)),
    "C M2O": (Modulation.FSK2, None, LineCode.NRZ, C_SYNC, Postamble.NONE, (0, 0)),
    "C O2M": (Modulation.GFSK2, 0.5, LineCode.NRZ, C_SYNC, Postamble.NONE, (0, 0)),
    "N": (Modulation.GFSK2, 0.5, LineCode.NRZ, NF_SYNC, Postamble.NONE, (0, 0)),
    "N2g": (Modulation.GFSK4, 0.5, LineCode.NRZ, NF_SYNC, Postamble.NONE, (0, 0)),
    "F": (Modulation.FSK2, None, LineCode.NRZ, NF_SYNC, Postamble.NONE, (0, 0)),
}

PREAMBLE_PAIRS = {"S1": 279, "S2": 15, "T2": 15, "T ": 19, "R2": 39, "C ": 16, "C2": 16, "N": 8, "F2": 39}
SYNC_CHIPS = {"S": 18, "T": 10, "R": 18, "C": 32, "N": 16, "F": 16}

every_row = pytest.mark.parametrize("row", MODES, ids=[row.name for row in MODES])


def _family(row: PhyMode) -> str:
    if row.name == "N2g":
        return "N2g"
    return f"C {row.direction}" if row.mode == "C" else row.mode


def test_every_printed_row_is_there_once() -> None:
    assert [row.name for row in MODES] == list(PRINTED)
    assert len(BY_NAME) == len(MODES)
    assert MODE_LETTERS == ("S", "T", "C", "R", "N", "F")


@every_row
def test_frequency_rate_and_deviation(row: PhyMode) -> None:
    center_mhz, kcps, tx, rx, deviation_khz, ppm, header = PRINTED[row.name]
    assert row.centers_hz[row.default_channel] == pytest.approx(center_mhz * 1e6, abs=0.01)
    assert row.chip_rate_hz == pytest.approx(kcps * 1e3)
    assert (row.tx_chip_rate_tolerance, row.rx_chip_rate_tolerance) == (tx, rx)
    got = (row.deviation.min_hz, row.deviation.typical_hz, row.deviation.max_hz)
    assert got == pytest.approx([khz * 1e3 for khz in deviation_khz])
    assert row.carrier_tolerance_ppm == ppm
    assert row.header_chips == header


@every_row
def test_modulation_coding_and_sync(row: PhyMode) -> None:
    modulation, bandwidth_time, code, sync, postamble, postamble_chips = LETTER_FACTS[_family(row)]
    assert (row.modulation, row.bandwidth_time, row.line_code) == (modulation, bandwidth_time, code)
    assert {fmt: int(word, 2) for fmt, word in row.sync_words.items()} == {
        fmt: int(word, 16) for fmt, word in sync.items()
    }
    assert {len(word) for word in row.sync_words.values()} == {SYNC_CHIPS[row.mode]}
    assert (row.postamble, row.postamble_chips) == (postamble, postamble_chips)
    assert row.preamble_pairs == next(n for start, n in PREAMBLE_PAIRS.items() if row.name.startswith(start))


@every_row
def test_regulation(row: PhyMode) -> None:
    if row.mode == "F":  # ≤ 10 mW and ≤ 10 %; no sub-band is printed
        assert (row.sub_band_hz, row.max_erp_w, row.duty_cycle) == (None, 0.010, 0.10)
        return
    low_mhz, high_mhz, power_mw, duty_cycle = REGULATION[row.name]
    assert row.sub_band_hz == pytest.approx((low_mhz * 1e6, high_mhz * 1e6))
    assert row.max_erp_w == pytest.approx(power_mw / 1e3)
    assert row.duty_cycle == duty_cycle


@every_row
def test_what_the_printed_tables_imply(row: PhyMode) -> None:
    assert set(row.bands) <= set(BANDS)
    assert row.deviation.min_hz < row.deviation.typical_hz < row.deviation.max_hz
    assert row.tx_chip_rate_tolerance <= row.rx_chip_rate_tolerance
    assert all(set(word) == {"0", "1"} for word in row.sync_words.values())
    if row.sub_band_hz is not None:
        low_hz, high_hz = row.sub_band_hz
        assert all(low_hz < center_hz < high_hz for center_hz in row.centers_hz)


def test_air_time_follows_from_rate_and_code() -> None:
    # Data rates printed for the modes, kbit/s
    printed = {"S2 M2O": 16.384, "T M2O": 66.667, "C M2O": 100, "C2 O2M": 50, "R2": 2.4, "Na": 4.8}
    printed |= {"Nc": 2.4, "N2g": 19.2, "F2": 2.4}
    for name, kbit_s in printed.items():
        row = BY_NAME[name]
        assert 8 * row.chip_rate_hz / row.chips_per_byte == pytest.approx(kbit_s * 1e3, rel=1e-5)


def test_r2_has_ten_channels_60_khz_apart() -> None:
    assert BY_NAME["R2"].centers_hz == pytest.approx([868.030e6 + n * 60e3 for n in range(10)])


def test_s_sync_word_breaks_manchester_on_purpose() -> None:
    word = BY_NAME["S2 M2O"].sync_words["A"]
    assert "000" in word and "111" in word


def test_what_is_doubtful_says_so() -> None:
    assert {row.name for row in MODES if "polarity" in row.uncertain} == {
        row.name for row in MODES if row.mode in "RNF"
    }
    assert "duty_cycle" in BY_NAME["C2 O2M"].uncertain
    assert "postamble" in BY_NAME["T M2O"].uncertain


@pytest.mark.parametrize(
    ("mode", "direction", "band", "sub_mode", "name"),
    [
        ("S", "M2O", "A", None, "S2 M2O"),
        ("S", "O2M", "A", None, "S2 O2M"),
        ("S", "M2O", "A", "S1 M2O", "S1 M2O"),
        ("T", "M2O", "A", None, "T M2O"),
        ("T", "O2M", "A", None, "T2 O2M"),
        ("T", "O2M", "B", None, "T2 O2M 433"),
        ("C", "M2O", "B", None, "C M2O 433"),
        ("C", "O2M", "A", None, "C2 O2M"),
        ("R", "O2M", "A", None, "R2"),
        ("N", "M2O", "A", "N2g", "N2g"),
        ("F", "M2O", "B", None, "F2"),
        ("Nd", "M2O", "A", None, "Nd"),
    ],
)
def test_find_mode(mode: str, direction: str, band: str, sub_mode: str | None, name: str) -> None:
    assert find_mode(mode, direction, band, sub_mode).name == name


def test_find_mode_names_what_there_is() -> None:
    with pytest.raises(KeyError, match=r"no PHY mode 'X'.*C2 O2M"):
        find_mode("X")
    with pytest.raises(KeyError, match="no PHY mode"):
        find_mode("R", band="B")


def test_t_and_c_share_the_start_of_their_sync_words() -> None:
    # printed: both are found by 0x543D, which in T is preamble followed by its sync word
    t_row, c_row = BY_NAME["T M2O"], BY_NAME["C M2O"]
    assert f"{0x543D:016b}" == "010101" + t_row.sync_words["A"]
    assert {word[:16] for word in c_row.sync_words.values()} == {f"{0x543D:016b}"}
