"""The promise of a person, counted from the timelines and published."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents.models import User
from dispatch import promise
from dispatch.models import PromiseDay, Route
from dispatch.rules.promise import Tally
from tests.cast import World
from tickets import kept
from tickets.models import Channel, Customer, Ticket, TicketEvent, Topic

pytestmark = pytest.mark.django_db

Tell = Callable[..., Ticket]


@pytest.fixture
def noon() -> datetime:
    """Yesterday at noon, so that hours around it are of one day, whenever this runs."""
    return timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture
def tell(world: World, noon: datetime) -> Tell:
    """A ticket whose timeline is (type without "ticket.", seconds after noon, data)."""

    def make(
        *steps: tuple[Any, ...], topic: Topic | None = world.refund, channel: str = Channel.FORM
    ) -> Ticket:
        ticket = Ticket.objects.create(
            customer=Customer.objects.create(),
            topic=topic,
            language="en",
            channel=channel,
            state="closed",
            access_expires_at=timezone.now(),
        )
        for seq, (kind, after, *data) in enumerate(steps, start=1):
            TicketEvent.objects.create(
                ticket=ticket,
                seq=seq,
                type=f"ticket.{kind}",
                public=True,
                data=data[0] if data else {},
                created_at=noon + timedelta(seconds=after),
            )
        return ticket

    return make


def figures(tally: Tally) -> dict[str, Any]:
    return {name: getattr(tally, name) for name in ("asked", "kept", "missed", "left", "pending")}


def test_a_day_is_counted_by_topic(world: World, tell: Tell, noon: datetime) -> None:
    Route.objects.filter(topic=world.card).update(target_seconds=10)
    kept.forget()
    tell(("opened", 0), ("held", 60))
    tell(("opened", 5), ("placed", 6, {"place": 1, "expected_seconds": 40}), ("held", 66))
    tell(("opened", 0), ("held", 61), topic=world.card)
    tell(("opened", 0), ("closed", 9), topic=world.card)
    tell(("opened", 0, {"assisted": True}), ("resolved", 30))
    tell(("opened", 0), ("held", 5), topic=None)
    tell(("opened", 0), ("held", 5), channel=Channel.PRACTICE)
    found = promise.count(noon.date(), timezone.now().timestamp())
    assert {key: figures(tally) for key, tally in found.items()} == {
        world.refund.pk: {"asked": 2, "kept": 1, "missed": 1, "left": 0, "pending": 0},
        world.card.pk: {"asked": 2, "kept": 0, "missed": 1, "left": 1, "pending": 0},
        None: {"asked": 1, "kept": 1, "missed": 0, "left": 0, "pending": 0},
    }
    refund = found[world.refund.pk]
    assert (refund.longest, refund.estimates, refund.early, refund.off) == (61.0, 1, 20.0, 20.0)


def test_the_longest_wait_is_of_all(world: World, tell: Tell, noon: datetime) -> None:
    """As many seconds as the timelines say, whoever it was."""
    tell(("opened", 0), ("held", 77))
    tell(("opened", 10), ("closed", 400))
    tell(("opened", 20))

    def at(seconds: float) -> Tally:
        [tally] = promise.count(noon.date(), noon.timestamp() + seconds).values()
        whole = [
            min(wait.came or wait.left or noon.timestamp() + seconds, noon.timestamp() + seconds) - wait.began
            for _topic, wait in promise._waits(noon, noon + timedelta(seconds=60))
        ]
        assert tally.longest_of_all == max(whole)
        assert tally.longest == 77.0
        return tally

    assert (at(409).longest_of_all, at(409).lasts) == (390.0, False)  # the second was closed after 390 s
    assert (at(800).longest_of_all, at(800).lasts) == (780.0, True)
    assert (at(800).longest_left, at(800).longest_waiting) == (390.0, 780.0)


def test_the_day_of_one_who_still_waits_is_counted_again_though_late(
    client: Client, tell: Tell, noon: datetime
) -> None:
    old = tell(("opened", -5 * 86400))
    promise.days_write()
    day = PromiseDay.objects.get(asked=1)
    assert (day.pending, day.missed, day.longest) == (0, 1, 0.0)
    assert day.longest_waiting == pytest.approx(
        (timezone.now() - noon + timedelta(days=5)).total_seconds(), abs=60
    )
    kept.forget()
    page = " ".join(client.get("/promise").content.decode().split())
    assert page.count('<span class="small muted">so far</span>') == 2  # in all, and of the day
    assert client.get("/api/v1/promise").json()["whole"]["longest_lasts"] is True
    assert promise.days_write() == 3
    TicketEvent.objects.create(
        ticket=old, seq=2, type="ticket.held", public=True, created_at=noon - timedelta(days=5, seconds=-780)
    )
    assert promise.days_write() == 3
    day = PromiseDay.objects.get(asked=1)
    assert (day.longest, day.longest_waiting) == (780.0, 0.0)
    assert promise.days_write() == 2
    kept.forget()
    page = " ".join(client.get("/promise").content.decode().split())
    assert "<dt>Longest</dt><dd>13 min</dd>" in page
    assert "so far</span>" not in page


def test_a_wait_belongs_to_the_day_on_which_it_began(tell: Tell, noon: datetime) -> None:
    tell(("opened", -86400), ("held", -86390), ("resolved", -86000), ("reopened", 0), ("held", 5))
    now = timezone.now().timestamp()
    for day, longest in ((noon.date(), 5.0), (noon.date() - timedelta(days=1), 10.0)):
        [tally] = promise.count(day, now).values()
        assert (tally.asked, tally.longest) == (1, longest)


def test_only_open_hours_count(
    world: World, tell: Tell, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(("opened", 0), ("held", 3000))
    monkeypatch.setattr(promise, "open_seconds", lambda _hours, begin, end: (end - begin) / 100)
    closed = promise.calendars.Calendars({}, {world.refund.pk: object()})  # type: ignore[dict-item]
    monkeypatch.setattr(promise.calendars, "calendars", lambda: closed)
    [tally] = promise.count(noon.date(), timezone.now().timestamp()).values()
    assert (tally.kept, tally.longest) == (1, 30.0)


def test_days_are_written_until_nothing_changes_any_more(world: World, tell: Tell, noon: datetime) -> None:
    old = -5 * 86400
    tell(("opened", 0), ("held", 30))
    tell(("opened", old), ("held", old + 30))
    assert promise.days_write() == promise.DAYS
    assert promise.days_write() == 2  # today and yesterday
    assert PromiseDay.objects.filter(asked__gt=0).count() == 2
    assert PromiseDay.objects.filter(topic=None, asked=0).count() == promise.DAYS
    PromiseDay.objects.filter(day=noon.date() - timedelta(days=5), topic=world.refund).update(
        kept=0, pending=1
    )
    assert promise.days_write() == 3  # somebody there still waited
    days = promise.days()
    assert [(day.tally.asked, day.tally.kept) for day in days[:7]] == [
        (0, 0), (1, 1), (0, 0), (0, 0), (0, 0), (0, 0), (1, 1)
    ]  # fmt: skip
    assert promise.total(day.tally for day in days) == promise.by_topic()[world.refund.pk]


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_counts() -> None:
    other: Any = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT pg_advisory_xact_lock(%s)", [promise._LOCK])
        assert promise.days_write() == 0
        assert not PromiseDay.objects.exists()
        with other.cursor() as cursor:
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert promise.days_write() == promise.DAYS


def test_everybody_can_read_it(client: Client, tell: Tell) -> None:
    page = " ".join(client.get("/promise").content.decode().split())
    assert "There is always a person, if you want one" in page
    assert "Nobody has asked for a person yet." in page
    for number in range(1, 11):
        tell(("opened", 0), ("held", 6 * number + 4))
    promise.days_write()
    kept.forget()
    page = " ".join(client.get("/promise").content.decode().split())
    assert "90 % <span>had a person within the promised time</span>" in page
    assert "<dt>Longest</dt><dd>1 min 4 s</dd>" in page
    german = " ".join(client.get("/promise", headers={"Accept-Language": "de"}).content.decode().split())
    assert "<dt>Am längsten</dt><dd>1 min 4 s</dd>" in german
    data = client.get("/api/v1/promise").json()
    assert {
        name: data["whole"][name] for name in ("asked", "kept", "missed", "share", "longest_seconds")
    } == {
        "asked": 10,
        "kept": 9,
        "missed": 1,
        "share": 0.9,
        "longest_seconds": 64.0,
    }
    assert data["whole"]["median_seconds"] == pytest.approx(34, rel=0.026)
    assert data["whole"]["p90_seconds"] == pytest.approx(58, rel=0.026)
    assert [day["asked"] for day in data["days"][:3]] == [0, 10, 0]


def test_leads_see_more(client: Client, tell: Tell, world: World) -> None:
    tell(("opened", 0), ("placed", 6, {"place": 1, "expected_seconds": 40}), ("held", 26))
    promise.days_write()
    client.force_login(world.agent("Anna").user)
    assert client.get("/lead/promise").status_code == 403
    client.force_login(User.objects.create_superuser("root@staff.example", "secret", name="Root"))
    page = " ".join(client.get("/lead/promise").content.decode().split())
    assert "<dt>Between told and true, on average</dt><dd>20 s</dd>" in page
    assert "<dd>20 s less than told</dd>" in page
    assert "Nothing is promised at the moment." in page
