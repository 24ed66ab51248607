"""Who may book which hour. Hours are offered where people will be needed; a booking gives a priority, and binds to nothing.

An hour opens some days ahead. At first it is there for those who have booked less of that week than the others, so that whoever
is quick does not take all; a cap a week does the rest. Dropping is always possible, and the seat is offered again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)
FIRST = timedelta(hours=24)  # after an hour opens, in which those with fewer booked hours come first
PATIENCE = timedelta(
    minutes=5
)  # of not being online, after which a booked seat is free for the rest of the hour


class No(StrEnum):
    """Why an hour cannot be booked by somebody now."""

    OVER = "over"
    BOOKED = "booked"  # by them already
    OTHER = "other"  # they have booked the same hour in another pool
    EARLY = "early"
    FULL = "full"
    CAP = "cap"
    FIRST = "first"  # for those with fewer hours


@dataclass(frozen=True)
class Terms:
    """What a policy sets."""

    days: int  # how long ahead an hour can be booked; 0: never
    cap: int  # hours a week that one person may have


@dataclass(frozen=True)
class Hour:
    begins: datetime
    made: datetime  # when it was offered; an hour that is added late opens late
    seats: int
    taken: int

    def opens(self, terms: Terms) -> datetime:
        return max(self.begins - timedelta(days=terms.days), self.made)


@dataclass(frozen=True)
class Mine:
    """What somebody has booked of the week of the hour, and how it compares."""

    week: int  # hours
    usual: float  # hours that the pool's people have booked of this week, on average
    here: bool = False  # this very hour
    elsewhere: bool = False  # the same hour in another pool


def refusal(hour: Hour, mine: Mine, terms: Terms, now: datetime) -> No | None:
    """Why not; None when they may book. What cannot change any more comes first. An hour that runs can be booked."""
    reasons = {
        No.OVER: now >= hour.begins + HOUR,
        No.BOOKED: mine.here,
        No.OTHER: mine.elsewhere,
        No.EARLY: terms.days == 0 or now < hour.opens(terms),
        No.FULL: hour.taken >= hour.seats,
        No.CAP: mine.week >= terms.cap,
        No.FIRST: now < hour.opens(terms) + FIRST and now < hour.begins and mine.week > mine.usual,
    }
    return next((no for no, true in reasons.items() if true), None)
