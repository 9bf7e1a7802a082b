"""Coherent detection of whole chip sequences: a Viterbi search whose survivors track the phase.

    shape of a chip      e^{j2π·dev·T·(q·levels)}   q: phase that the chip before, here, behind adds
    c[k, ctx]            matched filter of chip k to the shape of context ctx = (before, here, behind)
    state                (before, here); a branch appends the chip behind
    metric of a branch   Re(c · conj(reference)) / |reference|
    reference            what the survivor's phase is: past c, turned on by each chip's own advance,
                         forgotten with a memory of about ten chips

Each survivor carries its own reference, so no carrier loop has to settle first and slow phase
noise is followed. Frequency and deviation must be known better than tones tell: both come
from how the phase advances from chip to chip over the whole burst, by the chips that the
noncoherent detector decided. For h = 0.9 this is worth 3.5 dB over one chip at a time, for
Gaussian chips with h = 1 about 2 dB; 4-GFSK cannot do without.

The soft value of a chip is the metric difference to the best path that decides it otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dsp._kernel import kernel
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.chip_detector import SoftChips
from dsp.encoder import DIBIT_LEVELS
from dsp.modes import Modulation, PhyMode
from dsp.modulator import Impairments, waveform
from dsp.plan import Channel
from dsp.repair import Alternative

_FRACTIONS = 16  # positions of a chip's start between samples
_DEVIATION_STEPS = 17  # from a little below to a little above what is permitted
_MEMORY = 0.9
_STATE_CHIPS = 7  # of a two-level state; at h = 0.9 a wrong chip shows only after several more
_MOST_RIVALS = 96
_LEAST_CHIPS = 8  # fewer tell nothing of carrier and deviation
_TRACE_BACK_CHIPS = 24  # how far back a rival path is compared


@dataclass(frozen=True, slots=True)
class Tuning:
    """What coherent detection must know of a transmitter.

    Attributes:
        carrier: cycles per baseband sample from the channel's centre.
        deviation_hz: peak deviation; negative for an inverted spectrum.
    """

    carrier: float
    deviation_hz: float


class SequenceDetector:
    """Detects the chips of one air interface.

    Args:
        channel: gives the baseband rate.
        row: gives modulation and deviation limits.
    """

    def __init__(self, channel: Channel, row: PhyMode) -> None:
        self._rate_hz = channel.baseband_rate_hz
        self._samples_per_chip = channel.samples_per_chip
        self._row = row
        four = row.modulation is Modulation.GFSK4
        self._levels = DIBIT_LEVELS if four else np.array([-1.0, 1.0], dtype=np.float32)
        m = self._levels.size
        self._contexts = np.array(list(product(range(m), repeat=3)), dtype=np.int64)
        self._order = 2 if four else _STATE_CHIPS
        self._phase = _phase_table(row, channel.samples_per_chip)
        self._advance = _phase_advance(row)
        limits = row.deviation
        self._candidates_hz = np.linspace(0.8 * limits.min_hz, 1.2 * limits.max_hz, _DEVIATION_STEPS)

    def levels_of(self, symbols: IndexArray) -> FloatArray:
        """Levels in units of the deviation."""
        return np.asarray(self._levels[symbols])

    def tune(self, baseband: ComplexArray, chips: SoftChips, symbols: IndexArray) -> Tuning:
        """Measure carrier and deviation on decided chips.

        Args:
            baseband: complex64 [n].
            chips: the noncoherent detector's chips; starts and tones are used.
            symbols: decided symbols int64, or the known ones; may be fewer than the chips.
        """
        carrier = (chips.low_hz + chips.high_hz) / (2.0 * self._rate_hz)
        sign = 1.0 if chips.high_hz > chips.low_hz else -1.0
        rows, fractions = self._rows(baseband, chips.starts[: symbols.size], carrier)
        if sign < 0.0:
            rows = rows.conj()
        n = rows.shape[0]
        if n < _LEAST_CHIPS:
            return Tuning(carrier, sign * self._row.deviation.typical_hz)
        m = self._levels.size
        before, here, behind = symbols[: n - 2], symbols[1 : n - 1], symbols[2:n]
        context = (before * m + here) * m + behind
        turns = []
        for bank, advance in self._candidate_banks:
            shaped = bank[fractions[1 : n - 1], context]
            c = np.sum(rows[1 : n - 1] * shaped.conj(), axis=1)
            turns.append(np.sum(c[1:] * (c[:-1] * advance[context[:-1]]).conj()))
        strength = np.abs(np.array(turns))
        best = int(np.argmax(strength))
        deviation_hz = _parabola_peak(self._candidates_hz, strength, best)
        carrier += sign * float(np.angle(turns[best])) / (2.0 * np.pi * self._samples_per_chip)
        return Tuning(carrier, sign * deviation_hz)

    def detect(
        self, baseband: ComplexArray, starts: DoubleArray, tuning: Tuning
    ) -> tuple[IndexArray, FloatArray, list[Alternative]]:
        """Find the most likely sequence.

        Args:
            baseband: complex64 [n].
            starts: chip starts in baseband samples float64 [k].
            tuning: carrier and deviation.

        Returns:
            Symbols int64 [k'], soft bits float32 [k', bits per symbol], positive for 1, and the
            rival paths that lost by least against the best one, their bits counted from the first
            symbol's. k' < k where the baseband ends early.
        """
        rows, fractions = self._rows(baseband, starts, tuning.carrier)
        bank, advance = self._bank(tuning.deviation_hz)
        m = self._levels.size
        bits = 2 if m == 4 else 1
        symbols = np.zeros(rows.shape[0], dtype=np.int64)
        soft = np.zeros((rows.shape[0], bits), dtype=np.float32)
        leads = np.zeros(rows.shape[0], dtype=np.float32)
        differing = np.zeros((rows.shape[0], _TRACE_BACK_CHIPS), dtype=np.uint8)
        if rows.shape[0]:
            _viterbi(
                rows,
                fractions,
                bank,
                advance,
                m,
                self._order,
                bits,
                _MEMORY,
                _TRACE_BACK_CHIPS,
                symbols,
                soft,
                leads,
                differing,
            )
        return symbols, soft, _rivals(leads, differing, bits)

    @cached_property
    def _candidate_banks(self) -> list[tuple[ComplexArray, ComplexArray]]:
        return [self._bank(float(deviation_hz)) for deviation_hz in self._candidates_hz]

    def _rows(
        self, baseband: ComplexArray, starts: DoubleArray, carrier: float
    ) -> tuple[ComplexArray, IndexArray]:
        """Cut out each whole chip [k, samples a chip], and where between samples it starts."""
        first = np.ceil(starts - 1e-9).astype(np.int64)
        inside = (first >= 0) & (first + self._samples_per_chip <= baseband.size)
        first = first[: int(np.argmin(inside))] if not inside.all() else first
        fraction = np.clip(((first - starts[: first.size]) * _FRACTIONS).astype(np.int64), 0, _FRACTIONS - 1)
        index = first[:, None] + np.arange(self._samples_per_chip)
        rows = baseband[index] * np.exp(-2j * np.pi * carrier * index)
        return np.ascontiguousarray(rows, dtype=np.complex64), fraction

    def _bank(self, deviation_hz: float) -> tuple[ComplexArray, ComplexArray]:
        """Shapes [fractions, contexts, samples a chip] and phase advance [contexts] of a deviation."""
        index = deviation_hz / self._row.chip_rate_hz
        levels = self._levels[self._contexts].astype(np.float64)
        shapes = np.exp(2j * np.pi * index * np.einsum("cj,jfn->fcn", levels, self._phase))
        advance = np.exp(2j * np.pi * index * (levels @ self._advance))
        return np.ascontiguousarray(shapes, dtype=np.complex64), advance.astype(np.complex64)


def _rivals(leads: FloatArray, differing: NDArray[np.uint8], n_bits: int) -> list[Alternative]:
    """Closest rival paths as changes of bits; differing[k, back] is the exclusive-or at symbol k − back."""
    rivals = []
    contested = np.flatnonzero(differing.any(axis=1))
    for k in contested[np.argsort(leads[contested])[:_MOST_RIVALS]].tolist():
        bits = tuple(
            n_bits * (k - back) + n_bits - 1 - b
            for back, difference in enumerate(differing[k].tolist())
            for b in range(n_bits)
            if difference >> b & 1
        )
        rivals.append(Alternative(float(leads[k]), bits))
    return rivals


def _phase_table(row: PhyMode, samples_per_chip: int) -> DoubleArray:
    """Phase that the chips before, here and behind add inside a chip, float64 [3, fractions, samples].

    In units of deviation over chip rate, in turns, from 0 at the chip's start.
    """
    fraction = (np.arange(_FRACTIONS) + 0.5) / _FRACTIONS
    u = (fraction[:, None] + np.arange(samples_per_chip)[None, :]) / samples_per_chip
    return np.stack(
        [
            _pulse_phase(row, 2.0 + offset + u) - _pulse_phase(row, np.array(2.0 + offset))
            for offset in (1, 0, -1)
        ]
    )


def _phase_advance(row: PhyMode) -> DoubleArray:
    """Phase that the chips before, here and behind add over a whole chip, float64 [3]."""
    return np.array(
        [
            float(_pulse_phase(row, np.array(3.0 + offset)) - _pulse_phase(row, np.array(2.0 + offset)))
            for offset in (1, 0, -1)
        ]
    )


def _pulse_phase(row: PhyMode, u: DoubleArray) -> DoubleArray:
    """Phase of a single chip of level 1 that begins at 2, at times ``u`` in chips."""
    pulse = np.array([0.0, 0.0, 1.0, 0.0, 0.0], dtype=np.float32)
    wave = waveform(pulse, row, impairments=Impairments(deviation_hz=row.chip_rate_hz))
    return np.asarray(np.interp(u / row.chip_rate_hz, wave.knots_s, wave.turns))


def _parabola_peak(x: DoubleArray, y: DoubleArray, best: int) -> float:
    """Abscissa of the parabola through the greatest of equally spaced points and its neighbours."""
    if best in (0, x.size - 1):
        return float(x[best])
    left, middle, right = y[best - 1 : best + 2]
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    return float(x[best] + shift * (x[1] - x[0]))


@kernel
def _viterbi(rows, fractions, bank, advance, m, order, n_bits, memory, depth, symbols, soft, leads, rivals):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n, width = rows.shape
    n_states = m**order
    n_tails = n_states // m
    n_contexts = m**3
    metric = np.zeros(n_states, dtype=np.float64)
    reference = np.zeros(n_states, dtype=np.complex128)
    direction = np.zeros(n_states, dtype=np.complex128)
    new_metric = np.zeros(n_states, dtype=np.float64)
    new_reference = np.zeros(n_states, dtype=np.complex128)
    came_from = np.zeros((n, n_states), dtype=np.int8)  # oldest symbol of the state before
    rival = np.zeros((n, n_states), dtype=np.int8)  # second best of it
    margin = np.zeros((n, n_states), dtype=np.float32)  # lead of the best
    c = np.zeros(n_contexts, dtype=np.complex128)
    context_of = np.zeros(n_states * m, dtype=np.int64)  # of each branch: state, then symbol behind
    for branch in range(n_states * m):
        context_of[branch] = branch % n_contexts
    for k in range(n):
        shapes = bank[fractions[k]]
        for ctx in range(n_contexts):
            total = complex(0.0, 0.0)
            for i in range(width):
                total += rows[k, i] * np.conj(shapes[ctx, i])
            c[ctx] = total
        for state in range(n_states):
            z = reference[state]
            size = np.sqrt(z.real * z.real + z.imag * z.imag)
            direction[state] = z / size if size > 0.0 else complex(0.0, 0.0)
        for tail in range(n_tails):
            for behind in range(m):
                best = -1e300
                second = -1e300
                best_oldest = 0
                second_oldest = 0
                for oldest in range(m):
                    state = oldest * n_tails + tail
                    value = c[context_of[state * m + behind]]
                    if k > 0:
                        towards = direction[state]
                        gain = value.real * towards.real + value.imag * towards.imag
                    else:
                        gain = abs(value)
                    total_metric = metric[state] + gain
                    if total_metric > best:
                        second = best
                        second_oldest = best_oldest
                        best = total_metric
                        best_oldest = oldest
                    elif total_metric > second:
                        second = total_metric
                        second_oldest = oldest
                old = best_oldest * n_tails + tail
                ctx = context_of[old * m + behind]
                new = tail * m + behind
                new_metric[new] = best
                new_reference[new] = (memory * reference[old] + c[ctx]) * advance[ctx]
                came_from[k, new] = best_oldest
                rival[k, new] = second_oldest
                margin[k, new] = best - second
        top = new_metric.max()
        for state in range(n_states):
            metric[state] = new_metric[state] - top
            reference[state] = new_reference[state]
    # states[k] ends with symbols k and k + 1 of the best path
    states = np.zeros(n, dtype=np.int64)
    states[n - 1] = np.argmax(metric)
    for k in range(n - 1, 0, -1):
        states[k - 1] = came_from[k, states[k]] * n_tails + states[k] // m
    for k in range(n):
        symbols[k] = states[k] // m % m
    reliability = np.full((n, n_bits), np.float32(1e30))
    for k in range(n):
        lead = margin[k, states[k]]
        state = rival[k, states[k]] * n_tails + states[k] // m  # the rival path, back along its survivors
        for back in range(1, depth):
            at = k - back
            if at < 0 or state == states[at]:
                break
            other = state // m % m
            leads[k] = lead
            rivals[k, back] = other ^ symbols[at]
            for bit in range(n_bits):
                mask = 1 << (n_bits - 1 - bit)
                if (other & mask) != (symbols[at] & mask):
                    reliability[at, bit] = min(reliability[at, bit], lead)
            state = came_from[at, state] * n_tails + state // m
    ceiling = np.float32(0.0)
    for k in range(n):
        for bit in range(n_bits):
            if reliability[k, bit] < np.float32(1e29):
                ceiling = max(ceiling, reliability[k, bit])
    for k in range(n):
        for bit in range(n_bits):
            size = min(reliability[k, bit], ceiling)
            mask = 1 << (n_bits - 1 - bit)
            soft[k, bit] = size if symbols[k] & mask else -size
