"""Routes with steps on the database: whom a ticket is offered to, and after how long a wait."""

from datetime import date, timedelta

import pytest
from django.db.models.functions import Now

from agents.models import Agent, Pool
from dispatch import cards, desk, presence, queue
from dispatch.models import Offer, Requirement, Route, RouteStep
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def aged(ticket: Ticket, seconds: int) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(waiting_since=Now() - timedelta(seconds=seconds))


def route_of(world: World, **values: int) -> Route:
    Route.objects.filter(topic=world.refund).update(**values)
    kept.forget()
    return Route.objects.get(topic=world.refund)


def step(route: Route, after: int, pool: Pool, **more: object) -> None:
    RouteStep.objects.create(route=route, after_seconds=after, pool=pool, **more)
    kept.forget()


def asked() -> list[str]:
    """Names of those who have an open offer."""
    return sorted(Offer.objects.filter(state="pending").values_list("agent__name", flat=True))


@pytest.fixture
def second(world: World) -> Pool:
    return Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")


def member(world: World, name: str, pool: Pool, **levels: int) -> Agent:
    """Online, and a member of this pool alone."""
    agent = world.agent(name, **levels)
    agent.pools.set([pool])
    presence.go_online(agent_id=agent.pk)
    return agent


def test_a_step_lets_another_pool_in_and_nobody_out(world: World, second: Pool) -> None:
    step(route_of(world), 60, second)
    member(world, "Zoe", second)
    ticket = world.ticket()
    aged(ticket, 59)
    assert match_pool(second.pk) == 0
    assert queue.pools_due() == {world.pool.pk}
    aged(ticket, 60)
    assert queue.pools_due() == {world.pool.pk, second.pk}
    member(world, "Anna", world.pool)
    assert match_pool(world.pool.pk) == 1
    assert asked() == ["Anna"]
    offer = Offer.objects.get()
    offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    assert match_pool(second.pk) == 1
    assert asked() == ["Zoe"]


def test_an_open_offer_keeps_the_other_pool_away(world: World, second: Pool) -> None:
    step(route_of(world), 60, second)
    aged(world.ticket(), 61)
    member(world, "Anna", world.pool)
    member(world, "Zoe", second)
    assert match_pool(world.pool.pk) == 1
    assert match_pool(second.pk) == 0
    assert asked() == ["Anna"]


def test_the_best_are_asked_first_and_a_step_lets_the_others_in(world: World) -> None:
    step(route_of(world, least_level=4), 30, world.pool)
    member(world, "Anna", world.pool, payments=3)
    member(world, "Ben", world.pool, payments=1)
    ticket = world.ticket()
    aged(ticket, 29)
    assert match_pool(world.pool.pk) == 0
    aged(ticket, 30)
    assert match_pool(world.pool.pk) == 1
    assert asked() == ["Anna"]  # level 2 is required on every step


def test_the_card_says_what_this_step_asked_for(world: World) -> None:
    """Level 3 at first, then the topic's own; with a certificate on every step."""
    route = route_of(world, least_level=3)
    route.requirements.update(certificate=True)
    step(route, 30, world.pool)
    anna = world.agent("Anna")
    anna.agent_skills.update(certified_until=date.max)
    presence.go_online(agent_id=anna.pk)
    for waited, level in ((0, 3), (30, 2)):
        aged(world.ticket(), waited)
        match_pool(world.pool.pk)
        offer = Offer.objects.get(state="pending")
        [card] = cards.offer_cards([offer.pk], "en").values()
        assert card["skills"] == [{"name": "Payments", "level": level, "certificate": True}]
        offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
        Ticket.objects.update(state="closed", closed_at=Now())


def test_preferred_skills_drop(world: World) -> None:
    route = route_of(world)
    Requirement.objects.create(route=route, skill=world.cards, level=1, required=False)
    step(route, 30, world.pool, preferred=False)
    world.agent("Anna", cards=0)
    presence.go_online(agent_id=world.agents["Anna"].pk)
    for waited, skills in ((0, 2), (30, 1)):
        aged(world.ticket(), waited)
        match_pool(world.pool.pk)
        offer = Offer.objects.get(state="pending")
        assert len(offer.why["skills"]) == skills
        offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
        Ticket.objects.update(state="closed", closed_at=Now())


def test_the_place_is_counted_at_home(world: World, second: Pool) -> None:
    step(route_of(world), 60, second)
    tickets = [world.ticket() for _ in range(2)]
    for ticket in tickets:
        aged(ticket, 100)
    queue.places_write()
    assert queue.places_write() == 0  # one pool does not say otherwise than another
    assert sorted(Ticket.objects.values_list("place", flat=True)) == [1, 2]


class TestNobodyIsLeft:
    def test_only_when_no_step_has_anybody(self, world: World, second: Pool) -> None:
        step(route_of(world), 60, second)
        ticket = world.ticket()
        zoe = member(world, "Zoe", second)
        match_pool(world.pool.pk)
        assert Ticket.objects.get().flagged_at is None  # Zoe will be asked in a minute
        presence.go_offline(agent_id=zoe.pk, epoch=1)
        match_pool(world.pool.pk)
        assert Ticket.objects.get().flagged_at is not None
        presence.go_online(agent_id=zoe.pk)
        match_pool(world.pool.pk)
        assert Ticket.objects.get().flagged_at is None
        aged(ticket, 60)
        assert match_pool(second.pk) == 1

    def test_two_pools_agree(self, world: World, second: Pool) -> None:
        step(route_of(world), 1, second)
        aged(world.ticket(), 5)
        member(world, "Zoe", second, payments=0)
        for pool in (world.pool, second, world.pool, second):
            match_pool(pool.pk)
        assert Ticket.objects.get().events.filter(type="ticket.flagged").count() == 1


class TestWhoKnowsTheCustomer:
    @pytest.fixture
    def served(self, world: World) -> Ticket:
        """A ticket of a customer whom Anna has helped before; Ben is online too."""
        anna = member(world, "Anna", world.pool)
        first = world.ticket()
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
        desk.resolve(agent=anna, epoch=1, ticket_id=first.pk)
        member(world, "Ben", world.pool, payments=5)
        again = world.ticket()
        Ticket.objects.filter(pk=again.pk).update(customer=first.customer)
        return again

    def test_is_asked_first_and_alone(self, world: World, served: Ticket) -> None:
        match_pool(world.pool.pk)
        assert asked() == ["Anna"]

    def test_is_waited_for_while_busy(self, world: World, served: Ticket) -> None:
        world.agents["Anna"].shifts.update(units_taken=100)
        assert match_pool(world.pool.pk) == 0
        aged(served, 15)
        assert match_pool(world.pool.pk) == 1
        assert asked() == ["Ben"]

    def test_is_not_waited_for_when_the_route_says_so(self, world: World, served: Ticket) -> None:
        route_of(world, known_seconds=0)
        world.agents["Anna"].shifts.update(units_taken=100)
        assert match_pool(world.pool.pk) == 1
        assert asked() == ["Ben"]

    @pytest.mark.parametrize("why", ["offline", "skill", "declined"])
    def test_is_not_waited_for_in_vain(self, world: World, served: Ticket, why: str) -> None:
        anna = world.agents["Anna"]
        if why == "offline":
            presence.go_offline(agent_id=anna.pk, epoch=1)
        elif why == "skill":
            anna.agent_skills.all().delete()
        else:
            match_pool(world.pool.pk)
            offer = Offer.objects.get(state="pending")
            offer_decline(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
        kept.forget()
        assert match_pool(world.pool.pk) == 1
        assert asked() == ["Ben"]
