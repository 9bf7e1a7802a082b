"""Targets of the lower layers: bytes from the air or the wire, and each layer alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from fuzz.seeds import AES_KEYS, KEYS, SENDERS
from protocol import afl, ci, configuration, ell, link, nwl, tls, transport, wired
from protocol.address import Address
from protocol.afl import Afl
from protocol.cipher_inputs import meter_address
from protocol.errors import ProtocolError
from protocol.frame_format import FrameFormat, add_crcs, bad_blocks, strip_crcs
from protocol.identify import identify
from protocol.outcome import Outcome
from protocol.reassembly import MESSAGE_LIMIT_BYTES, OPEN_LIMIT, Reassembler
from protocol.security import open_message

refusal: Final = suppress(ProtocolError)
"""The only way to say no."""

_FORMATS: Final[tuple[FrameFormat, ...]] = ("A", "B")
_ELL_CODES: Final = sorted(ci.ELL_CODES)
_MOST_LAYERS: Final = 8


def link_bytes(data: bytes) -> None:
    """Identify, check CRCs, parse; then the same with L-field and CRCs mended."""
    _identified(data)
    with refusal:
        assert link.parse(data).encode() == data
    bare = data[1:256]
    mended = bytes((len(bare),)) + bare
    for frame_format in _FORMATS:
        with refusal:
            whole = not bad_blocks(data, frame_format)
            frame = strip_crcs(data, frame_format)
            assert whole
            raw = add_crcs(frame, frame_format)
            assert raw == data[: len(raw)]
        with refusal:
            raw = add_crcs(mended, frame_format)
            assert strip_crcs(raw, frame_format) == mended
            assert not bad_blocks(raw, frame_format)
            _identified(raw)
    _identified(mended)


def _identified(data: bytes) -> None:
    """Identify, and account for every byte."""
    with refusal:
        found = identify(data)
        if found.kind == "wired":
            assert wired.parse(found.frame).encode() == found.frame
        if found.kind in _FORMATS:
            assert add_crcs(found.frame, found.kind) + found.left_over == data
        else:
            assert found.frame + found.left_over == data
        if found.kind != "wired":
            assert link.parse(found.frame).encode() == found.frame


def wired_bytes(data: bytes) -> None:
    """Parse as they are; then in a long frame with the right lengths, checksum and stop byte."""
    short_frame = b"\x10" + data[:2] + bytes((sum(data[:2]) & 0xFF, 0x16))
    for frame in (data, long_frame(data[:0xFF]), short_frame):
        wired.frame_length(frame)
        with refusal:
            parsed = wired.parse(frame)
            assert parsed.encode() == frame
            assert parsed.function


def long_frame(core: bytes) -> bytes:
    """Return the wired frame around C-field, A-field and what follows."""
    return b"\x68" + bytes((len(core),)) * 2 + b"\x68" + core + bytes((sum(core) & 0xFF, 0x16))


def walk(data: bytes) -> None:
    """Go from the first CI-field down to the plain bytes, with keys.

    Byte 0 tells the sender, or that there is none because the frame is wired.
    """
    if data:
        sender = None if data[0] == 0xFF else SENDERS[data[0] % len(SENDERS)]
        with refusal:
            _step(sender, data[1:], None, None, 0)


def _step(
    sender: Address | None, rest: bytes, extension: ell.Ell | None, fields: Afl | None, depth: int
) -> None:
    """Read one layer, and go on behind it."""
    if not rest or depth > _MOST_LAYERS:
        return
    if rest[0] in ci.ELL_CODES and sender is not None:
        extension = ell.parse(rest)
        assert extension.encode() == rest[: extension.size]
        outcome, plain = ell.open_payload(extension, rest[extension.size :], sender.raw, KEYS)
        assert isinstance(outcome, Outcome)
        _step(sender, plain, extension, fields, depth + 1)
    elif rest[0] == ci.NWL_CODE:
        layer = nwl.parse(rest)
        assert layer.encode() == rest[: layer.size]
        _step(sender, rest[layer.size :], extension, fields, depth + 1)
    elif rest[0] == ci.AFL_CODE:
        fields = afl.parse(rest)
        assert fields.encode() == rest[: fields.size]
        _step(sender, rest[fields.size :], extension, fields, depth + 1)
    else:
        header = transport.parse(rest, wired=sender is None)
        assert header.encode() == rest[: header.size]
        meter = meter_address(header, sender, extension)
        opened = open_message(header, rest, keys=KEYS, meter=meter, afl=fields)
        assert len(opened.plaintext) <= len(rest)


def extended_link(data: bytes) -> None:
    """Parse an ELL; open what follows, and seal and open it again."""
    if not data:
        return
    data = bytes((_ELL_CODES[data[0] % len(_ELL_CODES)],)) + data[1:]
    sender = SENDERS[0].raw
    with refusal:
        layer = ell.parse(data)
        assert layer.encode() == data[: layer.size]
        assert ell.parse(b"\0" + data, 1) == layer
        assert len(layer.flags) == (layer.communication_control or 0).bit_count()
        assert (layer.access is None) == (layer.delay is None) == (layer.communication_control is None)
        behind = data[layer.size :]
        sealed, encrypted = ell.seal_payload(layer, behind, sender, AES_KEYS[0])
        outcome, plain = ell.open_payload(sealed, encrypted, sender, AES_KEYS[:1], strict=True)
        assert plain == behind
        assert outcome in (Outcome.PLAIN, Outcome.DECRYPTED)
    with refusal:
        layer = ell.parse(data)
        outcome, plain = ell.open_payload(layer, data[layer.size :], sender, KEYS)
        assert plain == b"" or len(plain) == len(data) - layer.size


def authentication(data: bytes) -> None:
    """Parse an AFL; then cut what follows into fragments and put it together."""
    data = bytes((ci.AFL_CODE,)) + data
    with refusal:
        layer = afl.parse(data)
        assert layer.encode() == data[: layer.size]
        assert afl.parse(b"\0" + data, 1) == layer
        assert layer.fragment_number <= afl.LAST_FRAGMENT_NUMBER
        message = data[layer.size :]
        whole = afl.build(
            authentication_type=layer.authentication_type,
            message_counter=layer.message_counter,
            key_information=layer.key_information,
            message_length=len(message),
        )
        step = 8 + layer.fragment_number % 32
        sizes = [len(message[at : at + step]) for at in range(0, len(message), step)]
        reassembler = Reassembler()
        for fields, part in afl.fragment(whole, message, sizes):
            sent = afl.parse(fields.encode() + part)
            assert sent == fields
            assembled = reassembler.push(b"", sent, part)
        assert assembled.message == message
        assert replace(assembled.afl, control=0) == replace(whole, control=0)


def fragments(data: bytes) -> None:
    """Put fragments of several senders together: sender, number, more, length and bytes of each."""
    reassembler = Reassembler()
    at = 0
    while at + 4 <= len(data):
        sender, number, more, size = data[at : at + 4]
        part = data[at + 4 : at + 4 + size]
        at += 4 + size
        # Large parts reach the limit of a message.
        part *= 1 + 64 * (more >> 7)
        control = number | (afl.MORE_FRAGMENTS if more & 1 else 0)
        assembled = reassembler.push(bytes((sender & 3,)), Afl(control), part, float(sender >> 2))
        assert assembled.message is None or len(assembled.message) <= max(MESSAGE_LIMIT_BYTES, len(part))
    state = reassembler.state()
    assert len(state) <= OPEN_LIMIT
    again = Reassembler()
    again.restore(state)
    assert again.state() == state


def transport_header(data: bytes) -> None:
    """Parse a transport header as wireless and as wired."""
    for is_wired in (False, True):
        with refusal:
            header = transport.parse(data, wired=is_wired)
            assert header.encode() == data[: header.size]
            assert transport.parse(b"\0" + data, 1, wired=is_wired) == header
            assert len(header.status_flags) <= 8
            level = header.reception_level_dbm
            assert level is None or -130 < level <= -4


def configuration_field(data: bytes) -> None:
    """Parse a configuration field, and build it from its bit fields."""
    with refusal:
        field = configuration.parse(data)
        assert field.encode() == data[: field.size]
        fields = field.fields()
        again = configuration.build(
            key_version=field.key_version, message_counter=field.message_counter, **fields
        )
        assert again.fields() == fields
        assert again.size == field.size
        assert field.mode_name
        assert field.tag_length is None or 0 <= field.tag_length <= 3
        if field.mode in (2, 4, 5, 7, 10):
            length = field.encrypted_length(len(data))
            assert 0 <= length <= len(data)


def tls_records(data: bytes) -> None:
    """Name TLS records, which never fails."""
    at = 0
    for record in tls.records(data):
        whole = data[at + 5 : at + 5 + record.length]
        assert record.is_whole == (len(whole) == record.length)
        at += 5 + record.length
