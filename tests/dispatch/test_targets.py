"""The desk says the target beside the time that a customer waits, and when it is close or over."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from dispatch import desk
from dispatch.models import Route
from dispatch.targets import target_of
from tests.cast import World
from tests.console import Person, text_of
from tickets import kept
from tickets.conversation import customer_reply
from tickets.models import Calendar, Channel, Message, OpeningHours, Ticket, Topic

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture
def held(world: World, monkeypatch: pytest.MonkeyPatch) -> Ticket:
    """Of a topic with a target of two minutes, waiting since long before NOW."""
    monkeypatch.setattr("dispatch.targets.timezone.now", lambda: NOW)
    Route.objects.filter(topic=world.refund).update(target_seconds=120)
    world.ticket()
    Ticket.objects.update(waiting_since=NOW - timedelta(days=1))
    return Ticket.objects.get()


@pytest.mark.parametrize(
    ("ago", "state"),
    [(0, "within"), (89, "within"), (90, "close"), (119, "close"), (120, "over"), (900, "over")],
)
def test_it_is_close_from_three_quarters_on(held: Ticket, ago: int, state: str) -> None:
    since = NOW - timedelta(seconds=ago)
    target = target_of(held, since.isoformat())
    assert target is not None
    assert (target.words, target.state) == ("2 min", state)
    assert (target.close_at, target.due_at) == (since + timedelta(seconds=90), since + timedelta(seconds=120))


def test_who_was_with_the_assistant_waits_for_a_person_since_then(held: Ticket) -> None:
    target = target_of(held, (NOW - timedelta(days=2)).isoformat())
    assert target is not None
    assert target.due_at == NOW - timedelta(days=1) + timedelta(seconds=120)


def test_it_counts_open_seconds(world: World, held: Ticket) -> None:
    calendar = Calendar.objects.create(name="Office", time_zone="UTC")
    for weekday in range(7):
        OpeningHours.objects.create(calendar=calendar, weekday=weekday, opens=time(8), closes=time(18))
    Topic.objects.filter(pk=world.refund.pk).update(calendar=calendar)
    kept.forget()
    # A minute before the evening's end: the other minute is the next morning's.
    evening = NOW.replace(hour=17, minute=59)
    target = target_of(held, evening.isoformat())
    assert target is not None
    assert target.close_at == NOW.replace(day=26, hour=8, minute=0, second=30)
    assert target.due_at == NOW.replace(day=26, hour=8, minute=1)


def test_none_where_nobody_waits_or_it_is_practice(held: Ticket) -> None:
    assert target_of(held, None) is None
    held.channel = Channel.PRACTICE
    assert target_of(held, NOW.isoformat()) is None


def test_no_query(held: Ticket, django_assert_num_queries: Any) -> None:
    target_of(held, NOW.isoformat())
    with django_assert_num_queries(0):
        assert target_of(held, NOW.isoformat()) is not None


class TestTheDesk:
    def test_list_and_thread_say_it(self, world: World) -> None:
        Route.objects.filter(topic=world.refund).update(target_seconds=90)
        anna = Person(world, "Anna").online()
        ticket = anna.holding()
        page = text_of(anna.get())
        assert page.count('class="target target-within"') == 2
        assert page.count('<span data-target="within">target: 90 s</span>') == 2
        assert page.count('<span data-target="over" hidden>over the target of 90 s</span>') == 2
        Message.objects.update(created_at=Now() - timedelta(seconds=80))
        Ticket.objects.update(waiting_since=Now() - timedelta(seconds=80))
        assert text_of(anna.get()).count('<span data-target="close">close to the target of 90 s</span>') == 2
        # Answered: nobody waits.
        desk.reply(agent=anna.agent, epoch=anna.epoch, ticket_id=ticket.pk, body="Let me look.")
        assert "data-due-at" not in text_of(anna.get())

    def test_a_message_brings_it_and_the_answer_takes_it(self, world: World) -> None:
        anna = Person(world, "Anna").online()
        ticket = anna.holding()
        seqs = {f"agent:{anna.agent.pk}": 0, ticket.stream: Ticket.objects.get().last_seq}
        place = f'<p id="waiting-{ticket.public_id}" class="small head-waiting" hx-swap-oob="true"'
        answer = anna.fetch(f"tickets/{ticket.public_id}/reply", seqs, body="Let me look.").json()
        (frame,) = [one for one in answer["frames"] if one["type"] == "message.posted"]
        assert f"{place} hidden></p>" in frame["html"]
        customer_reply(ticket=Ticket.objects.get(), body="And?")
        seqs[ticket.stream] = frame["seq"]
        (frame,) = [
            one for one in anna.fetch("news", seqs).json()["frames"] if one["type"] == "message.posted"
        ]
        assert f"{place}>Unanswered" in frame["html"]
        assert frame["html"].count('<span data-target="within">target: 1 min</span>') == 2
