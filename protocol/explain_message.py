"""The fields of a whole message, from its CI-field to its last byte.

    transport header | 2F2F | application data | padding | application data never encrypted
    transport header | application data | tag | application data never encrypted          mode 10
    transport header | encrypted bytes | application data never encrypted                 not opened

Rows carry their layer here: (layer, size, name, meaning).
"""

from __future__ import annotations

from protocol.ciphers import CCM_TAG_BYTES
from protocol.explain_content import content_rows
from protocol.explain_layers import transport_rows
from protocol.outcome import Outcome
from protocol.security import CCM_MODE, VERIFICATION
from protocol.telegram import Telegram

LayerRow = tuple[str, int, str, str]


def shown_region(telegram: Telegram) -> bytes:
    """Return the decrypted bytes that may be shown: none of a replayed message."""
    return b"" if telegram.security.outcome is Outcome.REPLAYED else telegram.trace.region


def message_rows(telegram: Telegram) -> list[LayerRow]:
    """Return rows that hold every byte of the message once; none without a transport header."""
    header, content = telegram.header, telegram.content
    if header is None:
        return []
    total = len(telegram.trace.message)
    rows = [("transport", *row) for row in transport_rows(header)]
    application = [("application", *row) for row in content_rows(content)] if content is not None else []
    behind_header = total - header.size
    region = shown_region(telegram)
    if region and header.mode == CCM_MODE:
        application = _inserted(application, len(region), ("transport", CCM_TAG_BYTES, "tag", "fits"))
    elif region:
        is_open = telegram.security.outcome is Outcome.ALREADY_DECRYPTED
        meaning = "decrypted before" if is_open else "the key is right"
        rows.append(("transport", len(VERIFICATION), "2F2F", meaning))
        behind_header -= len(VERIFICATION)
        padding = behind_header - sum(size for _, size, _, _ in application)
        if padding > 0:
            where = len(region) - len(VERIFICATION) - padding
            name, meaning = ("padding", "to whole blocks") if content is not None else _unread(telegram)
            application = _inserted(application, where, ("transport", padding, name, meaning))
    else:
        locked = behind_header - sum(size for _, size, _, _ in application)
        if locked > 0:
            rows.append(("security", locked, *_unread(telegram)))
    return rows + application


def _unread(telegram: Telegram) -> tuple[str, str]:
    """Name the bytes behind the header that could not be read."""
    if telegram.fragment_bytes is not None and telegram.security.outcome is Outcome.INCOMPLETE:
        return "fragment", "the message is not whole yet"
    outcome = telegram.security.outcome.replace("_", " ")
    if telegram.problem is not None:
        outcome = f"{outcome}: {telegram.problem.reason.replace('_', ' ')}"
    fields = telegram.content.fields if telegram.content is not None else None
    records = (fields or {}).get("tls")
    if isinstance(records, list) and records:
        named = ", ".join(f"{record['version']} {record['type'].replace('_', ' ')}" for record in records)
        return "TLS", f"{named}: {outcome}"
    return "encrypted", outcome


def _inserted(rows: list[LayerRow], at: int, new: LayerRow) -> list[LayerRow]:
    """Return rows with another one ``at`` bytes behind their start; a row there is split in two."""
    found: list[LayerRow] = []
    for layer, size, name, meaning in rows:
        if 0 <= at < size:
            found += [(layer, at, name, meaning)] if at else []
            found += [new, (layer, size - at, name, meaning)]
            at = -1
            continue
        found.append((layer, size, name, meaning))
        at -= size if at >= 0 else 0
    return [*found, new] if at >= 0 else found
