"""Envelopes of one-chip matched filters at many tones and four positions a chip.

    p[q, t] = Σ_{n in quarter chip q} x[n] · e^{−j2πf_t n}
    E[t, h] = |p[h, t] + p[h + 1, t] + p[h + 2, t] + p[h + 3, t]|

Tones stand a quarter of the chip rate apart, so their phasors come from one table. Each sample is
turned once for each tone, four positions share it, and loops run over positions, in SIMD lanes.
Phasors begin anew with each tile of positions, which no envelope can tell.
"""

from __future__ import annotations

import numpy as np

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray

HOPS_PER_CHIP = 4
TONES_PER_CHIP_RATE = 4
_TILE_HOPS = 256  # worked on together; the tones' phasors return every 16 of them


class ToneEnvelopes:
    """The filters of one channel.

    Args:
        reach: farthest tone on either side, in quarters of the chip rate.
        chip_rate_hz: nominal chip rate.
        samples_per_chip: of the baseband, a multiple of 4.

    Attributes:
        tones_hz: float64 [tones], from the channel's centre.
    """

    def __init__(self, reach: int, chip_rate_hz: float, samples_per_chip: int) -> None:
        steps = np.arange(-reach, reach + 1)
        self.tones_hz: DoubleArray = (chip_rate_hz / TONES_PER_CHIP_RATE) * steps.astype(np.float64)
        self._samples_per_chip = samples_per_chip
        period = TONES_PER_CHIP_RATE * samples_per_chip
        turns = np.outer(steps, np.arange(_TILE_HOPS * samples_per_chip // HOPS_PER_CHIP) % period) / period
        turns = turns.reshape(steps.size, _TILE_HOPS, -1).transpose(0, 2, 1)
        self._cosine = np.ascontiguousarray(np.cos(2 * np.pi * turns), dtype=np.float32)
        self._sine = np.ascontiguousarray(np.sin(-2 * np.pi * turns), dtype=np.float32)

    def of(self, baseband: ComplexArray) -> FloatArray:
        """Filter a stretch.

        Args:
            baseband: complex64 [n].

        Returns:
            float32 [tones, hops]; hop h covers the chip from sample h · samples_per_chip / 4 on.
        """
        hop = self._samples_per_chip // HOPS_PER_CHIP
        n_hops = max(0, (baseband.size - self._samples_per_chip) // hop + 1)
        out = np.empty((self.tones_hz.size, n_hops), dtype=np.float32)
        _envelopes(baseband, self._cosine, self._sine, out)
        return out


@kernel
def _envelopes(x, cosine, sine, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n_tones, hop, tile = cosine.shape
    fresh = tile - 3  # a position takes three quarter chips more than it is
    re = np.empty((hop, tile), dtype=np.float32)  # sample i of each quarter chip side by side
    im = np.empty((hop, tile), dtype=np.float32)
    quarter_re = np.empty(tile, dtype=np.float32)
    quarter_im = np.empty(tile, dtype=np.float32)
    for start in range(0, out.shape[1], fresh):
        n = min(fresh, out.shape[1] - start)
        for h in range(n + 3):
            for i in range(hop):
                sample = x[(start + h) * hop + i]
                re[i, h] = sample.real
                im[i, h] = sample.imag
        for t in range(n_tones):
            quarter_re[:] = 0.0
            quarter_im[:] = 0.0
            for i in range(hop):
                re_i, im_i, cosine_i, sine_i = re[i], im[i], cosine[t, i], sine[t, i]
                for h in range(n + 3):
                    quarter_re[h] += re_i[h] * cosine_i[h] - im_i[h] * sine_i[h]
                    quarter_im[h] += re_i[h] * sine_i[h] + im_i[h] * cosine_i[h]
            row = out[t, start : start + n]
            for h in range(n):
                r = (quarter_re[h] + quarter_re[h + 1]) + (quarter_re[h + 2] + quarter_re[h + 3])
                q = (quarter_im[h] + quarter_im[h + 1]) + (quarter_im[h + 2] + quarter_im[h + 3])
                row[h] = np.sqrt(r * r + q * q)
