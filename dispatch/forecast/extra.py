"""Models of the package statsforecast, if it is installed: `pip install standby[forecast]`. Nothing here needs it.

It forecasts tickets a day, over closed days as if they were not; their half hours are shaped by dispatch.forecast.models.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from dispatch.forecast.history import CLOSED, F64, I64, History
from dispatch.forecast.models import FEW, MODELS, Model, decomposition, shape_of_days

AUTO_ETS = "statsforecast: AutoETS"


def models() -> Mapping[str, Model]:
    """Our own models, and AutoETS where the package can be imported."""
    try:
        package = import_module("statsforecast.models")
    except ImportError:
        return MODELS
    return {**MODELS, AUTO_ETS: lambda history, ahead: auto_ets(package, history, ahead)}


def auto_ets(package: Any, history: History, ahead: I64) -> F64:
    """Exponential smoothing with a season of a week, its form chosen by AICc, × the shape of each day. (days, SLOTS).

    Closed days, past and to come, are those of our decomposition: a season of a week cannot know them. With less than two
    weeks of history it is our decomposition altogether.
    """
    own = decomposition(history, ahead)
    if len(history) < FEW:
        return own
    totals = np.nansum(history.rates, axis=1)
    closed = history.kinds == CLOSED
    for day in np.flatnonzero(closed):
        same = [other for other in (day - 7, day + 7) if 0 <= other < len(totals) and not closed[other]]
        totals[day] = np.mean(totals[same]) if same else np.mean(totals[~closed])
    said = package.AutoETS(season_length=7).forecast(y=totals, h=len(ahead))["mean"]
    means = np.maximum(said, 0.0)[:, None] * shape_of_days(history, ahead)
    return np.where((ahead == CLOSED)[:, None], own, means)
