"""Pieces of the long count add up."""

import pytest
import wrong_repairs

from dsp.modes import BY_NAME
from sdr.bench.trials import Tally


def _piece(seed: int, total: Tally) -> dict[str, object]:
    return {
        "seeds": [seed],
        "elapsed_s": 10,
        "modes": {"T M2O A, 2.4 MS/s": {"ec_n0_db": 7.0, **wrong_repairs.summary(total)}},
    }


def test_pieces_add_up() -> None:
    tally = Tally(sent=1000, heard=900, repaired=400, repaired_wrong=1, wrong=1)
    both = wrong_repairs.added([_piece(1, tally), _piece(2, tally)])
    assert both["seeds"] == [1, 2] and both["elapsed_s"] == 20
    mode = both["modes"]["T M2O A, 2.4 MS/s"]
    assert (mode["ec_n0_db"], mode["sent"], mode["repaired"], mode["repaired_wrong"]) == (7.0, 2000, 800, 2)
    assert both["all"]["repaired_wrong_share"] == pytest.approx(2 / 800)
    assert 2 / 800 < both["all"]["repaired_wrong_at_most"] < 7 / 800


def test_the_same_piece_does_not_count_twice() -> None:
    with pytest.raises(ValueError, match="same seed"):
        wrong_repairs.added([_piece(1, Tally()), _piece(1, Tally())])


def test_every_row_is_counted_in_each_format_with_plain_and_gaussian_chips() -> None:
    conditions = [case.conditions for case in wrong_repairs.wanted(wrong_repairs.ROWS)]
    counted = {(c.row.name, c.frame_format, c.bandwidth_time is None) for c in conditions}
    for name in wrong_repairs.ROWS:
        for frame_format in BY_NAME[name].frame_formats:
            assert {(name, frame_format, True), (name, frame_format, False)} <= counted
    assert {c.frame_format for c in conditions if c.deviation_hz == 50e3} == {"A", "B"}
