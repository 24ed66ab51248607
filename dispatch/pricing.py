"""What the work on a ticket pays, shown before it is accepted. Pure; whole cents, rounded half up once a line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Terms:
    """What the work may pay beside the pay, by the rate of its day."""

    waiting_cents: int = 0  # a minute
    waiting_minutes: int = 30  # that are paid at most
    release_percent: int = 0
    bonus_cents: int = 0
    bonus_score: int = 5  # rating from which on the bonus is earned

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Terms":
        """From an offer's row; what an older one does not have pays nothing."""
        return cls(**{name: stored[name] for name in _TERMS if name in stored})


_TERMS = [field.name for field in fields(Terms)]


class RateRow(NamedTuple):
    topic_id: int | None  # None for the default
    valid_from: date
    cents: int
    currency: str
    terms: Terms = Terms()


@dataclass(frozen=True)
class Price:
    """Whole cents of a currency (ISO 4217)."""

    cents: int
    currency: str
    terms: Terms = Terms()


NOTHING = Price(0, "EUR")


def price(topic_id: int | None, on: date, rates: Sequence[RateRow]) -> Price:
    """The rate of the topic that is valid on that day, else the default rate's, else nothing.

    Of several the latest that has begun counts.
    """
    for wanted in dict.fromkeys((topic_id, None)):
        begun = [rate for rate in rates if rate.topic_id == wanted and rate.valid_from <= on]
        if begun:
            found = max(begun, key=lambda rate: rate.valid_from)
            return Price(found.cents, found.currency, found.terms)
    return NOTHING


def percent_of(cents: int, percent: int) -> int:
    """Rounded half up."""
    return (cents * percent + 50) // 100


def surge(cents: int, percent: int, *, waiting: int, free: int, bound: float) -> int:
    """On top of the pay: that percent of it while more than `bound` tickets wait for each free person, else 0."""
    return percent_of(cents, percent) if free and waiting > bound * free else 0


def waited_seconds(
    talk: Iterable[tuple[bool, datetime]],
    asleep: Sequence[tuple[datetime, datetime]] = (),
    closed_at: datetime | None = None,
) -> float:
    """How long an agent waited for the customer: from the last word of theirs to the customer's next one, each time.

    `talk`: (by the agent, when) in order; `asleep`: (from, to) in which the ticket was put aside: nobody waited then, so
    it does not count. `closed_at`: when the customer closed the ticket, which is an answer too. A wait that the agent ends
    does not count, or resolving late would be paid (ADR 17).
    """
    asked: datetime | None = None
    seconds = 0.0
    for by_agent, at in talk:
        if by_agent:
            asked = at
        elif asked is not None:
            seconds += max((at - asked).total_seconds() - _within(asked, at, asleep), 0.0)
            asked = None
    if asked is not None and closed_at is not None:
        seconds += max((closed_at - asked).total_seconds() - _within(asked, closed_at, asleep), 0.0)
    return seconds


def _within(begin: datetime, end: datetime, spans: Iterable[tuple[datetime, datetime]]) -> float:
    """Seconds between two moments that lie in one of the spans, of which no two overlap."""
    return sum(max((min(end, until) - max(begin, since)).total_seconds(), 0.0) for since, until in spans)


def waiting_pay(seconds: float, terms: Terms) -> int:
    """For whole seconds, up to the most that is paid."""
    return min(int(seconds), terms.waiting_minutes * 60) * terms.waiting_cents // 60
