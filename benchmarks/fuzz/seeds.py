"""Bytes at every depth of the stack, cut out of the verified messages of OMS Vol. 2 Annex N."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from protocol import afl, ci, ell, identify, link, transport, wired
from protocol.address import Address
from protocol.afl import Afl
from protocol.cipher_inputs import meter_address
from protocol.ciphers import SecretKey
from protocol.link import LinkFrame
from protocol.transport import TransportHeader
from protocol.wired import WiredFrame

VECTORS: Final = Path(__file__).parents[2] / "tests" / "vectors" / "annex_n.json"

MESSAGES: Final[list[dict[str, Any]]] = [
    message for message in json.loads(VECTORS.read_text(encoding="utf-8")) if message["verified"]
]
PLAINTEXTS: Final = [
    bytes.fromhex(message["plaintext_apl_hex"])
    for message in MESSAGES
    if message["plaintext_apl_hex"] and message["expected"].get("records")
]
"""Application data that are records, 2F2F in front where they were encrypted."""

AES_KEYS: Final = [
    SecretKey(bytes.fromhex(material))
    for material in dict.fromkeys(message["key"] for message in MESSAGES if message["key"])
]
DES_KEY: Final = SecretKey(bytes(range(8)))
KEYS: Final = [*AES_KEYS, DES_KEY, SecretKey(bytes(16))]


@dataclass(frozen=True, slots=True)
class Walked:
    """A frame of the annex and what stands in it.

    Attributes:
        raw: the whole frame, wireless in format A.
        frame: its link layer.
        layers: the bytes from each layer on, by its name: ell, afl, transport.
        afl: AFL, if there is one.
        header: transport header, None where the frame has none or an earlier fragment has it.
        meter: whose message it is.
    """

    raw: bytes
    frame: LinkFrame | WiredFrame
    layers: dict[str, bytes]
    afl: Afl | None
    header: TransportHeader | None
    meter: Address | None

    def with_message(self, fields: Afl | None, message: bytes) -> LinkFrame | WiredFrame:
        """Return the frame with another AFL and message behind its ELL."""
        extension = ell.parse(self.layers["ell"]).encode() if "ell" in self.layers else b""
        payload = extension + (b"" if fields is None else fields.encode()) + message
        if isinstance(self.frame, WiredFrame):
            return replace(self.frame, payload=payload)
        return link.build(self.frame.c_field, self.frame.address, payload)


def _walk(raw: bytes) -> Walked:
    found = identify.identify(raw)
    frame: LinkFrame | WiredFrame
    frame = wired.parse(found.frame) if found.kind == "wired" else link.parse(found.frame)
    sender = frame.address if isinstance(frame, LinkFrame) else None
    rest = frame.payload
    layers: dict[str, bytes] = {}
    extension = fields = header = meter = None
    if rest and rest[0] in ci.ELL_CODES:
        extension = ell.parse(rest)
        layers["ell"] = rest
        rest = rest[extension.size :]
    if rest and rest[0] == ci.AFL_CODE:
        fields = afl.parse(rest)
        layers["afl"] = rest
        rest = rest[fields.size :]
    if rest and (fields is None or fields.fragment_number <= 1):
        header = transport.parse(rest, wired=sender is None)
        layers["transport"] = rest
        meter = meter_address(header, sender, extension)
    return Walked(raw, frame, layers, fields, header, meter)


WALKED: Final = [_walk(bytes.fromhex(message["frame_hex"])) for message in MESSAGES if message["frame_hex"]]
WHOLE: Final = [
    walked
    for walked in WALKED
    if walked.header is not None and (walked.afl is None or walked.afl.fragment_number == 0)
]
"""Those that hold a whole message."""
SENDERS: Final = list(
    dict.fromkeys(walked.frame.address for walked in WALKED if isinstance(walked.frame, LinkFrame))
)


def at_layer(name: str) -> list[bytes]:
    """Return the bytes from each layer of that name on."""
    return [walked.layers[name] for walked in WALKED if name in walked.layers]
