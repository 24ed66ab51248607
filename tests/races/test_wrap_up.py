"""The end of a wrap-up, twice at once and against the next ticket; a customer who wakes up against another ticket."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from agents.errors import AgentFull
from agents.models import Agent, Shift
from agents.shifts import units_unwrap
from dispatch import desk, offers, presence, silence, wrap_up
from dispatch.models import FeedEvent, Offer, Route
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.races.conftest import together
from tickets import kept
from tickets.conversation import customer_reply
from tickets.models import Message, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROUNDS = 10


@pytest.fixture
def anna(world: World) -> Agent:
    """A ticket takes all of her, and has a wrap-up."""
    Route.objects.update(wrap_up_seconds=60, units=100)
    kept.forget()
    agent = world.agent("Anna")
    presence.go_online(agent_id=agent.pk)
    return agent


def hold(world: World, agent: Agent) -> Ticket:
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get(ticket=ticket).pk, agent_id=agent.pk, epoch=1)
    return ticket


def wrap(world: World, agent: Agent) -> Ticket:
    ticket = hold(world, agent)
    desk.resolve(agent=agent, epoch=1, ticket_id=ticket.pk)
    return ticket


def due() -> None:
    Offer.objects.filter(wrap_until__isnull=False).update(wrap_until=Now())


def done(agent: Agent, ticket: Ticket) -> Callable[[], Any]:
    return lambda: wrap_up.done(agent=agent, epoch=1, ticket_id=ticket.pk)


@pytest.mark.parametrize("against", ["the tick", "done"])
def test_accepting_the_next_against_the_end_of_the_wrap_up(
    world: World, anna: Agent, against: str, invariants_hold: Callable[[], None]
) -> None:
    reasons = set()
    for _ in range(ROUNDS):
        last = wrap(world, anna)
        world.ticket()
        match_pool(world.pool.pk)
        offer = Offer.objects.get(state="pending")
        assert offer.next_up
        if against == "the tick":
            due()
        accepted, ended = together(
            lambda offer=offer: offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1),
            wrap_up.end_due if against == "the tick" else done(anna, last),
        )
        assert isinstance(accepted, Offer), accepted
        assert not isinstance(ended, Exception), ended
        shift = Shift.objects.get()
        assert (shift.units_taken, shift.units_wrapping) == (100, 0)
        events = FeedEvent.objects.filter(type="wrap_up.ended").order_by("-seq")
        reasons.add(events[0].data["reason"])
        invariants_hold()
        desk.hand_back(agent=anna, epoch=1, ticket_id=offer.ticket_id)
        Ticket.objects.filter(pk=offer.ticket_id).update(state="closed", closed_at=Now())
    assert FeedEvent.objects.filter(type="wrap_up.ended").count() == ROUNDS  # each once
    assert reasons <= {"next", "time", "done"}


def test_done_against_the_tick_and_a_second_tick(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    for turn in range(ROUNDS):
        ticket = wrap(world, anna)
        due()
        together(done(anna, ticket), wrap_up.end_due, wrap_up.end_due)
        shift = Shift.objects.get()
        assert (shift.units_taken, shift.units_wrapping) == (0, 0)
        assert FeedEvent.objects.filter(type="wrap_up.ended").count() == turn + 1
        invariants_hold()


def test_control_looking_first_frees_the_units_twice(world: World, anna: Agent) -> None:
    """What the condition on the wrap-up, under the shift's lock, prevents: look whether it runs, then free its units."""
    wrap(world, anna)
    looked = threading.Barrier(2)

    def naive() -> None:
        with transaction.atomic():
            offer = Offer.objects.get(wrap_until__isnull=False)
            looked.wait(10)
            units_unwrap(offer.shift_id, offer.units)
            Offer.objects.filter(pk=offer.pk).update(wrap_until=None)

    outcomes = together(naive, naive)
    # Below zero, which the column's own check stops; of a person with another ticket it would have been that one's units.
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1


def unlocked(monkeypatch: pytest.MonkeyPatch, module: Any, meanwhile: Callable[[], Any]) -> None:
    """The module's command reads its shifts without a lock, and `meanwhile` is committed before it goes on."""

    def look(shift_ids: Any) -> dict[int, Shift]:
        seen = Shift.objects.in_bulk(list(shift_ids))
        monkeypatch.undo()
        thread = threading.Thread(target=together, args=(meanwhile,))
        thread.start()
        thread.join(20)
        return seen

    monkeypatch.setattr(module, "shifts_lock", look)


def test_control_without_the_lock_on_the_shift_a_next_up_that_fits_is_refused(
    world: World, anna: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room that was seen is gone, and the wrap-up that would give it too: the tick came in between."""
    wrap(world, anna)
    world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(state="pending")
    due()
    unlocked(monkeypatch, offers, wrap_up.end_due)
    with pytest.raises(AgentFull):
        offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
    assert Shift.objects.get().units_taken == 0


# --- Silent customers -------------------------------------------------------------------------------------------------


def silent(world: World, agent: Agent) -> Ticket:
    """A ticket of 60 units whose customer has been silent; it takes 10."""
    Route.objects.update(units=60, wrap_up_seconds=0)
    kept.forget()
    ticket = hold(world, agent)
    desk.reply(agent=agent, epoch=1, ticket_id=ticket.pk, body="Which order is it?")
    past = timedelta(seconds=400)
    Message.objects.filter(ticket=ticket).update(created_at=F("created_at") - past)
    Offer.objects.filter(ticket=ticket).update(
        answered_at=F("answered_at") - past, expires_at=F("expires_at") - past
    )
    assert silence.customers_look() == 1
    return ticket


def close_all(agent: Agent) -> None:
    for offer in Offer.objects.filter(state="accepted"):
        desk.resolve(agent=agent, epoch=1, ticket_id=offer.ticket_id)


def test_a_customer_who_wakes_up_against_a_run_that_uses_the_room(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    """Both want the same 50 units: whoever comes second gets what is left."""
    seen = set()
    for _ in range(ROUNDS):
        ticket = silent(world, anna)
        customer_reply(ticket=ticket, body="Here I am")
        world.ticket()
        together(silence.customers_look, silence.customers_look, lambda: match_pool(world.pool.pk))
        seen.add(Shift.objects.get().units_taken)
        invariants_hold()
        silence.customers_look()
        invariants_hold()
        shift = Shift.objects.get()
        # 60 alone, the other ticket not offered; or 60 of the other and 40 of the 60 that this one asks for
        assert shift.units_taken in (60, 100)
        for offer in Offer.objects.filter(state="pending"):
            offer_accept(offer_id=offer.pk, agent_id=anna.pk, epoch=1)
        close_all(anna)
        Ticket.objects.filter(state="waiting").update(state="closed", closed_at=Now())
        assert Shift.objects.get().units_taken == 0
    assert seen <= {60, 70, 100}


def test_the_tick_that_lowers_against_the_message_that_wakes(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    for _ in range(ROUNDS):
        Route.objects.update(units=60, wrap_up_seconds=0)
        kept.forget()
        ticket = hold(world, anna)
        desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="Which order is it?")
        past = timedelta(seconds=400)
        Message.objects.filter(ticket=ticket).update(created_at=F("created_at") - past)
        Offer.objects.filter(ticket=ticket).update(
            answered_at=F("answered_at") - past, expires_at=F("expires_at") - past
        )
        together(
            silence.customers_look,
            lambda ticket=ticket: customer_reply(ticket=ticket, body="Here I am"),
            silence.customers_look,
        )
        silence.customers_look()  # the next tick sets right whichever came first
        offer = Offer.objects.get(state="accepted")
        assert (offer.units, offer.units_spared, offer.silent_since) == (60, 0, None)
        invariants_hold()
        close_all(anna)


def test_control_without_the_lock_on_the_shift_units_come_back_that_are_not_there(
    world: World, anna: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = silent(world, anna)
    customer_reply(ticket=ticket, body="Here I am")
    unlocked(monkeypatch, silence, lambda: hold(world, anna))  # 60 of the 90 that were seen
    with pytest.raises(RuntimeError, match="no room for 50 units"):
        silence.customers_look()
