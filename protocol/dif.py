"""Data information block (DIB): the DIF and up to ten DIFEs that open every record.

    DIF    b7 E   b6 storage bit 0   b5-4 function   b3-0 data field
    DIFE k b7 E   b6 subunit bit k   b5-4 tariff bits 2k+1..2k   b3-0 storage bits 4k+4..4k+1

E says that a DIFE follows. A last DIFE of 00 behind others that are not zero adds nothing to the
numbers; it marks the storage number as a register number (OBIS value group F other than 255).
Source: EN 13757-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from protocol.errors import InvalidField

MAX_DIFE = 10
"""Most DIFEs that a record may have."""

MAX_STORAGE = (1 << (1 + 4 * MAX_DIFE)) - 1
MAX_TARIFF = (1 << (2 * MAX_DIFE)) - 1
MAX_SUBUNIT = (1 << MAX_DIFE) - 1

IDLE_FILLER = 0x2F
MANUFACTURER_DATA = 0x0F
MANUFACTURER_DATA_MORE_FOLLOWS = 0x1F
GLOBAL_READOUT_REQUEST = 0x7F
SPECIAL = 0x0F
"""Data field of the special DIFs: no VIB follows, the whole DIF is the function."""


class Function(StrEnum):
    """What kind of value a record holds, in the order of DIF bits 5-4."""

    INSTANTANEOUS = "instantaneous"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ERROR = "error"


FUNCTIONS = tuple(Function)


class Coding(Enum):
    """How the data of a record are coded, from the DIF's data field."""

    NONE = "none"
    INTEGER = "integer"
    REAL = "real"
    SELECTION = "selection"
    BCD = "bcd"
    VARIABLE = "variable"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class DataField:
    """One row of the data field table; ``length_bytes`` is None where the data tell it (LVAR)."""

    code: int
    coding: Coding
    length_bytes: int | None


DATA_FIELDS = (
    DataField(0x0, Coding.NONE, 0),
    DataField(0x1, Coding.INTEGER, 1),
    DataField(0x2, Coding.INTEGER, 2),
    DataField(0x3, Coding.INTEGER, 3),
    DataField(0x4, Coding.INTEGER, 4),
    DataField(0x5, Coding.REAL, 4),
    DataField(0x6, Coding.INTEGER, 6),
    DataField(0x7, Coding.INTEGER, 8),
    DataField(0x8, Coding.SELECTION, 0),
    DataField(0x9, Coding.BCD, 1),
    DataField(0xA, Coding.BCD, 2),
    DataField(0xB, Coding.BCD, 3),
    DataField(0xC, Coding.BCD, 4),
    DataField(0xD, Coding.VARIABLE, None),
    DataField(0xE, Coding.BCD, 6),
    DataField(0xF, Coding.SPECIAL, None),
)


Place = tuple[str, int, int, int]
"""Function, storage, tariff and subunit."""


@dataclass(frozen=True, slots=True)
class Dib:
    """A decoded data information block."""

    data_field: DataField
    function: Function = Function.INSTANTANEOUS
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    register_number: bool = False
    too_many_dife: bool = False

    @property
    def place(self) -> Place:
        """What tells this record from others of the same quantity."""
        return self.function.value, self.storage, self.tariff, self.subunit


def parse_dib(dib: bytes) -> Dib:
    """Decode a whole DIB: one DIF and its DIFEs, cut to length by their extension bits.

    DIFEs beyond the tenth are not valid; they are ignored and flagged.
    """
    storage = dib[0] >> 6 & 1
    tariff = subunit = 0
    dife = dib[1 : 1 + MAX_DIFE]
    for k, byte in enumerate(dife):
        storage |= (byte & 0x0F) << (1 + 4 * k)
        tariff |= (byte >> 4 & 0x03) << (2 * k)
        subunit |= (byte >> 6 & 0x01) << k
    return Dib(
        data_field=DATA_FIELDS[dib[0] & 0x0F],
        function=FUNCTIONS[dib[0] >> 4 & 0x03],
        storage=storage,
        tariff=tariff,
        subunit=subunit,
        register_number=dib[-1] == 0x00 and any(byte & 0x7F for byte in dife),
        too_many_dife=len(dib) > 1 + MAX_DIFE,
    )


def encode_dib(dib: Dib) -> bytes:
    """Encode a DIB with as few DIFEs as its numbers need.

    Raises:
        InvalidField: a number does not fit ten DIFEs.
    """
    for name, number, largest in (
        ("storage", dib.storage, MAX_STORAGE),
        ("tariff", dib.tariff, MAX_TARIFF),
        ("subunit", dib.subunit, MAX_SUBUNIT),
    ):
        if not 0 <= number <= largest:
            raise InvalidField("application", "header_invalid", f"{name} {number} is not 0 to {largest}")
    block = [dib.data_field.code | FUNCTIONS.index(dib.function) << 4 | (dib.storage & 1) << 6]
    storage, tariff, subunit = dib.storage >> 1, dib.tariff, dib.subunit
    while storage or tariff or subunit:
        block.append((storage & 0x0F) | (tariff & 0x03) << 4 | (subunit & 0x01) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    if dib.register_number:
        if not 1 < len(block) <= MAX_DIFE:
            raise InvalidField(
                "application", "header_invalid", "a register number needs one to nine other DIFEs"
            )
        block.append(0x00)
    return bytes(byte | 0x80 for byte in block[:-1]) + bytes(block[-1:])
