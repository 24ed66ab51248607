"""Opening hours feed ageing and what is told, nothing else: whoever is online is asked at any hour, and nothing starves."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import presence, queue, routes
from dispatch.matching import TicketRow, Weights, build, snapshot, solve
from dispatch.models import Offer, Route, Run
from dispatch.runs import match_pool
from tests.cast import World
from tests.dispatch.matching.people import ALICE
from tests.tickets.test_hours import calendars as drawn
from tickets import kept
from tickets.hours import Hours, ages, open_seconds
from tickets.models import Calendar, OpeningHours, Ticket, Topic

HOUR = 3600.0


def closed_today(world: World) -> None:
    """The refunds' calendar: open on one day of the week, which was two days ago and is far ahead."""
    calendar = Calendar.objects.create(name="Seldom", time_zone="UTC")
    weekday = (datetime.now(UTC) - timedelta(days=2)).weekday()
    OpeningHours.objects.create(calendar=calendar, weekday=weekday, opens=time(0), closes=time(1))
    Topic.objects.filter(pk=world.refund.pk).update(calendar=calendar)
    kept.forget()


@pytest.mark.django_db
class TestARun:
    def test_asks_whoever_is_online_outside_of_the_hours_too(self, world: World) -> None:
        closed_today(world)
        presence.go_online(agent_id=world.agent("Anna").pk)
        world.ticket()
        assert match_pool(world.pool.pk) == 1

    def test_counts_open_seconds_only(self, world: World) -> None:
        closed_today(world)
        presence.go_online(agent_id=world.agent("Anna").pk)
        ticket = world.ticket()
        Ticket.objects.update(waiting_since=Now() - timedelta(days=4))
        match_pool(world.pool.pk)
        offer = Offer.objects.get()
        assert not offer.why["overdue"] or Route.objects.get(topic=world.refund).max_wait_seconds <= HOUR
        problem, _pairs = snapshot.unpack(bytes(Run.objects.get().snapshot))
        assert problem.tickets.waited_seconds.tolist() == [HOUR]
        assert problem.tickets.id.tolist() == [ticket.pk]

    def test_a_ticket_of_another_topic_ages_by_the_clock(self, world: World) -> None:
        closed_today(world)
        presence.go_online(agent_id=world.agent("Anna").pk)
        world.ticket(topic=world.card)
        Ticket.objects.update(waiting_since=Now() - timedelta(hours=5))
        match_pool(world.pool.pk)
        problem, _pairs = snapshot.unpack(bytes(Run.objects.get().snapshot))
        assert problem.tickets.waited_seconds[0] >= 5 * HOUR

    def test_of_two_the_one_that_aged_goes_first(self, world: World) -> None:
        closed_today(world)
        presence.go_online(agent_id=world.agent("Anna").pk)
        refund, card = world.ticket(), world.ticket(topic=world.card)
        Ticket.objects.filter(pk=refund.pk).update(waiting_since=Now() - timedelta(days=1))
        Ticket.objects.filter(pk=card.pk).update(waiting_since=Now() - timedelta(hours=1))
        match_pool(world.pool.pk)
        assert Offer.objects.get().ticket_id == card.pk

    def test_the_expected_wait_is_of_open_hours(self, world: World) -> None:
        closed_today(world)
        anna = world.agent("Anna")
        presence.go_online(agent_id=anna.pk)
        world.ticket()
        match_pool(world.pool.pk)
        Offer.objects.update(state="accepted", answered_at=Now())
        Ticket.objects.update(
            state="held", held_at=Now(), first_held_at=Now(), created_at=timezone.now() - timedelta(hours=9)
        )
        assert queue._last_wait(world.pool.pk) is None
        Ticket.objects.update(topic=world.card)
        assert queue._last_wait(world.pool.pk) == 9 * HOUR

    def test_without_calendars_nothing_is_counted(self, world: World) -> None:
        assert routes.routes().hours == {}
        assert routes.routes().ages(1e9) == {}


@settings(max_examples=60, deadline=None)
@given(
    hours=drawn.filter(lambda hours: hours.ever),
    begin=st.integers(1767225600, 1790000000),
    step=st.sampled_from([1800, 5400, 20000]),
    max_wait=st.sampled_from([60.0, 600.0, 7200.0]),
)
def test_nothing_starves_with_hours(hours: Hours, begin: int, step: int, max_wait: float) -> None:
    """Against an endless stream of more urgent tickets that are always open, one person free each time: it is served in the
    first run after which it has waited max_wait in its own hours, and that comes."""
    old = TicketRow(id=1, waited_seconds=0.0, priority=-1.0, max_wait_seconds=max_wait)
    for run in range(60 * 86400 // step):
        now = float(begin + run * step)
        aged = ages(hours, now)(now - begin)
        vip = TicketRow(id=100 + run, waited_seconds=0.0, priority=10.0)
        problem = build([replace(old, waited_seconds=aged), vip], [ALICE], Weights(max_parallel=1))
        [(ticket, _agent)] = solve(problem).ids
        assert (ticket == 1) == (aged >= max_wait)
        if ticket == 1:
            return
    raise AssertionError("it was never served")


@settings(max_examples=100, deadline=None)
@given(hours=drawn, now=st.integers(1767225600, 1798000000), waits=st.lists(st.floats(0, 4e7), max_size=5))
def test_many_waits_at_one_moment_are_counted_as_each(hours: Hours, now: int, waits: list[float]) -> None:
    aged = ages(hours, float(now))
    for waited in waits:
        assert aged(waited) == pytest.approx(open_seconds(hours, now - waited, now), abs=1e-4)
    found = [aged(waited) for waited in sorted(waits)]
    assert (np.diff(found) >= 0).all()  # who waits longer has never aged less
