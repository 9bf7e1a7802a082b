"""Application error, alarm, clock, select, SITP and image transfer (OMS Vol. 2, Annex M and N)."""

from datetime import datetime

import pytest

from protocol import alarm, application_error, application_select, clock_sync, image_transfer, sitp
from protocol.errors import Incomplete, InvalidField, Unsupported


def test_application_error_of_annex_n8() -> None:
    error = application_error.parse_application_error(b"\x01")
    assert (error.code, error.name, error.name_2009) == (0x01, "CI-field not implemented", None)
    assert application_error.encode_application_error(error) == b"\x01"


def test_both_generations_of_error_codes() -> None:
    error = application_error.parse_application_error(b"\x14")
    assert (error.name, error.name_2009) == ("access violation", "decryption failed")
    assert application_error.parse_application_error(b"\x07").name == "reserved"


def test_dynamic_error_carries_records() -> None:
    body = bytes.fromhex("F0 0DFD10 0441424344")
    error = application_error.parse_application_error(body)
    assert [record.value for record in error.records.records] == ["DCBA"]
    assert application_error.encode_application_error(error) == body
    assert application_error.parse_application_error(b"\x01\x0c").records.records == ()


def test_alarm_bits() -> None:
    found = alarm.parse_alarm(b"\x85\x01")
    assert (found.flags, found.bits, found.data) == (0x85, (0, 2, 7), b"\x01")
    assert alarm.encode_alarm(found) == b"\x85\x01"


@pytest.mark.parametrize(
    ("ci", "body_hex", "action", "time"),
    [
        # Candidate plaintext of Annex N.7: add 00:01:50, reserved bytes, verification, filler.
        (0x6D, "01 320100 000000000000 2F2F 2F2F", clock_sync.ClockAction.ADD, "00:01:50"),
        (0x6D, "02 050000", clock_sync.ClockAction.SUBTRACT, "00:00:05"),
        (0x6D, "03 1E3217", clock_sync.ClockAction.CORRECT, "23:50:30"),
        (0x6C, "00 9E32171F1500", clock_sync.ClockAction.SET, datetime(2008, 5, 31, 23, 50, 30)),  # noqa: DTZ001
    ],
)
def test_clock_commands_both_ways(
    ci: int, body_hex: str, action: clock_sync.ClockAction, time: datetime | str
) -> None:
    body = bytes.fromhex(body_hex)
    command = clock_sync.parse_clock_sync(ci, body)
    assert (command.action, command.time, command.notes) == (action, time, ())
    assert clock_sync.encode_clock_sync(command) == body
    assert clock_sync.build_clock_sync(action, time, command.rest) == command


@pytest.mark.parametrize(
    ("ci", "body_hex", "error"),
    [
        (0x6D, "", Incomplete),
        (0x6D, "01 3201", Incomplete),
        (0x6C, "00 9E32171F15", Incomplete),
        (0x6C, "01 320100", Unsupported),
        (0x6D, "04 320100", Unsupported),
        (0x62, "01 320100", Unsupported),
    ],
)
def test_clock_commands_that_are_cut_or_unknown(ci: int, body_hex: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        clock_sync.parse_clock_sync(ci, bytes.fromhex(body_hex))


def test_application_select() -> None:
    reset = application_select.parse_application_select(b"")
    assert (reset.is_reset, reset.application, reset.name, reset.block) == (True, None, None, None)
    assert application_select.encode_application_select(reset) == b""
    select = application_select.parse_application_select(b"\x21\x05")
    assert (select.application, select.block, select.name, select.rest) == (2, 1, "simple billing", b"\x05")
    assert application_select.encode_application_select(select) == b"\x21\x05"
    with pytest.raises(InvalidField):
        application_select.encode_application_select(application_select.ApplicationSelect(None, b"\x05"))


def test_sitp() -> None:
    command = sitp.parse_sitp(bytes.fromhex("20 32 1F 00"))
    assert command.function == "transfer end-to-end application data"
    assert sitp.encode_sitp(command) == bytes.fromhex("20321F00")
    response = sitp.parse_sitp(bytes.fromhex("88 21"))
    assert response.function == "list active keys"
    assert sitp.parse_sitp(b"\x01").function is None


def test_image_transfer() -> None:
    command = image_transfer.parse_image_transfer(bytes.fromhex("02 AA"))
    assert (command.function, command.content) == ("transfer", b"\xaa")
    assert image_transfer.encode_image_transfer(command) == b"\x02\xaa"
    response = image_transfer.parse_image_transfer(b"\x87")
    assert response.function == "terminate"
    assert image_transfer.parse_image_transfer(b"\x08").function is None


@pytest.mark.parametrize(
    "parse",
    [
        application_error.parse_application_error,
        alarm.parse_alarm,
        sitp.parse_sitp,
        image_transfer.parse_image_transfer,
    ],
)
def test_empty_bodies_are_incomplete(parse: object) -> None:
    assert callable(parse)
    with pytest.raises(Incomplete):
        parse(b"")
