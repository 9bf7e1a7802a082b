"""The sensitivity benchmark: counting, reproducibility, and a curve end to end."""

from dataclasses import replace

import numpy as np

from sdr.bench import sensitivity
from sdr.bench.conditions import WIDE, nominal
from sdr.bench.trials import Batch, Tally, count, receive, render, run_batch
from sdr.processes import Processes

_STRONG = Batch(nominal("T M2O", "A"), 14.0, frames=4, seed=1, number=0)


def test_strong_frames_all_come_out_by_every_receiver() -> None:
    tallies = run_batch(_STRONG, {"default": {}, "noncoherent": {"coherent": False}})
    for tally in tallies.values():
        assert (tally.sent, tally.heard, tally.wrong, tally.twice) == (4, 4, 0, 0)


def test_batches_are_reproducible_and_differ() -> None:
    raw, sent = render(_STRONG)
    again, _ = render(_STRONG)
    other, other_sent = render(replace(_STRONG, number=1))
    assert np.array_equal(raw, again)
    assert not set(sent) & set(other_sent)
    assert raw.size != other.size or not np.array_equal(raw, other)


def test_wrong_double_and_missing_frames_are_counted() -> None:
    raw, sent = render(_STRONG)
    bursts = receive(raw, _STRONG.conditions, {})
    stranger = replace(bursts[0], raw=b"\x00" + bursts[0].raw[1:], repaired_bits=3)
    tally = count(sent, [*bursts[1:], bursts[1], stranger])
    assert tally == Tally(sent=4, heard=2, twice=1, wrong=1, repaired=1, repaired_wrong=1, chips_repaired=3)
    assert (tally + tally).sent == 8


def test_processes_change_nothing() -> None:
    case = sensitivity.Case("T", nominal("T M2O", "A", WIDE))
    effort = sensitivity.Effort(frames=4, step_db=4.0, seed=5)
    curves = []
    for jobs in (1, 2):
        with Processes(jobs) as pool:
            curves.append(sensitivity.measure(case, effort, pool).counts)
    assert curves[0] == curves[1]


def test_standard_cases() -> None:
    here = sensitivity.cases()
    wide = sensitivity.cases(spans=(WIDE,))
    assert len({case.name for case in here + wide}) == len(here) + len(wide)
    assert {case.conditions.row.mode for case in here} == {"S", "T", "C", "R", "N", "F"}
    assert {case.conditions.row.mode for case in wide} == {"S", "T", "C"}
    assert sensitivity.cases(("T M2O",), payload_bytes=(5, 5))[0].conditions.payload_bytes == (5, 5)
