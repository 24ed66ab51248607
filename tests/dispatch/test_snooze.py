"""Putting a ticket aside: whose it is, what it takes, what wakes it, what is paid."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import Agent, LedgerEntry, Shift
from dispatch import automatic, cards, desk, passing, presence, silence, snooze
from dispatch.errors import BadWakingTime, CustomerHasWritten, NotHolder
from dispatch.matching.explain import explain
from dispatch.models import FeedEvent, Offer, Rate, Route, Transfer
from dispatch.offers import offer_accept
from dispatch.queue import places_write, pools_due
from dispatch.runs import match_pool
from tests.callers import agent_of, problem
from tests.cast import World
from tests.invariants import broken
from tests.untouched import nothing_changed
from tickets import kept
from tickets.conversation import customer_reply
from tickets.lifecycle import ticket_close, ticket_request_human
from tickets.models import Ticket, TicketEvent

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def anna(world: World) -> Agent:
    return world.agent("Anna")


@pytest.fixture
def ticket(world: World, anna: Agent) -> Ticket:
    """Held by Anna."""
    presence.go_online(agent_id=anna.pk)
    made = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    return Ticket.objects.select_related("customer").get(pk=made.pk)


def aside(agent: Agent, ticket: Ticket, until: datetime | None = None, **more: int) -> None:
    until = until or timezone.now() + HOUR
    snooze.snooze(agent=agent, epoch=1, ticket_id=ticket.pk, until=until, **more)


def is_due(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(wakes_at=Now() - timedelta(seconds=1))


def told(ticket: Ticket) -> list[tuple[str, str]]:
    """(event, reason) of sleeping and waking."""
    kinds = ("ticket.snoozed", "ticket.woke", "ticket.left_asleep", "ticket.released")
    events = TicketEvent.objects.filter(ticket=ticket, type__in=kinds).order_by("seq")
    return [(one.type.removeprefix("ticket."), one.data.get("reason", "")) for one in events]


def units() -> tuple[int, int]:
    """Taken of the shift; of the offer."""
    return Shift.objects.get(ended_at=None).units_taken, Offer.objects.latest("pk").units


class TestHeld:
    def test_it_stays_with_its_agent_and_takes_nothing(self, ticket: Ticket, anna: Agent) -> None:
        assert units() == (30, 30)
        until = timezone.now() + HOUR
        aside(anna, ticket, until)
        ticket.refresh_from_db()
        assert (ticket.state, ticket.wakes_at) == ("held", until)
        assert units() == (0, 0)
        assert [one.ticket for one in cards.on_desk(anna.pk)] == [ticket]
        [event] = TicketEvent.objects.filter(type="ticket.snoozed")
        assert event.public
        assert datetime.fromisoformat(event.data["until"]) == until
        assert FeedEvent.objects.latest("seq").data["units"] == 0
        assert silence.customers_look() == 0  # neither silent nor owed anything while it sleeps
        assert not broken(_rows)

    def test_its_time_wakes_it_once_and_its_units_come_back(self, ticket: Ticket, anna: Agent) -> None:
        aside(anna, ticket)
        assert snooze.wake_due() == 0
        is_due(ticket)
        assert (snooze.wake_due(), snooze.wake_due()) == (1, 0)
        assert silence.customers_look() == 1
        ticket.refresh_from_db()
        assert (ticket.state, ticket.wakes_at, units()) == ("held", None, (30, 30))
        assert told(ticket) == [("snoozed", ""), ("woke", "time")]
        assert not broken(_rows)

    def test_a_word_of_the_customer_wakes_it_and_one_of_the_agent_does_not(
        self, ticket: Ticket, anna: Agent
    ) -> None:
        aside(anna, ticket)
        desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="I ask our bank.")
        ticket.refresh_from_db()
        assert ticket.wakes_at is not None
        customer_reply(ticket=ticket, body="Found it")
        ticket.refresh_from_db()
        assert (ticket.state, ticket.wakes_at) == ("held", None)
        assert told(ticket)[-1] == ("woke", "customer")
        assert snooze.wake_due() == 0

    def test_so_does_asking_for_a_person(self, ticket: Ticket, anna: Agent) -> None:
        ticket_request_human(ticket=ticket)
        aside(anna, ticket)
        ticket_request_human(ticket=ticket)  # though they had asked before
        assert told(ticket)[-1] == ("woke", "customer")

    def test_the_agent_takes_it_up_again_or_chooses_another_time(self, ticket: Ticket, anna: Agent) -> None:
        aside(anna, ticket)
        later = timezone.now() + 5 * HOUR
        aside(anna, ticket, later)
        ticket.refresh_from_db()
        assert (ticket.wakes_at, units()) == (later, (0, 0))
        for _ in range(2):  # the second time it is awake
            snooze.wake(agent=anna, epoch=1, ticket_id=ticket.pk)
        assert told(ticket) == [("snoozed", ""), ("snoozed", ""), ("woke", "agent")]

    def test_beyond_capacity_it_comes_back_all_the_same(
        self, ticket: Ticket, anna: Agent, world: World
    ) -> None:
        Route.objects.update(units=100)
        kept.forget()
        aside(anna, ticket)
        other = world.ticket("Another")
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(ticket=other).pk, agent_id=anna.pk, epoch=1)
        is_due(ticket)
        snooze.wake_due()
        assert silence.customers_look() == 0  # no room
        world.ticket("A third")
        assert match_pool(world.pool.pk) == 0  # and no offers
        desk.resolve(agent=anna, epoch=1, ticket_id=other.pk)
        assert silence.customers_look() == 1
        assert Offer.objects.get(ticket=ticket).units == 30
        assert not broken(_rows)

    def test_nothing_is_passed_on_for_want_of_an_answer(self, ticket: Ticket, anna: Agent) -> None:
        Offer.objects.update(automatic=True)
        aside(anna, ticket)
        Offer.objects.update(answered_at=Now() - HOUR)
        assert automatic.unanswered_release() == 0

    @pytest.mark.parametrize("act", ["hand back", "resolve", "close"])
    def test_what_else_happens_to_it_ends_the_sleep(self, ticket: Ticket, anna: Agent, act: str) -> None:
        aside(anna, ticket)
        if act == "hand back":
            desk.hand_back(agent=anna, epoch=1, ticket_id=ticket.pk)
        elif act == "resolve":
            desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk)
        else:
            ticket_close(ticket=ticket)
        ticket.refresh_from_db()
        assert (ticket.state, ticket.wakes_at) == (
            {"hand back": "waiting", "resolve": "resolved", "close": "closed"}[act],
            None,
        )
        assert ("woke", "time") not in told(ticket)

    def test_the_plan_to_resolve_is_taken_back(self, ticket: Ticket, anna: Agent) -> None:
        desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="Bye", then_resolve=True)
        aside(anna, ticket)
        assert Offer.objects.get().resolves_at is None

    def test_an_escalated_one_can_sleep_too(self, ticket: Ticket, anna: Agent) -> None:
        passing.escalate(agent=anna, epoch=1, ticket_id=ticket.pk, reason="Look")
        aside(anna, ticket)
        ticket.refresh_from_db()
        assert ticket.priority == 1


class TestNobodys:
    """Its agent has gone while it slept."""

    @pytest.fixture
    def left(self, ticket: Ticket, anna: Agent) -> Ticket:
        aside(anna, ticket)
        presence.go_offline(agent_id=anna.pk, epoch=1)
        return ticket

    def test_it_sleeps_on_and_is_offered_to_nobody(self, left: Ticket, world: World) -> None:
        left.refresh_from_db()
        assert (left.state, left.held_at) == ("asleep", None)
        assert Offer.objects.get().state == "released"
        assert told(left) == [("snoozed", ""), ("left_asleep", "")]
        presence.go_online(agent_id=world.agent("Bernd").pk)
        assert (match_pool(world.pool.pk), pools_due()) == (0, set())
        assert not broken(_rows)

    def test_awake_it_is_in_front_and_asks_the_same_agent_first(
        self, left: Ticket, world: World, anna: Agent
    ) -> None:
        older = world.ticket("Older, and waiting")
        bernd = world.agent("Bernd")
        presence.go_online(agent_id=bernd.pk)
        presence.go_online(agent_id=anna.pk)
        Ticket.objects.filter(pk=older.pk).update(waiting_since=Now() - timedelta(hours=3))
        before = timezone.now()
        is_due(left)
        assert snooze.wake_due() == 1
        left.refresh_from_db()
        assert left.state == "waiting"
        assert left.waiting_since > before  # the customer waits from now on
        places_write()
        left.refresh_from_db()
        assert left.place == 1
        match_pool(world.pool.pk)
        offer = Offer.objects.get(ticket=left, state="pending")
        assert (offer.agent, offer.why["again"]) == (anna, True)
        assert "It was with you when it was put aside, so you are asked first." in explain(
            offer.why,  # type: ignore[arg-type]
            language="en",
        )
        offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=2)
        left.refresh_from_db()
        assert left.front_since is None
        assert not broken(_rows)

    def test_without_them_it_goes_to_whoever_is_there(self, left: Ticket, world: World) -> None:
        bernd = world.agent("Bernd")
        presence.go_online(agent_id=bernd.pk)
        customer_reply(ticket=left, body="Found it")
        assert told(left)[-1] == ("woke", "customer")
        assert match_pool(world.pool.pk) == 1
        assert Offer.objects.get(state="pending").agent == bernd
        assert Transfer.objects.get().agent_id != bernd.pk

    def test_in_front_it_goes_before_an_urgent_one(self, left: Ticket, world: World) -> None:
        urgent = world.ticket("Urgent")
        Ticket.objects.filter(pk=urgent.pk).update(priority=2, waiting_since=Now() - timedelta(minutes=5))
        customer_reply(ticket=left, body="Found it")
        presence.go_online(agent_id=world.agent("Bernd").pk)
        match_pool(world.pool.pk)
        assert Offer.objects.get(state="pending").ticket == left


class TestRefused:
    @pytest.mark.parametrize("hours", [-1.0, 0.0, 168.1])
    def test_a_time_that_is_over_or_too_far(self, ticket: Ticket, anna: Agent, hours: float) -> None:
        with nothing_changed(), pytest.raises(BadWakingTime):
            aside(anna, ticket, timezone.now() + hours * HOUR)

    def test_the_routes_bound(self, ticket: Ticket, anna: Agent) -> None:
        Route.objects.update(snooze_hours=2)
        kept.forget()
        with nothing_changed(), pytest.raises(BadWakingTime) as refused:
            aside(anna, ticket, timezone.now() + 3 * HOUR)
        assert refused.value.hours == 2

    def test_over_what_the_customer_has_written_since(self, ticket: Ticket, anna: Agent) -> None:
        seen = Ticket.objects.get(pk=ticket.pk).last_seq
        customer_reply(ticket=ticket, body="And the fee?")
        with nothing_changed(), pytest.raises(CustomerHasWritten):
            aside(anna, ticket, seen=seen)
        aside(anna, ticket, seen=seen + 1)

    def test_somebody_elses(self, ticket: Ticket, world: World) -> None:
        bernd = world.agent("Bernd")
        presence.go_online(agent_id=bernd.pk)
        with nothing_changed(), pytest.raises(NotHolder):
            aside(bernd, ticket)
        with nothing_changed(), pytest.raises(NotHolder):
            snooze.wake(agent=bernd, epoch=1, ticket_id=ticket.pk)

    def test_by_the_api_a_key_counts_once(self, ticket: Ticket, anna: Agent) -> None:
        caller = agent_of(anna)
        until = (timezone.now() + HOUR).isoformat()
        answers = [
            caller.tell(f"desk/{ticket.public_id}/snooze", {"epoch": 1, "until": until}, key="k")
            for _ in range(2)
        ]
        assert [one.status_code for one in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert told(ticket) == [("snoozed", "")]
        past = {"epoch": 1, "until": "2020-01-01T00:00:00Z"}
        problem(caller.tell(f"desk/{ticket.public_id}/snooze", past), 422, "bad_waking_time")
        assert caller.tell(f"desk/{ticket.public_id}/wake", {"epoch": 1}).json() == {
            "state": "held",
            "wakes_at": None,
        }


def test_no_minute_asleep_is_paid_as_waiting(ticket: Ticket, anna: Agent) -> None:
    """An hour aside between two words: what the customer let them wait is the minute around it."""
    Rate.objects.update(waiting_cents_per_minute=10, waiting_minutes=120)
    Offer.objects.update(terms={"waiting_cents": 10, "waiting_minutes": 120})
    desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="Please ask your bank.")
    aside(anna, ticket)
    customer_reply(ticket=ticket, body="They say yes.")
    begin = timezone.now() - 2 * HOUR
    Offer.objects.update(answered_at=begin)
    _happened("message.posted", 1, begin + timedelta(minutes=1))
    _happened("ticket.snoozed", 0, begin + timedelta(minutes=2))
    _happened("message.posted", 2, begin + timedelta(minutes=62))
    _happened("ticket.woke", 0, begin + timedelta(minutes=62))
    desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk)
    assert LedgerEntry.objects.get(kind="waiting").amount_cents == 10


def _happened(kind: str, place: int, at: datetime) -> None:
    """Date the event back, which a trigger forbids to all but this."""
    event = TicketEvent.objects.filter(type=kind).order_by("seq")[place]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE tickets_ticketevent SET created_at = %s WHERE id = %s", [at, event.pk])
        cursor.execute(
            "UPDATE tickets_message SET created_at = %s WHERE ticket_id = %s AND seq = %s",
            [at, event.ticket_id, event.seq],
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def _rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
