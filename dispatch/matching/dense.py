"""The best assignment of a small match, on the matrix of all its pairs.

A cell is ``unit · (1 + promised) + grid value · ties + tie``, where each factor is larger than everything below it can
add up to over a whole matching. Whole numbers up to 2⁵¹ keep sums and differences exact in float64, which is what scipy
computes in, so that equal means equal.

Solver: ``scipy.optimize.linear_sum_assignment``, shortest augmenting paths after Jonker and Volgenant as in D. F. Crouse,
"On implementing 2D rectangular assignment algorithms", 2016: O(min(r, c)² · max(r, c)) at worst.
"""

from __future__ import annotations

from math import floor, log2

import numpy as np

from dispatch.matching.match import Match
from dispatch.matching.problem import F64, Bool, Index

EXACT = 2.0**51  # duals and path lengths stay within three times the largest cell: below 2⁵³
FINEST = 30  # bits after the point; finer would tell rounding apart, not people
COARSEST_WITH_TIES = 14  # above about 1,000 × 1,000 in one run, rule 4 gives way to the grid


def dense(match: Match) -> tuple[Index, Index]:
    """Rows and columns of the best pairs by the four rules of ``solve``; 8 bytes a pair, several times."""
    value, allowed = match.value(), match.allowed()
    if match.slots.max(initial=0) <= 1:
        return best(value, allowed, match.overdue)
    # A person is as many columns as they can take tickets.
    column_of = np.repeat(np.arange(len(match.slots)), match.slots)
    row, column = best(value[:, column_of], allowed[:, column_of], match.overdue)
    return row, column_of[column]


def best(value: F64, allowed: Bool, overdue: Bool) -> tuple[Index, Index]:
    """The best assignment by the four rules; rows and columns come in the order of their ties."""
    if not allowed.any():
        return np.empty(0, np.intp), np.empty(0, np.intp)
    if len(value) == 1:
        # The usual run: one ticket. The first of the highest is the longest idle.
        grid, _, _ = _grid(value, allowed)
        return np.zeros(1, np.intp), np.array([np.where(allowed[0], grid[0], -1.0).argmax()])
    cells = _cells(value, allowed, overdue)
    row, column = _assignment(cells)
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
    row, column = _assignment(ranks)
    held: Index = row[ranks[row, column] > 0]
    return late[held]


def _assignment(cells: F64) -> tuple[Index, Index]:
    # Here, because every process knows problems and reasons, few solve them, and scipy takes half a second to import.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    found: tuple[Index, Index] = linear_sum_assignment(cells, maximize=True)
    return found
