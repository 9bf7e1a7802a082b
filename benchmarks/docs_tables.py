"""Write the tables of docs/ anew from the results of a release, so that no figure is copied by hand.

A table whose results are not kept stays as it is.

Between ``<!-- NAME -->`` and ``<!-- /NAME -->`` stands the table NAME; results lie in benchmarks/results/.

Usage: python benchmarks/docs_tables.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
VERSION = "0.1.0"
Table = Callable[[], Iterable[list[str]]]


def main() -> None:
    """Fill the tables of every page."""
    for page in (ROOT / "docs" / "sensitivity.md", ROOT / "docs" / "throughput.md"):
        text = page.read_text(encoding="utf-8")
        for name, table in TABLES.items():
            pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
            if pattern.search(text):
                try:
                    head, *body = table()
                except (FileNotFoundError, KeyError):
                    continue  # nothing kept of this kind
                lines = [head, ["---"] * len(head), *body]
                written = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
                text = pattern.sub(lambda m, w=written: m[1] + w + m[2], text)
        page.write_text(text, encoding="utf-8")


def results(kind: str) -> dict[str, Any]:
    """Read the kept report of one kind."""
    report: dict[str, Any] = json.loads((RESULTS / f"{kind}_{VERSION}.json").read_text(encoding="utf-8"))
    return report


def curves() -> Iterable[list[str]]:
    """List levels for 90 % and 50 %, beside theory."""
    yield [
        "air interface, format",
        "default",
        "`--no-repair`",
        "hard",
        "soft",
        "coherent",
        "repaired, of it wrong",
    ]
    for curve in results("sensitivity")["sensitivity"]:
        receivers, theory = curve["receivers"], curve["theory"]
        yield [
            curve["name"],
            *(_level(receivers[name]) for name in ("repair", "no repair")),
            *(f"{theory[limit]['ec_n0_db_90']:.1f}" if limit in theory else "–" for limit in LIMITS),
            f"{receivers['repair']['repaired']}, {receivers['repair']['repaired_wrong']}",
        ]


LIMITS = ("hard", "soft", "coherent")


def _level(receiver: dict[str, Any]) -> str:
    ninety, fifty = receiver["ec_n0_db_90"], receiver["ec_n0_db_50"]
    if ninety is None:
        return "?"
    return f"**{ninety[0]:.1f}** ±{ninety[1]:.1f}" + ("" if fifty is None else f" ({fifty[0]:.1f})")


def losses(family: str) -> Table:
    """List losses of one family, a column a row of the PHY table."""

    def table() -> Iterable[list[str]]:
        found = [r for r in results("sweeps")["sweeps"] if r["family"] == family]
        rows = list(dict.fromkeys(r["row"] for r in found))
        yield ["", *rows]
        for label in dict.fromkeys(r["case"] for r in found):
            by_row = {r["row"]: r for r in found if r["case"] == label}
            yield [label, *(_loss(by_row.get(row)) for row in rows)]

    return table


def _loss(result: dict[str, Any] | None) -> str:
    if result is None:
        return "–"
    texts = []
    for name, level in result["ec_n0_db_90"].items():
        loss = result["loss_db"][name]
        value = "not heard" if level is None else f"{level[0]:.1f} dB" if loss is None else f"{loss[0]:+.1f}"
        texts.append(value if len(result["ec_n0_db_90"]) == 1 or level is None else f"{level[0]:.1f}")
    return " / ".join(texts)


def ideas() -> Iterable[list[str]]:
    """List what ideas gain and cost."""
    found = results("ideas")["ideas"]
    rows = list(dict.fromkeys(r["row"] for r in found))
    yield ["", *rows]
    for idea in dict.fromkeys(r["idea"] for r in found):
        cells = []
        for row in rows:
            r = next(r for r in found if r["row"] == row and r["idea"] == idea)
            level = "?" if r["ec_n0_db_90"] is None else f"{r['ec_n0_db_90'][0]:.1f} dB"
            gain = "" if r["gain_db"] is None else f" ({r['gain_db']:+.1f})"
            cells.append(f"{level}{gain}, {r['cpu_ms']:.0f} ms")
        yield [idea, *cells]


def wrong() -> Iterable[list[str]]:
    """List wrong repairs."""
    report = results("wrong_repairs")
    yield [
        "air interface, format",
        *("Ec/N0", "sent", "heard", "repaired", "of it wrong", "at most (95 %)", "wrong unrepaired"),
    ]
    for name, counts in (*report["modes"].items(), ("all", report["all"])):
        level = f"{counts['ec_n0_db']:.2f} dB" if "ec_n0_db" in counts else ""
        bound = counts["repaired_wrong_at_most"]
        yield [
            name,
            level,
            *(f"{counts[key]}" for key in ("sent", "heard", "repaired", "repaired_wrong")),
            f"1 in {1 / bound:.0f}",
            f"{counts['wrong'] - counts['repaired_wrong']}",
        ]


def throughput() -> Iterable[list[str]]:
    """List speeds."""
    yield ["plan", "traffic", "CPU MS/s", "÷ FIR", "wall MS/s", "× real time", "heard", "MB", "latency ms"]
    for r in results("throughput")["throughput"]:
        latency = "" if r["latency_ms"] is None else "{:.0f} ({:.0f})".format(*r["latency_ms"])
        yield [
            r["tuning"],
            r["traffic"],
            f"**{r['cpu_msps']:.0f}**" if r["cpu_msps"] >= 20 else f"**{r['cpu_msps']:.1f}**",
            f"{r['to_reference']:.3f}",
            f"{r['wall_msps']:.0f}" if r["wall_msps"] >= 20 else f"{r['wall_msps']:.1f}",
            f"{r['times_real_time']:.1f}",
            f"{r['received']} of {r['sent']}" if r["sent"] else "",
            f"{r['peak_memory_mb']:.0f}",
            latency,
        ]


def stages() -> Iterable[list[str]]:
    """List where the time goes."""
    yield ["plan", "traffic", "share of the CPU time by module, %"]
    for r in results("throughput")["throughput"]:
        parts = ", ".join(f"{name} {100 * share:.0f}" for name, share in list(r["stages"].items())[:9])
        yield [r["tuning"], r["traffic"], parts]


def first_start() -> Iterable[list[str]]:
    """List the starts."""
    yield ["kernels", "first telegram s", "end s", "CPU s"]
    for r in results("throughput")["first_start"]:
        yield [r["kernels"], f"{r['first_telegram_s']:.1f}", f"{r['all_s']:.1f}", f"{r['cpu_s']:.1f}"]


TABLES: dict[str, Table] = {
    "curves": curves,
    "tolerances": losses("tolerances"),
    "disturbances": losses("disturbances"),
    "oscillators": losses("oscillators"),
    "ideas": ideas,
    "wrong": wrong,
    "throughput": throughput,
    "stages": stages,
    "first_start": first_start,
}

if __name__ == "__main__":
    main()
