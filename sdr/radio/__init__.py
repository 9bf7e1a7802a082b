"""Radios and what stands in for them: one way to open, read and close them all.

open_source ─▶ Source ─stream─▶ Ring ─take─▶ whoever decodes
               (a thread of its own: Reader)
"""

from sdr.radio.opening import list_radios, open_source
from sdr.radio.reader import Reader
from sdr.radio.ring import Piece, Ring
from sdr.radio.source import Deliver, RadioInfo, Source, Tuning

__all__ = [
    "Deliver",
    "Piece",
    "RadioInfo",
    "Reader",
    "Ring",
    "Source",
    "Tuning",
    "list_radios",
    "open_source",
]
