import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdr.sample_format import SampleFormat, from_complex, to_complex

INTEGERS = [SampleFormat.CU8, SampleFormat.CS8, SampleFormat.CS16]


@pytest.mark.parametrize(
    ("sample_format", "stored", "value"),
    [
        (SampleFormat.CU8, [0, 255], -1 + 1j),
        (SampleFormat.CU8, [127, 128], (-0.5 + 0.5j) / 127.5),
        (SampleFormat.CS8, [-128, 64], -1 + 0.5j),
        (SampleFormat.CS16, [-32768, 16384], -1 + 0.5j),
        (SampleFormat.CF32, [-1.5, 0.25], -1.5 + 0.25j),
    ],
)
def test_stored_values(sample_format: SampleFormat, stored: list[float], value: complex) -> None:
    iq = to_complex(np.array(stored, dtype=sample_format.dtype), sample_format)
    assert iq.dtype == np.complex64
    np.testing.assert_allclose(iq, [value], rtol=1e-6)


@pytest.mark.parametrize("sample_format", SampleFormat)
def test_every_stored_value_survives(sample_format: SampleFormat) -> None:
    if sample_format is SampleFormat.CF32:
        raw = np.linspace(-2, 2, 1000, dtype=np.float32)
    else:
        limits = np.iinfo(sample_format.dtype)
        raw = np.arange(limits.min, limits.max + 1).astype(sample_format.dtype)
    again, n_clipped = from_complex(to_complex(raw, sample_format), sample_format)
    assert again.dtype == sample_format.dtype
    np.testing.assert_array_equal(again, raw)
    assert n_clipped == 0


@pytest.mark.parametrize("sample_format", INTEGERS)
@given(data=st.data())
def test_rounded_to_half_a_step(sample_format: SampleFormat, data: st.DataObject) -> None:
    part = st.floats(-0.9375, 0.9375, width=32)
    iq = np.array(data.draw(st.lists(st.builds(complex, part, part), max_size=20)), dtype=np.complex64)
    raw, n_clipped = from_complex(iq, sample_format)
    half_a_step = 0.5 / sample_format.full_scale
    error = (to_complex(raw, sample_format) - iq).view(np.float32)
    assert np.all(np.abs(error) <= half_a_step * 1.0001 + 1e-7)
    assert n_clipped == 0


@pytest.mark.parametrize("sample_format", INTEGERS)
def test_limited_samples_are_counted_once_each(sample_format: SampleFormat) -> None:
    limits = np.iinfo(sample_format.dtype)
    iq = np.array([0.5, 3 + 3j, -3j, np.inf, np.nan], dtype=np.complex64)
    raw, n_clipped = from_complex(iq, sample_format)
    assert n_clipped == 4
    assert raw[2:4].tolist() == [limits.max, limits.max]
    assert raw[5] == limits.min
    assert raw[6] == limits.max
    assert abs(to_complex(raw, sample_format)[4]) < 0.01


def test_the_fused_conversion_is_the_same() -> None:
    raw = np.arange(256, dtype=np.uint8)
    fused = (raw - SampleFormat.CU8.zero_offset) * SampleFormat.CU8.scale
    np.testing.assert_allclose(to_complex(raw, SampleFormat.CU8).view(np.float32), fused, rtol=1e-6)


def test_names() -> None:
    assert SampleFormat.named("cs16") is SampleFormat.CS16
    assert SampleFormat.named("wav") is None
    assert [row.bytes_per_sample for row in SampleFormat] == [2, 2, 4, 8]
