"""Units of attention beyond the plain offer: the next ticket while one is wrapped up, and customers who are silent."""

from __future__ import annotations

from collections.abc import Sequence


def is_next_up(units: int, free: int) -> bool:
    """Whether an offer of so many units can only be made ahead: `free` is without what is being wrapped up."""
    return units > free


def room_for(units: int, free: int, wrapping: Sequence[tuple[int, int]]) -> list[int] | None:
    """Which wrap-ups end so that `units` fit, in their order and no more than are needed; None when all are not enough.

    free: units that are not taken; wrapping: (id, units) of each wrap-up.
    """
    ending = []
    for which, held in wrapping:
        if free >= units:
            break
        ending.append(which)
        free += held
    return ending if free >= units else None


def while_silent(units: int, silent_units: int) -> int:
    """Units that a ticket takes while its customer is silent: never more than it takes anyway."""
    return min(units, silent_units)


def back(spared: int, free: int, *, wrapping: int = 0, next_up: int = 0) -> int:
    """Units that come back to a ticket whose customer writes again: as many as there is room for.

    free: units that are not taken; wrapping: units in wrap-up; next_up: those of an open offer that takes none yet. That one
    can be accepted later on, so its room, beyond what the end of wrap-ups will give, is left alone.
    """
    return max(min(spared, free, free + wrapping - next_up), 0)
