"""Compact frames: the data of all records without their headers, and the formats that explain them.

    compact frame  79 7B 73   format signature (2) | full-frame CRC (2) | data of all records
    format frame   69 6A 6B   length (1) | format signature (2) | DIB and VIB of all records

The format signature is the CRC of all headers in a row, the full-frame CRC that of the whole
records; fillers and manufacturer data count in neither. Both are low byte first. A format is learnt
from any full frame or format frame of a device, and proves itself: its CRC is its name.
Source: EN 13757-3; built-in formats found in field telegrams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from protocol.crc import crc16
from protocol.dif import SPECIAL
from protocol.errors import Incomplete, InvalidField
from protocol.fields import unsigned
from protocol.lvar import LVAR
from protocol.notes import Note
from protocol.record_header import dib_end, parse_header
from protocol.records import DataRecord
from protocol.values import hex_bytes
from protocol.vif import vib_end

_HEADER_BYTES: Final = 4
_FORMAT_HEADER_BYTES: Final = 3
_MOST_HEADER_BYTES: Final = 0xFF - 2
"""What a format frame can hold; no longer format is remembered."""
_MOST_DEVICES: Final = 1 << 16
_MOST_FORMATS_OF_DEVICE: Final = 16
_MOST_FORMATS: Final = 1 << 12
_MOST_FORMATS_OF_SIGNATURE: Final = 8

# Devices that send nothing but compact frames; the last one is printed as the example of the method.
BUILT_IN_FORMATS: Final = tuple(
    bytes.fromhex(headers)
    for headers in (
        "02FF20 0413 4413 615B 6167",  # Kamstrup water
        "02FF20 0413 4413 615B 5167",  # Kamstrup water
        "02FF20 0413 4413",  # Kamstrup water
        "02FF20 0413 523B",  # Kamstrup water
        "02FF20 0413 92013B A1015B 8101E7FF0F",  # Kamstrup water
        "02FF20 0413 4413 A1015B 8101E7FF0F",  # Kamstrup water
        "02FF20 0413 4413 426C 523B 615B 6167 5167 8101E7FF0F 06FF1B",  # Kamstrup water
        "04FF23 4413 523B 06FF1B 426C 6167 5167 023B 0413 8101E7FF0F",  # Kamstrup water
        "426C 4413 01FD17 840113 C40113 840213 C40213 840313 C40313 840413 C40413 840513 C40513"
        " 840613 C40613 840713 C40713 840813 046D 0413",  # Engelmann water
        "0405 04FB8275 04853C 04FB82F53C 01FD17",  # electricity
    )
)


@dataclass(frozen=True, slots=True)
class CompactFrame:
    """Body of a compact frame.

    Attributes:
        signature: names the format.
        full_frame_crc: CRC of the records with their headers.
        data: data of all records, fillers of the cipher behind them.
    """

    signature: int
    full_frame_crc: int
    data: bytes


def parse_compact(body: bytes) -> CompactFrame:
    """Decode the body of a compact frame, from the format signature on.

    Raises:
        Incomplete: less than signature and CRC.
    """
    if len(body) < _HEADER_BYTES:
        raise Incomplete("application", "truncated", "compact frame without signature", offset=len(body))
    return CompactFrame(
        int.from_bytes(body[:2], "little"),
        int.from_bytes(body[2:_HEADER_BYTES], "little"),
        body[_HEADER_BYTES:],
    )


def encode_compact(frame: CompactFrame) -> bytes:
    """Encode the body of a compact frame; the opposite of ``parse_compact``.

    Raises:
        InvalidField: signature or CRC is not two bytes.
    """
    signature = unsigned("application", "format signature", frame.signature, 2)
    return signature + unsigned("application", "full-frame CRC", frame.full_frame_crc, 2) + frame.data


def compact_frame_of(records: Sequence[DataRecord]) -> CompactFrame:
    """Return the compact frame that carries records."""
    return CompactFrame(
        signature=crc16(headers_of(records)),
        full_frame_crc=crc16(b"".join([record.header.dib_vib + record.raw for record in records])),
        data=b"".join([record.raw for record in records]),
    )


def headers_of(records: Sequence[DataRecord]) -> bytes:
    """Return the headers of records in a row, the format of their message."""
    return b"".join([record.header.dib_vib for record in records])


def parse_format(body: bytes) -> bytes:
    """Return the headers in the body of a format frame.

    Whether the length counts the signature is not public; the signature decides.

    Raises:
        Incomplete: the body is shorter than its length says.
        InvalidField: the headers do not have the signature, or are no headers.
    """
    if len(body) <= _FORMAT_HEADER_BYTES:
        raise Incomplete("application", "truncated", "format frame without headers", offset=len(body))
    length_bytes, signature = body[0], int.from_bytes(body[1:_FORMAT_HEADER_BYTES], "little")
    for end in (_FORMAT_HEADER_BYTES + length_bytes, 1 + length_bytes):
        headers = body[_FORMAT_HEADER_BYTES:end]
        if end <= len(body) and headers and crc16(headers) == signature:
            if sum(map(len, split_headers(headers))) != len(headers):
                break
            return headers
    raise InvalidField("application", "format_invalid", "format frame does not fit its signature", offset=1)


def encode_format(headers: bytes) -> bytes:
    """Encode the body of a format frame; the length counts signature and headers.

    Raises:
        InvalidField: more headers than the length can count.
    """
    if len(headers) > _MOST_HEADER_BYTES:
        raise InvalidField("application", "format_invalid", f"{len(headers)} bytes of headers")
    return bytes((2 + len(headers),)) + crc16(headers).to_bytes(2, "little") + headers


def split_headers(headers: bytes) -> list[bytes]:
    """Return the single headers of a format, up to the first that is not whole."""
    found, start = [], 0
    while start < len(headers):
        if headers[start] & 0x0F == SPECIAL:
            break
        try:
            end = vib_end(headers, dib_end(headers, start))
        except IndexError:
            break
        found.append(headers[start:end])
        start = end
    return found


def full_frame(headers: bytes, frame: CompactFrame) -> bytes | None:
    """Return the records of a compact frame in this format, or None if they do not fit its CRC.

    What stands behind the records (fillers, manufacturer data) is appended as it is.
    """
    data = frame.data
    parts: list[bytes] = []
    start = 0
    for dib_vib in split_headers(headers):
        length_bytes = parse_header(dib_vib).length_bytes
        if length_bytes is None:
            content = LVAR.get(data[start]) if start < len(data) else None
            if content is None:
                return None
            length_bytes = 1 + content[1]
        parts += (dib_vib, data[start : start + length_bytes])
        start += length_bytes
    if start > len(data):
        return None
    records = b"".join(parts)
    return records + data[start:] if crc16(records) == frame.full_frame_crc else None


_BUILT_IN: Final = {crc16(headers): (headers,) for headers in BUILT_IN_FORMATS}


class FormatCache:
    """The formats that devices have shown, in bounded memory.

    Args:
        state: what ``state`` of another cache returned.

    Raises:
        InvalidField: the state is not one.
    """

    __slots__ = ("_formats", "_of_device", "_signatures")

    def __init__(self, state: Mapping[str, object] | None = None) -> None:
        self._formats: dict[int, tuple[bytes, ...]] = {}
        self._of_device: dict[str, tuple[bytes, ...]] = {}
        self._signatures: dict[bytes, int] = {}
        for device, formats in (state or {}).items():
            if not isinstance(formats, list):
                raise InvalidField("application", "state_invalid", f"formats of {device} are not a list")
            for headers in formats:
                self.learn(device, hex_bytes(headers))

    def learn(self, device: str, headers: bytes) -> None:
        """Remember the format of a full frame or a format frame.

        Args:
            device: text that names the device, always the same for the same one.
            headers: all headers in a row, as ``headers_of`` or ``parse_format`` give them.
        """
        known = self._of_device.get(device, ())
        if headers in known or not 0 < len(headers) <= _MOST_HEADER_BYTES:
            return
        self._remember(headers)
        if not known and len(self._of_device) >= _MOST_DEVICES:
            # Many at once: to find the oldest of a dictionary passes by all that were deleted before it.
            for oldest in list(islice(self._of_device, _MOST_DEVICES // 4)):
                del self._of_device[oldest]
        self._of_device[device] = (*known[-_MOST_FORMATS_OF_DEVICE + 1 :], headers)

    def learn_records(self, device: str, records: Sequence[DataRecord]) -> None:
        """Remember the format of a full frame, if all its records are whole."""
        headers = headers_of(records)
        if headers in self._of_device.get(device, ()):
            return
        if all(record.problem is None and record.header.vib.raw for record in records):
            self.learn(device, headers)

    def expand(self, device: str, frame: CompactFrame) -> bytes | Note:
        """Return the records of a compact frame, or the note that says why there are none.

        Formats of the device itself come first, then those of any device and the built-in ones; the
        full-frame CRC decides.
        """
        tried = False
        for headers in self._candidates(device, frame.signature):
            tried = True
            records = full_frame(headers, frame)
            if records is not None:
                self.learn(device, headers)
                return records
        return Note.COMPACT_CRC_MISMATCH if tried else Note.COMPACT_FORMAT_UNKNOWN

    def records_in_format(self, device: str, signature: int, headers: bytes) -> int:
        """Return how many records of an expanded frame its format holds; others may follow behind them.

        Args:
            device: as for ``expand``, which has just learnt the format that fits.
            signature: of the frame.
            headers: all headers of the expanded frame in a row.
        """
        for known in reversed(self._of_device.get(device, ())):
            if headers.startswith(known) and crc16(known) == signature:
                return len(split_headers(known))
        return 0

    def state(self) -> dict[str, list[str]]:
        """Return what was learnt as plain data: device to its formats in hex."""
        return {device: [headers.hex() for headers in formats] for device, formats in self._of_device.items()}

    def _candidates(self, device: str, signature: int) -> Iterator[bytes]:
        tried = set()
        for source in (
            self._of_device.get(device, ()),
            self._formats.get(signature, ()),
            _BUILT_IN.get(signature, ()),
        ):
            for headers in reversed(source):
                if headers not in tried and crc16(headers) == signature:
                    tried.add(headers)
                    yield headers

    def _remember(self, headers: bytes) -> None:
        """Keep a format for every device."""
        if headers in self._signatures:
            return
        if len(self._signatures) >= _MOST_FORMATS:
            self._forget(next(iter(self._signatures)))
        signature = crc16(headers)
        same = self._formats.get(signature, ())
        if len(same) >= _MOST_FORMATS_OF_SIGNATURE:
            self._forget(same[0])
        self._signatures[headers] = signature
        self._formats[signature] = (*self._formats.get(signature, ()), headers)

    def _forget(self, headers: bytes) -> None:
        signature = self._signatures.pop(headers)
        kept = tuple(other for other in self._formats[signature] if other != headers)
        if kept:
            self._formats[signature] = kept
        else:
            del self._formats[signature]
