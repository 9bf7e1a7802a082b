"""The CRC-16 of EN 13757, used by every layer of the family.

    polynomial   3D65h: x^16 + x^13 + x^12 + x^11 + x^10 + x^8 + x^6 + x^5 + x^2 + 1
    initial      0000h, no reflection
    final        inverted
    check        "123456789" gives C2B7h

Link-layer blocks carry it high byte first; the ELL payload CRC and the signatures of
compact frames carry it low byte first.

Source: EN 13757-4; check value recomputed from OMS Vol. 2 Annex N frames.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

POLYNOMIAL: Final = 0x3D65
_CRC_BITS: Final = 16


def _divided(byte: int) -> int:
    """Remainder of one byte followed by sixteen zero bits."""
    remainder = byte << 8
    for _ in range(8):
        remainder = (remainder << 1) ^ (POLYNOMIAL if remainder & 0x8000 else 0)
    return remainder & 0xFFFF


_OF_BYTE: Final = tuple(_divided(byte) for byte in range(256))

# A pair of bytes XORed into the register is divided at once: its remainder is the sum of those of its
# two bytes. Two small tables stay in the processor's cache between telegrams; one of all pairs does not.
_OF_BYTE_BEFORE_ANOTHER: Final = tuple(
    ((remainder << 8) & 0xFFFF) ^ _OF_BYTE[remainder >> 8] for remainder in _OF_BYTE
)

_PAIRS: Final = tuple(struct.Struct(f">{pairs}H") for pairs in range(160))


def crc16(data: bytes) -> int:
    """Return the EN 13757 CRC of ``data``.

    Args:
        data: the covered bytes, of any number.

    Returns:
        The 16-bit CRC, already inverted.
    """
    pairs, odd = divmod(len(data), 2)
    layout = _PAIRS[pairs] if pairs < len(_PAIRS) else struct.Struct(f">{pairs}H")
    remainder = 0
    for pair in layout.unpack_from(data):
        remainder ^= pair
        remainder = _OF_BYTE_BEFORE_ANOTHER[remainder >> 8] ^ _OF_BYTE[remainder & 0xFF]
    if odd:
        remainder = ((remainder << 8) & 0xFFFF) ^ _OF_BYTE[(remainder >> 8) ^ data[-1]]
    return remainder ^ 0xFFFF


@lru_cache(maxsize=512)
def bit_remainders(length_bits: int) -> tuple[int, ...]:
    """Return how each wrong bit of a code word changes its remainder, first bit first.

    x^151 = 1 modulo the polynomial: bits that far apart, or a multiple of it, change it alike, and
    two of them wrong together stay unseen.
    """
    remainders = []
    power = 1
    for _ in range(length_bits):
        remainders.append(power)
        power = (power << 1) ^ (POLYNOMIAL | 1 << _CRC_BITS if power >> _CRC_BITS - 1 else 0)
    return tuple(reversed(remainders))


def crc_bytes(data: bytes) -> bytes:
    """Return the CRC of ``data`` as a link-layer block carries it, high byte first."""
    return crc16(data).to_bytes(2, "big")


@lru_cache(maxsize=512)
def _parity_masks(length_bits: int) -> tuple[int, ...]:
    """Return, for each bit of the remainder, the bits of a code word that it is the parity of."""
    masks = [0] * _CRC_BITS
    power = 1
    for place in range(length_bits):
        for bit in range(_CRC_BITS):
            if power >> bit & 1:
                masks[bit] |= 1 << place
        power = (power << 1) ^ (POLYNOMIAL | 1 << _CRC_BITS if power >> _CRC_BITS - 1 else 0)
    return tuple(masks)


def crc_fits(code_word: bytes) -> bool:
    """Tell whether the last two bytes are the CRC of all before them, high byte first.

    Quicker than `crc16` for bytes that are no code word: each of the 16 parities refuses half of them.
    """
    number = int.from_bytes(code_word, "big")
    # The CRC is inverted, so all bits of the remainder are 1.
    for mask in _parity_masks(8 * len(code_word)):  # noqa: SIM110  # a generator costs more than the loop
        if not (number & mask).bit_count() & 1:
            return False
    return True
