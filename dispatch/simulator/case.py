"""A case: who is there, which tickets come, how people answer. And a world: all of its chance, drawn once a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log, sqrt

import numpy as np
from numpy.random import Generator

from dispatch.matching.problem import ANY_LANGUAGE, I8
from dispatch.rules import steps
from dispatch.rules.steps import Step

POOL = 0  # the only one
ANSWERS = 128  # answers of a person that are drawn at once


@dataclass(frozen=True)
class Kind:
    """What tickets of one topic need, and how long they may take. Skills by column of World.levels."""

    required: Mapping[int, int]  # column → least level
    name: str = ""
    units: int = 100  # of an agent's capacity: 100 is one ticket at a time
    target_seconds: float = 20.0
    max_wait_seconds: float = 600.0
    offer_seconds: float = 60.0
    steps: Sequence[Step] = (Step(0, POOL),)  # of the route, ascending; the first begins at 0
    language: int = ANY_LANGUAGE  # bit number in Case.languages


@dataclass(frozen=True)
class Coming:
    """Tickets that come, n of them by time; a column a field."""

    at: Sequence[float]  # (n,) seconds from the beginning, ascending
    kind: Sequence[int]  # (n,) position in Case.kinds
    handling: Sequence[float] | None = None  # (n,) seconds, when a log knows them


@dataclass(frozen=True)
class Case:
    """One situation. Times in seconds."""

    name: str
    kinds: Sequence[Kind]
    agents: int
    skills: int
    load: float = 0.95  # handling and answering over what all agents can do (see `rate`)
    skills_each: int = 3
    levels: tuple[int, int] = (2, 5)  # lowest and highest, drawn uniformly
    handling_mean: float = 300.0
    handling_cv: float = 0.6  # standard deviation over mean of the lognormal; 1 with `exponential_handling`
    exponential_handling: bool = False  # for the closed forms
    speed: float = 0.0  # share of the handling time that a level above the middle saves
    wrap_share: float = (
        0.1  # last part of the handling: the customer has their answer, the agent writes notes
    )
    accept: float = 0.8
    answer_mean: float = 8.0  # 0: at once
    answer_cv: float | None = None  # of a lognormal; None: exponential
    away_mean: float = 60.0  # until an agent who missed an offer returns, exponential
    patience_mean: float = inf  # exponential
    capacity: int = 100
    warm_up: float = 3600.0  # not measured
    measured: float = 7200.0
    coming: Coming | None = None  # instead of Poisson arrivals
    people: I8 | None = None  # (agents, skills) levels instead of drawn ones
    languages: Sequence[int] | None = None  # (agents,) bits; None: nobody asks for any
    presence: Sequence[Sequence[tuple[float, float]]] | None = (
        None  # (agents,) when each is there; None: always
    )

    @property
    def horizon(self) -> float:
        """Tickets come until then; those are served to the end."""
        return self.warm_up + self.measured

    @property
    def rate(self) -> float:
        """Tickets a second: load · agents · (capacity ÷ units) ÷ (handling_mean + answer_mean ÷ accept).

        What a ticket takes of a person's time is its handling and the answers to offers until somebody says yes, when one
        after the other is asked. Without the answers in it, a load of 0.95 would be 0.98 for who asks so.
        """
        at_once = self.capacity / self.kinds[0].units
        return self.load * self.agents * at_once / (self.handling_mean + self.answer_mean / self.accept)


REFERENCE_SKILLS = 12


def reference(load: float = 0.95, *, faster: bool = True) -> Case:
    """200 agents of 12 skills, each has 3 with levels 2–5; a ticket needs one. `faster`: a level saves 10 % of the time."""
    return Case(
        name="reference",
        kinds=[Kind({skill: 1}, name=f"skill {skill + 1}") for skill in range(REFERENCE_SKILLS)],
        agents=200,
        skills=REFERENCE_SKILLS,
        load=load,
        speed=0.1 if faster else 0.0,
        warm_up=3000.0,
        measured=4800.0,
    )


@dataclass
class World:
    """A case with all its chance: every policy meets the same tickets, the same people and the same answers.

    Common random numbers: a ticket carries its own draws, and the nth answer of an agent is the same whatever was asked.
    """

    case: Case
    seed: int
    at: list[float]  # (n,) when tickets come
    kind: list[int]  # (n,)
    work: list[float]  # (n,) seconds for a person of the middle level
    patience: list[float]  # (n,)
    levels: I8  # (agents, skills)

    def __post_init__(self) -> None:
        self._able: dict[tuple[int, int], frozenset[int]] = {}
        self._answers: list[list[tuple[float, float]]] = [[] for _ in range(self.case.agents)]
        self._streams: list[Generator] = [
            np.random.default_rng([self.seed, 1, agent]) for agent in range(self.case.agents)
        ]

    def answer(self, agent: int, turn: int) -> tuple[bool, float]:
        """(yes, seconds) of the agent's offer number `turn`, from 0."""
        drawn = self._answers[agent]
        while turn >= len(drawn):
            drawn.extend(self._draw(self._streams[agent]))
        chance, seconds = drawn[turn]
        return chance < self.case.accept, seconds

    def _draw(self, stream: Generator) -> list[tuple[float, float]]:
        case = self.case
        chance = stream.random(ANSWERS)
        if case.answer_mean == 0:
            seconds = np.zeros(ANSWERS)
        elif case.answer_cv is None:
            seconds = stream.exponential(case.answer_mean, ANSWERS)
        else:
            seconds = lognormal(stream, case.answer_mean, case.answer_cv, ANSWERS)
        return list(zip(chance.tolist(), seconds.tolist(), strict=True))

    @cached_property
    def auto_order(self) -> list[int]:
        """Agents in the order in which they would switch auto-accept on: a larger share contains the smaller."""
        order: list[int] = np.random.default_rng([self.seed, 2]).permutation(self.case.agents).tolist()
        return order

    def able(self, kind: int, step: Step) -> frozenset[int]:
        """Agents who may take a ticket of this kind on this step of its route, had they the time."""
        key = (kind, step.least_level)
        if key not in self._able:
            may = np.ones(self.case.agents, np.bool_)
            language = self.case.kinds[kind].language
            if language != ANY_LANGUAGE:
                may &= np.array(self.case.languages) >> language & 1 != 0
            for skill, level in steps.required(self.case.kinds[kind].required, step).items():
                may &= self.levels[:, skill] >= level
            self._able[key] = frozenset(np.flatnonzero(may).tolist())
        return self._able[key]

    def fit(self, ticket: int, agent: int) -> float:
        """Mean level over 5 of the skills that the ticket requires; 1 when it requires none. As in matching.score."""
        required = self.case.kinds[self.kind[ticket]].required
        if not required:
            return 1.0
        return sum(int(self.levels[agent, skill]) for skill in required) / (5 * len(required))

    def handling(self, ticket: int, agent: int) -> float:
        """Seconds that this person takes for it: work · (1 − speed · (level − middle)), over the required skills."""
        middle = sum(self.case.levels) / 2
        above = self.fit(ticket, agent) * 5 - middle
        return self.work[ticket] * max(1.0 - self.case.speed * above, 0.1)


def world_of(case: Case, seed: int) -> World:
    """Draw the world of a seed. Each thing has a stream of its own, so that worlds of two loads share their chance too."""
    arrivals, kinds, works, patiences = (np.random.default_rng([seed, 0, thing]) for thing in range(4))
    levels = deal_people(case, np.random.default_rng([seed, 3])) if case.people is None else case.people
    if case.coming is None:
        most = int(case.rate * case.horizon + 10 * sqrt(case.rate * case.horizon) + 50)
        at = np.cumsum(arrivals.exponential(1.0, most)) / case.rate
        n = int(np.searchsorted(at, case.horizon))
        at, kind = at[:n], kinds.integers(0, len(case.kinds), n)
        work = None
    else:
        at, kind = np.asarray(case.coming.at, np.float64), np.asarray(case.coming.kind, np.int64)
        n = len(at)
        work = case.coming.handling
    if work is None:
        if case.exponential_handling:
            work = works.exponential(case.handling_mean, n).tolist()
        else:
            work = lognormal(works, case.handling_mean, case.handling_cv, n).tolist()
    patience = patiences.exponential(1.0, n)
    return World(
        case=case,
        seed=seed,
        at=at.tolist(),
        kind=kind.tolist(),
        work=list(work),
        patience=(patience * case.patience_mean).tolist(),
        levels=levels,
    )


def deal_people(case: Case, chance: Generator) -> I8:
    """(agents, skills) levels. Skills are dealt like cards, so that as many people have each."""
    levels = np.zeros((case.agents, case.skills), np.int8)
    low, high = case.levels
    deck: list[int] = []
    for agent in range(case.agents):
        mine, deck = deck[: case.skills_each], deck[case.skills_each :]
        while len(mine) < case.skills_each:
            deck = chance.permutation(case.skills).tolist()
            more = [skill for skill in deck if skill not in mine][: case.skills_each - len(mine)]
            mine, deck = mine + more, [skill for skill in deck if skill not in more]
        levels[agent, mine] = chance.integers(low, high + 1, case.skills_each)
    return levels


def lognormal(
    chance: Generator, mean: float, cv: float, size: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(size,) with this mean and coefficient of variation: σ² = ln(1 + cv²), μ = ln(mean) − σ²/2. Exact for cv 0."""
    if cv == 0:
        return np.full(size, mean)
    sigma = sqrt(log(1 + cv * cv))
    return np.exp(log(mean) - sigma * sigma / 2 + sigma * chance.standard_normal(size))
