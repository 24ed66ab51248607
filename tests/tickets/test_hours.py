"""Open seconds against a walk minute by minute, over time zones, nights when clocks change, closed days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tickets.hours import DAY, Hours, is_open, merged, next_opening, open_after, open_seconds

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "UTC",
    "America/Santiago",
]
OFFICE = ((8 * 60, 18 * 60),)
WEEK = (OFFICE,) * 5 + ((), ())


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def walked(hours: Hours, minute: int) -> bool:
    """Whether the minute that begins then is open, by the wall's clock alone."""
    wall = datetime.fromtimestamp(minute, UTC).astimezone(ZoneInfo(hours.zone))
    inside = any(begin <= wall.hour * 60 + wall.minute < end for begin, end in hours.week[wall.weekday()])
    return inside and wall.date() not in hours.closed


intervals = st.lists(
    st.tuples(st.integers(0, DAY // 15), st.integers(0, DAY // 15)).map(
        lambda pair: (15 * min(pair), 15 * max(pair))
    ),
    max_size=3,
).map(merged)
# Around the nights when clocks change, the end of a year, and anywhere.
starts = st.one_of(
    st.sampled_from(
        [
            "2026-03-28T12:00",
            "2026-10-24T12:00",
            "2026-03-07T12:00",
            "2026-10-31T12:00",
            "2026-04-04T00:00",
            "2026-10-03T00:00",
            "2026-12-30T00:00",
            "2026-09-05T00:00",
        ]
    ).map(lambda text: int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60 * 60),
    st.integers(1735689600 // 60, 1798761600 // 60).map(lambda minute: 60 * minute),
)
calendars = st.builds(
    Hours,
    zone=st.sampled_from(ZONES),
    week=st.tuples(*[intervals] * 7),
    closed=st.frozensets(st.dates(date(2026, 3, 25), date(2026, 4, 5)), max_size=3),
)


@settings(max_examples=120, deadline=None)
@given(hours=calendars, begin=starts, minutes=st.integers(0, 3 * DAY), inside=st.floats(0, 59.9))
@example(
    hours=Hours("Europe/Berlin", (((120, 180),),) * 7),
    begin=int(at("2026-10-24T12:00")),
    minutes=DAY,
    inside=0.0,
)
def test_as_a_walk_by_minutes(hours: Hours, begin: int, minutes: int, inside: float) -> None:
    walk = [walked(hours, begin + 60 * minute) for minute in range(minutes)]
    assert open_seconds(hours, begin, begin + 60 * minutes) == 60 * sum(walk)
    if minutes:
        # Within a minute too: the first counts from `inside` on.
        assert open_seconds(hours, begin + inside, begin + 60 * minutes) == pytest.approx(
            60 * sum(walk) - walk[0] * inside, abs=1e-5
        )
        assert is_open(hours, begin) == walk[0]
    opens = next_opening(hours, begin)
    if any(walk):
        assert opens == begin + 60 * walk.index(True)
    else:
        assert opens is None or opens >= begin + 60 * minutes


@settings(max_examples=100, deadline=None)
@given(
    hours=calendars,
    moments=st.tuples(*[st.floats(1735689600, 1798761600)] * 3).map(sorted),
)
def test_parts_add_up_and_it_is_never_more_than_the_clock(hours: Hours, moments: list[float]) -> None:
    first, second, third = moments
    whole = open_seconds(hours, first, third)
    assert whole == pytest.approx(
        open_seconds(hours, first, second) + open_seconds(hours, second, third), abs=1e-4
    )
    assert 0 <= whole <= third - first + 1e-4


def test_a_weekend_does_not_count() -> None:
    hours = Hours("Europe/Berlin", WEEK, frozenset({date(2026, 11, 23)}))
    assert open_seconds(hours, at("2026-11-20T17:59"), at("2026-11-24T08:01")) == 120
    assert next_opening(hours, at("2026-11-20T18:00")) == at("2026-11-24T08:00")
    assert next_opening(hours, at("2026-11-24T17:59:59")) == at("2026-11-24T17:59:59")
    assert open_seconds(hours, at("2026-11-24T09:00"), at("2026-11-24T08:00")) == 0


def test_the_hour_that_is_there_twice_is_open_twice_and_the_other_not_at_all() -> None:
    hours = Hours("Europe/Berlin", (((2 * 60, 3 * 60),),) * 7)
    assert open_seconds(hours, at("2026-10-25T00:00"), at("2026-10-26T00:00")) == 7200
    assert open_seconds(hours, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == 0


def test_round_the_clock_is_the_clock_over_years() -> None:
    hours = Hours("America/New_York", (((0, DAY),),) * 7)
    begin = at("2024-02-29T12:34:56.789")
    assert open_seconds(hours, begin, begin + 3 * 366 * 86400) == pytest.approx(3 * 366 * 86400, abs=1e-4)


def test_what_never_opens() -> None:
    hours = Hours("UTC", ((),) * 7)
    assert next_opening(hours, 0.0) is None
    assert not hours.ever
    assert open_seconds(hours, 0.0, 1e9) == 0


def test_intervals_that_touch_are_one() -> None:
    assert merged([(60, 120), (0, 60), (100, 90), (200, 200), (130, 140)]) == ((0, 120), (130, 140))


def test_a_year_is_compiled_once() -> None:
    from tickets.hours import _year  # the cache is what is tested

    _year.cache_clear()
    for _ in range(50):
        equal = Hours("Europe/Berlin", WEEK)
        open_seconds(equal, at("2026-11-20T17:59"), at("2026-11-24T08:01"))
    assert _year.cache_info().misses == 1


def test_hours_before_the_epoch_day_of_the_zone() -> None:
    hours = Hours("Pacific/Kiritimati", (OFFICE,) + ((),) * 6)  # 14 hours ahead
    monday = at("2026-11-23T08:00", "Pacific/Kiritimati")
    assert next_opening(hours, monday - timedelta(days=2).total_seconds()) == monday


@settings(max_examples=80)
@given(hours=calendars, begin=starts, seconds=st.floats(1, 40 * 3600))
def test_so_many_open_seconds_have_passed_and_no_moment_before(
    hours: Hours, begin: int, seconds: float
) -> None:
    moment = open_after(hours, begin, seconds)
    if moment is None:
        assert open_seconds(hours, begin, begin + 300 * 86400) < seconds
        return
    assert open_seconds(hours, begin, moment) == pytest.approx(seconds, abs=1e-3)
    assert open_seconds(hours, begin, moment - 1) < seconds
