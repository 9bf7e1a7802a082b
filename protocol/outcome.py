"""What became of the security of a telegram.

Source: outcome table of the transport security modes; the words are the program's contract.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """Closed vocabulary of ``security.outcome``."""

    PLAIN = "plain"
    """Nothing is encrypted."""
    DECRYPTED = "decrypted"
    ALREADY_DECRYPTED = "already_decrypted"
    """The headers announce encryption, the bytes are plain: someone decrypted them before."""
    INCOMPLETE = "incomplete"
    """Bytes of the message are missing: fragments to come, or less than the header announces."""
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"
    MAC_MISMATCH = "mac_mismatch"
    """The key is right, the message was altered."""
    REPLAYED = "replayed"
    """Authentic, but older than a message seen before."""
    UNSUPPORTED = "unsupported"
    """A security mode whose facts are not public, or one that this program only recognises."""


READ_OUTCOMES: Final = (Outcome.PLAIN, Outcome.DECRYPTED, Outcome.ALREADY_DECRYPTED)
"""Outcomes of telegrams whose content could be read."""
