"""MODES: every air interface of wireless M-Bus as one row.

    burst on air:  preamble  |  sync word  |  frame (line coded)  |  postamble
                   n × 01       per frame format                     alternating chips or nothing

Receiver, modulator, simulator, measurement and tests loop over these rows; no rate,
frequency or sync word is written anywhere else. Chip 1 is the upper frequency.

    mode  S  Manchester, one air interface for both directions and for T downlink
          T  3-of-6, meter to other          C  NRZ, frame format told by the sync word
          R  ten Manchester channels         N  169 MHz, narrow band        F  433.82 MHz

Source: EN 13757-4 (modes and frames), OMS Vol. 2 Annex O (bands), ERC 70-03 (power, duty cycle).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

FrameFormat = Literal["A", "B"]
Direction = Literal["M2O", "O2M", "both"]


class Modulation(Enum):
    """How chips move the carrier."""

    FSK2 = "2-FSK"
    GFSK2 = "2-GFSK"
    GFSK4 = "4-GFSK"


class LineCode(Enum):
    """How bytes become chips."""

    NRZ = "NRZ"
    MANCHESTER = "Manchester"
    THREE_OF_SIX = "3-of-6"


CODED_BITS_PER_BYTE = {LineCode.NRZ: 8, LineCode.MANCHESTER: 16, LineCode.THREE_OF_SIX: 12}


class Postamble(Enum):
    """What follows the last CRC chip; receivers ignore it."""

    NONE = "none"
    ZERO_ONE = "n x 01"
    COMPLEMENT = "alternating chips, the first one differing from the last data chip"


@dataclass(frozen=True, slots=True)
class Deviation:
    """Peak frequency deviation from the carrier in Hz (4-GFSK: of the outer symbols)."""

    min_hz: float
    typical_hz: float
    max_hz: float


@dataclass(frozen=True, slots=True)
class Band:
    """A frequency plan that ``--band`` selects."""

    name: str
    description: str


BANDS = {
    "A": Band("A", "868 MHz (OMS PHY_A), with mode N at 169 MHz and F at 433.82 MHz"),
    "B": Band("B", "433 MHz (OMS PHY_B)"),
}


@dataclass(frozen=True, slots=True)
class PhyMode:
    """One air interface: everything a transmitter or receiver must know about it.

    Attributes:
        name: unique name of the row, e.g. ``"C O2M"``.
        mode: letter that telegrams are reported under: S, T, C, R, N or F.
        direction: who sends: meter to other (M2O), other to meter (O2M) or both.
        bands: frequency plans the row belongs to (keys of ``BANDS``).
        centers_hz: nominal carriers, one per channel.
        carrier_tolerance_ppm: what the transmitter's carrier may be off.
        chip_rate_hz: chips per second (4-GFSK: symbols per second).
        tx_chip_rate_tolerance: relative error a transmitter may have.
        rx_chip_rate_tolerance: relative error a receiver must accept.
        deviation: permitted peak deviations.
        modulation: kind of frequency-shift keying.
        bandwidth_time: BT of the Gaussian filter; None for plain FSK.
        line_code: how bytes become chips.
        preamble_pairs: least number of ``01`` pairs before the sync word.
        sync_words: chips of the sync word per frame format, first chip first.
        postamble: kind of trailer.
        postamble_chips: least and largest length of the trailer.
        sub_band_hz: lower and upper edge of the regulatory sub-band; None where not known.
        max_erp_w: radiated power limit in watts ERP.
        duty_cycle: largest share of an hour on air; None where not known.
        default_channel: index in ``centers_hz`` of the channel that is used unless another is agreed.
        uncertain: names of attributes whose source is doubtful.
    """

    name: str
    mode: str
    direction: Direction
    bands: tuple[str, ...]
    centers_hz: tuple[float, ...]
    carrier_tolerance_ppm: float
    chip_rate_hz: float
    tx_chip_rate_tolerance: float
    rx_chip_rate_tolerance: float
    deviation: Deviation
    modulation: Modulation
    bandwidth_time: float | None
    line_code: LineCode
    preamble_pairs: int
    sync_words: dict[FrameFormat, str]
    postamble: Postamble
    postamble_chips: tuple[int, int]
    sub_band_hz: tuple[float, float] | None
    max_erp_w: float
    duty_cycle: float | None
    default_channel: int = 0
    uncertain: tuple[str, ...] = ()

    @property
    def frame_formats(self) -> tuple[FrameFormat, ...]:
        """Frame formats the row can carry."""
        return tuple(self.sync_words)

    @property
    def bits_per_chip(self) -> int:
        """Line-coded bits that one chip on air carries: 2 for 4-GFSK, else 1."""
        return 2 if self.modulation is Modulation.GFSK4 else 1

    @property
    def header_chips(self) -> int:
        """Length of the shortest preamble and the sync word."""
        return 2 * self.preamble_pairs + len(next(iter(self.sync_words.values())))

    @property
    def chips_per_byte(self) -> int:
        """Chips that one byte of the frame takes on air."""
        return CODED_BITS_PER_BYTE[self.line_code] // self.bits_per_chip


def _khz(low: float, typical: float, high: float) -> Deviation:
    return Deviation(low * 1e3, typical * 1e3, high * 1e3)


_SYNC_S = "000111011010010110"
_SYNC_T = "0000111101"
_SYNC_C: dict[FrameFormat, str] = {
    "A": "01010100001111010101010011001101",
    "B": "01010100001111010101010000111101",
}
_SYNC_NF: dict[FrameFormat, str] = {"A": "1111011010001101", "B": "1111011001110010"}

_DEV_ST_A = _khz(40, 50, 80)
_DEV_ST_B = _khz(40, 50, 60)
_DEV_C_UP = _khz(33.75, 45, 56.25)
_DEV_C_DOWN = _khz(18.75, 25, 31.25)
_DEV_R = _khz(4.8, 6, 7.2)
_DEV_N = _khz(1.68, 2.4, 3.12)
_DEV_N_4GFSK = _khz(5.04, 7.2, 9.36)
_DEV_F = _khz(4.8, 5.5, 7.0)

_SUB_BAND_868_0 = (868.0e6, 868.6e6)
_SUB_BAND_868_7 = (868.7e6, 869.2e6)
_SUB_BAND_869_4 = (869.4e6, 869.65e6)
_SUB_BAND_169 = (169.400e6, 169.475e6)


def _s(name: str, direction: Direction, preamble_pairs: int, ppm: float, band: str) -> PhyMode:
    in_a = band == "A"
    return PhyMode(
        name=name,
        mode="S",
        direction=direction,
        bands=(band,),
        centers_hz=(868.300e6 if in_a else 433.500e6,),
        carrier_tolerance_ppm=ppm,
        chip_rate_hz=32_768.0,
        tx_chip_rate_tolerance=0.015,
        rx_chip_rate_tolerance=0.02,
        deviation=_DEV_ST_A if in_a else _DEV_ST_B,
        modulation=Modulation.FSK2,
        bandwidth_time=None,
        line_code=LineCode.MANCHESTER,
        preamble_pairs=preamble_pairs,
        sync_words={"A": _SYNC_S},
        postamble=Postamble.ZERO_ONE,
        postamble_chips=(2, 8),
        sub_band_hz=_SUB_BAND_868_0 if in_a else (433.2e6, 433.8e6),
        max_erp_w=0.025 if in_a else 0.010,
        duty_cycle=0.01 if in_a else None,
    )


def _t(name: str, band: str) -> PhyMode:
    in_a = band == "A"
    return PhyMode(
        name=name,
        mode="T",
        direction="M2O",
        bands=(band,),
        centers_hz=(868.950e6 if in_a else 434.475e6,),
        carrier_tolerance_ppm=60.0,
        chip_rate_hz=100_000.0,
        tx_chip_rate_tolerance=0.10 if in_a else 0.01,
        rx_chip_rate_tolerance=0.12 if in_a else 0.01,
        deviation=_DEV_ST_A if in_a else _DEV_ST_B,
        modulation=Modulation.FSK2,
        bandwidth_time=None,
        line_code=LineCode.THREE_OF_SIX,
        preamble_pairs=19,
        sync_words={"A": _SYNC_T},
        postamble=Postamble.COMPLEMENT,
        postamble_chips=(2, 8),
        sub_band_hz=_SUB_BAND_868_7 if in_a else (434.225e6, 434.725e6),
        max_erp_w=0.025 if in_a else 0.010,
        duty_cycle=0.001 if in_a else None,
        uncertain=("postamble",),
    )


def _c_up(name: str, band: str) -> PhyMode:
    in_a = band == "A"
    return PhyMode(
        name=name,
        mode="C",
        direction="M2O",
        bands=(band,),
        centers_hz=(868.950e6 if in_a else 434.475e6,),
        carrier_tolerance_ppm=25.0,
        chip_rate_hz=100_000.0,
        tx_chip_rate_tolerance=100e-6,
        rx_chip_rate_tolerance=100e-6,
        deviation=_DEV_C_UP,
        modulation=Modulation.FSK2,
        bandwidth_time=None,
        line_code=LineCode.NRZ,
        preamble_pairs=16,
        sync_words=_SYNC_C,
        postamble=Postamble.NONE,
        postamble_chips=(0, 0),
        sub_band_hz=_SUB_BAND_868_7 if in_a else (434.225e6, 434.725e6),
        max_erp_w=0.025 if in_a else 0.010,
        duty_cycle=0.001 if in_a else None,
    )


def _c_down(name: str, band: str) -> PhyMode:
    in_a = band == "A"
    return PhyMode(
        name=name,
        mode="C",
        direction="O2M",
        bands=(band,),
        centers_hz=(869.525e6 if in_a else 433.500e6,),
        carrier_tolerance_ppm=25.0,
        chip_rate_hz=50_000.0,
        tx_chip_rate_tolerance=100e-6,
        rx_chip_rate_tolerance=100e-6,
        deviation=_DEV_C_DOWN,
        modulation=Modulation.GFSK2,
        bandwidth_time=0.5,
        line_code=LineCode.NRZ,
        preamble_pairs=16,
        sync_words=_SYNC_C,
        postamble=Postamble.NONE,
        postamble_chips=(0, 0),
        sub_band_hz=_SUB_BAND_869_4 if in_a else (433.375e6, 433.625e6),
        max_erp_w=0.500 if in_a else 0.010,
        # Two sources disagree: the sub-band's rule is 10 %, one article prints 0.1 %.
        duty_cycle=0.10 if in_a else None,
        uncertain=("duty_cycle",) if in_a else (),
    )


def _r(name: str) -> PhyMode:
    return PhyMode(
        name=name,
        mode="R",
        direction="both",
        bands=("A",),
        centers_hz=tuple(868.030e6 + n * 0.060e6 for n in range(10)),
        carrier_tolerance_ppm=20.0,
        chip_rate_hz=4_800.0,
        tx_chip_rate_tolerance=0.015,
        rx_chip_rate_tolerance=0.02,
        deviation=_DEV_R,
        modulation=Modulation.FSK2,
        bandwidth_time=None,
        line_code=LineCode.MANCHESTER,
        preamble_pairs=39,
        sync_words={"A": _SYNC_S},
        postamble=Postamble.ZERO_ONE,
        postamble_chips=(2, 8),
        sub_band_hz=_SUB_BAND_868_0,
        max_erp_w=0.025,
        duty_cycle=0.01,
        default_channel=5,  # 868.330 MHz
        uncertain=("polarity",),
    )


def _n(name: str, center_mhz: float, chip_rate_hz: float, ppm: float) -> PhyMode:
    return PhyMode(
        name=name,
        mode="N",
        direction="both",
        bands=("A", "B"),
        centers_hz=(center_mhz * 1e6,),
        carrier_tolerance_ppm=ppm,
        chip_rate_hz=chip_rate_hz,
        tx_chip_rate_tolerance=100e-6,
        rx_chip_rate_tolerance=100e-6,
        deviation=_DEV_N,
        modulation=Modulation.GFSK2,
        bandwidth_time=0.5,
        line_code=LineCode.NRZ,
        preamble_pairs=8,
        sync_words=_SYNC_NF,
        postamble=Postamble.NONE,
        postamble_chips=(0, 0),
        sub_band_hz=_SUB_BAND_169,
        max_erp_w=0.500,
        duty_cycle=0.10,
        uncertain=("polarity",),
    )


def _n2g(name: str) -> PhyMode:
    # Chips here are 4-GFSK symbols: preamble and sync use the outer pair only, so
    # their bits read like those of the 2-GFSK rows, one outer symbol a bit.
    return PhyMode(
        name=name,
        mode="N",
        direction="both",
        bands=("A", "B"),
        centers_hz=(169.4375e6,),
        carrier_tolerance_ppm=9.0,
        chip_rate_hz=9_600.0,
        tx_chip_rate_tolerance=100e-6,
        rx_chip_rate_tolerance=100e-6,
        deviation=_DEV_N_4GFSK,
        modulation=Modulation.GFSK4,
        bandwidth_time=0.5,
        line_code=LineCode.NRZ,
        preamble_pairs=8,
        sync_words=_SYNC_NF,
        postamble=Postamble.NONE,
        postamble_chips=(0, 0),
        sub_band_hz=_SUB_BAND_169,
        max_erp_w=0.500,
        duty_cycle=0.10,
        uncertain=("polarity", "deviation", "carrier_tolerance_ppm"),
    )


def _f(name: str) -> PhyMode:
    return PhyMode(
        name=name,
        mode="F",
        direction="both",
        bands=("A", "B"),
        centers_hz=(433.820e6,),
        carrier_tolerance_ppm=16.0,
        chip_rate_hz=2_400.0,
        tx_chip_rate_tolerance=100e-6,
        rx_chip_rate_tolerance=100e-6,
        deviation=_DEV_F,
        modulation=Modulation.FSK2,
        bandwidth_time=None,
        line_code=LineCode.NRZ,
        preamble_pairs=39,
        sync_words=_SYNC_NF,
        postamble=Postamble.NONE,
        postamble_chips=(0, 0),
        sub_band_hz=None,
        max_erp_w=0.010,
        duty_cycle=0.10,
        uncertain=("polarity",),
    )


MODES: tuple[PhyMode, ...] = (
    _s("S1 M2O", "M2O", 279, 60.0, "A"),
    _s("S2 M2O", "M2O", 15, 60.0, "A"),
    _s("S2 O2M", "O2M", 15, 25.0, "A"),
    _s("T2 O2M", "O2M", 15, 25.0, "A"),
    _t("T M2O", "A"),
    _c_up("C M2O", "A"),
    _c_down("C2 O2M", "A"),
    _r("R2"),
    _n("Na", 169.406250, 4_800.0, 9.0),
    _n("Nb", 169.418750, 4_800.0, 9.0),
    _n("Nc", 169.431250, 2_400.0, 12.0),
    _n("Nd", 169.443750, 2_400.0, 12.0),
    _n("Ne", 169.456250, 4_800.0, 9.0),
    _n("Nf", 169.468750, 4_800.0, 9.0),
    _n2g("N2g"),
    _f("F2"),
    _s("S1 M2O 433", "M2O", 279, 60.0, "B"),
    _s("S2 M2O 433", "M2O", 15, 60.0, "B"),
    _s("S2 O2M 433", "O2M", 15, 25.0, "B"),
    _s("T2 O2M 433", "O2M", 15, 25.0, "B"),
    _t("T M2O 433", "B"),
    _c_up("C M2O 433", "B"),
    _c_down("C2 O2M 433", "B"),
)

BY_NAME: dict[str, PhyMode] = {row.name: row for row in MODES}
MODE_LETTERS: tuple[str, ...] = tuple(dict.fromkeys(row.mode for row in MODES))


def find_mode(mode: str, direction: str = "M2O", band: str = "A", sub_mode: str | None = None) -> PhyMode:
    """Find the row that a scene or a transmit command means.

    Args:
        mode: letter, or the unique name of a row. T with O2M gives mode S's downlink row.
        direction: ``"M2O"`` or ``"O2M"``.
        band: key of ``BANDS``.
        sub_mode: unique name of a row, when a letter has several (N: channel rows).

    Raises:
        KeyError: no row fits; the message lists what there is.
    """
    wanted = sub_mode or mode
    if wanted in BY_NAME:
        return BY_NAME[wanted]
    letter, prefix = (mode, "T2 ") if (mode, direction) == ("T", "O2M") else (mode, "")
    rows = [
        row
        for row in MODES
        if band in row.bands
        and row.direction in (direction, "both")
        and (row.name.startswith(prefix) if prefix else row.mode == letter)
        # the short header is what today's S meters send
        and not row.name.startswith("S1")
    ]
    if not rows:
        known = ", ".join(sorted(BY_NAME))
        raise KeyError(f"no PHY mode {mode!r} with direction {direction} in band {band}; rows: {known}")
    return rows[0]
