"""Who may take which ticket, and what each pair is worth (ADR 12 says why the ticket's part is a sum of its own).

    value = p · ( served + α·fit + γ·fairness + δ·known − ε·load − ζ·scarcity )     the person's part, ``worth``
            + newcomer
            + β·min(wait/target, cap) + priority                                    the ticket's part

fit       Σ over required skills of 2·level and over preferred ones that are met of level, by the same with level 5
          everywhere: 0–1; 1 for a ticket that asks for nothing. Whole numbers until one division, hence exact.
fairness  (fair share − share) / fair share, −1–1: who earned less per online hour gets more.
scarcity  highest pressure among the person's skills that this ticket does not require, 0–1; pressure of a skill is
          w / (w + free people who have it), w = waiting tickets that require it + skill_demand.
served    an offset (Weights.served) that keeps the bracket at 1 or more, so every allowed pair is worth something.
newcomer  Weights.newcomer if the ticket goes to newcomers first and the person is new, else 0. Outside of p: it is not for who
          accepts most. It is the same for all tickets of a kind, which is why these are kinds of their own.
p         probability of accepting, not below MIN_ACCEPT.
wait      targets that have passed, capped.
priority  counted from the lowest there is, so that it is never below zero.

The person's part is the same for all tickets of a kind, but for people whom a customer knows, so it is kept by kind: a
run of 10,000 tickets and 10,000 people has 10⁸ pairs, and a matrix of their values would take 800 MB.

Three habits keep the figures equal bit by bit, however the input is ordered and for one pair as for all: sums over
people or skills are sums of whole numbers or ``fsum``; the rest is done element by element, in one function; and no
matrix product, whose rounding depends on where in the matrix a cell lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import numpy as np

from dispatch.matching.problem import (
    ANY_LANGUAGE,
    F64,
    I8,
    I64,
    LOWEST_PRIORITY,
    TOP_LEVEL,
    Bool,
    Index,
    Problem,
)

BLOCK = 32  # kinds scored at once: what lies between stays small
MIN_ACCEPT = 0.05  # a short window of bad luck must not make anybody invisible


class Terms(TypedDict):
    """The weighted terms of one pair; ``value`` is accept · (served + fit + fairness + known + load + scarcity) + newcomer
    + (wait + priority), to the last bit as in ``Scores.value``. Reasons of older offers have no newcomer."""

    served: float
    fit: float
    wait: float
    priority: float
    fairness: float
    known: float
    load: float
    scarcity: float
    newcomer: float
    accept: float
    value: float


@dataclass(frozen=True)
class Scores:
    """What ``score`` found. n tickets, m people, t kinds of ticket (equal needs, language and units, alike to newcomers;
    with acceptance by pair each ticket is a kind).

    What is by kind is small; ``eligible`` and ``value`` are made of it when asked for, 1 and 8 bytes a pair.
    """

    kind: Index  # (n,) row of what is by kind
    kind_eligible: Bool  # (t, m) before excluded pairs
    kind_worth: F64  # (t, m) the person's part without known; above 0, meaningful where eligible
    ticket: F64  # (n,) the ticket's part, 0 or more
    known: tuple[
        Index, Index, F64
    ]  # ticket, agent, the person's part; each (q,), no pair twice, eligible ones only
    excluded: tuple[Index, Index]  # ticket, agent; each (x,)
    basis: Basis  # what all pairs have in common, for ``terms_of``

    @cached_property
    def eligible(self) -> Bool:
        """(n, m)"""
        eligible = self.kind_eligible[self.kind]
        eligible[self.excluded] = False
        return eligible

    @cached_property
    def value(self) -> F64:
        """(n, m) of every pair, meaningful where eligible. For small runs: large ones ask ``value_of``."""
        worth = self.kind_worth[self.kind]
        ticket, agent, of_known = self.known
        worth[ticket, agent] = of_known
        worth += self.ticket[:, None]
        return worth

    def value_of(self, ticket: Index, agent: Index) -> F64:
        """(q,) of pairs by position, with the bits of ``value``."""
        worth = self.kind_worth[self.kind[ticket], agent]
        i, j, of_known = self.known
        if i.size:
            width = self.kind_eligible.shape[1]
            place, met = among(i * width + j, ticket * width + agent)
            worth[met] = of_known[place[met]]
        return worth + self.ticket[ticket]

    def eligible_row(self, i: int) -> Bool:
        """(m,) who may take ticket i."""
        row: Bool = self.kind_eligible[self.kind[i]].copy()
        row[self.excluded[1][self.excluded[0] == i]] = False
        return row

    @cached_property
    def ticket_able(self) -> Bool:
        """(n,) somebody may take it."""
        able: Bool = np.logical_or.reduce(self.kind_eligible, axis=1)[self.kind]
        for i in set(self.excluded[0].tolist()):
            able[i] = self.eligible_row(i).any()
        return able

    @cached_property
    def agent_able(self) -> Bool:
        """(m,) may take some ticket."""
        if not self.excluded[0].size:
            able: Bool = np.logical_or.reduce(self.kind_eligible, axis=0)  # each kind has a ticket
            return able
        restricted = np.unique(self.excluded[0])
        plain = np.zeros(len(self.kind_eligible), np.bool_)
        plain[np.delete(self.kind, restricted)] = True
        able = np.logical_or.reduce(self.kind_eligible[plain], axis=0)
        for i in restricted.tolist():
            able |= self.eligible_row(i)
        return able


def among(keys: Index, wanted: Index) -> tuple[Index, Bool]:
    """Where each wanted number stands in ``keys``, which ascend, and whether it does; at least one key."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


@dataclass(frozen=True)
class _Run:
    """What is computed once a run and is the same for every pair."""

    required: I8  # (n, s)
    preferred: I8  # (n, s)
    levels: I8  # (s, m) transposed: a skill's column is read at once
    pressed: I64  # (q, m) each person's skills under the highest pressure, highest first; q: most required, and one
    pressure: F64  # (q, m) theirs, 0 for a skill that they do not have
    open: Bool  # (m,) may get an offer at all


@dataclass(frozen=True)
class Basis:
    """What every pair's value is made of beside the skills: computed once a run."""

    run: _Run
    of_ticket: dict[str, F64]  # each (n,)
    of_agent: dict[str, F64]  # each (m,)
    ticket_sum: F64  # (n,)
    agent_sum: F64  # (m,) with served


def _basis(problem: Problem) -> Basis:
    of_ticket, of_agent = _ticket_terms(problem), _agent_terms(problem)
    return Basis(
        run=_prepare(problem),
        of_ticket=of_ticket,
        of_agent=of_agent,
        ticket_sum=sum(of_ticket.values(), start=np.zeros(len(problem.tickets))),
        agent_sum=sum(of_agent.values(), start=np.full(len(problem.agents), problem.weights.served)),
    )


@dataclass(frozen=True)
class _Kinds:
    """Of b kinds and m people, each (b, m)."""

    eligible: Bool
    fit: F64  # 0–1
    scarcity: F64  # 0–1


def score(problem: Problem) -> Scores:
    """Eligibility and worth of every kind and person; O(kinds · skills · m), 9 bytes a kind and person."""
    tickets, agents, weights = problem.tickets, problem.agents, problem.weights
    m = len(agents)
    basis = _basis(problem)
    first, kind = _kinds(problem, basis.run)
    eligible = np.empty((len(first), m), np.bool_)
    bracket = np.empty((len(first), m))
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        found = _of_kinds(problem, basis.run, first[part], slice(None))
        eligible[part] = found.eligible
        bracket[part] = _skill(found, weights.fit, weights.scarcity)
    bracket += basis.agent_sum
    accept = _accept(np.atleast_2d(agents.accept))
    excluded = problem.positions(tickets.excluded)
    known = _known(problem, eligible, kind, excluded)
    worth = accept[known[0] if len(accept) > 1 else 0, known[1]] * (
        bracket[kind[known[0]], known[1]] + weights.known
    )
    bracket *= accept
    if tickets.newcomers_first.any():  # what is 0 need not be added: it changes no bit
        bonus = weights.newcomer * agents.new
        bracket += tickets.newcomers_first[first, None] * bonus
        worth += tickets.newcomers_first[known[0]] * bonus[known[1]]
    return Scores(
        kind=kind,
        kind_eligible=eligible,
        kind_worth=bracket,
        ticket=basis.ticket_sum,
        known=(*known, worth),
        excluded=excluded,
        basis=basis,
    )


def _known(
    problem: Problem, eligible: Bool, kind: Index, excluded: tuple[Index, Index]
) -> tuple[Index, Index]:
    """Eligible pairs of people who know each other, ascending, each once."""
    i, j = problem.positions(problem.tickets.known)
    if not i.size:
        return i, j
    m = len(problem.agents)
    i, j = np.divmod(np.setdiff1d(i * m + j, excluded[0] * m + excluded[1]), max(m, 1))
    may = eligible[kind[i], j]
    return i[may], j[may]


def terms(problem: Problem, i: int, j: int) -> Terms:
    """The terms of ticket i and agent j (positions), by the same functions as ``score``; O(m · s)."""
    return terms_of(problem, [(i, j)])[0]


def terms_of(problem: Problem, pairs: Iterable[tuple[int, int]], basis: Basis | None = None) -> list[Terms]:
    """``terms`` of several pairs. ``basis``: of this problem's ``Scores``, when they are there."""
    tickets, agents, weights = problem.tickets, problem.agents, problem.weights
    basis = basis or _basis(problem)
    run, of_ticket, of_agent = basis.run, basis.of_ticket, basis.of_agent
    known_pairs = {(int(i), int(j)) for i, j in zip(*problem.positions(tickets.known), strict=True)}
    probability = np.atleast_2d(agents.accept)
    found = []
    for i, j in pairs:
        kind = _of_kinds(problem, run, np.array([i]), slice(j, j + 1))
        known = weights.known * float((i, j) in known_pairs)
        accept = _accept(probability[i if len(probability) > 1 else 0, j : j + 1])
        bracket = _skill(kind, weights.fit, weights.scarcity)[0] + basis.agent_sum[j : j + 1]
        newcomer = weights.newcomer * float(tickets.newcomers_first[i] and agents.new[j])
        value = accept * (bracket + known) + newcomer + basis.ticket_sum[i]  # adding a 0 changes no bit
        found.append(
            Terms(
                served=weights.served,
                fit=weights.fit * float(kind.fit[0, 0]),
                wait=float(of_ticket["wait"][i]),
                priority=float(of_ticket["priority"][i]),
                fairness=float(of_agent["fairness"][j]),
                known=known,
                load=float(of_agent["load"][j]),
                scarcity=-weights.scarcity * float(kind.scarcity[0, 0]),
                newcomer=newcomer,
                accept=float(accept[0]),
                value=float(value[0]),
            )
        )
    return found


def _skill(kind: _Kinds, fit: float, scarcity: float) -> F64:
    return fit * kind.fit - scarcity * kind.scarcity


def _ticket_terms(problem: Problem) -> dict[str, F64]:
    """What depends on the ticket alone, each (n,)."""
    tickets, weights = problem.tickets, problem.weights
    return {
        "wait": weights.wait * np.minimum(tickets.waited_seconds / tickets.target_seconds, weights.wait_cap),
        "priority": weights.priority * (tickets.priority - LOWEST_PRIORITY),
    }


def _agent_terms(problem: Problem) -> dict[str, F64]:
    """What depends on the person alone, each (m,)."""
    agents, weights = problem.agents, problem.weights
    if problem.fair_share > 0:
        ahead = np.maximum((problem.fair_share - agents.share.astype(np.float64)) / problem.fair_share, -1.0)
    else:
        ahead = np.zeros(len(agents))  # nobody has earned anything yet
    return {"fairness": weights.fairness * ahead, "load": -weights.load * agents.load.astype(np.float64)}


def _accept(probability: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> F64:
    return np.maximum(probability.astype(np.float64), MIN_ACCEPT)


def _prepare(problem: Problem) -> _Run:
    tickets, agents = problem.tickets, problem.agents
    n, s = len(tickets), len(agents.skill_id)
    required = tickets.required.matrix(n, s)
    levels = np.ascontiguousarray(agents.levels.T)
    has = levels > 0
    can = (agents.free_units > 0) & (agents.max_pending > 0)
    wanted = np.count_nonzero(required, axis=0) + problem.skill_demand
    supply = np.count_nonzero(has & can, axis=1)
    pressure = np.divide(wanted, wanted + supply, out=np.zeros(s), where=wanted > 0)
    pressures = (
        agents.levels > 0
    ) * pressure  # by person: finding the highest of a row is much faster than of a column
    most = min(int(np.count_nonzero(required, axis=1).max(initial=0)) + 1, s)
    everybody = np.arange(len(agents))
    pressed = np.empty((most, len(agents)), np.int64)
    highest = np.empty((most, len(agents)))
    for place in range(most):
        pressed[place] = top = pressures.argmax(axis=1)
        highest[place] = pressures[everybody, top]
        pressures[everybody, top] = -1.0
    return _Run(
        required=required,
        preferred=tickets.preferred.matrix(n, s),
        levels=levels,
        pressed=pressed,
        pressure=highest,
        open=can,
    )


def _kinds(problem: Problem, run: _Run) -> tuple[Index, Index]:
    """First ticket of each kind, and the kind of each ticket. Tickets of a kind differ in age, priority and
    history only."""
    n = len(problem.tickets)
    if n <= 1 or problem.agents.accept.ndim == 2:
        every = np.arange(n, dtype=np.intp)
        return every, every
    asked = np.concatenate(
        [
            run.required,
            run.preferred,
            problem.tickets.language[:, None],
            problem.tickets.units[:, None].view(np.int8),
            problem.tickets.newcomers_first[:, None].view(np.int8),
        ],
        axis=1,
    )
    as_bytes = np.ascontiguousarray(asked).view(np.dtype((np.void, asked.shape[1])))[:, 0]
    _, first, kind = np.unique(as_bytes, return_index=True, return_inverse=True)
    return first, kind


def _of_kinds(problem: Problem, run: _Run, first: Index, people: slice) -> _Kinds:
    """Eligibility, fit and scarcity of the kinds that these tickets belong to, for a slice of the people."""
    tickets, agents = problem.tickets, problem.agents
    levels = run.levels[:, people]
    eligible = run.open[people] & (agents.free_units[people] >= tickets.units[first, None])
    language = tickets.language[first].astype(np.int64)[:, None]
    if (language != ANY_LANGUAGE).any():
        speaks = agents.languages[people] >> np.maximum(language, 0) & 1 != 0
        eligible &= speaks | (language == ANY_LANGUAGE)
    points = np.zeros(eligible.shape, np.int16)
    most = np.zeros(len(first), np.int64)
    for rows, skill, level in _slots(run.required[first]):
        has = levels[skill]
        eligible[rows] &= has >= level
        points[rows] += 2 * has  # what is required says twice as much as what is preferred
        most[rows] += 2 * TOP_LEVEL
    for rows, skill, level in _slots(run.preferred[first]):
        has = levels[skill]
        points[rows] += has * (has >= level)
        most[rows] += TOP_LEVEL
    fit = points / np.maximum(most, 1)[:, None]
    fit[most == 0] = 1.0
    # The highest pressure among skills that are not required: as many are passed over as may be required.
    asked = run.required[first] > 0
    scarcity = np.zeros(eligible.shape)
    for skill, pressure in zip(run.pressed[::-1, people], run.pressure[::-1, people], strict=True):
        scarcity = np.where(asked[:, skill], scarcity, pressure)
    return _Kinds(eligible=eligible, fit=fit, scarcity=scarcity)


def _slots(asked: I8) -> Iterator[tuple[Index, Index, I8]]:
    """The first skill that each row of (b, s) asks for, then the second, …: rows that have one, skill, least level as a
    column."""
    row, skill = asked.nonzero()
    place = np.arange(len(row)) - np.searchsorted(row, row)
    for turn in range(int(place.max(initial=-1)) + 1):
        now = place == turn
        yield row[now], skill[now], asked[row[now], skill[now]][:, None]
