"""Records of old wired meters that send the most significant byte first ("mode 2", CI 76).

Only the data of the records are the other way round, behind an LVAR its content; DIF, VIF and what
follows them keep their order. Header and fixed data of such meters: transport.py and fixed_data.py.
Source: EN 1434-3, M-Bus documentation 4.8.
"""

from __future__ import annotations

from protocol.records import parse_records


def swap_records(apl: bytes) -> bytes:
    """Turn the data of every whole record round; done twice, it changes nothing."""
    swapped = bytearray(apl)
    for record in parse_records(apl).records:
        if record.problem is not None:
            continue
        start = record.offset + len(record.header.dib_vib)
        end = start + len(record.raw)
        if record.header.length_bytes is None:
            start += 1
        swapped[start:end] = apl[start:end][::-1]
    return bytes(swapped)
