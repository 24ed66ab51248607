"""An agent's pages tell the time by the agent's clock, and what the house counts by the day stays the house's day."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, EntryKind, LedgerEntry
from dispatch import cards
from dispatch.models import Offer
from tests.cast import World
from tests.console import Person, text_of
from tests.dispatch.scenes import resolved
from tickets.conversation import customer_reply
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 6, 24, 20, 34, tzinfo=UTC)
HERE, THERE = "22:34", "02:04"  # in Berlin, the house's; in Kolkata, the agent's, where it is the next day


@pytest.fixture
def anna(world: World, settings: object) -> Person:
    settings.TIME_ZONE = "Europe/Berlin"  # type: ignore[attr-defined]
    anna = Person(world, "Anna")
    Agent.objects.update(time_zone="Asia/Kolkata")
    anna.agent.refresh_from_db()
    return anna.online()


def test_the_card(anna: Person) -> None:
    offer = anna.offered()
    Ticket.objects.update(waiting_since=THEN)
    shown = f'<time datetime="{THEN.isoformat()}">{THERE}</time>'
    assert shown in text_of(anna.get())
    (frame, *_more) = anna.fetch("news", {f"agent:{anna.agent.pk}": 1}).json()["frames"]
    assert (frame["type"], frame["data"]["offer"]) == ("offer.made", offer.pk)
    assert shown in frame["html"]
    # Drawn for somebody of the house's zone, it has the house's.
    Agent.objects.update(time_zone="")
    assert f">{HERE}</time>" in text_of(anna.get())


def test_messages_on_the_desk(anna: Person) -> None:
    ticket = anna.holding()
    Message.objects.update(created_at=THEN)
    page = text_of(anna.get())
    assert THERE in page
    assert HERE not in page
    before = Ticket.objects.get().last_seq
    customer_reply(ticket=Ticket.objects.get(), body="And?")
    at = Message.objects.latest("pk").created_at
    answer = anna.fetch("news", {f"agent:{anna.agent.pk}": 10**6, ticket.stream: before}).json()
    (html,) = [one["html"] for one in answer["frames"] if one["type"] == "message.posted"]
    assert f"{at.astimezone(anna.agent.zone):%H:%M}</time>" in html


def test_earnings(anna: Person) -> None:
    LedgerEntry.objects.create(
        agent=anna.agent,
        kind=EntryKind.TICKET,
        amount_cents=400,
        currency="EUR",
        reference="x",
        created_at=THEN,
    )
    page = text_of(anna.get("/console/earnings/"))
    assert f"06/25/2026, {THERE}</time>" in page
    # Months and files are those of the statements, by the house's clock.
    assert '<option value="2026-06">' in page
    lines = b"".join(anna.get("/console/earnings.csv")).decode("utf-8-sig").splitlines()  # type: ignore[arg-type]
    assert lines[1].startswith(f"2026-06-24 {HERE},")


def test_today_is_the_agents(anna: Person) -> None:
    begin = cards.day_begin(anna.agent.zone)
    assert (begin.hour, begin.utcoffset()) == (0, timedelta(hours=5, minutes=30))
    assert begin <= timezone.now() < begin + timedelta(days=1)
    for seconds in (-1, 1):
        LedgerEntry.objects.create(
            agent=anna.agent,
            kind=EntryKind.TICKET,
            amount_cents=400,
            currency="EUR",
            reference=f"x{seconds}",
            created_at=begin + timedelta(seconds=seconds),
        )
    assert cards.earnings(anna.agent.pk, anna.agent.zone)[0]["today_cents"] == 400


def test_decisions_are_by_the_agents_days(anna: Person) -> None:
    resolved(anna)
    Offer.objects.update(made_at=THEN)
    page = text_of(anna.get("/rights/decisions?day=2026-06-25"))
    assert f'datetime="2026-06-25T{THERE}:00+05:30">{THERE}:00</time>' in page
    assert f">{THERE}:00</time>" not in text_of(anna.get("/rights/decisions?day=2026-06-24"))


def test_the_houses_day_is_no_matter_of_who_asks(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page computes beside drawing, such as when certificates end, which is kept for everybody, has the house's zone."""
    seen = []
    monkeypatch.setattr(
        "dispatch.views.console.cards.earnings",
        lambda *_args: seen.append(timezone.get_current_timezone_name()) or [],
    )
    anna.get()
    assert seen == ["Europe/Berlin"]


def test_other_pages_have_the_houses(world: World, anna: Person) -> None:
    assert Client().get("/").status_code == 200
    assert Client().get("/nowhere").status_code == 404
