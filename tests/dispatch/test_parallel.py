"""How many are asked at once: bounded by how many are asked in vain."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from hypothesis import given
from hypothesis import strategies as st

from dispatch import presence, queue
from dispatch.models import Offer, OfferState, Policy, PoolStanding, Run
from dispatch.rules.parallel import FEW, parallel_next
from dispatch.runs import match_pool
from tests.cast import World
from tickets import kept


@pytest.mark.parametrize(
    ("now", "ended", "rescinded", "then"),
    [
        (3, FEW - 1, FEW - 1, 3),  # too few to say anything
        (3, 100, 51, 2),
        (3, 100, 50, 3),  # at the bound
        (2, 100, 40, 2),  # 0.8 of it
        (2, 100, 39, 3),
        (3, 100, 0, 3),
        (1, 100, 100, 1),
    ],
)
def test_the_rule(now: int, ended: int, rescinded: int, then: int) -> None:
    assert parallel_next(now, 3, ended, rescinded, 0.5) == then


@given(st.integers(-2, 9), st.integers(1, 3), st.integers(0, 500), st.floats(0, 1), st.floats(0, 1))
def test_it_stays_within_the_policy_and_moves_by_one(
    now: int, most: int, ended: int, share: float, bound: float
) -> None:
    then = parallel_next(now, most, ended, int(share * ended), bound)
    assert 1 <= then <= most
    assert abs(then - min(max(now, 1), most)) <= 1


@pytest.fixture
def policy(world: World) -> Policy:
    return Policy.objects.create(pool=world.pool, version=1)


def ended(world: World, policy: Policy, state: OfferState, count: int, ago: int = 60) -> None:
    """Offers that ended so long ago."""
    run = Run.objects.create(
        pool=world.pool, policy=policy, tickets=1, agents=1, offers=1, solve_micros=1, snapshot=b""
    )
    agent = world.agents.get("Olga") or world.agent("Olga")
    shift = presence.go_online(agent_id=agent.pk)
    ticket = world.ticket()
    then = Now() - timedelta(seconds=ago)
    Offer.objects.bulk_create(
        Offer(
            run=run,
            ticket=ticket,
            agent=agent,
            shift=shift,
            state=state,
            units=1,
            pay_cents=1,
            currency="EUR",
            expires_at=then,
            answered_at=then,
            ended_at=then,
        )
        for _ in range(count)
    )
    presence.go_offline(agent_id=agent.pk, epoch=shift.epoch)
    type(ticket).objects.filter(pk=ticket.pk).update(state="closed", closed_at=Now())


@pytest.mark.django_db
def test_a_pool_that_asks_too_many_in_vain_asks_fewer(world: World, policy: Policy) -> None:
    ended(world, policy, OfferState.RESCINDED, 30)
    ended(world, policy, OfferState.DECLINED, 10)
    ended(world, policy, OfferState.DECLINED, 100, ago=601)
    assert queue.pool_standings_refresh() == 1
    standing = PoolStanding.objects.get()
    assert (standing.ended, standing.rescinded, standing.parallel) == (40, 30, 2)
    for name in ("Anna", "Bernd", "Clara"):
        presence.go_online(agent_id=world.agent(name).pk)
    world.ticket()
    kept.forget()
    assert match_pool(world.pool.pk) == 2
    queue.pool_standings_refresh()
    queue.pool_standings_refresh()
    assert PoolStanding.objects.get().parallel == 1


@pytest.mark.django_db
def test_it_asks_more_again_and_never_more_than_the_policy(world: World, policy: Policy) -> None:
    PoolStanding.objects.create(pool=world.pool, parallel=1)
    ended(world, policy, OfferState.DECLINED, 40)
    for parallel in (2, 3, 3):
        queue.pool_standings_refresh()
        assert PoolStanding.objects.get().parallel == parallel
    Policy.objects.update(max_parallel=2)
    queue.pool_standings_refresh()
    assert PoolStanding.objects.get().parallel == 2
