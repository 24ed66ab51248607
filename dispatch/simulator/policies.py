"""Policies: who is asked next. Ours calls the product's solver; the others are what it has to beat."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dispatch.matching import Agents, Needs, Pairs, Problem, Tickets, Weights, solve
from dispatch.matching.problem import F32
from dispatch.rules import offers as rules
from dispatch.rules import steps
from dispatch.rules.newcomers import is_new, newcomers_first
from dispatch.rules.steps import Step

if TYPE_CHECKING:
    from dispatch.simulator.loop import Play

DRAWN = 3600.0  # seconds at the mean that a share begins with, as in dispatch.queue.standings_refresh

Asked = list[tuple[int, int]]
"""(ticket, agent): offers to make; a ticket's first before its parallel ones."""
Key = Callable[["Play", int, int], tuple[float, ...]]
"""(play, ticket, agent) → the lowest is asked."""


@dataclass(frozen=True)
class Means:
    """What a policy may do beside choosing."""

    next_up: bool = False  # offer the next ticket while the last one is being wrapped up
    auto_share: float = 0.0  # share of the agents who have auto-accept on
    steps: Sequence[Step] | None = None  # of all routes, instead of the case's
    exploration_percent: int = 0  # of the tickets go to newcomers first; everybody begins as one
    reserve_seconds: float = 0.0  # in which a new ticket goes only to who is worth Weights.reserve


@dataclass(frozen=True)
class Policy:
    """A name, a way to choose, and its means."""

    name: str
    key: Key | None = None  # None: the solver, by `weights`
    weights: Weights = field(default_factory=Weights)
    means: Means = field(default_factory=Means)

    def choose(self, play: Play) -> Asked:
        """Offers to make now. Does not change the play but for its counters."""
        return _in_turn(play, self.key) if self.key else _solved(play, self.weights)


def _in_turn(play: Play, key: Key) -> Asked:
    """The oldest ticket first, each to the one with the lowest key, one offer at a time."""
    free, asked = set(play.free), []
    for ticket in play.waiting:
        if not free:
            break
        able = play.may_take(ticket, free)
        if able:
            agent = min(able, key=lambda one: key(play, ticket, one))
            free.discard(agent)
            asked.append((ticket, agent))
            play.last_asked = agent
    return asked


def _solved(play: Play, weights: Weights) -> Asked:
    """One run of dispatch.matching on what waits and who is free, as dispatch.sight builds it."""
    world, now = play.world, play.now
    tickets, agents = play.waiting, sorted(play.free)
    kinds = [world.case.kinds[world.kind[ticket]] for ticket in tickets]
    n, m = len(tickets), len(agents)
    flat = [
        (place, skill, level)
        for place, (ticket, kind) in enumerate(zip(tickets, kinds, strict=True))
        for skill, level in steps.required(kind.required, play.step(ticket)).items()
    ]
    needs = np.array(flat, np.int32).reshape(len(flat), 3)
    capacity = world.case.capacity
    # Columns are made of everybody's lists and then picked: a call for each person would cost as much as the solving.
    here = np.array(agents, np.int64)
    taken = np.array(play.taken)[here]
    ahead = np.array(play.wrapping)[here] if play.policy.means.next_up else 0
    problem = Problem(
        tickets=Tickets(
            id=np.array(tickets, np.int64),
            waited_seconds=now - np.array([world.at[ticket] for ticket in tickets]),
            target_seconds=np.array([kind.target_seconds for kind in kinds]),
            max_wait_seconds=np.array([kind.max_wait_seconds for kind in kinds]),
            priority=np.zeros(n),
            units=np.array([kind.units for kind in kinds], np.int32),
            language=np.array([kind.language for kind in kinds], np.int8),
            required=Needs(needs[:, 0], needs[:, 1], needs[:, 2].astype(np.int8)),
            excluded=Pairs.of(
                (ticket, agent)
                for ticket in tickets
                if ticket in play.said_no
                for agent in play.excluded(ticket)
            ),
            newcomers_first=newcomers_first(
                np.array(tickets, np.int64), play.policy.means.exploration_percent
            ),
            reserved=np.array([ticket in play.reserved for ticket in tickets], np.bool_),
        ),
        agents=Agents(
            id=here,
            free_units=(capacity - taken + ahead).astype(np.int32),
            capacity_units=np.full(m, capacity, np.int32),
            load=(taken / capacity).astype(np.float32),
            idle_seconds=np.where(taken > 0, 0.0, now - np.array(play.idle_since)[here]).astype(np.float32),
            share=_shares(play)[here],
            languages=np.array(world.case.languages or [0] * world.case.agents, np.int64)[here],
            levels=world.levels[here],
            skill_id=np.arange(world.levels.shape[1], dtype=np.int64),
            accept=np.full(m, world.case.accept, np.float32),
            new=is_new(np.array(play.turn)[here]),
        ),
        weights=weights,
        fair_share=1.0,
    )
    begun = time.perf_counter()
    solution = solve(problem)
    play.solve_seconds += time.perf_counter() - begun
    play.solves += 1
    pairs = zip(solution.ids, solution.round.tolist(), strict=True)
    return [(i, j) for (i, j), turn in pairs if rules.in_parallel(turn, idle=not play.taken[j])]


def _shares(play: Play) -> F32:
    """(agents,) Play.share of everybody."""
    hourly = play.hourly
    if not hourly:
        return np.ones(len(play.worked), np.float32)
    return (
        (np.array(play.worked) + DRAWN * hourly) / (play.presence.all_seconds(play.now) + DRAWN) / hourly
    ).astype(np.float32)


def _random(play: Play, ticket: int, agent: int) -> tuple[float, ...]:  # noqa: ARG001  one form for all
    return (play.chance.random(),)


def _idle(play: Play, ticket: int, agent: int) -> tuple[float, ...]:  # noqa: ARG001  the same
    return (-play.idle(agent), agent)


def _next_in_circle(play: Play, ticket: int, agent: int) -> tuple[float, ...]:  # noqa: ARG001  the same
    return ((agent - play.last_asked - 1) % play.world.case.agents,)


def _least_loaded(play: Play, ticket: int, agent: int) -> tuple[float, ...]:  # noqa: ARG001  the same
    return (play.taken[agent], play.share(agent), agent)


def _best_skill(play: Play, ticket: int, agent: int) -> tuple[float, ...]:
    return (-play.world.fit(ticket, agent), -play.idle(agent), agent)


RANDOM = Policy("random", _random)
LONGEST_IDLE = Policy("longest idle", _idle)
ROUND_ROBIN = Policy("round robin", _next_in_circle)
LEAST_LOADED = Policy("least loaded", _least_loaded)
GREEDY = Policy("greedy best skill", _best_skill)
BASELINES = (LONGEST_IDLE, ROUND_ROBIN, LEAST_LOADED, GREEDY)

# Tuned for the reference case (docs/adr/0013 and 0037). A large weight of the fair share is a price: who has worked more than
# others costs more, just enough that work evens out while everybody gets what they do best.
TUNED = Weights(fit=5.0, wait=1.0, fairness=36.0, load=2.75, scarcity=0.3, max_parallel=2, reserve=2.6)
OURS = Policy("assignment", weights=TUNED, means=Means(next_up=True, reserve_seconds=16.0))
EVERY = (RANDOM, *BASELINES, OURS)
