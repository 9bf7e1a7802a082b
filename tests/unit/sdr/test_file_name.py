"""Names as the named programs write them, and names that must tell nothing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdr.recording.file_name import facts_from_name, name_suffix
from sdr.sample_format import SampleFormat

NEW_YEAR_NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "rate_hz", "center_hz", "sample_format"),
    [
        ("g001_868.9M_1000k.cu8", 1e6, 868.9e6, SampleFormat.CU8),
        ("g012_433.92M_250k.cs16", 250e3, 433.92e6, SampleFormat.CS16),
        ("rtlsdr_868.950M_1M6_samples2.cu8", 1.6e6, 868.95e6, SampleFormat.CU8),
        ("_868.950M_1M6_", 1.6e6, 868.95e6, None),
        ("noise_868.9M_2400k.CF32", 2.4e6, 868.9e6, SampleFormat.CF32),
        ("yard 868.3MHz 2048kSps.cs8", 2.048e6, 868.3e6, SampleFormat.CS8),
        ("yard-868M95-2M4.cfile", 2.4e6, 868.95e6, SampleFormat.CF32),
        ("gqrx_20200101_120000_868950000_1600000_fc.raw", 1.6e6, 868.95e6, SampleFormat.CF32),
        ("SDRSharp_20200101_120000Z_868950000Hz_IQ.wav", None, 868.95e6, None),
        ("HDSDR_20200101_120000Z_868950kHz_RF.wav", None, 868.95e6, None),
        ("meters_868.95M", None, 868.95e6, None),
        ("meters_2.4M.wav", 2.4e6, None, None),
    ],
)
def test_names_that_tell(
    name: str, rate_hz: float | None, center_hz: float | None, sample_format: SampleFormat | None
) -> None:
    facts = facts_from_name(name)
    assert (facts.sample_rate_hz, facts.center_hz, facts.sample_format) == (rate_hz, center_hz, sample_format)


@pytest.mark.parametrize(
    "name",
    [
        "868950000_1600000",
        "samples2",
        "take_5k",
        "meter_71200023",
        "20200101_120000",
        "x1M6",
        "1M6x",
        "868_95MHz",
        "v1.6",
        "٨٦٨M",
        "",
        "...",
    ],
)
def test_names_that_tell_nothing(name: str) -> None:
    facts = facts_from_name(name)
    assert (facts.sample_rate_hz, facts.center_hz, facts.sample_format) == (None, None, None)
    assert facts.start_time_hint is None


def test_times() -> None:
    assert facts_from_name("SDRSharp_20200101_120000Z_868950000Hz_IQ.wav").start_time_hint == NEW_YEAR_NOON
    assert facts_from_name("HDSDR_20200101_120000Z_868950kHz_RF.wav").start_time_hint == NEW_YEAR_NOON
    assert facts_from_name("gqrx_20200101_120000_868950000_1600000_fc.raw").start_time_hint == NEW_YEAR_NOON
    assert facts_from_name("a_20201341_120000Z_b").start_time_hint is None
    assert facts_from_name("a_20200101_120000_b").start_time_hint is None


def test_two_candidates_are_no_answer_and_are_named() -> None:
    facts = facts_from_name("a_1M6_2400k_868.95M.cu8")
    assert facts.sample_rate_hz is None
    assert facts.center_hz == 868.95e6
    assert facts.ambiguous == ("the file name holds several: 1M6, 2400k",)
    assert facts_from_name("a_1M6_1600k.cu8").sample_rate_hz == 1.6e6


def test_suffix() -> None:
    assert name_suffix("a.b.SIGMF-meta") == ".sigmf-meta"
    assert name_suffix("g001_868.9M_1000k") == ""
    assert name_suffix(".cu8") == ".cu8"


@given(st.text(max_size=60) | st.from_regex(r"(gqrx_)?[0-9]{8}_[0-9]{6}Z?_[0-9.kMG]{0,9}(Hz|_fc)?(\.raw)?"))
def test_no_name_raises(name: str) -> None:
    facts = facts_from_name(name)
    assert facts.center_hz is None or facts.center_hz >= 0
