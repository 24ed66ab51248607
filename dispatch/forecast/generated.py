"""Arrivals of an invented place, seeded: a week and a day pattern, growth, holidays, odd days, and a shock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from dispatch.forecast.history import CLOSED, SLOTS, History

HOLIDAYS = ((1, 1), (4, 3), (4, 6), (5, 1), (5, 14), (5, 25), (10, 3), (12, 25), (12, 26), (12, 31))


@dataclass(frozen=True)
class Place:
    """What comes there. Figures are invented; `noise` is the standard deviation of a day's and of a half hour's own luck."""

    daily: float = 300.0  # tickets of an average weekday at the begin
    growth: float = 0.15  # a year
    shock_day: int = 220  # counted from the first
    shock: float = 1.6
    noise: float = 0.07
    days: int = 365
    first: date = date(2026, 1, 1)


WEEK = np.array([1.25, 1.1, 1.0, 1.0, 0.95, 0.55, 0.45])


def arrivals(place: Place, seed: int) -> tuple[History, list[date]]:
    """A history of so many days, and which they are. The same seed gives the same."""
    rng = np.random.default_rng(seed)
    dates = [place.first + timedelta(days=number) for number in range(place.days)]
    kinds = np.array(
        [CLOSED if (day.month, day.day) in HOLIDAYS else day.weekday() for day in dates], np.int64
    )
    days = np.arange(place.days)
    level = place.daily * (1 + place.growth * days / 365)
    level = level * np.where(days >= place.shock_day, place.shock, 1.0)
    level = level * np.where(kinds == CLOSED, 0.3, WEEK[np.minimum(kinds, 6)])
    level = level * np.exp(rng.normal(0, place.noise, place.days))
    odd = rng.random(place.days) < 0.01  # something broke, and everybody wrote
    level = level * np.where(odd, 2.5, 1.0)
    means = level[:, None] * _shapes()[np.minimum(kinds, 6)]
    means = means * np.exp(rng.normal(0, place.noise, means.shape))
    return History(rng.poisson(means).astype(np.float64), kinds), dates


def _shapes() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(7, SLOTS): two hills on weekdays, one late hill at weekends; a little at night."""
    hour = (np.arange(SLOTS) + 0.5) / 2
    weekday = 0.04 + np.exp(-(((hour - 10.5) / 2.0) ** 2)) + 0.9 * np.exp(-(((hour - 18.5) / 2.5) ** 2))
    weekend = 0.06 + np.exp(-(((hour - 15.0) / 4.0) ** 2))
    shapes = np.array([weekday] * 5 + [weekend] * 2)
    return np.asarray(shapes / shapes.sum(axis=1, keepdims=True))
