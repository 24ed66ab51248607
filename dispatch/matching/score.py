"""Who may take which ticket, and what each pair is worth (ADR 12 says why the ticket's part is a sum of its own).

    value = p · ( served + α·fit + γ·fairness + δ·known − ε·load − ζ·scarcity + η·quality + θ·booked )
                                                                                    the person's part, ``worth``
            + newcomer
            + β·min(wait/target, cap) + priority                                    the ticket's part

fit       Σ over required skills of 2·level and over preferred ones that are met of level, by the same with level 5
          everywhere: 0–1; 1 for a ticket that asks for nothing. Whole numbers until one division, hence exact.
fairness  (fair share − share) / fair share, −1–1: who earned less per online hour gets more.
scarcity  highest pressure among the person's skills that this ticket does not require, 0–1; pressure of a skill is
          w / (w + free people who have it), w = waiting tickets that require it + skill_demand.
quality   ratings and reviews against the usual, −1–1, drawn towards 0 while there are few (dispatch/rules/quality.py).
booked    1 for who has booked this hour in this pool, else 0. Outside of their hour nobody is worth less for it.
served    an offset (Weights.served) that keeps the bracket at 1 or more, so every allowed pair is worth something.
newcomer  Weights.newcomer if the ticket goes to newcomers first and the person is new, else 0. Outside of p: it is not for who
          accepts most. It is the same for all tickets of a kind, which is why these are kinds of their own.
p         probability of accepting a ticket of this topic, not below MIN_ACCEPT.
wait      targets that have passed, capped.
priority  counted from the lowest there is, so that it is never below zero.

A reserved ticket (Tickets.reserved: it has only just come) is open to those only for whom α·fit + γ·fairness − ε·load −
ζ·scarcity + η·quality + θ·booked is Weights.reserve or more: the better match may come free in the next seconds. A threshold
that falls away with time is the reservation value of optimal search (J. J. McCall, "Economics of information and job search",
1970), here one step. It counts what the person is worth and not fit alone, so that evenness is not paid for it (ADR 37). Nor is
anybody of less worth asked beside others (``solve``): whoever of several says yes first gets the ticket, also the worse match.

The person's part is the same for all tickets of a kind, but for people whom a customer knows, so it is kept by kind: a
run of 10,000 tickets and 10,000 people has 10⁸ pairs, and a matrix of their values would take 800 MB.

Three habits keep the figures equal bit by bit, however the input is ordered and for one pair as for all: sums over
people or skills are sums of whole numbers or ``fsum``; the rest is done element by element, in one function; and no
matrix product, whose rounding depends on where in the matrix a cell lies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import numpy as np

from dispatch.matching.kinds import Kinds, Run, kinds_of, of_kinds, prepare
from dispatch.matching.problem import (
    F64,
    LOWEST_PRIORITY,
    Bool,
    Index,
    Problem,
)
from dispatch.matching.weights import Weights

BLOCK = 32  # kinds scored at once: what lies between stays small
MIN_ACCEPT = 0.05  # a short window of bad luck must not make anybody invisible


class Terms(TypedDict):
    """The weighted terms of one pair; ``value`` is accept · (served + fit + fairness + known + load + scarcity + quality +
    booked) + newcomer + (wait + priority), to the last bit as in ``Scores.value``. Reasons of older offers lack newcomer,
    quality or booked."""

    served: float
    fit: float
    wait: float
    priority: float
    fairness: float
    known: float
    load: float
    booked: float
    scarcity: float
    quality: float
    newcomer: float
    accept: float
    value: float


@dataclass(frozen=True)
class Scores:
    """What ``score`` found. n tickets, m people, t kinds of ticket (equal needs, language and units, alike to newcomers, and
    of one row of acceptance).

    What is by kind is small; ``eligible`` and ``value`` are made of it when asked for, 1 and 8 bytes a pair.
    """

    kind: Index  # (n,) row of what is by kind
    kind_able: Bool  # (t, m) may take it; before excluded pairs
    kind_eligible: (
        Bool  # (t, m) may be asked now: as kind_able, but for reserved tickets; before excluded pairs
    )
    kind_suits: Bool | None  # (t, m) may be asked beside others; None: as kind_eligible
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
        """(m,) who may be asked about ticket i."""
        return self._row(self.kind_eligible, i)

    def _row(self, by_kind: Bool, i: int) -> Bool:
        row: Bool = by_kind[self.kind[i]].copy()
        row[self.excluded[1][self.excluded[0] == i]] = False
        return row

    @cached_property
    def ticket_able(self) -> Bool:
        """(n,) somebody may take it, now or when it is no longer reserved."""
        return self._tickets_of(self.kind_able)

    @cached_property
    def agent_able(self) -> Bool:
        """(m,) may take some ticket, now or when it is no longer reserved."""
        return self._agents_of(self.kind_able)

    @cached_property
    def ticket_open(self) -> Bool:
        """(n,) somebody may be asked about it now."""
        return (
            self.ticket_able if self.kind_eligible is self.kind_able else self._tickets_of(self.kind_eligible)
        )

    @cached_property
    def agent_open(self) -> Bool:
        """(m,) may be asked about some ticket now."""
        return (
            self.agent_able if self.kind_eligible is self.kind_able else self._agents_of(self.kind_eligible)
        )

    def _tickets_of(self, by_kind: Bool) -> Bool:
        found: Bool = np.logical_or.reduce(by_kind, axis=1)[self.kind]
        for i in set(self.excluded[0].tolist()):
            found[i] = self._row(by_kind, i).any()
        return found

    def _agents_of(self, by_kind: Bool) -> Bool:
        if not self.excluded[0].size:
            found: Bool = np.logical_or.reduce(by_kind, axis=0)  # each kind has a ticket
            return found
        restricted = np.unique(self.excluded[0])
        plain = np.zeros(len(by_kind), np.bool_)
        plain[np.delete(self.kind, restricted)] = True
        found = np.logical_or.reduce(by_kind[plain], axis=0)
        for i in restricted.tolist():
            found |= self._row(by_kind, i)
        return found


def among(keys: Index, wanted: Index) -> tuple[Index, Bool]:
    """Where each wanted number stands in ``keys``, which ascend, and whether it does."""
    if not len(keys):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


@dataclass(frozen=True)
class Basis:
    """What every pair's value is made of beside the skills: computed once a run."""

    run: Run
    of_ticket: dict[str, F64]  # each (n,)
    of_agent: dict[str, F64]  # each (m,)
    ticket_sum: F64  # (n,)
    agent_sum: F64  # (m,) with served


def _basis(problem: Problem) -> Basis:
    of_ticket, of_agent = _ticket_terms(problem), _agent_terms(problem)
    return Basis(
        run=prepare(problem),
        of_ticket=of_ticket,
        of_agent=of_agent,
        ticket_sum=sum(of_ticket.values(), start=np.zeros(len(problem.tickets))),
        agent_sum=sum(of_agent.values(), start=np.full(len(problem.agents), problem.weights.served)),
    )


def score(problem: Problem) -> Scores:
    """Eligibility and worth of every kind and person; O(kinds · skills · m), 9 bytes a kind and person."""
    tickets, agents, weights = problem.tickets, problem.agents, problem.weights
    m = len(agents)
    basis = _basis(problem)
    first, kind = kinds_of(problem, basis.run)
    able = np.empty((len(first), m), np.bool_)
    bracket = np.empty((len(first), m))
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        found = of_kinds(problem, basis.run, first[part], slice(None))
        able[part] = found.eligible
        bracket[part] = _skill(found, weights.fit, weights.scarcity)
    bracket += basis.agent_sum
    eligible, suits = able, None
    if weights.reserve:
        suits = able & _suits(bracket, weights)
        if tickets.reserved.any():
            eligible = np.where(tickets.reserved[first, None], suits, able)
    accept, row = _accept(np.atleast_2d(agents.accept)), problem.accept_row
    excluded = problem.positions(tickets.excluded)
    known = _known(problem, eligible, kind, excluded)
    worth = accept[row[known[0]], known[1]] * (bracket[kind[known[0]], known[1]] + weights.known)
    bracket *= accept[row[first]] if len(accept) > 1 else accept
    if tickets.newcomers_first.any():  # what is 0 need not be added: it changes no bit
        bonus = weights.newcomer * agents.new
        bracket += tickets.newcomers_first[first, None] * bonus
        worth += tickets.newcomers_first[known[0]] * bonus[known[1]]
    return Scores(
        kind=kind,
        kind_able=able,
        kind_eligible=eligible,
        kind_suits=suits,
        kind_worth=bracket,
        ticket=basis.ticket_sum,
        known=(*known, worth),
        excluded=excluded,
        basis=basis,
    )


def _suits(bracket: F64, weights: Weights) -> Bool:
    """Where the person's part (with served, without known) is the reserve or more."""
    suits: Bool = bracket >= weights.served + weights.reserve
    return suits


def withheld(problem: Problem, i: int, j: int) -> bool:
    """Whether agent j may take ticket i (positions), but for its being reserved; O(m · s), with the bits of ``score``."""
    if not problem.tickets.reserved[i] or not problem.weights.reserve:
        return False
    basis = _basis(problem)
    kind = of_kinds(problem, basis.run, np.array([i]), np.array([j]))
    bracket = _skill(kind, problem.weights.fit, problem.weights.scarcity) + basis.agent_sum[[j]]
    return not _suits(bracket, problem.weights)[0, 0]


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
    listed = list(pairs)
    of_ticket_pairs: dict[int, list[int]] = {}
    for i, j in listed:
        of_ticket_pairs.setdefault(i, []).append(j)
    found: dict[tuple[int, int], Terms] = {}
    for i, people in of_ticket_pairs.items():
        kind = of_kinds(problem, run, np.array([i]), np.array(people))
        accept = _accept(probability[problem.accept_row[i], people])
        bracket = _skill(kind, weights.fit, weights.scarcity)[0] + basis.agent_sum[people]
        for at, j in enumerate(people):
            known = weights.known * float((i, j) in known_pairs)
            newcomer = weights.newcomer * float(tickets.newcomers_first[i] and agents.new[j])
            # Adding a 0 changes no bit.
            value = accept[at] * (bracket[at] + known) + newcomer + basis.ticket_sum[i]
            found[i, j] = Terms(
                served=weights.served,
                fit=weights.fit * float(kind.fit[0, at]),
                wait=float(of_ticket["wait"][i]),
                priority=float(of_ticket["priority"][i]),
                fairness=float(of_agent["fairness"][j]),
                known=known,
                load=float(of_agent["load"][j]),
                scarcity=-weights.scarcity * float(kind.scarcity[0, at]),
                quality=float(of_agent["quality"][j]),
                booked=float(of_agent["booked"][j]),
                newcomer=newcomer,
                accept=float(accept[at]),
                value=float(value),
            )
    return [found[pair] for pair in listed]


def _skill(kind: Kinds, fit: float, scarcity: float) -> F64:
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
    return {
        "fairness": weights.fairness * ahead,
        "load": -weights.load * agents.load.astype(np.float64),
        # Last, for snapshots from before there were these: adding a 0 changes no bit.
        "quality": weights.quality * agents.quality.astype(np.float64),
        "booked": weights.booked * agents.booked.astype(np.float64),
    }


def _accept(probability: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> F64:
    return np.maximum(probability.astype(np.float64), MIN_ACCEPT)
