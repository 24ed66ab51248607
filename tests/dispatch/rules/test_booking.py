"""Who may book which hour, as a pure rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.booking import FIRST, Hour, Mine, No, Terms, refusal

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TERMS = Terms(days=7, cap=20)
HOUR = Hour(NOON, made=NOON - timedelta(days=30), seats=2, taken=1)
MINE = Mine(week=3, usual=3.0)
LATER = NOON - timedelta(days=3)  # the first day is over


@pytest.mark.parametrize(
    ("hour", "mine", "terms", "now", "no"),
    [
        (HOUR, MINE, TERMS, LATER, None),
        (HOUR, MINE, TERMS, NOON + timedelta(minutes=59), None),  # an hour that runs
        (HOUR, MINE, TERMS, NOON + timedelta(hours=1), No.OVER),
        (HOUR, replace(MINE, here=True), TERMS, LATER, No.BOOKED),
        (HOUR, replace(MINE, elsewhere=True), TERMS, LATER, No.OTHER),
        (HOUR, MINE, TERMS, NOON - timedelta(days=7, seconds=1), No.EARLY),
        (HOUR, MINE, TERMS, NOON - timedelta(days=7), None),
        (HOUR, MINE, Terms(0, 20), LATER, No.EARLY),
        (replace(HOUR, taken=2), MINE, TERMS, LATER, No.FULL),
        (replace(HOUR, seats=0, taken=0), MINE, TERMS, LATER, No.FULL),
        (HOUR, replace(MINE, week=20), TERMS, LATER, No.CAP),
        (HOUR, replace(MINE, week=19), TERMS, LATER, None),
        # the first day: for whoever has no more than the others
        (HOUR, replace(MINE, usual=2.9), TERMS, NOON - timedelta(days=6, seconds=1), No.FIRST),
        (HOUR, replace(MINE, usual=2.9), TERMS, NOON - timedelta(days=6), None),
        (HOUR, replace(MINE, week=0, usual=0.0), TERMS, NOON - timedelta(days=7), None),
        # added late: the first day begins then, and ends when the hour begins
        (replace(HOUR, made=LATER), replace(MINE, usual=2.0), TERMS, LATER + timedelta(hours=23), No.FIRST),
        (replace(HOUR, made=LATER), replace(MINE, usual=2.0), TERMS, LATER + timedelta(hours=24), None),
        (replace(HOUR, made=NOON - timedelta(minutes=5)), replace(MINE, usual=2.0), TERMS, NOON, None),
    ],
)
def test_who_may(hour: Hour, mine: Mine, terms: Terms, now: datetime, no: No | None) -> None:
    assert refusal(hour, mine, terms, now) is no


PEOPLE = 4
STEP = timedelta(hours=6)


@given(
    hours=st.lists(
        st.tuples(st.integers(0, 6 * 24), st.integers(0, 3)),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one[0],
    ),
    acts=st.lists(
        st.tuples(
            st.integers(0, PEOPLE - 1), st.integers(0, 5), st.sampled_from(["book", "book", "drop", "wait"])
        ),
        max_size=60,
    ),
    cap=st.integers(0, 3),
)
def test_whatever_people_do_no_hour_and_nobody_has_too_much(
    hours: list[tuple[int, int]], acts: list[tuple[int, int, str]], cap: int
) -> None:
    """A week in which people book and drop as the rule says, by a book of our own."""
    begin = NOON - timedelta(days=7)
    terms = Terms(days=7, cap=cap)
    now = begin
    booked: set[tuple[int, int]] = set()
    for who, place, act in acts:
        which = place % len(hours)
        if act == "wait":
            now += STEP
        elif act == "drop":
            booked.discard((who, which))
        else:
            after, seats = hours[which]
            taken = sum(one == which for _, one in booked)
            spec = Hour(NOON + timedelta(hours=after), begin - timedelta(days=30), seats, taken)
            week = sum(one == who for one, _ in booked)
            mine = Mine(week, len(booked) / PEOPLE, here=(who, which) in booked)
            if refusal(spec, mine, terms, now) is None:
                booked.add((who, which))
                assert spec.opens(terms) <= now < spec.begins + timedelta(hours=1)
                # In an hour's first day nobody who is ahead gets further ahead.
                assert now >= spec.opens(terms) + FIRST or week <= mine.usual
        for place_, (_after, seats) in enumerate(hours):
            assert sum(one == place_ for _, one in booked) <= seats
        assert all(sum(one == who_ for one, _ in booked) <= cap for who_ in range(PEOPLE))


@given(week=st.integers(0, 30), usual=st.floats(0, 30), before=st.integers(0, 7 * 24))
def test_whoever_has_least_is_never_behind(week: int, usual: float, before: int) -> None:
    """At each moment: who may book with more hours, may with fewer."""
    now = NOON - timedelta(hours=before)
    if refusal(HOUR, Mine(week, usual), TERMS, now) is None:
        for fewer in range(week):
            assert refusal(HOUR, Mine(fewer, usual), TERMS, now) is None
