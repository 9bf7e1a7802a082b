"""What is reachable in theory, for the same frames as the measurement.

    hard         chip by chip, two tone envelopes over one chip, perfect timing; every chip must be right
                 r = |sin πh / πh|, a, b = √(Ec/2N0 · (1 ∓ √(1 − r²))),
                 Pc = Q1(a, b) − ½ e^{−(a²+b²)/2} I0(ab)
    soft         the same envelopes, but the 3-of-6 word or Manchester bit whose sum of envelope
                 differences is largest; by simulation
    coherent     chips by the smallest distance of two phase paths: Pc = Q(√(d² · Ec/N0)); h = 1 has
                 d² = 1, h = 0.9 has d² = 2.21

Frame success is the mean over the payload lengths of (1 − P)^n. The first two are no bounds: a filter
that lets neighbouring chips in, and coherent detection, are better.
Source: J. G. Proakis, Digital Communications, noncoherent detection of correlated signals; J. B. Anderson,
T. Aulin, C.-E. Sundberg, Digital Phase Modulation, distances of continuous-phase signals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np
import scipy.special

from dsp.arrays import DoubleArray
from dsp.line_code import code_words
from dsp.modes import LineCode
from dsp.modulator import Impairments, waveform
from protocol import link
from sdr.bench.conditions import Conditions, is_four_level

Limit = Literal["hard", "soft", "coherent"]
LIMITS: tuple[Limit, ...] = ("hard", "soft", "coherent")

_ADDRESS_BYTES = 10  # from the L-field to the CI-field
_SIMULATED_CHIPS = 1_800_000
_SIMULATED_DB = (5.0, 6.0, 7.0, 8.0, 9.0, 9.6)
_SIMULATION_SEED = 1
GRID_DB = np.arange(3.0, 15.01, 0.5)
_PATH_CHIPS = 7
_PATH_TAIL_CHIPS = 4
_SAMPLES_PER_CHIP = 32


def chip_error(ec_n0_db: float, modulation_index: float) -> float:
    """Chip error rate of noncoherent 2-FSK, one chip at a time."""
    ec_n0 = 10.0 ** (ec_n0_db / 10.0)
    h = math.pi * modulation_index
    root = math.sqrt(max(0.0, 1.0 - (math.sin(h) / h) ** 2))
    a, b = math.sqrt(0.5 * ec_n0 * (1.0 - root)), math.sqrt(0.5 * ec_n0 * (1.0 + root))
    marcum_q1 = 1.0 - float(scipy.special.chndtr(b * b, 2.0, a * a))
    return marcum_q1 - 0.5 * math.exp(-0.5 * (b - a) ** 2) * float(scipy.special.i0e(a * b))


def word_error(ec_n0_db: float, modulation_index: float, code: LineCode) -> float:
    """Error rate of code words decided as wholes on noncoherent chips.

    Simulated at a few levels; between and beyond them its logarithm is a parabola in Ec/N0.
    """
    return math.exp(
        min(0.0, float(np.polyval(_log_word_error(modulation_index, code), 10.0 ** (ec_n0_db / 10.0))))
    )


@lru_cache(maxsize=64)
def _log_word_error(modulation_index: float, code: LineCode) -> tuple[float, ...]:
    """Coefficients of the parabola, highest power first."""
    rng = np.random.default_rng(_SIMULATION_SEED)
    words = code_words(code).astype(np.int64)
    sent = words[rng.integers(0, len(words), _SIMULATED_CHIPS // words.shape[1])]
    shared = np.sinc(modulation_index) * np.exp(1j * math.pi * modulation_index)  # overlap of the tones
    noise = rng.standard_normal((4, *sent.shape), dtype=np.float32) / math.sqrt(2.0)
    own = noise[0] + 1j * noise[1]
    other = shared * own + math.sqrt(1.0 - abs(shared) ** 2) * (noise[2] + 1j * noise[3])
    ratios = 10.0 ** (np.array(_SIMULATED_DB) / 10.0)
    errors = []
    for amplitude in np.sqrt(ratios):
        lead = np.abs(amplitude + own) - np.abs(shared * amplitude + other)
        soft = np.where(sent == 1, lead, -lead)
        decided = words[np.argmax(soft @ (2.0 * words - 1.0).T, axis=1)]
        errors.append(np.mean(np.any(decided != sent, axis=1)))
    return tuple(np.polyfit(ratios, np.log(errors), 2, w=np.sqrt(errors)))


def path_distance(conditions: Conditions) -> float:
    """Smallest d² of two phase paths that part: ∫|s₁ − s₂|² / 2Ec over all differences of a few chips.

    The distance depends on the difference of the chips alone; paths that have not met again by the
    end of the tail are farther apart than those that have.
    """
    row = conditions.row
    pulse = np.zeros(_PATH_CHIPS + _PATH_TAIL_CHIPS + 4, dtype=np.float32)
    pulse[2] = 1.0
    shape = waveform(
        pulse,
        replace(row, bandwidth_time=conditions.bandwidth_time),
        impairments=Impairments(deviation_hz=0.5 * conditions.modulation_index * row.chip_rate_hz),
    )
    n = (_PATH_CHIPS + _PATH_TAIL_CHIPS) * _SAMPLES_PER_CHIP
    t = (1.0 + (np.arange(n + _SAMPLES_PER_CHIP) + 0.5) / _SAMPLES_PER_CHIP) / row.chip_rate_hz
    turns = np.interp(t, shape.knots_s, shape.turns)
    shifted = np.stack(
        [
            np.concatenate([np.zeros(k * _SAMPLES_PER_CHIP), turns[: turns.size - k * _SAMPLES_PER_CHIP]])
            for k in range(_PATH_CHIPS)
        ]
    )
    differences = np.array([(1, *rest) for rest in product((-1, 0, 1), repeat=_PATH_CHIPS - 1)])
    apart = np.cos(2.0 * math.pi * 2.0 * (differences @ shifted))
    return float(np.min(np.sum(1.0 - apart, axis=1)) / _SAMPLES_PER_CHIP)


def frame_success(conditions: Conditions, limit: Limit) -> Callable[[float], float] | None:
    """Frame success as a function of Ec/N0 in dB; None where a limit says nothing about a row."""
    row, h = conditions.row, conditions.modulation_index
    if is_four_level(row):
        return None
    code = row.line_code
    chips = row.chips_per_byte
    if limit == "hard":
        return lambda db: _of_units(conditions, chips, chip_error(db, h))
    if limit == "soft":
        if code is LineCode.NRZ:
            return None
        per_byte = chips // code_words(code).shape[1]
        return lambda db: _of_units(conditions, per_byte, word_error(db, h, code))
    if code is LineCode.MANCHESTER:
        return None  # a bit is two chips, whose distance is no chip's
    distance = path_distance(conditions)
    return lambda db: _of_units(
        conditions, chips, float(scipy.special.ndtr(-math.sqrt(distance * 10.0 ** (db / 10.0))))
    )


def reached_at(success: Callable[[float], float], wanted: float) -> float:
    """Ec/N0 in dB at which a success curve reaches a share, between points of half a dB."""
    curve = np.array([success(float(db)) for db in GRID_DB])
    return float(np.interp(_bend(wanted), _bend(curve), GRID_DB))


def _bend(share: DoubleArray | float) -> DoubleArray:
    """Frame success almost straightened: log(−log p) falls nearly linearly."""
    inside = np.clip(share, 1e-12, 1.0 - 1e-12)
    return np.asarray(-np.log(-np.log(inside)))


def _of_units(conditions: Conditions, per_byte: int, error: float) -> float:
    """Mean over the payload lengths of the chance that all chips, words or bits are right."""
    low, high = conditions.payload_bytes
    lengths = [_air_bytes(conditions, payload) for payload in range(low, high + 1)]
    return float(np.mean([(1.0 - error) ** (per_byte * length) for length in lengths]))


def _air_bytes(conditions: Conditions, payload: int) -> int:
    frame = bytes((_ADDRESS_BYTES - 1 + payload,)) + bytes(_ADDRESS_BYTES - 1 + payload)
    return len(link.add_crcs(frame, conditions.frame_format))
