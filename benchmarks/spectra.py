"""Spectra of what leaves a HackRF, one picture for each kind of air interface, for docs/transmit.md.

    python benchmarks/spectra.py            pictures into docs/spectra/, a table to standard output

The samples are the 8-bit ones at 8 MS/s that the radio is fed, of a whole burst with random contents
and its power ramps. Needs the extra ``plot``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import scipy.signal

mpl.use("Agg")

import matplotlib.pyplot as plt

from dsp.modes import BY_NAME, PhyMode
from sdr.frame_input import GivenFrame
from sdr.sample_format import SampleFormat, to_complex
from sdr.scene import RandomPayload
from sdr.send_plan import Way, plan_frames
from sdr.traffic import random_frame
from sdr.transmit.tuning import choose_tuning
from sdr.transmitter import make_burst

FOLDER = Path(__file__).parents[1] / "docs" / "spectra"
RATE_HZ = 8e6
ROWS = ("S2 M2O", "T M2O", "C M2O", "C2 O2M", "R2", "Na", "Nc", "N2g", "F2")
# What a transmission may occupy, around its carrier, where that is narrower than the sub-band.
CHANNELS_HZ = {"R2": 60e3, "Na": 12.5e3, "Nc": 12.5e3, "N2g": 50e3, "F2": 20e3}
_BINS_PER_CHIP_RATE = 16


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Power density of one burst.

    Attributes:
        row: the air interface.
        frequency_hz: from the carrier, ascending.
        density_db: relative to the highest bin.
        width_hz: that holds 99 % of the power.
        allowed_hz: lower and upper edge, from the carrier, of what may be occupied.
        outside_db: power outside of it, of all.
        leak_hz: where the radio's own carrier lies.
    """

    row: PhyMode
    frequency_hz: np.ndarray
    density_db: np.ndarray
    width_hz: float
    allowed_hz: tuple[float, float]
    outside_db: float
    leak_hz: float


def measure(name: str) -> Spectrum:
    """Make a burst and its spectrum."""
    row = BY_NAME[name]
    frame = random_frame(np.random.default_rng(1), RandomPayload(200, 200), "M2O")
    way = Way(mode=name, band=row.bands[0])
    (sent,) = plan_frames([GivenFrame(1, frame)], way, repeat=1, interval_s=1.0, first_s=0.01)
    tuning = choose_tuning([sent], sample_rate_hz=RATE_HZ)
    samples = to_complex(make_burst(sent, tuning, SampleFormat.CS8).raw, SampleFormat.CS8)
    n_fft = 1 << round(np.log2(RATE_HZ / row.chip_rate_hz * _BINS_PER_CHIP_RATE))
    frequency_hz, density = scipy.signal.welch(
        samples, RATE_HZ, nperseg=n_fft, window="blackmanharris", return_onesided=False, detrend=False
    )
    order = np.argsort(frequency_hz)
    offset_hz = sent.center_hz - tuning.center_hz
    frequency_hz, density = frequency_hz[order] - offset_hz, density[order]
    share = np.cumsum(density) / density.sum()
    low, high = np.searchsorted(share, [0.005, 0.995])
    allowed_hz = _allowed_hz(row, sent.center_hz)
    outside = (frequency_hz < allowed_hz[0]) | (frequency_hz > allowed_hz[1])
    return Spectrum(
        row=row,
        frequency_hz=frequency_hz,
        density_db=10.0 * np.log10(density / density.max()),
        width_hz=float(frequency_hz[high] - frequency_hz[low]),
        allowed_hz=allowed_hz,
        outside_db=float(10.0 * np.log10(density[outside].sum() / density.sum())),
        leak_hz=-offset_hz,
    )


def _allowed_hz(row: PhyMode, center_hz: float) -> tuple[float, float]:
    if row.name in CHANNELS_HZ:
        return -CHANNELS_HZ[row.name] / 2.0, CHANNELS_HZ[row.name] / 2.0
    assert row.sub_band_hz is not None
    return row.sub_band_hz[0] - center_hz, row.sub_band_hz[1] - center_hz


def draw(spectrum: Spectrum, path: Path) -> None:
    """Draw one spectrum."""
    row = spectrum.row
    span_hz = 2.0 * max(spectrum.allowed_hz[1] - spectrum.allowed_hz[0], 0.0)
    shown = np.abs(spectrum.frequency_hz) <= span_hz
    figure, axes = plt.subplots(figsize=(7.0, 3.4), layout="constrained")
    axes.axvspan(*(edge / 1e3 for edge in spectrum.allowed_hz), color="#e8f0e4", label="may be occupied")
    axes.plot(spectrum.frequency_hz[shown] / 1e3, spectrum.density_db[shown], color="#1f4e79", linewidth=0.9)
    for edge in (-spectrum.width_hz / 2.0, spectrum.width_hz / 2.0):
        axes.axvline(edge / 1e3, color="#c05a00", linewidth=0.9, linestyle="--")
    axes.plot([], [], color="#c05a00", linewidth=0.9, linestyle="--", label="99 % of the power")
    if abs(spectrum.leak_hz) <= span_hz:
        axes.axvline(spectrum.leak_hz / 1e3, color="#888888", linewidth=0.9, linestyle=":")
        axes.plot([], [], color="#888888", linestyle=":", label="0 Hz of the radio")
    axes.set(
        xlim=(-span_hz / 1e3, span_hz / 1e3),
        ylim=(-100.0, 5.0),
        xlabel="kHz from the carrier",
        ylabel="dB",
        title=f"{row.name}: {row.modulation.value}, {row.chip_rate_hz / 1e3:g} kcps",
    )
    axes.grid(color="#dddddd", linewidth=0.5)
    axes.legend(loc="upper right", fontsize="small", framealpha=0.9)
    figure.savefig(path, dpi=90, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Draw all, and print what was measured."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    print("| air interface | 99 % of the power | may be occupied | outside of that |")
    print("|---|---|---|---|")
    for name in ROWS:
        spectrum = measure(name)
        draw(spectrum, FOLDER / f"{name.replace(' ', '_')}.png")
        low, high = (edge / 1e3 for edge in spectrum.allowed_hz)
        print(
            f"| {name} | {spectrum.width_hz / 1e3:.1f} kHz | {low:+g} to {high:+g} kHz "
            f"| {spectrum.outside_db:.1f} dB |"
        )


if __name__ == "__main__":
    main()
