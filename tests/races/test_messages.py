"""Message against message: numbers without gap or double; one key, one message; resolve against close: one credit."""

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Max

from agents.models import LedgerEntry
from dispatch import desk, presence
from dispatch.models import Offer
from dispatch.offers import offer_accept, offers_cancel
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tickets.conversation import customer_reply
from tickets.errors import Refusal
from tickets.lifecycle import ticket_close
from tickets.models import Message, Ticket, TicketEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def held(world: World) -> tuple[Ticket, Offer, int]:
    agent = world.agents.get("Anna") or world.agent("Anna")
    shift = presence.go_online(agent_id=agent.pk)
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.select_related("agent").get(ticket=ticket)
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=shift.epoch)
    return Ticket.objects.select_related("customer").get(pk=ticket.pk), offer, shift.epoch


def test_messages_of_both_sides_at_once_are_numbered_without_a_gap(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    ticket, offer, epoch = held(world)

    def customer(number: int) -> Callable[[], Message]:
        return lambda: customer_reply(ticket=ticket, body=f"customer {number}")

    def agent(number: int) -> Callable[[], Message]:
        return lambda: desk.reply(agent=offer.agent, epoch=epoch, ticket_id=ticket.pk, body=f"agent {number}")

    for turn in range(6):
        outcomes = together(
            *(customer(turn * 3 + i) for i in range(3)), *(agent(turn * 3 + i) for i in range(3))
        )
        assert all(isinstance(outcome, Message) for outcome in outcomes), outcomes
    ticket.refresh_from_db()
    seqs = list(TicketEvent.objects.filter(ticket=ticket).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, ticket.last_seq + 1))
    assert Message.objects.filter(ticket=ticket).count() == 1 + 36
    invariants_hold()


def test_control_numbering_by_the_highest_number_collides(world: World) -> None:
    """What taking the number under the row's lock prevents: look for the highest, add one."""
    ticket = world.ticket()
    looked = threading.Barrier(2)

    def naive() -> None:
        with transaction.atomic():
            highest = TicketEvent.objects.filter(ticket=ticket).aggregate(highest=Max("seq"))["highest"]
            looked.wait(10)
            TicketEvent.objects.create(ticket=ticket, seq=highest + 1, type="message.posted", public=True)

    outcomes = together(naive, naive)
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1


def test_one_key_sent_five_times_at_once_is_one_message(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    ticket = Ticket.objects.select_related("customer").get(pk=world.ticket().pk)
    outcomes = together(*[lambda: customer_reply(ticket=ticket, body="Hello?", key="k1")] * 5)
    assert {outcome.pk for outcome in outcomes} == {outcomes[0].pk}
    assert Message.objects.filter(ticket=ticket, body="Hello?").count() == 1
    invariants_hold()


def test_control_without_a_key_five_are_five(world: World) -> None:
    ticket = Ticket.objects.select_related("customer").get(pk=world.ticket().pk)
    together(*[lambda: customer_reply(ticket=ticket, body="Hello?")] * 5)
    assert Message.objects.filter(ticket=ticket, body="Hello?").count() == 5


def test_resolve_against_close_is_paid_once(world: World, invariants_hold: Callable[[], None]) -> None:
    for turn in range(8):
        ticket, offer, epoch = held(world)

        def close(ticket: Ticket = ticket) -> None:
            ticket_close(ticket=ticket)
            offers_cancel(ticket_id=ticket.pk)

        outcomes = together(
            close,
            lambda ticket=ticket, offer=offer, epoch=epoch: desk.resolve(
                agent=offer.agent, epoch=epoch, ticket_id=ticket.pk
            ),
        )
        offers_cancel(ticket_id=ticket.pk)
        assert sum(isinstance(outcome, Refusal) for outcome in outcomes) <= 1, outcomes
        offer.refresh_from_db()
        assert offer.state == "completed"
        assert LedgerEntry.objects.filter(reference=f"offer:{offer.pk}").count() == 1
        assert LedgerEntry.objects.count() == turn + 1
        invariants_hold()


def test_control_a_second_credit_is_refused_by_the_database(world: World) -> None:
    ticket, offer, epoch = held(world)
    desk.resolve(agent=offer.agent, epoch=epoch, ticket_id=ticket.pk)
    line = LedgerEntry.objects.get()
    with pytest.raises(IntegrityError, match="ledger_credited_once"), transaction.atomic():
        LedgerEntry.objects.create(
            agent=line.agent,
            kind=line.kind,
            amount_cents=1,
            currency="EUR",
            reference=line.reference,
            memo="",
        )
