"""What a raw score of the search is worth, learned from labelled questions, and how sure that is. Pure.

A curve is [(raw, precision), …], both rising: of all questions whose best article scored `raw` or more, that share had the
right one. A score is read from it, so 0.95 means: answering all that are as good as this, 95 of 100 are right.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.96  # of intervals of 95 percent
Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Trial:
    """A labelled question: the raw score of the best article, 0 to 1, and whether it was the right one."""

    raw: float
    right: bool


@dataclass(frozen=True)
class Figures:
    """What a threshold brings: of `asked` questions `answered` were answered, `right` of them rightly."""

    asked: int
    answered: int
    right: int

    @property
    def precision(self) -> float | None:
        return self.right / self.answered if self.answered else None

    @property
    def coverage(self) -> float | None:
        return self.answered / self.asked if self.asked else None


def wilson(good: int, many: int, z: float = Z) -> tuple[float, float]:
    """Interval of a share (Wilson 1927); (0, 1) when there is nothing to go by."""
    if not many:
        return 0.0, 1.0
    share, square = good / many, z * z
    middle = (share + square / (2 * many)) / (1 + square / many)
    half = z / (1 + square / many) * math.sqrt(share * (1 - share) / many + square / (4 * many * many))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def curve_of(trials: Sequence[Trial]) -> list[tuple[float, float]]:
    """The curve. A little pessimistic: one more answer is counted than there were, and it was wrong."""
    points: list[tuple[float, float]] = []
    right = 0
    ordered = sorted(trials, key=lambda trial: -trial.raw)
    for number, trial in enumerate(ordered, start=1):
        right += trial.right
        last = number == len(ordered) or ordered[number].raw < trial.raw
        if last and trial.raw > 0:
            points.append((trial.raw, right / (number + 1)))
    rising: list[tuple[float, float]] = []
    for raw, precision in reversed(points):
        if not rising or precision > rising[-1][1]:
            rising.append((raw, precision))
    return rising


def score(curve: Curve, raw: float) -> float:
    """The score, 0 to 1, of a raw one; 0 below all that the curve knows, and without a curve."""
    place = bisect_right([point[0] for point in curve], raw)
    return curve[place - 1][1] if place else 0.0


def threshold(curve: Curve, target: float) -> float | None:
    """The least raw score that is answered at this target precision; None when none is good enough."""
    return next((raw for raw, precision in curve if precision >= target), None)


def figures(trials: Sequence[Trial], least: float | None) -> Figures:
    """What this threshold of the raw score brings."""
    answered = [trial for trial in trials if least is not None and trial.raw >= least]
    return Figures(len(trials), len(answered), sum(trial.right for trial in answered))


def cross_fitted(trials: Sequence[Trial], target: float, folds: int = 5) -> Figures:
    """The same with each question judged by a threshold that was chosen without it: every fifth is left out in turn."""
    asked = answered = right = 0
    for fold in range(folds):
        rest = [trial for place, trial in enumerate(trials) if place % folds != fold]
        one = figures(trials[fold::folds], threshold(curve_of(rest), target))
        asked, answered, right = asked + one.asked, answered + one.answered, right + one.right
    return Figures(asked, answered, right)
