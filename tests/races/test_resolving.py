"""The tick against undo, and against a message of the customer: one of the two, wholly."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now

from agents.models import LedgerEntry
from dispatch import desk, resolving
from dispatch.errors import TooLateToUndo
from dispatch.models import Offer
from tests.cast import World
from tests.races.conftest import together
from tests.races.test_messages import held
from tickets import lifecycle
from tickets.conversation import customer_reply
from tickets.errors import TicketClosed
from tickets.models import Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def due(world: World) -> tuple[Ticket, Offer, int]:
    ticket, offer, epoch = held(world)
    desk.reply(agent=offer.agent, epoch=epoch, ticket_id=ticket.pk, body="Bye", then_resolve=True)
    Offer.objects.filter(pk=offer.pk).update(resolves_at=Now() - timedelta(seconds=1))
    return ticket, offer, epoch


def test_undo_against_the_tick(world: World, invariants_hold: Callable[[], None]) -> None:
    for _ in range(8):
        ticket, offer, epoch = due(world)
        outcomes = together(
            resolving.look,
            resolving.look,
            lambda ticket=ticket, offer=offer, epoch=epoch: resolving.undo(
                agent=offer.agent, epoch=epoch, ticket_id=ticket.pk
            ),
        )
        ticket.refresh_from_db()
        undone = outcomes[2] is None
        assert undone or isinstance(outcomes[2], TooLateToUndo), outcomes
        assert ticket.state == ("held" if undone else "resolved")
        assert LedgerEntry.objects.filter(reference=f"offer:{offer.pk}").count() == (not undone)
        invariants_hold()
        if undone:
            desk.resolve(agent=offer.agent, epoch=epoch, ticket_id=ticket.pk)


def test_a_message_against_the_tick(world: World, invariants_hold: Callable[[], None]) -> None:
    for _ in range(8):
        ticket, offer, epoch = due(world)
        outcomes = together(
            resolving.look, lambda ticket=ticket: customer_reply(ticket=ticket, body="And the fee?")
        )
        resolving.look()
        ticket.refresh_from_db()
        if isinstance(outcomes[1], Message):
            assert ticket.state == "held"
            desk.resolve(agent=offer.agent, epoch=epoch, ticket_id=ticket.pk)
        else:
            assert isinstance(outcomes[1], TicketClosed), outcomes
            assert ticket.state == "resolved"
        invariants_hold()


def test_control_looking_before_the_ticket_is_locked_resolves_over_a_message(world: World) -> None:
    """What the lock between the look and the step prevents."""
    ticket, offer, _epoch = due(world)
    looked, written = threading.Event(), threading.Event()

    def naive() -> None:
        with transaction.atomic():
            assert not Message.objects.filter(
                ticket=ticket, author="customer", seq__gt=offer.resolves_after or 99
            )
            looked.set()
            written.wait(10)
            lifecycle.ticket_resolve(ticket_id=ticket.pk, actor_id=offer.agent.user_id)

    def customer() -> None:
        looked.wait(10)
        customer_reply(ticket=ticket, body="And the fee?")
        written.set()

    together(naive, customer)
    ticket.refresh_from_db()
    assert ticket.state == "resolved"
    assert Message.objects.latest("pk").body == "And the fee?"
