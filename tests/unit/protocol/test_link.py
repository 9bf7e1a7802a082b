"""Link-layer fields; frames from OMS Vol. 2 Annex N unless a test says otherwise."""

import pytest

from protocol import address, c_field, link
from protocol.errors import Incomplete, InvalidField, ProtocolError, Unsupported

GAS = bytes.fromhex(
    "2E4493157856341233037A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
)


def frame(c: int, m_and_a: str, payload: str) -> bytes:
    body = bytes((c,)) + bytes.fromhex(m_and_a + payload)
    return bytes((len(body),)) + body


def test_fields_of_the_gas_meter() -> None:
    parsed = link.parse(GAS)
    assert (parsed.l_field, parsed.c_field, parsed.function, parsed.direction) == (46, 0x44, "SND-NR", "M2O")
    sender = parsed.address
    assert (sender.manufacturer, sender.manufacturer_raw, sender.id) == ("ELS", 0x1593, "12345678")
    assert (sender.version, sender.device_type, sender.device_type_name) == (51, 3, "gas")
    assert sender.is_unique
    assert parsed.payload == GAS[10:]
    assert parsed.encode() == GAS
    assert link.build(0x44, address.build("ELS", "12345678", 51, 3), GAS[10:]) == parsed


@pytest.mark.parametrize(
    ("letters", "m_field"), [("ELS", 0x1593), ("XYZ", 0x633A), ("QDS", 0x4493), ("RAD", 0x4824)]
)
def test_manufacturers(letters: str, m_field: int) -> None:
    assert address.manufacturer_letters(m_field) == letters
    assert address.manufacturer_code(letters) == m_field


def test_every_m_field_has_its_own_text() -> None:
    assert all(address.manufacturer_code(address.manufacturer_letters(m)) == m for m in range(0x8000))


def test_soft_address() -> None:
    parsed = link.parse(frame(0x44, "9395785634123303", "78"))
    assert parsed.address.manufacturer == "ELS"
    assert parsed.address.manufacturer_raw == 0x9593
    assert not parsed.address.is_unique
    assert parsed.encode() == frame(0x44, "9395785634123303", "78")


def test_hex_digits_of_an_id_are_kept() -> None:
    assert link.parse(frame(0x44, "9315FFFAB0123303", "78")).address.id == "12b0faff"


# Source of the vendor rules: link-layer notes from nine field telegrams of that group.
VENDOR = "2A"  # version, in the place of the first id byte


@pytest.mark.parametrize(
    ("maker", "ci", "order"),
    [
        ("HYD", "A0", "vendor"),
        ("HYD", "A7", "vendor"),
        ("DME", "A2", "vendor"),
        ("HYD", "72", "standard"),
        ("DME", "72", "standard"),
        ("DME", "7A", "standard"),
        ("HYD", "A8", "standard"),
        ("SAP", "A0", "id_only"),
        ("SAP", "A3", "id_only"),
        ("SAP", "A4", "standard"),
        ("ELS", "A0", "standard"),
    ],
)
def test_vendor_orders(maker: str, ci: str, order: str) -> None:
    m_field = address.manufacturer_code(maker).to_bytes(2, "little").hex()
    raw = frame(0x44, m_field + VENDOR + "07" + "78563412", ci + "0000")
    parsed = link.parse(raw)
    assert parsed.address_order == order
    assert parsed.encode() == raw
    expected = {
        "vendor": ("12345678", 42, 7, "water"),
        "standard": ("5678072a", 0x34, 0x12, "gas data logger"),
        "id_only": ("5678072a", None, None, "unknown"),
    }
    sender = parsed.address
    assert (sender.id, sender.version, sender.device_type, sender.device_type_name) == expected[order]


@pytest.mark.parametrize(
    ("a_field", "order"),
    [
        ("2A0778563462", "vendor"),  # 62h is no assigned type, 07h read as Ver Type ID is one
        ("2A0778563407", "standard"),  # the type in its own place is assigned
        ("2A6278563462", "standard"),  # neither is
    ],
)
def test_hyd_with_ci_7a_depends_on_the_type(a_field: str, order: str) -> None:
    m_field = address.manufacturer_code("HYD").to_bytes(2, "little").hex()
    assert link.parse(frame(0x44, m_field + a_field, "7A00000000")).address_order == order


def test_knx_rf_is_named() -> None:
    with pytest.raises(Unsupported) as caught:
        link.parse(frame(0x44, "FF03001122334455", "00"))
    assert caught.value.reason == "knx_rf"


@pytest.mark.parametrize("length", range(len(GAS)))
def test_truncated(length: int) -> None:
    with pytest.raises(Incomplete):
        link.parse(GAS[:length])


def test_left_over_bytes_are_an_error_here() -> None:
    with pytest.raises(InvalidField, match="L-field says 46") as caught:
        link.parse(GAS + b"\x00")
    assert caught.value.reason == "length_mismatch"


@pytest.mark.parametrize("l_field", range(9))
def test_l_field_without_room_for_an_address(l_field: int) -> None:
    with pytest.raises(InvalidField) as caught:
        link.parse(bytes((l_field,)) + bytes(20))
    assert caught.value.reason == "length_invalid"


def test_header_only() -> None:
    parsed = link.parse(frame(0x44, "9315785634123303", ""))
    assert parsed.payload == b""


def test_payload_too_long_for_a_frame() -> None:
    sender = address.build("ELS", "12345678", 51, 3)
    assert len(link.build(0x44, sender, bytes(246)).encode()) == 256
    with pytest.raises(InvalidField):
        link.build(0x44, sender, bytes(247))


@pytest.mark.parametrize(
    ("manufacturer", "number", "version", "device_type"),
    [
        ("EL", "12345678", 1, 3),
        ("ELSE", "12345678", 1, 3),
        ("els", "12345678", 1, 3),
        ("ELS", "1234567", 1, 3),
        ("ELS", "123456", 1, 3),
        ("ELS", "123456789A", 1, 3),
        ("ELS", "1234567G", 1, 3),
        ("ELS", "12345678", 256, 3),
        ("ELS", "12345678", 1, -1),
        (0x10000, "12345678", 1, 3),
    ],
)
def test_parts_that_make_no_address(
    manufacturer: str | int, number: str, version: int, device_type: int
) -> None:
    with pytest.raises(ProtocolError):
        address.build(manufacturer, number, version, device_type)


def test_transport_order() -> None:
    parsed = address.from_transport(bytes.fromhex("7856341293153303"))
    assert parsed == address.build("ELS", "12345678", 51, 3)
    assert parsed.transport_bytes().hex() == "7856341293153303"


# C-fields as listed by EN 13757-4 and OMS Vol. 2.
@pytest.mark.parametrize(
    ("code", "function", "direction"),
    [
        (0x44, "SND-NR", "M2O"),
        (0x46, "SND-IR", "M2O"),
        (0x47, "ACC-NR", "M2O"),
        (0x48, "ACC-DMD", "M2O"),
        (0x00, "ACK", None),
        (0x10, "ACK", "M2O"),
        (0x20, "ACK", "M2O"),
        (0x30, "ACK", "M2O"),
        (0x01, "NACK", "M2O"),
        (0x31, "NACK", "M2O"),
        (0x08, "RSP-UD", "M2O"),
        (0x18, "RSP-UD", "M2O"),
        (0x28, "RSP-UD", "M2O"),
        (0x38, "RSP-UD", "M2O"),
        (0x40, "SND-NKE", "O2M"),
        (0x53, "SND-UD", "O2M"),
        (0x73, "SND-UD", "O2M"),
        (0x43, "SND-UD2", "O2M"),
        (0x63, "SND-UD2", "O2M"),
        (0x5A, "REQ-UD1", "O2M"),
        (0x7A, "REQ-UD1", "O2M"),
        (0x4A, "REQ-UD1", "O2M"),
        (0x5B, "REQ-UD2", "O2M"),
        (0x7B, "REQ-UD2", "O2M"),
        (0x4B, "REQ-UD2", "O2M"),
        (0x06, "CNF-IR", "O2M"),
        (0xC4, "SND-NR", "M2O"),  # bit 7, from old repeaters
        (0x7F, "unknown", None),
    ],
)
def test_c_fields(code: int, function: str, direction: str | None) -> None:
    row = c_field.BY_CODE[code]
    assert (row.function, row.direction) == (function, direction)


def test_c_field_of_a_function() -> None:
    assert c_field.code_of("SND-NR") == 0x44
    assert c_field.code_of("REQ-UD2") == 0x5B
    assert c_field.code_of("REQ-UD2", fcb=True) == 0x7B
    assert c_field.code_of("SND-UD", fcb=True) == 0x73
    with pytest.raises(KeyError):
        c_field.code_of("SND-NR", fcb=True)
    with pytest.raises(KeyError):
        c_field.code_of("SND-UD3")


def test_codes_are_unique() -> None:
    codes = [code for row in c_field.C_FIELDS for code in row.codes]
    assert len(codes) == len(set(codes))
