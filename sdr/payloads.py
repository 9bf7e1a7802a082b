"""DLMS/COSEM and SML inside a telegram, which are no M-Bus records.

    protocol   CI-fields            module            library
    dlms       00-1F 60 61 7C 7D    payload_dlms.py   none
    sml        64 65 7E 7F          payload_sml.py    smllib, the extra omsdr[sml] (GPL-3.0-or-later)

Telegrams come from anybody and a library may trust its input: it is held to the bytes that are there,
and whatever it raises becomes a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import Final

from protocol.scale import Scale
from protocol.telegram import Telegram

Value = int | float | Decimal | str | datetime | None

READERS: Final = {"dlms": "sdr.payload_dlms", "sml": "sdr.payload_sml"}
"""Module that reads each protocol; importing it may need a library."""

NOTES: Final = {
    "sml_library_missing": "an SML payload was not read: pip install omsdr[sml]",
    "payload_encrypted": "a DLMS/COSEM payload has its own encryption, whose keys are not known here",
    "payload_unsupported": "a kind of message or of value that is not read",
    "payload_malformed": "the payload is cut, or is none of its protocol",
    "payload_bytes_left_over": "bytes behind the payload that are no fillers were not read",
}
"""Closed vocabulary of `PayloadReadings.notes`."""

_UNSPECIFIED: Final = "unspecified"

UNITS: Final = {
    4: ("d", _UNSPECIFIED),
    5: ("h", _UNSPECIFIED),
    6: ("min", _UNSPECIFIED),
    7: ("s", _UNSPECIFIED),
    8: ("deg", _UNSPECIFIED),
    9: ("degC", _UNSPECIFIED),
    13: ("m3", "volume"),
    14: ("m3", "volume"),
    15: ("m3/h", "volume flow"),
    16: ("m3/h", "volume flow"),
    17: ("m3/d", "volume flow"),
    18: ("m3/d", "volume flow"),
    19: ("l", "volume"),
    20: ("kg", "mass"),
    23: ("Pa", "pressure"),
    24: ("bar", "pressure"),
    25: ("J", "energy"),
    26: ("J/h", "power"),
    27: ("W", "power"),
    28: ("VA", "apparent power"),
    29: ("var", "reactive power"),
    30: ("Wh", "energy"),
    31: ("VAh", "apparent energy"),
    32: ("varh", "reactive energy"),
    33: ("A", "current"),
    35: ("V", "voltage"),
    44: ("Hz", "frequency"),
    52: ("K", _UNSPECIFIED),
    56: ("%", _UNSPECIFIED),
    57: ("Ah", _UNSPECIFIED),
}
"""Unit and quantity of the COSEM unit codes that meters use. Source: IEC 62056-6-2, table of units."""


class PayloadUnsupported(Exception):
    """A payload that is recognised, of a kind that is not decoded."""


@dataclass(frozen=True, slots=True)
class PayloadReading:
    """One value of a payload.

    Attributes:
        obis: OBIS code such as ``1-0:1.8.0*255``, None where the payload does not name the value.
        quantity: word of the vocabulary of readings, as far as the unit tells it.
        value: scaled exactly; bytes that are no text are hex.
        unit: unit in ASCII, None without one.
        at: time of the value where the payload tells it.
    """

    obis: str | None
    quantity: str
    value: Value
    unit: str | None = None
    at: datetime | None = None

    @property
    def name(self) -> str:
        """What people call it: the OBIS code, else the quantity."""
        return self.obis or self.quantity


@dataclass(frozen=True, slots=True)
class PayloadReadings:
    """What a payload says.

    Attributes:
        protocol: ``dlms`` or ``sml``.
        readings: its values in order.
        notes: words of `NOTES`.
    """

    protocol: str
    readings: tuple[PayloadReading, ...] = ()
    notes: tuple[str, ...] = ()


def payload_of(telegram: Telegram) -> PayloadReadings | None:
    """Read the application data of a telegram whose protocol is not M-Bus; None for other telegrams."""
    content = telegram.content
    if content is None or content.is_partial or content.protocol not in READERS:
        return None
    return decode_payload(content.protocol, content.plaintext)


def decode_payload(protocol: str, data: bytes) -> PayloadReadings | None:
    """Read the application data of a protocol that is not M-Bus; never raises.

    Args:
        protocol: word of `protocol.ci.PROTOCOLS`.
        data: decrypted application data, perhaps with idle fillers behind them.

    Returns:
        Its readings, or the note why there are none; None for other protocols.
    """
    if protocol not in READERS:
        return None
    try:
        reader = import_module(READERS[protocol])
    except ImportError:
        return PayloadReadings(protocol, notes=(f"{protocol}_library_missing",))
    try:
        found: PayloadReadings = reader.read(data)
    except PayloadUnsupported:
        return PayloadReadings(protocol, notes=("payload_unsupported",))
    except Exception:
        # Whatever the library raises for bytes that it does not expect.
        return PayloadReadings(protocol, notes=("payload_malformed",))
    return found


def payload_reading(
    obis: str | None,
    value: Value,
    *,
    scaler: int | None = None,
    unit: int | None = None,
    at: datetime | None = None,
) -> PayloadReading:
    """Return a reading from what both protocols have.

    Args:
        obis: OBIS code.
        value: as coded.
        scaler: exponent of ten.
        unit: COSEM unit code.
        at: time of the value.
    """
    name, quantity = UNITS.get(-1 if unit is None else unit, (None, _UNSPECIFIED))
    if isinstance(value, int):
        value = Scale(scaler or 0).apply(int(value))
    return PayloadReading(obis, quantity, value, name, at)
