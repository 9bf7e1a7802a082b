"""The ways to detect what follows a sync hit, from the cheapest to the most sensitive.

    one chip at a time, noncoherent    every mode but 4-GFSK; cheap and hard to disturb
    whole sequence, coherent           NRZ modes
    whole words, coherent              3-of-6 and Manchester

Each can be asked for any number of bytes, first for those that tell the length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from dsp.alignment import Alignment
from dsp.arrays import ComplexArray, DoubleArray, FloatArray, IndexArray
from dsp.chip_detector import ChipClock, ChipDetector, SoftChips, Track
from dsp.chip_track import mean_period, permitted_period
from dsp.code_word_detector import CodeWordDetector
from dsp.encoder import chip_string, levels_of
from dsp.modes import FrameFormat, LineCode, PhyMode
from dsp.plan import Channel, Variant
from dsp.repair import NO_ALTERNATIVES, Alternatives, cheapest
from dsp.sequence_detector import SequenceDetector
from dsp.tuning import Tuner, Tuning

_FIRST_BYTES = 24  # that coherent detection tunes on before it knows the length
_OUTER_SYMBOLS = np.array([1, 3])  # dibits 01 and 11, which stand for chips 0 and 1 in 4-GFSK
_MOST_UNSURE = 192
# logarithm of the weight of all readings of the first bytes; a CRC singles out 11 of it. Frames that are
# read have up to 11 by chips, up to 40 by words, whose other readings exclude each other; noise 40 to 130
_HOPELESS_CHIPS = 30.0
_HOPELESS_WORDS = 50.0
# of the first bytes: frames of C in noise that are read have 0.69 and more, one in 16 of F 0.55 to 0.7
_LEAST_COHERENCE = 0.55
_SLIPS = (0, -1, 1, -2, 2, -3, 3, -4, 4)  # chips


@dataclass(frozen=True, slots=True)
class Detected:
    """What a detector gives for a number of bytes.

    Attributes:
        chips: from the pattern's first chip on.
        bits: soft line-coded bits of the frame.
        tuning: carrier and deviation, where measured.
        others: other readings of what was unsure, in bits of the frame.
        repairable: ``others`` are good enough to choose from; else they only tell what is unsure.
        hopeless: so much is unsure that no CRC tells what is right: noise, or beneath a stronger burst.
        track: that ``chips`` are the first of, where they were read one by one.
    """

    chips: SoftChips
    bits: FloatArray
    tuning: Tuning | None = None
    others: Alternatives = NO_ALTERNATIVES
    repairable: bool = False
    hopeless: bool = False
    track: Track | None = None


Detect = Callable[[int], Detected]
"""Detects the chips of so many bytes of the frame."""


class Detectors:
    """The detectors of one channel.

    Args:
        channel: what is received.
        coherent: give the coherent ones, too.
    """

    def __init__(self, channel: Channel, *, coherent: bool = True) -> None:
        self._channel = channel
        self._coherent = coherent
        self._chips = ChipDetector(channel)
        self._tuners: dict[str, Tuner] = {}
        self._sequences: dict[str, SequenceDetector] = {}
        self._alignments: dict[str, Alignment] = {}
        self._words: dict[str, CodeWordDetector] = {}
        for row in {variant.row.name: variant.row for variant in channel.variants}.values():
            if row.line_code is LineCode.NRZ:
                self._tuners[row.name] = Tuner(channel, row)
                self._sequences[row.name] = SequenceDetector(channel, row, self._tuners[row.name])
                self._alignments[row.name] = Alignment([_header(row, f) for f in row.frame_formats])
            else:
                self._words[row.name] = CodeWordDetector(channel, row)

    def of(
        self, baseband: ComplexArray, variant: Variant, track: Track, *, thorough: bool = True
    ) -> Iterator[Detect]:
        """Detectors for what follows a sync hit, the cheapest first.

        Args:
            baseband: complex64 [n].
            variant: line code and the sync chips behind the anchor.
            track: locked at the pattern's start.
            thorough: even the first is to find the clock of words as well as can be.
        """
        known = self._channel.pattern + variant.continuation
        per_byte = variant.row.chips_per_byte
        steady = self._chips.steadied(baseband, track, variant.row.rx_chip_rate_tolerance)

        @cache
        def at_once(n_bytes: int) -> SoftChips:
            longer = len(known) + max(n_bytes, _FIRST_BYTES) * per_byte
            return self._chips.at_once(baseband, steady, longer)

        def one_by_one(n_bytes: int) -> Detected:
            stop = len(known) + n_bytes * per_byte
            by_line = thorough and variant.row.line_code is not LineCode.NRZ
            if by_line:
                return _one_by_one(variant, _cut(at_once(n_bytes), stop), len(known))
            return self.read_on(variant, steady, n_bytes)

        def as_sequence(n_bytes: int) -> Detected:
            n_chips = len(known) + max(n_bytes, _FIRST_BYTES) * per_byte
            chips = steady.chips(n_chips + 1)
            stop = len(known) + n_bytes * per_byte
            if chips.starts.size < stop:  # not whole, however it is read
                return Detected(chips, chips.values[len(known) :])
            least = _LEAST_COHERENCE if n_bytes <= _FIRST_BYTES else 0.0
            return self._detect_sequence(baseband, variant, steady.clock, chips, stop, least)

        def word_by_word(n_bytes: int) -> Detected:
            chips, others = self._words[variant.row.name].detect(baseband, at_once(n_bytes))
            chips = _cut(chips, len(known) + n_bytes * per_byte)
            hopeless = others.log_weight > _HOPELESS_WORDS
            return Detected(
                chips, chips.values[len(known) :], None, others, repairable=True, hopeless=hopeless
            )

        if variant.row.bits_per_chip == 1:
            yield one_by_one
            if not self._coherent:
                return
        yield as_sequence if variant.row.line_code is LineCode.NRZ else word_by_word

    def read_on(self, variant: Variant, track: Track, n_bytes: int) -> Detected:
        """Detect so many bytes chip by chip on a track of that variant, where it stands or farther."""
        n_known = len(self._channel.pattern) + len(variant.continuation)
        return _one_by_one(
            variant, track.chips(n_known + n_bytes * variant.row.chips_per_byte), n_known, track
        )

    def tune(self, baseband: ComplexArray, variant: Variant, chips: SoftChips) -> Tuning | None:
        """Measure carrier and deviation on decided chips, where the row's detector does so."""
        tuner = self._tuners.get(variant.row.name)
        if tuner is None or variant.row.bits_per_chip > 1:
            return None
        if chips.starts.size == 0:
            return None
        start = tuner.by_tones(chips.low_hz, chips.high_hz, float(chips.starts[chips.starts.size // 2]))
        return tuner.tune(baseband, chips.starts, (chips.values > 0).astype(np.int64), start)

    def _detect_sequence(
        self,
        baseband: ComplexArray,
        variant: Variant,
        clock: ChipClock,
        chips: SoftChips,
        stop: int,
        least_coherence: float,
    ) -> Detected:
        """Tune on what is decided, decide anew, twice; the clock of these modes is steady."""
        row = variant.row
        tuner, sequences = self._tuners[row.name], self._sequences[row.name]
        known = self._known_symbols(variant)
        if row.bits_per_chip == 1:
            starts = _steady(chips.starts, self._channel.samples_per_chip, row.rx_chip_rate_tolerance)
            symbols = np.concatenate([known, (chips.values[known.size :] > 0).astype(np.int64)])
        else:
            starts = clock.start + clock.period * np.arange(chips.starts.size, dtype=np.float64)
            symbols = known
        tuning = tuner.by_tones(chips.low_hz, chips.high_hz, float(starts[starts.size // 2]))
        tuning = tuner.tune(baseband, starts, symbols, tuning)
        if row.bits_per_chip == 1 and tuning.coherence < least_coherence:
            return _given_up(chips, known.size, stop)
        symbols = sequences.decide(baseband, starts, tuning, known.size)
        levels, alignment = tuner.shapes[0].levels, self._alignments[row.name]
        own = row.frame_formats.index(variant.frame_format)
        # a tracked clock that slips a chip early in the burst leaves all that follows right but displaced
        slip = alignment.best_slip(levels[symbols], own, known.size, _SLIPS)
        if slip:
            starts = starts + slip * float(np.diff(starts).mean())
            symbols = np.concatenate([known[: max(-slip, 0)], symbols[max(slip, 0) :]])[: starts.size]
        tuning = tuner.tune(baseband, starts, symbols, tuning, sure=True)
        if row.bits_per_chip == 1 and tuning.coherence < least_coherence:
            return _given_up(chips, known.size, stop)
        found = sequences.detect(baseband, starts, tuning, known.size)
        values = found.soft[:, 0] if row.bits_per_chip == 1 else levels[found.symbols]
        n_known_bits = known.size * row.bits_per_chip
        others = found.rivals.within(n_known_bits, found.soft.size)
        return Detected(
            _cut(SoftChips(values, starts[: values.size], chips.low_hz, chips.high_hz), stop),
            found.soft.ravel()[n_known_bits : stop * row.bits_per_chip],
            tuning,
            others,
            repairable=alignment.is_likeliest(levels[found.symbols], own, known.size),
            hopeless=others.log_weight > _HOPELESS_CHIPS,
        )

    def _known_symbols(self, variant: Variant) -> IndexArray:
        chips = chip_string(self._channel.pattern + variant.continuation).astype(np.int64)
        return chips if variant.row.bits_per_chip == 1 else _OUTER_SYMBOLS[chips]


def _given_up(chips: SoftChips, n_known: int, stop: int) -> Detected:
    """Hand on what one chip at a time gave, as hopeless."""
    return Detected(_cut(chips, stop), chips.values[n_known:stop], hopeless=True)


def _one_by_one(variant: Variant, chips: SoftChips, n_known: int, track: Track | None = None) -> Detected:
    bits = chips.values[n_known:]
    others = _unsure(bits) if variant.frame_format == "B" else NO_ALTERNATIVES
    return Detected(chips, bits, None, others, track=track)


def _unsure(bits: FloatArray) -> Alternatives:
    """Name what noncoherent chips leave open, one bit each.

    A soft chip is the difference of two envelopes, one with signal and one without; mean and
    variance of its size, a − 1.25 s and 1.43 s², give amplitude and noise, and the logarithm
    of its likelihood ratio is near a/s² times the difference.
    """
    size = np.abs(bits)
    if size.size == 0:
        return NO_ALTERNATIVES
    noise = float(size.var()) / 1.43 + 1e-30
    amplitude = float(size.mean()) + 1.25 * noise**0.5
    n = np.arange(size.size)
    most = max(_MOST_UNSURE, size.size // 4)
    return cheapest(size * np.float32(amplitude / noise), n, np.ones(size.size, dtype=np.uint64), most)


def _steady(starts: DoubleArray, nominal: float, tolerance: float) -> DoubleArray:
    """Chip starts of a clock without drift: the straight line of permitted slope through the tracked ones."""
    n = starts.size
    if n < 2:
        return starts
    k = np.arange(n) - (n - 1) / 2.0
    period = permitted_period(mean_period(starts), nominal, tolerance)
    return np.asarray(starts.mean() + k * period)


def _header(row: PhyMode, frame_format: FrameFormat) -> FloatArray:
    """Levels of preamble and sync word."""
    chips = chip_string("01" * row.preamble_pairs + row.sync_words[frame_format])
    return levels_of(chips)


def _cut(chips: SoftChips, stop: int) -> SoftChips:
    return SoftChips(chips.values[:stop], chips.starts[:stop], chips.low_hz, chips.high_hz)
