"""Tickets that have only just come: whom they are open to, in which order of things, in words, and in a snapshot."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings

from dispatch.matching import AgentRow, TicketRow, Weights, build, score, solve
from dispatch.matching.explain import explain, explain_absence, reasons
from dispatch.matching.snapshot import pack, replay, unpack
from dispatch.rules.reserve import is_reserved
from tests.dispatch.matching.people import ALICE, BOB, REFUND, problems, rebuilt, rows_of

RESERVE = Weights(fairness=0.0, load=0.0, scarcity=0.0, reserve=0.8, max_parallel=1)
YOUNG = TicketRow(
    id=100, waited_seconds=3, required={REFUND: 1}, reserved=True
)  # Alice fits it by 0.8, Bob by 0.4


def test_only_for_seconds_and_never_what_is_urgent_or_promised() -> None:
    assert [is_reserved(waited, 10, urgent=False, promised=False) for waited in (0, 9.9, 10)] == [
        True,
        True,
        False,
    ]
    assert not is_reserved(0, 0, urgent=False, promised=False)
    assert not is_reserved(0, 10, urgent=True, promised=False)
    assert not is_reserved(0, 10, urgent=False, promised=True)


def test_a_young_ticket_waits_for_who_is_worth_its_reserve() -> None:
    assert solve(build([YOUNG], [ALICE, BOB], RESERVE)).ids == [(100, 1)]
    assert solve(build([YOUNG], [BOB], RESERVE)).ids == []
    assert solve(build([replace(YOUNG, reserved=False)], [BOB], RESERVE)).ids == [(100, 2)]


def test_who_has_had_less_work_is_worth_more() -> None:
    """The reserve is of the whole worth: Bob's share makes up for his level."""
    weights = replace(RESERVE, fairness=0.5)
    behind = replace(BOB, share=0.1)
    assert solve(build([YOUNG], [behind], weights, fair_share=1.0)).ids == [(100, 2)]
    assert solve(build([YOUNG], [BOB], weights, fair_share=1.0)).ids == []


def test_what_is_overdue_or_for_newcomers_is_not_reserved() -> None:
    late = replace(YOUNG, max_wait_seconds=3.0)
    assert solve(build([late], [BOB], RESERVE)).ids == [(100, 2)]
    assert solve(build([replace(YOUNG, newcomers_first=True)], [BOB], RESERVE)).ids == [(100, 2)]


def test_that_somebody_may_take_it_later_is_known() -> None:
    """Else the ticket would count as one that nobody is left for."""
    scores = solve(build([YOUNG], [BOB], RESERVE)).scores
    assert (scores.ticket_able.tolist(), scores.ticket_open.tolist()) == ([True], [False])
    assert (scores.agent_able.tolist(), scores.agent_open.tolist()) == ([True], [False])


def test_in_words() -> None:
    problem = build([YOUNG], [ALICE, BOB], RESERVE)
    [reason] = reasons(solve(problem))
    assert (
        explain(reason)[0]
        == "In its first seconds this ticket is offered only to people whom it suits; you are one of them."
    )
    assert not any("only you" in line for line in explain(reason))  # Bob could take it as well, later
    [said] = explain_absence(problem, 100, 2)
    assert said == (
        "The ticket had only just come, and in its first seconds only people with 0.80 points or more are asked. After that it "
        "would have been open to you."
    )
    [plain] = reasons(solve(build([YOUNG], [BOB], replace(RESERVE, reserve=0.0))))
    assert not plain["reserved"]  # seconds without points ask for nothing, and nothing is said
    assert "mindestens 0,80 Punkten" in explain_absence(problem, 100, 2, language="de")[0]


def test_the_figures_of_who_was_not_worth_it_are_kept() -> None:
    """A snapshot forgets those of people who could take nothing; without his share Bob would be asked then."""
    weights = replace(RESERVE, fairness=0.5)
    ahead = replace(BOB, share=1.5)
    problem = build([YOUNG], [ahead, AgentRow(id=9, share=2.0)], weights, fair_share=1.0)
    stored = pack(problem, solve(problem))
    assert replay(stored).ids == []
    again, _pairs = unpack(stored)
    assert (again.weights.reserve, again.tickets.reserved.tolist()) == (0.8, [True])
    assert again.agents.share.tolist() == [1.5, 0.0]


@settings(max_examples=100)
@given(problem=problems())
def test_it_takes_away_young_tickets_from_the_unsuited_and_nothing_else(problem) -> None:
    found = score(problem)
    tickets, agents = rows_of(problem)
    plain = score(rebuilt(problem, [replace(row, reserved=False) for row in tickets], agents))
    assert found.value.tobytes() == plain.value.tobytes()
    lost = plain.eligible & ~found.eligible
    assert not (found.eligible & ~plain.eligible).any()
    assert not lost[~problem.tickets.reserved].any()
    assert (found.ticket_able == plain.ticket_able).all()
    assert (found.agent_able == plain.agent_able).all()
    for i, j in zip(*np.nonzero(plain.eligible), strict=True):
        said = explain_absence(problem, int(problem.tickets.id[i]), int(problem.agents.id[j]))
        assert said[0].startswith("The ticket had only just come") == lost[i, j]


def test_nobody_is_asked_beside_others_whom_it_does_not_suit() -> None:
    """Whoever says yes first gets it, also the worse match."""
    two = replace(RESERVE, max_parallel=2)
    grown = replace(YOUNG, reserved=False)
    assert solve(build([grown], [ALICE, BOB], two)).ids == [(100, 1)]
    assert solve(build([grown], [ALICE, BOB], replace(two, reserve=0.0))).ids == [(100, 1), (100, 2)]
    both = [grown, replace(grown, id=101, waited_seconds=1)]
    people = [ALICE, BOB, replace(ALICE, id=4), replace(BOB, id=5), replace(ALICE, id=6)]
    solution = solve(build(both, people, two))
    assert [pair for pair, turn in zip(solution.ids, solution.round.tolist(), strict=True) if turn == 2] == [
        (100, 6)
    ]
