"""Whom to call when it is busy, as a pure rule."""

from datetime import time
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.calling import COMING_SECONDS, Demand, Person, is_busy, is_quiet, to_call


def demand(waiting: int = 3, free: int = 0, bound: int = 3, every_hours: float = 6) -> Demand:
    return Demand(waiting, free, bound, every_hours)


@pytest.mark.parametrize(
    ("waiting", "free", "bound", "busy"),
    [(3, 0, 3, True), (2, 0, 3, False), (9, 1, 3, False), (9, 0, 0, False), (1, 0, 1, True)],
)
def test_busy_is_many_waiting_and_nobody_free(waiting: int, free: int, bound: int, busy: bool) -> None:
    assert is_busy(demand(waiting, free, bound)) is busy


def test_one_for_whom_nobody_is_there_is_enough() -> None:
    assert is_busy(Demand(1, 0, 3, 6, forsaken=1))
    assert not is_busy(Demand(1, 0, 0, 6, forsaken=1))  # this pool never calls
    assert not is_busy(Demand(1, 1, 3, 6, forsaken=1))


def test_as_many_as_wait_whose_last_call_is_longest_ago() -> None:
    here = frozenset({0})
    people = [
        Person(1, here, hours_since=7),
        Person(2, here),
        Person(3, here, hours_since=5.9),
        Person(4, here, quiet=True),
        Person(5, frozenset()),
        Person(6, here, hours_since=30),
        Person(7, here, hours_since=6),
    ]
    assert to_call([demand()], people) == [2, 6, 1]


def test_who_was_called_a_moment_ago_may_be_on_the_way() -> None:
    here = frozenset({0})
    called, others = Person(1, here, hours_since=0.01), [Person(2, here), Person(3, here), Person(4, here)]
    assert to_call([demand(3)], [called, *others]) == [2, 3]
    assert to_call([demand(1, bound=1)], [called, *others]) == []
    late = Person(1, here, hours_since=0.06)
    assert to_call([demand(1, bound=1)], [late, *others]) == [2]


def test_who_comes_for_one_demand_counts_for_the_other() -> None:
    both, first = frozenset({0, 1}), frozenset({0})
    people = [Person(1, both), Person(2, both), Person(3, both), Person(4, first), Person(5, both)]
    # Four wait in the first: all who may; in the second three of them can help already.
    assert to_call([demand(4), demand(3)], people) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("now", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("07:59", True), ("08:00", False)]
)
def test_quiet_hours_go_over_midnight(now: str, quiet: bool) -> None:
    assert is_quiet(time.fromisoformat(now), time(22), time(8)) is quiet
    # and turned round they are the other half of the day
    assert is_quiet(time.fromisoformat(now), time(8), time(22)) is not quiet


def test_without_both_ends_there_are_none() -> None:
    assert not is_quiet(time(3), None, time(8))
    assert not is_quiet(time(3), time(0), None)


DEMANDS = st.lists(
    st.builds(Demand, st.integers(0, 6), st.integers(0, 1), st.integers(0, 4), st.sampled_from([0.5, 6.0])),
    max_size=4,
)
PEOPLE = st.lists(
    st.builds(
        Person,
        st.integers(1, 30),
        st.frozensets(st.integers(0, 3)),
        st.sampled_from([0.0, 1.0, 6.0, inf]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(DEMANDS, PEOPLE)
def test_only_who_may_and_never_too_many(demands: list[Demand], people: list[Person]) -> None:
    called = to_call(demands, people)
    assert len(set(called)) == len(called)
    by_id = {one.id: one for one in people}
    busy = [place for place, one in enumerate(demands) if is_busy(one)]
    for who in called:
        person = by_id[who]
        assert not person.quiet
        assert any(place in person.may and person.hours_since >= demands[place].every_hours for place in busy)
    assert len(called) <= sum(demands[place].waiting for place in busy)
    assert to_call(demands, list(reversed(people))) == called


@given(DEMANDS, PEOPLE)
def test_nobody_is_left_out_while_more_wait_than_come(demands: list[Demand], people: list[Person]) -> None:
    called = to_call(demands, people)
    for place, one in enumerate(demands):
        if is_busy(one):
            able = [who for who in people if place in who.may]
            coming = sum(who.id in called or who.hours_since * 3600 < COMING_SECONDS for who in able)
            ready = sum(not who.quiet and who.hours_since >= one.every_hours for who in able)
            assert coming >= min(one.waiting, ready)
