"""Configuration field of a JSON line: as decoded, or of the parts that a line written by hand names.

What such a line leaves out gets the usual value: all is encrypted, with keys that KDF-A derives.
"""

from __future__ import annotations

from typing import Final

from protocol import configuration
from protocol.afl import Afl
from protocol.cipher_inputs import KDF_A
from protocol.ciphers import BLOCK_BYTES, DES_KEY_BYTES
from protocol.configuration import LAYOUTS, Configuration
from protocol.security import CCM_MODE, DES_MODE, EPHEMERAL_MODE
from protocol.transport import TransportHeader
from sdr.output.json_fields import DescriptionError, Fields

_COUNTER_OF: Final = {EPHEMERAL_MODE: "afl.message_counter", CCM_MODE: "transport.message_counter"}
_MOST_DES_BLOCKS: Final = 31
_MOST_BLOCKS: Final = 14
_ALL_BLOCKS: Final = 15


def configuration_of(layer: Fields, content: bytes | None) -> Configuration:
    """Return the configuration field of a transport header.

    Args:
        layer: ``transport`` of the line.
        content: application data, None where they are not known.

    Raises:
        DescriptionError: a field is of the wrong kind.
        InvalidField: a value that the security mode has no room for.
    """
    given = layer.table("configuration") or Fields({}, "configuration")
    key_version = layer.optional_number("key_version")
    counter = layer.optional_number("message_counter")
    if "field" in given:
        return Configuration(given.hex_number("field"), given.hex("extension", b""), key_version, counter)
    mode = layer.number("security_mode", 0)
    names = {bit_field.name for bit_field in LAYOUTS.get(mode, ())} - {"mode"}
    values = _usual_values(mode, names, content) | {
        name: given.number(name) for name in names if name in given
    }
    return configuration.build(mode, key_version=key_version, message_counter=counter, **values)


def _usual_values(mode: int, names: set[str], content: bytes | None) -> dict[str, int]:
    """Return what a configuration field says where nothing else is wanted: all is encrypted."""
    values = {}
    if mode and "encrypted_blocks" in names and content is not None:
        blocks = -(-(2 + len(content)) // BLOCK_BYTES)
        values["encrypted_blocks"] = blocks if blocks <= _MOST_BLOCKS else _ALL_BLOCKS
    if mode == DES_MODE and content is not None:
        blocks = -(-(2 + len(content)) // DES_KEY_BYTES)
        values["encrypted_bytes"] = min(_MOST_DES_BLOCKS, blocks) * DES_KEY_BYTES
    elif mode and "encrypted_bytes" in names and content is not None:
        values["encrypted_bytes"] = min(0xFF, len(content))
    if "key_derivation" in names:
        values["key_derivation"] = KDF_A
    if "tag_length" in names:
        values["tag_length"] = 1
    return values


def check_counter(header: TransportHeader, layer: Afl | None) -> None:
    """Require the message counter that keys are derived from.

    Raises:
        DescriptionError: neither header nor AFL has one.
    """
    secured = header.configuration
    if secured is None or secured.key_derivation != KDF_A or secured.message_counter is not None:
        return
    if secured.announced_length == 0 and (layer is None or layer.mac is None):
        return
    if layer is None or layer.message_counter is None:
        text = f"must be given: security mode {secured.mode} derives its keys from it"
        raise DescriptionError(f"{_COUNTER_OF[secured.mode]} {text}")
