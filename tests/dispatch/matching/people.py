"""A small cast and random problems for the tests of the matching core."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from dispatch.matching import AgentRow, Problem, Scores, TicketRow, Weights, build

REFUND, FRAUD, LOGIN = 1, 2, 3  # skills
GERMAN, ENGLISH = 0, 1  # bits

ALICE = AgentRow(id=1, skills={REFUND: 4, LOGIN: 2}, languages=0b11, idle_seconds=30)
BOB = AgentRow(id=2, skills={REFUND: 2, FRAUD: 5}, languages=0b01, idle_seconds=90)
CHARLIE = AgentRow(id=3, skills={LOGIN: 3}, languages=0b10, idle_seconds=10)

# Few different figures on purpose: ties are where determinism breaks.
_skills = st.dictionaries(st.integers(1, 3), st.integers(1, 5), max_size=3)


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    most_tickets: int = 4,
    most_agents: int = 5,
    equal_units: bool = True,
    pending: int = 1,
    max_wait: st.SearchStrategy[float] | None = None,
) -> Problem:
    agent_ids = draw(st.lists(st.integers(1, 99), min_size=1, max_size=most_agents, unique=True))
    ticket_ids = draw(st.lists(st.integers(100, 199), min_size=1, max_size=most_tickets, unique=True))
    nearby = st.sampled_from(agent_ids) | st.integers(1, 99)
    tickets = [
        TicketRow(
            id=identity,
            waited_seconds=draw(st.sampled_from([0.0, 10.0, 30.0, 59.5, 60.0, 100.0, 400.0])),
            required=draw(st.dictionaries(st.integers(1, 3), st.integers(1, 3), max_size=2)),
            preferred=draw(st.dictionaries(st.integers(1, 3), st.integers(1, 5), max_size=1)),
            max_wait_seconds=draw(
                st.sampled_from([50.0, 90.0, float("inf")]) if max_wait is None else max_wait
            ),
            priority=draw(st.sampled_from([-1.0, 0.0, 0.0, 2.0])),
            units=25 if equal_units else draw(st.sampled_from([10, 25, 50, 100])),
            language=draw(st.sampled_from([-1, 0, 1])),
            known=draw(st.lists(nearby, max_size=1)),
            excluded=draw(st.lists(nearby, max_size=2)),
            newcomers_first=draw(st.booleans()),
            reserved=draw(st.booleans()),
        )
        for identity in ticket_ids
    ]
    agents = [
        AgentRow(
            id=identity,
            skills=draw(_skills),
            languages=draw(st.integers(0, 3)),
            free_units=draw(st.sampled_from([0, 25, 50, 100])),
            load=draw(st.sampled_from([0.0, 0.5])),
            idle_seconds=draw(st.sampled_from([0.0, 5.0, 5.0, 70.1])),
            share=draw(st.sampled_from([0.0, 9.7, 10.0, 14.3])),
            accept=draw(st.sampled_from([0.0, 0.7, 1.0, 1.0])),
            max_pending=draw(st.integers(0, pending)),
            new=draw(st.booleans()),
            booked=draw(st.booleans()),
        )
        for identity in agent_ids
    ]
    weights = [Weights(), Weights(max_parallel=1), Weights(fit=0, wait=2), Weights(reserve=0.4)]
    return build(tickets, agents, draw(st.sampled_from(weights)))


def rows_of(problem: Problem) -> tuple[list[TicketRow], list[AgentRow]]:
    """The rows that ``build`` would make the problem of."""
    t, a = problem.tickets, problem.agents
    skills = a.skill_id.tolist()

    def needs(which: Any, i: int) -> dict[int, int]:
        mine = which.ticket == i
        return {skills[s]: int(level) for s, level in zip(which.skill[mine], which.level[mine], strict=True)}

    tickets = [
        TicketRow(
            id=int(t.id[i]),
            waited_seconds=float(t.waited_seconds[i]),
            required=needs(t.required, i),
            preferred=needs(t.preferred, i),
            target_seconds=float(t.target_seconds[i]),
            max_wait_seconds=float(t.max_wait_seconds[i]),
            priority=float(t.priority[i]),
            units=int(t.units[i]),
            language=int(t.language[i]),
            known=t.known.agent_id[t.known.ticket_id == t.id[i]].tolist(),
            excluded=t.excluded.agent_id[t.excluded.ticket_id == t.id[i]].tolist(),
            newcomers_first=bool(t.newcomers_first[i]),
            reserved=bool(t.reserved[i]),
        )
        for i in range(len(t))
    ]
    agents = [
        AgentRow(
            id=int(a.id[j]),
            skills={skill: int(level) for skill, level in zip(skills, a.levels[j], strict=True) if level},
            languages=int(a.languages[j]),
            free_units=int(a.free_units[j]),
            capacity_units=int(a.capacity_units[j]),
            load=float(a.load[j]),
            idle_seconds=float(a.idle_seconds[j]),
            share=float(a.share[j]),
            accept=float(a.accept[j]),
            max_pending=int(a.max_pending[j]),
            new=bool(a.new[j]),
            booked=bool(a.booked[j]),
        )
        for j in range(len(a))
    ]
    return tickets, agents


def rebuilt(problem: Problem, tickets: list[TicketRow], agents: list[AgentRow]) -> Problem:
    """The same run, of other or otherwise ordered rows."""
    demand = dict(zip(problem.agents.skill_id.tolist(), problem.skill_demand.tolist(), strict=True))
    return build(tickets, agents, problem.weights, fair_share=problem.fair_share, skill_demand=demand)


def with_ticket(problem: Problem, i: int, **changes: Any) -> Problem:
    tickets, agents = rows_of(problem)
    tickets[i] = replace(tickets[i], **changes)
    return rebuilt(problem, tickets, agents)


def every_round(problem: Problem, scores: Scores) -> list[tuple[tuple[int, int], ...]]:
    """All ways to give each ticket at most one person within units and pending; for a few tickets only."""
    n, m = scores.eligible.shape
    choices = [[None, *(j for j in range(m) if scores.eligible[i, j])] for i in range(n)]
    found = []
    for choice in itertools.product(*choices):
        pairs = tuple((i, j) for i, j in enumerate(choice) if j is not None)
        units = [0] * m
        cards = [0] * m
        for i, j in pairs:
            units[j] += int(problem.tickets.units[i])
            cards[j] += 1
        if all(
            units[j] <= problem.agents.free_units[j] and cards[j] <= problem.agents.max_pending[j]
            for j in range(m)
        ):
            found.append(pairs)
    return found


def rank(problem: Problem, scores: Scores, pairs: tuple[tuple[int, int], ...]) -> tuple[Any, ...]:
    """What the four rules compare, best first by ``max``; values on a grid coarser than the solver's."""
    t, a = problem.tickets, problem.agents
    by_age = sorted(range(len(t)), key=lambda i: (-t.waited_seconds[i], t.id[i]))
    by_idle = sorted(range(len(a)), key=lambda j: (-a.idle_seconds[j], a.id[j]))
    served = {i for i, _ in pairs}
    offers = [sum(1 for _, j in pairs if j == person) for person in by_idle]
    return (
        [i in served for i in by_age if t.overdue[i]],
        len(pairs),
        round(sum(float(scores.value[i, j]) for i, j in pairs), 6),
        offers,
        [i in served for i in by_age],
    )
