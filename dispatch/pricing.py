"""What a ticket pays, shown before it is accepted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Price:
    """Whole cents of a currency (ISO 4217)."""

    cents: int
    currency: str


NOTHING = Price(0, "EUR")


def price(topic_id: int | None, on: date, rates: Sequence[tuple[int | None, date, int, str]]) -> Price:
    """The rate of the topic that is valid on that day, else the default rate's, else nothing.

    `rates`: (topic id or None for the default, valid from, cents, currency). Of several the latest that has begun counts.
    """
    for wanted in dict.fromkeys((topic_id, None)):
        begun = [rate for rate in rates if rate[0] == wanted and rate[1] <= on]
        if begun:
            _topic, _from, cents, currency = max(begun, key=lambda rate: rate[1])
            return Price(cents, currency)
    return NOTHING
