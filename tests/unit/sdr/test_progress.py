"""The progress bar: for people only, after a second, and gone without a trace."""

from __future__ import annotations

import io

import pytest

from sdr import progress
from sdr.progress import Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_drawn_after_a_second_and_not_too_often(clock: list[float]) -> None:
    stream = _Terminal()
    bar = Progress("night.cu8", 1000, stream)
    clock[0] += 0.9
    bar.show(400)
    assert stream.getvalue() == ""  # what is quick needs no bar
    clock[0] += 0.2
    bar.show(500)
    drawn = stream.getvalue()
    assert " 50 %  night.cu8" in drawn and drawn.count("█") == drawn.count("░") == 15
    assert drawn.startswith("\r") and "\n" not in drawn
    clock[0] += 0.1
    bar.show(600)
    assert stream.getvalue() == drawn
    clock[0] += 0.2
    bar.show(5000)  # more than there should be
    assert "100 %" in stream.getvalue()


def test_cleared_once(clock: list[float]) -> None:
    stream = _Terminal()
    bar = Progress("night.cu8", 1000, stream)
    bar.clear()
    assert stream.getvalue() == ""
    clock[0] += 2
    bar.show(500)
    bar.clear()
    cleared = stream.getvalue()
    assert cleared.endswith("\r\033[K")
    bar.clear()
    assert stream.getvalue() == cleared


@pytest.mark.parametrize("total", [None, 0])
def test_no_bar_without_an_end(clock: list[float], total: int | None) -> None:
    stream = _Terminal()
    bar = Progress("-", total, stream)
    clock[0] += 10
    bar.show(500)
    assert stream.getvalue() == ""


def test_no_bar_off_a_terminal(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progress("night.cu8", 1000)  # standard error
    clock[0] += 10
    bar.show(500)
    bar.clear()
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out == ""
