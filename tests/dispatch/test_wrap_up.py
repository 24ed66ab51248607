"""Wrap-up: units stay taken after a ticket for a while; pay and customer do not wait for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from agents.errors import ShiftEnded
from agents.models import Agent, Lease, LedgerEntry, Shift
from dispatch import cards, desk, presence, tasks, wrap_up
from dispatch.errors import NotHolder, NotWrappingUp
from dispatch.models import FeedEvent, Offer, Policy, Route
from dispatch.offers import offer_accept, offer_decline, offers_cancel
from dispatch.runs import match_pool
from tests.callers import agent_of, problem
from tests.cast import World
from tests.console import Person, text_of
from tests.forcing import force_offline
from tests.untouched import nothing_changed
from tickets import kept
from tickets.lifecycle import ticket_close
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

SECONDS = 25


@pytest.fixture
def anna(world: World) -> Agent:
    Route.objects.update(wrap_up_seconds=SECONDS)
    kept.forget()
    agent = world.agent("Anna")
    presence.go_online(agent_id=agent.pk)
    return agent


def hold(world: World, agent: Agent) -> Ticket:
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get(ticket=ticket, agent=agent)
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=1)
    return ticket


def wrap(world: World, agent: Agent) -> Ticket:
    ticket = hold(world, agent)
    desk.resolve(agent=agent, epoch=1, ticket_id=ticket.pk)
    return ticket


def units() -> tuple[int, int]:
    shift = Shift.objects.get()
    return shift.units_taken, shift.units_wrapping


def last_event(agent: Agent) -> tuple[str, dict[str, object]]:
    event = FeedEvent.objects.filter(agent=agent).order_by("-seq")[0]
    return event.type, event.data


def test_units_stay_taken_and_nothing_else_waits(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    ticket = wrap(world, anna)
    offer = Offer.objects.get()
    ticket.refresh_from_db()
    assert (ticket.state, offer.state, units()) == ("resolved", "completed", (30, 30))
    assert offer.wrap_until is not None
    assert offer.ended_at is not None
    assert offer.wrap_until - offer.ended_at == timedelta(seconds=SECONDS)
    assert LedgerEntry.objects.get().amount_cents == 400
    completed = FeedEvent.objects.get(type="offer.completed").data
    assert completed["wrap_up_until"] == offer.wrap_until.isoformat()
    [one] = cards.agent_snapshot(anna, "en")["data"]["wrap_ups"]
    assert (one["offer"], one["ticket"]) == (offer.pk, ticket.public_id)
    assert 0 < one["seconds_left"] <= SECONDS
    invariants_hold()


def test_without_a_time_there_is_none(world: World, invariants_hold: Callable[[], None]) -> None:
    agent = world.agent("Anna")
    presence.go_online(agent_id=agent.pk)
    wrap(world, agent)
    assert units() == (0, 0)
    assert FeedEvent.objects.get(type="offer.completed").data["wrap_up_until"] is None
    assert cards.agent_snapshot(agent, "en")["data"]["wrap_ups"] == []
    with nothing_changed():
        assert wrap_up.end_due() == 0
    invariants_hold()


def test_the_tick_ends_what_is_due_once(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    ticket = wrap(world, anna)
    with nothing_changed():
        assert wrap_up.end_due() == 0
    Offer.objects.update(wrap_until=Now())
    assert wrap_up.end_due() == 1
    assert wrap_up.end_due() == 0
    assert units() == (0, 0)
    assert last_event(anna) == (
        "wrap_up.ended",
        {"offer": Offer.objects.get().pk, "ticket": ticket.public_id, "reason": "time"},
    )
    invariants_hold()


def test_the_tick_calls_it(world: World, anna: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "run_ask", lambda pools: None)
    wrap(world, anna)
    Offer.objects.update(wrap_until=Now())
    tasks.tick()
    assert units() == (0, 0)


def test_done_ends_it_early_and_twice_is_once(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    first, second = wrap(world, anna), wrap(world, anna)
    wrap_up.done(agent=anna, epoch=1, ticket_id=first.pk, key="k")
    assert units() == (30, 30)
    assert last_event(anna)[1]["reason"] == "done"
    with nothing_changed():
        wrap_up.done(agent=anna, epoch=1, ticket_id=first.pk, key="k")
        wrap_up.done(agent=anna, epoch=1, ticket_id=first.pk)
    wrap_up.done(agent=anna, epoch=1, ticket_id=second.pk)
    assert units() == (0, 0)
    invariants_hold()


def test_done_is_refused_for_what_is_not_wrapped_up(world: World, anna: Agent) -> None:
    ticket = hold(world, anna)
    other = world.ticket()
    bernd = world.agent("Bernd")
    presence.go_online(agent_id=bernd.pk)
    with nothing_changed():
        with pytest.raises(NotWrappingUp):
            wrap_up.done(agent=anna, epoch=1, ticket_id=ticket.pk)
        with pytest.raises(NotHolder):
            wrap_up.done(agent=anna, epoch=1, ticket_id=other.pk)
        with pytest.raises(NotHolder):
            wrap_up.done(agent=bernd, epoch=1, ticket_id=ticket.pk)
        with pytest.raises(ShiftEnded):
            wrap_up.done(agent=anna, epoch=2, ticket_id=ticket.pk)


def test_a_note_may_still_be_written_and_no_reply(world: World, anna: Agent) -> None:
    ticket = wrap(world, anna)
    note = desk.note(agent=anna, epoch=1, ticket_id=ticket.pk, body="Had the same last week.")
    assert (note.internal, note.author_name) == (True, "Anna")
    with nothing_changed(), pytest.raises(NotHolder):
        desk.reply(agent=anna, epoch=1, ticket_id=ticket.pk, body="One more thing")
    wrap_up.done(agent=anna, epoch=1, ticket_id=ticket.pk)
    with nothing_changed(), pytest.raises(NotHolder):
        desk.note(agent=anna, epoch=1, ticket_id=ticket.pk, body="Too late")
    assert Message.objects.filter(ticket=ticket, internal=True).count() == 1


def test_a_ticket_that_the_customer_closes_is_wrapped_up_too(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    ticket = hold(world, anna)
    ticket_close(ticket=ticket)
    offers_cancel(ticket_id=ticket.pk)
    assert units() == (30, 30)
    desk.note(agent=anna, epoch=1, ticket_id=ticket.pk, body="Left in good spirits.")
    invariants_hold()


def test_handing_back_has_no_wrap_up(world: World, anna: Agent, invariants_hold: Callable[[], None]) -> None:
    ticket = hold(world, anna)
    desk.hand_back(agent=anna, epoch=1, ticket_id=ticket.pk)
    assert units() == (0, 0)
    assert Offer.objects.get().wrap_until is None
    invariants_hold()


@pytest.mark.parametrize("way", ["offline", "lost", "forced"])
def test_it_ends_with_the_shift_or_the_connection(
    world: World, anna: Agent, way: str, invariants_hold: Callable[[], None]
) -> None:
    wrap(world, anna)
    if way == "offline":
        presence.go_offline(agent_id=anna.pk, epoch=1)
    elif way == "forced":
        force_offline(shift_id=Shift.objects.get().pk)
    else:
        Lease.objects.update(expires_at=Now())
        assert presence.leases_end() == 1
    assert units() == (0, 0)
    reason = {"offline": "agent", "forced": "forced", "lost": "lease"}[way]
    assert FeedEvent.objects.get(type="wrap_up.ended").data["reason"] == reason
    assert cards.on_desk(anna.pk) == []
    invariants_hold()


def test_nobody_wraps_up_while_their_connection_is_lost(
    world: World, anna: Agent, invariants_hold: Callable[[], None]
) -> None:
    ticket = hold(world, anna)
    Lease.objects.update(expires_at=Now())
    presence.leases_end()
    ticket_close(ticket=ticket)
    offers_cancel(ticket_id=ticket.pk)
    assert units() == (0, 0)
    invariants_hold()


@pytest.mark.parametrize("choose", [presence.finish, presence.pause])
def test_finishing_and_pausing_do_not_stop_it(
    world: World, anna: Agent, choose: Callable[..., Shift]
) -> None:
    ticket = wrap(world, anna)
    choose(agent_id=anna.pk, epoch=1)
    assert units() == (30, 30)
    wrap_up.done(agent=anna, epoch=1, ticket_id=ticket.pk)
    assert units() == (0, 0)


# --- By API and console -----------------------------------------------------------------------------------------------


def test_by_the_api(world: World, anna: Agent) -> None:
    client, ticket = agent_of(anna), hold(world, anna)
    problem(client.tell(f"desk/{ticket.public_id}/done", {"epoch": 1}), 409, "not_wrapping_up")
    assert client.tell(f"desk/{ticket.public_id}/resolve", {"epoch": 1}).json() == {"state": "resolved"}
    desk_now = client.ask("desk").json()
    assert desk_now["tickets"] == []
    assert [one["ticket"] for one in desk_now["wrap_ups"]] == [ticket.public_id]
    assert client.ask(f"desk/{ticket.public_id}").json()["state"] == "resolved"
    note = client.tell(f"desk/{ticket.public_id}/note", {"epoch": 1, "body": "Had the same last week."})
    assert note.status_code == 201
    for _ in range(2):
        answer = client.tell(f"desk/{ticket.public_id}/done", {"epoch": 1})
        assert (answer.status_code, answer.json()) == (200, {"wrap_ups": []})
    problem(client.ask(f"desk/{ticket.public_id}"), 403, "not_holder")


@pytest.mark.django_db(transaction=True)
def test_at_the_console(world: World) -> None:
    Route.objects.update(wrap_up_seconds=SECONDS)
    kept.forget()
    person = Person(world, "Anna").online()
    ticket = person.holding()
    own = f"agent:{person.agent.pk}"
    after = {own: 3, ticket.stream: Ticket.objects.get().last_seq}
    frames = person.fetch(f"tickets/{ticket.public_id}/resolve", after).json()["frames"]
    completed = next(frame for frame in frames if frame["type"] == "offer.completed")
    assert f'id="head-{ticket.public_id}"' in completed["html"]
    assert "Send and resolve" not in completed["html"]
    assert "is resolved" not in completed["html"]  # the thread says it
    page = text_of(person.get())
    assert f"/console/tickets/{ticket.public_id}/done" in page
    assert f"/console/tickets/{ticket.public_id}/resolve" not in page
    page = text_of(person.post(f"tickets/{ticket.public_id}/note", body="Without a script"))
    assert "Without a script" in page
    page = text_of(person.post(f"tickets/{ticket.public_id}/done"))
    assert f"thread-{ticket.public_id}" not in page
    assert units() == (0, 0)


# --- Idle since -------------------------------------------------------------------------------------------------------


def idle_moved(act: Callable[[], object]) -> bool:
    """Whether `act` says that idleness begins now. It has been an hour before."""
    Shift.objects.update(idle_since=Now() - timedelta(hours=1))
    act()
    return Shift.objects.filter(idle_since__gt=Now() - timedelta(minutes=30)).exists()


def test_only_the_end_of_work_begins_idleness(world: World, anna: Agent) -> None:
    def decline() -> None:
        world.ticket()
        match_pool(world.pool.pk)
        offer_decline(offer_id=Offer.objects.get(state="pending").pk, agent_id=anna.pk, epoch=1)
        Ticket.objects.filter(state="waiting").update(state="closed", closed_at=Now())

    def revoked() -> None:
        world.ticket()
        match_pool(world.pool.pk)
        presence.pause(agent_id=anna.pk, epoch=1)
        presence.go_online(agent_id=anna.pk)
        Ticket.objects.filter(state="waiting").update(state="closed", closed_at=Now())

    assert not idle_moved(decline)
    assert not idle_moved(revoked)
    ticket = hold(world, anna)
    assert not idle_moved(lambda: desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk))
    assert idle_moved(lambda: wrap_up.done(agent=anna, epoch=1, ticket_id=ticket.pk))
    ticket = hold(world, anna)
    assert idle_moved(lambda: desk.hand_back(agent=anna, epoch=1, ticket_id=ticket.pk))
    Ticket.objects.filter(state="waiting").update(state="closed", closed_at=Now())
    Route.objects.update(wrap_up_seconds=0)
    kept.forget()
    ticket = hold(world, anna)
    assert idle_moved(lambda: desk.resolve(agent=anna, epoch=1, ticket_id=ticket.pk))


def test_who_declines_does_not_fall_behind_in_ties(world: World) -> None:
    """Anna is idle longer than Bernd. She declines; of the next ticket she is still the one who is asked."""
    Policy.objects.create(pool=world.pool, version=1, max_parallel=1)
    for name, hours in (("Anna", 2), ("Bernd", 1)):
        presence.go_online(agent_id=world.agent(name).pk)
        Shift.objects.filter(agent__name=name).update(idle_since=Now() - timedelta(hours=hours))
    world.ticket()
    match_pool(world.pool.pk)
    offer = Offer.objects.get()
    assert offer.agent.name == "Anna"
    offer_decline(offer_id=offer.pk, agent_id=offer.agent_id, epoch=1)
    Ticket.objects.update(state="closed", closed_at=Now())
    second = world.ticket()
    match_pool(world.pool.pk)
    assert Offer.objects.get(ticket=second).agent.name == "Anna"
