"""All targets in one table: what they are called, where they begin, and how long inputs get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fuzz import lines, lower, sealed, upper
from fuzz.seeds import PLAINTEXTS, WALKED, WHOLE, at_layer
from protocol.ci import RADIO_CI
from protocol.compact import compact_frame_of, encode_compact, headers_of
from protocol.records import parse_records

_LIMIT_MS: Final = 50.0
_SEARCH_LIMIT_MS: Final = 200.0
"""A description without a header makes the encoder try all of the VIF table, once per record."""
_FRAME_BYTES: Final = 300
_MESSAGE_BYTES: Final = 512
"""A message of several fragments; what is linear here is linear up to the 16 kB of the layer."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place where bytes come in.

    Attributes:
        run: takes any bytes; only what is wrong comes out, as an exception.
        seeds: inputs to begin with.
        most_bytes: longest input.
        limit_ms: processor time that no input may take, instrumented as it is.
    """

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    most_bytes: int = _FRAME_BYTES
    limit_ms: float = _LIMIT_MS


def _behind(prefix: bytes, seeds: list[bytes]) -> tuple[bytes, ...]:
    return tuple(prefix + seed for seed in seeds)


def _hex(*texts: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(text) for text in texts)


_FRAMES: Final = [walked.raw for walked in WALKED]
_PAYLOADS: Final = [walked.frame.payload for walked in WALKED]
_CONFIGURATIONS: Final = [
    walked.header.configuration.encode()
    for walked in WHOLE
    if walked.header is not None and walked.header.configuration is not None
]
_SECURED: Final = [
    b"\0" + bytes((len(fields),)) + fields + walked.layers["transport"]
    for walked in WHOLE
    for fields in [b"" if walked.afl is None else walked.afl.encode()[1:]]
]
_TELEGRAMS: Final = [
    bytes((0x80 if walked.raw[0] == 0x68 else 0, len(body))) + body
    for walked in WALKED
    for body in [walked.raw[4:-2] if walked.raw[0] == 0x68 else walked.frame.encode()[1:]]
]
_PAIR: Final = parse_records(bytes.fromhex("0413 01000000 426C 1F15")).records
_LINK_HEAD: Final = bytes.fromhex("44 9315 78563412 3303")
_NO_SECURITY: Final = bytes.fromhex("01 00 0000")
_ADDRESS: Final = bytes.fromhex("78563412 9315 33 03")
_HEADERS: Final = {
    "none": b"",
    "short": _NO_SECURITY,
    "long": _ADDRESS + _NO_SECURITY,
    "raw": b"",
    "layer": b"",
}
_OTHER_PROTOCOLS: Final = [
    bytes((0, len(body))) + body
    for row in RADIO_CI
    for body in [_LINK_HEAD + bytes((row.code,)) + _HEADERS[row.header] + bytes.fromhex("04 13 01000000")]
]
"""One plain telegram with each CI-field."""
_LINES: Final = (
    *(frame.hex().encode() for frame in _FRAMES),
    *(b'{"frame_hex":"%s","mode":"T"}' % frame.hex().encode() for frame in _FRAMES[:2]),
    b'{"frame_hex":"%s","repaired":true,"time":"2026-11-20T10:00:00Z","radio":{"snr_db":NaN,"\\ud800":1e999}}'
    % _FRAMES[0].hex().encode(),
    b'{"frame_hex":"\\ud800","raw_hex":"\\u0663"}',
    b"T1;1;1;2026-11-20 10:17:55.365741;-31;-31;12345678;0x" + _FRAMES[0].hex().encode(),
    _FRAMES[0].hex().encode() + b"\t0102030405060708090A0B0C0D0E0F11\nE5\n",
)
_PROFILES: Final = _hex(
    "0930 62FD 0102 0304 0506",  # signed differences of 16 bits, half months
    "0903 52FE 1000 2000 FFFF",  # positive increments, months
    "0903 2C01 12345678 F2345678",  # absolute BCD, hours
    "0903 35 01 0000803F 0000C07F",  # absolute floats
)
_RECORDS_WITH_PROFILES: Final = _hex(
    "07 0413 E8030000 046D 1E2DE113 0D931F 08 6201 0100 0200 FFFF",
    "07 0C13 27048502 426C E1F1 4C13 00000000 4D9313 06 52FD 1000 2000",
    "07 8904FD28 01 8206 6C 1F15 8004FD21 8906FD22 10",
    "07 04FC03414180 0D7803414243 0DFD0CC212340F01020304",
    "87 0413 01000000 7F 08F8 00 FD9F1D",
)
_OTHER_PAYLOADS: Final = _hex(
    "00 0F40000001 0C 07EA0B14050B000000FFC400 0102 0202 0906 0000600100FF 0A03414243"
    " 0203 0906 0100010800FF 06 0001E240 0202 0FFF 161E",
    "00 0202 0101 0204 120003 0906 0100010800FF 0F02 120000 06 00000007",
    "00 C401C100 02 05 0301 04 0AFF80 10FFFE 14FFFFFFFFFFFFFFFE 17 3FC00000",
    "00 0167 DB08 4142433132333435 2030 00000001 00",
    "01 76 03 0102 6200 6200 72 63 0701 77 01 03 0A01 01 01"
    " 71 77 07 0100010800FF 01 01 621E 52FF 65 0001E240 01 01 01 63 0000 00",
    "01 1B1B1B1B 01010101 76 03 0102 6200 6200 72 63 0201 71 01 63 0000 00 000000 1B1B1B1B 1A 03 0000",
)
"""DLMS/COSEM and SML."""
_TLS: Final = _hex(
    "16030300080E0000000B000000",
    "160303000401000000 1403030001 01 1703030010 00112233445566778899AABBCCDDEEFF",
    "15030300020228",
)

TARGETS: Final[dict[str, Target]] = {
    "link": Target(lower.link_bytes, tuple(_FRAMES)),
    "wired": Target(lower.wired_bytes, tuple(frame for frame in _FRAMES if frame[0] in b"\x10\x68\xe5")),
    "walk": Target(lower.walk, _behind(b"\0", _PAYLOADS) + _behind(b"\xff", _PAYLOADS)),
    "ell": Target(
        lower.extended_link,
        (*at_layer("ell"), *_hex("8D200112345678AABB0C1327048502", "8F2001931578563412330312345638AABB0C13")),
    ),
    "afl": Target(lower.authentication, tuple(layer[1:] for layer in at_layer("afl"))),
    "fragments": Target(
        lower.fragments,
        _hex("00 01 01 02 AABB 00 02 00 01 CC", "04 01 81 02 AABB"),
        _MESSAGE_BYTES,
    ),
    "transport": Target(lower.transport_header, tuple(at_layer("transport"))),
    "configuration": Target(lower.configuration_field, tuple(_CONFIGURATIONS), 32),
    "security": Target(sealed.security, tuple(_SECURED)),
    "sealed": Target(sealed.sealed_telegram, _behind(b"\x02", PLAINTEXTS) + _behind(b"\0", PLAINTEXTS)),
    "telegrams": Target(
        sealed.telegrams,
        _behind(b"\x01", [*_TELEGRAMS, *_OTHER_PROTOCOLS, b"".join(_TELEGRAMS[4:14])]),
        _MESSAGE_BYTES,
    ),
    "state": Target(
        sealed.state,
        tuple(b"\x01\x02\x00\x05" + seed for seed in (*_TELEGRAMS[:12], b"".join(_TELEGRAMS[4:10]))),
    ),
    "records": Target(upper.records, _behind(b"\x07", PLAINTEXTS) + _RECORDS_WITH_PROFILES, _MESSAGE_BYTES),
    "compact": Target(
        upper.compact,
        (b"\x04" + headers_of(_PAIR) + encode_compact(compact_frame_of(_PAIR)), *_behind(b"\0", PLAINTEXTS)),
        _MESSAGE_BYTES,
    ),
    "profiles": Target(upper.profiles, _PROFILES),
    "protocols": Target(
        upper.other_protocols,
        _hex(
            "00 F0 0D78 03414243",
            "01 81",
            "02 42",
            "03 20 3600",
            "04 02 00",
            "05 00 00 1E0D E113 00 2F2F",
            "06 01 1E0D01",
        ),
    ),
    "tls": Target(lower.tls_records, _TLS),
    "descriptions": Target(
        upper.descriptions,
        _behind(b"\x04\x01\x02\x03\x04", PLAINTEXTS)
        + tuple(b"\x02\x05\x06" + seed[1:] for seed in _RECORDS_WITH_PROFILES),
        limit_ms=_SEARCH_LIMIT_MS,
    ),
    "decode_lines": Target(lines.decode_lines, _LINES, _MESSAGE_BYTES),
    "round_trip": Target(
        lines.round_trip, tuple(seed[:1] + seed[2:] for seed in _TELEGRAMS + _OTHER_PROTOCOLS)
    ),
    "explained": Target(
        lines.explained,
        (
            *_TELEGRAMS,
            *_OTHER_PROTOCOLS,
            *(b"\x20" + seed[1:] for seed in _TELEGRAMS),
            b"".join(_TELEGRAMS[4:14])[:_FRAME_BYTES],
        ),
    ),
    "payloads": Target(lines.payloads, _OTHER_PAYLOADS, _MESSAGE_BYTES),
    "encode_lines": Target(
        lines.encode_lines, _behind(b"\x02\x01\x05\x06\x02\x01\x07", _FRAMES), limit_ms=_SEARCH_LIMIT_MS
    ),
}
"""Every entry depth by its name."""
