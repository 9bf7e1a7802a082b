"""From counts at a few levels to the Ec/N0 at which a share of the frames is heard.

Frame success is (1 − P)^n with P nearly exponential in Ec/N0, so log(−log success) falls linearly
with Ec/N0 as a ratio. A straight line is fitted there by maximum likelihood to the points around the
wanted share, which uses every trial instead of those of the two neighbouring points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from dsp.arrays import DoubleArray

_NEAR_DB = 1.6
_PASSES = 60
_LEAST = 1e-9


def crossing(counts: Mapping[float, tuple[int, int]], wanted: float) -> tuple[float, float] | None:
    """Find the Ec/N0 at which the share of frames heard is ``wanted``.

    Args:
        counts: by Ec/N0 in dB, frames heard and sent.
        wanted: share between 0 and 1.

    Returns:
        Ec/N0 in dB and its standard error; None where the points do not reach to both sides.
    """
    levels = sorted(level for level, (_, sent) in counts.items() if sent)
    shares = [counts[level][0] / counts[level][1] for level in levels]
    around = [i for i in range(len(levels) - 1) if shares[i] < wanted <= shares[i + 1]]
    if not around:
        return None
    below, above = levels[around[-1]], levels[around[-1] + 1]
    reach_db = max(_NEAR_DB, 0.5 * (above - below))
    near = [level for level in levels if abs(level - 0.5 * (below + above)) <= reach_db]
    ratio = 10.0 ** (np.array(near) / 10.0)
    heard, sent = np.array([counts[level] for level in near], dtype=np.float64).T
    offset, slope, covariance = _fit(ratio, heard, sent)
    target = math.log(-math.log(wanted))
    at = (target - offset) / slope
    if not 0.5 * ratio[0] <= at <= 2.0 * ratio[-1]:
        return None
    gradient = np.array([-1.0 / slope, -at / slope])
    error = math.sqrt(float(gradient @ covariance @ gradient))
    return 10.0 * math.log10(at), 10.0 / math.log(10.0) * error / at


def _fit(x: DoubleArray, heard: DoubleArray, sent: DoubleArray) -> tuple[float, float, DoubleArray]:
    """Fit log(−log p) = offset + slope · x by Fisher scoring; return it with its covariance."""
    design = np.stack([np.ones(x.size), x], axis=1)
    share = (heard + 0.25) / (sent + 0.5)
    eta = np.log(-np.log(share))
    covariance = np.eye(2)
    for _ in range(_PASSES):
        p = np.clip(np.exp(-np.exp(eta)), _LEAST, 1.0 - _LEAST)
        slope = p * np.log(p)  # dp / d eta
        weight = sent * slope**2 / (p * (1.0 - p))
        working = eta + (heard / sent - p) / slope
        covariance = np.linalg.pinv(design.T @ (weight[:, None] * design))
        new = design @ (covariance @ (design.T @ (weight * working)))
        done = bool(np.max(np.abs(new - eta)) < 1e-9)
        eta = np.clip(new, -12.0, 4.0)
        if done:
            break
    offset, slope_x = np.polyfit(x, eta, 1)[::-1]
    return float(offset), float(slope_x), covariance


def at_most(count: int, trials: int, confidence: float = 0.95) -> float:
    """Upper confidence bound of a probability after ``count`` events in ``trials`` (Clopper-Pearson)."""
    if trials == 0:
        return 1.0
    from scipy.special import betaincinv

    return 1.0 if count >= trials else float(betaincinv(count + 1, trials - count, confidence))
