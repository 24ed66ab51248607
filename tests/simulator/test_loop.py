"""What happens to tickets and people in small worlds, to the second."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatch.matching import Weights
from dispatch.rules.steps import Step
from dispatch.rules.steps import at as at_last
from dispatch.simulator.case import POOL, Case, Coming, Kind, world_of
from dispatch.simulator.loop import Play
from dispatch.simulator.measure import figures_of
from dispatch.simulator.policies import EVERY, LONGEST_IDLE, Means, Policy

OURS = Policy("assignment")
ONE = Policy("one", weights=Weights(max_parallel=1))


def case_of(at, handling, levels, **changes):
    """Tickets of skill 0 at these times, people with these levels of it; answers take 10 s and are a yes."""
    return Case(
        **{
            "name": "small",
            "kinds": [Kind({0: 1})],
            "agents": len(levels),
            "skills": 1,
            "accept": 1.0,
            "answer_mean": 10.0,
            "answer_cv": 0.0,
            "warm_up": 0.0,
            "measured": 1000.0,
            "coming": Coming(at, [0] * len(at), handling),
            "people": np.array(levels, np.int8)[:, None],
        }
        | changes
    )


def played(case, policy=ONE):
    return Play(world_of(case, 1), policy).run()


def test_one_after_the_other():
    play = played(case_of([0.0, 5.0], [100.0, 50.0], [3]))
    assert play.accepted_at == [10.0, 120.0]  # asked at 110, when the first is done
    assert play.busy.tolist() == [150.0]


def test_who_has_not_come_or_has_left_is_not_asked():
    """The first comes at 50, leaves with an open card at 55, is back at 100; the second leaves in the middle of the work."""
    play = played(
        case_of(
            [0.0, 200.0, 201.0],
            [30.0, 500.0, 10.0],
            [3, 3],
            presence=[[(50.0, 55.0), (100.0, 130.0)], [(190.0, 300.0)]],
            measured=400.0,
        )
    )
    assert play.accepted_at == [
        110.0,
        210.0,
        inf,
    ]  # asked at 100; the last is nobody's: who is there works until 710
    assert (play.holder, play.offered) == ([0, 1, -1], [2, 1, 0])
    assert [play._state[offer].value for offer in (0, 1, 2)] == ["revoked", "accepted", "accepted"]
    assert [play.presence.seconds(agent, play.now) for agent in (0, 1)] == [5.0 + 30.0, 110.0]
    found = figures_of(play)
    # 30 s of 35; and 190 s until the end of what is measured, all of which the second worked.
    assert found.utilisation == pytest.approx((30.0 + 190.0) / (35.0 + 190.0))
    assert found.abandoned == pytest.approx(1 / 3)


def test_who_does_not_speak_the_language_is_not_asked():
    kinds = [Kind({0: 1}, language=0), Kind({0: 1}, language=1)]
    case = case_of(
        [0.0, 0.0], [30.0, 30.0], [3, 3], kinds=kinds, coming=Coming([0.0, 0.0], [0, 1], [30.0, 30.0])
    )
    for policy in (OURS, LONGEST_IDLE):
        assert played(replace(case, languages=[0b10, 0b01]), policy).holder == [1, 0]
        assert sorted(played(replace(case, languages=[0b01, 0b01]), policy).holder) == [-1, 0]


def test_always_there_is_as_if_nobody_had_said_so():
    case = case_of([3.0 * n for n in range(60)], [40.0 + n % 7 for n in range(60)], [1, 3, 5, 2], accept=0.7)
    there = replace(case, presence=[[(0.0, 1e9)]] * 4, languages=[1] * 4)
    for policy in (OURS, LONGEST_IDLE):
        one, other = played(case, policy), played(there, policy)
        assert (one.accepted_at, one.holder, one.busy.tolist()) == (
            other.accepted_at,
            other.holder,
            other.busy.tolist(),
        )


def test_next_up_is_asked_while_wrapping_up():
    play = played(
        case_of([0.0, 5.0], [100.0, 50.0], [3], wrap_share=0.2), replace(ONE, means=Means(next_up=True))
    )
    assert play.accepted_at == [10.0, 100.0]  # asked at 90, when the first has 20 s of wrap-up left
    assert play.ends_at == [110.0, 160.0]  # of which 10 are done with the second
    assert play.busy.tolist() == [150.0]


def test_the_first_to_accept_wins_and_nobody_else_is_held():
    case = case_of([0.0], [100.0], [3, 3, 3], answer_cv=0.5)
    play = played(case, OURS)
    assert play.offered == [3]
    assert play.rescinded == [2]
    assert sorted(play.busy.tolist()) == [0.0, 0.0, 100.0]
    assert play.accepted_at == [min(play.world.answer(agent, 0)[1] for agent in range(3))]


def test_auto_accept_is_at_once_and_asks_nobody_else():
    play = played(case_of([0.0], [100.0], [3, 3, 3]), replace(OURS, means=Means(auto_share=1.0)))
    assert (play.offered, play.accepted_at) == ([1], [0.0])


def test_who_says_no_is_asked_again_after_a_minute():
    case = case_of([0.0], [100.0], [3], accept=0.4)
    world = next(world for world in (world_of(case, seed) for seed in range(50)) if not world.answer(0, 0)[0])
    noes = [world.answer(0, turn)[0] for turn in range(50)].index(True)
    assert Play(world, ONE).run().accepted_at == [10.0 + 70.0 * noes]


def test_a_step_of_the_route_lets_others_in():
    best_first = (Step(0, POOL, 4), Step(30, POOL, 3), Step(50, POOL))
    kinds = [Kind({0: 1}, steps=best_first)]
    # The one of level 4 is asked at once, the one of level 2 when the wait has reached the last step.
    play = played(case_of([0.0, 5.0], [100.0, 100.0], [2, 4], kinds=kinds))
    assert (play.holder, play.accepted_at) == ([1, 0], [10.0, 65.0])
    # A policy may play other steps than the case's.
    plain = replace(ONE, means=Means(steps=(Step(0, POOL),)))
    play = played(case_of([0.0, 5.0], [100.0, 100.0], [2, 4], kinds=kinds), plain)
    assert (play.holder, play.accepted_at) == ([1, 0], [10.0, 15.0])


def test_who_misses_an_offer_is_away():
    play = played(
        case_of([0.0], [100.0], [3, 3], kinds=[Kind({0: 1}, offer_seconds=4.0)], measured=40.0, answer_cv=2.0)
    )
    assert play.expired[0] > 0
    assert play.away.sum() > 0


def test_who_is_impatient_leaves_and_frees_who_was_asked():
    world = world_of(case_of([0.0, 5.0], [100.0, 100.0], [3]), 1)
    world.patience = [4.0, inf]
    play = Play(world, ONE).run()
    assert play.left == [True, False]
    assert play.accepted_at == [inf, 15.0]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    load=st.sampled_from([0.5, 0.9, 1.2]),
    policy=st.sampled_from([*EVERY, replace(OURS, means=Means(auto_share=0.5))]),
    patience=st.sampled_from([60.0, inf]),
    offer_seconds=st.sampled_from([10.0, 60.0]),
    units=st.sampled_from([50, 100]),
    steps=st.sampled_from([(Step(0, POOL),), (Step(0, POOL, 5), Step(7, POOL, 3), Step(90, POOL))]),
)
@example(
    seed=87, load=1.2, policy=EVERY[0], patience=inf, offer_seconds=10.0, units=50, steps=(Step(0, POOL),)
)  # one starved
def test_every_ticket_is_served_once_or_left(seed, load, policy, patience, offer_seconds, units, steps):
    case = Case(
        name="any",
        kinds=[Kind({skill: 2}, units=units, offer_seconds=offer_seconds, steps=steps) for skill in range(3)],
        agents=6,
        skills=3,
        skills_each=2,
        load=load,
        speed=0.1,
        patience_mean=patience,
        warm_up=100.0,
        measured=3000.0,
    )
    world = world_of(case, seed)
    play = Play(world, policy).run()
    for ticket, at in enumerate(world.at):
        waited = (
            play.accepted_at[ticket] - at + 1e-6
        )  # whoever accepts at the moment of a step may be a rounding early
        able = world.able(world.kind[ticket], at_last(steps, POOL, waited))
        assert ticket not in play.waiting
        assert play.left[ticket] == (play.holder[ticket] < 0)
        assert play.left[ticket] or at <= play.accepted_at[ticket] < play.ends_at[ticket] < inf
        assert play.left[ticket] or play.holder[ticket] in able
    assert play.taken == play.wrapping == play.pending == [0] * case.agents
    assert play.wraps == [[]] * case.agents
    # Nobody does more than they have units for: the work fits into the time.
    assert play.busy.max() <= case.measured + 1e-6
    assert Play(world_of(case, seed), policy).run().accepted_at == play.accepted_at


def test_the_same_chance_for_every_policy_and_load():
    case = case_of([0.0], None, [3, 3])
    low, high = (
        world_of(replace(case, coming=None, load=load, people=None, skills_each=1), 7) for load in (0.5, 1.0)
    )
    n = len(low.at)
    assert low.work == high.work[:n]
    assert low.kind == high.kind[:n]
    assert [2 * at for at in high.at[:n]] == pytest.approx(low.at)
    assert [low.answer(1, turn) for turn in (3, 300)] == [high.answer(1, turn) for turn in (3, 300)]


def test_nothing_to_measure_is_said():
    with pytest.raises(ValueError, match="no ticket came"):
        figures_of(played(case_of([], [], [3]), LONGEST_IDLE))
