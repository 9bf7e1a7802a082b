"""From the description of a telegram to its frame: the steps of the decoder the other way round.

    content     application data                  given
    message     header | content, sealed          `build_message`, needs the key
    fragments   AFL | part of the message
    session     NWL, AFL and message, sealed      ELL, needs the key of the link
    frame       link layer, block CRCs            `build_frame`

A description holds what the layers say, and nothing that can be computed: no ciphertext, MAC or CRC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from protocol import ell as ell_layer
from protocol import link, wired
from protocol.address import Address, AddressOrder
from protocol.afl import Afl
from protocol.cipher_inputs import meter_address
from protocol.ciphers import SecretKey
from protocol.ell import ENCRYPTION_NONE, Ell
from protocol.errors import InvalidField
from protocol.frame_format import FrameFormat
from protocol.nwl import Nwl
from protocol.sealing import seal_message
from protocol.security import CCM_MODE, VERIFICATION
from protocol.transport import TransportHeader


@dataclass(frozen=True, slots=True)
class Description:
    """What a frame is made from.

    Attributes:
        c_field: C-field; None for the single character of wired frames.
        sender: address of a wireless frame, None for a wired one.
        address_order: how the sender arranges its address.
        address_field: A-field of a wired frame.
        frame_format: format whose block CRCs are added to a wireless frame; None for none.
        ell: extended link layer; its payload CRC is computed.
        nwl: network layer.
        afl: authentication and fragmentation layer of this frame; its MAC is computed.
        header: transport header.
        content: application data; None where they are not known.
        fragment_bytes: bytes of the message in this frame, if it is a fragment.
        link_is_open: leave what the ELL announces as encrypted in plain.
        message_is_open: leave what the transport header announces as encrypted in plain.
    """

    c_field: int | None
    sender: Address | None = None
    address_order: AddressOrder = "standard"
    address_field: int | None = None
    frame_format: FrameFormat | None = None
    ell: Ell | None = None
    nwl: Nwl | None = None
    afl: Afl | None = None
    header: TransportHeader | None = None
    content: bytes | None = None
    fragment_bytes: int | None = None
    link_is_open: bool = False
    message_is_open: bool = False

    @property
    def meter(self) -> Address | None:
        """The device whose key seals the message."""
        if self.header is None:
            return self.sender
        return meter_address(self.header, self.sender, self.ell)


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """The keys of one telegram, None where none is known.

    Attributes:
        link: key of the session of the ELL.
        message: key of the transport layer.
    """

    link: SecretKey | None = None
    message: SecretKey | None = None


def build(description: Description, keys: SealingKeys) -> bytes:
    """Make a frame that holds a whole message, or none.

    Raises:
        InvalidField: something is missing or does not fit.
        Unsupported: a security mode that cannot be made here.
    """
    if description.header is None:
        return build_frame(description, b"", description.afl, keys)
    message, afl = build_message(description, keys)
    return build_frame(description, message, afl, keys)


def build_fragments(
    whole: Description, fragments: Mapping[int, Description], keys: SealingKeys
) -> dict[int, bytes]:
    """Make the parts of a message that its fragments carry, by their numbers.

    Args:
        whole: description that has the header and the content: the last fragment's.
        fragments: description of each fragment by its number, from 1.
        keys: its keys.

    Raises:
        InvalidField: fragments are missing, or their sizes do not make the message.
        Unsupported: a security mode that cannot be made here.
    """
    sizes = [description.fragment_bytes or 0 for _, description in sorted(fragments.items())]
    first = fragments.get(1)
    if first is None or first.afl is None or whole.afl is None or sorted(fragments)[-1] != len(fragments):
        raise InvalidField("afl", "fragments_invalid", "fragments of the message are missing")
    afl = replace(first.afl, mac=whole.afl.mac)
    message, sealed = build_message(replace(whole, afl=afl), keys)
    if sum(sizes) != len(message):
        text = f"fragments of {sum(sizes)} bytes do not make a message of {len(message)}"
        raise InvalidField("afl", "fragments_invalid", text)
    parts, at = {}, 0
    for number, size in enumerate(sizes, start=1):
        layer = fragments[number].afl
        assert layer is not None and sealed is not None
        if number == len(sizes):
            layer = replace(layer, mac=sealed.mac)
        parts[number] = layer.encode() + message[at : at + size]
        at += size
    return parts


def build_message(description: Description, keys: SealingKeys) -> tuple[bytes, Afl | None]:
    """Seal the message of a description; return it from its CI-field on, and its AFL with the MAC.

    Raises:
        InvalidField: something is missing or does not fit.
        Unsupported: a security mode that cannot be made here.
    """
    header, content = description.header, description.content
    if header is None or content is None:
        raise InvalidField("security", "encryption_impossible", "the application data are not known")
    if header.configuration is None and header.access_number is not None and header.status is not None:
        # A maker's own short header, without a configuration field.
        return bytes((header.ci, header.access_number, header.status)) + content, description.afl
    if not description.message_is_open:
        return seal_message(header, content, key=keys.message, meter=description.meter, afl=description.afl)
    afl = description.afl
    if afl is not None and afl.mac is not None:
        _, afl = seal_message(header, content, key=keys.message, meter=description.meter, afl=afl)
    verification = b"" if header.mode == CCM_MODE else VERIFICATION
    return header.encode() + verification + content, afl


def build_frame(description: Description, message: bytes, afl: Afl | None, keys: SealingKeys) -> bytes:
    """Put the lower layers of a description around a message."""
    return wrap(description, (b"" if afl is None else afl.encode()) + message, keys)


def wrap(description: Description, payload: bytes, keys: SealingKeys) -> bytes:
    """Put link layer, ELL and NWL of a description around its AFL and message, or a fragment of it.

    Raises:
        InvalidField: something is missing or does not fit.
    """
    if description.nwl is not None:
        payload = description.nwl.encode() + payload
    if description.sender is None:
        if description.c_field is None or description.address_field is None:
            return bytes((wired.ACK,))
        return wired.build(description.c_field, description.address_field, payload).encode()
    if description.c_field is None:
        raise InvalidField("link", "header_incomplete", "a wireless frame needs a C-field")
    if description.ell is not None:
        sender = description.sender.link_bytes(description.address_order)
        sealed, payload = _seal_session(description, description.ell, payload, sender, keys)
        payload = sealed.encode() + payload
    frame = link.build(
        description.c_field, description.sender, payload, address_order=description.address_order
    ).encode()
    return frame if description.frame_format is None else link.add_crcs(frame, description.frame_format)


def _seal_session(
    description: Description, ell: Ell, payload: bytes, sender: bytes, keys: SealingKeys
) -> tuple[Ell, bytes]:
    if not description.link_is_open:
        return ell_layer.seal_payload(ell, payload, sender, keys.link)
    session_number = (ell.session_number or 0) & 0x1FFFFFFF | ENCRYPTION_NONE << 29
    opened, payload = ell_layer.seal_payload(
        replace(ell, session_number=session_number), payload, sender, None
    )
    return replace(ell, payload_crc=opened.payload_crc), payload
