"""docs/json.md, made of the tables in the code: ``python -m sdr.output.json_docs > docs/json.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Final

from protocol.ci import PROTOCOLS
from protocol.configuration import LAYOUTS
from protocol.ell import ACCESS, CC_BITS, DELAYS
from protocol.outcome import Outcome
from protocol.reasons import REASONS
from protocol.telegram import NOTES
from protocol.transport import APPLICATION_STATES, STATUS_BITS
from protocol.vocabulary import (
    APPLICATION_REASONS,
    FUNCTIONS,
    QUALIFIERS,
    QUANTITIES,
    UNIT_SUFFIXES,
    UNITS,
)
from protocol.vocabulary import NOTES as READING_NOTES
from sdr import payloads
from sdr.output import json_schema
from sdr.reception import INPUT_NOTES, INPUT_REASONS

OUTCOMES: Final = {
    Outcome.PLAIN: "nothing is encrypted",
    Outcome.DECRYPTED: "decrypted with a key of the meter",
    Outcome.ALREADY_DECRYPTED: "the headers announce encryption, but the bytes are plain: decrypted before",
    Outcome.INCOMPLETE: "a fragment whose message is not whole yet, or fewer bytes than the headers announce",
    Outcome.KEY_MISSING: "no key is known for the meter",
    Outcome.KEY_WRONG: "no key fits, or the first encrypted block was altered",
    Outcome.MAC_MISMATCH: "the key is right, but the message was altered",
    Outcome.REPLAYED: "authentic, but older than a message seen before",
    Outcome.UNSUPPORTED: "recognised, but its facts are not public or not built",
}

PHY_REASONS: Final = {
    "sync_not_found": "a burst without a sync word",
    "truncated": "the burst ends before the frame does",
    "length_invalid": "no frame has such an L-field",
    "crc_mismatch": "the CRC of a block does not fit",
    "crc_ambiguous": "the CRCs fit, but so would another reading that is likely",
}
"""Reasons of the receive chain."""

STATUS_FLAGS: Final = (*filter(None, APPLICATION_STATES), *(name for _, name in STATUS_BITS))

_TABLES: Final[tuple[tuple[str, str, Mapping[str, str]], ...]] = (
    ("The line", "", json_schema.LINE_KEYS),
    ("`radio`", "A value that could not be measured is null.", json_schema.RADIO_KEYS),
    ("`link`", "Null are the keys of the address in wired frames.", json_schema.LINK_KEYS),
    ("`meter`", "", json_schema.METER_KEYS),
    ("`ell`", "", json_schema.ELL_KEYS),
    ("`nwl`", "", json_schema.NWL_KEYS),
    ("`afl`", "", json_schema.AFL_KEYS),
    ("`transport`", "", json_schema.TRANSPORT_KEYS),
    ("`security`", "", json_schema.SECURITY_KEYS),
    ("`application`", "All but the first two only where they apply.", json_schema.APPLICATION_KEYS),
    ("`readings`", "", json_schema.READING_KEYS),
    ("`profile` of a reading", "", json_schema.PROFILE_KEYS),
    ("Rejections", "With `--rejects`: what is no telegram.", json_schema.REJECTED_LINE_KEYS),
    ("`rejected`", "", json_schema.REJECTED_KEYS),
)

_INTRODUCTION: Final = """\
# The JSON line

`omsdr replay` and `omsdr decode` write one JSON object a line for each telegram: schema 1. Keys may be
added to it; none is renamed or removed. `omsdr encode` reads the same lines and builds the same bytes;
it never looks at `frame_hex`, `raw_hex` and `plaintext_hex`.

Numbers are exact decimals: read them as such where digits matter. Keys that are marked as absent are
left out, all others are always there. The words below are all that a line can hold: new ones are added
here first. This page is made of the tables in the code (`python -m sdr.output.json_docs`), and a test
compares the two.
"""


WRITTEN_BY_HAND: Final = """\
{"link": {"function": "SND-NR", "manufacturer": "ELS", "id": "12345678", "version": 51, "device_type": 3},
 "transport": {"ci": "7a", "access_number": 42, "security_mode": 5},
 "readings": [{"quantity": "volume", "value": 28504.27, "unit": "m3"},
              {"quantity": "date", "value": "2026-12-31", "storage": 1}]}
"""
"""A telegram for ``omsdr encode``; in a file it stands on one line."""

_BY_HAND: Final = f"""\
# Lines written by hand

`omsdr encode` takes less than a whole line (here on several, in a file it is one):

```json
{WRITTEN_BY_HAND}```

* What is left out has its usual value: no ELL, no AFL, status 0, all of the data encrypted, storage, tariff
  and subunit 0, no block CRCs (`"frame_format": "A"` or `"B"` adds them).
* A reading has `dib_vib` and `value`, or `quantity`, `unit` and `value` in words of the vocabularies below.
* A long header (CI 72, 5b …) names the device of `meter`, which has the keys of an address.
* Security mode 7 takes its counter from `"afl": {{"message_counter": 1}}`, mode 10 from
  `transport.message_counter`.
* A wired frame has `"mode": "wired"` and `"link": {{"function": "RSP-UD", "address_field": 1}}`.
"""


def page() -> str:
    """Return the page."""
    parts = [_INTRODUCTION]
    for title, text, keys in _TABLES:
        parts.append(f"## {title}\n\n{text}{chr(10) * 2 if text else ''}{_table(('key', 'holds'), keys)}")
        if title == "`transport`":
            parts.append(_configuration())
    parts.append(_BY_HAND)
    parts.append("# Vocabularies\n")
    for title, words in _vocabularies():
        body = _table(("word", "means"), words) if isinstance(words, Mapping) else _row(words)
        parts.append(f"## {title}\n\n{body}")
    return "\n".join(parts)


def reading_quantities() -> tuple[str, ...]:
    """Return the words of ``quantity``, those of DLMS and SML included."""
    return tuple(sorted({*QUANTITIES, *(quantity for _, quantity in payloads.UNITS.values())}))


def reading_units() -> tuple[str, ...]:
    """Return the units, those of DLMS and SML included."""
    return tuple(sorted({*UNITS, *(unit for unit, _ in payloads.UNITS.values())}))


def _vocabularies() -> Iterable[tuple[str, Mapping[str, str] | Iterable[str]]]:
    yield "`security.outcome`", {outcome.value: text for outcome, text in OUTCOMES.items()}
    yield "`application.protocol`", PROTOCOLS
    yield "`notes`", {**NOTES, **INPUT_NOTES, **payloads.NOTES}
    yield "`problem.reason` and `rejected.reason`", REASONS
    yield "Reasons of the layer `application`", APPLICATION_REASONS
    yield "Reasons of the layers `phy` and `link` in the air", PHY_REASONS
    yield "Reasons of the layer `input`", INPUT_REASONS
    yield "`status_flags`", STATUS_FLAGS
    yield "`ell.flags`", [name for _, name in CC_BITS]
    yield "`ell.access`", list(ACCESS.values())
    yield "`ell.delay`", list(DELAYS.values())
    yield "`function` of a reading", FUNCTIONS
    yield "`quantity`", reading_quantities()
    yield "`unit`", [*reading_units(), f"or one of them, or 1, with {', '.join(UNIT_SUFFIXES)} behind it"]
    yield "`qualifiers`", QUALIFIERS
    yield "`notes` of a reading", READING_NOTES


def _configuration() -> str:
    """Describe ``configuration``: what all modes have, and the bit fields of each."""
    modes = {
        f"mode {mode}": ", ".join(f"`{bits.name}`" for bits in layout if bits.name != "mode")
        for mode, layout in sorted(LAYOUTS.items())
    }
    return (
        f"### `configuration`\n\n{_table(('key', 'holds'), json_schema.CONFIGURATION_KEYS)}\n"
        f"and the bit fields of the mode, those of one bit as true or false:\n\n"
        f"{_table(('mode', 'keys'), modes, is_code=False)}"
    )


def _table(head: tuple[str, str], rows: Mapping[str, str], *, is_code: bool = True) -> str:
    quote = "`" if is_code else ""
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {quote}{key}{quote} | {text} |" for key, text in rows.items()]
    return "\n".join(lines) + "\n"


def _row(words: Iterable[str]) -> str:
    return " · ".join(word if " behind it" in word else f"`{word}`" for word in words) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
