"""A study: policies × cases × seeds, on common random numbers, with intervals. Its form is what `--json` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from dispatch.simulator.case import Case, reference, world_of
from dispatch.simulator.loop import Play
from dispatch.simulator.measure import FIGURES, Figures, Interval, figures_of, less, summary
from dispatch.simulator.policies import Policy

LOADS = (0.85, 0.90, 0.95)
COMPARED = ("wait_mean", "wait_p95")
FORM = 2  # raised when the JSON's form changes


@dataclass(frozen=True)
class Cell:
    """One policy in one case: figures a seed."""

    case: Case
    policy: Policy
    runs: Sequence[Figures]


@dataclass(frozen=True)
class Study:
    """Cells by case and then policy."""

    name: str
    seeds: Sequence[int]
    cells: Sequence[Cell]

    def cases(self) -> Iterator[tuple[Case, list[Cell]]]:
        """Each case with its cells."""
        for case in dict.fromkeys(id(cell.case) for cell in self.cells):
            cells = [cell for cell in self.cells if id(cell.case) == case]
            yield cells[0].case, cells


def reference_cases(loads: Sequence[float] = LOADS) -> list[Case]:
    """The reference case at each load, once with skilled people faster and once not."""
    return [reference(load, faster=faster) for faster in (True, False) for load in loads]


def study(
    name: str,
    cases: Sequence[Case],
    policies: Sequence[Policy],
    seeds: Sequence[int],
    *,
    said: Callable[[str], None] = lambda _line: None,
    played: Callable[[], None] = lambda: None,
) -> Study:
    """Play everything. `said` hears of each case when it is through; `played` of each world of a policy, and may stop it by
    an exception.
    """
    cells: list[Cell] = []
    for case in cases:
        runs: list[list[Figures]] = [[] for _ in policies]
        for seed in seeds:
            for found, policy in zip(runs, policies, strict=True):
                # A world is drawn anew for each, which costs little, and nobody can change another's.
                found.append(figures_of(Play(world_of(case, seed), policy).run()))
                played()
        cells += [Cell(case, policy, found) for policy, found in zip(policies, runs, strict=True)]
        said(f"{case.name}, load {case.load:.2f}, a level saves {case.speed:.0%}: {len(seeds)} seeds played")
    return Study(name, list(seeds), cells)


def as_json(done: Study) -> dict[str, Any]:
    """Every figure per policy and case with its interval, and by what share each policy is below the others. nan is null."""
    return {
        "form": FORM,
        "case": done.name,
        "seeds": list(done.seeds),
        "figures": list(FIGURES),
        "cases": [
            {
                "load": case.load,
                "speed": case.speed,
                "agents": case.agents,
                "warm_up": case.warm_up,
                "measured": case.measured,
                "policies": [
                    {
                        "policy": cell.policy.name,
                        "weights": None if cell.policy.key else asdict(cell.policy.weights),
                        "means": asdict(cell.policy.means),
                        "figures": {name: _interval(one) for name, one in summary(cell.runs).items()},
                        "less_than": {
                            other.policy.name: {
                                name: _interval(less(cell.runs, other.runs, name)) for name in COMPARED
                            }
                            for other in cells
                            if other is not cell
                        },
                    }
                    for cell in cells
                ],
            }
            for case, cells in done.cases()
        ],
    }


def _interval(one: Interval) -> dict[str, float | None]:
    return {name: value if isfinite(value) else None for name, value in asdict(one).items()}


def as_text(done: Study) -> str:
    """One line a policy, for people."""
    lines = []
    for case, cells in done.cases():
        lines.append(
            f"load {case.load:.2f}, a level saves {case.speed:.0%} of the time; seconds, ± 95 % interval"
        )
        lines.append(
            f"  {'policy':<28} {'wait':>13} {'p95':>6} {'in time':>7} {'left':>6}"
            f" {'fit':>5} {'offers':>6} {'resc.':>6} {'Gini':>6} {'busy':>5} {'solve':>8}"
        )
        for cell in cells:
            of = summary(cell.runs)
            solve = of["solve_ms"].mean
            lines.append(
                f"  {cell.policy.name:<28} {_pm(of['wait_mean'])} {of['wait_p95'].mean:6.1f}"
                f" {of['within_target'].mean:7.1%} {of['abandoned'].mean:6.1%}"
                f" {of['fit'].mean:5.3f} {of['offers'].mean:6.2f} {of['rescinded'].mean:6.1%} {of['gini'].mean:6.3f}"
                f" {of['utilisation'].mean:5.1%} {'' if solve != solve else f'{solve:.2f} ms':>8}"  # noqa: PLR0124  nan
            )
    return "\n".join(lines)


def _pm(one: Interval) -> str:
    return f"{one.mean:6.2f} ±{one.high - one.mean:5.2f}"
