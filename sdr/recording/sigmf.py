"""SigMF metadata: JSON beside the samples, read and written.

    global        core:datatype       cu8, ci8, ci16_le, cf32_le (or _be): how samples are stored
                  core:sample_rate    samples per second
                  core:version        of the specification
                  core:offset         number of the first sample in the data file, usually 0
                  core:dataset        name of a data file with foreign headers
                  core:trailing_bytes bytes after its last sample
    captures[]    core:sample_start   first sample that this capture describes
                  core:frequency      centre in Hz
                  core:datetime       UTC of that sample
                  core:global_index   its number in the stream that was recorded from
                  core:header_bytes   foreign bytes in the file before it
    annotations[] core:sample_start, core:sample_count, core:label, core:comment, …

Source: SigMF specification 1.2.0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, overload

from sdr.errors import RecordingError
from sdr.sample_format import SampleFormat
from sdr.timestamps import format_utc, parse_utc

VERSION = "1.2.0"
ORIGIN = "the SigMF metadata"

_DATATYPE = re.compile(r"(?P<sort>[cr])(?P<coding>u8|i8|i16|u16|i32|u32|f32|f64)(?:_(?P<order>le|be))?")
_CODINGS = {row.sigmf_type: row for row in SampleFormat}


@dataclass(frozen=True, slots=True)
class Capture:
    """One entry of ``captures``; the first sample is counted from the start of the data file."""

    first_sample: int
    center_hz: float | None = None
    start_time: datetime | None = None
    global_index: int | None = None
    header_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SigmfMetadata:
    """What one metadata file says, checked for form but not against the data file."""

    sample_format: SampleFormat
    big_endian: bool
    sample_rate_hz: float | None
    captures: tuple[Capture, ...]
    annotations: tuple[dict[str, Any], ...]
    dataset: str | None
    trailing_bytes: int
    notes: tuple[str, ...]


def parse_metadata(text: bytes, name: str) -> SigmfMetadata:
    """Read a metadata file.

    Args:
        text: the whole file.
        name: what to call it in errors.

    Raises:
        RecordingError: not SigMF, or samples of a kind that is not read.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingError(name, f"is not SigMF metadata: {error or 'nested too deeply'}") from None
    top = _Fields(document, name, "the metadata")
    facts = _Fields(top.get("global"), name, "global")
    if facts.count("core:num_channels", 1) != 1:
        raise RecordingError(name, "holds several interleaved channels, which are not read")
    if facts.get("core:metadata_only") is True:
        raise RecordingError(name, "is metadata only: it has no samples")
    sample_format, big_endian = _read_datatype(facts.text("core:datatype"), name)
    offset = facts.count("core:offset", 0)
    notes: list[str] = []
    captures = [
        _read_capture(_Fields(entry, name, f"capture {number}"), offset, notes)
        for number, entry in enumerate(top.entries("captures"))
    ]
    if any(after.first_sample < before.first_sample for before, after in pairwise(captures)):
        raise RecordingError(name, "its captures are not in the order of their samples")
    annotations = tuple(entry for entry in top.entries("annotations") if isinstance(entry, dict))
    if len(annotations) < len(top.entries("annotations")):
        notes.append("annotations that are no JSON objects are left out")
    return SigmfMetadata(
        sample_format=sample_format,
        big_endian=big_endian,
        sample_rate_hz=facts.number("core:sample_rate"),
        captures=tuple(captures) or (Capture(0),),
        annotations=annotations,
        dataset=facts.text("core:dataset"),
        trailing_bytes=facts.count("core:trailing_bytes", 0),
        notes=tuple(notes),
    )


def write_metadata(
    *,
    datatype: str,
    sample_rate_hz: float,
    center_hz: float,
    start_time: datetime | None,
    annotations: Sequence[Mapping[str, Any]],
    description: str = "",
    sha512: str | None = None,
) -> str:
    """Write a metadata file of one capture, the same text for the same facts.

    Args:
        datatype: SigMF name of the sample format.
        sample_rate_hz: samples per second.
        center_hz: centre frequency.
        start_time: aware time of the first sample, or None.
        annotations: entries with ``core:sample_start``; written in the order of their samples.
        description: one sentence for people.
        sha512: hash of the data file in hex, or None.
    """
    ordered = sorted(annotations, key=lambda entry: int(entry["core:sample_start"]))
    namespaces = {key.partition(":")[0] for entry in ordered for key in entry} - {"core"}
    facts: dict[str, Any] = {
        "core:datatype": datatype,
        "core:sample_rate": _whole(sample_rate_hz),
        "core:version": VERSION,
    }
    if description:
        facts["core:description"] = description
    if sha512 is not None:
        facts["core:sha512"] = sha512
    if namespaces:
        facts["core:extensions"] = [
            {"name": namespace, "version": "1.0.0", "optional": True} for namespace in sorted(namespaces)
        ]
    capture: dict[str, Any] = {"core:sample_start": 0, "core:frequency": _whole(center_hz)}
    if start_time is not None:
        capture["core:datetime"] = format_utc(start_time)
    document = {"global": facts, "captures": [capture], "annotations": ordered}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _whole(value: float) -> float | int:
    """Whole numbers without ``.0``, as people write them."""
    return int(value) if float(value).is_integer() else value


def _read_datatype(datatype: str | None, name: str) -> tuple[SampleFormat, bool]:
    match = _DATATYPE.fullmatch(datatype or "")
    if match is None:
        raise RecordingError(name, f"core:datatype {datatype!r} is no SigMF sample format")
    if match["sort"] == "r":
        raise RecordingError(name, f"holds real samples ({datatype}); the receiver needs I/Q")
    sample_format = _CODINGS.get(f"c{match['coding']}")
    if sample_format is None:
        raise RecordingError(name, f"holds {datatype} samples; {', '.join(_CODINGS)} are read")
    return sample_format, match["order"] == "be"


def _read_capture(fields: _Fields, offset: int, notes: list[str]) -> Capture:
    first_sample = fields.count("core:sample_start", 0) - offset
    if first_sample < 0:
        raise RecordingError(fields.name, f"{fields.where} starts before core:offset")
    text = fields.text("core:datetime")
    start_time = None
    if text is not None:
        try:
            start_time = parse_utc(text)
        except ValueError:
            notes.append(f"{fields.where} of {ORIGIN}: core:datetime {text!r} is no time and is not used")
    return Capture(
        first_sample=first_sample,
        center_hz=fields.number("core:frequency") or None,  # 0 is written where the tuning is unknown
        start_time=start_time,
        global_index=fields.count("core:global_index", None),
        header_bytes=fields.count("core:header_bytes", 0),
    )


class _Fields:
    """Access to a JSON object that says which value of which file has the wrong type."""

    def __init__(self, value: object, name: str, where: str) -> None:
        if not isinstance(value, dict):
            raise RecordingError(name, f"is not SigMF metadata: {where} is missing or no JSON object")
        self.name = name
        self.where = where
        self._object: dict[str, Any] = value

    def get(self, key: str) -> object:
        return self._object.get(key)

    def entries(self, key: str) -> list[Any]:
        value = self._object.get(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def text(self, key: str) -> str | None:
        value = self._object.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(key, "a text")

    def number(self, key: str) -> float | None:
        value = self._object.get(key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        raise self._wrong(key, "a number")

    @overload
    def count(self, key: str, default: int) -> int: ...

    @overload
    def count(self, key: str, default: None) -> int | None: ...

    def count(self, key: str, default: int | None) -> int | None:
        value = self._object.get(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
            return value
        raise self._wrong(key, "a whole number from 0 on")

    def _wrong(self, key: str, wanted: str) -> RecordingError:
        return RecordingError(self.name, f"is not SigMF metadata: {key} in {self.where} is not {wanted}")
