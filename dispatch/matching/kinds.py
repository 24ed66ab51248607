"""Kinds of tickets, and who may take them: what of the score is the same for all tickets that ask for the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dispatch.matching.problem import ANY_LANGUAGE, F64, I8, I64, TOP_LEVEL, Bool, Index, Problem


@dataclass(frozen=True)
class Run:
    """What is computed once a run and is the same for every pair."""

    required: I8  # (n, s)
    preferred: I8  # (n, s)
    levels: I8  # (s, m) transposed: a skill's column is read at once
    pressed: I64  # (q, m) each person's skills under the highest pressure, highest first; q: most required, and one
    pressure: F64  # (q, m) theirs, 0 for a skill that they do not have
    open: Bool  # (m,) may get an offer at all


@dataclass(frozen=True)
class Kinds:
    """Of b kinds and m people, each (b, m)."""

    eligible: Bool
    fit: F64  # 0–1
    scarcity: F64  # 0–1


def prepare(problem: Problem) -> Run:
    """What all pairs of a run have in common; O(skills · m)."""
    tickets, agents = problem.tickets, problem.agents
    n, s = len(tickets), len(agents.skill_id)
    required = tickets.required.matrix(n, s)
    levels = np.ascontiguousarray(agents.levels.T)
    has = levels > 0
    can = (agents.free_units > 0) & (agents.max_pending > 0)
    asked = required > 0
    wanted = _count(asked, axis=0) + problem.skill_demand
    supply = _count(has & can, axis=1)
    pressure = np.divide(wanted, wanted + supply, out=np.zeros(s), where=wanted > 0)
    # By person, since finding the first of a row is much faster than of a column; the skills under the highest pressure first,
    # of equal ones the first, so that a yes or no a skill is all that has to be looked through.
    by_pressure = (-pressure).argsort(kind="stable")
    left = (agents.levels > 0).take(by_pressure, axis=1)
    most = min(int(_count(asked, axis=1).max(initial=0)) + 1, s)
    everybody = np.arange(len(agents))
    pressed = np.empty((most, len(agents)), np.int64)
    highest = np.empty((most, len(agents)))
    for place in range(most):
        top = left.argmax(axis=1)
        pressed[place] = skill = by_pressure[top]
        highest[place] = pressure[skill] * left[everybody, top]
        left[everybody, top] = False
    return Run(
        required=required,
        preferred=tickets.preferred.matrix(n, s),
        levels=levels,
        pressed=pressed,
        pressure=highest,
        open=can,
    )


def _count(yes: Bool, axis: int) -> Index:
    """np.count_nonzero with an axis, without what that does around it."""
    counted: Index = np.add.reduce(yes, axis=axis, dtype=np.intp)
    return counted


def kinds_of(problem: Problem, run: Run) -> tuple[Index, Index]:
    """First ticket of each kind, and the kind of each ticket. Tickets of a kind differ in age, priority and
    history only: also the acceptance that counts is the same."""
    n = len(problem.tickets)
    if n <= 1:
        every = np.arange(n, dtype=np.intp)
        return every, every
    asked = np.concatenate(
        [
            run.required,
            run.preferred,
            problem.tickets.language[:, None],
            problem.tickets.units[:, None].view(np.int8),
            problem.tickets.newcomers_first[:, None].view(np.int8),
            problem.tickets.reserved[:, None].view(np.int8),
            # Who accepts one topic's tickets likelier than another's is worth another thing for each.
            *([problem.accept_row[:, None].view(np.int8)] if problem.agents.accept.ndim == 2 else []),
        ],
        axis=1,
    )
    as_bytes = np.ascontiguousarray(asked).view(np.dtype((np.void, asked.shape[1])))[:, 0]
    _, first, kind = np.unique(as_bytes, return_index=True, return_inverse=True)
    return first, kind


def of_kinds(problem: Problem, run: Run, first: Index, people: slice | Index) -> Kinds:
    """Eligibility, fit and scarcity of the kinds that these tickets belong to, for some of the people."""
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
    return Kinds(eligible=eligible, fit=fit, scarcity=scarcity)


def _slots(asked: I8) -> Iterator[tuple[Index, Index, I8]]:
    """The first skill that each row of (b, s) asks for, then the second, …: rows that have one, skill, least level as a
    column."""
    row, skill = asked.nonzero()
    if len(asked) == 1:  # the usual run
        for at in range(len(row)):
            now = slice(at, at + 1)
            yield row[now], skill[now], asked[:, skill[now]]
        return
    place = np.arange(len(row)) - np.searchsorted(row, row)
    for turn in range(int(place.max(initial=-1)) + 1):
        here = place == turn
        yield row[here], skill[here], asked[row[here], skill[here]][:, None]
