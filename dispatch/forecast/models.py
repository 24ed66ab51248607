"""Models of demand: History and the kinds of the days to come → tickets a half hour, (days, SLOTS). All give means.

SEASONAL is the default, and what every other is held against (dispatch/forecast/backtest.py). None looks further back than
MEMORY days, and with fewer than FEW days all days are alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from dispatch.forecast.history import CLOSED, F64, I64, KINDS, SLOTS, History

Model = Callable[[History, I64], F64]

SEASONAL = "seasonal average"
MEMORY = 84  # days
WEEKS = 6  # of the seasonal average: so many days of a kind
FEW = 14  # days, below which weekdays cannot be told apart
LEVEL_DAYS = 7
PRIOR = 50.0  # tickets of evidence for “as usual”, when a week's level is judged
SUNDAY = 6


def seasonal_average(history: History, ahead: I64) -> F64:
    """The mean of the same half hour on the last WEEKS days of the same kind, days out of all bounds cut down first."""
    return _by_kind(history)[ahead]


def recent_level(history: History, ahead: I64) -> F64:
    """The seasonal average × how the last week was against it: the median over its days, so that one odd day moves nothing."""
    usual = _by_kind(history)
    return usual[ahead] * _level(history, usual)


def smoothing(history: History, ahead: I64) -> F64:
    """Simple exponential smoothing of each half hour over the days of its kind (α = 0.3), × the recent level.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, 8.1.
    """
    usual = _by_kind(history, most=MEMORY, decay=0.7)
    return usual[ahead] * _level(history, usual)


def decomposition(history: History, ahead: I64) -> F64:
    """Level × day of the week × time of day.

    The shape of a day is that of its kind, drawn to that of all days as far as few tickets speak for it (a gamma prior on
    Poisson rates), and smoothed over its neighbours. Source of the idea: Brown et al., “Statistical Analysis of a Telephone
    Call Center”, JASA 2005, where day and time of day are multiplicative.
    """
    usual = _by_kind(history, most=8)
    everyday = _smoothed(_fill(_mean(history.rates), 0.0))
    everyday = everyday / everyday.sum() if everyday.sum() > 0 else np.full(SLOTS, 1 / SLOTS)
    totals = usual.sum(axis=1, keepdims=True)
    seen = np.array([min(int((history.kinds == kind).sum()), 8) for kind in range(KINDS)])[:, None]
    shapes = (usual * seen + PRIOR * everyday) / (totals * seen + PRIOR)
    shapes = np.apply_along_axis(_smoothed, 1, shapes)
    model = totals * shapes / shapes.sum(axis=1, keepdims=True)
    return np.asarray(model[ahead] * _level(history, model))


MODELS: Mapping[str, Model] = {
    SEASONAL: seasonal_average,
    "recent level": recent_level,
    "exponential smoothing": smoothing,
    "level × weekday × time of day": decomposition,
}


def shape_of_days(history: History, ahead: I64) -> F64:
    """How each day's tickets lie over its half hours, (days, SLOTS), rows sum to 1: for models of whole days."""
    means = decomposition(history, ahead)
    totals = means.sum(axis=1, keepdims=True)
    return np.where(totals > 0, means / np.where(totals > 0, totals, 1), 1 / SLOTS)


def _by_kind(history: History, most: int = WEEKS, decay: float = 1.0) -> F64:
    """(KINDS, SLOTS) weighted means of the last `most` days of each kind; the newest has weight 1, the one before `decay`.

    A closed day that has never been is like a Sunday, a weekday that has never been like all days; with no history all is 0.
    """
    rates = _tempered(history)
    everyday = _fill(_mean(rates), 0.0)
    if len(history) < FEW:
        return np.tile(everyday, (KINDS, 1))
    found = np.empty((KINDS, SLOTS))
    for kind in [*range(CLOSED), CLOSED]:
        days = np.flatnonzero(history.kinds == kind)[-most:]
        if len(days):
            weights = decay ** np.arange(len(days) - 1, -1, -1.0)
            there = ~np.isnan(rates[days])
            weighed = np.where(there, rates[days], 0.0) * weights[:, None]
            weight = (there * weights[:, None]).sum(axis=0)
            found[kind] = np.where(weight > 0, weighed.sum(axis=0) / np.maximum(weight, 1e-9), everyday)
        else:
            found[kind] = found[SUNDAY] if kind == CLOSED else everyday
    return found


def _tempered(history: History) -> F64:
    """The rates, with days whose sum is beyond the usual of their kind scaled to the bound.

    Bounds: median ± 4 deviations; the deviation is 1.4826 × the median absolute one (Rousseeuw and Croux 1993), and never less
    than chance alone gives (√ of the median) and a tenth of it. A whole day is scaled, and not its half hours cut, since
    means of cut counts would be too small.
    """
    rates = history.rates.copy()
    totals = np.nansum(rates, axis=1)
    for kind in np.unique(history.kinds):
        days = np.flatnonzero(history.kinds == kind)
        if len(days) < 4:
            continue
        middle = np.median(totals[days])
        spread = max(1.4826 * np.median(np.abs(totals[days] - middle)), np.sqrt(middle), 0.1 * middle)
        bounded = np.clip(totals[days], middle - 4 * spread, middle + 4 * spread)
        rates[days] *= np.where(totals[days] > 0, bounded / np.maximum(totals[days], 1e-9), 1.0)[:, None]
    return rates


def _level(history: History, usual: F64) -> float:
    """How the last LEVEL_DAYS were against `usual` (KINDS, SLOTS): the median of the days' shares, drawn to 1 by PRIOR."""
    last = slice(max(len(history) - LEVEL_DAYS, 0), len(history))
    rates = history.rates[last]
    expected = np.where(np.isnan(rates), 0.0, usual[history.kinds[last]]).sum(axis=1)
    ratios = (np.nansum(rates, axis=1)[expected > 0]) / expected[expected > 0]
    if not len(ratios):
        return 1.0
    trust = expected.sum() / (expected.sum() + PRIOR)
    return float(1 + (np.median(ratios) - 1) * trust)


def _mean(rates: F64) -> F64:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a half hour that never was
        return np.asarray(np.nanmean(rates, axis=0)) if len(rates) else np.full(SLOTS, np.nan)


def _fill(values: F64, with_: float) -> F64:
    return np.where(np.isnan(values), with_, values)


def _smoothed(values: F64) -> F64:
    wide = np.pad(values, 1, mode="edge")
    return 0.25 * wide[:-2] + 0.5 * wide[1:-1] + 0.25 * wide[2:]
