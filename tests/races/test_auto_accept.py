"""Switching auto-accept off against a run that accepts: once the agent was told “off”, nothing is accepted for them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from dispatch import automatic, offers, presence
from dispatch.automatic import accept_due, auto_accept_choose
from dispatch.models import Offer
from dispatch.offers import offer_accept, offer_decline
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tickets.models import Ticket, TicketState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 12


def switched_on(world: World) -> Any:
    agent = world.agents.get("Anna") or world.agent("Anna")
    auto_accept_choose(agent_id=agent.pk, on=True)
    return presence.go_online(agent_id=agent.pk)


def clear() -> None:
    Ticket.objects.update(state=TicketState.CLOSED, held_at=None, closed_at=Now())


def meanwhile_off(
    world: World, monkeypatch: pytest.MonkeyPatch, answered: list[str], seconds: float
) -> threading.Thread:
    """Somebody switches off as soon as the run has seen that it may accept; `answered` gets what happened, in order.

    The run waits for them, and goes on after so many seconds if something keeps them out.
    """
    agent = world.agents["Anna"]
    ticket_hold, looked = offers.ticket_hold, threading.Event()

    def off() -> None:
        looked.wait(10)
        together(lambda: auto_accept_choose(agent_id=agent.pk, on=False))
        answered.append("off")

    def slowly(**more: Any) -> int:
        looked.set()
        thread.join(seconds)
        answered.append("accepting")
        return ticket_hold(**more)

    thread = threading.Thread(target=off)
    monkeypatch.setattr(offers, "ticket_hold", slowly)
    thread.start()
    return thread


def test_who_switches_off_while_it_is_accepted_is_told_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    switched_on(world)
    world.ticket()
    answered: list[str] = []
    thread = meanwhile_off(world, monkeypatch, answered, 0.5)
    match_pool(world.pool.pk)
    thread.join(10)
    assert answered == ["accepting", "off"]
    assert Offer.objects.get().state == "accepted"
    invariants_hold()


def test_control_without_the_lock_a_ticket_comes_after_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched_on(world)
    world.ticket()
    monkeypatch.setattr(offers, "_switched_on", lambda agent_id: True)
    answered: list[str] = []
    thread = meanwhile_off(world, monkeypatch, answered, 10.0)
    match_pool(world.pool.pk)
    thread.join(10)
    assert answered == ["off", "accepting"]
    assert Offer.objects.get().state == "accepted"


def test_off_against_the_run_at_once(world: World, invariants_hold: Callable[[], None]) -> None:
    """Accepted before, or asked as everybody is; never accepted for somebody who had been told “off”."""
    for _ in range(ROUNDS):
        shift = switched_on(world)
        ticket = world.ticket()
        together(
            lambda: match_pool(world.pool.pk),
            lambda shift=shift: auto_accept_choose(agent_id=shift.agent_id, on=False),
        )
        offer = Offer.objects.get(ticket=ticket)
        assert (offer.state, offer.automatic) in {
            ("accepted", True),
            ("pending", True),
            ("pending", False),
        }
        if offer.state == "pending":
            assert accept_due() == 0
            offer_decline(offer_id=offer.pk, agent_id=shift.agent_id, epoch=shift.epoch)
        invariants_hold()
        presence.go_offline(agent_id=shift.agent_id, epoch=shift.epoch)
        clear()


def test_run_tick_and_hand_accept_at_once_and_it_is_one(
    world: World, monkeypatch: pytest.MonkeyPatch, invariants_hold: Callable[[], None]
) -> None:
    for _ in range(ROUNDS):
        shift = switched_on(world)
        ticket = world.ticket()
        with monkeypatch.context() as dying:
            dying.setattr(automatic, "accept_due", lambda: 0)
            match_pool(world.pool.pk)
        offer = Offer.objects.get(ticket=ticket)
        outcomes = together(
            accept_due,
            accept_due,
            lambda offer=offer, shift=shift: offer_accept(
                offer_id=offer.pk, agent_id=shift.agent_id, epoch=shift.epoch
            ),
        )
        assert isinstance(outcomes[2], Offer)
        assert ticket.events.filter(type="ticket.held").count() == 1
        invariants_hold()
        presence.go_offline(agent_id=shift.agent_id, epoch=shift.epoch)
        clear()
