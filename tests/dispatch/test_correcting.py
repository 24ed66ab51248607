"""The holder changes a ticket's topic: once, told, learned from, and without touching what was agreed."""

import re

import pytest

from agents.models import Agent
from dispatch import correcting, desk, presence
from dispatch.errors import NotHolder
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.console import Person, text_of
from tests.tickets.triage.small import labelled
from tests.untouched import nothing_changed
from tickets.errors import UnknownTopic
from tickets.intake import ticket_open
from tickets.models import Channel, Ticket, TicketEvent, TriageLabel
from tickets.triage import versions

pytestmark = pytest.mark.django_db


def held(world: World, name: str = "Anna") -> tuple[Agent, Ticket]:
    agent = world.agent(name)
    presence.go_online(agent_id=agent.pk)
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=agent.pk, epoch=1)
    return agent, Ticket.objects.get(pk=ticket.pk)


def correct(agent: Agent, ticket: Ticket, key: str = "card", again: str | None = None) -> None:
    correcting.topic_correct(agent=agent, epoch=1, ticket_id=ticket.pk, topic_key=key, key=again)


def test_the_topic_changes_and_what_was_agreed_does_not(world: World) -> None:
    world.card.priority = 2
    world.card.save()
    agent, ticket = held(world)
    before = Offer.objects.values().get()
    correct(agent, ticket, again="one")
    correct(agent, ticket, again="one")
    ticket.refresh_from_db()
    assert (ticket.topic, ticket.priority, ticket.state) == (world.card, 2, "held")
    event = TicketEvent.objects.get(ticket=ticket, type="ticket.topic_changed")
    assert event.data == {"topic": "card", "before": "refund"}
    assert (event.actor_id, event.public) == (agent.user_id, True)
    assert Offer.objects.values().get() == before
    assert [(row.ticket_id, row.label, row.text) for row in TriageLabel.objects.all()] == [
        (ticket.pk, "card", "")
    ]
    desk.resolve(agent=agent, epoch=1, ticket_id=ticket.pk)
    assert agent.ledger.get().amount_cents == 400  # the rate of "refund", which the card showed


def test_the_last_word_counts(world: World) -> None:
    agent, ticket = held(world)
    correct(agent, ticket)
    correct(agent, ticket, "refund")
    assert TriageLabel.objects.get().label == "refund"


def test_the_same_topic_changes_nothing(world: World) -> None:
    agent, ticket = held(world)
    with nothing_changed():
        correct(agent, ticket, "refund")


def test_only_the_holder_and_only_a_topic_that_is_offered(world: World) -> None:
    agent, ticket = held(world)
    other = world.agent("Bernd")
    presence.go_online(agent_id=other.pk)
    with nothing_changed():
        with pytest.raises(NotHolder):
            correct(other, ticket)
        with pytest.raises(UnknownTopic):
            correct(agent, ticket, "no-such")


def test_given_back_it_goes_the_way_of_its_new_topic(world: World) -> None:
    agent, ticket = held(world)
    greta = world.agent("Greta", cards=0)
    hanna = world.agent("Hanna", cards=3, payments=0)
    for one in (greta, hanna):
        presence.go_online(agent_id=one.pk)
    correct(agent, ticket)
    desk.hand_back(agent=agent, epoch=1, ticket_id=ticket.pk)
    match_pool(world.pool.pk)
    assert [offer.agent_id for offer in Offer.objects.filter(state="pending")] == [hanna.pk]


def test_the_console_shows_it_and_takes_the_form(world: World) -> None:
    anna = Person(world, "Anna").online()
    ticket = anna.holding()
    assert "Change the topic" in text_of(anna.get())
    page = text_of(anna.post(f"tickets/{ticket.public_id}/topic", topic="card"))
    ticket.refresh_from_db()
    assert ticket.topic == world.card
    assert "Topic changed from “Refund” to “Card”" in page
    answer = anna.fetch(f"tickets/{ticket.public_id}/topic", topic="no-such")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_topic")  # type: ignore[attr-defined]


def test_the_console_says_that_a_machine_has_set_it(world: World) -> None:
    versions.train_file(labelled(), precision=0.9)
    anna = Person(world, "Anna").online()
    ticket = ticket_open(text="Where is my money back?", channel=Channel.FORM).ticket
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.agent.pk, epoch=anna.epoch)
    assert re.search(r"set by a machine, \d+ percent sure", text_of(anna.get()))
    page = text_of(anna.post(f"tickets/{ticket.public_id}/topic", topic="card"))
    assert "Topic set by a machine: “Refund”" in page  # the thread says what was
    assert "set by a machine, " not in page
