"""A plain-text unit of length 0 had a field without a meaning in the annotated bytes."""

from protocol.annotate import annotate_records
from protocol.records import parse_records


def test_every_annotated_byte_says_something() -> None:
    fields = annotate_records(parse_records(bytes.fromhex("04FC0000 01020304")))
    assert [(field.name, field.meaning) for field in fields if field.name == "unit"] == [("unit", "no text")]
    assert all(field.meaning for field in fields)
