"""Tickets that go to newcomers first: who is new and able is asked within a bound, however the others are better."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.matching import AgentRow, TicketRow, Weights, build, score, solve
from dispatch.matching.dense import dense
from dispatch.matching.explain import explain, explain_absence, reasons
from dispatch.matching.flow import flow
from dispatch.rules.newcomers import FEW, is_new, newcomers_first
from tests.dispatch.matching.people import ALICE, BOB, REFUND, problems, rebuilt, rows_of

ONE = Weights(max_parallel=1)
MOST_BETWEEN = 34  # ticket numbers in a row from one that goes to newcomers to the next, at 5 %


@given(st.integers(0, 2**40))
def test_at_five_percent_the_next_one_is_never_far(begin: int) -> None:
    chosen = [n for n in range(begin, begin + MOST_BETWEEN) if newcomers_first(n, 5)]
    assert chosen
    assert {b - a for a, b in pairwise(chosen)} <= {13, 21, 34}


@pytest.mark.parametrize("percent", [0, 1, 5, 20, 50])
def test_the_share_is_kept(percent: int) -> None:
    chosen = newcomers_first(np.arange(1, 100_001), percent)
    assert int(chosen.sum()) == pytest.approx(1000 * percent, abs=5)
    assert chosen.tolist()[:500] == [newcomers_first(n, percent) for n in range(1, 501)]


def test_who_is_new() -> None:
    assert is_new(np.array([0, FEW - 1, FEW])).tolist() == [True, True, False]


weights = st.builds(
    Weights,
    fit=st.floats(0, 30),
    fairness=st.floats(0, 30),
    known=st.floats(0, 5),
    load=st.floats(0, 5),
    scarcity=st.floats(0, 5),
    max_parallel=st.just(1),
)
# Everything speaks against the newcomer but that they may take it.
NEW = AgentRow(id=9, skills={REFUND: 1}, load=0.7, idle_seconds=0.0, share=3.0, accept=0.05, new=True)
VETERANS = [replace(BOB, id=n, skills={REFUND: 5}, share=0.1, idle_seconds=900.0 + n) for n in range(1, 4)]


@settings(max_examples=50, deadline=None)
@given(begin=st.integers(1, 2**33), weights=weights, several=st.integers(1, 3))
def test_a_newcomer_able_for_a_busy_topic_is_asked_within_a_bound(
    begin: int, weights: Weights, several: int
) -> None:
    """One ticket after the other, each with its number; veterans who fit better are free at every one of them."""
    newcomers = [replace(NEW, id=9 + n) for n in range(several)]
    for number in range(begin, begin + MOST_BETWEEN):
        ticket = TicketRow(
            id=number,
            waited_seconds=1.0,
            required={REFUND: 1},
            known=[1],
            newcomers_first=bool(newcomers_first(number, 5)),
        )
        [(_, agent)] = solve(build([ticket], [*VETERANS, *newcomers], weights)).ids
        if agent >= NEW.id:
            assert newcomers_first(number, 5)
            return
    raise AssertionError("none of them was asked")


def test_without_the_share_they_are_passed_over_for_ever() -> None:
    """The control."""
    for number in range(1, 500):
        ticket = TicketRow(id=number, waited_seconds=1.0, required={REFUND: 1})
        [(_, agent)] = solve(build([ticket], [*VETERANS, NEW], ONE)).ids
        assert agent != NEW.id


@pytest.mark.parametrize("assign", [dense, flow])
@settings(max_examples=100, deadline=None)
@given(problem=problems(most_tickets=6, most_agents=6))
def test_no_veteran_is_asked_while_an_able_newcomer_is_asked_nothing(assign, problem) -> None:
    """In the first round, of a ticket that goes to newcomers first. As many tickets are served as without it, and the same
    overdue ones."""
    solution = solve(problem, assign=assign)
    first = solution.round == 1
    asked = set(solution.agent[first].tolist())
    for i, j in zip(solution.ticket[first].tolist(), solution.agent[first].tolist(), strict=True):
        if problem.tickets.newcomers_first[i] and not problem.agents.new[j]:
            able = np.flatnonzero(solution.scores.eligible_row(i) & problem.agents.new)
            assert set(able.tolist()) <= asked
    tickets, agents = rows_of(problem)
    plain = solve(
        rebuilt(problem, [replace(row, newcomers_first=False) for row in tickets], agents), assign=assign
    )
    before, after = plain.ticket[plain.round == 1], solution.ticket[first]
    assert len(before) == len(after)
    late = problem.tickets.overdue
    assert set(before[late[before]].tolist()) == set(after[late[after]].tolist())


@settings(max_examples=100, deadline=None)
@given(problem=problems())
def test_the_term_is_bounded_and_only_where_both_are_so(problem) -> None:
    found = score(problem)
    tickets, agents = rows_of(problem)
    plain = score(rebuilt(problem, tickets, [replace(row, new=False) for row in agents]))
    both = problem.tickets.newcomers_first[:, None] & problem.agents.new[None, :]
    assert found.value[~both].tobytes() == plain.value[~both].tobytes()
    assert found.value[both] == pytest.approx(plain.value[both] + problem.weights.newcomer)
    assert (found.eligible == plain.eligible).all()


def test_in_words() -> None:
    ticket = TicketRow(id=100, waited_seconds=5, required={REFUND: 1}, newcomers_first=True)
    alice = replace(ALICE, new=False)
    problem = build([ticket], [alice, NEW], ONE)
    solution = solve(problem)
    assert solution.ids == [(100, 9)]
    [reason] = reasons(solution)
    assert reason["terms"]["newcomer"] == problem.weights.newcomer
    assert explain(reason)[0] == "You are new: a share of the tickets goes to newcomers first."
    assert explain(reason, language="de")[0] == "Sie sind neu: Ein Teil der Tickets geht zuerst an Neue."
    assert explain_absence(problem, 100, 1)[-1] == (
        "Mostly because they are new, and this ticket was one of those that go to newcomers first."
    )
    del reason["terms"]["newcomer"]  # type: ignore[misc]  # as offers before it are stored
    assert explain(reason)[0] == "You have the skill #1 at level 1, 1 was needed."
