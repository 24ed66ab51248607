"""Next-up: the next ticket is offered while the last one is wrapped up, and takes units when it is accepted."""

from collections.abc import Callable

import pytest
from django.db.models.functions import Now

from agents.errors import AgentFull
from agents.models import Agent, Shift
from dispatch import cards, decisions, desk, presence, wrap_up
from dispatch.models import FeedEvent, Offer, Policy, Route, Run
from dispatch.offers import offer_accept, offer_decline, offer_expire
from dispatch.runs import match_pool
from tests.cast import World
from tests.untouched import nothing_changed
from tickets import kept
from tickets.lifecycle import ticket_reopen
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(world: World) -> World:
    """A ticket takes a whole person, and has a wrap-up."""
    Route.objects.update(wrap_up_seconds=60, units=100)
    kept.forget()
    return world


def wrapping(world: World, name: str) -> Agent:
    """Somebody who wraps up their last ticket."""
    agent = world.agents.get(name) or world.agent(name)
    presence.go_online(agent_id=agent.pk)
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(ticket=ticket, agent=agent)
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=1)
    desk.resolve(agent=agent, epoch=1, ticket_id=ticket.pk)
    return agent


def offered(world: World, agent: Agent) -> Offer:
    ticket = world.ticket()
    match_pool(world.pool.pk)
    return Offer.objects.get(ticket=ticket, agent=agent)


def units(agent: Agent) -> tuple[int, int]:
    shift = Shift.objects.get(agent=agent)
    return shift.units_taken, shift.units_wrapping


def test_it_is_offered_and_takes_no_units(full: World, invariants_hold: Callable[[], None]) -> None:
    anna = wrapping(full, "Anna")
    offer = offered(full, anna)
    assert (offer.state, offer.next_up, offer.units) == ("pending", True, 100)
    assert units(anna) == (100, 100)
    assert offer.why["terms"]["load"] < 0  # fully loaded, as in the simulator
    [card] = cards.agent_snapshot(anna, "en")["data"]["offers"]
    assert card["next_up"] is True
    assert "You were wrapping up your last ticket; this would be your next." in card["why"]
    assert "You have no other ticket open." not in card["why"]
    invariants_hold()


def test_accepting_ends_the_wrap_up(full: World, invariants_hold: Callable[[], None]) -> None:
    anna = wrapping(full, "Anna")
    offer = offered(full, anna)
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    assert units(anna) == (100, 0)
    types = list(FeedEvent.objects.filter(agent=anna).order_by("-seq").values_list("type", flat=True)[:2])
    assert types == ["offer.accepted", "wrap_up.ended"]
    assert FeedEvent.objects.get(type="wrap_up.ended").data["reason"] == "next"
    assert Ticket.objects.get(pk=offer.ticket_id).state == "held"
    with nothing_changed():
        wrap_up.done(agent=anna, epoch=1, ticket_id=Offer.objects.get(state="completed").ticket_id)
    invariants_hold()


def test_no_more_wrap_ups_end_than_are_needed(world: World, invariants_hold: Callable[[], None]) -> None:
    Route.objects.update(wrap_up_seconds=60)
    kept.forget()
    for _ in range(3):  # 30 units each; the fourth needs one of them
        anna = wrapping(world, "Anna")
    offer = offered(world, anna)
    assert offer.next_up
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    assert units(anna) == (90, 60)
    first = Offer.objects.order_by("pk")[0]
    assert first.wrap_until is None  # the one that would have ended first
    invariants_hold()


def test_who_has_room_gets_a_plain_offer(world: World, invariants_hold: Callable[[], None]) -> None:
    Route.objects.update(wrap_up_seconds=60)
    kept.forget()
    anna = wrapping(world, "Anna")
    offer = offered(world, anna)
    assert (offer.next_up, units(anna)) == (False, (60, 30))
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    assert units(anna) == (60, 30)  # the wrap-up goes on
    invariants_hold()


def test_a_policy_without_it_waits(full: World) -> None:
    anna = wrapping(full, "Anna")
    Policy.objects.update(next_up=False)
    kept.forget()
    full.ticket()
    assert match_pool(full.pool.pk) == 0
    wrap_up.done(agent=anna, epoch=1, ticket_id=Offer.objects.get().ticket_id)
    assert match_pool(full.pool.pk) == 1
    assert not Offer.objects.get(state="pending").next_up


@pytest.mark.parametrize("way", ["decline", "expire", "pause", "offline"])
def test_its_end_frees_nothing_that_it_never_took(
    full: World, way: str, invariants_hold: Callable[[], None]
) -> None:
    anna = wrapping(full, "Anna")
    offer = offered(full, anna)
    if way == "decline":
        offer_decline(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    elif way == "expire":
        Offer.objects.filter(pk=offer.pk).update(expires_at=Now())
        offer_expire(offer_id=offer.pk, shift_id=offer.shift_id)
    elif way == "pause":
        presence.pause(agent_id=anna.pk, epoch=1)
    else:
        presence.go_offline(agent_id=anna.pk, epoch=1)
    assert units(anna) == ((0, 0) if way == "offline" else (100, 100))
    invariants_hold()


def test_the_wrap_up_may_be_over_when_they_accept(full: World, invariants_hold: Callable[[], None]) -> None:
    anna = wrapping(full, "Anna")
    offer = offered(full, anna)
    Offer.objects.filter(wrap_until__isnull=False).update(wrap_until=Now())
    wrap_up.end_due()
    assert units(anna) == (0, 0)
    invariants_hold()
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    assert units(anna) == (100, 0)
    invariants_hold()


def test_without_room_accepting_is_refused_and_changes_nothing(full: World) -> None:
    anna = wrapping(full, "Anna")
    offer = offered(full, anna)
    # Nothing of ours takes the room of an open next-up away.
    Shift.objects.update(units=90, units_taken=90, units_wrapping=90)
    Offer.objects.filter(state="completed").update(units=90)
    with nothing_changed(), pytest.raises(AgentFull):
        offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)


def test_parallel_offers_go_to_idle_people_only(full: World, invariants_hold: Callable[[], None]) -> None:
    anna = wrapping(full, "Anna")
    for name in ("Bernd", "Clara"):
        presence.go_online(agent_id=full.agent(name).pk)
    ticket = full.ticket()
    assert match_pool(full.pool.pk) == 2
    asked = Offer.objects.filter(ticket=ticket).order_by("pk")
    assert [offer.agent.name for offer in asked] == ["Bernd", "Clara"]
    [line] = decisions.why_not(Run.objects.latest("pk"), ticket.pk, anna.pk, "en")
    assert line.startswith("The run chose you too, and no offer was made")
    invariants_hold()


def test_when_nobody_else_can_they_are_the_first_asked(full: World) -> None:
    anna = wrapping(full, "Anna")
    bernd = wrapping(full, "Bernd")
    ticket = full.ticket()
    assert match_pool(full.pool.pk) == 1
    assert Offer.objects.get(ticket=ticket).agent in (anna, bernd)


def test_a_reopened_ticket_is_in_hand_again(world: World, invariants_hold: Callable[[], None]) -> None:
    """The customer comes back to who is still wrapping it up: one ticket, once on the desk."""
    Route.objects.update(wrap_up_seconds=60)
    kept.forget()
    anna = wrapping(world, "Anna")
    ticket = Ticket.objects.select_related("customer").get()
    ticket_reopen(ticket=ticket, body="It happened again")
    match_pool(world.pool.pk)
    offer = Offer.objects.get(state="pending")
    offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    assert [one.offer.pk for one in cards.on_desk(anna.pk)] == [offer.pk]
    assert units(anna) == (30, 0)
    invariants_hold()
