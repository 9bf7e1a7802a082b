"""Sweeps, ideas and figures of the sensitivity benchmark, on few frames."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from dsp.plan import half_width_hz
from sdr.bench import ideas, plot, sensitivity, sweeps
from sdr.bench.conditions import nominal
from sdr.bench.sensitivity import Case, Curve, Effort
from sdr.bench.sweeps import SweepCase, SweepResult
from sdr.bench.trials import Tally
from sdr.cli import main
from sdr.errors import UsageError
from sdr.processes import Processes

ALL_CASES = sweeps.tolerances() + sweeps.disturbances() + sweeps.oscillators()


def _curve(edge_db: float, receiver: str = "default") -> Curve:
    """A curve whose success rises from a tenth to all within 3 dB around an edge."""
    heard = {-1.5: 10, -0.5: 60, 0.5: 85, 1.5: 98, 2.5: 100}
    counts = {edge_db + step: Tally(sent=100, heard=n, repaired=n // 5) for step, n in heard.items()}
    return Curve(Case("T", nominal("T M2O", "A")), {receiver: counts})


def test_each_sweep_begins_with_the_standard_case_and_names_are_unique() -> None:
    names = [(case.family, case.row, case.label) for case in ALL_CASES]
    assert len(set(names)) == len(names)
    firsts = {(case.family, case.row): case.label for case in reversed(ALL_CASES)}
    assert set(firsts.values()) == {"standard"}


def test_swept_signals_stay_inside_the_span_and_are_listened_to() -> None:
    for case in ALL_CASES:
        row, span = case.conditions.row, case.conditions.span
        center_hz = row.centers_hz[row.default_channel]
        assert any(row in channel.rows for channel in span.plan().channels), case
        reach_hz = max(map(abs, case.conditions.carrier_hz)) + half_width_hz(row, 0.0)
        assert abs(center_hz - span.center_hz) + reach_hz <= span.sample_rate_hz / 2, case


def test_loss_is_the_distance_to_the_standard_case() -> None:
    standard, worse = _curve(7.0), _curve(7.6)
    case = SweepCase("tolerances", "something", nominal("T M2O", "A"))
    loss = SweepResult(case, worse, standard).loss_db("default")
    assert loss is not None and loss[0] == pytest.approx(0.6, abs=0.15) and 0.0 < loss[1] < 0.5
    assert SweepResult(case, standard, standard).loss_db("default") is None
    assert "+0." in sweeps.to_row(SweepResult(case, worse, standard))


def test_ideas_are_switched_on_one_after_another() -> None:
    with Processes(1) as pool:
        found = list(ideas.run(("T M2O",), Effort(6, 4.0, 1), pool))
    assert [idea.name for idea in found] == list(ideas.IDEAS)
    assert all(idea.cpu_ms > 0.0 for idea in found)
    assert ideas.IDEAS["+ subtraction"] == {}  # the default receiver is the last


def test_figures_are_drawn_from_a_report(tmp_path: Path) -> None:
    curve = _curve(7.0, "repair")
    curve.counts["no repair"] = _curve(8.5).counts["default"]
    report = json.loads(json.dumps({"sensitivity": [sensitivity.to_dict(curve)], "sweeps": []}))
    plot.draw(report, tmp_path / "curves.svg")
    text = "".join(ElementTree.parse(tmp_path / "curves.svg").getroot().itertext())
    assert "omsdr --no-repair" in text and "Ec/N0 in dB" in text
    case = SweepCase("tolerances", "carrier +70 kHz", nominal("T M2O", "A"))
    losses = [sweeps.to_dict(SweepResult(case, _curve(7.4), _curve(7.0)))]
    plot.draw({"sweeps": losses}, tmp_path / "losses.svg")
    text = "".join(ElementTree.parse(tmp_path / "losses.svg").getroot().itertext())
    assert "carrier +70 kHz" in text
    with pytest.raises(UsageError, match="neither"):
        plot.draw({}, tmp_path / "nothing.svg")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--jobs", "0"], "--jobs"),
        (["--suite", "sensitivity", "--rows", "X9"], "X9"),
        (["--suite", "sensitivity", "--measure", "everything"], "everything"),
        (["--suite", "sensitivity", "--payload", "60-20"], "--payload"),
        (["--suite", "sensitivity", "--trials", "0"], "--trials"),
        (["--suite", "sensitivity", "--rate", "2.4M"], "--center"),
        (["--suite", "sensitivity", "--offset", "wide"], "--offset"),
        (["--suite", "throughput", "--plot", "x.svg"], "--plot"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_options_that_make_no_sense(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments]) == 2
    assert word in capsys.readouterr().err
