"""Security modes of the transport layer: encrypting and authenticating messages.

The inverse of security.py; the transport header says how, down to how many bytes are encrypted.

Source: EN 13757-7 and OMS Vol. 2 chapter 9 and Annex N.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from protocol.address import Address
from protocol.afl import Afl
from protocol.cipher_inputs import ZERO_IV, CipherInputs
from protocol.ciphers import BLOCK_BYTES, DES_KEY_BYTES, SecretKey
from protocol.configuration import Configuration
from protocol.errors import InvalidField, Unsupported
from protocol.security import CBC_MODES, CCM_MODE, DES_MODE, EPHEMERAL_MODE, TAG_OF_8_BYTES, VERIFICATION
from protocol.transport import TransportHeader

FILLER: Final = 0x2F
"""Idle filler of the M-Bus application layer."""


def seal_message(
    header: TransportHeader,
    plaintext: bytes,
    *,
    key: SecretKey | None = None,
    meter: Address | None = None,
    afl: Afl | None = None,
) -> tuple[bytes, Afl | None]:
    """Encrypt and authenticate a message as its headers say.

    Args:
        header: transport header; its configuration field tells the mode and the encrypted length.
        plaintext: application data without 2F2F; idle fillers complete what is to be encrypted.
        key: needed unless nothing is encrypted or authenticated.
        meter: the device, see `cipher_inputs.meter_address`.
        afl: layer of the message; its MAC is computed when it has one.

    Returns:
        The message from the CI-field on, and the layer with its MAC.

    Raises:
        Unsupported: a mode that cannot be made here, or nothing to derive keys with.
        InvalidField: a key is needed and not given, or is of the wrong kind.
    """
    inputs = CipherInputs(header, meter, afl)
    head = header.encode()
    configuration = header.configuration
    mode = header.mode
    if configuration is None or mode == 0:
        message = head + plaintext
    elif mode in CBC_MODES:
        message = head + _seal_cbc(inputs, configuration, plaintext, key)
    elif mode == CCM_MODE and configuration.tag_length == TAG_OF_8_BYTES:
        message = head + _seal_ccm(inputs, configuration, head, plaintext, key)
    else:
        raise Unsupported("security", "security_mode_unsupported", f"mode {mode} cannot be made here")
    if afl is None or not inputs.has_mac:
        return message, afl
    _, mac_key = inputs.session_keys(_needed(key, mode))
    return message, replace(afl, mac=inputs.mac(message, mac_key))


def _seal_cbc(
    inputs: CipherInputs, configuration: Configuration, plaintext: bytes, key: SecretKey | None
) -> bytes:
    """Encrypt the first part of the data with 2F2F in front, and leave the rest plain."""
    mode = configuration.mode
    if not plaintext and configuration.announced_length is None and not configuration.has_padding:
        # All of nothing: even idle fillers would be data.
        return plaintext
    length = _region_length(configuration, len(VERIFICATION) + len(plaintext))
    if not length:
        return plaintext
    inside = length - len(VERIFICATION)
    missing = max(0, inside - len(plaintext))
    filler = missing if configuration.has_padding and missing <= BLOCK_BYTES else FILLER
    region = VERIFICATION + plaintext[:inside] + bytes((filler,)) * missing
    key = _needed(key, mode)
    if mode == DES_MODE:
        sealed = key.des_cbc_encrypt(region)
    elif mode == EPHEMERAL_MODE:
        sealed = inputs.session_keys(key)[0].cbc_encrypt(region, ZERO_IV)
    else:
        sealed = key.cbc_encrypt(region, inputs.initial_vector())
    return sealed + plaintext[inside:]


def _region_length(configuration: Configuration, plain_bytes: int) -> int:
    """Return the length of the encrypted region that holds ``plain_bytes`` or their first part."""
    block_bytes = DES_KEY_BYTES if configuration.mode == DES_MODE else BLOCK_BYTES
    whole_blocks = -(-plain_bytes // block_bytes) * block_bytes
    # More may be announced than there is to say: fillers complete it.
    return configuration.encrypted_length(max(whole_blocks, configuration.announced_length or 0))


def _seal_ccm(
    inputs: CipherInputs,
    configuration: Configuration,
    head: bytes,
    plaintext: bytes,
    key: SecretKey | None,
) -> bytes:
    """Encrypt the first part of the data, append the tag, and leave the rest plain."""
    length = configuration.encrypted_length(len(plaintext))
    if not length:
        return plaintext
    session_key, _ = inputs.session_keys(_needed(key, CCM_MODE))
    sealed = session_key.ccm_encrypt(plaintext[:length], inputs.nonce(), inputs.associated_data(head)[0])
    return sealed + plaintext[length:]


def _needed(key: SecretKey | None, mode: int) -> SecretKey:
    """Return the key if it is one for the mode's cipher."""
    if key is None or key.is_aes == (mode == DES_MODE):
        raise InvalidField("security", "key_missing", f"mode {mode} needs a key for its cipher")
    return key
