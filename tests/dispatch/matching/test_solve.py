"""The solver keeps its four rules, in their order, against every other way to share the tickets out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from dispatch.matching import TicketRow, Weights, build, score, solve
from dispatch.matching.dense import _cells, _grid, best, dense
from dispatch.matching.flow import flow
from tests.dispatch.matching.people import (
    ALICE,
    BOB,
    CHARLIE,
    FRAUD,
    GERMAN,
    LOGIN,
    REFUND,
    every_round,
    problems,
    rank,
    rebuilt,
    rows_of,
)

ONE = Weights(max_parallel=1)
SOLVERS = [dense, flow]


def first_round(solution):
    return tuple(
        (i, j)
        for i, j, turn in zip(
            solution.ticket.tolist(), solution.agent.tolist(), solution.round.tolist(), strict=True
        )
        if turn == 1
    )


# Examples


def test_the_better_skill_gets_the_ticket():
    ticket = TicketRow(id=100, waited_seconds=5, required={REFUND: 2}, language=GERMAN)
    assert solve(build([ticket], [ALICE, BOB, CHARLIE], ONE)).ids == [(100, 1)]


def test_rare_fraud_expert_is_kept_for_fraud():
    # Bob and Dora are as good at refunds; only Bob knows fraud, so Dora is asked.
    dora = replace(BOB, id=4, skills={REFUND: 2})
    ticket = TicketRow(id=100, waited_seconds=5, required={REFUND: 2})
    assert solve(build([ticket], [BOB, dora], ONE)).ids == [(100, 4)]


def test_everybody_is_served_even_if_one_pair_alone_would_be_worth_more():
    # Alice is by far the best for the known customer, but she is the only one for the log-in.
    agents = [ALICE, replace(BOB, accept=0.1)]
    tickets = [
        TicketRow(id=100, waited_seconds=170, required={REFUND: 2}, known=[1]),
        TicketRow(id=101, waited_seconds=0, required={LOGIN: 2}, priority=-1),
    ]
    assert solve(build(tickets, agents, ONE)).ids == [(100, 2), (101, 1)]


def test_equals_are_asked_by_longest_idle_then_by_id():
    people = [
        replace(CHARLIE, id=identity, idle_seconds=idle) for identity, idle in ((7, 5), (6, 40), (5, 40))
    ]
    tickets = [TicketRow(id=100, waited_seconds=5, required={LOGIN: 1})]
    assert solve(build(tickets, people, Weights(max_parallel=2))).ids == [(100, 5), (100, 6)]
    two = [*tickets, TicketRow(id=101, waited_seconds=5, required={LOGIN: 1})]
    assert {agent for _, agent in solve(build(two, people, ONE)).ids} == {5, 6}


def test_tickets_of_equal_value_are_served_by_longest_wait_then_by_id():
    # Both are past the cap of the wait term, so only the tie can tell them apart.
    tickets = [
        TicketRow(id=identity, waited_seconds=waited) for identity, waited in ((9, 500), (8, 600), (7, 600))
    ]
    assert solve(build(tickets, [ALICE], ONE)).ids == [(7, 1)]
    assert solve(build(tickets, [ALICE, BOB], ONE)).ids[0][0] == 7
    assert {ticket for ticket, _ in solve(build(tickets, [ALICE, BOB], ONE)).ids} == {7, 8}


def test_overdue_goes_before_younger_of_any_priority():
    old = TicketRow(id=100, waited_seconds=301, max_wait_seconds=300, priority=-1)
    vip = TicketRow(id=101, waited_seconds=299, max_wait_seconds=300, priority=10, known=[1])
    assert solve(build([vip, old], [ALICE], ONE)).ids == [(100, 1)]
    assert solve(build([vip, replace(old, waited_seconds=298)], [ALICE], ONE)).ids == [(101, 1)]


@pytest.mark.parametrize(
    ("people", "waiting", "k"), [(1, 1, 1), (2, 1, 2), (9, 1, 3), (5, 3, 1), (6, 3, 2), (1, 3, 1)]
)
def test_parallel_offers_adapt_to_how_many_are_free(people, waiting, k):
    agents = [replace(ALICE, id=identity) for identity in range(people)]
    tickets = [TicketRow(id=100 + identity, waited_seconds=5) for identity in range(waiting)]
    solution = solve(build(tickets, agents))
    assert solution.parallel == k
    assert len(solution.pairs) == min(k * waiting, people)
    assert len(set(solution.agent.tolist())) == len(solution.pairs)


def test_three_free_slots_get_one_card_unless_more_are_allowed():
    tickets = [TicketRow(id=100 + identity, waited_seconds=5, units=30) for identity in range(4)]
    assert len(solve(build(tickets, [ALICE])).pairs) == 1
    assert len(solve(build(tickets, [replace(ALICE, max_pending=9)])).pairs) == 3


def test_nothing_to_do_is_no_error():
    assert solve(build([], [ALICE])).pairs == []
    assert solve(build([TicketRow(id=1, waited_seconds=0)], [])).pairs == []
    assert solve(build([], [])).pairs == []
    assert solve(build([TicketRow(id=1, waited_seconds=0, required={FRAUD: 1})], [ALICE])).ids == []


# Properties


@pytest.mark.parametrize("assign", SOLVERS)
@settings(max_examples=80, deadline=None)
@given(problem=problems(pending=2))
def test_first_round_is_the_best_of_all(assign, problem):
    scores = score(problem)
    chosen = rank(problem, scores, first_round(solve(problem, scores=scores, assign=assign)))
    assert chosen == max(rank(problem, scores, pairs) for pairs in every_round(problem, scores))


@pytest.mark.parametrize("assign", SOLVERS)
@settings(max_examples=80, deadline=None)
@given(problem=problems(equal_units=False, pending=1))
def test_first_round_is_the_best_of_all_with_unequal_units_and_one_card(assign, problem):
    scores = score(problem)
    chosen = rank(problem, scores, first_round(solve(problem, scores=scores, assign=assign)))
    assert chosen == max(rank(problem, scores, pairs) for pairs in every_round(problem, scores))


@pytest.mark.parametrize("assign", SOLVERS)
@settings(max_examples=80, deadline=None)
@given(problem=problems(most_tickets=7, most_agents=7, equal_units=False, pending=3))
def test_hard_limits_always_hold(assign, problem):
    solution = solve(problem, assign=assign)
    tickets, agents = rows_of(problem)
    units = dict.fromkeys(range(len(agents)), 0)
    assert len({(i, j) for i, j, _ in solution.pairs}) == len(solution.pairs)
    for i, j, value in solution.pairs:
        ticket, agent = tickets[i], agents[j]
        units[j] += ticket.units
        assert all(agent.skills.get(skill, 0) >= level for skill, level in ticket.required.items())
        assert ticket.language == -1 or agent.languages >> ticket.language & 1
        assert agent.id not in ticket.excluded
        assert value > 0
    for j, agent in enumerate(agents):
        assert units[j] <= agent.free_units
        assert np.count_nonzero(solution.agent == j) <= agent.max_pending
    assert np.bincount(solution.ticket, minlength=1).max(initial=0) <= solution.parallel


@pytest.mark.parametrize("assign", SOLVERS)
@settings(max_examples=80, deadline=None)
@given(
    problem=problems(most_tickets=6, most_agents=8, equal_units=False, pending=2),
    random=st.randoms(use_true_random=False),
)
def test_order_of_input_changes_nothing(assign, problem, random):
    tickets, agents = rows_of(problem)
    random.shuffle(tickets)
    random.shuffle(agents)
    other = rebuilt(problem, tickets, agents)
    one, two = solve(problem, assign=assign), solve(other, assign=assign)
    assert one.ids == two.ids
    assert one.value.tobytes() == two.value.tobytes()
    assert one.round.tolist() == two.round.tolist()
    assert solve(problem, assign=assign).ids == one.ids


@pytest.mark.parametrize("assign", SOLVERS)
@settings(max_examples=80, deadline=None)
@given(problem=problems(most_tickets=7, most_agents=4, equal_units=False, pending=2, max_wait=st.just(50.0)))
def test_no_younger_ticket_takes_a_person_from_an_overdue_one(assign, problem):
    solution = solve(problem, assign=assign)
    tickets = problem.tickets
    given_units = np.zeros(len(problem.agents), int)
    offers = np.zeros(len(problem.agents), int)
    oldest_first = sorted(solution.pairs, key=lambda pair: -tickets.waited_seconds[pair[0]])
    for i in np.flatnonzero(tickets.overdue):
        if i in solution.ticket:
            continue
        given_units[:] = offers[:] = 0
        for other, j, _ in oldest_first:
            if tickets.waited_seconds[other] >= tickets.waited_seconds[i] and tickets.overdue[other]:
                given_units[j] += tickets.units[other]
                offers[j] += 1
        # What older overdue tickets left would not do for it, at anybody.
        fits = solution.scores.eligible[i] & (problem.agents.free_units - given_units >= tickets.units[i])
        assert not (fits & (offers < problem.agents.max_pending)).any()


@pytest.mark.parametrize("assign", SOLVERS)
@settings(max_examples=100, deadline=None)
@given(problem=problems(most_agents=9, pending=2))
def test_parallel_offers_take_nothing_from_first_ones(assign, problem):
    alone = solve(replace(problem, weights=replace(problem.weights, max_parallel=1)), assign=assign)
    several = solve(replace(problem, weights=replace(problem.weights, max_parallel=3)), assign=assign)
    assert first_round(several) == first_round(alone)
    # and only tickets that have a first offer get a second
    firsts = {i for i, _ in first_round(several)}
    assert set(several.ticket.tolist()) <= firsts


@pytest.mark.parametrize("assign", SOLVERS)
@settings(max_examples=80, deadline=None)
@given(problem=problems(most_agents=4, equal_units=False, pending=3))
def test_unequal_units_serve_somebody_wherever_they_can(assign, problem):
    """With several cards and unequal units a round is no optimum, but nothing that still fits is left out."""
    scores = score(problem)
    pairs = first_round(solve(problem, scores=scores, assign=assign))
    units, cards = np.zeros(len(problem.agents), int), np.zeros(len(problem.agents), int)
    for i, j in pairs:
        units[j] += problem.tickets.units[i]
        cards[j] += 1
    for i in set(range(len(problem.tickets))) - {i for i, _ in pairs}:
        fits = problem.agents.free_units - units >= problem.tickets.units[i]
        assert not (scores.eligible[i] & fits & (cards < problem.agents.max_pending)).any()


# The dense cells


def large(n, m, *, share=0.1, seed=0):
    draw = np.random.default_rng(seed)
    allowed = draw.random((n, m)) < share
    value = 1 + 3 * draw.random((n, m)) * draw.random(m)
    return value, allowed, draw.random(n) < 0.02


def test_sum_equals_plain_assignment_on_a_full_matrix():
    value, allowed, overdue = large(300, 300, share=2)
    row, column = best(value, allowed, np.zeros_like(overdue))
    plain = value[linear_sum_assignment(value, maximize=True)].sum()
    assert value[row, column].sum() == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (5, 500), (500, 5), (100, 100), (1000, 1000), (2000, 3000)])
@pytest.mark.parametrize("spread", [0.0, 1e-12, 1.0, 1e3, 1e9])
def test_cells_stay_whole_and_below_the_limit(n, m, spread):
    value = np.full((n, m), 1.0)
    value[0, 0] += spread
    cells = _cells(value, np.ones((n, m), bool), np.ones(n, bool))
    assert cells.max() <= 2.0**51
    assert cells.min() > 0
    assert cells[0, 0] == np.rint(cells[0, 0])


def test_grid_is_as_fine_as_documented():
    def step(n, m):
        value = np.zeros((n, m))
        value[0, 0] = 4.0
        return _grid(value, np.ones((n, m), bool))[1] / 4.0

    assert step(5, 500) == 2.0**30
    assert step(100, 100) == 2.0**27
    assert step(1000, 1000) == 2.0**17
