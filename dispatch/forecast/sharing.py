"""How many people are needed when they have several skills each.

Needs of single skills overstate: one person can wait for tickets of several. The need of all tickets together understates:
it takes everybody for able to do everything. In between lies the least number of people of the skill sets that there are, such
that

* for each skill there are as many able people as its tickets would need by themselves, if nobody did anything else, and
* in all there are as many as all tickets need, if everybody could do everything.

Both are necessary: a group of tickets is served best when everybody who can serve it does nothing else. Together they are not
sufficient, so the simulator is the check (dispatch/simulator); with people who have most skills they are close.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Skills = frozenset[int]


@dataclass(frozen=True)
class Plan:
    """The fewest people. `missing`: skill → able people that do not even exist in the team."""

    people: int
    groups: dict[Skills, int]
    missing: dict[int, int]


def least_people(whole: int, needs: Mapping[int, int], team: Mapping[Skills, int]) -> Plan:
    """`whole`: need of all tickets pooled; `needs`: skill → its own; `team`: skill set → people who have exactly this.

    An integer program: min Σ x_g, Σ_{g able} x_g ≥ need for each skill, Σ x_g ≥ whole, 0 ≤ x_g ≤ people there are. Where the
    team is too small, people with all skills are added, as few as can be; `missing` says for which skills there are too few. Of
    equal plans the one with the more skilled people.
    """
    return _solved(whole, tuple(sorted(needs.items())), tuple(sorted(team.items(), key=_order)))


def _order(item: tuple[Skills, int]) -> list[int]:
    return sorted(item[0])


@lru_cache(maxsize=4096)
def _solved(whole: int, needs: Sequence[tuple[int, int]], team: Sequence[tuple[Skills, int]]) -> Plan:
    able = {skill: sum(many for group, many in team if skill in group) for skill, _need in needs}
    missing = {skill: need - able[skill] for skill, need in needs if need > able[skill]}
    # The last column: people who would have to be found. A thousand of the team are better than one of them.
    rows = [[*(float(skill in group) for group, _many in team), 1.0] for skill, _need in needs]
    rows.append([1.0] * (len(team) + 1))
    least = [*(float(need) for _skill, need in needs), float(whole)]
    cost = [1.0 - 1e-4 * len(group) / (1 + len(needs)) for group, _many in team]
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  a tenth of each process's start, for who forecasts

    done = milp(
        np.array([*cost, 1000.0]),
        constraints=LinearConstraint(np.array(rows), np.array(least), np.inf),
        integrality=np.ones(len(team) + 1),
        bounds=Bounds(0, np.array([*(float(many) for _group, many in team), np.inf])),
    )
    if done.x is None:
        raise ArithmeticError(f"no plan: {done.message}")
    taken = np.rint(done.x).astype(int).tolist()
    groups = {group: many for (group, _size), many in zip(team, taken, strict=False) if many}
    return Plan(sum(taken), groups, missing)
