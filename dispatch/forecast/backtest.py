"""Which model to believe: each is asked as if it were an earlier day, and held against what came then. No hindsight.

A model other than the seasonal average is chosen only if its error is smaller by MARGIN, so that chance changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dispatch.forecast.history import F64, SLOTS, History
from dispatch.forecast.models import MEMORY, SEASONAL, Model

HORIZON = 7  # days
WINDOW = 28  # days that are judged
LEAST = 7  # days that must have been judged before anything but the seasonal average is chosen
MARGIN = 0.03  # of the seasonal average's error
COVER = 0.8  # of what comes lies within the interval


@dataclass(frozen=True)
class Judged:
    """The chosen model. Errors are WAPE: Σ|came − forecast| ÷ Σ came over half hours, 1 to HORIZON days ahead; nan: unknown."""

    model: str
    error: float
    baseline_error: float
    dispersion: float
    errors: Mapping[str, float]
    days: int  # on which forecasts were held against what came


def rolling(history: History, origins: Sequence[int], models: Mapping[str, Model]) -> dict[str, F64]:
    """Model → (origins, HORIZON, SLOTS): what it says of the days from each origin on, knowing those before it alone.

    Days beyond the history are nan: their kinds are not known here.
    """
    found = {name: np.full((len(origins), HORIZON, SLOTS), np.nan) for name in models}
    for place, origin in enumerate(origins):
        known = history.until(origin, MEMORY)
        ahead = history.kinds[origin : origin + HORIZON]
        for name, model in models.items():
            found[name][place, : len(ahead)] = model(known, ahead)
    return found


def judge(history: History, origins: Sequence[int], said: Mapping[str, F64], at: int | None = None) -> Judged:
    """Choose on day `at` (default: after the history) by what was said of the WINDOW days before it."""
    at = len(history) if at is None else at
    targets = np.asarray(origins)[:, None] + np.arange(HORIZON)
    used = (targets < at) & (targets >= at - WINDOW)
    came = history.rates[np.minimum(targets, len(history) - 1)][used]  # (pairs, SLOTS)
    there = ~np.isnan(came)
    errors = {name: wape(came[there], means[used][there]) for name, means in said.items()}
    days = len(np.unique(targets[used]))
    best = SEASONAL
    if days >= LEAST:
        name = min(errors, key=lambda one: (errors[one], one))
        if errors[name] < errors[SEASONAL] * (1 - MARGIN):
            best = name
    spread = dispersion(came[there], said[best][used][there])
    return Judged(best, errors[best], errors[SEASONAL], spread, errors, days)


def backtest(history: History, models: Mapping[str, Model]) -> Judged:
    """Judge all models as of the end of the history: WINDOW origins, a day apart."""
    origins = range(max(len(history) - WINDOW, 1), len(history))
    return judge(history, origins, rolling(history, origins, models))


def wape(came: F64, said: F64) -> float:
    """Weighted absolute percentage error, Σ|came − said| ÷ Σ came; nan when nothing came.

    Source: Kolassa and Schütz, “Advantages of the MAD/Mean ratio over the MAPE”, Foresight 2007.
    """
    total = float(np.sum(came))
    return float(np.abs(came - said).sum() / total) if total > 0 else float("nan")


def dispersion(came: F64, said: F64) -> float:
    """φ of a variance μ + φμ² (negative binomial), by moments: Σ((y − μ)² − μ) ÷ Σμ², never below 0 (then Poisson).

    Source: Cameron and Trivedi, Regression Analysis of Count Data, 2nd edition, 3.2.
    """
    squares = float((said**2).sum())
    return max(float(((came - said) ** 2 - said).sum()) / squares, 0.0) if squares > 0 else 0.0


def interval(means: F64, spread: float, cover: float = COVER) -> tuple[F64, F64]:
    """(low, high) whole tickets of a negative binomial with these means and φ; at least `cover` lies within, ends included."""
    tail = (1 - cover) / 2
    most = float(np.max(means, initial=0.0))
    numbers = np.arange(int(most + 10 * np.sqrt(most + spread * most**2) + 10), dtype=np.float64)
    chance = _at_most(numbers, np.asarray(means)[..., None], spread)
    return (chance < tail).sum(axis=-1).astype(np.float64), (chance < 1 - tail).sum(axis=-1).astype(
        np.float64
    )


def covered(came: F64, means: F64, spread: float | F64, cover: float = COVER) -> float:
    """The share of what came that lay within the middle `cover` of what was said.

    Of counts, a value at an end of the interval lies in it by the part of its probability that does: with the interval's whole
    numbers alone, rare tickets would count as foreseen always. Source: Czado, Gneiting and Held, Biometrics 2009.
    """
    low, high = _at_most(came - 1, means, spread), _at_most(came, means, spread)
    tail = (1 - cover) / 2
    inside = np.clip(np.minimum(high, 1 - tail) - np.maximum(low, tail), 0.0, None)
    return float(np.mean(inside / np.maximum(high - low, 1e-12)))


def _at_most(numbers: F64, means: F64, spread: float | F64) -> F64:
    """The probability of at most so many: I_p(r, k + 1) with r = 1 ÷ φ, p = r ÷ (r + μ). With φ near 0 it is Poisson's."""
    size = 1 / np.maximum(spread, 1e-6)
    share = size / (size + np.maximum(means, 1e-9))
    from scipy.special import betainc  # noqa: PLC0415  a tenth of each process's start, for who forecasts

    return np.where(numbers < 0, 0.0, betainc(size, np.maximum(numbers, 0.0) + 1, share))
