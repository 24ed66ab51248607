"""The assistant never talks over anybody: its word against the customer's wish for a person, a person's, another worker's."""

import threading
from collections.abc import Callable

import pytest
from django.db import transaction

from dispatch import desk, listeners, presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tests.tickets.assistant.scenes import opened, switch_on
from tickets.assistant import turns
from tickets.conversation import customer_reply
from tickets.lifecycle import ticket_close, ticket_request_human
from tickets.models import AssistantAnswer, Author, Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture(autouse=True)
def assistant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On for refunds; nobody but the tests asks for its turn."""
    switch_on(world)
    monkeypatch.setattr(listeners.tasks, "assistant_ask", lambda ticket_id: None)


def spoken(ticket: Ticket) -> list[int]:
    of_it = Message.objects.filter(ticket=ticket, author=Author.SYSTEM, internal=False)
    return list(of_it.order_by("seq").values_list("seq", flat=True))


def test_a_customer_who_asks_for_a_person_has_the_last_word(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    for _ in range(8):
        ticket = opened(world)
        outcomes = together(
            lambda ticket=ticket: ticket_request_human(ticket=ticket),
            lambda ticket=ticket: turns.answer(ticket_id=ticket.pk),
        )
        assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
        ticket.refresh_from_db()
        assert (ticket.state, ticket.handover) == ("waiting", "person")
        asked = ticket.events.get(type="ticket.human_requested").seq
        assert all(seq < asked for seq in spoken(ticket))
        assert Message.objects.filter(ticket=ticket, internal=True).count() == 1
        assert turns.answer(ticket_id=ticket.pk) is None
        invariants_hold()


def test_five_workers_with_the_same_task_answer_once(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    for _ in range(4):
        ticket = opened(world)
        together(*[lambda ticket=ticket: turns.answer(ticket_id=ticket.pk)] * 5)
        assert len(spoken(ticket)) == AssistantAnswer.objects.filter(ticket=ticket).count() == 1
        invariants_hold()


def test_a_message_or_a_farewell_in_the_same_moment_loses_nothing(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    for turn in range(6):
        ticket = opened(world)
        other = (
            (lambda ticket=ticket: customer_reply(ticket=ticket, body="It is about my coat"))
            if turn % 2
            else (lambda ticket=ticket: ticket_close(ticket=ticket))
        )
        outcomes = together(other, lambda ticket=ticket: turns.answer(ticket_id=ticket.pk))
        assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
        ticket.refresh_from_db()
        if turn % 2 == 0:
            assert ticket.state == "closed"
        else:
            turns.answer(ticket_id=ticket.pk)
            ticket.refresh_from_db()
            assert ticket.state in ("assisted", "waiting")
            assert turns.look(ticket.pk) is None  # nothing is owed any more
        invariants_hold()


def thought_too_long(world: World, act: Callable[[turns.Seen, turns.Answer], object]) -> Ticket:
    """The assistant has thought while the customer asked for a person and Anna took the ticket; then it acts."""
    anna = world.agents.get("Anna") or world.agent("Anna")
    epoch = presence.go_online(agent_id=anna.pk).epoch
    ticket = opened(world)
    seen = turns.look(ticket.pk)
    assert seen is not None
    found = turns.decide(seen)
    assert isinstance(found, turns.Answer)

    def person() -> None:
        ticket_request_human(ticket=ticket)
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=epoch)
        desk.reply(agent=anna, epoch=epoch, ticket_id=ticket.pk, body="Hello, I am Anna.")
        held.set()

    held = threading.Event()

    def machine() -> object:
        held.wait(10)
        return act(seen, found)

    outcomes = together(person, machine)
    assert outcomes[0] is None, outcomes
    ticket.refresh_from_db()
    assert ticket.state == "held"
    return ticket


def test_it_says_nothing_once_a_person_holds_the_ticket(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    ticket = thought_too_long(world, turns._post)
    assert spoken(ticket) == []
    assert not AssistantAnswer.objects.exists()
    invariants_hold()


def test_control_posting_what_was_thought_talks_over_the_person(world: World) -> None:
    """What looking once more in the same statement prevents."""

    def naive(seen: turns.Seen, found: turns.Answer) -> None:
        with transaction.atomic():
            turns.message_post(
                ticket_id=seen.ticket.pk, author=Author.SYSTEM, author_name="Assistant", body=found.body
            )

    ticket = thought_too_long(world, naive)
    assert spoken(ticket) > [ticket.events.get(type="ticket.held").seq]
