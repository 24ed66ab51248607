"""How many people a demand takes, by Erlang A (M/M/n+M): Poisson arrivals, exponential handling and patience, one queue.

Sources: Palm, “Research on telephone traffic carried by full availability groups”, Tele 1957; Mandelbaum and Zeltyn, “Service
engineering in action: the Palm/Erlang-A queue”, 2007.

A ticket takes its people `handling` seconds, wrap-up included. Before that it is offered: each answer takes `answer` seconds
and is yes with probability `accept`, so answer ÷ accept seconds pass on average until somebody has it, in which a place is held
too. That time is taken from the target, and added to the handling. Whoever misses an offer is paused; that is `lost`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf

import numpy as np

from dispatch.forecast.history import F64, SECONDS

MOST = 2000  # people


@dataclass(frozen=True)
class Work:
    """What a ticket takes, and what is promised. Seconds and shares."""

    handling: float
    target: float  # seconds within which somebody is to come
    share: float = 0.8  # of the tickets for which that is to hold
    patience: float = inf  # mean; inf: nobody leaves
    answer: float = 8.0
    accept: float = 0.8
    concurrency: float = 1.0  # tickets that one person works on at once
    occupancy: float = 0.9  # nobody is to be busy for more than this share of the time
    lost: float = 0.0  # seconds a ticket in which places are empty: whoever misses an offer is paused

    def __post_init__(self) -> None:
        if not (
            self.handling > 0
            and self.patience > 0
            and self.target > 0
            and self.answer >= 0
            and self.lost >= 0
        ):
            raise ValueError(
                "handling, patience and target must be more than nothing, answer and lost not less"
            )
        if not (0 < self.share < 1 and 0 < self.accept <= 1 and 0 < self.occupancy <= 1):
            raise ValueError("share, accept and occupancy are shares")
        if self.concurrency < 1:
            raise ValueError("a person works on one ticket at least")

    @property
    def held(self) -> float:
        """Seconds for which a ticket costs a place."""
        return self.handling + self.asking + self.lost

    @property
    def asking(self) -> float:
        """Seconds from the first offer until somebody has it, on average."""
        return self.answer / self.accept


@dataclass(frozen=True)
class Service:
    """What customers get. Shares of all who come; `wait` in seconds is the mean over all, those who leave included."""

    within: float  # are served within the target
    left: float  # leave before
    wait: float
    busy: float  # of the people's places


def erlang_a(servers: int, rate: float, handling: float, patience: float, target: float) -> Service:
    """M/M/n+M in its steady state. `rate` a second.

    The number of tickets is a birth-death chain: births λ, deaths min(j, n) μ + (j − n)⁺ θ. Who comes to k tickets waiting has
    an offered wait V = Σᵢ₌₀ᵏ Exp(nμ + iθ), of which e^(−θV) ~ Beta(nμ/θ, k + 1). Served within T is who is not out of patience
    at V ≤ T: E[e^(−θV); V ≤ T] = α/(α+k+1) · (1 − I_{e^(−θT)}(α + 1, k + 1)), α = nμ/θ, I the regularised incomplete beta
    function. Left is θ E[queue] ÷ λ, the mean wait E[queue] ÷ λ (Little). With patience = inf it is Erlang C, where V is of the
    Erlang law, and with too few people nobody is served in time.
    """
    if rate <= 0:
        return Service(1.0, 0.0, 0.0, 0.0)
    if servers < 1:
        return Service(0.0, 1.0 if patience < inf else 0.0, patience, 1.0)
    if rate * patience > 1e5:
        patience = inf  # as good as: in a hundred thousand waiting nobody's leaving is seen
    mu, theta = 1 / handling, 1 / patience
    full = servers * mu
    if theta == 0 and rate >= full:
        return Service(0.0, 0.0, inf, 1.0)
    weight, queue = _states(servers, rate, mu, theta)
    here = np.arange(len(queue) - servers, dtype=np.float64)  # k: tickets waiting
    from scipy.special import betainc, gammainc  # noqa: PLC0415  a tenth of each process's start, for who forecasts

    if theta > 0:
        alpha = full / theta
        soon = alpha / (alpha + here + 1) * (1 - betainc(alpha + 1, here + 1, exp(-theta * target)))
    else:
        soon = gammainc(here + 1, full * target)
    at_once = float(weight[:servers].sum())
    waiting = float((weight * queue).sum())
    left = theta * waiting / rate
    return Service(
        min(at_once + float((weight[servers:] * soon).sum()), 1.0),
        left,
        waiting / rate,
        rate * (1 - left) / full,
    )


def _states(servers: int, rate: float, mu: float, theta: float) -> tuple[F64, F64]:
    """(probability, tickets waiting) of each state, up to those that weigh nothing."""
    spread = rate / theta if theta > 0 else 0.0
    room = 60 + 12 * spread**0.5 + spread if theta > 0 else 40 / -np.log(rate / (servers * mu)) + 60
    j = np.arange(1, int(servers + min(room, 200_000)) + 1)
    deaths = np.minimum(j, servers) * mu + np.maximum(j - servers, 0) * theta
    log = np.concatenate([[0.0], np.cumsum(np.log(rate) - np.log(deaths))])
    weight = np.exp(log - log.max())
    queue = np.maximum(np.arange(len(weight)) - servers, 0).astype(np.float64)
    return weight / weight.sum(), queue


def service(people: int, tickets: float, work: Work) -> Service:
    """What so many people give to so many tickets a half hour. `wait` counts until somebody has accepted."""
    left_of_target = work.target - work.asking
    places = int(people * work.concurrency)
    given = erlang_a(places, tickets / SECONDS, work.held, work.patience, max(left_of_target, 1e-9))
    within = given.within if left_of_target > 0 else 0.0
    return Service(within, given.left, given.wait + work.asking, given.busy)


def holds(people: int, tickets: float, work: Work) -> bool:
    """Whether so many people keep the share within the target, and are not busier than the bound."""
    if tickets <= 0:
        return True
    given = service(people, tickets, work)
    return given.within >= work.share and given.busy <= work.occupancy


def reachable(work: Work) -> bool:
    """Whether any number of people holds it: with a target shorter than an answer takes, none does."""
    return work.target > work.asking


@lru_cache(maxsize=4096)
def most_tickets(people: int, work: Work) -> float:
    """Tickets a half hour that so many people hold: the largest such, to a thousandth. Bisection; `within` falls with load."""
    low, high = 0.0, people * work.concurrency / work.handling * SECONDS * 4 + 1
    while high - low > 1e-3 * max(low, 0.1):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(people, middle, work) else (low, middle)
    return low


def people_needed(tickets: F64, work: Work) -> F64:
    """The least number of people for each of these tickets a half hour; nan where no number is enough, or it is beyond MOST."""
    tickets = np.asarray(tickets, np.float64)
    if not reachable(work):
        return np.where(tickets > 0, np.nan, 0.0)
    most = float(np.max(tickets, initial=0.0))
    if most <= 0:
        return np.zeros(tickets.shape)
    bounds = [0.0]
    while bounds[-1] < most and len(bounds) <= MOST:
        bounds.append(most_tickets(len(bounds), work))
    found = np.searchsorted(np.maximum.accumulate(bounds), tickets, side="left").astype(np.float64)
    return np.where(found >= len(bounds), np.nan, found)


def mean_patience(waited: float, left: int) -> float:
    """Mean patience from waits in all (seconds, of those served and of those who left) and how many left; inf: nobody did.

    Who was served would have waited longer: their patience is censored. With exponential patience the likelihood is largest at
    θ = left ÷ waited in all. Source: Mandelbaum and Zeltyn 2007, 6; Brown et al., JASA 2005, 5.
    """
    return waited / left if left > 0 and waited > 0 else inf
