"""The way of one ticket through the services: open, offer, accept, chat, resolve, pay, rate."""

import pytest

from agents.models import LedgerEntry, Shift
from dispatch import desk, presence
from dispatch.models import FeedEvent, Offer, OfferState, Run
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tickets.lifecycle import ticket_rate
from tickets.models import Message, Rating, Ticket, TicketEvent

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_ticket_goes_its_way(world: World) -> None:
    anna = world.agent("Anna")
    shift = presence.go_online(agent_id=anna.pk)
    ticket = world.ticket()

    assert match_pool(world.pool.pk) == 1
    offer = Offer.objects.get()
    assert (offer.agent, offer.state, offer.pay_cents, offer.currency) == (
        anna,
        OfferState.PENDING,
        400,
        "EUR",
    )
    assert Shift.objects.get().units_taken == 30
    assert Run.objects.get().offers == 1

    assert offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=shift.epoch).state == OfferState.ACCEPTED
    ticket.refresh_from_db()
    assert (ticket.state, ticket.served_by) == ("held", "Anna")

    desk.reply(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk, body="Hello Carla, let me look.")
    desk.resolve(agent=anna, epoch=shift.epoch, ticket_id=ticket.pk)
    offer.refresh_from_db()
    assert offer.state == OfferState.COMPLETED
    entry = LedgerEntry.objects.get()
    assert (entry.agent, entry.amount_cents, entry.reference) == (anna, 400, f"offer:{offer.pk}")
    assert Shift.objects.get().units_taken == 0

    ticket = Ticket.objects.get()
    ticket_rate(ticket=ticket, score=5, solved=True)
    assert Rating.objects.get().score == 5
    assert [event.type for event in TicketEvent.objects.order_by("seq")] == [
        "ticket.opened",
        "message.posted",
        "ticket.offered",
        "ticket.held",
        "message.posted",
        "ticket.resolved",
        "ticket.rated",
    ]
    assert list(TicketEvent.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4, 5, 6, 7]
    assert [event.type for event in FeedEvent.objects.order_by("seq")] == [
        "shift.changed",
        "offer.made",
        "offer.accepted",
        "offer.completed",
        "ledger.credited",
    ]
    assert Message.objects.count() == 2
