"""Records behind those of a compact frame's format: their number was found by trying all of them.

That took time with the square of the records, and stopped at the first CRC that happened to fit.
"""

import pytest

from protocol.application import encode_content, parse_content
from protocol.compact import FormatCache, compact_frame_of, encode_compact
from protocol.records import RecordList, parse_records


@pytest.mark.parametrize("behind_hex", ["0013", "00FD17", "008313"])
def test_the_format_tells_how_many_records_are_its_own(behind_hex: str) -> None:
    records = parse_records(bytes.fromhex("0413 01000000")).records
    formats = FormatCache()
    formats.learn_records("meter", records)
    # Among a thousand of them, some number of such headers behind 0413 has the CRC of 0413 alone.
    body = encode_compact(compact_frame_of(records)) + bytes.fromhex(behind_hex) * 1000
    content = parse_content("mbus_compact", 0x79, body, formats, "meter")
    assert content.fields is not None
    assert content.fields["format_records"] == 1
    assert "body_hex" not in content.fields
    again = content.records
    assert isinstance(again, RecordList)
    assert encode_content("mbus_compact", 0x79, content.fields, again) == body
