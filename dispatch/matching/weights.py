"""How much each term of a pair's value counts: what of a policy the solver wants to know."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from dispatch.matching.checks import InvalidProblem

MOST_PARALLEL = 3


@dataclass(frozen=True)
class Weights:
    """How much each term counts. All are worth points of value for a term of 1, finite and at least 0.

    The defaults say: the right skill and a target's worth of waiting count the same; pay and a familiar face
    half of that; load and rare skills decide between people who are otherwise alike.
    """

    fit: float = 1.0  # α: level against need, 0–1
    wait: float = 1.0  # β: per target that has passed
    wait_cap: float = 3.0  # targets; beyond it only max_wait speaks, so old tickets cannot drown the rest
    priority: float = 1.0
    fairness: float = 0.5  # γ: relative distance of earnings per online hour from the fair share, −1–1
    known: float = 0.5  # δ: helped this customer before
    load: float = 0.3  # ε: held units over capacity, 0–1
    scarcity: float = 0.3  # ζ: how much others need this person's rare skills, 0–1
    quality: float = 0.0  # η: ratings and reviews against the usual, −1–1; 0 is "does not count"
    booked: float = 0.25  # has booked this hour
    max_parallel: int = MOST_PARALLEL  # most offers at once for one ticket, 1–3
    reserve: float = 0.0  # least worth for reserved tickets and parallel offers; 0: nothing is asked for

    def __post_init__(self) -> None:
        for name, value in self.terms().items():
            if not isfinite(value) or value < 0:
                raise InvalidProblem(f"weights.{name} must be finite and at least 0, not {value}")
        if not 1 <= self.max_parallel <= MOST_PARALLEL:
            raise InvalidProblem(f"weights.max_parallel must be 1–{MOST_PARALLEL}, not {self.max_parallel}")

    def terms(self) -> dict[str, float]:
        """All weights but max_parallel, by name."""
        return {name: float(value) for name, value in vars(self).items() if name != "max_parallel"}

    @property
    def served(self) -> float:
        """What it is worth that somebody is asked at all: 1 more than all negative terms can take away
        together.

        It keeps the sum that the probability of accepting multiplies at 1 or more. Without it a sum below
        zero would make the person who hardly ever accepts look best.
        """
        return 1.0 + self.fairness + self.load + self.scarcity + self.quality

    @property
    def newcomer(self) -> float:
        """What it is worth that somebody new is asked about a ticket that goes to newcomers first: as much as a person's
        part can be at most, so that nothing else outweighs it.
        """
        return self.served + self.fit + self.fairness + self.known + self.quality + self.booked
