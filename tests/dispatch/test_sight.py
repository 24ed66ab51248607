"""The columns of a run are right though nothing looks at them there."""

from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db.models.functions import Now
from django.utils import timezone

from dispatch import presence, runs
from dispatch.matching import Agents, InvalidProblem, Problem
from dispatch.models import Booking, NeededHour, Offer, Policy
from dispatch.offers import offer_decline
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """What runs give to the solver."""
    problems: list[Problem] = []
    solve = runs.solve

    def spy(problem: Problem, **more: Any) -> Any:
        problems.append(problem)
        return solve(problem, **more)

    monkeypatch.setattr(runs, "solve", spy)
    return problems


def checked(part: Any) -> Any:
    """The same, made by its class: with every check, every conversion and every default."""
    return replace(
        part,
        **{
            one.name: checked(getattr(part, one.name))
            for one in fields(part)
            if is_dataclass(getattr(part, one.name))
        },
    )


def assert_same(left: Any, right: Any, name: str) -> None:
    if is_dataclass(left):
        for one in fields(left):
            assert_same(getattr(left, one.name), getattr(right, one.name), f"{name}.{one.name}")
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype, name
        assert left.flags.c_contiguous, name
        np.testing.assert_array_equal(left, right, err_msg=name)
    else:
        assert left == right, name


def test_what_a_run_trusts_is_what_would_be_checked(world: World, seen: list[Problem]) -> None:
    anna, bernd = world.agent("Anna"), world.agent("Bernd", payments=0, languages=("de",))
    presence.go_online(agent_id=anna.pk)
    match_pool(world.pool.pk)  # nobody waits
    world.ticket()
    match_pool(world.pool.pk)
    (offer,) = Offer.objects.all()
    offer_decline(offer_id=offer.pk, agent_id=anna.pk, epoch=1)  # an excluded pair
    for agent in (bernd, world.agent("Clara", units=30)):
        presence.go_online(agent_id=agent.pk)
    hour = NeededHour.objects.create(
        pool=world.pool, begins_at=timezone.now().replace(minute=0, second=0, microsecond=0), seats=3, taken=1
    )
    Booking.objects.create(hour=hour, agent=bernd, begins_at=hour.begins_at)
    for language in ("en", "de", "en"):
        ticket = world.ticket(language=language)
    Ticket.objects.filter(pk=ticket.pk).update(
        topic=None, priority=3, waiting_since=Now() - timedelta(hours=2)
    )
    Policy.objects.update(reserve=0.4, reserve_seconds=30, exploration_percent=50)
    kept.forget()
    match_pool(world.pool.pk)
    assert [len(problem.tickets) for problem in seen] == [1, 4]
    last = seen[-1]
    booked = {anna.pk: False, bernd.pk: True, world.agents["Clara"].pk: False}
    assert dict(zip(last.agents.id.tolist(), last.agents.booked.tolist(), strict=True)) == booked
    # None of it is as it would be if nothing were said.
    assert (last.weights.reserve, last.tickets.excluded.agent_id.tolist()) == (0.4, [anna.pk])
    assert {len(set(column.tolist())) for column in (last.tickets.reserved, last.tickets.priority)} == {2}
    assert {len(set(column.tolist())) for column in (last.agents.languages, last.agents.capacity_units)} == {
        2
    }
    for number, problem in enumerate(seen):
        assert_same(problem, checked(problem), f"problem {number}")


def test_a_wrong_column_would_be_found(world: World, seen: list[Problem]) -> None:
    """The control: of another type it is not the same, and beyond its bounds its class refuses it."""
    presence.go_online(agent_id=world.agent("Anna").pk)
    world.ticket()
    match_pool(world.pool.pk)
    (problem,) = seen
    wide = Problem.trusted(**vars(problem) | {"skill_demand": problem.skill_demand.astype(np.float32)})
    with pytest.raises(AssertionError, match="skill_demand"):
        assert_same(wide, checked(wide), "problem")
    below = Agents.trusted(**vars(problem.agents) | {"free_units": problem.agents.free_units - 1000})
    with pytest.raises(InvalidProblem, match="free_units"):
        checked(below)
