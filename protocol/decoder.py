"""Decoder: the ordered steps from a frame to a telegram, and what one telegram teaches for the next.

    step             reads                       may end the way up with
    link extension   ELL, decrypts behind it     key_missing, key_wrong, incomplete, unsupported
    network          NWL, stepped over
    authentication   AFL, joins fragments        incomplete
    transport        header, who is the meter    incomplete
    security         decrypts, verifies          every outcome
    replay           counters                    replayed
    application      records, readings

Link-layer errors are the only ones that leave no telegram. All that is remembered is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from protocol import afl as afl_layer
from protocol import ell as ell_layer
from protocol import identification, link, nwl, security, transport, wired
from protocol.address import Address
from protocol.application import RECORDS_FROM_DEVICE, Content, parse_content
from protocol.application_fields import tls_fields
from protocol.ci import AFL_CODE, ELL_CODES, NWL_CODE
from protocol.cipher_inputs import message_counter, meter_address
from protocol.ciphers import CCM_TAG_BYTES, SecretKey
from protocol.compact import FormatCache
from protocol.continuation import Continuations, readings_behind
from protocol.errors import InvalidField, ProtocolError, Unsupported
from protocol.keys import Keyring
from protocol.link import LinkFrame
from protocol.notes import DOUBTFUL
from protocol.outcome import Outcome
from protocol.readings import readings
from protocol.reassembly import Reassembler
from protocol.records import parse_records
from protocol.replay import COUNTER_RUNS_OUT, ReplayGuard
from protocol.security import CCM_MODE, TLS_MODE, Opened
from protocol.telegram import Problem, Telegram
from protocol.transport import TransportHeader
from protocol.way import Way
from protocol.wired import WiredFrame

_READABLE: Final = frozenset({Outcome.PLAIN, Outcome.DECRYPTED, Outcome.ALREADY_DECRYPTED})
"""Outcomes that give all of the application data."""

_STATE_KEYS: Final = ("formats", "fragments", "continuations", "counters")


class Decoder:
    """Decodes telegrams one after another.

    Args:
        keyring: keys of the meters.
        strict: do not accept payloads that were decrypted before.
        state: what ``state`` of another decoder returned.

    Raises:
        InvalidField: the state is not one.
    """

    def __init__(
        self,
        keyring: Keyring | None = None,
        *,
        strict: bool = False,
        state: Mapping[str, object] | None = None,
    ) -> None:
        self._keyring = Keyring() if keyring is None else keyring
        self._strict = strict
        saved = {name: _mapping(state or {}, name) for name in _STATE_KEYS}
        self._formats = FormatCache(saved["formats"])
        self._reassembler = Reassembler()
        self._reassembler.restore(saved["fragments"])
        self._replay_guard = ReplayGuard(_counters(saved["counters"]))
        self._continuations = Continuations(saved["continuations"])

    def state(self) -> dict[str, object]:
        """Return what telegrams taught as plain data: formats, unfinished messages, counters; no keys."""
        return {
            "formats": self._formats.state(),
            "fragments": self._reassembler.state(),
            "continuations": self._continuations.state(),
            "counters": self._replay_guard.state(),
        }

    def untaught(self) -> Decoder:
        """Return a decoder with the same keys that no telegram has taught anything."""
        return Decoder(self._keyring, strict=self._strict)

    def decode(
        self,
        frame: bytes,
        *,
        is_wired: bool = False,
        may_be_knx: bool = True,
        own_keys: Sequence[SecretKey] = (),
        now_s: float | None = None,
    ) -> Telegram:
        """Decode a frame.

        Args:
            frame: CRC-less wireless frame, or whole wired frame.
            is_wired: which of the two.
            may_be_knx: see `link.parse`.
            own_keys: keys that are known to belong to this frame, tried first.
            now_s: time of the frame in seconds since any instant, None when unknown.

        Raises:
            ProtocolError: the link layer cannot be read.
        """
        parsed = wired.parse(frame) if is_wired else link.parse(frame, may_be_knx=may_be_knx)
        return self.decode_frame(parsed, own_keys=own_keys, now_s=now_s)

    def decode_frame(
        self,
        frame: LinkFrame | WiredFrame,
        *,
        own_keys: Sequence[SecretKey] = (),
        now_s: float | None = None,
    ) -> Telegram:
        """Decode what a frame carries; arguments as for `decode`, never raises."""
        way = Way(frame, own_keys, now_s)
        try:
            self._walk(way)
        except ProtocolError as error:
            way.problem = Problem(error.layer, error.reason)
            if way.outcome is Outcome.PLAIN:
                is_unknown = isinstance(error, Unsupported)
                way.outcome = Outcome.UNSUPPORTED if is_unknown else Outcome.INCOMPLETE
        return way.telegram()

    def _walk(self, way: Way) -> None:
        """Take the steps in order, up to the one that ends the way."""
        if not way.rest:
            return
        if way.sender is not None and way.rest[0] in ELL_CODES and not self._link_extension(way):
            return
        way.payload = way.rest
        if way.rest[:1] == _NWL:
            way.nwl = nwl.parse(way.rest)
            way.rest = way.rest[way.nwl.size :]
            way.notes.append("network_layer_skipped")
        if way.rest[:1] == _AFL:
            if not self._authentication(way):
                return
        elif not way.rest:
            return
        self._transport(way)
        self._security(way)
        self._application(way)

    def _link_extension(self, way: Way) -> bool:
        """Read the ELL and decrypt what follows it; False if that cannot be."""
        ell = way.ell = ell_layer.parse(way.rest)
        behind = way.rest[ell.size :]
        if ell.payload_crc is None:
            way.rest = behind
            return True
        assert isinstance(way.frame, LinkFrame)
        keys = self._keys(way, way.sender, ell.receiver)
        sender = way.frame.address.link_bytes(way.frame.address_order)
        try:
            opened = ell_layer.open_payload(ell, behind, sender, keys, strict=self._strict)
            if len(keys) > 1 and opened[0] is Outcome.DECRYPTED:
                each = (ell_layer.open_payload(ell, behind, sender, (key,)) == opened for key in keys)
                way.candidate = list(each).index(True)
        except InvalidField as error:
            # The bytes are plain and were altered: they have an outcome, but nothing to believe.
            way.problem = Problem(error.layer, error.reason)
            return False
        way.outcome, way.rest = opened
        if way.outcome is Outcome.UNSUPPORTED:
            way.problem = Problem("ell", "encryption_impossible")
        way.ell_outcome = way.outcome
        return way.outcome in _READABLE

    def _authentication(self, way: Way) -> bool:
        """Read the AFL; False while fragments of the message are missing."""
        afl = way.afl = afl_layer.parse(way.rest)
        part = way.rest[afl.size :]
        if not afl.fragment_number:
            way.message_afl, way.rest = afl, part
            return True
        assembled = self._reassembler.push(way.sender_name, afl, part, way.now_s)
        way.notes += assembled.notes
        way.message_afl = assembled.afl
        if assembled.message is not None:
            way.rest = assembled.message
            return True
        way.outcome = Outcome.INCOMPLETE
        if afl.fragment_number == 1:
            way.rest = part
            self._transport(way)
        return False

    def _transport(self, way: Way) -> None:
        header = way.header = transport.parse(way.rest, wired=way.sender is None)
        if way.direction is None:
            way.direction = header.row.direction
        way.meter = meter_address(header, way.sender, way.ell)

    def _security(self, way: Way) -> None:
        """Open the message, and judge its counter if it is authentic."""
        header, afl = way.header, way.message_afl
        assert header is not None
        way.counter = message_counter(header, afl)
        # A plain telegram needs no key; it is looked up for the name alone.
        is_locked = header.mode > 0 or (afl is not None and afl.mac is not None)
        keys = self._keys(way, way.meter, way.sender) if is_locked or self._keyring.has_names else ()
        is_vendor_order = isinstance(way.frame, LinkFrame) and way.frame.address_order == "vendor"
        opened = way.opened = security.open_message(
            header,
            way.rest,
            keys=keys,
            meter=way.meter,
            afl=afl,
            strict=self._strict,
            vendor_order=is_vendor_order,
        )
        way.outcome = way.ell_outcome if opened.outcome is Outcome.PLAIN else opened.outcome
        if opened.problem is not None:
            way.problem = Problem("security", opened.problem)
        if opened.key is not None:
            if len(keys) > 1:
                way.candidate = keys.index(opened.key)
            if opened.authenticated:
                self._check_counter(way, opened.key)

    def _check_counter(self, way: Way, key: SecretKey) -> None:
        if way.counter is None or way.meter is None:
            return
        freshness = self._replay_guard.check(way.meter, key, way.counter, way.direction or "M2O")
        if freshness == "replayed":
            way.outcome = Outcome.REPLAYED
        elif freshness == "repeated":
            way.notes.append("message_repeated")
        if way.counter >= COUNTER_RUNS_OUT:
            way.notes.append("counter_runs_out")

    def _application(self, way: Way) -> None:
        """Read the application data, or what was never encrypted of them."""
        header, opened = way.header, way.opened
        assert header is not None and opened is not None
        plaintext = opened.plaintext
        is_opaque = way.outcome is Outcome.UNSUPPORTED and header.configuration is None
        is_partial = way.outcome not in _READABLE and not is_opaque
        if way.outcome is Outcome.REPLAYED:
            plaintext = _never_encrypted(header, way.rest, opened)
        elif opened.candidate:
            records = parse_records(opened.candidate).records
            if records and all(
                record.problem is None and DOUBTFUL.isdisjoint(record.notes) for record in records
            ):
                way.outcome, way.problem = Outcome.PLAIN, None
                way.notes.append("vendor_plain_records")
                plaintext, is_partial = opened.candidate, False
                size = len(way.rest) - len(plaintext)
                header = way.header = replace(header, configuration=None, size=size)
        protocol = header.row.protocol
        if is_partial and header.mode == TLS_MODE:
            named = tls_fields(way.rest[header.size :])
            way.content = Content(protocol, b"", fields={"tls": named}, is_partial=True)
            return
        if is_partial and not plaintext:
            return
        if opened.problem == "content_malformed":
            return
        device = way.meter.raw.hex() if way.meter is not None else way.sender_name.hex()
        content = parse_content(protocol, header.ci, plaintext, self._formats, device, is_partial=is_partial)
        way.content = content
        if content.problem is not None:
            way.problem = Problem("application", content.problem)
        way.notes += content.notes
        if content.records is not None:
            self._read(way, content)

    def _read(self, way: Way, content: Content) -> None:
        """Make readings of the records, together with those of earlier telegrams that they continue."""
        records = content.records
        assert records is not None and way.header is not None
        whole = records.whole
        if whole is not records.records:
            way.notes.append("records_left_over")
        if way.header.address is None:
            way.meter = identification.meter_address(whole) or way.meter
        device_type = None if way.meter is None else way.meter.device_type
        if (records.more_follows or self._continuations) and content.protocol == RECORDS_FROM_DEVICE:
            device = way.sender_name if way.meter is None else way.meter.raw
            before = self._continuations.records_before(device, content.plaintext, records)
            if records.more_follows:
                way.notes.append("more_records_follow")
            if before:
                way.notes.append("records_continued")
                way.readings = readings_behind(before, records, device_type)
                return
        way.readings = readings(whole, device_type)

    def _keys(self, way: Way, device: Address | None, other: Address | None) -> Sequence[SecretKey]:
        """Return the candidate keys of a layer, those that came with the frame first, and take its name."""
        keys, way.name = self._keyring.candidates(device, other)
        return tuple(dict.fromkeys((*way.own_keys, *keys))) if way.own_keys else keys


_NWL: Final = bytes((NWL_CODE,))
_AFL: Final = bytes((AFL_CODE,))


def _never_encrypted(header: TransportHeader, message: bytes, opened: Opened) -> bytes:
    """Return the part of an authentic message that anybody can read."""
    tag_bytes = CCM_TAG_BYTES if header.mode == CCM_MODE and opened.region else 0
    return message[header.size + len(opened.region) + tag_bytes :]


def _mapping(state: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = state.get(name, {})
    if not isinstance(part, Mapping) or not all(isinstance(key, str) for key in part):
        raise InvalidField("application", "state_invalid", f"{name} of a state must be a table")
    return part


def _counters(saved: Mapping[str, object]) -> dict[str, int]:
    counters = {}
    for device, counter in saved.items():
        if not isinstance(counter, int) or isinstance(counter, bool):
            raise InvalidField("application", "state_invalid", f"counter of {device} is no number")
        counters[device] = counter
    return counters
