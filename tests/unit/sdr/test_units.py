import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdr.units import format_hz, format_rate, parse_hz


@pytest.mark.parametrize(
    ("text", "value_hz"),
    [
        ("868950000", 868_950_000),
        ("868.95M", 868_950_000),
        ("1.6M", 1_600_000),
        ("2400k", 2_400_000),
        ("2400K", 2_400_000),
        ("1M6", 1_600_000),
        ("2M048", 2_048_000),
        ("0.8689G", 868_900_000),
        ("1.6e6", 1_600_000),
        ("868.95 MHz", 868_950_000),
        ("2.4MS/s", 2_400_000),
        ("1000kSps", 1_000_000),
        (" 250k ", 250_000),
        (2_400_000, 2_400_000),
        (2.4e6, 2_400_000),
    ],
)
def test_parse(text: str | float, value_hz: float) -> None:
    assert parse_hz(text) == value_hz


@pytest.mark.parametrize(
    "text",
    ["", "M", "fast", "1.6m", "-1M", "1,6M", "1.6.2M", "1.5M6", "1e6k5", "0x10", "1 6M", "nan", "inf", "1.6T",
     "٣M", -1.0, math.nan, math.inf, True],
)  # fmt: skip
def test_refuse(text: str | float) -> None:
    with pytest.raises(ValueError, match="frequency or rate"):
        parse_hz(text)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    try:
        value_hz = parse_hz(text)
    except ValueError:
        return
    assert value_hz >= 0


@given(st.integers(0, 10**11))
def test_whole_hz_survive_writing(value_hz: int) -> None:
    assert parse_hz(format_hz(value_hz)) == value_hz
    assert parse_hz(format_rate(value_hz)) == value_hz


def test_written_for_people() -> None:
    assert format_hz(868.95e6) == "868.95 MHz"
    assert format_hz(1.2e9) == "1.2 GHz"
    assert format_hz(0) == "0 Hz"
    assert format_rate(200e3) == "200 kS/s"
    assert format_rate(2_400_000) == "2.4 MS/s"
