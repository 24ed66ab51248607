"""Whom to call when it is busy: people who are offline, have asked for it, and could help.

Called are as many as tickets wait, those first whose last call is longest ago. Nobody is called twice in the hours that a
policy sets, nor in their quiet hours. Staying away has no consequence, so nothing of it is looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from math import inf

COMING_SECONDS = 180.0  # that somebody may take from the call to being online


@dataclass(frozen=True)
class Demand:
    """Waiting tickets of one pool that ask for the same."""

    waiting: int
    free: int  # people who are online, could take one, and have the time
    bound: int  # by policy: from so many waiting tickets on it is busy; 0: never
    every_hours: float  # by policy: nobody is called twice in so long
    forsaken: int = 0  # of those that wait: tickets for which nobody at all is online, in open hours


@dataclass(frozen=True)
class Person:
    """Somebody admitted who is offline and has agreed to be called."""

    id: int
    may: frozenset[int]  # places of the demands that they could serve
    hours_since: float = inf  # since their last call
    quiet: bool = False  # now, by their own clock and wish


def is_busy(demand: Demand) -> bool:
    """Many wait, and nobody is free; or one waits for whom nobody is there at all."""
    many = demand.waiting >= demand.bound or demand.forsaken > 0
    return demand.bound > 0 and many and demand.free == 0


def to_call(demands: Sequence[Demand], people: Sequence[Person]) -> list[int]:
    """Ids of those to be called now, the most needed first; nobody twice."""
    called: list[int] = []
    ready = sorted((one for one in people if not one.quiet), key=lambda one: (-one.hours_since, one.id))
    for place in sorted(range(len(demands)), key=lambda place: (-demands[place].waiting, place)):
        demand = demands[place]
        if not is_busy(demand):
            continue
        asked = [one for one in ready if place in one.may and one.hours_since >= demand.every_hours]
        # Who is called for another demand already counts for this one too: they come for both.
        fresh = [one.id for one in asked if one.id not in called]
        # Who was called a moment ago may be on the way.
        already = sum(
            place in one.may and (one.id in called or one.hours_since * 3600 < COMING_SECONDS)
            for one in people
        )
        called += fresh[: max(demand.waiting - already, 0)]
    return called


def is_quiet(now: time, begin: time | None, end: time | None) -> bool:
    """Whether the clock stands in quiet hours, which may go over midnight; without both ends there are none."""
    if begin is None or end is None:
        return False
    return begin <= now < end if begin <= end else now >= begin or now < end
