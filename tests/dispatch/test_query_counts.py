"""How many statements the hot paths cost, BEGIN and COMMIT (here: a savepoint and its release) included.

A number that rises wants a reason; one that falls is written down here.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client

from dispatch import desk, presence, routes
from dispatch.models import Offer
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tests.callers import agent_of, anonymous, customer_of
from tests.cast import World
from tickets import blocking, kept, topics, writing
from tickets.attachments import inspect
from tickets.conversation import customer_reply
from tickets.intake import ticket_open
from tickets.models import Channel, Ticket
from tickets.triage import deciding

pytestmark = pytest.mark.django_db

Assert = Callable[[int], AbstractContextManager[Any]]
TRANSACTION = 2
STOCK = 1  # a number for a transaction that others are told of, and its lock
COMMIT = 1


@pytest.fixture(autouse=True)
def kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for some seconds does not get too old in the middle of a test."""
    monkeypatch.setattr(kept, "KEPT_SECONDS", 3600.0)


@pytest.fixture
def cost(django_assert_num_queries: Assert) -> Assert:
    return django_assert_num_queries


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.ticket()


def online(world: World, *names: str) -> None:
    for name in names:
        presence.go_online(agent_id=world.agent(name).pk)
    routes.policy(world.pool.pk)  # made when first asked for


@pytest.mark.django_db(transaction=True)
def test_ticket_open(world: World, cost: Assert) -> None:
    topics.active()
    routes.routes()
    deciding.live()
    writing._stock.clear()
    # a number and its lock, once a connection
    with cost(STOCK + 1 + COMMIT):
        ticket_open(text="Where is my refund?", channel=Channel.FORM)
    # customer, ticket, two events and message are one statement, which begins their transaction; nobody reads them to ask for
    # a run, which is done before they are written
    with cost(1 + COMMIT):
        ticket_open(text="Where is my refund?", channel=Channel.FORM)
    with cost(1 + COMMIT):
        ticket_open(text="Where is my refund?", topic_key="refund", channel=Channel.FORM, key="k")
    # again: it, refused, what takes it back, the end of its lock, and the ticket
    with cost(4):
        ticket_open(text="Where is my refund?", topic_key="refund", channel=Channel.FORM, key="k")
    with cost(2 + TRANSACTION):
        ticket_open(text="See", channel=Channel.FORM, files=[inspect("note.txt", b"hello")])
    # which model is live, asked for where no topic was chosen
    kept.forget("triage")
    with cost(STOCK + 1 + COMMIT + 1):
        ticket_open(text="Where is my refund?", channel=Channel.FORM)
    # what is not kept: topics; needs, steps, routes and calendars
    kept.forget()
    with cost(1 + COMMIT + 1 + 4):
        ticket_open(text="Where is my refund?", topic_key="refund", channel=Channel.FORM)


@pytest.mark.django_db(transaction=True)
def test_the_form(world: World, cost: Assert) -> None:
    """Checking and answering add nothing to the service."""
    topics.active()
    routes.routes()
    blocking.check(email="", address="")  # kept for some seconds, like the topics
    writing._stock.clear()
    with cost(STOCK + 1 + COMMIT):
        answer = Client().post("/", {"text": "Where is my refund?", "topic": "refund", "key": "k"})
    assert answer.status_code == 303


def test_customer_reply(ticket: Ticket, cost: Assert) -> None:
    # number, event, message
    with cost(3 + TRANSACTION):
        customer_reply(ticket=ticket, body="Hello?")
    with cost(4 + TRANSACTION):
        customer_reply(ticket=ticket, body="Hello?", key="k")
    # the files of the day, the file
    with cost(5 + TRANSACTION):
        customer_reply(ticket=ticket, body="See", files=[inspect("note.txt", b"hello")])
    # again: the receipt, the message
    with cost(2):
        customer_reply(ticket=ticket, body="Hello?", key="k")


@pytest.mark.django_db(transaction=True)
def test_match_pool(world: World, cost: Assert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_SECONDS", 600.0)
    online(world, "Anna", "Bernd")
    writing.keep(writing.take())
    # Without tickets: the lock and what there is, in one, and the end of the lock; and cold: needs, steps, routes,
    # calendars, policy, the pool's standing.
    kept.forget()
    with cost(2 + 6):
        match_pool(world.pool.pk)
    for _ in range(3):
        world.ticket()
    # The same, members, their skills, their languages; rates; locks and everything written; what the run saw; whatever the
    # number of tickets and people.
    with cost(2 + 6):
        match_pool(world.pool.pk)
    assert Offer.objects.count() == 2
    for offer in Offer.objects.all():
        offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    # Warm: neither members, skills, languages nor rates.
    with cost(2 + 2):
        assert match_pool(world.pool.pk) >= 1


def test_offer_accept_alone(world: World, ticket: Ticket, cost: Assert) -> None:
    online(world, "Anna")
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    # offer, shift's lock, answer, ticket, its event, feed's number, its event
    with cost(7 + TRANSACTION):
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    # again: the same two, the answer that changes nothing, the offer as it is
    with cost(4 + TRANSACTION):
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)


@pytest.mark.parametrize(("rivals", "queries"), [(1, 13), (2, 16)])
def test_offer_accept_before_others(
    world: World, ticket: Ticket, cost: Assert, rivals: int, queries: int
) -> None:
    online(world, *("Anna", "Bernd", "Clara")[: rivals + 1])
    match_pool(world.pool.pk)
    assert Offer.objects.count() == rivals + 1
    offer = Offer.objects.all()[0]
    # and the others' offers, feeds' numbers and events; for each its units and two for the ticket's timeline
    with cost(queries + TRANSACTION):
        offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)


def test_desk(world: World, ticket: Ticket, cost: Assert) -> None:
    online(world, "Anna")
    anna = world.agents["Anna"]
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    # shift, whether it is held, number, event, message
    with cost(5 + TRANSACTION):
        desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="Let me look.")
    with cost(13 + TRANSACTION):
        desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk)


def test_over_http(world: World, ticket: Ticket, cost: Assert) -> None:
    """What signing in and answering add to the services."""
    online(world, "Anna")
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    carla, anna = customer_of(ticket), agent_of(world.agents["Anna"])
    blocking.check(email="", address="")
    with cost(1 + TRANSACTION):
        anonymous().tell("tickets", {"text": "Hello", "topic": "refund"}, key="k")
    # the ticket by its token; its messages, their files
    with cost(1 + 2):
        carla.ask(f"tickets/{ticket.public_id}")
    # the ticket by its token; the message's files, read for the answer
    with cost(1 + 3 + TRANSACTION + 1):
        carla.tell(f"tickets/{ticket.public_id}/messages", {"body": "Hello?"})
    # token, account and agent in one
    with cost(1 + 7 + TRANSACTION):
        anna.tell(f"offers/{offer.pk}/accept", {"epoch": 1})
    # who; shift, lease, whether it was lost
    with cost(1 + 3):
        anna.tell("shift/beat", {"epoch": 1})
    # who; the offer that made it theirs; the service; files
    with cost(1 + 1 + 5 + TRANSACTION + 1):
        anna.tell(f"desk/{ticket.public_id}/reply", {"epoch": 1, "body": "Let me look."})
