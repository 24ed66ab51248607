"""Accept against accept: exactly one can. Accept against the tick: won or expired, never both."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from agents.models import Shift
from dispatch import presence
from dispatch.errors import OfferExpired, OfferGone
from dispatch.models import Offer, OfferState
from dispatch.offers import offer_accept, offer_decline, offer_expire
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tickets.models import Ticket, TicketState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 12


def parallel_offers(world: World) -> tuple[Ticket, list[Offer]]:
    ticket = world.ticket()
    assert match_pool(world.pool.pk) == 3
    return ticket, list(Offer.objects.filter(ticket=ticket).select_related("shift", "agent"))


def accepting(offer: Offer) -> Callable[[], Offer]:
    return lambda: offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=offer.shift.epoch)


def test_of_three_who_accept_at_once_one_wins(world: World, invariants_hold: Callable[[], None]) -> None:
    for name in ("Anna", "Bernd", "Cem"):
        presence.go_online(agent_id=world.agent(name).pk)
    for _ in range(ROUNDS):
        ticket, offers = parallel_offers(world)
        outcomes = together(*(accepting(offer) for offer in offers))
        won = [outcome for outcome in outcomes if isinstance(outcome, Offer)]
        assert len(won) == 1
        assert sum(isinstance(outcome, OfferGone) for outcome in outcomes) == 2
        states = sorted(Offer.objects.filter(ticket=ticket).values_list("state", flat=True))
        assert states == ["accepted", "rescinded", "rescinded"]
        invariants_hold()
        with transaction.atomic():  # make room for the next round
            Offer.objects.filter(ticket=ticket, state="accepted").update(state="released", ended_at=Now())
            Shift.objects.update(units_taken=0)
            Ticket.objects.filter(pk=ticket.pk).update(
                state=TicketState.CLOSED, held_at=None, closed_at=Now()
            )


def test_control_without_the_condition_two_win(world: World) -> None:
    """What the conditional UPDATE and the partial unique index prevent: look, then write, in two steps."""
    for name in ("Anna", "Bernd", "Cem"):
        presence.go_online(agent_id=world.agent(name).pk)
    ticket, offers = parallel_offers(world)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX offer_one_holder_a_ticket")
    try:
        looked = threading.Barrier(len(offers))

        def naive(offer: Offer) -> Callable[[], bool]:
            def accept() -> bool:
                free = not Offer.objects.filter(ticket=ticket, state="accepted").exists()
                looked.wait(10)
                if free:
                    Offer.objects.filter(pk=offer.pk).update(state="accepted", answered_at=Now())
                return free

            return accept

        assert together(*(naive(offer) for offer in offers)) == [True, True, True]
        assert Offer.objects.filter(ticket=ticket, state="accepted").count() == 3
    finally:
        Offer.objects.filter(state="accepted").update(state="released", ended_at=Now())
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE UNIQUE INDEX offer_one_holder_a_ticket ON dispatch_offer (ticket_id) WHERE state = 'accepted'"
            )


def test_the_same_accept_five_times_at_once_is_one(world: World, invariants_hold: Callable[[], None]) -> None:
    presence.go_online(agent_id=world.agent("Anna").pk)
    for _ in range(3):
        ticket = world.ticket()
        match_pool(world.pool.pk)
        offer = Offer.objects.select_related("shift").get(ticket=ticket)
        outcomes = together(*[accepting(offer)] * 5)
        assert [outcome.state for outcome in outcomes] == ["accepted"] * 5
        assert ticket.events.filter(type="ticket.held").count() == 1
        invariants_hold()


def test_accept_against_the_tick_at_the_deadline(world: World, invariants_hold: Callable[[], None]) -> None:
    agent = world.agent("Anna")
    won = expired = 0
    for turn in range(ROUNDS * 2):
        shift = presence.go_online(agent_id=agent.pk)
        ticket = world.ticket()
        match_pool(world.pool.pk)
        offer = Offer.objects.select_related("shift").get(ticket=ticket)
        # Around now: for one half the deadline has passed when both look, for the other it may. The first and the last
        # are sure, however slow the machine is.
        margin = timedelta(milliseconds=(turn - ROUNDS) * 2)
        if turn == ROUNDS * 2 - 1:
            margin = timedelta(minutes=1)
        Offer.objects.filter(pk=offer.pk).update(expires_at=Now() + margin)
        answer, expiry = together(
            accepting(offer), lambda offer=offer: offer_expire(offer_id=offer.pk, shift_id=offer.shift_id)
        )
        offer.refresh_from_db()
        if isinstance(answer, Offer):
            assert (expiry, offer.state) == (False, OfferState.ACCEPTED)
            won += 1
        else:
            assert isinstance(answer, OfferExpired)
            offer_expire(offer_id=offer.pk, shift_id=offer.shift_id)
            offer.refresh_from_db()
            assert offer.state == OfferState.EXPIRED
            expired += 1
        invariants_hold()
        presence.go_offline(agent_id=agent.pk, epoch=shift.epoch)
        Ticket.objects.filter(pk=ticket.pk).update(state=TicketState.CLOSED, held_at=None, closed_at=Now())
    assert won > 0
    assert expired > 0


def test_control_expiry_by_a_look_beforehand_takes_an_accepted_offer(world: World) -> None:
    """Without its condition the tick would end what was accepted after it looked; the database's trigger refuses it."""
    shift = presence.go_online(agent_id=world.agent("Anna").pk)
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(ticket=ticket)
    due = Offer.objects.filter(pk=offer.pk, state="pending").exists()
    offer_accept(offer_id=offer.pk, agent_id=offer.agent_id, epoch=shift.epoch)
    assert due
    with pytest.raises(Exception, match="cannot go from accepted to expired"), transaction.atomic():
        Offer.objects.filter(pk=offer.pk).update(state="expired", ended_at=Now())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dispatch_offer DISABLE TRIGGER offer_step")
    try:
        Offer.objects.filter(pk=offer.pk).update(state="expired", ended_at=Now())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE dispatch_offer ENABLE TRIGGER offer_step")
    ticket.refresh_from_db()
    assert ticket.state == "held"  # held by nobody: what the condition prevents


def test_accept_against_decline_of_two_tabs(world: World, invariants_hold: Callable[[], None]) -> None:
    agent = world.agent("Anna")
    for _ in range(ROUNDS):
        shift = presence.go_online(agent_id=agent.pk)
        ticket = world.ticket()
        match_pool(world.pool.pk)
        offer = Offer.objects.select_related("shift").get(ticket=ticket)
        together(
            accepting(offer),
            lambda offer=offer, shift=shift: offer_decline(
                offer_id=offer.pk, agent_id=agent.pk, epoch=shift.epoch
            ),
        )
        offer.refresh_from_db()
        ticket.refresh_from_db()
        assert (offer.state, ticket.state) in {("accepted", "held"), ("declined", "waiting")}
        invariants_hold()
        presence.go_offline(agent_id=agent.pk, epoch=shift.epoch)
        Ticket.objects.filter(pk=ticket.pk).update(state=TicketState.CLOSED, held_at=None, closed_at=Now())
