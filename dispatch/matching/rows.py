"""A Problem from rows: for callers that count in dozens, such as tests; who has thousands fills the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from dispatch.matching.problem import ANY_LANGUAGE, Agents, Needs, Pairs, Problem, Tickets
from dispatch.matching.weights import Weights


@dataclass(frozen=True)
class TicketRow:
    """One ticket for ``build``; skills by id."""

    id: int
    waited_seconds: float
    required: Mapping[int, int] = field(default_factory=dict)  # skill id → least level
    preferred: Mapping[int, int] = field(default_factory=dict)
    target_seconds: float = 60.0
    max_wait_seconds: float = inf
    priority: float = 0.0
    units: int = 25
    language: int = ANY_LANGUAGE
    known: Sequence[int] = ()  # agent ids
    excluded: Sequence[int] = ()  # agent ids
    newcomers_first: bool = False
    reserved: bool = False


@dataclass(frozen=True)
class AgentRow:
    """One person online for ``build``; skills by id."""

    id: int
    skills: Mapping[int, int] = field(default_factory=dict)  # skill id → level
    languages: int = 0  # bitmask
    free_units: int = 100
    capacity_units: int = 100
    load: float = 0.0
    idle_seconds: float = 0.0
    share: float = 1.0
    accept: float = 1.0
    max_pending: int = 1
    new: bool = False
    quality: float = 0.0
    booked: bool = False


def build(
    tickets: Sequence[TicketRow],
    agents: Sequence[AgentRow],
    weights: Weights | None = None,
    *,
    fair_share: float = -1.0,
    skill_demand: Mapping[int, float] | None = None,
) -> Problem:
    """A Problem from rows. Costs a few µs a row; hot callers fill the columns themselves."""
    named = (
        [row.required for row in tickets]
        + [row.preferred for row in tickets]
        + [row.skills for row in agents]
    )
    skills = sorted({skill for levels in named for skill in levels} | set(skill_demand or ()))
    column = {skill: place for place, skill in enumerate(skills)}
    levels = np.zeros((len(agents), len(skills)), np.int8)
    for place, agent in enumerate(agents):
        for skill, level in agent.skills.items():
            levels[place, column[skill]] = level
    return Problem(
        tickets=Tickets(
            **_gather(
                tickets,
                "id",
                "waited_seconds",
                "target_seconds",
                "max_wait_seconds",
                "priority",
                "units",
                "language",
                "newcomers_first",
                "reserved",
            ),
            required=Needs.of([row.required for row in tickets], column),
            preferred=Needs.of([row.preferred for row in tickets], column),
            known=Pairs.of((row.id, agent) for row in tickets for agent in row.known),
            excluded=Pairs.of((row.id, agent) for row in tickets for agent in row.excluded),
        ),
        agents=Agents(
            **_gather(
                agents,
                "id",
                "free_units",
                "capacity_units",
                "load",
                "idle_seconds",
                "share",
                "languages",
                "accept",
                "max_pending",
                "new",
                "quality",
                "booked",
            ),
            levels=levels,
            skill_id=np.array(skills, np.int64),
        ),
        weights=weights or Weights(),
        fair_share=fair_share,
        skill_demand=np.array([(skill_demand or {}).get(skill, 1.0) for skill in skills], np.float64),
    )


def _gather(rows: Sequence[TicketRow] | Sequence[AgentRow], *names: str) -> dict[str, Any]:
    return {name: np.array([getattr(row, name) for row in rows]) for name in names}
