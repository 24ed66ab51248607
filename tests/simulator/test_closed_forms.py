"""The simulator against what is known exactly: Erlang C, Erlang A, and that the order of idle people changes no wait."""

from dataclasses import replace

import pytest

from dispatch.simulator.case import Case, Kind, world_of
from dispatch.simulator.loop import Play
from dispatch.simulator.measure import Interval, figures_of
from dispatch.simulator.policies import LONGEST_IDLE, RANDOM, Policy
from dispatch.simulator.theory import erlang_a, erlang_c

SEEDS = range(1, 21)
PLAIN = Case(  # M/M/6: one skill, instant answers, everybody says yes
    name="plain",
    kinds=[Kind({0: 1})],
    agents=6,
    skills=1,
    skills_each=1,
    load=0.8,
    exponential_handling=True,
    accept=1.0,
    answer_mean=0.0,
    warm_up=20_000.0,
    measured=150_000.0,
)


def interval(case: Case, policy: Policy, figure: str) -> Interval:
    return Interval.of(
        [getattr(figures_of(Play(world_of(case, seed), policy).run()), figure) for seed in SEEDS]
    )


def test_erlang_c_by_hand():
    # M/M/1: C = ρ, W = ρ/(1 − ρ) · mean. M/M/2 at ρ = 1/2: C = 1/3.
    assert erlang_c(1, 0.5, 1.0) == pytest.approx((0.5, 1.0))
    assert erlang_c(2, 1.0, 1.0) == pytest.approx((1 / 3, 1 / 3))
    with pytest.raises(ValueError, match="2 servers cannot serve 2"):
        erlang_c(2, 2.0, 1.0)


def test_erlang_a_by_hand():
    # One server, λ = μ = θ: deaths are n, so the states are Poisson(1), and E[queue] = 1 − (1 − e⁻¹) = e⁻¹.
    assert erlang_a(1, 1.0, 1.0, 1.0) == pytest.approx(0.36787944)


def test_wait_is_erlang_c():
    _, wait = erlang_c(PLAIN.agents, PLAIN.rate, PLAIN.handling_mean)
    assert wait in interval(PLAIN, LONGEST_IDLE, "wait_mean")


def test_abandonment_is_erlang_a():
    case = replace(PLAIN, load=0.95, patience_mean=200.0)
    share = erlang_a(case.agents, case.rate, case.handling_mean, case.patience_mean)
    assert share in interval(case, LONGEST_IDLE, "abandoned")


def test_longest_idle_waits_as_random():
    case = replace(PLAIN, accept=0.8, answer_mean=8.0)
    idle = interval(case, LONGEST_IDLE, "wait_mean")
    other = interval(case, RANDOM, "wait_mean")
    assert other.low <= idle.high
    assert idle.low <= other.high


def test_the_solver_too_waits_as_erlang_c():
    case = replace(PLAIN, warm_up=5_000.0, measured=15_000.0)
    _, wait = erlang_c(case.agents, case.rate, case.handling_mean)
    assert wait in interval(case, Policy("assignment"), "wait_mean")
