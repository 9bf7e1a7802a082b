"""Rows of records: fillers, special DIFs, truncation, and bytes that come back identical."""

from decimal import Decimal

import pytest

from protocol.errors import InvalidField
from protocol.notes import Note
from protocol.records import DataRecord, RecordList, build_record, encode_records, parse_records

GAS = "0C1427048502 046D32371F15 02FD170000"  # OMS Vol. 2 Annex N.2


def _parse(apl_hex: str) -> RecordList:
    apl = bytes.fromhex(apl_hex)
    found = parse_records(apl)
    assert encode_records(found) == apl
    return found


def _problems(found: RecordList) -> list[Note | None]:
    return [record.problem for record in found.records]


def test_records_and_their_places() -> None:
    found = _parse(f"2F2F {GAS} 2F2F2F")
    assert [record.offset for record in found.records] == [2, 8, 14]
    assert [record.header.dib_vib.hex() for record in found.records] == ["0c14", "046d", "02fd17"]
    assert found.fillers == ((0, 2), (3, 3))
    assert found.manufacturer_data is None
    assert not found.more_follows


def test_fillers_may_stand_anywhere() -> None:
    found = _parse("2F 0C1427048502 2F2F 01FD1700 01FD1700 2F")
    assert found.fillers == ((0, 1), (1, 2), (3, 1))


def test_repeated_records_are_kept_in_order() -> None:
    found = _parse("0C1427048502 0C1428048502 0C1427048502")
    assert [record.value for record in found.records] == [
        Decimal("28504.27"),
        Decimal("28504.28"),
        Decimal("28504.27"),
    ]


@pytest.mark.parametrize(("dif", "more_follows"), [("0F", False), ("1F", True)])
def test_manufacturer_data_end_the_records(dif: str, more_follows: bool) -> None:
    found = _parse(f"{GAS} {dif} 0C1427048502 2F")
    assert len(found.records) == 3
    assert found.manufacturer_data == bytes.fromhex("0C14270485022F")
    assert found.more_follows is more_follows
    assert _parse(f"{GAS} {dif}").manufacturer_data == b""


def test_global_readout_request() -> None:
    found = _parse("7F 0C1427048502")
    assert [record.header.vib.quantity for record in found.records] == ["global readout request", "volume"]
    assert found.records[0].notes == (Note.READOUT_REQUEST,)
    assert build_record(b"\x7f", None).header == found.records[0].header


@pytest.mark.parametrize("dif", ["3F", "4F", "5F", "6F", "8F", "9F", "AF", "FF"])
def test_reserved_special_dif_stops(dif: str) -> None:
    found = _parse(f"0C1427048502 {dif} 0C1427048502")
    assert _problems(found) == [None, Note.RESERVED_DIF]
    assert found.records[1].raw == bytes.fromhex("0C1427048502")


@pytest.mark.parametrize("length", range(1, len(bytes.fromhex(GAS))))
def test_truncated_application_data_keep_what_was_parsed(length: int) -> None:
    whole = bytes.fromhex(GAS)
    starts = [0, 6, 12]
    found = parse_records(whole[:length])
    assert encode_records(found) == whole[:length]
    cut = length not in (6, 12)
    good = [record for record in found.records if record.problem is None]
    assert len(good) == sum(1 for end in (6, 12, 17) if end <= length)
    assert (found.records[-1].problem is Note.TRUNCATED) == cut
    assert found.records[-1].offset == max(start for start in starts if start < length)
    assert (found.records[-1].value is None) == cut


@pytest.mark.parametrize(
    ("apl_hex", "problem"),
    [
        ("0D78", Note.TRUNCATED),
        ("0D78 05 4142", Note.TRUNCATED),
        ("0D78 CA 4142", Note.RESERVED_LVAR),
        ("0D78 FF", Note.RESERVED_LVAR),
        ("8C", Note.TRUNCATED),
        ("0C FC 03 41", Note.TRUNCATED),
    ],
)
def test_records_without_a_known_end_take_the_rest(apl_hex: str, problem: Note) -> None:
    assert _problems(_parse(apl_hex)) == [problem]


def test_records_behind_a_broken_one_are_read() -> None:
    found = _parse("84" + "80" * 10 + "00" + "13 01000000" + "0C1427048502")
    assert _problems(found) == [Note.TOO_MANY_DIFE, None]
    assert found.records[1].value == Decimal("28504.27")
    behind_unknown_vif = _parse("04FB7F 01000000 04EF13 01000000 0C1427048502")
    assert [record.value for record in behind_unknown_vif.records][-1] == Decimal("28504.27")


def test_place_of_a_header_that_is_cut() -> None:
    record = _parse("CC04").records[0]
    assert (record.header.dib.storage, record.problem) == (9, Note.TRUNCATED)


@pytest.mark.parametrize(
    ("behind_hex", "reason"),
    [
        ("CC04", Note.TRUNCATED),  # header cut
        ("0C1427", Note.TRUNCATED),  # data cut
        ("0D78", Note.TRUNCATED),  # LVAR missing
        ("3F00", Note.RESERVED_DIF),
        ("0D78F800", Note.RESERVED_LVAR),
    ],
)
def test_what_is_no_whole_record_is_left_over(behind_hex: str, reason: Note) -> None:
    found = _parse(GAS + "2F" + behind_hex)
    assert found.whole == _parse(GAS).records
    assert found.left_over is not None
    assert found.left_over.problem is reason
    assert (found.left_over.header.dib_vib + found.left_over.raw).hex().upper() == behind_hex
    assert _parse(GAS).left_over is None


@pytest.mark.parametrize(
    ("record_hex", "coded"),
    [
        ("0C14 27048502", False),
        ("046D 32371F15", False),
        ("046D 32171F15", True),  # hundred-year field not given
        ("046D 32B71F15", True),  # summer time
        ("046D B2371F15", True),
        ("026C FFFF", False),
        ("026C 0000", True),
        ("0A13 00F0", True),  # minus zero
        ("0A13 2A12", True),
        ("0A13 FFFF", False),
        ("0213 0080", False),
        ("0513 0000C07F", False),
        ("0513 010080FF", True),
        ("0D78 0441424344", False),
        ("0D13 E105", False),
        ("0D13 E20500", True),
        ("0D13 C105", True),
        ("02FF20 3412", False),
        ("0DFF20 023412", False),
        ("0DFF20 E23412", True),
        ("029315 3412", True),
        ("029315 0000", False),
        ("00FD21", False),
        ("0D78 05 4142", True),
    ],
)
def test_coding_is_kept_where_the_value_does_not_tell_it(record_hex: str, coded: bool) -> None:
    record = _parse(record_hex).records[0]
    assert record.coding == (record.raw if coded else None)
    rebuilt = build_record(record.header.dib_vib, record.value, coding=record.coding)
    assert (rebuilt.raw, rebuilt.value, rebuilt.problem) == (record.raw, record.value, record.problem)


@pytest.mark.parametrize("dib_vib_hex", ["", "0C", "0CFB", "0C1400", "2F", "0F13", "8C", "0CFC03"])
def test_a_header_that_is_not_whole_is_refused(dib_vib_hex: str) -> None:
    with pytest.raises(InvalidField):
        build_record(bytes.fromhex(dib_vib_hex), 1)


@pytest.mark.parametrize(
    ("dib_vib_hex", "coding_hex"), [("0C14", "27048502 2F"), ("2F", ""), ("0F", "00"), ("", "")]
)
def test_coding_that_is_not_one_record_is_refused(dib_vib_hex: str, coding_hex: str) -> None:
    with pytest.raises(InvalidField):
        build_record(bytes.fromhex(dib_vib_hex), None, coding=bytes.fromhex(coding_hex))


def test_conformance_test_records_of_annex_m() -> None:
    """OMS Vol. 2 Annex M, table M.6: RC1 40, RC2 32, pattern 42 42."""
    command, response = _parse("02FD9F1D4032").records[0], _parse("04FD9F1D40324242").records[0]
    assert (command.value, response.value) == (0x3240, 0x42423240)
    pattern = bytes(range(0x6E, 0x20, -1))
    long = _parse((bytes.fromhex("0DFD9F1D504034") + pattern).hex()).records[0]
    assert long.value == (b"\x40\x34" + pattern)[::-1].decode("latin-1")
    assert long.header.vib.qualifiers == ("standard_conform",)


def test_many_short_records_are_read_in_order() -> None:
    found = parse_records(bytes.fromhex("0013") * 5000)
    assert len(found.records) == 5000
    last: DataRecord = found.records[-1]
    assert (last.offset, last.notes) == (9998, (Note.NO_DATA,))
