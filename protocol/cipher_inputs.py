"""What the ciphers need to know of a message: keys, vectors, nonces and MACs from its headers.

    KDF-A      CMAC(key, constant, counter(4), number(4), 7 times 07)
               constant 00 Kenc, 01 Kmac for messages from the device; 10 Lenc, 11 Lmac to it
    mode 5     initial vector: M(2) number(4) version type, 8 times ACC
    mode 10    nonce: M(2) number(4) version type 00 counter(4, high byte first)
    AFL MAC    CMAC(Kmac or Lmac, MCL, MCR, ML if there is one, message from its CI-field on)

Number and address are always the meter's; the counter is the transport header's if it has one,
else the AFL's.

Source: OMS Vol. 2 chapter 9 and Annex N; nonce and associated data of mode 10 confirmed on field
telegrams.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from protocol.address import Address
from protocol.afl import CMAC_BYTES, Afl
from protocol.ciphers import BLOCK_BYTES, SecretKey
from protocol.ell import Ell
from protocol.errors import Unsupported
from protocol.quick import quick_init
from protocol.transport import TransportHeader

ENCRYPTION_CONSTANTS: Final = {"M2O": 0x00, "O2M": 0x10, None: 0x00}
"""Derivation constants of Kenc and Lenc by direction; those of Kmac and Lmac are the next ones."""

PERSISTENT_KEY: Final = 0
KDF_A: Final = 1
ZERO_IV: Final = bytes(BLOCK_BYTES)

_CI_BYTES: Final = 1
_ADDRESS_BYTES: Final = 8


def meter_address(header: TransportHeader, sender: Address | None, ell: Ell | None) -> Address | None:
    """Return the address of the device that a message is from or for, None when none is told.

    Args:
        header: the transport header; a long one names the device.
        sender: link-layer address, None in wired frames.
        ell: extended link layer; its receiver is the device of a frame to the device.
    """
    if header.address is not None:
        return header.address
    if header.row.direction == "O2M":
        return None if ell is None else ell.receiver
    return sender


def message_counter(header: TransportHeader, afl: Afl | None) -> int | None:
    """Return the counter of a message, or None without one; arguments as in `CipherInputs`."""
    configuration = header.configuration
    if configuration is not None and configuration.message_counter is not None:
        return configuration.message_counter
    return None if afl is None else afl.message_counter


@quick_init
@dataclass(frozen=True, slots=True)
class CipherInputs:
    """The headers that a message's ciphers depend on.

    Attributes:
        header: transport header.
        meter: the device, see `meter_address`; None when the telegram does not tell it.
        afl: layer of the message; of an assembled one the first fragment's with the last one's MAC.
    """

    header: TransportHeader
    meter: Address | None
    afl: Afl | None

    @property
    def has_mac(self) -> bool:
        """Whether the message carries a MAC in its AFL."""
        return self.afl is not None and self.afl.mac is not None

    @property
    def counter(self) -> int | None:
        """The message counter, or None without one."""
        return message_counter(self.header, self.afl)

    def session_keys(self, key: SecretKey) -> tuple[SecretKey, SecretKey]:
        """Return the keys that encrypt and authenticate this message: Kenc and Kmac, or Lenc and Lmac.

        Raises:
            Unsupported: a key for DES, reserved key derivation, or nothing to derive with.
        """
        if not key.is_aes:
            raise Unsupported("security", "authentication_unsupported", "a key for DES derives none")
        header, afl = self.header, self.afl
        derivation = None if header.configuration is None else header.configuration.key_derivation
        if derivation is None and afl is not None:
            derivation = afl.key_derivation
        if derivation == PERSISTENT_KEY:
            return key, key
        if derivation not in (KDF_A, None):
            text = f"key derivation {derivation} is reserved"
            raise Unsupported("security", "key_derivation_reserved", text)
        meter, counter = self._identity()
        return key.derive_pair(ENCRYPTION_CONSTANTS[header.row.direction], counter, meter.raw[2:6])

    def mac(self, message: bytes, mac_key: SecretKey) -> bytes:
        """Return the MAC of the message, as long as its AFL says.

        Args:
            message: its bytes from the CI-field on.
            mac_key: the second of `session_keys`.

        Raises:
            Unsupported: an authentication type that is no CMAC.
        """
        afl = self.afl
        mac_bytes = None if afl is None else CMAC_BYTES.get(afl.authentication_type)
        if afl is None or afl.message_control is None or mac_bytes is None:
            raise Unsupported("security", "authentication_unsupported", "no CMAC by its authentication type")
        covered = bytes((afl.message_control,))
        if afl.message_counter is not None:
            covered += afl.message_counter.to_bytes(4, "little")
        if afl.message_length is not None:
            covered += afl.message_length.to_bytes(2, "little")
        return mac_key.cmac(covered + message)[:mac_bytes]

    def mac_fits(self, message: bytes, mac_key: SecretKey) -> bool:
        """Whether the MAC in the AFL fits the message; compared in constant time.

        Raises:
            Unsupported: see `mac`.
        """
        received = b"" if self.afl is None or self.afl.mac is None else self.afl.mac
        return hmac.compare_digest(self.mac(message, mac_key), received)

    def initial_vector(self) -> bytes:
        """Return the initial vector of the CBC modes.

        Raises:
            Unsupported: mode 5 without the address of the meter.
        """
        if self.header.mode != 5:
            return ZERO_IV
        if self.meter is None:
            raise Unsupported("security", "address_missing", "no meter address for the initial vector")
        return self.meter.raw + bytes((self.header.access_number or 0,)) * 8

    def nonce(self) -> bytes:
        """Return the nonce of mode 10.

        Raises:
            Unsupported: no address of the meter or no message counter.
        """
        meter, counter = self._identity()
        return meter.raw + b"\0" + counter.to_bytes(4, "big")

    def associated_data(self, message: bytes) -> tuple[bytes, ...]:
        """Return what mode 10 authenticates without encrypting: from the CI-field to the extension.

        That the address of a long header belongs to it is not confirmed: both ways are returned,
        the likelier first.
        """
        header = self.header
        end = header.size
        if header.configuration is not None:
            end += 2 + len(header.configuration.extension) - header.configuration.size
        whole = message[:end]
        if header.address is None:
            return (whole,)
        return whole, whole[:_CI_BYTES] + whole[_CI_BYTES + _ADDRESS_BYTES :]

    def _identity(self) -> tuple[Address, int]:
        """Device and message counter that make a key ephemeral."""
        counter = message_counter(self.header, self.afl)
        if self.meter is None:
            raise Unsupported("security", "address_missing", "no meter address to derive keys with")
        if counter is None:
            raise Unsupported("security", "counter_missing", "no message counter to derive keys with")
        return self.meter, counter
