"""How ratings and reviews become one figure, how sure it is, and which tickets are reviewed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from math import sqrt
from typing import Any

# What a review looks at, and how much each counts; 0–4 points each. Their names in words: dispatch/reviews.py.
CRITERIA: Mapping[str, int] = {"solved": 3, "correct": 3, "clear": 2, "kind": 2}
MOST_POINTS = 4

RATING_COUNTS = 1.0  # a customer's rating
REVIEW_COUNTS = 2.0  # somebody who has read all of it and knows the matter
USUAL_COUNTS = 10.0  # the usual counts as much as ten ratings: who has ten is half themselves
USUAL_AT_FIRST = 0.8  # while nobody has been rated: 4.2 of 5
FULL = 0.25  # of the scale: one point of a rating above or below the usual counts in full

Z95 = 1.959964  # of the normal distribution, for 95 %


def of_rating(score: int) -> float:
    """1–5 → 0–1."""
    return (score - 1) / 4


def of_points(points: Mapping[str, int]) -> float:
    """Points of all criteria, 0–4 each → 0–1, by their weights. Raises ValueError for missing, unknown or other points."""
    if set(points) != set(CRITERIA) or any(not 0 <= said <= MOST_POINTS for said in points.values()):
        raise ValueError("a review gives 0 to 4 points for each criterion")
    whole = sum(weight * points[name] for name, weight in CRITERIA.items())
    return whole / (MOST_POINTS * sum(CRITERIA.values()))


def shrunk(total: Any, weight: Any, usual: float) -> Any:
    """The weighted mean of what was judged, drawn towards the usual while there is little of it; numbers or arrays.

    `total` is the sum of weight × score, `weight` the sum of weights: (total + k · usual) / (weight + k), k = USUAL_COUNTS.
    The linear empirical-Bayes estimator (Robbins 1956; Efron and Morris, JASA 70, 1975): of few judgements most is chance.
    """
    return (total + USUAL_COUNTS * usual) / (weight + USUAL_COUNTS)


def term(total: float, weight: float, usual: float) -> float:
    """What matching sees: 0 is the usual, and who was never judged; −1 and 1 are a point of a rating below and above."""
    ahead: float = (shrunk(total, weight, usual) - usual) / FULL
    return max(-1.0, min(1.0, ahead))


def interval(scores: Iterable[float]) -> tuple[float, float, float] | None:
    """(low, mean, high) of scores 0–1: where the mean would lie with many more of them, 19 times of 20. None without any.

    Wilson's score interval (JASA 22, 1927), with scores as parts of a success: a mean of figures in 0–1 varies at most as much
    as a share does, so it is never too narrow, stays in 0–1, and is right for few too.
    """
    values = list(scores)
    if not values:
        return None
    n, mean = len(values), sum(values) / len(values)
    middle = (mean + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(mean * (1 - mean) / n + Z95**2 / (4 * n * n))
    return max(0.0, min(middle - half, mean)), mean, min(1.0, max(middle + half, mean))


def drawn(offer_id: int, percent: int, seed: str) -> bool:
    """Whether this resolution is in the sample: by a keyed hash, so that it is the same however often one asks, and nobody who
    does not know the seed can tell before.
    """
    figure = int.from_bytes(blake2b(str(offer_id).encode(), key=seed.encode()[:64], digest_size=8).digest())
    return figure * 100 < percent * 2**64
