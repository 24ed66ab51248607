"""A customer who has been silent for long costs less, and what is spared comes back as far as there is room."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from agents.models import Agent, Shift
from dispatch import cards, desk, presence, silence
from dispatch.models import FeedEvent, Offer, Route
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.untouched import nothing_changed
from tickets import kept
from tickets.conversation import customer_reply
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(world: World) -> Agent:
    agent = world.agent("Anna")
    presence.go_online(agent_id=agent.pk)
    return agent


def hold(world: World, agent: Agent) -> Ticket:
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(ticket=ticket, agent=agent)
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=1)
    return ticket


def answered(world: World, agent: Agent, ago: int) -> Ticket:
    """A held ticket whose agent wrote last, so many seconds ago."""
    ticket = hold(world, agent)
    desk.reply(agent=agent, epoch=1, ticket_id=ticket.pk, body="Which order is it?")
    later(ticket, ago)
    return ticket


def later(ticket: Ticket, seconds: int) -> None:
    """All of this ticket is so many seconds older."""
    past = timedelta(seconds=seconds)
    Message.objects.filter(ticket=ticket).update(created_at=F("created_at") - past)
    Offer.objects.filter(ticket=ticket).update(
        answered_at=F("answered_at") - past, expires_at=F("expires_at") - past
    )
    Offer.objects.filter(ticket=ticket, silent_since__isnull=False).update(
        silent_since=F("silent_since") - past
    )


def taken() -> int:
    return Shift.objects.get().units_taken


def units_of(ticket: Ticket) -> tuple[int, int]:
    offer = Offer.objects.get(ticket=ticket)
    return offer.units, offer.units_spared


def test_after_the_time_it_costs_less_and_is_told(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    ticket = answered(world, anna, 301)
    assert silence.customers_look() == 1
    assert (units_of(ticket), taken()) == ((10, 20), 10)
    event = FeedEvent.objects.filter(agent=anna).order_by("-seq")[0]
    assert (event.type, event.data) == (
        "attention.changed",
        {"offer": Offer.objects.get().pk, "ticket": ticket.public_id, "units": 10, "silent": True},
    )
    assert cards.agent_snapshot(anna, "en")["data"]["silent"] == [ticket.public_id]
    with nothing_changed():
        assert silence.customers_look() == 0
    invariants_hold()


def test_not_before_the_time_and_not_when_it_is_off(world: World, anna: Agent) -> None:
    answered(world, anna, 290)
    with nothing_changed():
        assert silence.customers_look() == 0
    Route.objects.update(silent_seconds=0)
    kept.forget()
    later(Ticket.objects.get(), 10_000)
    with nothing_changed():
        assert silence.customers_look() == 0


def test_not_while_the_customer_waits(world: World, anna: Agent) -> None:
    ticket = answered(world, anna, 400)
    customer_reply(ticket=ticket, body="The blue one")
    later(ticket, 400)
    with nothing_changed():
        assert silence.customers_look() == 0
    desk.note(agent=anna, epoch=1, ticket_id=ticket.pk, body="Ask about the colour")
    later(ticket, 400)  # a note is no answer
    with nothing_changed():
        assert silence.customers_look() == 0


def test_what_somebody_else_wrote_before_is_not_the_holders(world: World, anna: Agent) -> None:
    ticket = answered(world, anna, 400)
    desk.hand_back(agent=anna, epoch=1, ticket_id=ticket.pk)
    bernd = world.agent("Bernd")
    presence.go_online(agent_id=bernd.pk)
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(agent=bernd).pk, agent_id=bernd.pk, epoch=1)
    with nothing_changed():
        assert silence.customers_look() == 0


def test_never_more_than_it_takes(world: World, anna: Agent, invariants_hold: Callable[[], None]) -> None:
    Route.objects.update(units=5)
    kept.forget()
    ticket = answered(world, anna, 301)
    silence.customers_look()
    assert (units_of(ticket), taken()) == ((5, 0), 5)
    assert Offer.objects.get().silent_since is not None  # it still waits for the customer
    invariants_hold()


def test_when_the_customer_writes_the_units_come_back(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    ticket = answered(world, anna, 301)
    silence.customers_look()
    customer_reply(ticket=ticket, body="Here I am")
    # The agent is as fast as the tick: that the customer has written is seen all the same.
    desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="Good")
    assert silence.customers_look() == 1
    assert (units_of(ticket), taken(), Offer.objects.get().silent_since) == ((30, 0), 30, None)
    assert FeedEvent.objects.filter(agent=anna).order_by("-seq")[0].data["silent"] is False
    with nothing_changed():
        assert silence.customers_look() == 0
    invariants_hold()


def test_an_agent_who_writes_again_wakes_nobody(world: World, anna: Agent) -> None:
    ticket = answered(world, anna, 301)
    silence.customers_look()
    desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="Still there?")
    with nothing_changed():
        assert silence.customers_look() == 0


def test_what_has_no_room_waits_for_it(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    silent = [answered(world, anna, 301) for _ in range(3)]
    silence.customers_look()
    assert taken() == 30
    for _ in range(2):  # what was spared is used
        other = hold(world, anna)
    assert taken() == 90
    for ticket in silent:
        customer_reply(ticket=ticket, body="Here I am")
    silence.customers_look()
    assert taken() == 100
    assert [units_of(ticket) for ticket in silent] == [(20, 10), (10, 20), (10, 20)]
    with nothing_changed():
        assert silence.customers_look() == 0
    invariants_hold()
    desk.resolve(agent=anna, epoch=1, ticket_id=other.pk)
    silence.customers_look()
    assert [units_of(ticket) for ticket in silent] == [(30, 0), (30, 0), (10, 20)]
    assert taken() == 100
    invariants_hold()


def test_the_end_of_the_ticket_frees_what_it_took(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    ticket = answered(world, anna, 301)
    silence.customers_look()
    desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk)
    assert taken() == 0
    invariants_hold()


def test_the_room_of_an_open_next_up_is_left_alone(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    silent = answered(world, anna, 301)
    silence.customers_look()
    Route.objects.update(wrap_up_seconds=60, units=60)
    kept.forget()
    done = hold(world, anna)
    desk.resolve(agent=anna, epoch=1, ticket_id=done.pk)  # 10 silent, 60 in wrap-up
    Route.objects.update(units=90)
    kept.forget()
    world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(state="pending")
    assert (offer.next_up, offer.units) == (True, 90)
    customer_reply(ticket=silent, body="Here I am")
    silence.customers_look()
    assert (units_of(silent), taken()) == ((10, 20), 70)
    invariants_hold()
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    assert taken() == 100
    invariants_hold()


def test_the_desk_says_who_is_silent(world: World, anna: Agent) -> None:
    answered(world, anna, 301)
    client = Client(headers={"accept-language": "en"})
    client.force_login(anna.user)
    page = client.get("/console/").content.decode()
    assert "Waits for the customer" in page
    assert "Silent: takes" not in page
    silence.customers_look()
    assert "Silent: takes less of your capacity" in client.get("/console/").content.decode()
