"""One assignment to be solved: who may get one ticket each (or several), by kinds of ticket. What both solvers get."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dispatch.matching.problem import F64, I64, Bool, Index
from dispatch.matching.score import among

FINEST = 24  # bits after the point; 30 take the flow a fifth longer and change nobody's offer


def on_grid(part: F64) -> F64:
    """The nearest multiples of 2⁻²⁴."""
    grid: F64 = np.rint(part * 2.0**FINEST) / 2.0**FINEST
    return grid


@dataclass(frozen=True)
class Match:
    """r tickets (rows) and c people (columns), both in the order of their ties, and t kinds of ticket.

    A pair is worth ``worth`` of its kind, or of ``known``, plus the ticket's part.
    """

    kind: Index  # (r,)
    open: Bool  # (t, c) may be paired
    worth: F64  # (t, c) meaningful where open
    ticket: F64  # (r,)
    overdue: Bool  # (r,)
    slots: I64  # (c,) most tickets a person may get; 1 or more where anything is open to them
    known: tuple[Index, Index, F64]  # row, column, worth at least that of the kind; ascending, no pair twice
    barred: tuple[Index, Index]  # row, column: pairs that must not be, though they are open to the kind

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def lone(self) -> Bool:
        """(r,) tickets that are unlike others of their kind, since somebody is barred from them."""
        found = np.zeros(len(self), np.bool_)
        found[self.barred[0]] = True
        return found

    def worth_of(self, row: Index, column: Index) -> tuple[F64, Bool]:
        """(q,) the person's part of pairs, and whether they know each other."""
        worth = self.worth[self.kind[row], column]
        i, j, of_known = self.known
        if not i.size:
            return worth, np.zeros(len(row), np.bool_)
        width = self.open.shape[1]
        place, met = among(i * width + j, row * width + column)
        worth[met] = of_known[place[met]]
        return worth, met

    def allowed(self) -> Bool:
        """(r, c)"""
        allowed = self.open[self.kind]
        allowed[self.barred] = False
        return allowed

    def value(self) -> F64:
        """(r, c) of every pair, meaningful where allowed; each part on the grid of 2⁻²⁴.

        Parts are rounded by themselves, so that two tickets of equal people add up to the same whoever gets whom: what
        ties must not be decided by the rounding of sums.
        """
        value = on_grid(self.worth)[self.kind]
        value[self.known[0], self.known[1]] = on_grid(self.known[2])
        value += on_grid(self.ticket)[:, None]
        return value

    def settled(self, row: Index, column: Index) -> tuple[Index, Index]:
        """The same tickets, people and sum of values, ordered so that of equal tickets the first gets the best person.

        First is overdue, by age, and else what has the higher part of its own, by age. Within a kind the sum does not
        depend on who gets whom; so it would be left to chance.
        """
        if len(row) <= 1:
            return row, column
        _, met = self.worth_of(row, column)
        free = np.flatnonzero(~met & ~self.lone[row])
        r, c = row[free], column[free]
        kind = self.kind[r]
        urgency = np.where(self.overdue[r], np.inf, self.ticket[r])
        by_row = np.lexsort((r, -urgency, kind))
        by_column = np.lexsort((c, -self.worth[kind, c], kind))
        paired = column.copy()
        paired[free[by_row]] = c[by_column]
        return row, paired
