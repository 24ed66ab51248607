"""The best set of offers for one run: exact, deterministic to the bit, and with its priorities proven.

One round gives each ticket at most one person. The best is, in this order:

1. overdue tickets (max_wait has passed) are served, the oldest first: none younger takes a person from one;
2. as many tickets as possible are served;
3. the sum of the values of ``score`` is highest, on a grid of 2⁻³⁰ or as fine as the size allows (see
   ``_grid``);
4. the people who have been idle longest get the offers, of these the lower id; and the tickets that waited
   longest, of these the lower id.

All of it is one assignment problem in whole numbers: a cell is ``unit · (1 + promised) + grid value · ties +
tie``, where each factor is larger than everything below it can add up to over a whole matching. Whole numbers
up to 2⁵¹ keep sums and differences exact in float64, which is what scipy computes in, so that equal means
equal.

Why 1 needs only a yes or no (``promised``) and 4 only ranks, not powers of two: sets of tickets that can be
served together form a matroid (transversal), and so do the sets of people in the optima of an assignment
problem; in a matroid the set with the highest sum of any falling weights is the one that is first in the
order of the weights. By Mendelsohn and Dulmage the best tickets and the best people can be had together
(Schrijver, *Combinatorial Optimization*, 2003, ch. 39–41).

Solvers: ``scipy.optimize.linear_sum_assignment``, shortest augmenting paths after Jonker and Volgenant as in
D. F. Crouse, "On implementing 2D rectangular assignment algorithms", 2016; for large thin problems
``scipy.sparse.csgraph.min_weight_full_bipartite_matching`` (Jonker and Volgenant's LAPJVsp).
A third one (equal tickets collapsed into kinds, min-cost flow) fits in at ``solve(assign=…)``: an ``Assign``
gets the cells and returns the pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, log2

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from dispatch.matching.problem import F64, I64, Bool, Index, Problem
from dispatch.matching.score import Scores, score

EXACT = 2.0**51  # duals and path lengths stay within three times the largest cell: below 2⁵³
FINEST = 30  # bits after the point; finer would tell rounding apart, not people
COARSEST_WITH_TIES = 14  # above about 1,000 × 1,000 in one run, rule 4 gives way to the grid
SPARSE_CELLS = 250_000  # below, the dense solver is faster whatever the density
SPARSE_SHARE = 0.3  # of allowed cells; above, the dense solver is faster

Assign = Callable[[F64], tuple[Index, Index]]
"""(rows, columns) that maximise the sum over an (r, c) matrix of whole numbers, 0 = not allowed, others above
0. Each row and column at most once. Pairs on cells of 0 are dropped by the caller."""


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
    anybody a first one.

    Exact where everybody may get one offer a round (max_pending = 1) or all tickets cost the same units.
    Otherwise the round is made of passes of one offer a person, each exact: always feasible and still without
    starvation, but a pass does not see the next, so the total may be lower. (Knapsacks in an assignment
    are NP-hard.) Against brute force on 1,000 random runs of 4 tickets of 10, 25, 50, 100 units and 3 people
    with up to 3 cards: one ticket fewer in 8 %, else 0.9 % less value on average and 7.8 % at worst.
    """
    scores = scores or score(problem)
    tickets, agents = problem.tickets, problem.agents
    # Rows and columns in the order of the ties, and only those that can matter: the input's order and people
    # who can take nothing leave no trace, which also lets a snapshot forget their figures.
    rows = np.lexsort((tickets.id, -tickets.waited_seconds))
    rows = rows[np.logical_or.reduce(scores.eligible, axis=1)[rows]]
    columns = np.lexsort((agents.id, -agents.idle_seconds))
    columns = columns[np.logical_or.reduce(scores.eligible, axis=0)[columns]]
    parallel = min(max(len(columns) // max(len(rows), 1), 1), problem.weights.max_parallel)

    board = _Board(
        value=scores.value[rows[:, None], columns],
        allowed=scores.eligible[rows[:, None], columns],
        units=tickets.units[rows].astype(np.int64),
        overdue=tickets.overdue[rows],
        free=agents.free_units[columns].astype(np.int64),
        pending=agents.max_pending[columns].astype(np.int64),
        assign=assign,
    )
    found: list[tuple[Index, Index]] = []
    for _ in range(parallel):
        found.append(board.round())
        if not len(found[-1][0]):
            break
    row = np.concatenate([r for r, _ in found])
    column = np.concatenate([c for _, c in found])
    ticket, agent = rows[row], columns[column]
    return Solution(
        problem=problem,
        scores=scores,
        ticket=ticket,
        agent=agent,
        value=scores.value[ticket, agent],
        round=np.repeat(np.arange(1, len(found) + 1), [len(r) for r, _ in found]),
        parallel=parallel,
    )


@dataclass
class _Board:
    """What is still to give in this run; ``round`` takes from it."""

    value: F64  # (r, c)
    allowed: Bool  # (r, c) loses the pairs that were given, and those that no longer fit
    units: I64  # (r,)
    overdue: Bool  # (r,)
    free: I64  # (c,)
    pending: I64  # (c,)
    assign: Assign | None

    def round(self) -> tuple[Index, Index]:
        """One offer for as many tickets as possible: rows, columns, by row."""
        if not self.units.size:
            return np.empty(0, np.intp), np.empty(0, np.intp)
        if self.pending.max() <= 1:
            row, column = self._match(self.allowed, None)
        elif (self.units == self.units[0]).all():
            # A person is as many columns as they can take tickets.
            slots = np.minimum(np.minimum(self.pending, self.free // self.units[0]), len(self.units))
            row, column = self._match(self.allowed, np.repeat(np.arange(len(slots)), slots))
        else:
            passes = []
            open_rows = np.ones(len(self.units), np.bool_)
            while open_rows.any():
                row, column = self._match(self.allowed & open_rows[:, None], None)
                if not len(row):
                    break
                passes.append((row, column))
                open_rows[row] = False
            if passes:
                row = np.concatenate([r for r, _ in passes])
                column = np.concatenate([c for _, c in passes])
        by_row = np.argsort(row, kind="stable")
        return row[by_row], column[by_row]

    def _match(self, allowed: Bool, slots: Index | None) -> tuple[Index, Index]:
        if slots is None:
            row, column = _best(self.value, allowed, self.overdue, self.assign)
        else:
            row, column = _best(self.value[:, slots], allowed[:, slots], self.overdue, self.assign)
            column = slots[column]
        np.subtract.at(self.free, column, self.units[row])
        np.subtract.at(self.pending, column, 1)
        self.allowed[row, column] = False
        self.allowed[:, column] &= (self.pending[column] > 0) & (self.free[column] >= self.units[:, None])
        return row, column


def _best(value: F64, allowed: Bool, overdue: Bool, assign: Assign | None) -> tuple[Index, Index]:
    """The best assignment by the four rules; rows and columns come in the order of their ties."""
    if not allowed.any():
        return np.empty(0, np.intp), np.empty(0, np.intp)
    if len(value) == 1:
        # The usual run: one ticket. The first of the highest is the longest idle.
        grid, _, _ = _grid(value, allowed)
        return np.zeros(1, np.intp), np.array([np.where(allowed[0], grid[0], -1.0).argmax()])
    cells = _cells(value, allowed, overdue)
    row, column = (assign or _assign)(cells)
    kept = cells[row, column] > 0
    return row[kept], column[kept]


def _cells(value: F64, allowed: Bool, overdue: Bool) -> F64:
    """(r, c) whole numbers whose highest sum is the best by all four rules; 0 where not allowed."""
    r, c = value.shape
    pairs = min(r, c)
    cells, top, ties = _grid(value, allowed)
    by_ticket = np.zeros(r)
    if ties > 1:
        cells *= ties
        cells += np.arange(c, 0.0, -1.0)
        by_ticket += np.arange(r, 0.0, -1.0)
    # One more than the most that grid values and ties of a whole matching can add up to.
    unit = 1.0 + pairs * (top * ties + (c + r if ties > 1 else 0))
    by_ticket += unit
    by_ticket[_promised(allowed, overdue)] += unit
    cells += by_ticket[:, None]
    cells *= allowed
    return cells


def _grid(value: F64, allowed: Bool) -> tuple[F64, float, float]:
    """Values as whole numbers from 0 (the lowest allowed), the highest of them, and the factor that makes
    room for ties.

    The step is 2⁻ᵏ with the highest k ≤ FINEST for which the largest cell stays below EXACT. 5 × 500: k = 30;
    100 × 100: about 29; 1,000 × 1,000: about 16, a step of 0.00002 where a term of 1 is a whole level of fit.
    """
    r, c = value.shape
    pairs = min(r, c)
    seen = value[allowed]  # a tenth of the cells, and much faster than reductions with a mask
    low = float(seen.min())
    width = float(seen.max()) - low
    span = max(width, 2.0**-FINEST)
    ties = float(pairs * (r + c) + 1)

    def bits(factor: float) -> int:
        # Largest cell: 2 · unit + itself, unit = pairs · (top + ties) + 1, top = (span · 2ᵏ + 1) · factor.
        return floor(log2((EXACT / ((2 * pairs + 2) * factor) - 2) / span))

    k = bits(ties)
    if k < COARSEST_WITH_TIES:
        ties, k = 1.0, bits(1.0)
    step = 2.0 ** min(k, FINEST)
    grid = value - low
    grid *= step
    np.rint(grid, out=grid)
    return grid, float(np.rint(width * step)), ties


def _promised(allowed: Bool, overdue: Bool) -> Index:
    """Rows of overdue tickets that can all be served together, the oldest first (rows are by age).

    The first such set in the order of age is the one of highest weight under any falling weights, here ranks.
    """
    late = np.flatnonzero(overdue & allowed.any(axis=1))
    if len(late) <= 1:
        return late
    ranks = allowed[late] * np.arange(len(late), 0.0, -1.0)[:, None]
    row, column = linear_sum_assignment(ranks, maximize=True)
    held: Index = row[ranks[row, column] > 0]
    return late[held]


def _assign(cells: F64) -> tuple[Index, Index]:
    if cells.size >= SPARSE_CELLS and np.count_nonzero(cells) < SPARSE_SHARE * cells.size:
        return assign_sparse(cells)
    return assign_dense(cells)


def assign_dense(cells: F64) -> tuple[Index, Index]:
    """Crouse's algorithm on the full matrix: O(min(r, c)² · max(r, c)) at worst."""
    row, column = linear_sum_assignment(cells, maximize=True)
    return row, column


def assign_sparse(cells: F64) -> tuple[Index, Index]:
    """LAPJVsp on the allowed cells; every ticket gets a column of its own that means "not served", so that
    all rows match."""
    r, c = cells.shape
    row, column = np.nonzero(cells)
    top = float(cells.max()) + 1.0  # costs stay above 0: scipy takes a stored 0 for no edge
    costs = np.concatenate([top - cells[row, column], np.full(r, top)])
    every = np.arange(r)
    graph = csr_array(
        (costs, (np.concatenate([row, every]), np.concatenate([column, c + every]))), shape=(r, c + r)
    )
    row, column = min_weight_full_bipartite_matching(graph)
    served = column < c
    return row[served], column[served]
