"""Which air interfaces a recorded span covers, grouped into receive channels.

Rows of ``MODES`` with the same carrier and chip rate look alike until their sync word has
passed, so they share one ``Channel``: one gate, one demodulator. What distinguishes them
(sync continuation, line code, frame format) is a ``Variant`` of the channel.

    header of each variant:   01 01 … 01 | 000111101            | 0101010011001101 | frame
                              alternating  anchor: common to all  continuation       (T: none)

The anchor with the alternating chips before it is the pattern that the sync search looks
for; all of it is derived from the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from dsp.modes import MODES, FrameFormat, LineCode, PhyMode

RECEIVER_PPM = 20.0  # error of a cheap dongle's own crystal
_STREET_PPM = 80.0  # what carriers are off there, whatever their row permits; the narrow modes cannot bear it
_NARROW_CHIP_RATE_HZ = 10e3
PATTERN_CHIPS = 28  # longest sync pattern: more chips would not stand the chip-rate error
LONGEST_FRAME_BYTES = 290  # frame format A with L-field 255
_ALL_MODES = ("S", "T", "C", "N", "F")  # R only when it is named
SHORTEST_FRAME_BYTES = 12  # an address and its CRC


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to read what follows the anchor.

    Attributes:
        row: the air interface (the first of those that are alike).
        frame_format: A or B.
        continuation: sync chips between anchor and frame.
    """

    row: PhyMode
    frame_format: FrameFormat
    continuation: str


@dataclass(frozen=True)
class Channel:
    """One carrier frequency and chip rate to listen to.

    Attributes:
        name: for people: ``"868.950 MHz 100 kcps"``.
        center_hz: nominal carrier.
        rows: the air interfaces received here.
        others: air interfaces on the same carrier that nobody asked for; recognised, so that their
            frames are not taken for damaged ones, and left out.
        chip_rate_hz: nominal chip rate.
        chip_rate_tolerance: relative error to accept.
        carrier_tolerance_hz: transmitter's and receiver's carrier error together, as far as it is met.
        deviation_min_hz: smallest permitted peak deviation of the rows.
        deviation_max_hz: largest.
        pattern: chips to search: alternating chips and the anchor.
        variants: how to go on behind the anchor.
        samples_per_chip: of the channel's baseband, a multiple of 4.
    """

    name: str
    center_hz: float
    rows: tuple[PhyMode, ...]
    others: tuple[PhyMode, ...]
    chip_rate_hz: float
    chip_rate_tolerance: float
    carrier_tolerance_hz: float
    deviation_min_hz: float
    deviation_max_hz: float
    pattern: str
    variants: tuple[Variant, ...]
    samples_per_chip: int

    @property
    def baseband_rate_hz(self) -> float:
        """Sample rate of the channel's baseband."""
        return self.chip_rate_hz * self.samples_per_chip

    @property
    def half_width_hz(self) -> float:
        """Farthest that a signal reaches from the nominal carrier."""
        return self.carrier_tolerance_hz + max(_half_signal_hz(row) for row in self.rows)

    @property
    def passband_hz(self) -> float:
        """One-sided bandwidth that demodulation needs."""
        return self.carrier_tolerance_hz + self.deviation_max_hz + 0.6 * self.chip_rate_hz

    @cached_property
    def longest_burst_s(self) -> float:
        """Duration of the longest preamble and frame at the slowest chip rate."""
        chips = max(row.header_chips + LONGEST_FRAME_BYTES * row.chips_per_byte for row in self.rows)
        return chips / (self.chip_rate_hz * (1.0 - self.chip_rate_tolerance))

    @cached_property
    def shortest_burst_s(self) -> float:
        """Duration of the shortest preamble and frame at the fastest chip rate."""
        chips = min(row.header_chips + SHORTEST_FRAME_BYTES * row.chips_per_byte for row in self.rows)
        return chips / (self.chip_rate_hz * (1.0 + self.chip_rate_tolerance))

    @cached_property
    def longest_header_s(self) -> float:
        """Duration of the longest preamble and sync word at the slowest chip rate."""
        chips = max(row.header_chips for row in self.rows)
        return chips / (self.chip_rate_hz * (1.0 - self.chip_rate_tolerance))


@dataclass(frozen=True, slots=True)
class OffRow:
    """An air interface that is asked for but cannot be received, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Channels to receive, and the rows left out."""

    channels: tuple[Channel, ...]
    off: tuple[OffRow, ...]


def make_plan(
    sample_rate_hz: float, center_hz: float, modes: tuple[str, ...] | None = None, band: str | None = None
) -> Plan:
    """Choose the channels that lie inside a recorded span.

    Args:
        sample_rate_hz: rate of the recording; the span is one rate wide.
        center_hz: its middle.
        modes: letters to receive. None: S, T and C, and N or F where the span holds them.
        band: key of ``BANDS``; None takes the rows of all bands.
    """
    rows = [row for row in MODES if band is None or band in row.bands]
    asked = [row for row in rows if row.mode in (modes or _ALL_MODES)]
    on: dict[tuple[float, float], list[PhyMode]] = {}
    off: list[PhyMode] = []
    for row in asked:
        inside = [f for f in row.centers_hz if _fits(row, f, sample_rate_hz, center_hz)]
        for carrier_hz in inside:
            on.setdefault((carrier_hz, row.chip_rate_hz), []).append(row)
        if not inside:
            off.append(row)
    channels = []
    for carrier_hz, chip_rate_hz in sorted(on):
        wanted = on[carrier_hz, chip_rate_hz]
        others = [
            row
            for row in rows
            if row not in wanted and carrier_hz in row.centers_hz and row.chip_rate_hz == chip_rate_hz
        ]
        channels.append(_channel(carrier_hz, tuple(wanted), tuple(others)))
    heard = {row.mode for rows_on in on.values() for row in rows_on}
    said = [row for row in off if _is_near(row, center_hz) or (modes and row.mode not in heard)]
    return Plan(
        tuple(channels), tuple(OffRow(row.name, _why_off(row, sample_rate_hz, center_hz)) for row in said)
    )


def half_width_hz(row: PhyMode, carrier_hz: float) -> float:
    """Farthest that a conformant signal of a row reaches from its nominal carrier."""
    off_hz = carrier_hz * (row.carrier_tolerance_ppm + RECEIVER_PPM) * 1e-6
    return off_hz + _half_signal_hz(row)


def _half_signal_hz(row: PhyMode) -> float:
    return row.deviation.typical_hz + row.chip_rate_hz / 2.0


def _carrier_error_hz(row: PhyMode, carrier_hz: float) -> float:
    """How far the carrier of a row is listened to from where it should be."""
    ppm = row.carrier_tolerance_ppm + RECEIVER_PPM
    if row.chip_rate_hz > _NARROW_CHIP_RATE_HZ:
        ppm = max(ppm, _STREET_PPM)
    return carrier_hz * ppm * 1e-6


def _fits(row: PhyMode, carrier_hz: float, sample_rate_hz: float, center_hz: float) -> bool:
    return abs(carrier_hz - center_hz) + half_width_hz(row, carrier_hz) <= sample_rate_hz / 2.0


def _is_near(row: PhyMode, center_hz: float) -> bool:
    """Tell rows of the same region of the spectrum, whose absence is worth a word."""
    return min(abs(f - center_hz) for f in row.centers_hz) < 2e6


def _why_off(row: PhyMode, sample_rate_hz: float, center_hz: float) -> str:
    carrier_hz = min(row.centers_hz, key=lambda f: abs(f - center_hz))
    half_hz = half_width_hz(row, carrier_hz)
    low, high = (center_hz - sample_rate_hz / 2) / 1e6, (center_hz + sample_rate_hz / 2) / 1e6
    return (
        f"its channel {(carrier_hz - half_hz) / 1e6:.3f}…{(carrier_hz + half_hz) / 1e6:.3f} MHz "
        f"is not inside the span {low:.3f}…{high:.3f} MHz"
    )


def _channel(center_hz: float, wanted: tuple[PhyMode, ...], others: tuple[PhyMode, ...]) -> Channel:
    rows = tuple(row for row in MODES if row in wanted + others)
    chip_rate_hz = rows[0].chip_rate_hz
    tolerance_hz = max(_carrier_error_hz(row, center_hz) for row in rows)
    deviation_max_hz = max(row.deviation.max_hz for row in rows)
    need_hz = 2.2 * (tolerance_hz + deviation_max_hz + chip_rate_hz / 2.0)
    pattern, variants = _sync(rows)
    return Channel(
        name=f"{center_hz / 1e6:.4f} MHz {chip_rate_hz / 1e3:g} kcps",
        center_hz=center_hz,
        rows=wanted,
        others=others,
        chip_rate_hz=chip_rate_hz,
        chip_rate_tolerance=max(row.rx_chip_rate_tolerance for row in rows),
        carrier_tolerance_hz=tolerance_hz,
        deviation_min_hz=min(row.deviation.min_hz for row in rows),
        deviation_max_hz=deviation_max_hz,
        pattern=pattern,
        variants=variants,
        samples_per_chip=max(8, 4 * math.ceil(need_hz / chip_rate_hz / 4)),
    )


def _sync(rows: tuple[PhyMode, ...]) -> tuple[str, tuple[Variant, ...]]:
    """Split the rows' headers into the common pattern and each variant's continuation."""
    tails: dict[tuple[str, LineCode], tuple[PhyMode, FrameFormat]] = {}
    for row in rows:
        for frame_format, word in row.sync_words.items():
            tails.setdefault((_after_alternation(word), row.line_code), (row, frame_format))
    anchor = _common_start([tail for tail, _ in tails])
    alternating = min(2 * row.preamble_pairs for row in rows)
    before = ("01" * PATTERN_CHIPS)[-min(alternating, PATTERN_CHIPS - len(anchor)) :]
    if anchor[0] == "0":  # the anchor's first chip goes on alternating: 01 01 0
        before = before[: len(before) // 2 * 2]
    variants = tuple(
        Variant(row, frame_format, tail[len(anchor) :]) for (tail, _), (row, frame_format) in tails.items()
    )
    return before + anchor, variants


def _common_start(words: list[str]) -> str:
    """Leading chips that all words share."""
    length = 0
    while length < min(map(len, words)) and len({word[length] for word in words}) == 1:
        length += 1
    return words[0][:length]


def _after_alternation(sync_word: str) -> str:
    """Cut the chips of a sync word that merely go on with the preamble, in whole pairs."""
    while sync_word.startswith("01"):
        sync_word = sync_word[2:]
    return sync_word
