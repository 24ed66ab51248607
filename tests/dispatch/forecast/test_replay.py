"""A year of generated arrivals, lived through without hindsight: week, day, holidays, odd days, and a shock."""

import sys
from types import ModuleType

import numpy as np
import pytest

from dispatch.forecast import extra
from dispatch.forecast.backtest import MARGIN, backtest
from dispatch.forecast.generated import Place, arrivals
from dispatch.forecast.history import CLOSED, History
from dispatch.forecast.models import MODELS, SEASONAL
from dispatch.forecast.replay import Replayed, replay

PLACE = Place(days=250, shock_day=180)  # as the year of `manage.py forecast --replay`, but shorter
BEST = "level × weekday × time of day"


@pytest.fixture(scope="module")
def lived() -> tuple[Replayed, list[float]]:
    history, _dates = arrivals(PLACE, seed=1)
    return replay(history), history.rates.sum(axis=1).tolist()


def test_the_same_seed_gives_the_same(lived: tuple[Replayed, list[float]]) -> None:
    _played, totals = lived
    assert [int(total) for total in totals[:8]] == [66, 297, 195, 122, 398, 323, 296, 312]


def test_what_came_of_it(lived: tuple[Replayed, list[float]]) -> None:
    played, _totals = lived
    before = played.stretch("before", 42, PLACE.shock_day - 7)
    after = played.stretch("after", PLACE.shock_day + 14, PLACE.shock_day + 28)
    whole = played.stretch("all", 42, PLACE.days)
    figures = [round(number, 3) for one in (before, after, whole) for number in (one.baseline, one.chosen)]
    assert figures == [0.33, 0.326, 0.381, 0.309, 0.324, 0.307]


def test_the_intervals_hold_what_they_say(lived: tuple[Replayed, list[float]]) -> None:
    played, _totals = lived
    assert 0.75 < played.stretch("all", 42, PLACE.days).coverage < 0.85


def test_the_chosen_model_is_never_worse_by_more_than_the_margin(lived: tuple[Replayed, list[float]]) -> None:
    played, _totals = lived
    for begin in range(42, PLACE.days - 28, 28):
        one = played.stretch("four weeks", begin, begin + 28)
        assert one.chosen < one.baseline * (1 + MARGIN)


def test_it_recovers_from_the_shock_within_two_weeks(lived: tuple[Replayed, list[float]]) -> None:
    played, _totals = lived
    before = played.stretch("before", 42, PLACE.shock_day - 7)
    after = played.stretch("third week", PLACE.shock_day + 14, PLACE.shock_day + 21)
    assert after.chosen < before.chosen
    assert after.baseline > before.baseline  # which the seasonal average has not
    assert after.models == {BEST: 7}


def test_without_a_pattern_the_seasonal_average_stays() -> None:
    """Chance alone makes no other model the better one."""
    rng = np.random.default_rng(4)
    history = History(rng.poisson(6.0, (80, 48)).astype(float), np.arange(80) % 7)
    judged = backtest(history, {SEASONAL: MODELS[SEASONAL], "recent level": MODELS["recent level"]})
    assert judged.model == SEASONAL
    assert judged.days == 28


def test_a_few_days_are_all_alike_and_choose_nothing() -> None:
    history = History(np.full((3, 48), 2.0), np.array([4, 5, 6]))
    judged = backtest(history, MODELS)
    assert (judged.model, judged.error, judged.days) == (SEASONAL, 0.0, 2)
    for model in MODELS.values():
        assert model(history, np.array([0, 5, CLOSED])) == pytest.approx(np.full((3, 48), 2.0), rel=1e-6)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """A statsforecast that says of each day what the mean day had, and what it was asked."""
    asked: list[np.ndarray] = []

    class AutoETS:
        def __init__(self, season_length: int) -> None:
            assert season_length == 7

        def forecast(self, y: np.ndarray, h: int) -> dict[str, np.ndarray]:
            asked.append(y)
            return {"mean": np.full(h, y.mean())}

    parent, module = ModuleType("statsforecast"), ModuleType("statsforecast.models")
    module.AutoETS = AutoETS  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "statsforecast", parent)
    monkeypatch.setitem(sys.modules, "statsforecast.models", module)
    return asked


def test_a_model_of_the_package_where_it_is_installed(package: list[np.ndarray]) -> None:
    kinds = np.arange(28) % 7
    kinds[10] = CLOSED
    rates = np.ones((28, 48))
    rates[10] = 0
    models = extra.models()
    assert list(models) == [*MODELS, extra.AUTO_ETS]
    said = models[extra.AUTO_ETS](History(rates, kinds), np.array([0, CLOSED]))
    assert [y.tolist() for y in package] == [[48.0] * 28]  # the closed day is no day of the season
    assert said.sum(axis=1) == pytest.approx([48.0, 0.0], abs=0.2)


def test_without_the_package_our_own_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)  # as if it were not installed
    assert extra.models() is MODELS
