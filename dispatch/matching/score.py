"""Who may take which ticket, and what each pair is worth (the formula of the dispatch design).

    value = p · ( served + α·fit + β·min(wait/target, cap) + priority + γ·fairness + δ·known − ε·load −
    ζ·scarcity )

fit       Σ over required skills of 2·level and over preferred ones that are met of level, by the same with
level 5
          everywhere: 0–1; 1 for a ticket that asks for nothing. Whole numbers until one division, hence
          exact.
wait      targets that have passed, capped.
fairness  (fair share − share) / fair share, −1–1: who earned less per online hour gets more.
scarcity  highest pressure among the person's skills that this ticket does not require, 0–1; pressure of a
skill is
          w / (w + free people who have it), w = waiting tickets that require it + skill_demand.
served    an offset (Weights.served) that keeps the bracket at 1 or more, so every allowed pair is worth
something.
p         probability of accepting, not below MIN_ACCEPT.

Three habits keep the figures equal bit by bit, however the input is ordered and for one pair as for all: sums
over people or skills are sums of whole numbers or ``fsum``; the rest is done element by element, in one
function; and no matrix product, whose rounding depends on where in the matrix a cell lies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from dispatch.matching.problem import ANY_LANGUAGE, F64, I8, TOP_LEVEL, Bool, Index, Problem

MIN_ACCEPT = 0.05  # a short window of bad luck must not make anybody invisible
FEW_TICKETS = 8  # below this, looking for equal tickets costs more than it saves


class Terms(TypedDict):
    """The weighted terms of one pair; ``value`` is accept · (sum of the others), to the last bit as in
    ``Scores.value``."""

    served: float
    fit: float
    wait: float
    priority: float
    fairness: float
    known: float
    load: float
    scarcity: float
    accept: float
    value: float


@dataclass(frozen=True)
class Scores:
    """What ``score`` found. n tickets, m people, t kinds of ticket (equal needs, language and units)."""

    eligible: Bool  # (n, m)
    value: F64  # (n, m) above 0 everywhere, meaningful where eligible
    kind: Index  # (n,) row of kind_eligible: the door for a solver that works on kinds
    kind_eligible: Bool  # (t, m) before excluded pairs
    basis: Basis  # what all pairs have in common, for ``terms_of``


@dataclass(frozen=True)
class _Run:
    """What is computed once a run and is the same for every pair."""

    required: I8  # (n, s)
    preferred: I8  # (n, s)
    levels: I8  # (s, m) transposed: a skill's column is read at once
    pressure: F64  # (s, m) of the skills that a person has, else 0
    open: Bool  # (m,) may get an offer at all


@dataclass(frozen=True)
class Basis:
    """What every pair's value is made of beside the skills: computed once a run."""

    run: _Run
    of_ticket: dict[str, F64]  # each (n,)
    of_agent: dict[str, F64]  # each (m,)
    ticket_sum: F64  # (n,)
    agent_sum: F64  # (m,)


def _basis(problem: Problem) -> Basis:
    of_ticket, of_agent = _ticket_terms(problem), _agent_terms(problem)
    return Basis(
        run=_prepare(problem),
        of_ticket=of_ticket,
        of_agent=of_agent,
        ticket_sum=sum(of_ticket.values(), start=np.zeros(len(problem.tickets))),
        agent_sum=sum(of_agent.values(), start=np.zeros(len(problem.agents))),
    )


@dataclass(frozen=True)
class _Kind:
    eligible: Bool  # (m,)
    fit: F64  # (m,) 0–1
    scarcity: F64  # (m,) 0–1; 0 where not eligible


def score(problem: Problem) -> Scores:
    """Eligibility and value of every pair; O(kinds · skills · m + n · m), 8 + 1 bytes a pair."""
    tickets, weights = problem.tickets, problem.weights
    n, m = len(tickets), len(problem.agents)
    basis = _basis(problem)
    run = basis.run
    first, kind = _kinds(problem, run)
    kind_eligible = np.empty((len(first), m), np.bool_)
    skill = np.empty((len(first), m))
    for row, i in enumerate(first):
        found = _kind(problem, run, int(i), slice(None))
        kind_eligible[row] = found.eligible
        skill[row] = _skill(found, weights.fit, weights.scarcity)
    eligible = kind_eligible[kind]
    if tickets.excluded.ticket_id.size:
        eligible[problem.positions(tickets.excluded)] = False
    known = np.zeros((n, m), np.bool_) if tickets.known.ticket_id.size else None
    if known is not None:
        known[problem.positions(tickets.known)] = True
    accept = problem.agents.accept
    value = _value(
        skill[kind],
        basis.ticket_sum[:, None],
        basis.agent_sum[None, :],
        None if known is None else known.astype(np.float64) * weights.known,
        _accept(accept if accept.ndim == 2 else accept[None, :]),
    )
    return Scores(eligible=eligible, value=value, kind=kind, kind_eligible=kind_eligible, basis=basis)


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
        kind = _kind(problem, run, i, slice(j, j + 1))
        known = np.full((1, 1), float((i, j) in known_pairs)) * weights.known
        accept = _accept(probability[[i if len(probability) > 1 else 0], j : j + 1])
        value = _value(
            _skill(kind, weights.fit, weights.scarcity)[None, :].copy(),
            basis.ticket_sum[i : i + 1, None],
            basis.agent_sum[None, j : j + 1],
            known,
            accept,
        )
        found.append(
            Terms(
                served=weights.served,
                fit=weights.fit * float(kind.fit[0]),
                wait=float(of_ticket["wait"][i]),
                priority=float(of_ticket["priority"][i]),
                fairness=float(of_agent["fairness"][j]),
                known=float(known[0, 0]),
                load=float(of_agent["load"][j]),
                scarcity=-weights.scarcity * float(kind.scarcity[0]),
                accept=float(accept[0, 0]),
                value=float(value[0, 0]),
            )
        )
    return found


def _value(skill: F64, ticket: F64, agent: F64, known: F64 | None, accept: F64) -> F64:
    """The formula's sum and product, for one pair or all. Writes into ``skill``: at 1,000² memory traffic is
    the cost."""
    skill += ticket
    skill += agent
    if known is not None:  # adding 0 changes no bit, so leaving it out is the same
        skill += known
    skill *= accept
    return skill


def _skill(kind: _Kind, fit: float, scarcity: float) -> F64:
    return fit * kind.fit - scarcity * kind.scarcity


def _ticket_terms(problem: Problem) -> dict[str, F64]:
    """What depends on the ticket alone, each (n,)."""
    tickets, weights = problem.tickets, problem.weights
    return {
        "served": np.full(len(tickets), weights.served),
        "wait": weights.wait * np.minimum(tickets.waited_seconds / tickets.target_seconds, weights.wait_cap),
        "priority": weights.priority * tickets.priority,
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
    return _Run(
        required=required,
        preferred=tickets.preferred.matrix(n, s),
        levels=levels,
        pressure=has * pressure[:, None],
        open=can,
    )


def _kinds(problem: Problem, run: _Run) -> tuple[Index, Index]:
    """First ticket of each kind, and the kind of each ticket. Tickets of a kind differ in age, priority and
    history only."""
    n = len(problem.tickets)
    if n <= FEW_TICKETS:
        every = np.arange(n, dtype=np.intp)
        return every, every
    asked = np.concatenate(
        [
            run.required,
            run.preferred,
            problem.tickets.language[:, None],
            problem.tickets.units[:, None].view(np.int8),
        ],
        axis=1,
    )
    as_bytes = np.ascontiguousarray(asked).view(np.dtype((np.void, asked.shape[1])))[:, 0]
    _, first, kind = np.unique(as_bytes, return_index=True, return_inverse=True)
    return first, kind


def _kind(problem: Problem, run: _Run, i: int, people: slice) -> _Kind:
    """Eligibility, fit and scarcity of the kind that ticket i belongs to, for a slice of the people."""
    tickets, agents = problem.tickets, problem.agents
    levels = run.levels[:, people]
    eligible = run.open[people] & (agents.free_units[people] >= tickets.units[i])
    if tickets.language[i] != ANY_LANGUAGE:
        eligible &= (agents.languages[people] >> np.int64(tickets.language[i])) & 1 != 0
    required, preferred = run.required[i].nonzero()[0], run.preferred[i].nonzero()[0]
    points = np.zeros(levels.shape[1], np.int32)
    for s in required:
        eligible &= levels[s] >= run.required[i, s]
        points += levels[s]
        points += levels[s]  # twice: what is required says twice as much as what is preferred
    for s in preferred:
        points += levels[s] * (levels[s] >= run.preferred[i, s])
    most = TOP_LEVEL * (2 * len(required) + len(preferred))
    fit = points / most if most else np.ones(levels.shape[1])
    # The widest step, (skills, people): done only for those who may take it, usually a tenth.
    able = np.flatnonzero(eligible)
    scarcity = np.zeros(levels.shape[1])
    others = run.pressure[:, people][(run.required[i] == 0).nonzero()[0][:, None], able]
    scarcity[able] = np.maximum.reduce(others, axis=0, initial=0.0)
    return _Kind(eligible=eligible, fit=fit, scarcity=scarcity)
