"""One HTML file that needs nothing else: plots as SVG, and the tables behind them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from dispatch.simulator.case import Case
from dispatch.simulator.measure import FIGURES, Interval, summary
from dispatch.simulator.study import Cell, Study

PLOTS = (
    ("wait_mean", "Seconds from creation to accepted, mean"),
    ("wait_p95", "… 95th percentile"),
    ("fit", "Skill fit"),
    ("gini", "Gini of work per online hour"),
    ("offers", "Offers a ticket"),
    ("utilisation", "Share of the online time that is work"),
)
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.85rem}
th,td{padding:.25rem .5rem;border-bottom:1px solid #ccc;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
figure{margin:1rem 0}svg{max-width:100%;height:auto}
"""
INTRODUCTION = """, the same tickets, people and answers for every policy. Means over the seeds with 95 % intervals (Student’s
t). Seconds where nothing else is said. A wait ends when somebody accepts and begins."""


def as_html(done: Study) -> str:
    """The report, in English. Plots have their figures in the table below them, with intervals."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>Simulation: {escape(done.name)}</title><style>{STYLE}</style>",
        f"<h1>Simulation: {escape(done.name)}</h1>",
        f"<p>{len(done.seeds)} seeds{INTRODUCTION}</p>",
    ]
    for case, cells in done.cases():
        parts += [f"<h2>{escape(title(case))}</h2>", f"<figure>{svg(case, cells)}</figure>", _table(cells)]
    return "".join([*parts, "</html>"])


def title(case: Case) -> str:
    """What a case is, in one line."""
    faster = f"a level saves {case.speed:.0%} of the time" if case.speed else "skilled people are not faster"
    return f"Load {case.load:.2f}, {case.agents} agents, {faster}"


def svg(case: Case, cells: Sequence[Cell], words: Mapping[str, str] | None = None, heading: str = "") -> str:
    """PLOTS of one case, policies beside each other. `words`: of a reader's language, for headings of PLOTS and names of
    policies; `heading`: instead of ``title``.
    """
    said, heading = words or {}, heading or title(case)
    with mpl.rc_context({"svg.hashsalt": "standby", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(11, 5.5), layout="constrained")
        names = [said.get(cell.policy.name, cell.policy.name) for cell in cells]
        found = [summary(cell.runs) for cell in cells]
        for axes, (name, plot) in zip(figure.subplots(2, 3, sharey=True).flat, PLOTS, strict=True):
            means = [of[name].mean for of in found]
            # One seed has no interval.
            error = [0.0 if of[name].high != of[name].high else of[name].high - of[name].mean for of in found]
            axes.barh(
                names,
                means,
                xerr=error,
                color=["#2f6f4f" if cell.policy.key is None else "#9aa5b1" for cell in cells],
            )
            axes.set_title(said.get(plot, plot), fontsize=8)
        axes.invert_yaxis()  # all of them: they share it
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Title": heading})
    text = out.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(heading)}" ', 1)


def _table(cells: Sequence[Cell]) -> str:
    head = "".join(f"<th scope=col>{escape(name.replace('_', ' '))}" for name in FIGURES)
    rows = "".join(
        f"<tr><th scope=row>{escape(cell.policy.name)}"
        + "".join(f"<td>{_cell(one)}" for one in summary(cell.runs).values())
        for cell in cells
    )
    return f"<div class=scroll><table><thead><tr><th scope=col>policy{head}<tbody>{rows}</table></div>"


def _cell(one: Interval) -> str:
    if one.mean != one.mean:
        return "–"
    spread = "" if one.high != one.high else f" ± {one.high - one.mean:.3g}"
    return f"{one.mean:.4g}{spread}"
