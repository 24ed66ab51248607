"""Models of demand on histories that one can reckon by head, the house's clock, and what intervals say."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dispatch.forecast.backtest import covered, dispersion, interval, judge, rolling, wape
from dispatch.forecast.history import CLOSED, History, exposure, rates_of
from dispatch.forecast.models import MODELS, SEASONAL, seasonal_average

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = np.arange(56) % 7


def flat(daily: np.ndarray, kinds: np.ndarray = WEEKDAYS) -> History:
    """Days with these tickets each half hour."""
    return History(np.repeat(daily.astype(float)[:, None], 48, axis=1), kinds[: len(daily)])


@pytest.mark.parametrize("name", MODELS)
def test_a_week_that_repeats_is_foreseen(name: str) -> None:
    week = np.array([12, 11, 10, 9, 8, 4, 3])
    said = MODELS[name](flat(np.tile(week, 8)), np.array([0, 4, 6]))
    assert said == pytest.approx(np.repeat([[12.0], [8.0], [3.0]], 48, axis=1), rel=1e-6)


def test_holidays_are_days_of_their_own_kind() -> None:
    kinds, daily = WEEKDAYS.copy(), np.full(56, 10)
    kinds[21], daily[21] = CLOSED, 2
    said = seasonal_average(flat(daily, kinds), np.array([0, CLOSED]))
    assert said[:, 0] == pytest.approx([10.0, 2.0])
    # One that was never before is like a Sunday.
    daily = np.where(WEEKDAYS == 6, 4, 10)
    assert seasonal_average(flat(daily), np.array([CLOSED]))[0, 0] == pytest.approx(4.0)


def test_one_odd_day_is_cut_down() -> None:
    daily = np.full(56, 10)
    daily[49] = 100  # the last Monday: 4800 tickets instead of 480; the bound is 480 + 4 × 48
    assert seasonal_average(flat(daily), np.array([0]))[0, 0] == pytest.approx((5 * 10 + 14) / 6)


def test_the_recent_level_follows_a_new_one_and_not_an_odd_day() -> None:
    daily = np.full(56, 10)
    daily[-3] = 50
    assert MODELS["recent level"](flat(daily), np.array([0]))[0, 0] == pytest.approx(10.0)
    daily[-7:] = 20
    said = MODELS["recent level"](flat(daily), np.array([0]))[0, 0]
    assert 18.5 < said < 20


def test_clock_changes() -> None:
    assert exposure(date(2026, 3, 29), BERLIN)[3:8].tolist() == [1, 0, 0, 1, 1]
    assert exposure(date(2026, 10, 25), BERLIN)[3:8].tolist() == [1, 2, 2, 1, 1]
    assert exposure(date(2026, 6, 1), BERLIN).tolist() == [1] * 48
    rates = rates_of(np.array([3.0, 0.0, 4.0]), np.array([1.0, 0.0, 2.0]))
    assert rates[[0, 2]].tolist() == [3.0, 2.0]
    assert np.isnan(rates[1])


def test_a_half_hour_that_was_not_is_no_zero() -> None:
    history = flat(np.full(56, 10))
    history.rates[6, 4:6] = np.nan
    for model in MODELS.values():
        assert model(history, np.array([6]))[0, 4] == pytest.approx(10.0, rel=1e-6)


def test_no_hindsight() -> None:
    """What came later changes nothing of what was said before, nor of which model was chosen."""
    rng = np.random.default_rng(2)
    history = flat(rng.poisson(10, 56))
    later = History(history.rates.copy(), history.kinds)
    later.rates[40:] *= 5
    for one, other in zip(
        *(rolling(of, range(30, 41), MODELS).values() for of in (history, later)), strict=True
    ):
        assert np.array_equal(one, other)
    origins = range(10, 50)
    judged = [judge(of, origins, rolling(of, origins, MODELS), at=40) for of in (history, later)]
    assert judged[0].errors == judged[1].errors


def test_errors_and_intervals_by_hand() -> None:
    assert wape(np.array([2.0, 0.0, 4.0]), np.array([1.0, 1.0, 4.0])) == pytest.approx(1 / 3)
    assert np.isnan(wape(np.zeros(2), np.ones(2)))
    # Σ((y − μ)² − μ) ÷ Σμ² = (16 − 4 + 16 − 4) ÷ 32
    assert dispersion(np.array([8.0, 0.0]), np.array([4.0, 4.0])) == pytest.approx(0.75)
    assert dispersion(np.array([4.0, 4.0]), np.array([4.0, 4.0])) == 0.0
    # Poisson of mean 4: P(X ≤ 1) = 0.0916, P(X ≤ 2) = 0.238; P(X ≤ 6) = 0.889, P(X ≤ 7) = 0.949.
    low, high = interval(np.array([4.0, 0.0]), 0.0)
    assert (low.tolist(), high.tolist()) == ([2.0, 0.0], [7.0, 0.0])
    wide_low, wide_high = interval(np.array([4.0]), 0.5)
    assert (wide_low[0], wide_high[0]) == (0.0, 9.0)  # P(X = 0) = 1/9, P(X ≤ 8) = 1 − 4 (2/3)⁹ = 0.896


def test_what_comes_as_said_is_covered_as_said() -> None:
    rng = np.random.default_rng(3)
    for mean in (0.3, 3.0, 30.0):
        came = rng.poisson(mean, 40_000).astype(float)
        assert covered(came, np.full(40_000, mean), 0.0) == pytest.approx(0.8, abs=0.01)
    assert covered(np.full(5, 90.0), np.full(5, 3.0), 0.0) == 0.0


def test_no_history_at_all() -> None:
    nothing = History(np.empty((0, 48)), np.empty(0, np.int64))
    for model in MODELS.values():
        assert model(nothing, np.array([0, CLOSED])).tolist() == np.zeros((2, 48)).tolist()
    with pytest.raises(ValueError, match="shape"):
        History(np.empty((1, 24)), np.array([0]))
    assert SEASONAL in MODELS
