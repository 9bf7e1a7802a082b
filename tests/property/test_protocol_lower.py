"""Lower layers under hostile and random input: only ProtocolError, and what is built comes back."""

from hypothesis import example, given
from hypothesis import strategies as st

from protocol import address, afl, ci, configuration, ell, link, nwl, tls, transport, wired
from protocol.address import Address, AddressOrder
from protocol.afl import Afl
from protocol.cipher_inputs import meter_address
from protocol.ciphers import SecretKey
from protocol.configuration import LAYOUTS
from protocol.errors import ProtocolError
from protocol.identify import identify
from protocol.link import FrameFormat
from protocol.outcome import Outcome
from protocol.reassembly import Reassembler
from protocol.sealing import seal_message
from protocol.security import Opened, open_message

KEYS = [SecretKey(bytes(range(16))), SecretKey(bytes(8)), SecretKey(bytes(16))]

octets = st.integers(0, 255)
frames = st.binary(max_size=300)
keys_128 = st.binary(min_size=16, max_size=16).map(SecretKey)
addresses = st.binary(min_size=8, max_size=8).map(address.from_link)
counters = st.integers(0, 0xFFFFFFFF)


def decode_payload(sender: Address | None, payload: bytes, *, is_wired: bool, depth: int = 0) -> None:
    """Go down the layers as a receiver does, as far as the bytes allow."""
    if not payload or depth > 8:
        return
    if payload[0] in ci.ELL_CODES and sender is not None:
        layer = ell.parse(payload)
        assert layer.encode() == payload[: layer.size]
        outcome, rest = ell.open_payload(layer, payload[layer.size :], sender.raw, KEYS)
        assert isinstance(outcome, Outcome)
        decode_payload(sender, rest, is_wired=is_wired, depth=depth + 1)
    elif payload[0] == ci.NWL_CODE:
        decode_payload(sender, payload[nwl.parse(payload).size :], is_wired=is_wired, depth=depth + 1)
    elif payload[0] == ci.AFL_CODE:
        fields = afl.parse(payload)
        assert fields.encode() == payload[: fields.size]
        decode_message(sender, payload[fields.size :], fields, is_wired=is_wired)
    else:
        decode_message(sender, payload, None, is_wired=is_wired)


def decode_message(sender: Address | None, message: bytes, fields: Afl | None, *, is_wired: bool) -> Opened:
    header = transport.parse(message, wired=is_wired)
    assert header.encode() == message[: header.size]
    meter = meter_address(header, sender, None)
    opened = open_message(header, message, keys=KEYS, meter=meter, afl=fields)
    assert isinstance(opened.outcome, Outcome)
    assert len(opened.plaintext) <= len(message)
    tls.records(message[header.size :])
    return opened


@given(frames)
@example(bytes.fromhex("2E4493157856341233037A2A0020"))
@example(bytes.fromhex("6820206808"))
def test_random_bytes(data: bytes) -> None:
    try:
        found = identify(data)
        if found.kind == "wired":
            wired_frame = wired.parse(found.frame)
            assert wired_frame.encode() == found.frame
            decode_payload(None, wired_frame.payload, is_wired=True)
        else:
            frame = link.parse(found.frame)
            assert frame.encode() == found.frame
            decode_payload(frame.address, frame.payload, is_wired=False)
    except ProtocolError:
        return


@given(addresses, st.sampled_from(sorted(ci.ELL_CODES)), st.binary(max_size=240))
def test_random_extended_link_layers(sender: Address, code: int, rest: bytes) -> None:
    try:
        decode_payload(sender, bytes((code,)) + rest, is_wired=False)
    except ProtocolError:
        return


@given(addresses, st.binary(max_size=240), st.integers(0, 0xFFFF))
def test_random_authentication_layers(sender: Address, rest: bytes, control: int) -> None:
    data = bytes((ci.AFL_CODE, rest[0] & 31 if rest else 0)) + control.to_bytes(2, "little") + rest
    try:
        decode_payload(sender, data, is_wired=False)
    except ProtocolError:
        return


@given(
    st.none() | addresses,
    octets,
    st.integers(0, 31),
    octets,
    st.binary(max_size=240),
    st.booleans(),
    st.none()
    | st.builds(
        Afl, st.just(0x2C00), octets, st.none() | octets, st.none() | counters, st.binary(max_size=17)
    ),
)
def test_random_messages(
    sender: Address | None, code: int, mode: int, low: int, rest: bytes, is_wired: bool, fields: Afl | None
) -> None:
    header = transport.RADIO_CI[code].header
    lead = {"short": rest[:2].ljust(2), "long": rest[:10].ljust(10)}.get(header, b"")
    message = bytes((code,)) + lead + bytes((low, mode | low & 0xE0)) + rest
    try:
        decode_message(sender, message, fields, is_wired=is_wired)
    except ProtocolError:
        return


@given(st.binary(max_size=300))
def test_random_wired_bytes(data: bytes) -> None:
    for frame in (
        data,
        b"\x68" + bytes((len(data) & 0xFF,)) * 2 + b"\x68" + data + bytes((sum(data) & 0xFF, 0x16)),
    ):
        try:
            assert wired.parse(frame).encode() == frame
        except ProtocolError:
            continue


@given(st.lists(st.tuples(octets, st.integers(0, 6), st.booleans(), st.binary(max_size=40)), max_size=60))
def test_random_fragments(fragments: list[tuple[int, int, bool, bytes]]) -> None:
    reassembler = Reassembler()
    for sender, number, more, part in fragments:
        assembled = reassembler.push(bytes((sender & 3,)), Afl(number | (0x4000 if more else 0)), part)
        assert assembled.message is None or assembled.message.endswith(part)
    again = Reassembler()
    again.restore(reassembler.state())
    assert again.state() == reassembler.state()


# What is built comes back.


@given(octets, addresses, st.binary(max_size=240), st.sampled_from(["A", "B"]))
def test_frames_come_back(code: int, sender: Address, payload: bytes, frame_format: FrameFormat) -> None:
    frame = link.build(code, sender, payload)
    raw = link.add_crcs(frame.encode(), frame_format)
    assert len(raw) == link.air_length(raw[0], frame_format)
    assert link.bad_blocks(raw, frame_format) == ()
    assert link.strip_crcs(raw, frame_format) == frame.encode()


@given(addresses, st.sampled_from(["standard", "vendor", "id_only"]))
def test_addresses_come_back(device: Address, order: AddressOrder) -> None:
    assert address.from_link(device.link_bytes(order), order=order).link_bytes(order) == device.link_bytes(
        order
    )
    assert address.from_transport(device.transport_bytes()) == device
    assert device.version is not None
    assert device.device_type is not None
    assert address.build(device.manufacturer_raw, device.id, device.version, device.device_type) == device


@given(
    st.sampled_from(sorted(LAYOUTS)),
    st.randoms(use_true_random=False),
    st.none() | octets,
    st.none() | counters,
)
def test_configurations_come_back(
    mode: int, random: object, version: int | None, counter: int | None
) -> None:
    draw = random.getrandbits  # type: ignore[attr-defined]
    automatic = {"mode", "key_version_present", "message_counter_present"}
    values = {field.name: draw(field.width) for field in LAYOUTS[mode] if field.name not in automatic}
    if mode not in (7, 10):
        version = counter = None
    built = configuration.build(mode, key_version=version, message_counter=counter, **values)
    assert configuration.parse(built.encode()) == built
    assert built.fields().items() >= values.items()


@given(
    st.sampled_from([2, 4, 5, 7, 10]),
    addresses,
    st.binary(max_size=200),
    octets,
    counters,
    st.integers(0, 15),
    st.sampled_from([0, 3, 4, 5, 6, 7]),
    st.booleans(),
    keys_128,
)
def test_sealed_messages_open(
    mode: int,
    meter: Address,
    plaintext: bytes,
    access_number: int,
    counter: int,
    blocks: int,
    authentication_type: int,
    is_long: bool,
    key: SecretKey,
) -> None:
    if mode == 2:
        key = SecretKey(bytes(range(8)))
    has_mac = bool(authentication_type) and mode != 2
    values = {
        2: {"encrypted_bytes": blocks * 8},
        4: {"encrypted_blocks": blocks},
        5: {"encrypted_blocks": blocks},
        7: {"encrypted_blocks": blocks, "key_derivation": 1},
        10: {"encrypted_bytes": min(blocks, len(plaintext)), "key_derivation": 1, "tag_length": 1},
    }[mode]
    secured = configuration.build(mode, message_counter=counter if mode in (7, 10) else None, **values)
    header = transport.build(0x72 if is_long else 0x7A, access_number, 0, secured, meter=meter)
    layer = afl.build(authentication_type=authentication_type, message_counter=counter) if has_mac else None
    message, sealed = seal_message(header, plaintext, key=key, meter=meter, afl=layer)
    assert transport.parse(message) == header
    opened = open_message(header, message, keys=[key], meter=meter, afl=sealed)
    assert opened.outcome is (Outcome.DECRYPTED if opened.region else Outcome.PLAIN)
    assert opened.plaintext[: len(plaintext)] == plaintext
    assert set(opened.plaintext[len(plaintext) :]) <= {0x2F}
    assert opened.authenticated == (has_mac or (mode == 10 and bool(opened.region)))


@given(
    addresses,
    st.none() | addresses,
    octets,
    octets,
    st.integers(0, 0x3FFFFFFF),
    st.binary(max_size=230),
    keys_128,
)
def test_sealed_sessions_open(
    sender: Address,
    receiver: Address | None,
    cc: int,
    access_number: int,
    session_number: int,
    payload: bytes,
    key: SecretKey,
) -> None:
    layer = ell.Ell(0x8F if receiver else 0x8D, cc, access_number, receiver, session_number, 0)
    sealed, body = ell.seal_payload(layer, payload, sender.raw, key)
    assert ell.parse(sealed.encode() + body) == sealed
    expected = Outcome.DECRYPTED if layer.encryption else Outcome.PLAIN
    assert ell.open_payload(sealed, body, sender.raw, [key], strict=True) == (expected, payload)


@given(st.binary(min_size=2, max_size=600), st.data())
def test_fragments_come_back(message: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(message) - 1), min_size=1, max_size=12)))
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, len(message)], strict=True)]
    layer = afl.build(authentication_type=5, message_counter=1, message_length=len(message))
    reassembler = Reassembler()
    for fields, part in afl.fragment(layer, message, sizes):
        assert afl.parse(fields.encode()) == fields
        assembled = reassembler.push(b"sender", fields, part)
        assert assembled.notes == ()
    assert assembled.message == message
    assert assembled.afl.mac == layer.mac
