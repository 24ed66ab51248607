"""How sure is sure enough: thresholds that hold a precision, what they leave to people, and how far the figures can be
trusted. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEVER = 1.01  # a threshold that no probability reaches: nothing is sure enough


@dataclass(frozen=True)
class Share:
    """`right` of `sure`, of `total` texts: precision is the first quotient, coverage the second."""

    right: int
    sure: int
    total: int

    @property
    def precision(self) -> float:
        """1 when nothing was decided, so nothing was wrong."""
        return self.right / self.sure if self.sure else 1.0

    @property
    def coverage(self) -> float:
        return self.sure / self.total if self.total else 0.0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.right + other.right, self.sure + other.sure, self.total + other.total)


def judged(sure: F64, right: Flags, threshold: float) -> Share:
    """What a threshold makes of texts with these probabilities, of which these were right."""
    taken = sure >= threshold
    return Share(int(np.count_nonzero(right & taken)), int(np.count_nonzero(taken)), len(sure))


def threshold_for(sure: F64, right: Flags, precision: float, *, caution: float = 0.0) -> float:
    """The lowest threshold at which at least `precision` of what is as sure or surer was right; NEVER if there is none.

    With `caution` so many standard errors more, of a share of that size among so many texts: √(p (1 − p) / n). Texts that are
    equally sure are taken or left together.
    """
    if not len(sure):
        return NEVER
    order = np.argsort(-sure, kind="stable")
    ranked = sure[order]
    taken = np.arange(1, len(order) + 1)
    share = np.cumsum(right[order]) / taken
    wanted = precision + caution * np.sqrt(precision * (1 - precision) / taken)
    ends = np.append(ranked[1:] < ranked[:-1], True)  # the last of those that are equally sure
    (good,) = np.nonzero(ends & (share >= wanted))
    return float(ranked[good[-1]]) if len(good) else NEVER


def crossed(
    sure: F64, right: Flags, fold: npt.NDArray[np.int64], precision: float, *, caution: float = 0.0
) -> Share:
    """Precision and coverage where each fold is judged by a threshold that the others have chosen."""
    total = Share(0, 0, 0)
    for one in np.unique(fold):
        here = fold == one
        chosen = threshold_for(sure[~here], right[~here], precision, caution=caution)
        total += judged(sure[here], right[here], chosen)
    return total


def interval(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper–Pearson: a share of which `hits` of `of` were seen lies in it with at least this probability.

    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934).
    """
    if not 0 <= hits <= of:
        raise ValueError("hits of nothing")
    from scipy.special import betaincinv  # noqa: PLC0415  a twentieth of each process's start, for figures that few ask for

    tail = (1 - level) / 2
    low = float(betaincinv(hits, of - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, of - hits, 1 - tail)) if hits < of else 1.0
    return low, high


def softmax(decisions: F64, temperature: float = 1.0) -> F64:
    """Rows of decisions as probabilities that add up to 1."""
    scaled = np.asarray(decisions, np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    powers = np.exp(scaled)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float64)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def calibration_error(sure: F64, right: Flags, bins: int = 10) -> float:
    """Expected calibration error: how far, on average, a stated probability is from the share that was right."""
    if not len(sure):
        return 0.0
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    gaps: Sequence[float] = [
        abs(float(right[place == one].mean()) - float(sure[place == one].mean()))
        * float((place == one).mean())
        for one in np.unique(place)
    ]
    return float(sum(gaps))
