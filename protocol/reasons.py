"""Words for why a frame or a message below the application layer cannot be decoded.

They are the ``reason`` of a `ProtocolError` of the layers link, ell, nwl, afl, transport and
security, and the ``problem`` of a security outcome.
"""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    # Link layers
    "truncated": "the bytes end before the layer does",
    "length_invalid": "no frame or layer has such a length",
    "length_mismatch": "the announced length and the bytes or fields that are there differ",
    "crc_mismatch": "the CRC of a block does not fit",
    "start_invalid": "no wired frame starts with these bytes",
    "stop_invalid": "a wired frame does not end with 16h",
    "checksum_mismatch": "the checksum of a wired frame does not fit",
    "knx_rf": "the frame belongs to KNX-RF",
    "payload_crc_mismatch": "the payload CRC of an unencrypted extended link layer does not fit",
    # Writing: values that fit no field
    "manufacturer_invalid": "the manufacturer is not three letters",
    "address_invalid": "the parts make no address",
    "value_out_of_range": "a number does not fit its field",
    "authentication_reserved": "an authentication type whose length is not known",
    "fragments_invalid": "the sizes of the fragments do not make the message",
    "header_incomplete": "the CI-field needs a header with more parts",
    "configuration_invalid": "the security mode has no such field or value",
    "encryption_impossible": "no key, or a method of the extended link layer that is not public",
    # State of earlier runs
    "state_invalid": "what is to be restored is no state",
    # What stands behind the CI-field
    "ci_unknown": "a CI-field that is not assigned",
    "manufacturer_specific": "a CI-field of the manufacturer, whose header is not public",
    "layer_unexpected": "a lower layer where a message must begin",
    # Security
    "encrypted_length_mismatch": "the announced encrypted bytes are not there or fill no blocks",
    "security_mode_unsupported": "a security mode that is only recognised",
    "tag_length_unsupported": "a length of the authentication tag that is not public",
    "key_derivation_reserved": "a key derivation that is not assigned",
    "authentication_unsupported": "an authentication type that is no CMAC: the MAC was not verified",
    "address_missing": "the telegram does not tell the meter that its keys depend on",
    "counter_missing": "the telegram has no message counter that its keys depend on",
    "content_malformed": "key and MAC are right, but the content does not begin with 2F2F",
    "key_missing": "no key, or none of the kind that the security mode needs",
}
"""Closed vocabulary, with what each word means."""
