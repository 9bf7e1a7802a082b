"""Writing of numbers into fields of a fixed size, low byte first, as all layers do."""

from __future__ import annotations

from protocol.errors import InvalidField


def unsigned(layer: str, name: str, value: int, size: int = 1) -> bytes:
    """Return ``value`` in ``size`` bytes.

    Raises:
        InvalidField: it does not fit.
    """
    if not 0 <= value < 1 << 8 * size:
        raise InvalidField(layer, "value_out_of_range", f"{name} of {value} does not fit {size} bytes")
    return value.to_bytes(size, "little")
