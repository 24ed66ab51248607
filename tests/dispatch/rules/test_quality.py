"""Ratings as one figure: shrunk while there are few, an interval that is never too narrow, a sample by chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules import quality

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def test_ratings_and_points_on_one_scale() -> None:
    assert [quality.of_rating(score) for score in range(1, 6)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    full = dict.fromkeys(quality.CRITERIA, 4)
    assert quality.of_points(full) == 1.0
    assert quality.of_points(dict.fromkeys(quality.CRITERIA, 0)) == 0.0
    # solved and correct count 3 of 10 each, clear and kind 2
    assert quality.of_points({**full, "solved": 0}) == pytest.approx(0.7)
    assert quality.of_points({**full, "kind": 2}) == pytest.approx(0.9)


@pytest.mark.parametrize("points", [{}, {"solved": 4}, {"solved": 5, "correct": 4, "clear": 4, "kind": 4}])
def test_points_are_whole_or_none(points: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="0 to 4 points"):
        quality.of_points(points)


def test_the_term() -> None:
    assert quality.term(0.0, 0.0, 0.8) == 0.0  # nobody has judged them: the usual
    assert quality.term(10 * 0.9, 10, 0.8) == pytest.approx(0.2)  # ten ratings: half of (0.9 − 0.8) ÷ 0.25
    assert quality.term(1 * 0.0, 1, 0.8) == pytest.approx(-0.8 / 11 / 0.25)  # one bad one is mostly chance
    assert quality.term(1000 * 0.0, 1000, 0.8) == -1.0
    assert quality.term(1000 * 1.0, 1000, 0.6) == 1.0


@given(SCORES, st.floats(0, 1))
def test_more_of_the_same_moves_away_from_the_usual_and_never_past_the_mean(
    scores: list[float], usual: float
) -> None:
    total, n = sum(scores), len(scores)
    mean = total / n
    once, twice = quality.shrunk(total, n, usual), quality.shrunk(2 * total, 2 * n, usual)
    low, high = sorted((usual, mean))
    assert low - 1e-9 <= once <= high + 1e-9
    assert abs(twice - mean) <= abs(once - mean) + 1e-9
    assert -1 <= quality.term(total, n, usual) <= 1


@given(SCORES)
def test_the_interval_holds_the_mean_and_shrinks(scores: list[float]) -> None:
    found = quality.interval(scores)
    assert found is not None
    low, mean, high = found
    assert 0 <= low <= mean + 1e-12
    assert mean <= high + 1e-12 <= 1 + 1e-11
    more = quality.interval(scores * 4)
    assert more is not None
    assert more[2] - more[0] < high - low


def test_the_interval_of_known_cases() -> None:
    assert quality.interval([]) is None
    low, mean, high = quality.interval([1.0] * 10) or (0, 0, 0)
    assert (round(low, 4), mean, high) == (0.7225, 1.0, 1.0)  # Wilson for 10 of 10
    low, mean, high = quality.interval([1.0] * 8 + [0.0] * 2) or (0, 0, 0)
    assert (round(low, 4), mean, round(high, 4)) == (0.4902, 0.8, 0.9433)


def test_the_sample_is_the_share_the_same_again_and_another_with_another_seed() -> None:
    chosen = {n for n in range(20_000) if quality.drawn(n, 5, "one")}
    assert 900 < len(chosen) < 1100
    assert chosen == {n for n in range(20_000) if quality.drawn(n, 5, "one")}
    other = {n for n in range(20_000) if quality.drawn(n, 5, "two")}
    assert len(chosen & other) < 100  # as of two throws: 50
    assert chosen < {n for n in range(20_000) if quality.drawn(n, 20, "one")}  # a larger share only adds
    assert not any(quality.drawn(n, 0, "one") for n in range(1000))
    assert all(quality.drawn(n, 100, "one") for n in range(1000))
