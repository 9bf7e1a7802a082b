"""Where in a channel's baseband bursts begin: sync search over tones, without knowing the carrier.

    E[t, h]  envelope of a one-chip matched filter at tone t, four positions h a chip
    C[t, h]  = Σ_j w[j] · E[t, h + offset_j]      w: the pattern's chips, zero mean
    ρ[h]     = max over pairs (low, high) of |C[high, h] − C[low, h]| / √(P · (V[high] + V[low]))

Tones stand a quarter of the chip rate apart. The upper tone of a 2-FSK signal is on where
the pattern has 1 and off elsewhere, the lower the other way round, so the best pair names
carrier and deviation; a negative difference is an inverted spectrum. V is the energy in the
pattern's window: ρ is a correlation coefficient, 1 for a clean signal, about 0.46/√P RMS in
noise, whatever the level. The chip rate is tried at as many values as the tolerance needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.encoder import chip_string
from dsp.plan import Channel

HOPS_PER_CHIP = 4
_TONE_STEP_CHIP_RATES = 0.25
_RATE_SLIP_CHIPS = 0.35  # at the ends of the pattern, between neighbouring rate hypotheses
_LOCAL_MAXIMUM_CHIPS = 6
_WRONG_CHIPS = 0.25  # share of the pattern that may be wrong on the coarse grid of tones and hops
THRESHOLD = 0.40


@dataclass(frozen=True, slots=True)
class SyncHit:
    """A place that looks like preamble and sync word.

    Attributes:
        start: baseband sample where the pattern's first chip begins (quarter-chip grid).
        metric: correlation coefficient, 0…1.
        low_hz: tone of the pattern's chip 0, from the channel's centre.
        high_hz: tone of chip 1; below ``low_hz`` when the spectrum is inverted.
        chip_rate_error: relative, of the best hypothesis.
    """

    start: int
    metric: float
    low_hz: float
    high_hz: float
    chip_rate_error: float


class SyncSearch:
    """Finds sync hits of one channel.

    Args:
        channel: what to look for.
    """

    def __init__(self, channel: Channel) -> None:
        self._hop = channel.samples_per_chip // HOPS_PER_CHIP
        step_hz = channel.chip_rate_hz * _TONE_STEP_CHIP_RATES
        reach = math.ceil((channel.carrier_tolerance_hz + channel.deviation_max_hz) / step_hz)
        self._tones_hz: DoubleArray = step_hz * np.arange(-reach, reach + 1, dtype=np.float64)
        self._basis = _tone_basis(self._tones_hz, channel.baseband_rate_hz, channel.samples_per_chip)
        self._pairs = _tone_pairs(channel, self._tones_hz, step_hz)
        chips = chip_string(channel.pattern).astype(np.float32)
        self._weights = 2.0 * (chips - chips.mean())
        self._rates = _rate_errors(channel.chip_rate_tolerance, chips.size)
        positions = np.arange(chips.size)[None, :] / (1.0 + self._rates[:, None])
        self._offsets = np.rint(positions * HOPS_PER_CHIP).astype(np.int64)

    def find(self, baseband: ComplexArray, threshold: float = THRESHOLD) -> list[SyncHit]:
        """Find local maxima of the metric.

        Args:
            baseband: complex64 [n] at the channel's baseband rate.
            threshold: least metric.

        Returns:
            Hits, best first.
        """
        n_hops = (baseband.size - self._basis.shape[1]) // self._hop + 1
        n_starts = n_hops - int(self._offsets.max())
        if n_starts <= 0:
            return []
        envelopes = np.empty((self._tones_hz.size, n_hops), dtype=np.float32)
        _envelopes(baseband, self._basis, self._hop, envelopes)
        square, chosen = _search(
            envelopes, self._weights, self._offsets, self._pairs, HOPS_PER_CHIP, n_starts
        )
        metric = np.sqrt(np.abs(square))
        hits = []
        for hop in _local_maxima(metric, threshold, _LOCAL_MAXIMUM_CHIPS * HOPS_PER_CHIP).tolist():
            rate, pair = divmod(int(chosen[hop]), len(self._pairs))
            low, high = self._pairs[pair] if square[hop] > 0.0 else self._pairs[pair][::-1]
            on_high = envelopes[high, hop + self._offsets[rate]] > envelopes[low, hop + self._offsets[rate]]
            # a few strong chips, the end of another burst, can look like the pattern
            if np.count_nonzero(on_high != (self._weights > 0.0)) <= _WRONG_CHIPS * self._weights.size:
                tones_hz = float(self._tones_hz[low]), float(self._tones_hz[high])
                hits.append(
                    SyncHit(
                        hop * self._hop, min(float(metric[hop]), 1.0), *tones_hz, float(self._rates[rate])
                    )
                )
        return sorted(hits, key=lambda hit: (-hit.metric, hit.start))


def _tone_basis(tones_hz: DoubleArray, rate_hz: float, n_samples: int) -> FloatArray:
    """Cosine and minus sine of each tone over one chip, float32 [2, samples, tones]."""
    angle = 2.0 * np.pi * np.arange(n_samples)[:, None] * tones_hz[None, :] / rate_hz
    return np.stack([np.cos(angle), -np.sin(angle)]).astype(np.float32)


def _tone_pairs(channel: Channel, tones_hz: DoubleArray, step_hz: float) -> IndexArray:
    """Pairs (low, high) of tone numbers that a permitted carrier and deviation can make."""
    pairs = []
    for low in range(tones_hz.size):
        for high in range(low + 1, tones_hz.size):
            deviation_hz = (tones_hz[high] - tones_hz[low]) / 2.0
            carrier_hz = (tones_hz[high] + tones_hz[low]) / 2.0
            slack_hz = step_hz / 2.0
            if (
                channel.deviation_min_hz - slack_hz <= deviation_hz <= channel.deviation_max_hz + slack_hz
                and abs(carrier_hz) <= channel.carrier_tolerance_hz + slack_hz
            ):
                pairs.append((low, high))
    return np.array(pairs, dtype=np.int64)


def _rate_errors(tolerance: float, pattern_chips: int) -> FloatArray:
    """Chip-rate hypotheses that keep the pattern's ends within the permitted slip."""
    spacing = 4.0 * _RATE_SLIP_CHIPS / pattern_chips
    each_side = max(0, math.ceil((tolerance - spacing / 2.0) / spacing - 0.05))
    return (spacing * np.arange(-each_side, each_side + 1)).astype(np.float32)


def _local_maxima(metric: FloatArray, threshold: float, distance: int) -> IndexArray:
    """Find indices above ``threshold`` with nothing greater within ``distance`` on either side."""
    above = np.flatnonzero(metric >= threshold)
    keep: list[int] = []
    for i in above:
        around = metric[max(0, i - distance) : i + distance + 1]
        if metric[i] == around.max() and (not keep or i - keep[-1] > distance):
            keep.append(int(i))
    return np.array(keep, dtype=np.int64)


@kernel
def _envelopes(x, basis, hop, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n_samples, n_tones = basis.shape[1], basis.shape[2]
    re = np.empty(n_tones, dtype=np.float32)
    im = np.empty(n_tones, dtype=np.float32)
    for h in range(out.shape[1]):
        re[:] = 0.0
        im[:] = 0.0
        for i in range(n_samples):
            xr = x[h * hop + i].real
            xi = x[h * hop + i].imag
            for t in range(n_tones):
                c = basis[0, i, t]
                s = basis[1, i, t]
                re[t] += xr * c - xi * s
                im[t] += xr * s + xi * c
        for t in range(n_tones):
            out[t, h] = np.sqrt(re[t] * re[t] + im[t] * im[t])


@kernel
def _search(envelopes, weights, offsets, pairs, hops_per_chip, n_starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Best signed ρ·|ρ| of each start, and which (rate, pair) it is, rate · pairs + pair."""
    n_tones, n_hops = envelopes.shape
    n_rates, n_chips = offsets.shape
    n_pairs = pairs.shape[0]
    window = n_chips * hops_per_chip
    best = np.zeros(n_starts, dtype=np.float32)
    chosen = np.zeros(n_starts, dtype=np.int32)
    tile = 1024
    correlation = np.empty((n_rates, n_tones, tile), dtype=np.float32)
    energy = np.empty((n_tones, tile), dtype=np.float32)
    weight = np.empty(tile, dtype=np.float32)
    for start in range(0, n_starts, tile):
        n = min(tile, n_starts - start)
        for t in range(n_tones):
            # energy of the window: all its hops, as a running sum, whatever the chip rate
            running = 0.0
            for i in range(start, min(start + window, n_hops)):
                running += envelopes[t, i] * envelopes[t, i]
            for i in range(n):
                energy[t, i] = running / hops_per_chip
                first, behind = envelopes[t, start + i], start + i + window
                running -= first * first
                if behind < n_hops:
                    running += envelopes[t, behind] * envelopes[t, behind]
            for r in range(n_rates):
                c = correlation[r, t, :n]
                c[:] = 0.0
                for j in range(n_chips):
                    w = weights[j]
                    e = envelopes[t, start + offsets[r, j] : start + offsets[r, j] + n]
                    for i in range(n):
                        c[i] += w * e[i]
        top = best[start : start + n]
        name = chosen[start : start + n]
        for p in range(n_pairs):
            low, high = pairs[p, 0], pairs[p, 1]
            v_low, v_high = energy[low], energy[high]
            for i in range(n):
                weight[i] = np.float32(1.0) / (n_chips * (v_low[i] + v_high[i]) + np.float32(1e-30))
            for r in range(n_rates):
                c_low, c_high = correlation[r, low], correlation[r, high]
                number = np.int32(r * n_pairs + p)
                for i in range(n):
                    difference = c_high[i] - c_low[i]
                    rho = difference * abs(difference) * weight[i]
                    better = abs(rho) > abs(top[i])
                    top[i] = rho if better else top[i]
                    name[i] = number if better else name[i]
    return best, chosen
