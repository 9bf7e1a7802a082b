"""The record that says which meter a telegram without a long header is about.

    07 79    ID (4) | M-field (2) | version (1) | device type (1)

Some radio modules send it under CI 78: number and version are those of the link layer, but the
device type is the meter's own. Source: field telegrams of one maker; the order is that of the long
transport header.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from protocol.address import ADDRESS_BYTES, Address, from_transport
from protocol.dif import Function
from protocol.records import DataRecord
from protocol.vif_table import ValueKind

_PLACE: Final = (Function.INSTANTANEOUS.value, 0, 0, 0)


def meter_address(records: Iterable[DataRecord]) -> Address | None:
    """Return the address that a record of a message gives for the meter, or None."""
    for record in records:
        header = record.header
        if (
            header.vib.kind is ValueKind.IDENTIFICATION
            and header.place == _PLACE
            and header.length_bytes == len(record.raw) == ADDRESS_BYTES
            and not header.vib.has_vife
        ):
            return from_transport(record.raw)
    return None
