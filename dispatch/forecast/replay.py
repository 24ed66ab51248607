"""A year of arrivals lived through day by day: each day the models forecast, one is chosen, later all are held to account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from dispatch.forecast.backtest import HORIZON, covered, judge, rolling, wape
from dispatch.forecast.history import F64, History
from dispatch.forecast.models import MODELS, SEASONAL, Model

WARM_UP = 42  # days, before which nothing is counted


@dataclass(frozen=True)
class Stretch:
    """Forecasts that were made on these days, 1 to HORIZON days ahead, against what came."""

    name: str
    baseline: float  # WAPE
    chosen: float
    coverage: float  # share within the 80 % interval
    models: dict[str, int]  # days on which each was the chosen one


@dataclass(frozen=True)
class Replayed:
    """What was said on each day: means (origins, HORIZON, SLOTS), the chosen one's dispersion (origins,) and name."""

    history: History
    origins: Sequence[int]
    baseline: F64
    chosen: F64
    spread: F64
    names: list[str]

    def stretch(self, name: str, first: int, end: int) -> Stretch:
        """Forecasts made on the days first ≤ day < end, counted from the history's first day."""
        rows = [place for place, origin in enumerate(self.origins) if first <= origin < end]
        targets = np.asarray(self.origins)[rows][:, None] + np.arange(HORIZON)
        came = self.history.rates[targets]
        there = ~np.isnan(came)
        spread = np.broadcast_to(self.spread[rows][:, None, None], came.shape)
        chosen = [self.names[row] for row in rows]
        return Stretch(
            name,
            wape(came[there], self.baseline[rows][there]),
            wape(came[there], self.chosen[rows][there]),
            covered(came[there], self.chosen[rows][there], spread[there]),
            {one: chosen.count(one) for one in sorted(set(chosen))},
        )

    def months(self, dates: Sequence[date]) -> list[Stretch]:
        """By the month in which the forecasts were made."""
        months = sorted({(dates[origin].year, dates[origin].month) for origin in self.origins})
        found = []
        for year, month in months:
            days = [day for day in self.origins if (dates[day].year, dates[day].month) == (year, month)]
            found.append(self.stretch(f"{year}-{month:02}", days[0], days[-1] + 1))
        return found

    def stretches(self, dates: Sequence[date], shock: int) -> list[Stretch]:
        """All that a reader wants to see of it. `shock`: the day on which it begins, counted from the first."""
        return [
            *self.months(dates),
            self.stretch("before the shock", WARM_UP, shock - HORIZON),
            self.stretch("1st week after", shock, shock + 7),
            self.stretch("2nd week after", shock + 7, shock + 14),
            self.stretch("3rd and 4th week", shock + 14, shock + 28),
            self.stretch("all", WARM_UP, len(self.history)),
        ]


def replay(history: History, models: Mapping[str, Model] = MODELS) -> Replayed:
    """Live through it: on each day only the days before it are known, for the forecasts and for the choice."""
    origins = range(1, len(history) - HORIZON + 1)
    said = rolling(history, origins, models)
    counted = range(WARM_UP, len(history) - HORIZON + 1)
    judged = [judge(history, origins, said, at) for at in counted]
    rows = np.array(counted) - 1
    return Replayed(
        history,
        counted,
        said[SEASONAL][rows],
        np.stack([said[one.model][row] for one, row in zip(judged, rows, strict=True)]),
        np.array([one.dispersion for one in judged]),
        [one.model for one in judged],
    )


def as_text(played: Replayed, dates: Sequence[date], shock: int) -> str:
    """A table by month, before and after the shock, and of all."""
    lines = [f"{'made in':<18}{'baseline':>10}{'chosen':>10}{'in 80 %':>10}  models (days)"]
    for one in played.stretches(dates, shock):
        models = ", ".join(f"{name} {days}" for name, days in one.models.items())
        lines.append(f"{one.name:<18}{one.baseline:>10.1%}{one.chosen:>10.1%}{one.coverage:>10.1%}  {models}")
    return "\n".join(lines)
