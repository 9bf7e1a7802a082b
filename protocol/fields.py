"""Writing of numbers into fields of a fixed size, low byte first, as all layers do."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.errors import InvalidField


def unsigned(layer: str, name: str, value: int, size: int = 1) -> bytes:
    """Return ``value`` in ``size`` bytes.

    Raises:
        InvalidField: it does not fit.
    """
    if not 0 <= value < 1 << 8 * size:
        raise InvalidField(layer, "value_out_of_range", f"{name} of {value} does not fit {size} bytes")
    return value.to_bytes(size, "little")


def msb_first(data: bytes, sizes: Iterable[int]) -> bytes:
    """Return fields the other way round, most significant byte first; done twice, it changes nothing.

    Args:
        data: the fields; bytes behind them stay as they are.
        sizes: number of bytes of each field.
    """
    parts, at = [], 0
    for size in sizes:
        parts.append(data[at : at + size][::-1])
        at += size
    return b"".join((*parts, data[at:]))
