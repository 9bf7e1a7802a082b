"""CI-fields and transport headers; header bytes from OMS Vol. 2 Annex N unless noted."""

import pytest

from protocol import address, ci, configuration, transport
from protocol.errors import Incomplete, InvalidField

METER = address.build("ELS", "12345678", 51, 3)


@pytest.mark.parametrize(
    ("code", "direction", "header", "protocol"),
    [
        (0x50, "O2M", "none", "application_select"),
        (0x52, "O2M", "none", "device_select"),
        (0x53, "O2M", "long", "application_select"),
        (0x5A, "O2M", "short", "mbus_command"),
        (0x5B, "O2M", "long", "mbus_command"),
        (0x5F, "O2M", "long", "tls_handshake"),
        (0x60, "O2M", "long", "dlms"),
        (0x65, "O2M", "short", "sml"),
        (0x69, "M2O", "none", "mbus_format"),
        (0x6D, "O2M", "long", "clock_sync"),
        (0x6E, "M2O", "short", "application_error"),
        (0x6F, "M2O", "long", "application_error"),
        (0x70, "M2O", "none", "application_error"),
        (0x72, "M2O", "long", "mbus"),
        (0x74, "M2O", "short", "alarm"),
        (0x78, "M2O", "none", "mbus"),
        (0x79, "M2O", "none", "mbus_compact"),
        (0x7A, "M2O", "short", "mbus"),
        (0x7B, "M2O", "short", "mbus_compact"),
        (0x7C, "M2O", "long", "dlms"),
        (0x7E, "M2O", "long", "sml"),
        (0x7F, "M2O", "short", "sml"),
        (0x80, "O2M", "long", "none"),
        (0x8A, "M2O", "short", "none"),
        (0x8B, "M2O", "long", "none"),
        (0x8E, None, "layer", "ell"),
        (0x90, None, "layer", "afl"),
        (0xA2, None, "raw", "manufacturer"),
        (0xBD, "O2M", "none", "set_baud_rate"),
        (0xC1, "M2O", "short", "image_transfer"),
        (0xC3, "O2M", "long", "sitp"),
        (0xD0, None, "raw", "unknown"),
    ],
)
def test_ci_rows(code: int, direction: str | None, header: str, protocol: str) -> None:
    row = ci.RADIO_CI[code]
    assert (row.code, row.direction, row.header, row.protocol) == (code, direction, header, protocol)


def test_ci_table_is_sound() -> None:
    for table in (ci.RADIO_CI, ci.WIRED_CI):
        assert [row.code for row in table] == list(range(256))
    seen = [(row.code, row.medium) for row in ci.CI_ROWS]
    assert len(seen) == len(set(seen))
    assert {row.protocol for row in (*ci.RADIO_CI, *ci.WIRED_CI)} == set(ci.PROTOCOLS)
    layers = {row.code for row in ci.CI_ROWS if row.protocol == "ell"}
    assert layers == ci.ELL_CODES


def test_wired_codes_that_differ() -> None:
    assert (ci.RADIO_CI[0x73].protocol, ci.RADIO_CI[0x73].header) == ("mbus_compact", "long")
    assert (ci.WIRED_CI[0x73].protocol, ci.WIRED_CI[0x73].header) == ("mbus_fixed", "none")
    assert ci.RADIO_CI[0x56].protocol == "application_request"
    assert ci.WIRED_CI[0x56].protocol == "device_select"
    assert ci.RADIO_CI[0xBD].meaning == "set baud rate 9600"


def test_short_header() -> None:
    data = bytes.fromhex("7A2A0020255923")
    header = transport.parse(data)
    assert (header.ci, header.access_number, header.status, header.mode) == (0x7A, 0x2A, 0, 5)
    assert (header.address, header.size, header.status_flags) == (None, 5, ())
    assert header.encode() == data[:5]
    built = transport.build(
        0x7A, 0x2A, 0, configuration.build(5, synchronous=1, encrypted_blocks=2), meter=METER
    )
    assert built == header


def test_long_header() -> None:
    data = bytes.fromhex("FF8078563412931533037517" + "0000")
    header = transport.parse(data, 1)
    assert (header.address, header.access_number, header.size) == (METER, 117, 13)
    assert header.reception_level_dbm == -84
    assert header.status_flags == ()
    assert header.encode() == data[1:]
    assert transport.build(0x80, 117, 0x17, configuration.build(0), meter=METER) == header


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (0x00, ()),
        (0x01, ("application_busy",)),
        (0x02, ("application_error",)),
        (0x03, ("abnormal_condition",)),
        (0x04, ("low_power",)),
        (0x1C, ("low_power", "permanent_error", "temporary_error")),
        (0xE0, ("manufacturer_bit_5", "manufacturer_bit_6", "manufacturer_bit_7")),
    ],
)
def test_status_from_the_device(status: int, flags: tuple[str, ...]) -> None:
    header = transport.parse(bytes((0x7A, 0, status, 0, 0)))
    assert header.status_flags == flags
    assert header.reception_level_dbm is None


@pytest.mark.parametrize(
    ("status", "level_dbm"), [(0x17, -84), (0x19, -80), (0x20, -66), (0x01, -128), (0, None)]
)
def test_status_to_the_device(status: int, level_dbm: int | None) -> None:
    header = transport.parse(bytes((0x5A, 0, status, 0, 0)))
    assert header.reception_level_dbm == level_dbm


@pytest.mark.parametrize("code", [0x78, 0x79, 0xA3, 0xD0, 0xB8])
def test_no_header(code: int) -> None:
    header = transport.parse(bytes((code,)) + b"data")
    assert (header.size, header.access_number, header.configuration, header.mode) == (1, None, None, 0)
    assert header.encode() == transport.build(code).encode() == bytes((code,))


@pytest.mark.parametrize("data", ["7A2A002025", "728877665593445508" + "00041005", "7500" + "002007" + "10"])
def test_truncated(data: str) -> None:
    raw = bytes.fromhex(data)
    for length in range(len(raw)):
        with pytest.raises(Incomplete):
            transport.parse(raw[:length])


def test_fixed_data_of_wired_meters_has_no_header() -> None:
    assert transport.parse(b"\x73\x78", wired=True).size == 1


@pytest.mark.parametrize("code", [-1, 256, 0x7A, 0x72])
def test_build_needs_all_parts(code: int) -> None:
    with pytest.raises(InvalidField):
        transport.build(code, 1, 0, None, meter=METER)
    with pytest.raises(InvalidField):
        transport.build(0x72, 1, 0, configuration.build(0))
    with pytest.raises(InvalidField):
        transport.build(0x7A, 256, 0, configuration.build(0)).encode()
