"""The waveform of known chips: the modulator's, which is another way to it, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.encoder import encode_levels
from dsp.known_waveform import KnownBurst, WaveformMaker, chip_phasors
from dsp.modes import BY_NAME
from dsp.modulator import Impairments, chip_edges_s, modulate

RATE_HZ = 1.6e6
RAW = bytes(range(40, 70))


@pytest.mark.parametrize("name", ["T M2O", "C M2O", "S2 M2O", "C2 O2M", "F2"])
def test_it_is_the_modulators(name: str) -> None:
    row = BY_NAME[name]
    errors = Impairments(carrier_offset_hz=7e3, chip_rate_error=60e-6, chip_rate_drift=1e-4)
    levels = encode_levels(RAW, row, row.frame_formats[0])
    expected = modulate(levels, row, RATE_HZ, impairments=errors)
    burst = KnownBurst(
        levels=levels,
        edges=chip_edges_s(levels.size, row, errors) * RATE_HZ,
        carrier=7e3 / RATE_HZ,
        deviation=row.deviation.typical_hz / RATE_HZ,
    )
    first, wave, bounds = WaveformMaker(row.bandwidth_time).make(burst)
    assert (first, wave.dtype, bounds[0], bounds[-1]) == (0, np.complex64, 0, wave.size)
    assert wave.size == expected.size
    # the first and last Gaussian chip lack a neighbour; what is between differs by rounding
    inside = slice(3 * bounds[1], -3 * int(bounds[1]))
    turn = np.vdot(wave[inside], expected[inside])
    np.testing.assert_allclose(wave[inside] * turn / abs(turn), expected[inside], atol=5e-3)


def test_phasors_are_amplitude_times_samples() -> None:
    row = BY_NAME["T M2O"]
    levels = encode_levels(RAW, row, "A")
    burst = KnownBurst(levels, 16.25 * np.arange(levels.size + 1), 0.01, 0.031)
    _, wave, bounds = WaveformMaker(None).make(burst)
    amplitude = np.complex64(0.3 - 0.4j)
    np.testing.assert_allclose(
        chip_phasors(amplitude * wave, wave, bounds), amplitude * np.diff(bounds), rtol=1e-5
    )
