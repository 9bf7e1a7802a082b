"""What the name of a recording tells about it.

    program    name                                                told
    rtl_433    g001_868.9M_1000k.cu8                               centre, rate, format
    rtl-sdr    rtlsdr_868.950M_1M6_samples2.cu8                    centre, rate, format
    gqrx       gqrx_20200101_120000_868950000_1600000_fc.raw       time, centre, rate, cf32
    SDR#       SDRSharp_20200101_120000Z_868950000Hz_IQ.wav        time, centre
    HDSDR      HDSDR_20200101_120000Z_868950kHz_RF.wav             time, centre

Only whole words between ``_``, ``-`` or blanks count, and only those that carry a unit or
suffix; a word with Hz is a centre frequency, one without is told by its size: rates end
at 20 MHz, where the centre frequencies begin. Two different candidates are no answer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sdr.recording.facts import CENTER_RANGE_HZ, SAMPLE_RATE_RANGE_HZ, Facts
from sdr.sample_format import SampleFormat
from sdr.units import parse_hz

ORIGIN = "the file name"

RAW_SUFFIXES = {f".{row.label}": row for row in SampleFormat} | {
    ".cfile": SampleFormat.CF32,  # GNU Radio
}

_WORD = re.compile(r"[^_\s,-]+")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9-]*$")
_QUANTITY = re.compile(
    r"(?P<number>\d{1,12}(?:\.\d{1,9})?[kKMG]|\d{1,4}[kKMG]\d{1,6}|\d{1,12}(?=Hz|[Ss]ps))"
    r"(?P<unit>Hz|[Ss]ps)?",
    re.ASCII,
)
_UTC_STAMP = re.compile(r"(?:^|[_\s-])(\d{8})_(\d{6})Z(?=[_\s.-]|$)", re.ASCII)
_GQRX = re.compile(r"gqrx_(\d{8})_(\d{6})_(\d{1,12})_(\d{1,9})_fc(?:\..*)?", re.ASCII)


def name_suffix(name: str) -> str:
    """Return the suffix in lower case with its dot; empty where the last dot belongs to a number."""
    match = _SUFFIX.search(name)
    return match[0].lower() if match else ""


def facts_from_name(name: str) -> Facts:
    """Read what a file name tells; it never raises, and doubtful names tell nothing.

    Args:
        name: the last part of the path.
    """
    gqrx = _GQRX.fullmatch(name)
    if gqrx is not None:
        day, time_of_day, center, rate = gqrx.groups()
        stamp = _utc(day, time_of_day)
        return Facts(ORIGIN, float(rate), float(center), SampleFormat.CF32, start_time_hint=stamp)
    rates: dict[float, str] = {}
    centers: dict[float, str] = {}
    stem = _SUFFIX.sub("", name)
    for word, value_hz, unit in _quantities(stem):
        if unit != "Hz" and SAMPLE_RATE_RANGE_HZ[0] <= value_hz <= SAMPLE_RATE_RANGE_HZ[1]:
            rates.setdefault(value_hz, word)
        elif unit in (None, "Hz") and CENTER_RANGE_HZ[0] <= value_hz <= CENTER_RANGE_HZ[1]:
            centers.setdefault(value_hz, word)
    stamps = [stamp for found in _UTC_STAMP.finditer(stem) if (stamp := _utc(found[1], found[2]))]
    return Facts(
        ORIGIN,
        sample_rate_hz=_only(rates),
        center_hz=_only(centers),
        sample_format=RAW_SUFFIXES.get(name_suffix(name)),
        start_time_hint=stamps[0] if len(stamps) == 1 else None,
        ambiguous=tuple(
            f"{ORIGIN} holds several: {', '.join(words.values())}"
            for words in (rates, centers)
            if len(words) > 1
        ),
    )


def _quantities(stem: str) -> list[tuple[str, float, str | None]]:
    """Words that are a number with a suffix or unit, as (word, value in Hz, unit)."""
    found = []
    words = list(_WORD.finditer(stem))
    for index, word in enumerate(words):
        match = _QUANTITY.fullmatch(word[0])
        if match is None:
            continue
        before = words[index - 1] if index else None
        if (
            before is not None
            and re.fullmatch(r"[0-9]{1,4}", before[0])
            and stem[before.end() : word.start()] == "_"
            and match["number"][:-1].isdigit()
        ):
            continue  # 868_95M: half of a number whose decimal point became an underscore
        found.append((word[0], parse_hz(match["number"]), match["unit"]))
    return found


def _only(candidates: dict[float, str]) -> float | None:
    return next(iter(candidates)) if len(candidates) == 1 else None


def _utc(day: str, time_of_day: str) -> datetime | None:
    try:
        return datetime.strptime(day + time_of_day, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
