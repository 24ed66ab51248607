"""The best set of offers for one run: exact, deterministic to the bit, and with its priorities proven.

One round gives each ticket at most one person. The best is, in this order:

1. overdue tickets (max_wait has passed) are served, the oldest first: none younger takes a person from one;
2. as many tickets as possible are served;
3. the sum of the values of ``score`` is highest, on a grid of 2⁻³⁰ or as fine as the size allows;
4. the people who have been idle longest get the offers, of these the lower id; and the tickets that waited
   longest, of these the lower id;
5. of equal tickets the one that waited longest gets the best person (``Match.settled``).

1 to 4 are one assignment problem in whole numbers, so that equal means equal. Why 1 needs only a yes or no a ticket and 4
only ranks, not powers of two: sets of tickets that can be served together form a matroid (transversal), and so do the sets
of people in the optima of an assignment problem; in a matroid the set with the highest sum of any falling weights is the
one that is first in the order of the weights. By Mendelsohn and Dulmage the best tickets and the best people can be had
together (Schrijver, *Combinatorial Optimization*, 2003, ch. 39–41).

Two solvers give the same: ``dense`` on the matrix of all pairs, which is faster for small runs, and ``flow`` on kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dispatch.matching.dense import best, dense
from dispatch.matching.match import Match
from dispatch.matching.problem import F64, I64, Bool, Index, Problem
from dispatch.matching.score import Scores, score

LARGE = (
    5_000_000  # min(r, c)² · max(r, c), what the dense solver needs at worst; from here on the flow is faster
)

Assign = Callable[[Match], tuple[Index, Index]]


@dataclass(frozen=True)
class Solution:
    """Offers to make, q of them, by round and then longest wait; positions in the problem, not ids."""

    problem: Problem
    scores: Scores
    ticket: Index  # (q,)
    agent: Index  # (q,)
    value: F64  # (q,) as in Scores.value
    round: Index  # (q,) 1: the ticket's first offer; 2, 3: parallel ones from people who were left over
    parallel: int  # k: most offers a ticket in this run

    @property
    def pairs(self) -> list[tuple[int, int, float]]:
        """(ticket position, agent position, value)."""
        return list(zip(self.ticket.tolist(), self.agent.tolist(), self.value.tolist(), strict=True))

    @property
    def ids(self) -> list[tuple[int, int]]:
        """(ticket id, agent id)."""
        tickets, agents = self.problem.tickets.id[self.ticket], self.problem.agents.id[self.agent]
        return list(zip(tickets.tolist(), agents.tolist(), strict=True))


def solve(problem: Problem, *, scores: Scores | None = None, assign: Assign | None = None) -> Solution:
    """At most k offers a ticket, k = clamp(people who can take something ÷ tickets that somebody can take, 1,
    max_parallel).

    Nobody gets more units than they have free, nor more offers than max_pending, nor the same ticket twice.
    Round 1 is solved to its optimum; rounds 2…k get only who is then left over, so a second offer never costs
    anybody a first one; and of these only who is worth the policy's reserve.

    Exact where everybody may get one offer a round (max_pending = 1) or all tickets cost the same units.
    Otherwise the round is made of passes of one offer a person, each exact: always feasible and still without
    starvation, but a pass does not see the next, so the total may be lower. (Knapsacks in an assignment
    are NP-hard.) Against brute force on 1,000 random runs of 4 tickets of 10, 25, 50, 100 units and 3 people
    with up to 3 cards: one ticket fewer in 8 %, else 0.9 % less value on average and 7.8 % at worst.

    ``assign``: the solver, ``dense`` or ``flow``; by the size of the run unless given. Memory: 9 bytes a kind and person,
    twice; above LARGE nothing of the size of all pairs, unless each ticket has a row of acceptance.
    """
    scores = scores or score(problem)
    tickets, agents = problem.tickets, problem.agents
    # Rows and columns in the order of the ties, and only those that can matter: the input's order and people
    # who can take nothing leave no trace, which also lets a snapshot forget their figures.
    rows = np.lexsort((tickets.id, -tickets.waited_seconds))
    rows = rows[scores.ticket_open[rows]]
    columns = np.flatnonzero(scores.agent_open)
    columns = columns[np.lexsort((agents.id[columns], -agents.idle_seconds[columns]))]
    parallel = min(max(len(columns) // max(len(rows), 1), 1), problem.weights.max_parallel)

    if len(rows) == 1:  # the usual run
        kinds, first, kind = scores.kind[rows], np.zeros(1, np.intp), np.zeros(1, np.intp)
    else:
        kinds, first, kind = np.unique(scores.kind[rows], return_index=True, return_inverse=True)
    known_row, known_column, of_known = scores.known
    barred = scores.excluded
    if known_row.size or barred[0].size:
        at_row, at_column = _places(rows, len(tickets)), _places(columns, len(agents))
        known_row, known_column, of_known = _sorted(at_row[known_row], at_column[known_column], of_known)
        barred = _inside(at_row[barred[0]], at_column[barred[1]])
    board = _Board(
        kind=kind,
        eligible=scores.kind_eligible[kinds[:, None], columns],
        suits=None if scores.kind_suits is None else scores.kind_suits[kinds[:, None], columns],
        worth=scores.kind_worth[kinds[:, None], columns],
        ticket=scores.ticket[rows],
        overdue=tickets.overdue[rows],
        known=(known_row, known_column, of_known),
        barred=barred,
        units=tickets.units[rows].astype(np.int64),
        kind_units=tickets.units[rows[first]].astype(np.int64),
        free=agents.free_units[columns].astype(np.int64),
        pending=agents.max_pending[columns].astype(np.int64),
        assign=assign or _by_size(len(rows), len(columns)),
    )
    found = list(board.single(parallel) if len(rows) == 1 else board.rounds(parallel))
    row = np.concatenate([r for r, _ in found])
    column = np.concatenate([c for _, c in found])
    ticket, agent = rows[row], columns[column]
    return Solution(
        problem=problem,
        scores=scores,
        ticket=ticket,
        agent=agent,
        value=scores.value_of(ticket, agent),
        round=np.repeat(np.arange(1, len(found) + 1), [len(r) for r, _ in found]),
        parallel=parallel,
    )


def _by_size(r: int, c: int) -> Assign:
    return _flow() if min(r, c) ** 2 * max(r, c) >= LARGE else dense


def _flow() -> Assign:
    # Here for the same reason as scipy in dense.py.
    from dispatch.matching.flow import flow  # noqa: PLC0415

    return flow


def warm() -> None:
    """Import the solvers now, and not in the middle of the first run that needs them."""
    one = np.ones((2, 2))
    best(one, one > 0, np.zeros(2, np.bool_))
    _flow()


def _places(positions: Index, size: int) -> Index:
    """The inverse of ``positions``; −1 for what is not among them."""
    places = np.full(size, -1, np.intp)
    places[positions] = np.arange(len(positions))
    return places


def _sorted(row: Index, column: Index, worth: F64) -> tuple[Index, Index, F64]:
    order = np.lexsort((column, row))
    return row[order], column[order], worth[order]


def _inside(row: Index, column: Index) -> tuple[Index, Index]:
    here = (row >= 0) & (column >= 0)
    return row[here], column[here]


@dataclass
class _Board:
    """What is still to give in this run; ``round`` takes from it. r rows, c columns, t kinds."""

    kind: Index  # (r,)
    eligible: Bool  # (t, c)
    suits: Bool | None  # (t, c) who may be asked in a later round; None: as eligible
    worth: F64  # (t, c)
    ticket: F64  # (r,)
    overdue: Bool  # (r,)
    known: tuple[Index, Index, F64]  # row, column, worth
    barred: tuple[Index, Index]  # row, column; gains the pairs that were given
    units: I64  # (r,)
    kind_units: I64  # (t,)
    free: I64  # (c,)
    pending: I64  # (c,)
    assign: Assign

    def rounds(self, most: int) -> Iterator[tuple[Index, Index]]:
        """Rows and columns of one round after the other, until one has none."""
        for _ in range(most):
            row, column = self.round()
            yield row, column
            if not len(row):
                return
            if self.suits is not None:
                self.eligible = self.suits

    def single(self, most: int) -> Iterator[tuple[Index, Index]]:
        """``rounds`` of one ticket, as in the usual run: the first of the best, then of the others, without the machinery."""
        row = np.zeros(1, np.intp)
        may = (self.eligible & (self.pending > 0) & (self.free >= self.kind_units[:, None]))[0]
        may[self.barred[1]] = False
        worth = self.worth[0].copy()
        worth[self.known[1]] = self.known[2]
        for _ in range(most):
            found, column = best(worth[None, :], may[None, :], self.overdue)
            yield row[: len(found)], column
            may[column] = False
            if not len(found):
                return
            if self.suits is not None:
                may &= self.suits[0]

    def round(self) -> tuple[Index, Index]:
        """One offer for as many tickets as possible: rows, columns, by row."""
        every = np.arange(len(self.kind))
        if not len(every):
            return every, every
        if (self.units == self.units[0]).all():
            slots = np.minimum(np.minimum(self.pending, self.free // self.units[0]), len(every))
            row, column = self._match(every, slots)
        else:
            passes = [self._match(every, np.minimum(self.pending, 1))]
            # Another pass only for those who may get another card.
            while len(passes[-1][0]) and self.pending.any():
                every = np.setdiff1d(every, passes[-1][0], assume_unique=True)
                passes.append(self._match(every, np.minimum(self.pending, 1)))
            row = np.concatenate([r for r, _ in passes])
            column = np.concatenate([c for _, c in passes])
        by_row = np.argsort(row, kind="stable")
        row, column = row[by_row], column[by_row]
        self.barred = (np.concatenate([self.barred[0], row]), np.concatenate([self.barred[1], column]))
        return row, column

    def _match(self, rows: Index, slots: I64) -> tuple[Index, Index]:
        """The best pairs of these rows."""
        row, column = self._one(rows, slots) if len(rows) == 1 else self._several(rows, slots)
        np.subtract.at(self.free, column, self.units[row])
        np.subtract.at(self.pending, column, 1)
        return row, column

    def _one(self, row: Index, slots: I64) -> tuple[Index, Index]:
        """Of one ticket, as in the usual run: the first of the best, without the machinery."""
        kind = self.kind[row[0]]
        may = self.eligible[kind] & (slots > 0) & (self.free >= self.units[row[0]])
        may[self.barred[1][self.barred[0] == row[0]]] = False
        worth = self.worth[kind]
        known = self.known[0] == row[0]
        if known.any():
            worth = worth.copy()
            worth[self.known[1][known]] = self.known[2][known]
        _, column = best(worth[None, :], may[None, :], self.overdue[row])
        return row[: len(column)], column

    def _several(self, rows: Index, slots: I64) -> tuple[Index, Index]:
        may = self.eligible & (slots > 0) & (self.free >= self.kind_units[:, None])
        whole = len(rows) == len(self.kind)
        place = rows if whole else _places(rows, len(self.kind))
        barred = _inside(place[self.barred[0]], self.barred[1])
        kind = self.kind[rows]
        # Who can take nothing of this kind any more needs not be barred from one of its tickets.
        matters = may[kind[barred[0]], barred[1]]
        known = (place[self.known[0]], *self.known[1:])
        here = known[0] >= 0
        here[here] = may[kind[known[0][here]], known[1][here]]
        match = Match(
            kind=kind,
            open=may,
            worth=self.worth,
            ticket=self.ticket[rows],
            overdue=self.overdue[rows],
            slots=slots,
            known=(known[0][here], known[1][here], known[2][here]),
            barred=(barred[0][matters], barred[1][matters]),
        )
        row, column = match.settled(*self.assign(match))
        return rows[row], column
