"""The receiver against chips that are printed, not made by our encoder and modulator.

    chips of each air interface by hand, from the printed tables  ─▶  a few lines of numpy  ─▶  receiver

Preambles, sync words and code tables are those of EN 13757-4, as public sources restate them.
The frame is OMS Vol. 2 Annex N, N.2.1, with the CRCs printed there (format B: the recomputed
CRC B853). One frame a test at Ec/N0 20 dB (30 dB for 4-GFSK), fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.ndimage
from support import GAS_RAW_A, GAS_RAW_B, NOISE_POWER, Air, place_in_noise, receive

from dsp.arrays import ComplexArray

# chips of the nibbles 0 to F: eight as two hex digits, and six
MANCHESTER = "AA A9 A6 A5 9A 99 96 95 6A 69 66 65 5A 59 56 55"
THREE_OF_SIX = (
    "010110 001101 001110 001011 011100 011001 011010 010011 "
    "101100 100101 100110 100011 110100 110001 110010 101001"
)
DIBIT_LEVEL = {"01": -1.0, "00": -1 / 3, "10": 1 / 3, "11": 1.0}

S_SYNC = "000111011010010110"
T_SYNC = "0000111101"


def _hex_chips(text: str) -> str:
    return "".join(f"{int(digit, 16):04b}" for digit in text)


def _nrz(raw: bytes) -> str:
    return _hex_chips(raw.hex())


def _manchester(raw: bytes) -> str:
    return _hex_chips("".join(MANCHESTER.split()[int(digit, 16)] for digit in raw.hex()))


def _three_of_six(raw: bytes) -> str:
    return "".join(THREE_OF_SIX.split()[int(digit, 16)] for digit in raw.hex())


@dataclass(frozen=True)
class Radio:
    """What is printed of an air interface."""

    mode: str
    center_hz: float
    chip_rate_hz: float
    deviation_hz: float
    bandwidth_time: float | None

    def modulate(self, levels: list[float], air: Air) -> ComplexArray:
        rate_hz = air.sample_rate_hz
        chip = np.arange(int(len(levels) * rate_hz / self.chip_rate_hz)) * self.chip_rate_hz / rate_hz
        level = np.array(levels)[chip.astype(int)]
        if self.bandwidth_time is not None:  # σ = √ln2 / 2πB
            sigma_s = np.sqrt(np.log(2)) / (2 * np.pi * self.bandwidth_time * self.chip_rate_hz)
            level = scipy.ndimage.gaussian_filter1d(level, sigma_s * rate_hz)
        frequency_hz = self.center_hz - air.center_hz + self.deviation_hz * level
        return np.exp(2j * np.pi * np.cumsum(frequency_hz) / rate_hz).astype(np.complex64)


S = Radio("S", 868.3e6, 32_768, 50e3, None)
T = Radio("T", 868.95e6, 100_000, 50e3, None)
C_UP = Radio("C", 868.95e6, 100_000, 45e3, None)
C_UP_GAUSSIAN = Radio("C", 868.95e6, 100_000, 45e3, 0.5)
C_DOWN = Radio("C", 869.525e6, 50_000, 25e3, 0.5)
R2 = Radio("R", 868.33e6, 4_800, 6e3, None)
NA = Radio("N", 169.40625e6, 4_800, 2.4e3, 0.5)
NC = Radio("N", 169.43125e6, 2_400, 2.4e3, 0.5)
N2G = Radio("N", 169.4375e6, 9_600, 7.2e3, 0.5)
F = Radio("F", 433.82e6, 2_400, 5.5e3, None)

CA, CB = _hex_chips("543D54CD"), _hex_chips("543D543D")
NA_SYNC, NB_SYNC = _hex_chips("F68D"), _hex_chips("F672")
A, B = GAS_RAW_A, GAS_RAW_B

BURSTS = {
    "S short header": (S, "A", "01" * 15 + S_SYNC + _manchester(A) + "0101"),
    "S long header": (S, "A", "01" * 279 + S_SYNC + _manchester(A) + "01"),
    "T": (T, "A", "01" * 19 + T_SYNC + _three_of_six(A) + "0101"),
    "C uplink A": (C_UP, "A", "01" * 16 + CA + _nrz(A)),
    "C uplink B": (C_UP, "B", "01" * 16 + CB + _nrz(B)),
    "C uplink A, Gaussian filter": (C_UP_GAUSSIAN, "A", "01" * 16 + CA + _nrz(A)),
    "C downlink A": (C_DOWN, "A", "01" * 16 + CA + _nrz(A)),
    "C downlink B": (C_DOWN, "B", "01" * 16 + CB + _nrz(B)),
    "R2": (R2, "A", "01" * 39 + S_SYNC + _manchester(A) + "0101"),
    "N 4.8 kcps A": (NA, "A", "01" * 8 + NA_SYNC + _nrz(A)),
    "N 4.8 kcps B": (NA, "B", "01" * 8 + NB_SYNC + _nrz(B)),
    "N 2.4 kcps A": (NC, "A", "01" * 8 + NA_SYNC + _nrz(A)),
    "N 2.4 kcps B": (NC, "B", "01" * 8 + NB_SYNC + _nrz(B)),
    "F A": (F, "A", "01" * 39 + NA_SYNC + _nrz(A)),
    "F B": (F, "B", "01" * 39 + NB_SYNC + _nrz(B)),
}
FOUR_LEVEL_BURSTS = {
    "A": "0111" * 8 + _hex_chips("FF7DD5F7") + _nrz(A),
    "B": "0111" * 8 + _hex_chips("FF7D7F5D") + _nrz(B),
}


def _received(radio: Radio, levels: list[float], ec_n0_db: float) -> list[tuple[str, str | None, bytes]]:
    air = Air(500e3 if radio.chip_rate_hz > 10_000 else 200e3, radio.center_hz + 7e3)
    amplitude = np.sqrt(10 ** (ec_n0_db / 10) * radio.chip_rate_hz * NOISE_POWER / air.sample_rate_hz)
    burst = np.float32(amplitude) * radio.modulate(levels, air)
    pad = round(0.3 * air.sample_rate_hz)
    samples = place_in_noise([(pad, burst)], burst.size + 2 * pad, np.random.default_rng(3))
    bursts = receive(samples, air, air.plan(radio.mode))
    return [(found.row.mode, found.frame_format, found.raw) for found in bursts if found.fault is None]


@pytest.mark.parametrize("upright", [1, -1], ids=["upright", "inverted"])
@pytest.mark.parametrize("name", BURSTS)
def test_printed_chips_are_received(name: str, upright: int) -> None:
    radio, frame_format, chips = BURSTS[name]
    levels = [upright * (1.0 if chip == "1" else -1.0) for chip in chips]
    raw = {"A": GAS_RAW_A, "B": GAS_RAW_B}[frame_format]
    assert _received(radio, levels, 20) == [(radio.mode, frame_format, raw)]


@pytest.mark.parametrize("upright", [1, -1], ids=["upright", "inverted"])
@pytest.mark.parametrize("frame_format", FOUR_LEVEL_BURSTS)
def test_printed_symbols_of_4_gfsk_are_received(frame_format: str, upright: int) -> None:
    bits = FOUR_LEVEL_BURSTS[frame_format]
    levels = [upright * DIBIT_LEVEL[bits[i : i + 2]] for i in range(0, len(bits), 2)]
    raw = {"A": GAS_RAW_A, "B": GAS_RAW_B}[frame_format]
    assert _received(N2G, levels, 30) == [("N", frame_format, raw)]


def test_the_tables_give_the_printed_examples() -> None:
    # the byte 2E in Manchester, the bytes 2E 44 in 3-of-6
    assert _manchester(b"\x2e") == _hex_chips("A656")
    assert _three_of_six(b"\x2e\x44") == _hex_chips("3B271C")
