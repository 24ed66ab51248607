"""Shifts, epochs and leases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from agents import shifts
from agents.errors import NotAdmitted, NotOnline, ShiftEnded
from agents.models import Agent, AgentStatus, Lease, Shift
from dispatch import presence
from dispatch.models import FeedEvent, Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tests.forcing import force_offline
from tickets.models import Ticket, TicketEvent

pytestmark = pytest.mark.django_db


def test_two_tabs_share_one_shift(world: World) -> None:
    anna = world.agent("Anna")
    first = presence.go_online(agent_id=anna.pk)
    second = presence.go_online(agent_id=anna.pk)
    assert (first.pk, first.epoch) == (second.pk, second.epoch)
    assert FeedEvent.objects.count() == 1


def test_each_shift_has_the_next_epoch(world: World) -> None:
    anna = world.agent("Anna")
    for epoch in (1, 2, 3):
        assert presence.go_online(agent_id=anna.pk).epoch == epoch
        presence.go_offline(agent_id=anna.pk, epoch=epoch)
    with pytest.raises(ShiftEnded):
        presence.pause(agent_id=anna.pk, epoch=2)
    with pytest.raises(NotOnline):
        presence.pause(agent_id=anna.pk, epoch=9)


def test_only_the_admitted_go_online(world: World) -> None:
    anna = world.agent("Anna")
    for status in (AgentStatus.APPLIED, AgentStatus.SUSPENDED):
        Agent.objects.update(status=status)
        with pytest.raises(NotAdmitted):
            presence.go_online(agent_id=anna.pk)
    Agent.objects.update(status=AgentStatus.ADMITTED)
    anna.user.is_active = False
    anna.user.save()
    with pytest.raises(NotAdmitted):
        presence.go_online(agent_id=anna.pk)
    assert Shift.objects.count() == 0


def test_pause_and_finishing_take_open_offers_back_and_get_none(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    world.ticket()
    for leave in (presence.pause, presence.finish):
        assert match_pool(world.pool.pk) == 1
        shift = leave(agent_id=anna.pk, epoch=1)
        assert Offer.objects.filter(state="pending").count() == 0
        assert Shift.objects.get().units_taken == 0
        assert match_pool(world.pool.pk) == 0
        presence.go_online(agent_id=anna.pk)
        assert shift.epoch == 1
    assert list(Offer.objects.values_list("state", flat=True)) == ["revoked", "revoked"]
    invariants_hold()


def test_who_goes_dark_loses_offers_at_once_and_tickets_after_the_grace(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    held = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    world.ticket()
    match_pool(world.pool.pk)
    assert presence.leases_end() == 0

    Lease.objects.update(expires_at=Now())
    assert presence.leases_end() == 1
    assert presence.leases_end() == 0
    assert sorted(Offer.objects.values_list("state", flat=True)) == ["accepted", "revoked"]
    assert presence.graces_end() == 0
    held.refresh_from_db()
    assert held.state == "held"

    Shift.objects.update(lost_at=F("lost_at") - timedelta(seconds=61))
    assert presence.graces_end() == 1
    assert presence.graces_end() == 0
    held.refresh_from_db()
    shift = Shift.objects.get()
    assert (held.state, shift.state, shift.end_reason) == ("waiting", "ended", "lease")
    assert [event.type for event in TicketEvent.objects.filter(ticket=held).order_by("seq")][-2:] == [
        "ticket.agent_lost",
        "ticket.released",
    ]
    with pytest.raises(ShiftEnded):
        presence.beat(agent_id=anna.pk, epoch=1)
    invariants_hold()


def test_a_beat_within_the_grace_brings_everything_back(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    ticket = world.ticket()
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    Lease.objects.update(expires_at=Now())
    presence.leases_end()
    presence.beat(agent_id=anna.pk, epoch=1)
    shift = Shift.objects.get()
    ticket.refresh_from_db()
    assert (shift.lost_at, shift.state, ticket.state) == (None, "online", "held")
    assert ticket.events.order_by("-seq")[0].type == "ticket.agent_back"
    assert presence.leases_end() == 0
    invariants_hold()


def test_beats_write_only_the_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "LEASE", timedelta(seconds=15))  # as in life
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    Lease.objects.update(expires_at=Now() + timedelta(seconds=1), beat_at=Now() - timedelta(seconds=9))
    before = (Shift.objects.values().get(), Agent.objects.values().get(), FeedEvent.objects.count())
    presence.beat(agent_id=anna.pk, epoch=1)
    assert (Shift.objects.values().get(), Agent.objects.values().get(), FeedEvent.objects.count()) == before
    lease = Lease.objects.get()
    assert (lease.expires_at - lease.beat_at).total_seconds() == 15


def test_going_offline_passes_tickets_on_with_their_age(
    world: World, invariants_hold: Callable[[], None]
) -> None:
    anna = world.agent("Anna")
    presence.go_online(agent_id=anna.pk)
    ticket = world.ticket()
    age = Ticket.objects.get().waiting_since
    match_pool(world.pool.pk)
    offer_accept(offer_id=Offer.objects.get().pk, agent_id=anna.pk, epoch=1)
    presence.go_offline(agent_id=anna.pk, epoch=1)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_since, Offer.objects.get().state) == ("waiting", age, "released")
    assert Lease.objects.count() == 0
    invariants_hold()


def test_an_admin_can_end_a_shift(world: World) -> None:
    anna = world.agent("Anna")
    shift = presence.go_online(agent_id=anna.pk)
    assert force_offline(shift_id=shift.pk)
    assert not force_offline(shift_id=shift.pk)
    shift.refresh_from_db()
    assert (shift.state, shift.end_reason) == ("ended", "forced")


def test_a_repeated_key_does_a_thing_once(world: World) -> None:
    anna = world.agent("Anna")
    first = presence.go_online(agent_id=anna.pk, key="a")
    presence.pause(agent_id=anna.pk, epoch=1, key="b")
    presence.go_online(agent_id=anna.pk)
    presence.pause(agent_id=anna.pk, epoch=1, key="b")  # came late, by a second way: it was done
    assert Shift.objects.get().state == "online"
    assert presence.go_online(agent_id=anna.pk, key="a").pk == first.pk
