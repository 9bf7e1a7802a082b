"""Bytes to chips and back: NRZ, Manchester and 3-of-6.

    NRZ         8 chips a byte   as it is, most significant bit first
    Manchester 16 chips a byte   0 → 10, 1 → 01
    3-of-6     12 chips a byte   high nibble first; a nibble is a word of six chips, three of them 1

Decoding takes soft chips (sign: the chip, size: its certainty) and finds the code
word that fits them best, which is 2.5 dB better than cutting chips to 0 and 1 first.

Source: EN 13757-4.
"""

from __future__ import annotations

import numpy as np

from dsp.arrays import ChipArray, FloatArray
from dsp.modes import CODED_BITS_PER_BYTE, LineCode

THREE_OF_SIX_WORDS: tuple[int, ...] = (22, 13, 14, 11, 28, 25, 26, 19, 44, 37, 38, 35, 52, 49, 50, 41)

_WORD_CHIPS = ((np.array(THREE_OF_SIX_WORDS)[:, None] >> np.arange(5, -1, -1)) & 1).astype(np.uint8)
_WORD_SIGNS = (2.0 * _WORD_CHIPS - 1.0).astype(np.float32)


def coded_bits_per_byte(code: LineCode) -> int:
    """Line-coded bits that one byte takes."""
    return CODED_BITS_PER_BYTE[code]


def code_words(code: LineCode) -> ChipArray:
    """Chips of every code word, uint8 [words, chips a word]; index is the value it stands for."""
    if code is LineCode.THREE_OF_SIX:
        return _WORD_CHIPS
    if code is LineCode.MANCHESTER:
        return np.array([[1, 0], [0, 1]], dtype=np.uint8)
    return np.array([[0], [1]], dtype=np.uint8)


def encode(data: bytes, code: LineCode) -> ChipArray:
    """Line-code bytes.

    Args:
        data: bytes to send, first byte first.
        code: which line code.

    Returns:
        Chips uint8 [len(data) · coded_bits_per_byte(code)].
    """
    raw = np.frombuffer(data, dtype=np.uint8)
    if code is LineCode.THREE_OF_SIX:
        nibbles = np.stack([raw >> 4, raw & 15], axis=1).ravel()
        return _WORD_CHIPS[nibbles].ravel()
    bits = np.unpackbits(raw)
    if code is LineCode.MANCHESTER:
        return np.stack([1 - bits, bits], axis=1).ravel()
    return bits


def decode(soft: FloatArray, code: LineCode) -> bytes:
    """Find the most likely bytes behind soft chips.

    Args:
        soft: soft chips float32 [n]; chips beyond the last whole byte are ignored.
        code: which line code.

    Returns:
        n // coded_bits_per_byte(code) bytes.
    """
    step = coded_bits_per_byte(code)
    whole = soft[: soft.size - soft.size % step]
    if code is LineCode.THREE_OF_SIX:
        nibbles = np.argmax(whole.reshape(-1, 6) @ _WORD_SIGNS.T, axis=1).astype(np.uint8)
        return bytes(nibbles[0::2] << 4 | nibbles[1::2])
    if code is LineCode.MANCHESTER:
        whole = whole[1::2] - whole[0::2]
    return bytes(np.packbits(whole > 0))


def likeness(soft: FloatArray, code: LineCode) -> float:
    """Tell how much soft chips look like code words: the share of their size that speaks for the best ones.

    Where half of all frames are read it is 0.94 to 1; of noise it is 0.7 (Manchester) and 0.85 (3-of-6).

    Args:
        soft: soft chips float32 [n], whole bytes.
        code: which line code; all chips are words of NRZ.
    """
    size = float(np.sum(np.abs(soft))) + 1e-30
    if code is LineCode.THREE_OF_SIX:
        return float(np.sum(np.max(soft.reshape(-1, 6) @ _WORD_SIGNS.T, axis=1))) / size
    if code is LineCode.MANCHESTER:
        return float(np.sum(np.abs(soft[1::2] - soft[0::2]))) / size
    return 1.0


def violations(soft: FloatArray, code: LineCode) -> int:
    """Count code words that hard chips would break: the line code's own sign of damage.

    Args:
        soft: soft chips float32 [n], whole bytes.
        code: which line code; NRZ has no violations.
    """
    chips = (soft > 0).astype(np.uint8)
    if code is LineCode.THREE_OF_SIX:
        words = chips[: chips.size - chips.size % 6].reshape(-1, 6) @ (1 << np.arange(5, -1, -1))
        return int(np.count_nonzero(~np.isin(words, THREE_OF_SIX_WORDS)))
    if code is LineCode.MANCHESTER:
        pairs = chips[: chips.size - chips.size % 2]
        return int(np.count_nonzero(pairs[0::2] == pairs[1::2]))
    return 0
