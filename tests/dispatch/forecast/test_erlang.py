"""Erlang A against other closed forms, and what more load, a stricter target and less patience must do to the need."""

from math import ceil, exp, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.forecast.erlang import (
    Work,
    erlang_a,
    mean_patience,
    people_needed,
    service,
)
from dispatch.forecast.history import SECONDS
from dispatch.forecast.sharing import least_people
from dispatch.simulator import theory
from dispatch.simulator.case import Case, Kind, world_of
from dispatch.simulator.loop import Play
from dispatch.simulator.measure import figures_of
from dispatch.simulator.policies import LONGEST_IDLE


@pytest.mark.parametrize(
    ("servers", "rate", "handling", "patience"),
    [(6, 0.019, 300.0, 600.0), (10, 0.03, 300.0, 120.0), (3, 0.02, 200.0, 60.0), (40, 0.2, 180.0, 300.0)],
)
def test_the_share_that_leaves_is_that_of_the_simulators_theory(
    servers: int, rate: float, handling: float, patience: float
) -> None:
    given_ = erlang_a(servers, rate, handling, patience, 20.0)
    left = theory.erlang_a(servers, rate, handling, patience)
    assert given_.left == pytest.approx(left, rel=1e-9)
    assert given_.wait == pytest.approx(left * patience, rel=1e-9)  # P(leaves) = θ E[W]


def test_in_time_by_chance_itself() -> None:
    """A plain simulation of M/M/3+M, 200,000 customers."""
    rng = np.random.default_rng(1)
    many, free, served = 200_000, [0.0] * 3, 0
    for at, patient, work in zip(
        np.cumsum(rng.exponential(50.0, many)),
        rng.exponential(60.0, many),
        rng.exponential(200.0, many),
        strict=True,
    ):
        first = min(range(3), key=free.__getitem__)
        wait = max(free[first] - at, 0.0)
        if wait < patient:
            free[first] = max(free[first], at) + work
            served += wait <= 20
    assert erlang_a(3, 0.02, 200.0, 60.0, 20.0).within == pytest.approx(served / many, abs=0.004)


def test_with_patience_for_ever_it_is_erlang_c() -> None:
    waits, mean = theory.erlang_c(6, 0.016, 300.0)
    given_ = erlang_a(6, 0.016, 300.0, inf, 20.0)
    assert (given_.left, given_.busy) == (0.0, pytest.approx(0.8))
    assert given_.wait == pytest.approx(mean, rel=1e-9)
    assert given_.within == pytest.approx(1 - waits * exp(-(6 / 300 - 0.016) * 20), rel=1e-9)
    assert (
        erlang_a(6, 0.02, 300.0, inf, 20.0).within == 0.0
    )  # as much as six can do: the queue grows for ever


def test_patience_as_long_as_handling_is_an_infinite_server() -> None:
    """θ = μ: the number in the system is Poisson of mean λ/μ, whatever the servers. Source: Mandelbaum and Zeltyn 2007."""
    given_ = erlang_a(2, 0.01, 200.0, 200.0, 1e9)
    poisson = [exp(-2) * 2**j / f for j, f in enumerate((1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880))]
    queue = sum((j - 2) * p for j, p in enumerate(poisson) if j > 2)
    assert given_.wait == pytest.approx(queue / 0.01, rel=1e-3)
    assert given_.within == pytest.approx(
        1 - given_.left, rel=1e-9
    )  # with all time of the world, who stays is served


def test_a_table_of_needs() -> None:
    work = Work(handling=300.0, target=60.0, patience=400.0)
    needs = people_needed(np.array([0.0, 0.1, 1.0, 5.0, 20.0, 100.0]), work)
    assert needs.tolist() == [0, 1, 1, 2, 5, 19]
    three = people_needed(np.array([0.0, 0.1, 1.0, 5.0, 20.0, 100.0]), Work(300.0, 60.0, concurrency=3.0))
    assert three.tolist() == [0, 1, 1, 1, 2, 7]


def test_each_need_is_the_least_that_holds() -> None:
    work = Work(handling=240.0, target=30.0, patience=300.0, share=0.8, answer=6.0)
    for tickets, need in zip(
        (3.0, 17.0, 55.0), people_needed(np.array([3.0, 17.0, 55.0]), work), strict=True
    ):
        enough, less = service(int(need), tickets, work), service(int(need) - 1, tickets, work)
        assert enough.within >= 0.8 and enough.busy <= 0.9  # noqa: PT018
        assert less.within < 0.8 or less.busy > 0.9


def test_a_target_shorter_than_an_answer_has_no_number() -> None:
    work = Work(handling=300.0, target=9.0, answer=8.0, accept=0.8)
    assert np.isnan(people_needed(np.array([0.0, 1.0]), work)).tolist() == [False, True]
    assert service(50, 1.0, work).within == 0.0


WORKS = st.builds(
    Work,
    handling=st.floats(30, 1200),
    target=st.floats(20, 600),
    share=st.floats(0.5, 0.95),
    patience=st.one_of(st.just(inf), st.floats(30, 3600)),
    accept=st.floats(0.6, 1),
)


@settings(max_examples=25, deadline=None)
@given(work=WORKS, tickets=st.floats(0.01, 60), more=st.floats(1.01, 1.5))
def test_more_load_or_a_stricter_share_never_needs_fewer(work: Work, tickets: float, more: float) -> None:
    need, busier = people_needed(np.array([tickets, tickets * more]), work)
    assert busier >= need >= 1
    stricter = Work(**{**vars(work), "share": min(work.share * 1.04, 0.99)})
    assert people_needed(np.array([tickets]), stricter)[0] >= need
    # By work alone, as if nothing came by chance: what no staffing can be below.
    served = tickets * (1 - service(int(need), tickets, work).left)
    assert need >= ceil(served / SECONDS * work.held / work.concurrency)


@settings(max_examples=40, deadline=None)
@given(
    servers=st.integers(1, 40),
    load=st.floats(0.1, 1.5),
    patience=st.floats(20, 3000),
    longer=st.floats(1.05, 3),
)
def test_the_more_patient_the_fewer_leave_and_the_busier_people_are(
    servers: int, load: float, patience: float, longer: float
) -> None:
    rate = load * servers / 300
    one, other = (erlang_a(servers, rate, 300.0, p, 60.0) for p in (patience, patience * longer))
    assert other.left <= one.left + 1e-9
    assert other.busy >= one.busy - 1e-9
    assert other.wait >= one.wait - 1e-9
    assert erlang_a(servers + 1, rate, 300.0, patience, 60.0).within >= one.within - 1e-9
    assert erlang_a(servers, rate, 300.0, patience, 120.0).within >= one.within - 1e-9


def test_patience_from_waits_that_were_cut_off() -> None:
    assert mean_patience(1200.0, 4) == 300.0
    assert mean_patience(1200.0, 0) == inf
    rng = np.random.default_rng(5)
    patience, offered = rng.exponential(300.0, 20_000), rng.exponential(100.0, 20_000)
    waited = np.minimum(patience, offered).sum()
    assert mean_patience(float(waited), int((patience < offered).sum())) == pytest.approx(300, rel=0.05)


A, B, AB = frozenset({1}), frozenset({2}), frozenset({1, 2})


@pytest.mark.parametrize(
    ("team", "plan"),
    [
        ({AB: 30}, {AB: 10}),
        ({A: 9, B: 9, AB: 3}, {A: 4, B: 3, AB: 3}),
    ],
)
def test_a_plan_in_the_simulator(team: dict[frozenset[int], int], plan: dict[frozenset[int], int]) -> None:
    """The real rules of offers, two skills with 20 tickets a half hour each: the target is held, by whom few have both, too."""
    work = Work(handling=300.0, target=60.0, patience=600.0, lost=15.0)  # one of five offers is missed
    one, both = (int(need) for need in people_needed(np.array([20.0, 40.0]), work))
    found = least_people(both, {1: one, 2: one}, team)
    assert found.groups == plan
    people = [[3 * (1 in group), 3 * (2 in group)] for group, many in plan.items() for _ in range(many)]
    case = Case(
        name="plan",
        kinds=[Kind({0: 1}, target_seconds=60.0), Kind({1: 1}, target_seconds=60.0)],
        agents=len(people),
        skills=2,
        load=40 / 1800 * 310 / len(people),
        exponential_handling=True,
        patience_mean=600.0,
        people=np.array(people, np.int8),
        warm_up=4000.0,
        measured=60_000.0,
    )
    figures = [figures_of(Play(world_of(case, seed), LONGEST_IDLE).run()) for seed in range(1, 7)]
    assert np.mean([one.within_target * (1 - one.abandoned) for one in figures]) > 0.77


@pytest.mark.parametrize(
    "wrong",
    [{"handling": 0.0}, {"share": 1.0}, {"accept": 0.0}, {"concurrency": 0.5}, {"patience": -1.0}],
)
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|are shares|works on"):
        Work(**{"handling": 300.0, "target": 60.0, **wrong})


@pytest.mark.parametrize(
    ("whole", "needs", "team", "people", "groups", "missing"),
    [
        (5, {1: 3, 2: 4}, {AB: 9}, 5, {AB: 5}, {}),  # everybody can do both: the pooled need
        (5, {1: 3, 2: 4}, {A: 9, B: 9}, 7, {A: 3, B: 4}, {}),  # nobody can: the sum
        (5, {1: 3, 2: 4}, {A: 9, B: 9, AB: 1}, 6, {A: 2, B: 3, AB: 1}, {}),
        (2, {1: 2, 2: 0}, {A: 1}, 2, {A: 1}, {1: 1}),  # one of the two does not exist
        (3, {}, {frozenset(): 4}, 3, {frozenset(): 3}, {}),  # tickets that need no skill
        (0, {1: 0}, {A: 1}, 0, {}, {}),
        (2, {1: 1}, {}, 2, {}, {1: 1}),
    ],
)
def test_people_with_several_skills(
    whole: int,
    needs: dict[int, int],
    team: dict[frozenset[int], int],
    people: int,
    groups: dict[frozenset[int], int],
    missing: dict[int, int],
) -> None:
    plan = least_people(whole, needs, team)
    assert (plan.people, plan.groups, plan.missing) == (people, groups, missing)
