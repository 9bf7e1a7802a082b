"""Every transmitted air interface, measured like on a test bench, against the printed limits.

The measuring receiver is that of tests/bench_receiver.py, which knows nothing of the project's own.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from bench_receiver import WIDTH_KHZ, Measured, family, measure

from dsp.arrays import ComplexArray
from dsp.encoder import encode_levels
from dsp.modes import MODES, FrameFormat, PhyMode
from dsp.modulator import Impairments, modulate
from protocol.frame_format import add_crcs

# OMS Vol. 2 Annex N, N.2.1 (gas meter, SND-NR)
FRAME = bytes.fromhex(
    "2E4493157856341233037A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
)
SAMPLES_PER_CHIP = 32
CASES = [(row, frame_format) for row in MODES for frame_format in row.frame_formats]
every_case = pytest.mark.parametrize(
    ("row", "frame_format"), CASES, ids=[f"{row.name} {frame_format}" for row, frame_format in CASES]
)


def _burst(
    row: PhyMode, frame_format: FrameFormat, impairments: Impairments | None = None
) -> tuple[ComplexArray, float]:
    wrong = impairments or Impairments()
    rate_hz = SAMPLES_PER_CHIP * row.chip_rate_hz * (1 + wrong.chip_rate_error)
    levels = encode_levels(add_crcs(FRAME, frame_format), row, frame_format)
    return modulate(levels, row, rate_hz, impairments=wrong), rate_hz


def _measured(row: PhyMode, frame_format: FrameFormat, impairments: Impairments | None = None) -> Measured:
    return measure(*_burst(row, frame_format, impairments), row.header_chips, SAMPLES_PER_CHIP)


@every_case
def test_nominal_transmission_is_on_its_printed_values(row: PhyMode, frame_format: FrameFormat) -> None:
    measured = _measured(row, frame_format)
    assert measured.carrier_hz == pytest.approx(0, abs=0.01 * row.deviation.typical_hz)
    assert measured.deviation_hz == pytest.approx(row.deviation.typical_hz, rel=0.01)
    assert row.deviation.min_hz <= measured.deviation_hz <= row.deviation.max_hz
    assert measured.chip_rate_hz == pytest.approx(row.chip_rate_hz, rel=100e-6)
    assert measured.bandwidth_99_hz <= 1e3 * WIDTH_KHZ[family(row)]


@every_case
def test_header_reads_as_printed(row: PhyMode, frame_format: FrameFormat) -> None:
    measured = _measured(row, frame_format)
    header = measured.chips[: row.header_chips]
    word = row.sync_words[frame_format]
    assert header == "01" * ((row.header_chips - len(word)) // 2) + word
    # L-field 2E (30 in format B: two CRC bytes more), in the code of the mode
    coded = {
        "S": "1010011001010110",  # A656 as printed
        "R": "1010011001010110",
        "T": "001110110010",  # the words of 2 and E as printed
        "C": f"{0x2E if frame_format == 'A' else 0x30:08b}",
        "F": f"{0x2E if frame_format == 'A' else 0x30:08b}",
        "N": f"{0x2E if frame_format == 'A' else 0x30:08b}",
    }[row.mode]
    if row.name == "N2g":  # one symbol for two bits; its first bit is the upper half
        coded = coded[0::2]
    assert measured.chips[row.header_chips :].startswith(coded)


@every_case
@pytest.mark.parametrize("sign", [-1, 1])
def test_transmission_at_the_limits_of_the_row(row: PhyMode, frame_format: FrameFormat, sign: int) -> None:
    offset_hz = sign * 1e-6 * row.carrier_tolerance_ppm * row.centers_hz[0]
    deviation_hz = row.deviation.max_hz if sign > 0 else row.deviation.min_hz
    impairments = Impairments(
        carrier_offset_hz=offset_hz,
        deviation_hz=deviation_hz,
        chip_rate_error=sign * row.tx_chip_rate_tolerance,
    )
    measured = _measured(row, frame_format, impairments)
    assert measured.carrier_hz == pytest.approx(offset_hz, abs=0.01 * deviation_hz)
    assert measured.deviation_hz == pytest.approx(deviation_hz, rel=0.01)
    expected_hz = row.chip_rate_hz * (1 + sign * row.tx_chip_rate_tolerance)
    assert measured.chip_rate_hz == pytest.approx(expected_hz, rel=100e-6)


@every_case
def test_air_time(row: PhyMode, frame_format: FrameFormat) -> None:
    samples, rate_hz = _burst(row, frame_format)
    # 47 bytes: four blocks with a CRC each in format A, one CRC in format B
    air_bytes = 47 + (8 if frame_format == "A" else 2)
    kbit_s = {
        "S": 16.384,
        "T": 66.6667,
        "C M2O": 100,
        "C O2M": 50,
        "R": 2.4,
        "N": None,
        "N2g": 19.2,
        "F": 2.4,
    }
    data_rate = kbit_s[family(row)] or {"Nc": 2.4, "Nd": 2.4}.get(row.name, 4.8)
    trailer_chips = 4 if row.postamble_chips[1] else 0
    expected_s = (row.header_chips + trailer_chips) / row.chip_rate_hz + 8 * air_bytes / (1e3 * data_rate)
    assert samples.size / rate_hz == pytest.approx(expected_s, rel=1e-5)


@every_case
def test_level_is_constant_and_the_spectrum_falls(row: PhyMode, frame_format: FrameFormat) -> None:
    samples, rate_hz = _burst(row, frame_format)
    np.testing.assert_allclose(np.abs(samples), 1.0, atol=1e-5)
    frequency_hz, density = scipy.signal.welch(
        samples, rate_hz, nperseg=1024, return_onesided=False, window="blackmanharris", detrend=False
    )
    far = np.abs(frequency_hz) > row.deviation.typical_hz + 4 * row.chip_rate_hz
    gaussian = row.bandwidth_time is not None
    # Continuous phase alone falls with the fourth power of the distance, a Gaussian filter much faster.
    assert 10 * np.log10(density[far].max() / density.max()) < (-60 if gaussian else -30)
