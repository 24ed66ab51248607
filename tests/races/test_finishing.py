"""A shift that has finished ends by itself: twice at once, against its agent's return, a customer's, and the wrap-up's end."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from agents.models import Agent, Shift
from dispatch import desk, presence, wrap_up
from dispatch.models import FeedEvent, Offer, Route
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tickets import kept
from tickets.lifecycle import ticket_reopen
from tickets.models import Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 8


@pytest.fixture
def anna(world: World) -> Agent:
    Route.objects.update(wrap_up_seconds=60)
    kept.forget()
    return world.agent("Anna")


def finishing(anna: Agent) -> int:
    """Returns the epoch."""
    epoch = presence.go_online(agent_id=anna.pk).epoch
    presence.finish(agent_id=anna.pk, epoch=epoch)
    return epoch


def test_two_ticks_and_the_agent_who_comes_back(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    """Whoever pressed “Online” is online, in the old shift or in a new one."""
    for _ in range(ROUNDS):
        epoch = finishing(anna)
        *ended, shift = together(
            presence.finished_end, presence.finished_end, lambda: presence.go_online(agent_id=anna.pk)
        )
        assert isinstance(shift, Shift), shift
        assert sorted(ended) == [0, shift.epoch - epoch]
        now = Shift.objects.get(ended_at=None)
        assert (now.state, now.epoch) == ("online", shift.epoch)
        invariants_hold()


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """The tick's look is over when `act` begins, and it locks the shift when `act` is through."""
    looked, through, lock = threading.Event(), threading.Event(), presence.shifts_lock

    def waits(shift_ids: list[int]) -> dict[int, Shift]:
        if threading.current_thread().name != "tick":
            return lock(shift_ids)
        looked.set()
        assert through.wait(10)
        return lock(shift_ids)

    monkeypatch.setattr(presence, "shifts_lock", waits)

    def tick() -> int:
        threading.current_thread().name = "tick"
        return presence.finished_end()

    def other() -> None:
        assert looked.wait(10)
        act()
        through.set()

    outcomes = together(tick, other)
    assert not [one for one in outcomes if isinstance(one, Exception)], outcomes


@pytest.mark.parametrize("guarded", [True, False])
def test_who_came_back_and_took_a_ticket_keeps_it(
    world: World, anna: Agent, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """The control: without the second look the shift ends under them, and the ticket is taken away."""
    epoch = finishing(anna)
    ticket = world.ticket()
    if not guarded:
        monkeypatch.setattr(presence, "_has_finished", lambda _shift_id: True)

    def returns() -> None:
        presence.go_online(agent_id=anna.pk)
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=anna.pk, epoch=epoch)

    between(monkeypatch, returns)
    shift, ticket = Shift.objects.get(), Ticket.objects.get()
    found = (shift.state, shift.end_reason, ticket.state)
    assert found == (("online", "", "held") if guarded else ("ended", "finished", "waiting"))


def test_the_customer_opens_again_while_the_wrap_up_and_the_shift_end(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    for _ in range(ROUNDS):
        epoch = presence.go_online(agent_id=anna.pk).epoch
        made = world.ticket()
        match_pool(world.pool.pk)
        offer_accept(offer_id=Offer.objects.get(ticket=made).pk, agent_id=anna.pk, epoch=epoch)
        presence.finish(agent_id=anna.pk, epoch=epoch)
        desk.resolve(agent=anna, epoch=epoch, ticket_id=made.pk)
        Offer.objects.filter(wrap_until__isnull=False).update(wrap_until=Now())
        ticket = Ticket.objects.get(pk=made.pk)
        outcomes = together(
            lambda ticket=ticket: ticket_reopen(ticket=ticket, body="It came back"),
            wrap_up.end_due,
            presence.finished_end,
            lambda: match_pool(world.pool.pk),
        )
        assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
        presence.finished_end()
        ticket.refresh_from_db()
        assert (ticket.state, ticket.offers.filter(state__in=Offer.LIVE).count()) == ("waiting", 0)
        assert Shift.objects.filter(ended_at=None).count() == 0
        ended = FeedEvent.objects.filter(
            agent=anna, type="shift.changed", data__epoch=epoch, data__state="ended"
        )
        assert ended.count() == 1
        invariants_hold()
        Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=Now())
