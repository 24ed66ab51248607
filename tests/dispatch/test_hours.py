"""Booked hours: booking, dropping, not coming, the priority, the page and the table."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.errors import NotAdmitted
from agents.models import Agent, AgentStatus, Pool, Shift, User
from dispatch import presence
from dispatch.errors import HourNotBooked, HourNotFound, HourRefused
from dispatch.hours import hour_book, hour_drop, hours_for, missed_release, next_booking, week_of
from dispatch.matching import snapshot
from dispatch.models import Booking, NeededHour, Offer, Policy, Run
from dispatch.rules.booking import No
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def this_hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def anna(world: World) -> Agent:
    Policy.objects.create(pool=world.pool, version=1)
    return world.agent("Anna")


def needed(world: World, begins: datetime, seats: int = 1, pool: Pool | None = None) -> NeededHour:
    """Offered a month ago, so that the first day is over for what begins within six days."""
    hour = NeededHour.objects.create(pool=pool or world.pool, begins_at=begins, seats=seats)
    NeededHour.objects.filter(pk=hour.pk).update(made_at=timezone.now() - timedelta(days=30))
    return hour


def refused(agent: Agent, hour: NeededHour) -> No:
    before = list(Booking.objects.values_list("pk", "ended_at")), hour.bookings.count()
    with pytest.raises(HourRefused) as found:
        hour_book(agent_id=agent.pk, hour_id=hour.pk)
    assert (list(Booking.objects.values_list("pk", "ended_at")), hour.bookings.count()) == before
    return found.value.no


def test_booked_dropped_and_offered_again(world: World, anna: Agent) -> None:
    bernd = world.agent("Bernd")
    hour = needed(world, this_hour() + timedelta(days=2))
    hour_book(agent_id=anna.pk, hour_id=hour.pk)
    hour.refresh_from_db()
    assert hour.taken == 1
    assert refused(bernd, hour) is No.FULL
    assert refused(anna, hour) is No.BOOKED
    with pytest.raises(HourNotBooked):
        hour_drop(agent_id=bernd.pk, hour_id=hour.pk)
    hour_drop(agent_id=anna.pk, hour_id=hour.pk)
    with pytest.raises(HourNotBooked):
        hour_drop(agent_id=anna.pk, hour_id=hour.pk)
    hour.refresh_from_db()
    assert hour.taken == 0
    hour_book(agent_id=bernd.pk, hour_id=hour.pk)
    assert refused(anna, hour) is No.FULL
    assert [(one.agent.name, one.ended_at is None, one.missed) for one in Booking.objects.order_by("pk")] == [
        ("Anna", False, False),
        ("Bernd", True, False),
    ]


def test_one_person_is_in_one_place(world: World, anna: Agent) -> None:
    other = Pool.objects.create(key="second", name_en="Second", name_de="Zweite")
    Policy.objects.create(pool=other, version=1)
    begins = this_hour() + timedelta(days=1)
    here, there = needed(world, begins), needed(world, begins, pool=other)
    with pytest.raises(HourNotFound):
        hour_book(agent_id=anna.pk, hour_id=there.pk)
    anna.pools.add(other)
    hour_book(agent_id=anna.pk, hour_id=here.pk)
    assert refused(anna, there) is No.OTHER


def test_the_cap_is_of_a_week(world: World, anna: Agent) -> None:
    Policy.objects.update(booking_cap=2, booking_days=20)
    monday, next_monday = week_of(timezone.now() + timedelta(days=7))
    first = [needed(world, monday + timedelta(hours=number)) for number in range(3)]
    for hour in first[:2]:
        hour_book(agent_id=anna.pk, hour_id=hour.pk)
    assert refused(anna, first[2]) is No.CAP
    hour_book(agent_id=anna.pk, hour_id=needed(world, next_monday).pk)
    hour_drop(agent_id=anna.pk, hour_id=first[0].pk)
    hour_book(agent_id=anna.pk, hour_id=first[2].pk)


def test_on_its_first_day_an_hour_is_for_those_with_fewer(world: World, anna: Agent) -> None:
    bernd = world.agent("Bernd")
    monday, _end = week_of(timezone.now() + timedelta(days=7))
    Policy.objects.update(booking_days=20)
    hour_book(agent_id=anna.pk, hour_id=needed(world, monday).pk)  # one of two people: the average is a half
    fresh = NeededHour.objects.create(pool=world.pool, begins_at=monday + timedelta(hours=5), seats=2)
    assert refused(anna, fresh) is No.FIRST
    hour_book(agent_id=bernd.pk, hour_id=fresh.pk)
    hour_book(agent_id=anna.pk, hour_id=fresh.pk)  # now she has no more than the others


@pytest.mark.parametrize("days", [0, 1])
def test_not_before_it_opens(world: World, anna: Agent, days: int) -> None:
    Policy.objects.update(booking_days=days)
    assert refused(anna, needed(world, this_hour() + timedelta(days=3))) is No.EARLY


def test_who_is_not_admitted_books_nothing(world: World, anna: Agent) -> None:
    hour = needed(world, this_hour() + timedelta(days=1))
    Agent.objects.update(status=AgentStatus.SUSPENDED)
    with pytest.raises(NotAdmitted):
        hour_book(agent_id=anna.pk, hour_id=hour.pk)
    assert not Booking.objects.exists()


# --- Not coming -------------------------------------------------------------------------------------------------------


def booked_now(world: World, anna: Agent, *, ago: int) -> Booking:
    """A running hour that began `ago` minutes before, booked yesterday."""
    hour = needed(world, timezone.now() - timedelta(minutes=ago))
    hour_book(agent_id=anna.pk, hour_id=hour.pk)
    Booking.objects.update(booked_at=timezone.now() - timedelta(days=1))
    return Booking.objects.get()


def test_after_five_minutes_the_seat_is_free_and_that_is_all(world: World, anna: Agent) -> None:
    booked_now(world, anna, ago=6)
    assert missed_release() == 1
    assert missed_release() == 0
    booking = Booking.objects.get()
    assert booking.missed
    assert booking.hour.taken == 0
    # She may book what is left of it, and any other.
    hour_book(agent_id=anna.pk, hour_id=booking.hour_id)
    assert missed_release() == 0  # five minutes from now


def test_before_that_nothing_happens(world: World, anna: Agent) -> None:
    booked_now(world, anna, ago=4)
    assert missed_release() == 0
    assert Booking.objects.get().ended_at is None


@pytest.mark.parametrize("ended_ago", [None, 4])
def test_who_is_or_was_just_online_keeps_it(world: World, anna: Agent, ended_ago: int | None) -> None:
    booked_now(world, anna, ago=30)
    shift = presence.go_online(agent_id=anna.pk)
    if ended_ago is not None:
        presence.go_offline(agent_id=anna.pk, epoch=shift.epoch)
        Shift.objects.update(ended_at=timezone.now() - timedelta(minutes=ended_ago))
    assert missed_release() == 0
    if ended_ago is not None:
        Shift.objects.update(ended_at=timezone.now() - timedelta(minutes=6))
        assert missed_release() == 1


# --- The priority -----------------------------------------------------------------------------------------------------


def test_who_has_booked_is_asked_earlier_and_told_why(world: World, anna: Agent) -> None:
    Policy.objects.update(max_parallel=1)
    bernd = world.agent("Bernd")
    presence.go_online(agent_id=anna.pk)  # idle for longer: without the booking it would be hers
    presence.go_online(agent_id=bernd.pk)
    hour = needed(world, this_hour())
    hour_book(agent_id=bernd.pk, hour_id=hour.pk)
    world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    assert offer.agent == bernd
    assert offer.why["terms"]["booked"] == 0.25
    run = Run.objects.get()
    problem, _pairs = snapshot.unpack(bytes(run.snapshot))
    assert dict(zip(problem.agents.id.tolist(), problem.agents.booked.tolist(), strict=True)) == {
        anna.pk: False,
        bernd.pk: True,
    }
    assert snapshot.replay(bytes(run.snapshot)).ids == [(offer.ticket_id, bernd.pk)]
    page = Client(headers={"accept-language": "de"})
    page.force_login(bernd.user)
    assert "Sie haben diese Stunde gebucht und werden deshalb etwas früher gefragt." in text_of(
        page.get("/console/")
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("moved", [timedelta(hours=-1), timedelta(hours=1)])
def test_control_outside_of_the_hour_it_counts_nothing(world: World, anna: Agent, moved: timedelta) -> None:
    Policy.objects.update(max_parallel=1)
    bernd = world.agent("Bernd")
    presence.go_online(agent_id=anna.pk)
    presence.go_online(agent_id=bernd.pk)
    hour = needed(world, this_hour())
    hour_book(agent_id=bernd.pk, hour_id=hour.pk)
    Booking.objects.update(begins_at=this_hour() + moved)
    world.ticket()
    match_pool(world.pool.pk)
    assert Offer.objects.get().agent == anna
    assert Offer.objects.get().why["terms"]["booked"] == 0


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_the_page_books_and_drops(world: World, anna: Agent) -> None:
    person = Client(headers={"accept-language": "en"})
    person.force_login(anna.user)
    hour = needed(world, this_hour() + timedelta(days=1))
    assert f'action="/hours/{hour.pk}/book"' in text_of(person.get("/hours/"))  # type: ignore[arg-type]
    assert "Next booked hour" not in text_of(person.get("/console/"))  # type: ignore[arg-type]
    assert "The hour is booked." in text_of(person.post(f"/hours/{hour.pk}/book", follow=True))  # type: ignore[arg-type]
    assert "already" in text_of(person.post(f"/hours/{hour.pk}/book", follow=True))  # type: ignore[arg-type]
    assert "Next booked hour" in text_of(person.get("/console/"))  # type: ignore[arg-type]
    booking = next_booking(anna.pk)
    assert booking is not None
    assert booking.hour == hour
    assert "Nothing follows" in text_of(person.post(f"/hours/{hour.pk}/drop", follow=True))  # type: ignore[arg-type]
    assert person.get(f"/hours/{hour.pk}/book").status_code == 405
    assert Client().post(f"/hours/{hour.pk}/book").status_code == 302
    assert not Booking.objects.filter(ended_at=None).exists()


def test_one_day_is_unfolded(world: World, anna: Agent) -> None:
    """The first in which something can be booked; each says how much; after a booking in another, that one."""
    person = Client(headers={"accept-language": "de"})
    person.force_login(anna.user)
    bernd = world.agent("Bernd")
    # Of the house's day, which may be tomorrow's in UTC.
    noon = timezone.localtime(this_hour()).replace(hour=12)
    for day, hours in ((1, 1), (2, 2), (3, 1)):
        for after in range(hours):
            needed(world, noon + timedelta(days=day, hours=after))
    hour_book(agent_id=bernd.pk, hour_id=NeededHour.objects.get(begins_at=noon + timedelta(days=1)).pk)

    def folds(address: str = "/hours/") -> list[tuple[str, bool, str]]:
        page = text_of(person.get(address))  # type: ignore[arg-type]
        found = re.findall(
            r'<details id="day-(\d+)"( open)?><summary>.*?<span class="day-says.*?">(.*?)</span>', page
        )
        return [(day, bool(unfolded), says) for day, unfolded, says in found]

    days = [(timezone.localdate() + timedelta(days=number)).strftime("%Y%m%d") for number in (1, 2, 3)]
    assert folds() == [
        (days[0], False, "nichts buchbar"),
        (days[1], True, "2 Stunden buchbar"),
        (days[2], False, "1 Stunde buchbar"),
    ]
    assert folds("/hours/?day=long ago") == folds()
    last = NeededHour.objects.get(begins_at=noon + timedelta(days=3))
    asked = last.begins_at.astimezone(anna.zone).date().isoformat()
    answer = person.post(f"/hours/{last.pk}/book", {"day": asked})
    assert answer["Location"] == f"/hours/?day={asked}"
    assert folds(answer["Location"]) == [
        (days[0], False, "nichts buchbar"),
        (days[1], False, "2 Stunden buchbar"),
        (days[2], True, "nichts buchbar · 1 von Ihnen gebucht"),
    ]


def test_times_are_the_agents_also_when_clocks_change(
    world: World, anna: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 October 2026 in Berlin: the hour from 2 to 3 is there twice."""
    from dispatch import hours

    at_night = datetime(2026, 10, 24, 22, tzinfo=UTC)
    monkeypatch.setattr(hours, "_database_now", lambda: at_night)
    for number in range(5):
        needed(world, at_night + timedelta(hours=number))
    NeededHour.objects.update(made_at=at_night - timedelta(days=30))
    person = Person.__new__(Person)
    person.client = Client(headers={"accept-language": "en"})
    person.client.force_login(anna.user)

    def shown() -> list[str]:
        page = text_of(person.get("/hours/"))
        return [part.split("</b>")[0] for part in page.split('<b class="number">')[1:]]

    assert shown() == ["00:00–01:00", "01:00–02:00", "02:00–02:00", "02:00–03:00", "03:00–04:00"]
    Agent.objects.update(time_zone="Asia/Kolkata")
    assert shown() == ["03:30–04:30", "04:30–05:30", "05:30–06:30", "06:30–07:30", "07:30–08:30"]
    begin, end = week_of(at_night)
    assert end.astimezone(UTC) - begin.astimezone(UTC) == timedelta(days=7, hours=1)


def test_many_hours_cost_no_more_questions(world: World, anna: Agent) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            hours_for(anna)
        return len(seen)

    monday, _end = week_of(timezone.now() + timedelta(days=7))
    Policy.objects.update(booking_days=20)
    needed(world, monday)
    one = asked()
    for number in range(1, 40):
        needed(world, monday + timedelta(hours=number))
    assert (asked(), one) == (8, 8)


def test_the_table_in_the_admin(world: World, anna: Agent) -> None:
    boss = Client(headers={"accept-language": "en"})
    boss.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    hour = needed(world, this_hour() + timedelta(days=1), seats=3)
    hour_book(agent_id=anna.pk, hour_id=hour.pk)
    path = "/admin/dispatch/neededhour/"
    assert boss.get(path).status_code == 200
    listed: dict[str, Any] = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": hour.pk,
        "_save": "Save",
    }
    assert "More people have booked" in text_of(boss.post(path, listed | {"form-0-seats": 0}))  # type: ignore[arg-type]
    boss.post(path, listed | {"form-0-seats": 5})
    hour.refresh_from_db()
    assert (hour.seats, hour.taken) == (5, 1)
    boss.post(path, {"action": "again_next_week", "_selected_action": hour.pk})
    boss.post(path, {"action": "again_next_week", "_selected_action": hour.pk})
    assert NeededHour.objects.count() == 2
    assert NeededHour.objects.latest("begins_at").taken == 0
    day = timezone.localdate() + timedelta(days=3)  # tomorrow may have that hour already
    made = {"pool": world.pool.pk, "begins_at_0": day.isoformat(), "seats": 2}
    inline = {"bookings-TOTAL_FORMS": 0, "bookings-INITIAL_FORMS": 0}
    assert "on the full hour" in text_of(boss.post(path + "add/", made | inline | {"begins_at_1": "10:30"}))  # type: ignore[arg-type]
    assert boss.post(path + "add/", made | inline | {"begins_at_1": "10:00"}).status_code == 302
    ten = timezone.make_aware(datetime.combine(day, time(10)))
    assert list(NeededHour.objects.filter(begins_at=ten).values_list("seats", "taken")) == [(2, 0)]
