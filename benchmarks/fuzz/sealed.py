"""Targets around encryption: messages under every security mode, opened, and sealed and opened again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from fuzz.lower import long_frame, refusal
from fuzz.seeds import AES_KEYS, DES_KEY, KEYS, SENDERS, WHOLE
from fuzz.upper import HOSTILE
from protocol import afl, transport
from protocol.address import Address
from protocol.afl import Afl
from protocol.application import encode_content
from protocol.ciphers import SecretKey
from protocol.decoder import Decoder
from protocol.errors import ProtocolError
from protocol.keys import Keyring, KeyRow
from protocol.outcome import Outcome
from protocol.reasons import REASONS
from protocol.records import RecordList
from protocol.sealing import FILLER, seal_message
from protocol.security import CCM_MODE, DES_MODE, TLS_MODE, open_message, profile
from protocol.telegram import NOTES, Telegram
from protocol.transport import TransportHeader
from protocol.vocabulary import APPLICATION_REASONS

WIRED, STRICT, VENDOR_ORDER, UNKNOWN_METER = 0x80, 0x40, 0x20, 0x10
"""Options in byte 0; its low bits choose the meter."""


def security(data: bytes) -> None:
    """Open a message, then seal what stands in it and open that.

    Byte 0 holds options, byte 1 the length of the AFL that follows; then comes the message.
    """
    if len(data) < 2:
        return
    options, end = data[0], 2 + data[1]
    meter = None if options & UNKNOWN_METER else SENDERS[options % 16 % len(SENDERS)]
    message = data[end:]
    fields = None
    try:
        if data[1]:
            fields = afl.parse(bytes((0x90,)) + data[2:end])
        header = transport.parse(message, wired=bool(options & WIRED))
    except ProtocolError:
        return
    opened = open_message(
        header,
        message,
        keys=KEYS,
        meter=header.address or meter,
        afl=fields,
        strict=bool(options & STRICT),
        vendor_order=bool(options & VENDOR_ORDER),
    )
    assert len(opened.plaintext) <= len(message)
    assert not opened.authenticated or opened.key is not None
    assert profile(header, fields) in ("none", "A", "B", "C", "D", None)
    if opened.outcome is Outcome.KEY_WRONG:
        without = open_message(header, message, meter=header.address or meter, afl=fields)
        assert without.outcome in (Outcome.KEY_MISSING, Outcome.ALREADY_DECRYPTED)
    if opened.outcome is Outcome.UNSUPPORTED:
        return
    key = DES_KEY if header.mode == DES_MODE else AES_KEYS[0]
    with refusal:
        _seal_and_open(header, message[header.size :], key, header.address or meter, fields)


def _seal_and_open(
    header: TransportHeader, plaintext: bytes, key: SecretKey, meter: Address | None, fields: Afl | None
) -> None:
    """Whatever can be sealed opens again, and gives the plain bytes with fillers behind."""
    sealed, authentication = seal_message(header, plaintext, key=key, meter=meter, afl=fields)
    assert sealed.startswith(header.encode())
    if authentication is not None:
        assert afl.parse(authentication.encode()) == authentication
    opened = open_message(header, sealed, keys=[key], meter=meter, afl=authentication, strict=True)
    assert opened.outcome in (Outcome.DECRYPTED, Outcome.PLAIN)
    assert opened.problem is None
    padding = header.configuration is not None and header.configuration.has_padding
    if header.mode == CCM_MODE or opened.outcome is Outcome.PLAIN:
        assert opened.plaintext == plaintext
    elif not padding:
        # Padding of the transport layer is taken off by a guess, so its end may be data.
        assert opened.plaintext.startswith(plaintext[: len(opened.region) - 2])
        assert opened.plaintext.replace(bytes((FILLER,)), b"") == plaintext.replace(bytes((FILLER,)), b"")
    if authentication is not None and authentication.mac is not None:
        assert opened.authenticated
        assert header.mode != TLS_MODE


RING: Final = Keyring(KeyRow(key=key) for key in KEYS)


def sealed_telegram(data: bytes) -> None:
    """Put application data into a message of the annex, seal it, and decode the whole frame.

    Byte 0 chooses the message; the rest are its application data.
    """
    if not data:
        return
    walked, plaintext = WHOLE[data[0] % len(WHOLE)], data[1:]
    assert walked.header is not None
    with refusal:
        message, fields = seal_message(
            walked.header, plaintext, key=AES_KEYS[0], meter=walked.meter, afl=walked.afl
        )
        telegram = Decoder(RING).decode_frame(walked.with_message(fields, message))
        assert telegram.security.outcome in (Outcome.PLAIN, Outcome.DECRYPTED)
        assert telegram.security.authenticated == (fields is not None)
        assert telegram.content is not None
        assert telegram.content.plaintext.startswith(plaintext)
        assert set(telegram.content.plaintext[len(plaintext) :]) <= {FILLER}


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield frames and their options: a byte of options, a length, and the bytes behind the L-field.

    With the option `WIRED` the bytes are those of a long frame between its lengths and its checksum.
    """
    at = 0
    while at + 2 <= len(data):
        options, size = data[at], data[at + 1]
        body = data[at + 2 : at + 2 + size]
        at += 2 + size
        yield options, long_frame(body) if options & WIRED else bytes((len(body),)) + body


def telegrams(data: bytes) -> None:
    """Decode telegrams one after another with one decoder, then go on with its state.

    Byte 0 says whether payloads that were decrypted before are taken.
    """
    decoder = Decoder(RING, strict=data[:1] == b"\0")
    for options, frame in frames(data[1:]):
        with refusal:
            telegram = decoder.decode(frame, is_wired=bool(options & WIRED), now_s=float(options & 0x7F))
            assert set(telegram.notes) <= set(NOTES)
            assert telegram.problem is None or telegram.problem.reason in REASONS | APPLICATION_REASONS
            assert telegram.fragment_bytes is None or telegram.fragment_bytes >= 0
            if telegram.content is not None:
                _give_back(telegram)
    state = decoder.state()
    assert Decoder(RING, state=json.loads(json.dumps(state))).state() == state


def _give_back(telegram: Telegram) -> None:
    """Application data that were read give their bytes again."""
    content, header = telegram.content, telegram.header
    assert content is not None
    assert header is not None
    if content.is_partial:
        return
    found = content.records or RecordList(())
    assert encode_content(content.protocol, header.ci, content.fields or {}, found) == content.plaintext


def state(data: bytes) -> None:
    """Give a decoder a state that was tampered with: it is refused, or the decoder works on.

    Byte 0 is the number of changes of three bytes each (part, which, by what); then come frames.
    """
    if not data:
        return
    behind = 1 + 3 * (data[0] % 8)
    changes, rest = data[1:behind], data[behind:]
    decoder = Decoder(RING)
    _decode_all(decoder, rest)
    tampered: dict[str, Any] = json.loads(json.dumps(decoder.state()))
    for part, which, value in zip(changes[::3], changes[1::3], changes[2::3], strict=False):
        _tamper(tampered, part, which, HOSTILE[value % len(HOSTILE)])
    with refusal:
        decoder = Decoder(RING, state=tampered)
        _decode_all(decoder, rest)
        assert Decoder(RING, state=decoder.state()).state() == decoder.state()


def _decode_all(decoder: Decoder, data: bytes) -> None:
    for options, frame in frames(data):
        with refusal:
            decoder.decode(frame, is_wired=bool(options & WIRED))


def _tamper(fields: Any, part: int, which: int, value: object) -> None:  # noqa: ANN401  # any JSON
    """Replace something in a state, at any depth."""
    depth = part % 4
    while True:
        places = list(range(len(fields))) if isinstance(fields, list) else sorted(fields)
        if not places:
            return
        place = places[which % len(places)]
        if not depth or not isinstance(fields[place], dict | list):
            fields[place] = value
            return
        fields, depth = fields[place], depth - 1
