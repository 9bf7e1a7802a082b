"""Ciphers of the OMS security modes, made economical for many telegrams per key.

    AES-128 ECB          one context per key, kept: it has no state between whole blocks
    AES-128 CBC, CTR     that context and one XOR of the whole text as a number
    AES-128 CMAC         full tag of 16 bytes, truncated by the caller
    AES-128 CCM          8-byte tag
    DES CBC              security mode 2, deprecated

Source: NIST SP 800-38A, -38B and -38C; OMS Vol. 2 chapter on key derivation.
"""

from __future__ import annotations

import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES128 as AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:  # cryptography before 43 has it among the current ciphers
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

BLOCK_BYTES: Final = 16
AES_KEY_BYTES: Final = 16
DES_KEY_BYTES: Final = 8
CCM_TAG_BYTES: Final = 8
_KEY_SIZES: Final = (AES_KEY_BYTES, DES_KEY_BYTES)

_DERIVATION_BLOCK: Final = struct.Struct("<BI4s")
_PADDING_BITS: Final = 8 * (BLOCK_BYTES - _DERIVATION_BLOCK.size)
_DERIVATION_PADDING: Final = int.from_bytes(bytes((7,)) * 7, "big")
_NEXT_CONSTANT: Final = 1 << 8 * (BLOCK_BYTES - 1)
"""What the constant of the second key of a pair changes in the block of the first."""
_ECB: Final = ECB()
_CBC_FROM_ZERO: Final = CBC(bytes(BLOCK_BYTES))


def _xor(left: bytes, right: bytes) -> bytes:
    """XOR two texts of the same length."""
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


class SecretKey:
    """A symmetric key that never shows itself: neither ``repr`` nor ``str`` hold any of it.

    Args:
        material: 16 bytes for AES-128, 8 bytes for DES.

    Attributes:
        is_aes: whether the key is one for AES-128; otherwise it is one for DES.

    Raises:
        ValueError: a key of another size.
    """

    # Made when they are needed first: most keys of a keyring never are, and one for a single message
    # needs one of them.
    _encryptor: CipherContext | None = None
    _decryptor: CipherContext | None = None
    _derivation_base: int | None = None
    _check_value: str | None = None

    def __init__(self, material: bytes) -> None:
        if len(material) not in _KEY_SIZES:
            raise ValueError(f"a key has 16 bytes (8 for DES), not {len(material)}")
        self._material = material
        self.is_aes = len(material) == AES_KEY_BYTES

    def __repr__(self) -> str:
        return f"<secret key of {len(self._material)} bytes>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretKey) and self._material == other._material

    def __hash__(self) -> int:
        return hash(self._material)

    def __reduce__(self) -> tuple[type[SecretKey], tuple[bytes]]:
        """Travel to worker processes without the cipher contexts."""
        return SecretKey, (self._material,)

    def _encrypt_blocks(self, blocks: bytes) -> bytes:
        if self._encryptor is None:
            self._encryptor = Cipher(AES(self._material), _ECB).encryptor()
        return self._encryptor.update(blocks)

    def _cmac_subkey(self) -> int:
        """Return what CMAC adds to a last block that is whole."""
        doubled = int.from_bytes(self._encrypt_blocks(bytes(BLOCK_BYTES)), "big") << 1
        return doubled ^ (0x87 | 1 << 128) if doubled >> 128 else doubled

    @property
    def check_value(self) -> str:
        """Three bytes that tell keys apart and reveal nothing of them: an encrypted block of zeros.

        Source: the key check value of NIST SP 800-57 and ANSI X9.24 practice.
        """
        if self._check_value is None:
            self._check_value = self._encrypt_blocks(bytes(BLOCK_BYTES))[:3].hex()
        return self._check_value

    def cbc_decrypt(self, ciphertext: bytes, iv: bytes) -> bytes:
        """Decrypt whole blocks with AES-CBC."""
        if self._decryptor is None:
            self._decryptor = Cipher(AES(self._material), _ECB).decryptor()
        return _xor(self._decryptor.update(ciphertext), (iv + ciphertext)[:-BLOCK_BYTES])

    def cbc_decrypt_once(self, ciphertext: bytes) -> bytes:
        """Decrypt whole blocks with AES-CBC and an IV of zeros, with a key that is not needed again."""
        return Cipher(AES(self._material), _CBC_FROM_ZERO).decryptor().update(ciphertext)

    def cbc_encrypt(self, plaintext: bytes, iv: bytes) -> bytes:
        """Encrypt whole blocks with AES-CBC."""
        return Cipher(AES(self._material), CBC(iv)).encryptor().update(plaintext)

    def ctr(self, text: bytes, counter_block: bytes) -> bytes:
        """Encrypt or decrypt with AES-CTR; the block counts up as one big-endian number."""
        blocks = -(-len(text) // BLOCK_BYTES)
        first = int.from_bytes(counter_block, "big")
        counters = b"".join(
            (first + index & (1 << 128) - 1).to_bytes(BLOCK_BYTES, "big") for index in range(blocks)
        )
        return _xor(text, self._encrypt_blocks(counters)[: len(text)])

    def cmac(self, message: bytes) -> bytes:
        """Return the full AES-CMAC tag of 16 bytes."""
        context = CMAC(AES(self._material))
        context.update(message)
        return context.finalize()

    def derive_pair(self, constant: int, counter: int, number: bytes) -> tuple[SecretKey, SecretKey]:
        """Derive two ephemeral keys with KDF-A: those of a derivation constant and of the next one.

        Args:
            constant: derivation constant of the first, see `cipher_inputs`; even.
            counter: message counter.
            number: identification number of the device as transmitted, 4 bytes.

        Source: OMS Vol. 2, key derivation function A; CMAC over exactly one block.
        """
        base = self._derivation_base
        if base is None:
            base = self._derivation_base = self._cmac_subkey() ^ _DERIVATION_PADDING
        changing = _DERIVATION_BLOCK.pack(constant, counter, number)
        first = base ^ int.from_bytes(changing, "big") << _PADDING_BITS
        both = self._encrypt_blocks((first << 128 | first ^ _NEXT_CONSTANT).to_bytes(2 * BLOCK_BYTES, "big"))
        return SecretKey(both[:BLOCK_BYTES]), SecretKey(both[BLOCK_BYTES:])

    def ccm_decrypt(self, ciphertext_and_tag: bytes, nonce: bytes, associated: bytes) -> bytes | None:
        """Decrypt with AES-CCM, or return None when the tag does not fit."""
        try:
            return AESCCM(self._material, CCM_TAG_BYTES).decrypt(nonce, ciphertext_and_tag, associated)
        except InvalidTag:
            return None

    def ccm_encrypt(self, plaintext: bytes, nonce: bytes, associated: bytes) -> bytes:
        """Encrypt with AES-CCM; the tag follows the ciphertext."""
        return AESCCM(self._material, CCM_TAG_BYTES).encrypt(nonce, plaintext, associated)

    def des_cbc_decrypt(self, ciphertext: bytes) -> bytes:
        """Decrypt whole blocks with DES-CBC and an IV of zeros."""
        return self._des().decryptor().update(ciphertext)

    def des_cbc_encrypt(self, plaintext: bytes) -> bytes:
        """Encrypt whole blocks with DES-CBC and an IV of zeros."""
        return self._des().encryptor().update(plaintext)

    def _des(self) -> Cipher[CBC]:
        # Triple DES with one key three times is DES.
        return Cipher(TripleDES(self._material * 3), CBC(bytes(DES_KEY_BYTES)))
