"""A ticket is merged while somebody accepts it: one of the two happens, and the other is refused."""

import threading
from collections.abc import Callable

import pytest
from django.db import transaction

from agents.models import Agent
from dispatch import merging, presence
from dispatch.errors import NotToMerge, OfferGone
from dispatch.models import Offer, OfferState, Route
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tickets import kept
from tickets.lifecycle import ticket_close
from tickets.models import Ticket, TicketState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def scene(world: World, anna: Agent, bernd: Agent) -> tuple[Ticket, Ticket, Offer]:
    """Anna holds one, and Bernd is asked for the other."""
    mine = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=mine, agent=anna).pk, agent_id=anna.pk, epoch=1)
    other = world.ticket()
    Ticket.objects.filter(pk=other.pk).update(customer=mine.customer)
    match_pool(world.pool.pk)
    return mine, other, Offer.objects.get(ticket=other, agent=bernd)


def test_either_it_is_merged_or_it_is_accepted(world: World, invariants_hold: Callable[[], None]) -> None:
    anna, bernd = world.agent("Anna"), world.agent("Bernd")
    for agent in (anna, bernd):
        presence.go_online(agent_id=agent.pk)
    Route.objects.update(wrap_up_seconds=0)
    kept.forget()
    for _ in range(8):
        mine, other, offer = scene(world, anna, bernd)
        merged, accepted = together(
            lambda mine=mine, other=other: merging.merge(
                agent=anna, epoch=1, ticket_id=mine.pk, other=other.public_id
            ),
            lambda offer=offer: offer_accept(offer_id=offer.pk, agent_id=bernd.pk, epoch=1),
        )
        other.refresh_from_db()
        if merged is None:
            assert isinstance(accepted, OfferGone), accepted
            assert (other.state, other.merged_into_id) == ("closed", mine.pk)
            assert not Offer.objects.filter(ticket=other, state__in=Offer.LIVE).exists()
        else:
            assert isinstance(merged, NotToMerge), merged
            assert accepted.state == OfferState.ACCEPTED, accepted
            assert (other.state, other.merged_into_id) == ("held", None)
        invariants_hold()
        for ticket in Ticket.objects.filter(state__in=Ticket.OPEN):  # room for the next ones
            ticket_close(ticket=ticket)


def test_control_looking_before_writing_closes_what_somebody_has(world: World) -> None:
    """What the locks and the condition in the UPDATE prevent: a holder of a ticket that has gone on elsewhere."""
    anna, bernd = world.agent("Anna"), world.agent("Bernd")
    for agent in (anna, bernd):
        presence.go_online(agent_id=agent.pk)
    mine, other, offer = scene(world, anna, bernd)
    looked, taken = threading.Barrier(2), threading.Event()

    def naive() -> None:
        with transaction.atomic():
            assert Ticket.objects.filter(pk=other.pk, state=TicketState.WAITING).exists()
            looked.wait(10)
            assert taken.wait(10)
            Ticket.objects.filter(pk=other.pk).update(
                state="closed", ended_as="merged", merged_into=mine, held_at=None
            )

    def accept() -> None:
        looked.wait(10)
        offer_accept(offer_id=offer.pk, agent_id=bernd.pk, epoch=1)
        taken.set()

    assert together(naive, accept) == [None, None]
    assert Offer.objects.filter(ticket=other, state="accepted").exists()
    other.refresh_from_db()
    assert other.state == "closed"
