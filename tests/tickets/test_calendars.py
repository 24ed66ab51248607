"""Opening hours as customers see them: on the form, on the ticket's page, in the API; and what admins may enter."""

from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from tests.cast import World
from tickets import calendars, kept
from tickets.access import token_of
from tickets.hours import DAY, Hours
from tickets.models import Calendar, ClosedDay, OpeningHours, Ticket, Topic
from tickets.reading import status_of, usual_wait

pytestmark = pytest.mark.django_db(transaction=True)

SUNDAY_EVENING = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
MONDAY_NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def office(*topics: Topic, **more: object) -> Calendar:
    """Monday to Friday 8–18 and Saturday 10–14, for these topics."""
    calendar = Calendar.objects.create(name=f"Office {Calendar.objects.count()}", **more)
    for weekday in range(5):
        OpeningHours.objects.create(calendar=calendar, weekday=weekday, opens=time(8), closes=time(18))
    OpeningHours.objects.create(calendar=calendar, weekday=5, opens=time(10), closes=time(14))
    Topic.objects.filter(pk__in=[topic.pk for topic in topics]).update(calendar=calendar)
    kept.forget()
    return calendar


@pytest.fixture
def it_is(monkeypatch: pytest.MonkeyPatch):
    """Sets the clock by which customers are told."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(calendars, "timezone", SimpleNamespace(now=lambda: moment))

    return set_to


def test_without_calendars_nothing_is_said(client: Client, world: World) -> None:
    page = client.get("/").content.decode()
    assert "When we answer" not in page
    assert calendars.told() == []


def test_the_form_says_the_hours_and_the_next_opening(client: Client, world: World, it_is) -> None:
    calendar = office(world.refund, world.card, without_topic=True)
    ClosedDay.objects.create(calendar=calendar, day=date(2026, 11, 23), note="Feast")
    ClosedDay.objects.create(calendar=calendar, day=date(2026, 11, 29))  # a Sunday: closed anyhow
    kept.forget()
    it_is(SUNDAY_EVENING)
    page = " ".join(client.get("/").content.decode().split())
    assert "<dt>Monday–Friday</dt><dd>08:00–18:00</dd>" in page
    assert "<dt>Saturday</dt><dd>10:00–14:00</dd>" in page
    assert "Times of Europe/Berlin. Closed on Nov. 23, 2026." in page
    assert 'We open <time datetime="2026-11-24T08:00:00+01:00" data-near>Tuesday, 08:00 CET</time>.' in page
    assert "sooner if somebody is online" in page
    german = " ".join(client.get("/", headers={"Accept-Language": "de"}).content.decode().split())
    assert "<dt>Montag–Freitag</dt><dd>08:00–18:00</dd>" in german
    assert "data-near>Dienstag, 08:00 Uhr (CET)</time>." in german
    it_is(datetime(2026, 11, 24, 11, 0, tzinfo=UTC))
    assert "We open" not in client.get("/").content.decode()


def test_topics_with_other_hours_are_named(client: Client, world: World, it_is) -> None:
    office(world.refund)
    it_is(MONDAY_NOON)
    told, always = calendars.told()
    assert (told.topics, told.opens) == ("Refund", None)
    assert (always.topics, always.week) == ("Card, I am not sure", [])
    assert "At any hour." in client.get("/").content.decode()


def test_a_ticket_can_be_opened_at_any_hour_and_its_page_says_when_we_open(
    client: Client, world: World, it_is
) -> None:
    office(world.refund)
    it_is(SUNDAY_EVENING)
    client.post("/", {"text": "Where is it?", "topic": "refund", "key": "one"})
    ticket = Ticket.objects.get()
    assert ticket.state == "waiting"
    Ticket.objects.update(expected_seconds=90, place=1)
    ticket.refresh_from_db()
    assert str(status_of(ticket).opens) == "2026-11-23 08:00:00+01:00"
    assert status_of(ticket).expected_seconds is None  # of open hours: it says nothing about this night
    client.cookies[f"t-{ticket.public_id}"] = token_of(ticket)
    page = " ".join(client.get(f"/t/{ticket.public_id}/").content.decode().split())
    assert (
        "data-near>tomorrow, 08:00 CET</time>; if somebody who can help comes online earlier, they are asked at once."
        in page
    )
    it_is(MONDAY_NOON)
    assert (status_of(ticket).opens, status_of(ticket).expected_seconds) == (None, 90)


def test_the_api_says_when_a_topic_opens(client: Client, world: World, it_is) -> None:
    office(world.refund)
    it_is(SUNDAY_EVENING)
    refund, card = client.get("/api/v1/topics").json()
    assert (refund["key"], refund["opens_at"]) == ("refund", "2026-11-23T08:00:00+01:00")
    assert card["opens_at"] is None


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2026, 11, 23, 6, tzinfo=UTC), "today, 08:00 CET"),
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), "tomorrow, 08:00 CET"),  # still Sunday in Berlin
        (datetime(2026, 11, 20, 17, tzinfo=UTC), "Monday, 08:00 CET"),
        (datetime(2026, 11, 12, 17, tzinfo=UTC), "Monday, Nov. 23, 2026, 08:00 CET"),
    ],
)
def test_the_next_opening_in_words(now: datetime, words: str, it_is) -> None:
    closed = frozenset({date(2026, 11, 16)})
    it_is(now)
    there = calendars.opens_at(Hours("Europe/Berlin", (((480, 1080),), *[()] * 6), closed))
    assert there is not None
    assert calendars.clock_in_words(there) == words


def test_a_zone_without_letters_is_told_by_its_distance(it_is) -> None:
    it_is(MONDAY_NOON)
    there = MONDAY_NOON.astimezone(ZoneInfo("America/Sao_Paulo"))
    assert calendars.clock_in_words(there) == f"today, {there:%H:%M} UTC-03"


def test_a_week_in_words() -> None:
    week = (((480, 720), (780, 1080)),) * 2 + ((),) * 4 + (((0, DAY),),)
    assert calendars.week_in_words(Hours("UTC", week)) == [
        ("Monday–Tuesday", "08:00–12:00, 13:00–18:00"),
        ("Sunday", "00:00–24:00"),
    ]
    with translation.override("de"):
        assert calendars.week_in_words(Hours("UTC", week))[1] == ("Sonntag", "00:00–24:00")


def test_midnight_is_the_end_and_no_hours_are_always_open(world: World) -> None:
    calendar = Calendar.objects.create(name="Night")
    Topic.objects.filter(pk=world.refund.pk).update(calendar=calendar)
    kept.forget()
    assert calendars.hours_of(world.refund.pk) is None
    OpeningHours.objects.create(calendar=calendar, weekday=0, opens=time(22), closes=time(0))
    kept.forget()
    hours = calendars.hours_of(world.refund.pk)
    assert hours is not None
    assert hours.week[0] == ((22 * 60, DAY),)
    assert calendars.hours_of(None) is None


def test_waits_over_closed_hours_are_not_usual(world: World) -> None:
    office(world.refund)
    saturday = datetime(2026, 11, 21, 18, tzinfo=UTC)
    for _ in range(3):
        world.ticket()
    from django.utils import timezone  # the usual wait looks at the last half hour

    Ticket.objects.update(created_at=saturday, first_held_at=timezone.now(), waiting_since=saturday)
    assert usual_wait() is None
    Ticket.objects.update(topic=world.card)
    assert usual_wait() is not None


def test_what_admins_may_not_enter(world: World) -> None:
    with pytest.raises(ValidationError, match="No time zone"):
        Calendar(name="x", time_zone="Mars/Base").full_clean()
    calendar = office(world.refund, without_topic=True)
    for refused in (
        lambda: Calendar.objects.create(name="second", without_topic=True),
        lambda: OpeningHours.objects.create(calendar=calendar, weekday=0, opens=time(9), closes=time(9)),
        lambda: OpeningHours.objects.create(calendar=calendar, weekday=7, opens=time(9), closes=time(10)),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()
    assert Calendar.objects.count() == 1
    assert OpeningHours.objects.count() == 6


def test_the_admin_has_hours_and_closed_days_on_the_calendars_page(
    admin_client: Client, world: World
) -> None:
    calendar = office(world.refund)
    listed = admin_client.get("/admin/tickets/calendar/").content.decode()
    assert "Monday–Friday 08:00–18:00 · Saturday 10:00–14:00" in listed
    page = admin_client.get(f"/admin/tickets/calendar/{calendar.pk}/change/").content.decode()
    assert 'name="opening_hours-0-opens"' in page
    assert 'name="closed_days-TOTAL_FORMS"' in page
