"""The share of tickets that goes to newcomers first, on the database: counted, given, said on the card and on the page."""

import pytest
from django.db.models.functions import Now
from django.test import Client

from agents.models import Agent
from dispatch import cards, decisions, presence, queue, routes
from dispatch.models import Offer, Policy, Run, Standing
from dispatch.rules.newcomers import FEW, newcomers_first
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def there(world: World, name: str, answered: int, **levels: int) -> Agent:
    agent = world.agent(name, **levels)
    Standing.objects.create(agent=agent, answered=answered)
    presence.go_online(agent_id=agent.pk)
    return agent


def policy(world: World, percent: int) -> None:
    Policy.objects.update_or_create(
        pool=world.pool, version=1, defaults={"max_parallel": 1, "exploration_percent": percent}
    )
    kept.forget()


def numbered(world: World, *, first: bool) -> Ticket:
    """A ticket whose number is one of those that go to newcomers first, or not, at 5 %."""
    ticket = world.ticket()
    while bool(newcomers_first(ticket.pk, 5)) != first:
        Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=Now())
        ticket = world.ticket()
    return ticket


def test_a_share_of_the_tickets_goes_to_newcomers_first(world: World) -> None:
    policy(world, 5)
    there(world, "Anna", FEW, payments=5)
    ben = there(world, "Ben", FEW - 1, payments=2)
    numbered(world, first=True)
    match_pool(world.pool.pk)
    offer = Offer.objects.get(state="pending")
    assert offer.agent == ben
    assert cards.why_lines(offer, "en")[0] == "You are new: a share of the tickets goes to newcomers first."
    assert offer.why["terms"]["newcomer"] == routes.policy(world.pool.pk).weights.newcomer
    assert decisions.replay(Run.objects.get()).verdict == "same"


@pytest.mark.parametrize(("percent", "first"), [(5, False), (0, True)])
def test_the_others_go_to_who_fits_best(world: World, percent: int, first: bool) -> None:
    policy(world, percent)
    there(world, "Anna", FEW, payments=5)
    there(world, "Ben", 0, payments=2)
    numbered(world, first=first)
    match_pool(world.pool.pk)
    assert Offer.objects.get(state="pending").agent.name == "Anna"


def test_hard_needs_stay_hard(world: World) -> None:
    policy(world, 5)
    there(world, "Anna", FEW)
    there(world, "Ben", 0, payments=1)  # the topic needs 2
    numbered(world, first=True)
    match_pool(world.pool.pk)
    assert Offer.objects.get(state="pending").agent.name == "Anna"


def test_answers_are_counted_and_missed_offers_are_none(world: World) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    queue.standings_refresh()
    assert Standing.objects.get().answered == 0
    for state in ("completed", "declined", "expired", "rescinded", "revoked"):
        ticket = world.ticket()
        Offer.objects.create(
            ticket=ticket,
            agent=anna,
            shift=anna.shifts.get(),
            run=Run.objects.create(
                pool=world.pool,
                policy=Policy.objects.get_or_create(pool=world.pool, version=1)[0],
                tickets=1,
                agents=1,
                offers=1,
                solve_micros=1,
                snapshot=b"",
            ),
            state=state,
            reason="",
            units=30,
            pay_cents=0,
            currency="EUR",
            why={},
            expires_at=Now(),
            answered_at=Now(),
            ended_at=Now(),
        )
    queue.standings_refresh()
    # It ran out, another was faster, or it was taken back: no answer of theirs.
    assert Standing.objects.get().answered == 2
    assert Standing.objects.get().accept_rate == pytest.approx(5 / 7)


def test_the_page_says_so(client: Client, world: World) -> None:
    policy(world, 5)
    page = " ".join(client.get("/how-offers-are-made").content.decode().split())
    assert "Of a hundred tickets, 5 go first to newcomers who may take them" in page
    assert "fewer than 20 offers in the last 7 days" in page
    policy(world, 0)
    assert "newcomers" not in client.get("/how-offers-are-made").content.decode()
