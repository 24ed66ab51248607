"""A day of the installation as the simulator's case."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from agents.models import Pool, Shift
from dispatch import presence
from dispatch.models import Route, RouteStep
from dispatch.rules.steps import Step
from dispatch.simulator.case import POOL, world_of
from dispatch.simulator.loop import Play
from dispatch.simulator.measure import figures_of
from dispatch.simulator.policies import OURS
from dispatch.yesterday import NothingLogged, case_of_day
from tests.cast import World
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def placed(ticket: Ticket, at: datetime, handling: float | None = None) -> None:
    done = {"first_held_at": at, "resolved_at": at + timedelta(seconds=handling)} if handling else {}
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at, **done)


def test_the_day_as_it_was(world: World) -> None:
    anna = world.agent("Anna", payments=4, cards=0)
    world.agent("Bernd")  # was not there
    presence.go_online(agent_id=anna.pk)
    Shift.objects.update(started_at=NOON - timedelta(hours=1))
    placed(world.ticket(), NOON + timedelta(seconds=30), 120.0)
    placed(world.ticket(), NOON)
    placed(world.ticket(topic=world.card), NOON + timedelta(seconds=60))
    placed(world.ticket(), NOON - timedelta(days=1))

    route = Route.objects.get(topic=world.refund)
    RouteStep.objects.create(route=route, after_seconds=40, pool=world.pool, least_level=2)
    RouteStep.objects.create(route=route, after_seconds=50, pool=Pool.objects.create(key="further"))

    case = case_of_day(timezone.localdate(NOON), world.pool.pk)

    assert [list(kind.steps) for kind in case.kinds] == [
        [Step(0, POOL), Step(40, POOL, 2)],
        [Step(0, POOL)],
        [Step(0, POOL)],
    ]
    assert [(dict(kind.required), kind.units, kind.offer_seconds) for kind in case.kinds] == [
        ({1: 2} if world.cards.pk < world.payments.pk else {0: 2}, 30, 20.0),
        ({0: 3} if world.cards.pk < world.payments.pk else {1: 3}, 30, 20.0),
        ({}, 30, 20.0),
    ]
    assert case.coming is not None
    assert (case.coming.at, case.coming.kind) == ([0.0, 30.0, 60.0], [0, 0, 1])
    assert case.coming.handling == [120.0] * 3  # the mean of what is known
    assert case.people is not None
    assert sorted(case.people.tolist()[0]) == [0, 4]
    found = figures_of(Play(world_of(case, 1), OURS).run())
    assert (found.tickets, found.abandoned) == (3.0, pytest.approx(1 / 3))  # nobody there knows cards


def test_a_day_without_people_is_named(world: World) -> None:
    with pytest.raises(NothingLogged, match="nobody was online on 2026-11-02"):
        case_of_day(NOON.date())
    with pytest.raises(NothingLogged, match=f"by its id: {world.pool.pk}"):
        case_of_day(NOON.date(), 0)
