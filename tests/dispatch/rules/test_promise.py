"""Waits read from a timeline, and their tally, as pure rules."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.promise import Happened, Tally, Wait, class_of, middle, waits_of


def story(*steps: str | tuple[str, float]) -> list[Happened]:
    """One event a second, from 0 on: its type without "ticket.", with the expected seconds of placed."""
    return [
        Happened("ticket." + step, at)
        if isinstance(step, str)
        else Happened("ticket." + step[0], at, expected_seconds=step[1])
        for at, step in enumerate(steps)
    ]


@pytest.mark.parametrize(
    ("steps", "waits"),
    [
        (["opened"], [Wait(0)]),
        (["opened", "held"], [Wait(0, came=1)]),
        (["opened", "closed"], [Wait(0, left=1, abandoned=True)]),
        (["opened", "ended"], [Wait(0, left=1)]),  # it was spam: nobody gave up
        (["opened", "human_requested", "held"], [Wait(0, came=2)]),  # asking while waiting is no new wait
        (["opened", "held", "human_requested", "resolved"], [Wait(0, came=1)]),  # nor while somebody is there
        (["opened", "held", "resolved", "reopened", "held"], [Wait(0, came=1), Wait(3, came=4)]),
        (["opened", "held", "released", "held"], [Wait(0, came=1), Wait(2, came=3)]),
        (["opened", "closed", "reopened"], [Wait(0, left=1, abandoned=True), Wait(2)]),
        (["opened", "held", "snoozed", "woke", "resolved"], [Wait(0, came=1)]),  # its agent was there
        (["opened", "held", "left_asleep", "woke", "held"], [Wait(0, came=1), Wait(3, came=4)]),
        (["opened", "held", "ended", "restored"], [Wait(0, came=1), Wait(3)]),
        (["opened", ("placed", 40.0), ("placed", 90.0), "held"], [Wait(0, came=3, told_at=1, told=40.0)]),
    ],
)
def test_waits_of_a_ticket(steps: Sequence[str | tuple[str, float]], waits: list[Wait]) -> None:
    assert waits_of(story(*steps)) == waits


def test_while_the_assistant_tries_nobody_waits() -> None:
    opened = Happened("ticket.opened", 0.0, assisted=True)
    assert waits_of([opened, Happened("ticket.resolved", 9.0)]) == []
    assert waits_of([opened, Happened("ticket.human_requested", 5.0), Happened("ticket.held", 8.0)]) == [
        Wait(5.0, came=8.0)
    ]
    assert waits_of([opened, Happened("ticket.handed_over", 6.0)]) == [Wait(6.0)]


def test_how_far_off_an_estimate_was() -> None:
    assert Wait(0, came=100.0, told_at=5.0, told=60.0).error == 35.0
    assert Wait(0, told_at=5.0, told=60.0).error is None
    assert Wait(0, came=100.0).error is None


@pytest.mark.parametrize(
    ("wait", "seconds", "counted"),
    [
        (Wait(0, came=60), 60.0, "kept"),
        (Wait(0, came=61), 61.0, "missed"),
        (Wait(0, left=60), 60.0, "left"),
        (Wait(0, left=61), 61.0, "missed"),  # who gave up after the promised time was let down
        (Wait(0), 60.0, "pending"),
        (Wait(0), 61.0, "missed"),  # not in time, whenever somebody comes
    ],
)
def test_on_which_side_a_wait_counts(wait: Wait, seconds: float, counted: str) -> None:
    tally = Tally()
    tally.count(wait, seconds=seconds, promised=60.0)
    sides = {name: getattr(tally, name) for name in ("kept", "missed", "left", "pending")}
    assert sides == {"kept": 0, "missed": 0, "left": 0, "pending": 0} | {counted: 1}
    assert tally.asked == 1


def test_an_empty_tally_claims_nothing() -> None:
    tally = Tally()
    assert (tally.share, tally.median, tally.p90, tally.early_mean, tally.off_mean) == (None,) * 5


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0.01, 1.0))
def test_a_share_is_at_most_two_and_a_half_percent_off(seconds: list[float], share: float) -> None:
    tally = Tally()
    for one in seconds:
        tally.count(Wait(0, came=one), seconds=one, promised=60.0)
    wanted = sorted(seconds)[max(math.ceil(share * len(seconds)), 1) - 1]
    found = tally.within(share)
    assert found is not None
    assert found == pytest.approx(wanted, rel=0.0251, abs=0.51)
    assert found <= max(seconds)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.booleans(), st.booleans()), max_size=30), st.integers(0, 30))
def test_parts_add_up_to_the_whole(rows: list[tuple[float, bool, bool]], cut: int) -> None:
    whole, first, second = Tally(), Tally(), Tally()
    for place, (seconds, came, left) in enumerate(rows):
        wait = Wait(0.0, seconds if came else None, seconds if left and not came else None)
        for tally in (whole, first if place < cut else second):
            tally.count(wait, seconds=seconds, promised=100.0)
    first += second
    assert first == whole
    assert whole.asked == whole.kept + whole.missed + whole.left + whole.pending
    assert whole.longest_of_all == max((seconds for seconds, *_ in rows), default=None)


@pytest.mark.parametrize(
    ("wait", "longest", "lasts"),
    [
        (Wait(0, came=60), (60.0, 0.0, 0.0), False),
        (Wait(0, left=60), (0.0, 60.0, 0.0), False),
        (Wait(0), (0.0, 0.0, 60.0), True),
    ],
)
def test_whose_wait_was_longest(wait: Wait, longest: tuple[float, float, float], lasts: bool) -> None:
    tally = Tally()
    assert (tally.longest_of_all, tally.lasts) == (None, False)
    tally.count(wait, seconds=60.0, promised=60.0)
    assert (tally.longest, tally.longest_left, tally.longest_waiting) == longest
    assert (tally.longest_of_all, tally.lasts) == (60.0, lasts)


@given(st.floats(1, 1e7))
def test_the_middle_of_a_class_is_near_all_in_it(seconds: float) -> None:
    assert middle(class_of(seconds)) == pytest.approx(seconds, rel=0.0251)
