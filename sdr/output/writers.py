"""Outputs: ``--output FORMAT[:TARGET]``, each line written out at once or when the input pauses.

jsonl       a JSON line per telegram, with --rejects per rejected burst too
table       a row per telegram for people
hex         frame_hex per telegram
rtl_wmbus   the line that wmbusmeters takes; other modes and downlink have no place there
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from sdr.errors import UsageError
from sdr.output.json_line import to_json
from sdr.output.text_line import hex_line, rtl_wmbus_line, table_header, table_row
from sdr.reception import ByteReception, Reception

FORMATS = ("jsonl", "table", "hex", "rtl_wmbus")


class Output:
    """Writes receptions in one format to one target.

    Args:
        kind: one of ``FORMATS``.
        stream: where lines go.
        rejects: write rejections too, where the format has a place for them.
        is_live: write each line out at once; otherwise ``flush`` writes all that wait in one piece.

    Attributes:
        left_out: telegrams that the format cannot hold.
    """

    def __init__(self, kind: str, stream: TextIO, *, rejects: bool, is_live: bool = True) -> None:
        self.kind = kind
        self.left_out = 0
        self._stream = stream
        self._rejects = rejects
        self._is_live = is_live
        self._begun = False
        self._waiting: list[str] = []

    def write(self, reception: Reception | ByteReception, sample_rate_hz: float = 1.0) -> None:
        """Write one reception, or leave it out."""
        if reception.rejection is not None and not (self._rejects and self.kind in ("jsonl", "table")):
            return
        if self.kind == "table" and not self._begun:
            self._line(table_header(reception))
        self._begun = True
        line = self._format(reception, sample_rate_hz)
        if line is None:
            self.left_out += 1
        else:
            self._line(line)

    def close(self) -> None:
        """Write out what is still waiting and close a target file; standard output stays open."""
        self.flush()
        if self._stream is not sys.stdout:
            self._stream.close()

    @property
    def is_stdout(self) -> bool:
        """Whether lines go to standard output."""
        return self._stream is sys.stdout

    def flush(self) -> None:
        """Write out what is still waiting."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._stream.write("\n".join([*waiting, ""]))
        self._stream.flush()

    def _format(self, reception: Reception | ByteReception, sample_rate_hz: float) -> str | None:
        if self.kind == "jsonl":
            return to_json(reception)
        if self.kind == "table":
            return table_row(reception, sample_rate_hz)
        if self.kind == "hex":
            return hex_line(reception)
        return rtl_wmbus_line(reception, sample_rate_hz)

    def _line(self, text: str) -> None:
        self._waiting.append(text)
        if self._is_live:
            self.flush()


def parse_target(text: str) -> tuple[str, str | None]:
    """Split ``FORMAT[:TARGET]``.

    Raises:
        UsageError: unknown format.
    """
    kind, _, target = text.partition(":")
    if kind not in FORMATS:
        raise UsageError(f"--output {text}: unknown format; there are {', '.join(FORMATS)}")
    return kind, target or None


def open_output(text: str | None, *, rejects: bool, is_live: bool = True) -> Output:
    """Open what ``--output`` names; None chooses table on a terminal, else jsonl.

    Args:
        text: value of the option.
        rejects: write rejections too.
        is_live: write each line out at once.

    Raises:
        UsageError: unknown format, or the target cannot be written.
    """
    if text is None:
        kind = "table" if sys.stdout.isatty() else "jsonl"
        return Output(kind, sys.stdout, rejects=rejects, is_live=is_live)
    kind, target = parse_target(text)
    if target is None or target == "-":
        return Output(kind, sys.stdout, rejects=rejects, is_live=is_live)
    try:
        stream = Path(target).open("w", encoding="utf-8")  # noqa: SIM115  # closed by the output
    except OSError as error:
        raise UsageError(f"--output {text}: {error.strerror}") from None
    return Output(kind, stream, rejects=rejects, is_live=is_live)
