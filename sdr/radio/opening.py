"""From what ``--device`` says to an open radio, and which radios there are.

rtlsdr[:INDEX|:serial=S]   rtl_tcp://HOST[:PORT]   soapy:ARGS   file:PATH   -
"""

from __future__ import annotations

import io
from collections.abc import Callable

from sdr.errors import DeviceNotFound, RecordingError, UsageError
from sdr.radio import rtlsdr, soapy
from sdr.radio.paced import PacedSource
from sdr.radio.rtl_tcp import RtlTcpSource
from sdr.radio.source import RadioInfo, Source, Tuning
from sdr.recording import open_recording

KINDS = "rtlsdr[:INDEX|:serial=S], rtl_tcp://HOST:PORT, soapy:ARGS, file:PATH, -"
STDIN = "-"


def is_recorded(uri: str) -> bool:
    """Whether samples come with a rate and centre that cannot be chosen."""
    return uri == STDIN or uri.startswith("file:")


def open_source(
    uri: str,
    tuning: Tuning,
    *,
    sample_format: str = "auto",
    sample_rate_hz: float | None = None,
    center_hz: float | None = None,
) -> Source:
    """Open a radio.

    Args:
        uri: one of the forms above.
        tuning: how to set it.
        sample_format: of a recording: an entry of ``recording.FORMATS``.
        sample_rate_hz: of a recording, instead of what it tells of itself.
        center_hz: likewise.

    Raises:
        DeviceNotFound: it is not there, or cannot be opened.
        RecordingError: the file cannot be read, or a fact of it is missing.
        UsageError: no such kind of device.
    """
    if is_recorded(uri):
        recording = open_recording(
            uri.removeprefix("file:"),
            sample_rate_hz=sample_rate_hz,
            center_hz=center_hz,
            sample_format=sample_format,
            # not Python's own: its lock would be held by a reading thread when the program ends
            stdin=io.FileIO(0, closefd=False) if uri == STDIN else None,
        )
        try:
            return PacedSource(uri, recording)
        except BaseException:
            recording.close()
            raise
    if uri.startswith("rtl_tcp://"):
        return RtlTcpSource(uri, tuning)
    kind = uri.partition(":")[0]
    if kind == rtlsdr.SCHEME:
        return rtlsdr.RtlSdrSource(uri, tuning)
    if kind == soapy.SCHEME:
        return soapy.SoapySource(uri, tuning)
    raise UsageError(f"--device {uri}: no such device; there are {KINDS}")


def list_radios() -> tuple[list[RadioInfo], list[str]]:
    """Return the radios on this computer, and why some kinds could not be looked for."""
    found: list[RadioInfo] = []
    problems = []
    listers: list[Callable[[], list[RadioInfo]]] = [rtlsdr.list_rtlsdr, soapy.list_soapy]
    for lister in listers:
        try:
            found += lister()
        except (DeviceNotFound, RecordingError) as error:
            problems.append(str(error))
    return found, problems
