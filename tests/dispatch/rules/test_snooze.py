"""When a ticket that is put aside may wake, in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.rules.snooze import choices

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = 168


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def told(now: str, hours: int = WEEK) -> dict[str, str]:
    return {word: moment.isoformat() for word, moment in choices(at(now), hours).items()}


def test_a_morning() -> None:
    assert told("2026-11-24T09:31:07") == {
        "hour": "2026-11-24T10:35:00+01:00",
        "afternoon": "2026-11-24T14:00:00+01:00",
        "tomorrow": "2026-11-25T09:00:00+01:00",
        "week": "2026-11-30T09:00:00+01:00",
    }


def test_an_afternoon_and_a_sunday_have_fewer() -> None:
    assert list(told("2026-11-24T13:45:00")) == ["hour", "tomorrow", "week"]  # 14:00 is in a moment
    assert list(told("2026-11-22T15:00:00")) == ["hour", "tomorrow"]  # on Sunday, tomorrow is next Monday


def test_none_is_further_away_than_allowed() -> None:
    assert list(told("2026-11-24T09:00:00", 4)) == ["hour"]
    assert told("2026-11-24T09:00:00", 0) == {}


def test_the_clock_that_is_put_forward() -> None:
    assert choices(at("2027-03-28T01:30:00"), WEEK)["hour"].isoformat() == "2027-03-28T03:30:00+02:00"
    assert choices(at("2027-03-27T20:00:00"), WEEK)["tomorrow"].isoformat() == "2027-03-28T09:00:00+02:00"


@settings(max_examples=60)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 1440),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo"]),
)
def test_all_lie_ahead_within_the_bound_and_in_order(now: datetime, hours: int, zone: str) -> None:
    local = now.astimezone(ZoneInfo(zone))
    moments = [moment.astimezone(UTC) for moment in choices(local, hours).values()]
    assert moments == sorted(set(moments))
    assert all(now < moment <= now + timedelta(hours=hours) for moment in moments)
    if hours >= 2:
        assert moments
