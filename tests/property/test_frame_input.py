"""Whatever stands in lines for ``omsdr transmit``: frames, or one error that says which line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import GAS_FRAME, GAS_RAW_A, GAS_RAW_B

from protocol import link
from protocol.keys import Keyring
from sdr.errors import RecordingError
from sdr.frame_input import read_frames

_WORDS = st.sampled_from(
    [b"{", b"}", b'"frame_hex":', b'"link":', b'"mode":"T"', b"[]", b"null", b",", b"1e999", b"\\ud800"]
)
_LINES = st.one_of(
    st.binary(max_size=80),
    st.binary(max_size=60).map(lambda raw: raw.hex().encode()),
    st.lists(_WORDS, max_size=8).map(b"".join),
    st.sampled_from([GAS_FRAME, GAS_RAW_A, GAS_RAW_B]).map(lambda raw: raw.hex().encode()),
)


@given(st.lists(_LINES, max_size=4))
def test_any_lines(lines: list[bytes]) -> None:
    try:
        frames = read_frames(lines, Keyring(()), "test")
    except RecordingError as error:
        assert "line " in error.problem or "no frame" in error.problem
        return
    for given_frame in frames:
        assert link.parse(given_frame.frame).encode() == given_frame.frame


def test_only_the_first_problems_are_told() -> None:
    with pytest.raises(RecordingError, match=r"line 1: .*; line 2: .*; line 3: .*; and 7 more$"):
        read_frames([b"x"] * 10, Keyring(()), "test")


def test_nothing_is_no_frame() -> None:
    with pytest.raises(RecordingError, match="holds no frame"):
        read_frames([b"", b"  \n"], Keyring(()), "test")
