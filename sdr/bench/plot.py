"""Figures of a sensitivity report: success against Ec/N0 beside theory, and losses at the edges.

Needs matplotlib, which comes with ``pip install 'omsdr[plot]'``. It draws from the JSON report, so kept
results can be drawn anew: ``python -m sdr.bench.plot REPORT.json FIGURE.svg``.
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

from sdr.errors import UsageError

_COLUMNS = 3
_PANEL_INCHES = (3.6, 2.7)
_THEORY = {
    "hard": ("0.55", ":", "theory: noncoherent, hard chips"),
    "soft": ("0.55", "-.", "theory: noncoherent, whole words or bits"),
    "coherent": ("0.55", "--", "theory: coherent, hard (path distance)"),
}
_MEASURED = {
    "repair": ("#0b6e4f", "o", "omsdr"),
    "no repair": ("#c1440e", "s", "omsdr --no-repair"),
}
_WANTED = 0.9
_SPAN_DB = (3.0, 14.0)


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw what a report of ``omsdr bench --json`` holds: curves if there are any, else sweeps.

    Args:
        report: as decoded from JSON.
        path: SVG, PNG or PDF file to write.

    Raises:
        UsageError: matplotlib is not installed, or there is nothing to draw.
    """
    require()
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {"font.size": 8, "svg.hashsalt": "omsdr", "svg.fonttype": "none"}
    if report.get("sensitivity"):
        figure = _curves(report["sensitivity"])
    elif report.get("sweeps"):
        figure = _losses(report["sweeps"])
    else:
        raise UsageError("the report holds neither sensitivity curves nor sweeps")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def require() -> None:
    """Tell whether figures can be drawn.

    Raises:
        UsageError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("figures need matplotlib: pip install 'omsdr[plot]'")


def _curves(curves: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - matplotlib is optional, and has few types
    from matplotlib import pyplot

    rows = math.ceil(len(curves) / _COLUMNS)
    figure, axes = pyplot.subplots(
        rows,
        _COLUMNS,
        figsize=(_COLUMNS * _PANEL_INCHES[0], rows * _PANEL_INCHES[1] + 0.7),
        layout="constrained",
        squeeze=False,
    )
    for axis in axes.flat[len(curves) :]:
        axis.set_visible(False)
    named: dict[str, Any] = {}
    for curve, axis in zip(curves, axes.flat, strict=False):
        axis.axhline(_WANTED, color="0.85", linewidth=0.8, zorder=0)
        for limit, values in curve["theory"].items():
            color, style, name = _THEORY[limit]
            levels, shares = _points(values["success"])
            named[name] = axis.plot(levels, shares, color=color, linestyle=style, linewidth=1.0)[0]
        for receiver, values in curve["receivers"].items():
            color, marker, name = _MEASURED[receiver]
            shares_by_level = {level: p["heard"] / p["sent"] for level, p in values["points"].items()}
            levels, shares = _points(shares_by_level)
            named[name] = axis.plot(levels, shares, color=color, marker=marker, markersize=3, linewidth=1.2)[
                0
            ]
            if values["ec_n0_db_90"]:
                at = values["ec_n0_db_90"][0]
                axis.plot([at, at], [0.0, _WANTED], color=color, linewidth=0.6, zorder=0)
                axis.annotate(
                    f"{at:.1f}", (at, 0.02), color=color, ha="left", xytext=(1, 0), textcoords="offset points"
                )
        axis.set_title(curve["name"], fontsize=8)
        axis.set_xlim(*_SPAN_DB)
        axis.set_ylim(0.0, 1.02)
    for axis in axes[-1]:
        axis.set_xlabel("Ec/N0 in dB")
    for axis in axes[:, 0]:
        axis.set_ylabel("frames heard")
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _losses(results: list[dict[str, Any]]) -> Any:  # noqa: ANN401
    from matplotlib import pyplot

    rows = list(dict.fromkeys(result["row"] for result in results))
    labels = list(dict.fromkeys(result["case"] for result in results if result["loss_db"].get("default")))
    figure, axis = pyplot.subplots(figsize=(7.0, 0.19 * len(labels) + 1.2), layout="constrained")
    axis.axvspan(-3.0, 1.0, color="#e6f2ec", zorder=0)
    for number, row in enumerate(rows):
        own = [r for r in results if r["row"] == row and r["loss_db"].get("default")]
        places = [labels.index(r["case"]) + 0.16 * (number - (len(rows) - 1) / 2.0) for r in own]
        axis.errorbar(
            [r["loss_db"]["default"][0] for r in own],
            places,
            xerr=[r["loss_db"]["default"][1] for r in own],
            linestyle="none",
            marker="o",
            markersize=3,
            linewidth=0.8,
            label=row,
        )
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.set_xlim(-2.0, 4.0)
    axis.set_xlabel("loss in dB at 90 % of the frames, against the standard case (shaded: at most 1 dB)")
    axis.grid(axis="x", color="0.9", linewidth=0.6)
    figure.legend(loc="outside upper center", ncols=len(rows), frameon=False)
    return figure


def _points(by_level: dict[str, float]) -> tuple[list[float], list[float]]:
    levels = sorted(by_level, key=float)
    return [float(level) for level in levels], [by_level[level] for level in levels]


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
