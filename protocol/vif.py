"""Value information block (VIB): the VIF and up to ten VIFEs that name quantity, unit and scale.

    VIF      b7 E: a VIFE follows   b6-0 code of the primary table
    FB, FD   the next byte is a code of an extension table; E of that byte goes on
    VIFE     b7 E                   b6-0 code that changes what stands before it
    7C, FC   the unit follows as text, length byte first, last character first

Text comes in two orders: behind all VIFEs (EN 13757-3:2018) or, from older devices, between VIF and
VIFEs. With FC the older order is taken when the next byte is followed by as many printable
characters. Source: EN 13757-3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from protocol.notes import Note
from protocol.scale import UNSCALED, Scale
from protocol.values import Notes
from protocol.vif_table import (
    MANUFACTURER_VIF,
    PLAIN_TEXT_VIF,
    RESERVED_TABLE_VIF,
    VIF_CODES,
    ValueKind,
    VifCode,
    VifTable,
)
from protocol.vife_table import FROM_DEVICE, TABLE_FC, TO_DEVICE, Effect, VifeCode

MAX_VIFE: Final = 10
"""Most VIFEs that a record may have; the second byte of an extension table is one."""

_OTHER_VIFES: Final = (MANUFACTURER_VIF, RESERVED_TABLE_VIF)
"""Primary codes whose following bytes are not VIFEs of the common table."""

_FOREIGN: Final = VifeCode(-1, Effect.MANUFACTURER, None, None, 0, Note.MANUFACTURER_SPECIFIC)
"""Stands for every code of another table."""

PLAIN_TEXT_UNIT: Final = "plain_text_unit"
"""Qualifier of a reading whose unit is the device's own text."""


@dataclass(frozen=True, slots=True)
class Vib:
    """A decoded value information block.

    Attributes:
        raw: its bytes.
        base: code of the VIF table that it starts from.
        quantity: what is measured.
        unit: unit of the scaled value, None for a pure number or a date.
        kind: data types that the data may take.
        scale: from data to value.
        qualifiers: words of the VIFEs, in order.
        notes: what is unusual about it.
        is_void: a VIFE says that the data are not valid.
        has_vife: a VIFE follows the code, so that ``base`` is not the whole meaning.
        too_many_vife: more than ten; their meaning is not applied.
    """

    raw: bytes
    base: VifCode
    quantity: str
    unit: str | None
    kind: ValueKind
    scale: Scale = UNSCALED
    qualifiers: tuple[str, ...] = ()
    notes: Notes = ()
    is_void: bool = False
    has_vife: bool = False
    too_many_vife: bool = False


@dataclass(slots=True)
class _Meaning:
    """What the VIFEs have made of a VIF so far."""

    unit: str | None
    kind: ValueKind
    scale: Scale
    qualifiers: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    is_void: bool = False

    def apply(self, vife: VifeCode) -> None:
        """Let one VIFE change the meaning."""
        if vife.word is not None:
            self.qualifiers.append(vife.word)
        if vife.note is not None:
            self.notes.append(vife.note)
        match vife.effect:
            case Effect.UNIT:
                self.unit = f"{self.unit or '1'}{vife.unit}"
            case Effect.DATE:
                self.unit, self.kind, self.scale = None, ValueKind.ANY_DATE, UNSCALED
            case Effect.DURATION:
                self.unit, self.kind, self.scale = vife.unit, ValueKind.NUMBER, UNSCALED
            case Effect.COUNT:
                self.unit, self.kind, self.scale = None, ValueKind.UNSIGNED, UNSCALED
            case Effect.FACTOR:
                self.scale = self.scale.times(vife.exponent)
            case Effect.CONSTANT:
                self.scale = self.scale.plus(vife.exponent)
            case Effect.PROFILE:
                self.kind = ValueKind.PROFILE
            case Effect.TYPE_C:
                self.kind = ValueKind.UNSIGNED
            case Effect.TYPE_D:
                self.kind = ValueKind.FLAGS
            case Effect.OPAQUE | Effect.MANUFACTURER:
                self.unit, self.kind = None, ValueKind.OPAQUE
            case Effect.RECORD_ERROR:
                self.is_void = True
            case Effect.QUALIFY | Effect.RESERVED | Effect.TABLE_FC:
                pass


def vib_end(data: bytes, start: int) -> int:
    """Return the offset behind the VIB that starts at ``start``.

    Raises:
        IndexError: the data end before the VIB does.
    """
    end = start + 1
    if data[start] & 0x7F != PLAIN_TEXT_VIF:
        while data[end - 1] & 0x80:
            end += 1
        return end
    if _text_follows_vif(data, start):
        end += 1 + data[end]
        while data[end] & 0x80:
            end += 1
        return end + 1
    while data[end - 1] & 0x80:
        end += 1
    end += 1 + data[end]
    if end > len(data):
        raise IndexError
    return end


def parse_vib(vib: bytes, *, to_device: bool = False) -> Vib:
    """Decode a whole VIB, cut to length by ``vib_end``.

    Args:
        vib: VIF, VIFEs and text.
        to_device: VIFEs 00-0F are object actions, not record errors.
    """
    parts = [part for _, part in vib_codes(vib, to_device=to_device)]
    base = next(part for part in parts if isinstance(part, VifCode))
    meaning = _Meaning(
        base.unit, base.kind, Scale(base.exponent, base.binary_exponent), notes=list(base.notes)
    )
    for text in parts:
        if isinstance(text, str):
            meaning.unit = text
            meaning.qualifiers.append(PLAIN_TEXT_UNIT)
    vifes = [part for part in parts if isinstance(part, VifeCode)]
    too_many_vife = len(base.table.value) + len(vifes) > MAX_VIFE
    if not too_many_vife and not _has_other_vifes(base):
        for vife in vifes:
            meaning.apply(vife)
            if vife.effect is Effect.MANUFACTURER:
                break
    return Vib(
        raw=vib,
        base=base,
        quantity=base.quantity,
        unit=meaning.unit,
        kind=meaning.kind,
        scale=meaning.scale,
        qualifiers=tuple(meaning.qualifiers),
        notes=tuple(meaning.notes),
        is_void=meaning.is_void,
        has_vife=bool(vifes),
        too_many_vife=too_many_vife,
    )


def vib_codes(vib: bytes, *, to_device: bool = False) -> list[tuple[bytes, VifCode | VifeCode | str]]:
    """Return the parts of a whole VIB in the order sent: VIF, VIFEs, and the text of a unit.

    Args:
        vib: VIF, VIFEs and text.
        to_device: VIFEs 00-0F are object actions.
    """
    base, vif_bytes = _base(vib)
    parts: list[tuple[bytes, VifCode | VifeCode | str]] = [(vib[:vif_bytes], base)]
    table = TO_DEVICE if to_device else FROM_DEVICE
    if vib[0] & 0x7F != PLAIN_TEXT_VIF:
        return parts + _vifes(vib[vif_bytes:], table, foreign=_has_other_vifes(base))
    start = 1
    if _text_follows_vif(vib, 0):
        end = start + 1 + vib[start]
        return [*parts, _text(vib[start:end]), *_vifes(vib[end:], table)]
    while vib[start - 1] & 0x80:
        start += 1
    return [*parts, *_vifes(vib[1:start], table), _text(vib[start:])]


def _base(vib: bytes) -> tuple[VifCode, int]:
    """Return the code of a VIF table, and how many bytes select it."""
    for table in (VifTable.FD_FD, VifTable.FD, VifTable.FB):
        prefix = table.value
        if vib.startswith(prefix) and len(vib) > len(prefix):
            return VIF_CODES[table][vib[len(prefix)] & 0x7F], len(prefix) + 1
    return VIF_CODES[VifTable.PRIMARY][vib[0] & 0x7F], 1


def _has_other_vifes(base: VifCode) -> bool:
    return base.table is VifTable.PRIMARY and base.code in _OTHER_VIFES


def _vifes(
    vifes: bytes, table: dict[int, VifeCode], *, foreign: bool = False
) -> list[tuple[bytes, VifeCode]]:
    """Return the meaning of each VIFE; one behind FC is from the extension table.

    Args:
        vifes: the codes.
        table: the common table.
        foreign: they are not from this table, as are all behind a manufacturer's VIFE.
    """
    found = []
    behind_fc = False
    for byte in vifes:
        code = byte & 0x7F
        vife = _FOREIGN if foreign else (TABLE_FC if behind_fc else table)[code]
        foreign = foreign or vife.effect is Effect.MANUFACTURER
        behind_fc = not behind_fc and vife.effect is Effect.TABLE_FC
        found.append((bytes((byte,)), vife))
    return found


def _text(text: bytes) -> tuple[bytes, str]:
    """Return a unit, length byte first, in reading order."""
    return text, text[:0:-1].decode("latin-1")


def _text_follows_vif(data: bytes, start: int) -> bool:
    """Whether the text of a plain-text VIF stands before its VIFEs (the older order)."""
    if not data[start] & 0x80 or start + 1 >= len(data):
        return False
    length = data[start + 1]
    text = data[start + 2 : start + 2 + length]
    return 0 < length == len(text) and text.decode("latin-1").isprintable()
