"""``--record-bursts``: each burst as a small SigMF file that says what was decoded, or why not.

    FOLDER/20261120T101755.365741Z_T_crc_mismatch.sigmf-data, .sigmf-meta

The samples behind the decoder are kept for as long as a burst may take to be decided.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from dsp.arrays import RawArray
from sdr.errors import RecordingError
from sdr.live.radio import LiveRadio
from sdr.output.json_line import to_dict
from sdr.radio import Piece
from sdr.reception import Reception
from sdr.recording import create_recording

KINDS = ("all", "undecoded")
_PAD_S = 0.005
_EXTRA_S = 1.0


class BurstFiles:
    """Writes the bursts of one radio; give it to ``LiveRadio.tape`` and every reception to ``write``.

    Args:
        folder: where to; made if it is not there.
        kind: one of ``KINDS``.
        say: takes sentences for people.

    Attributes:
        n_written: files so far.
    """

    def __init__(self, folder: Path, kind: str, say: Callable[[str], None]) -> None:
        self.n_written = 0
        self._folder = folder
        self._kind = kind
        self._say = say
        self._pieces: deque[Piece] = deque()
        self._is_failing = False

    def __call__(self, radio: LiveRadio, piece: Piece) -> None:
        """Keep a piece for a while."""
        assert radio.source is not None
        if self._pieces and self._pieces[-1].end != piece.first_sample:
            self._pieces.clear()
        self._pieces.append(piece)
        longest_s = max((channel.longest_burst_s for channel in radio.plan.channels), default=0.0)
        oldest = piece.end - (3.0 * longest_s + _EXTRA_S) * radio.source.sample_rate_hz
        while self._pieces[0].end < oldest:
            self._pieces.popleft()

    def write(self, radio: LiveRadio, reception: Reception) -> None:
        """Write the samples of a burst, if it is wanted and they are still there."""
        if self._kind == "undecoded" and reception.rejection is None:
            return
        source = radio.source
        assert source is not None
        rate_hz = source.sample_rate_hz
        n_samples = round(reception.burst.duration_s * rate_hz)
        pad = round(_PAD_S * rate_hz)
        cut = self._cut(reception.first_sample - pad, reception.first_sample + n_samples + pad)
        if cut is None:
            return
        first_sample, raw = cut
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with create_recording(
                self._folder / _name(reception),
                sample_rate_hz=rate_hz,
                center_hz=source.center_hz,
                sample_format=source.sample_format,
                start_time=radio.utc(first_sample),
                description=f"a burst that omsdr receive heard with {radio.uri}",
            ) as writer:
                writer.write_raw(raw)
                writer.annotate(reception.first_sample - first_sample, n_samples, _facts(reception))
        except (RecordingError, OSError) as error:
            if not self._is_failing:
                self._say(f"{error}; reception goes on, bursts are not recorded meanwhile")
            self._is_failing = True
            return
        self._is_failing = False
        self.n_written += 1

    def _cut(self, start: int, stop: int) -> tuple[int, RawArray] | None:
        """Return the samples asked for, as far as they are here, and the number of the first."""
        pieces = [piece for piece in self._pieces if piece.end > start and piece.first_sample < stop]
        if not pieces:
            return None
        first = pieces[0].first_sample
        raw = np.concatenate([piece.raw for piece in pieces])
        start = max(start, first)
        return start, raw[2 * (start - first) : 2 * max(0, stop - first)]


def _name(reception: Reception) -> str:
    time = reception.received_at
    stamp = str(reception.first_sample)
    if time is not None:
        stamp = time.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    telegram = reception.telegram
    if reception.rejection is not None:
        what = reception.rejection.reason
    else:
        sender = telegram.sender if telegram is not None else None
        what = "frame" if sender is None else f"{sender.manufacturer}_{sender.id}"
    return f"{stamp}_{reception.mode}_{what}.sigmf-meta"


def _facts(reception: Reception) -> dict[str, Any]:
    """Say what the JSON line says, readings and plain text left out: a recording is passed on."""
    line = to_dict(reception)
    facts: dict[str, Any] = {
        "core:label": f"{line['mode']} {line['rejected']['reason'] if 'rejected' in line else 'frame'}",
        "core:generator": "omsdr receive",
        "omsdr:mode": line["mode"],
        "omsdr:raw_hex": line["raw_hex"],
        "omsdr:radio": line["radio"],
    }
    if "rejected" in line:
        return facts | {"omsdr:rejected": line["rejected"]}
    return facts | {
        f"omsdr:{key}": line[key]
        for key in ("direction", "frame_format", "frame_hex", "repaired", "link", "security")
    }
