"""A new ticket waits some seconds for somebody whom it suits: by policy, on the database."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from dispatch import decisions, desk, presence, queue
from dispatch.models import Offer, Policy, Run
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def choosy(world: World) -> World:
    """Ten seconds for people of level 4 and more; Ben has level 2 and is online."""
    Policy.objects.create(
        pool=world.pool,
        version=1,
        exploration_percent=0,
        reserve_seconds=10,
        reserve=0.8,
        load=0,
        scarcity=0,
        fairness=0,
    )
    kept.forget()
    presence.go_online(agent_id=world.agent("Ben", payments=2).pk)
    return world


def older(seconds: int) -> None:
    Ticket.objects.update(waiting_since=F("waiting_since") - timedelta(seconds=seconds))


def test_it_waits_for_the_better_match_and_then_for_nobody(choosy: World) -> None:
    ticket = choosy.ticket()
    assert match_pool(choosy.pool.pk) == 0
    ticket.refresh_from_db()
    assert ticket.flagged_at is None  # somebody may take it, only not yet
    assert queue.pools_due() == {choosy.pool.pk}  # the tick looks again
    older(10)
    assert match_pool(choosy.pool.pk) == 1
    assert Offer.objects.get().agent == choosy.agents["Ben"]


def test_who_suits_is_asked_at_once_and_told_why(choosy: World) -> None:
    ann = choosy.agent("Ann", payments=4)
    presence.go_online(agent_id=ann.pk)
    ticket = choosy.ticket()
    match_pool(choosy.pool.pk)
    offer = Offer.objects.get()
    assert (offer.agent, offer.why["reserved"]) == (ann, True)
    run = Run.objects.get()
    assert decisions.replay(run).verdict == "same"
    assert decisions.why_not(run, ticket.pk, choosy.agents["Ben"].pk, "en")[0].startswith(
        "The ticket had only just come"
    )


def test_urgent_tickets_do_not_wait(choosy: World) -> None:
    Ticket.objects.filter(pk=choosy.ticket().pk).update(priority=1)
    assert match_pool(choosy.pool.pk) == 1


def test_nor_do_those_of_customers_whom_somebody_knows(choosy: World) -> None:
    ben = choosy.agents["Ben"]
    first = choosy.ticket()
    older(10)
    match_pool(choosy.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=ben.pk, epoch=1)
    desk.resolve(agent=ben, epoch=1, ticket_id=first.pk)
    again = choosy.ticket()
    assert match_pool(choosy.pool.pk) == 0  # as anybody's
    Ticket.objects.filter(pk=again.pk).update(customer=first.customer)
    assert match_pool(choosy.pool.pk) == 1
    assert Offer.objects.get(state="pending").ticket == again


def test_the_page_says_so(choosy: World, client: Client) -> None:
    page = " ".join(client.get("/how-offers-are-made").content.decode().split())
    assert (
        "In its first 10 seconds a ticket is offered only to people whom it suits: those with 0.8 points or more"
        in page
    )
    Policy.objects.update(reserve=0.0)  # seconds without points ask for nothing
    assert "whom it suits" not in client.get("/how-offers-are-made").content.decode()
