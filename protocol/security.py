"""Security modes of the transport layer: verifying and decrypting messages.

    mode 2    DES-CBC       IV zero                              2F2F
    mode 4    AES-128-CBC   IV zero                              2F2F
    mode 5    AES-128-CBC   IV from address and access number    2F2F
    mode 7    AES-128-CBC   ephemeral key, IV zero               2F2F, CMAC in the AFL
    mode 10   AES-128-CCM   ephemeral key                        tag of 8 bytes behind the ciphertext

The two bytes 2F2F in front of the data show that the key is right; they are no record. What the
configuration field does not count as encrypted stays plain behind it ("partial encryption").
The MAC is verified first, but the data are decrypted in any case, to name the fault:

    2F2F   MAC            outcome
    yes    fits or none   decrypted; authenticated only with a MAC
    yes    does not fit   mac_mismatch, no data
    no     fits           the key is right and the content is malformed: no data
    no     otherwise      key_wrong

Modes 3 and 15 can only be read when somebody else has decrypted them: then they begin with 2F2F, too.
In mode 10 a wrong key and altered bytes cannot be told apart. Sealing is the inverse: sealing.py.

Source: EN 13757-7 and OMS Vol. 2 chapter 9 and Annex N.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from protocol.address import Address
from protocol.afl import Afl
from protocol.cipher_inputs import CipherInputs
from protocol.ciphers import BLOCK_BYTES, CCM_TAG_BYTES, SecretKey
from protocol.configuration import Configuration
from protocol.errors import Incomplete, ProtocolError, Unsupported
from protocol.outcome import Outcome
from protocol.quick import quick_init
from protocol.transport import TransportHeader

VERIFICATION: Final = b"\x2f\x2f"
CBC_MODES: Final = frozenset({2, 4, 5, 7})
_RECOGNISED_CBC_MODES: Final = frozenset({3, 15})
"""Modes that cannot be decrypted here, but begin with 2F2F when somebody else has done it."""
DES_MODE: Final = 2
EPHEMERAL_MODE: Final = 7
CCM_MODE: Final = 10
TLS_MODE: Final = 13
TAG_OF_8_BYTES: Final = 1

_UNREADABLE: Final = {
    "manufacturer": "manufacturer_specific",
    "unknown": "ci_unknown",
    **dict.fromkeys(("ell", "nwl", "afl", "mal"), "layer_unexpected"),
}
"""Problems of CI-fields that no transport header of known layout follows, by their protocol."""
_PROFILES: Final = {(0, False): "none", (5, False): "A", (7, True): "B", (10, False): "D"}


@quick_init
@dataclass(frozen=True, slots=True)
class Opened:
    """What became of the data of a message.

    Attributes:
        outcome: the verdict.
        plaintext: application data that can be read: all of them, or after a failure those that
            were never encrypted.
        region: the bytes that were encrypted, now plain, with 2F2F and padding; empty otherwise.
        authenticated: whether a MAC or tag was verified.
        key: the key that fits.
        problem: reason word where the outcome needs one.
        candidate: bytes that a maker may have left plain; to be believed only if all are records.
    """

    outcome: Outcome
    plaintext: bytes = b""
    region: bytes = b""
    authenticated: bool = False
    key: SecretKey | None = None
    problem: str | None = None
    candidate: bytes = b""


def profile(header: TransportHeader, afl: Afl | None) -> str | None:
    """Return the OMS security profile: ``none``, ``A``, ``B``, ``C``, ``D``, or None for no such."""
    mode = header.mode
    if mode == TLS_MODE or header.row.protocol == "tls_handshake":
        return "C"
    return _PROFILES.get((mode, afl is not None and afl.mac is not None))


def open_message(
    header: TransportHeader,
    message: bytes,
    *,
    keys: Iterable[SecretKey] = (),
    meter: Address | None = None,
    afl: Afl | None = None,
    strict: bool = False,
    vendor_order: bool = False,
) -> Opened:
    """Verify and decrypt a whole message.

    Args:
        header: its transport header.
        message: its bytes from the CI-field on.
        keys: candidates, tried in order.
        meter: the device, see `cipher_inputs.meter_address`.
        afl: layer of the message; of an assembled one the first fragment's with the last one's MAC.
        strict: do not accept messages that were decrypted before.
        vendor_order: the sender arranges its link address in its own order; with a configuration
            field of no public mode its data may be plain.
    """
    configuration = header.configuration
    mode = 0 if configuration is None else configuration.mode
    inputs = CipherInputs(header, meter, afl)
    problem = _UNREADABLE.get(header.row.protocol)
    if problem is not None:
        return Opened(Outcome.UNSUPPORTED, message[header.size :], problem=problem)
    if configuration is None or mode == 0:
        return _open_plain(inputs, message, keys)
    available = len(message) - header.size
    try:
        if mode in CBC_MODES:
            length = configuration.encrypted_length(available)
        elif mode == CCM_MODE:
            if configuration.tag_length != TAG_OF_8_BYTES:
                return Opened(Outcome.UNSUPPORTED, problem="tag_length_unsupported")
            length = configuration.encrypted_length(_without_tag(configuration, available))
        else:
            if mode in _RECOGNISED_CBC_MODES and _is_open(header, message, strict=strict):
                return _opened_before(header, message)
            place = header.size - configuration.size
            candidate = message[place:] if vendor_order else b""
            return Opened(Outcome.UNSUPPORTED, problem="security_mode_unsupported", candidate=candidate)
        if length == 0:
            return _open_plain(inputs, message, keys)
        return _open_encrypted(inputs, mode, message, length, keys, strict)
    except Unsupported as error:
        if mode in CBC_MODES and _is_open(header, message, strict=strict):
            return _opened_before(header, message)
        return Opened(Outcome.UNSUPPORTED, problem=error.reason)
    except ProtocolError as error:
        if mode in CBC_MODES and _is_open(header, message, strict=strict):
            # Whoever decrypted it left the fillers out.
            return _opened_before(header, message, error.reason)
        return Opened(Outcome.INCOMPLETE, problem=error.reason)


def _is_open(header: TransportHeader, message: bytes, *, strict: bool) -> bool:
    """Whether a message that its header calls encrypted was decrypted before, and may have been."""
    return not strict and message.startswith(VERIFICATION, header.size)


def _opened_before(header: TransportHeader, message: bytes, problem: str | None = None) -> Opened:
    body = message[header.size :]
    return Opened(Outcome.ALREADY_DECRYPTED, _records(header, body), body, problem=problem)


def _without_tag(configuration: Configuration, available: int) -> int:
    """Return how many bytes mode 10 has before its tag, of those behind the header.

    Raises:
        Incomplete: all are announced as encrypted, and there are not more than a tag.
    """
    if configuration.announced_length is None and 0 < available <= CCM_TAG_BYTES:
        raise Incomplete("security", "encrypted_length_mismatch", "no room for ciphertext and tag")
    return max(0, available - CCM_TAG_BYTES)


def _open_plain(inputs: CipherInputs, message: bytes, keys: Iterable[SecretKey]) -> Opened:
    """Verify the MAC of a message that is not encrypted, if it has one and a key is known."""
    body = message[inputs.header.size :]
    outcome = Outcome.PLAIN
    if inputs.has_mac:
        for key in keys:
            if not key.is_aes:
                continue
            try:
                if inputs.mac_fits(message, inputs.session_keys(key)[1]):
                    return Opened(Outcome.PLAIN, body, authenticated=True, key=key)
            except Unsupported as error:
                return Opened(Outcome.PLAIN, body, problem=error.reason)
            outcome = Outcome.MAC_MISMATCH
    return Opened(outcome, body)


_SEVERITY: Final = {Outcome.KEY_WRONG: 1, Outcome.MAC_MISMATCH: 2}
"""Of several keys that fail, the one that comes furthest names the fault."""


def _open_encrypted(
    inputs: CipherInputs, mode: int, message: bytes, length: int, keys: Iterable[SecretKey], strict: bool
) -> Opened:
    """Try all keys on a message of a mode with ``length`` encrypted bytes."""
    header = inputs.header
    is_ccm, is_des = mode == CCM_MODE, mode == DES_MODE
    region_end = header.size + length
    region = message[header.size : region_end]
    tail = message[region_end + (CCM_TAG_BYTES if is_ccm else 0) :]
    attempt = _try_ccm if is_ccm else _try_cbc
    best: Opened | None = None
    for key in keys:
        if key.is_aes is is_des:
            continue
        opened = attempt(inputs, message, region, tail, key)
        if opened.outcome is Outcome.DECRYPTED:
            return opened
        if best is None or _SEVERITY[opened.outcome] > _SEVERITY[best.outcome]:
            best = opened
    if not strict and not is_ccm and region.startswith(VERIFICATION):
        return Opened(Outcome.ALREADY_DECRYPTED, _records(header, region) + tail, region)
    return best or Opened(Outcome.KEY_MISSING, tail)


def _try_cbc(inputs: CipherInputs, message: bytes, region: bytes, tail: bytes, key: SecretKey) -> Opened:
    """Verify the MAC and decrypt with one key, and judge by the table of the module."""
    mode = inputs.header.mode
    session_keys = inputs.session_keys(key) if mode == EPHEMERAL_MODE else None
    mac_fits: bool | None = None
    problem = None
    if inputs.has_mac:
        try:
            mac_fits = inputs.mac_fits(message, (session_keys or inputs.session_keys(key))[1])
        except Unsupported as error:
            problem = error.reason
    if session_keys is not None:
        plain = session_keys[0].cbc_decrypt_once(region)
    elif mode == DES_MODE:
        plain = key.des_cbc_decrypt(region)
    else:
        plain = key.cbc_decrypt(region, inputs.initial_vector())
    if plain.startswith(VERIFICATION):
        if mac_fits is False:
            return Opened(Outcome.MAC_MISMATCH, tail)
        plaintext = _records(inputs.header, plain) + tail
        return Opened(Outcome.DECRYPTED, plaintext, plain, mac_fits is True, key, problem)
    if mac_fits:
        return Opened(Outcome.DECRYPTED, b"", plain, True, key, "content_malformed")
    return Opened(Outcome.KEY_WRONG, tail)


def _try_ccm(inputs: CipherInputs, message: bytes, region: bytes, tail: bytes, key: SecretKey) -> Opened:
    """Decrypt mode 10 with one key; only the tag tells whether it fits."""
    tag_start = inputs.header.size + len(region)
    sealed = region + message[tag_start : tag_start + CCM_TAG_BYTES]
    nonce = inputs.nonce()
    session_key, _ = inputs.session_keys(key)
    for associated in inputs.associated_data(message):
        plain = session_key.ccm_decrypt(sealed, nonce, associated)
        if plain is not None:
            return Opened(Outcome.DECRYPTED, plain + tail, plain, True, key)
    return Opened(Outcome.KEY_WRONG, tail)


def _records(header: TransportHeader, plain: bytes) -> bytes:
    """Take 2F2F and the padding of the transport layer off a decrypted CBC region."""
    configuration = header.configuration
    if configuration is not None and configuration.has_padding:
        # The value of the padding bytes is not public; only the usual rule, each of them holding
        # their number, is taken off, and anything else stays to be seen.
        count = plain[-1]
        if 0 < count <= BLOCK_BYTES and plain.endswith(bytes((count,)) * count):
            return plain[len(VERIFICATION) : -count]
    return plain[len(VERIFICATION) :]
