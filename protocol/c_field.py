"""C-field: what a frame is for, and which way it travels.

    bit 7    0 (1 was seen in frames relayed by old repeaters)
    bit 6    1 = sent by the initiating station, 0 = sent in reply
    bit 5    FCB, frame count bit          | ACD in replies: alarm data are waiting
    bit 4    FCV, frame count bit is valid | DFC in replies: the station is busy
    bits 3-0 function

Source: EN 13757-4 and EN 13757-2 link layers; OMS Vol. 2 (rows for FCB and FCV combinations).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Direction = Literal["M2O", "O2M"]
"""From the meter to the other station, or the other way."""

RELAYED: Final = 0x80
FCB: Final = 0x20
FCV: Final = 0x10
ACD: Final = 0x20
DFC: Final = 0x10

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class CFieldRow:
    """One function of the link layer.

    Attributes:
        function: name such as ``SND-NR``.
        direction: who sends it, or None when both stations do.
        codes: all C-fields of this function; encoders use the first one.
    """

    function: str
    direction: Direction | None
    codes: tuple[int, ...]


C_FIELDS: Final = (
    CFieldRow("SND-NR", "M2O", (0x44,)),
    CFieldRow("SND-IR", "M2O", (0x46,)),
    CFieldRow("ACC-NR", "M2O", (0x47,)),
    CFieldRow("ACC-DMD", "M2O", (0x48,)),
    CFieldRow("ACK", None, (0x00,)),
    # An acknowledgement of the other station has neither ACD nor DFC, so these come from meters.
    CFieldRow("ACK", "M2O", (0x10, 0x20, 0x30)),
    CFieldRow("NACK", "M2O", (0x01, 0x11, 0x21, 0x31)),
    CFieldRow("RSP-UD", "M2O", (0x08, 0x18, 0x28, 0x38)),
    CFieldRow("SND-NKE", "O2M", (0x40,)),
    CFieldRow("SND-UD", "O2M", (0x53, 0x73)),
    CFieldRow("SND-UD2", "O2M", (0x43, 0x63)),
    # 4A and 4B come without a valid FCB: accepted, never generated.
    CFieldRow("REQ-UD1", "O2M", (0x5A, 0x7A, 0x4A)),
    CFieldRow("REQ-UD2", "O2M", (0x5B, 0x7B, 0x4B)),
    CFieldRow("CNF-IR", "O2M", (0x06,)),
)

_UNKNOWN_ROW: Final = CFieldRow(UNKNOWN, None, ())
_ROW_OF_CODE: Final = {code: row for row in C_FIELDS for code in row.codes}
BY_CODE: Final = tuple(_ROW_OF_CODE.get(code & ~RELAYED, _UNKNOWN_ROW) for code in range(256))
"""The row of each of the 256 C-fields; bit 7 is ignored."""


def code_of(function: str, *, fcb: bool = False) -> int:
    """Return the C-field that sends ``function``.

    Args:
        function: a name of the table, such as ``REQ-UD2``.
        fcb: the frame count bit, where the function has one.

    Raises:
        KeyError: no such function, or it has no code with the frame count bit set.
    """
    for row in C_FIELDS:
        if row.function == function:
            code = row.codes[0] | (FCB if fcb else 0)
            if code in row.codes:
                return code
    raise KeyError(function)
