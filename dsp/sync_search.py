"""Where in a channel's baseband bursts begin: sync search over tones, without knowing the carrier.

    E[t, h]  envelope of a one-chip matched filter at tone t, four positions h a chip
    C[t, h]  = Σ_j w[j] · E[t, h + offset_j]      w: the pattern's chips, zero mean
    ρ[h]     = max over pairs (low, high) of |C[high, h] − C[low, h]| / √(P · (V[high] + V[low]))

Tones stand a quarter of the chip rate apart. The upper tone of a 2-FSK signal is on where
the pattern has 1 and off elsewhere, the lower the other way round, so the best pair names
carrier and deviation; a negative difference is an inverted spectrum. V is the energy in the
pattern's window: ρ is a correlation coefficient, 1 for a clean signal, about 0.46/√P RMS in
noise, whatever the level. The chip rate is tried at as many values as the tolerance needs.

What cannot be a burst is not correlated: stretches and tones that hold no more than noise, where its
level is known, and tones where they are far below the strongest at the same place. The pattern's chips
0 and 1 side by side are added up once for all rates that put them equally far apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.encoder import chip_string
from dsp.plan import Channel
from dsp.tone_envelopes import HOPS_PER_CHIP, TONES_PER_CHIP_RATE, ToneEnvelopes

_RATE_SLIP_CHIPS = 0.35  # at the ends of the pattern, between neighbouring rate hypotheses
_LOCAL_MAXIMUM_CHIPS = 6
_WRONG_CHIPS = 0.25  # share of the pattern that may be wrong on the coarse grid of tones and hops
_NOISE_EXCESS = 1.65  # energy of the strongest tone over that of noise: 5 dB Ec/N0 make it 2.5
_TONE_EXCESS = 1.3  # the same of each of two tones
_FAINT = 1.0 / 16.0  # energy of a tone to that of the strongest, below which it waits for another search
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

    Attributes:
        reach_samples: baseband samples behind a start that its metric, and whether it is a maximum,
            depend on.
    """

    def __init__(self, channel: Channel) -> None:
        self._hop = channel.samples_per_chip // HOPS_PER_CHIP
        self._samples_per_chip = channel.samples_per_chip
        step_hz = channel.chip_rate_hz / TONES_PER_CHIP_RATE
        reach = math.ceil((channel.carrier_tolerance_hz + channel.deviation_max_hz) / step_hz)
        self._envelopes = ToneEnvelopes(reach, channel.chip_rate_hz, channel.samples_per_chip)
        self._tones_hz = self._envelopes.tones_hz
        self._pairs = _tone_pairs(channel, self._tones_hz, step_hz)
        chips = chip_string(channel.pattern).astype(np.float32)
        self._weights = 2.0 * (chips - chips.mean())
        self._rates = _rate_errors(channel.chip_rate_tolerance, chips.size)
        positions = np.arange(chips.size)[None, :] / (1.0 + self._rates[:, None])
        self._offsets = np.rint(positions * HOPS_PER_CHIP).astype(np.int64)
        self._terms = _terms(self._weights, self._offsets)
        self._pattern_hops = int(self._offsets.max())
        beside = _LOCAL_MAXIMUM_CHIPS * self._samples_per_chip
        self.reach_samples = beside + self._pattern_hops * self._hop + self._samples_per_chip

    def find(
        self,
        baseband: ComplexArray,
        threshold: float = THRESHOLD,
        *,
        begin: int = 0,
        end: int | None = None,
        chip_noise_power: float = 0.0,
    ) -> list[SyncHit]:
        """Find local maxima of the metric.

        Args:
            baseband: complex64 [n] at the channel's baseband rate.
            threshold: least metric.
            begin: first sample where a hit may start.
            end: behind the last; None for the baseband's own.
            chip_noise_power: noise power in a bandwidth equal to the chip rate; where 0, every place
                is searched.

        Returns:
            Hits, best first.
        """
        # what lies beside the stretch decides whether a maximum at its ends is one
        first = max(0, begin // self._hop - _LOCAL_MAXIMUM_CHIPS * HOPS_PER_CHIP)
        if end is None:
            end = baseband.size
        envelopes = self._envelopes.of(baseband[first * self._hop : end + self.reach_samples])
        n_starts = envelopes.shape[1] - self._pattern_hops
        if n_starts <= 0:
            return []
        square = np.zeros(n_starts, dtype=np.float32)
        noise_energy = chip_noise_power * self._samples_per_chip**2 * self._weights.size
        least_energies = _NOISE_EXCESS * noise_energy, _TONE_EXCESS * noise_energy
        _search(envelopes, *self._terms, self._weights.size, self._pairs, least_energies, _FAINT, square)
        places = np.empty(n_starts, dtype=np.int64)
        n = _local_maxima(square, threshold**2, _LOCAL_MAXIMUM_CHIPS * HOPS_PER_CHIP, places)
        hits = []
        for hop in places[:n].tolist():
            start = (first + hop) * self._hop
            if not begin <= start < end:
                continue
            rate, low, high, wrong = _describe(
                envelopes, hop, self._weights, self._offsets, self._pairs, _FAINT
            )
            # a few strong chips, the end of another burst, can look like the pattern
            if wrong <= _WRONG_CHIPS * self._weights.size:
                metric = min(math.sqrt(square[hop]), 1.0)
                low_hz, high_hz = float(self._tones_hz[low]), float(self._tones_hz[high])
                hits.append(SyncHit(start, metric, low_hz, high_hz, float(self._rates[rate])))
        return sorted(hits, key=lambda hit: (-hit.metric, hit.start))


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


def _terms(weights: FloatArray, offsets: IndexArray) -> tuple[FloatArray, IndexArray, IndexArray, FloatArray]:
    """Arrange the correlation as sums of single chips and of neighbours 0 1.

    Returns:
        Weights of 0 and 1; distances in hops that neighbours have [gaps]; for each rate its terms
        (source, offset) [rates, terms, 2], where source 0 is a single chip and g + 1 a pair with
        gap g; and the weight of each term [terms].
    """
    low, high = float(weights.min()), float(weights.max())
    firsts, j = [], 0
    while j < weights.size:
        paired = j + 1 < weights.size and weights[j] < 0.0 < weights[j + 1]
        firsts.append((j, paired))
        j += 2 if paired else 1
    pairs = [j for j, paired in firsts if paired]
    gaps = np.unique(offsets[:, [j + 1 for j in pairs]] - offsets[:, pairs])
    terms = np.zeros((offsets.shape[0], len(firsts), 2), dtype=np.int64)
    for k, (j, paired) in enumerate(firsts):
        terms[:, k, 1] = offsets[:, j]
        if paired:
            terms[:, k, 0] = 1 + np.searchsorted(gaps, offsets[:, j + 1] - offsets[:, j])
    term_weights = np.array([1.0 if paired else weights[j] for j, paired in firsts], dtype=np.float32)
    return np.array([low, high], dtype=np.float32), gaps, terms, term_weights


@kernel
def _local_maxima(metric, threshold, distance, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """List where ``threshold`` is reached and nothing is greater within ``distance``; return how many."""
    n = 0
    i = 0
    while i < metric.size:
        if metric[i] >= threshold:
            highest = i
            for k in range(max(0, i - distance), min(i + distance + 1, metric.size)):
                if metric[k] > metric[highest]:
                    highest = k
                    if k > i:
                        break
            if highest == i:
                out[n] = i
                n += 1
                i += distance  # an equal one as near as that is the same
        i += 1
    return n


@kernel
def _search(envelopes, levels, gaps, terms, term_weights, n_chips, pairs, least_energies, faint, best):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill ``best`` with ρ² of each start; 0 where there is no more than noise."""
    n_tones = envelopes.shape[0]
    n_rates, n_terms = terms.shape[0], terms.shape[1]
    tile = 512
    correlation = np.empty((n_tones, n_rates, tile), dtype=np.float32)
    energy = np.empty((n_tones, tile), dtype=np.float32)
    peak = np.empty(tile, dtype=np.float32)
    room = np.zeros((2, tile + HOPS_PER_CHIP * n_chips), dtype=np.float32)
    since = np.empty(n_tones, dtype=np.int64)  # where tones are worth a look
    until = np.empty(n_tones, dtype=np.int64)
    reach = terms[:, :, 1].max()
    sources = np.zeros((gaps.size + 1, tile + reach + 1), dtype=np.float32)
    for start in range(0, best.size, tile):
        n = min(tile, best.size - start)
        peak[:] = 0.0
        for t in range(n_tones):
            _window_energy(envelopes[t, start:], n_chips, room[0], room[1], energy[t, :n])
            _raise_to(energy[t, :n], peak[:n])
        if _highest(peak[:n]) < least_energies[0]:
            continue
        for t in range(n_tones):
            since[t], until[t] = _stretch_above(energy[t, :n], peak[:n], faint, least_energies[1])
            n_hot = until[t] - since[t]
            if n_hot == 0:
                continue
            e = envelopes[t, start + since[t] :]
            width = min(n_hot + reach, e.size)
            sources[0, :width] = e[:width]
            for g in range(gaps.size):
                _add_neighbours(e, gaps[g], levels, sources[g + 1, : width - gaps[g]])
            for r in range(n_rates):
                c = correlation[t, r, since[t] : until[t]]
                c[:] = 0.0
                k = 0
                while k + 2 < n_terms:  # three terms at once: a third of the traffic of the sums
                    o0, o1, o2 = terms[r, k, 1], terms[r, k + 1, 1], terms[r, k + 2, 1]
                    s0 = sources[terms[r, k, 0], o0 : o0 + n_hot]
                    s1 = sources[terms[r, k + 1, 0], o1 : o1 + n_hot]
                    s2 = sources[terms[r, k + 2, 0], o2 : o2 + n_hot]
                    w0, w1, w2 = term_weights[k], term_weights[k + 1], term_weights[k + 2]
                    for i in range(n_hot):
                        c[i] += (w0 * s0[i] + w1 * s1[i]) + w2 * s2[i]
                    k += 3
                while k < n_terms:
                    s = sources[terms[r, k, 0], terms[r, k, 1] : terms[r, k, 1] + n_hot]
                    for i in range(n_hot):
                        c[i] += term_weights[k] * s[i]
                    k += 1
        for p in range(pairs.shape[0]):
            low, high = pairs[p, 0], pairs[p, 1]
            lo, hi = max(since[low], since[high]), min(until[low], until[high])
            if lo < hi:
                _weigh_pair(
                    correlation[low],
                    correlation[high],
                    energy[low],
                    energy[high],
                    lo,
                    n_chips,
                    room[0],
                    best[start + lo : start + hi],
                )


@kernel
def _window_energy(envelope, n_chips, squares, chips, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill ``out`` with the energy of so many chips from each hop on, the mean over a chip's quarters.

    ``squares`` and ``chips`` are room for ``4 * n_chips`` hops more. Behind the envelope's end is silence.
    """
    n = out.size + HOPS_PER_CHIP * n_chips
    known = min(n, envelope.size)
    for i in range(known):
        squares[i] = envelope[i] * envelope[i]
    squares[known:] = 0.0
    for i in range(n - 3):
        chips[i] = np.float32(0.25) * ((squares[i] + squares[i + 1]) + (squares[i + 2] + squares[i + 3]))
    fours = squares
    for i in range(n - 15):
        fours[i] = (chips[i] + chips[i + 4]) + (chips[i + 8] + chips[i + 12])
    out[:] = 0.0
    k = 0
    while k < n_chips:
        piece = fours[HOPS_PER_CHIP * k :]
        if k + 16 <= n_chips:
            for i in range(out.size):
                out[i] += (piece[i] + piece[i + 16]) + (piece[i + 32] + piece[i + 48])
            k += 16
        elif k + 8 <= n_chips:
            for i in range(out.size):
                out[i] += piece[i] + piece[i + 16]
            k += 8
        elif k + 4 <= n_chips:
            for i in range(out.size):
                out[i] += piece[i]
            k += 4
        else:
            single = chips[HOPS_PER_CHIP * k :]
            for i in range(out.size):
                out[i] += single[i]
            k += 1


@kernel
def _raise_to(values, highest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(values.size):
        highest[i] = max(highest[i], values[i])


@kernel
def _highest(values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    highest = values[0]
    for i in range(values.size):
        highest = max(highest, values[i])
    return highest


@kernel
def _stretch_above(energy, peak, faint, least):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """From the first to behind the last chip where a tone is neither faint nor merely noise."""
    lo, hi = 0, energy.size
    while lo < hi and energy[lo] < max(faint * peak[lo], least):
        lo += HOPS_PER_CHIP  # a window of many chips changes little within one
    while lo < hi and energy[hi - 1] < max(faint * peak[hi - 1], least):
        hi -= HOPS_PER_CHIP
    if lo >= hi:
        return 0, 0
    return max(0, lo - HOPS_PER_CHIP + 1), min(energy.size, hi + HOPS_PER_CHIP - 1)


@kernel
def _add_neighbours(envelope, gap, levels, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill ``out`` with the correlation of two chips, 0 and 1, so many hops apart."""
    later = envelope[gap:]
    for i in range(out.size):
        out[i] = levels[0] * envelope[i] + levels[1] * later[i]


@kernel
def _weigh_pair(low, high, energy_low, energy_high, first, n_chips, size, best):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Raise ``best``, which begins at ``first``, to ρ² of two tones at the rate where they differ most."""
    n, n_rates = best.size, low.shape[0]
    chips = np.float32(n_chips)  # a whole number would make doubles of it all
    c_low, c_high = low[0, first:], high[0, first:]
    v_low, v_high = energy_low[first:], energy_high[first:]
    if n_rates == 1:
        for i in range(n):
            difference = c_high[i] - c_low[i]
            square = difference * difference / (chips * (v_low[i] + v_high[i]) + np.float32(1e-30))
            best[i] = max(best[i], square)
        return
    for i in range(n):
        size[i] = abs(c_high[i] - c_low[i])
    for r in range(1, n_rates, 2):
        other = min(r + 1, n_rates - 1)
        c_low, c_high, d_low, d_high = (
            low[r, first:],
            high[r, first:],
            low[other, first:],
            high[other, first:],
        )
        for i in range(n):
            size[i] = max(size[i], max(abs(c_high[i] - c_low[i]), abs(d_high[i] - d_low[i])))
    for i in range(n):
        square = size[i] * size[i] / (chips * (v_low[i] + v_high[i]) + np.float32(1e-30))
        best[i] = max(best[i], square)


@kernel
def _describe(envelopes, hop, weights, offsets, pairs, faint):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Name the rate and the pair of tones, of chip 0 and of chip 1, that stand out most at a start.

    The last result is how many chips of the pattern are wrong with them.
    """
    n_tones = envelopes.shape[0]
    n_rates, n_chips = offsets.shape
    correlation = np.zeros((n_tones, n_rates), dtype=np.float32)
    energy = np.zeros(n_tones, dtype=np.float32)
    for t in range(n_tones):
        row = envelopes[t, hop : hop + HOPS_PER_CHIP * n_chips]
        e0, e1, e2, e3 = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for i in range(0, row.size - 3, 4):  # four sums side by side hide the adder's latency
            e0 += row[i] * row[i]
            e1 += row[i + 1] * row[i + 1]
            e2 += row[i + 2] * row[i + 2]
            e3 += row[i + 3] * row[i + 3]
        energy[t] = (e0 + e1) + (e2 + e3)
    best = np.float32(-1.0)
    best_rate = 0
    zero = 0
    one = 0
    least = faint * energy.max()  # the side lobes of a strong signal follow its chips as well
    for t in range(n_tones):
        if energy[t] >= least:
            for r in range(n_rates):
                for j in range(n_chips):
                    correlation[t, r] += weights[j] * envelopes[t, hop + offsets[r, j]]
    for p in range(pairs.shape[0]):
        low, high = pairs[p, 0], pairs[p, 1]
        if energy[low] < least or energy[high] < least:
            continue
        for r in range(n_rates):
            difference = correlation[high, r] - correlation[low, r]
            square = difference * difference / (energy[low] + energy[high] + np.float32(1e-30))
            if square > best:
                best = square
                best_rate = r
                zero = low if difference > 0.0 else high
                one = high if difference > 0.0 else low
    wrong = 0
    for j in range(n_chips):
        at = hop + offsets[best_rate, j]
        if (envelopes[one, at] > envelopes[zero, at]) != (weights[j] > 0.0):
            wrong += 1
    return best_rate, zero, one, wrong
