"""Who may take what, and what it is worth: exact figures, and the same bits for one pair as for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.matching import (
    InvalidProblem,
    Needs,
    TicketRow,
    Weights,
    build,
    score,
    terms,
)
from tests.dispatch.matching.people import (
    ALICE,
    BOB,
    CHARLIE,
    ENGLISH,
    FRAUD,
    GERMAN,
    LOGIN,
    REFUND,
    problems,
)


def test_terms_of_a_named_pair():
    ticket = TicketRow(
        id=100,
        waited_seconds=90,
        target_seconds=60,
        required={REFUND: 3},
        preferred={LOGIN: 1},
        priority=2,
        language=GERMAN,
        known=[1],
    )
    alice = replace(ALICE, load=0.25, share=9.0, accept=0.75, booked=True)
    problem = build([ticket], [alice, BOB], fair_share=12.0, skill_demand={REFUND: 9})
    # fit (2·4 + 2) / (5·3); one and a half targets waited; earned a quarter less than the fair share
    assert terms(problem, 0, 0) == {
        "served": pytest.approx(2.1),  # 1 + fairness 0.5 + load 0.3 + scarcity 0.3
        "fit": 10 / 15,
        "wait": 1.5,
        "priority": 3.0,  # from the lowest, −1
        "fairness": 0.125,
        "known": 0.5,
        "load": -0.075,
        "quality": 0.0,
        "booked": 0.25,
        "newcomer": 0.0,
        "scarcity": -0.3 * 0.5,  # her log-in: 1 expected, 1 who has it
        "accept": 0.75,
        "value": pytest.approx(
            0.75 * (2.1 + 10 / 15 + 0.125 + 0.5 - 0.075 + 0.25 - 0.15) + 1.5 + 3, rel=1e-15
        ),
    }


def test_who_may():
    tickets = [
        TicketRow(id=100, waited_seconds=0, required={REFUND: 3}),
        TicketRow(id=101, waited_seconds=0, language=ENGLISH),
        TicketRow(id=102, waited_seconds=0, excluded=[1, 77]),
        TicketRow(id=103, waited_seconds=0, units=50),
        TicketRow(id=104, waited_seconds=0, required={FRAUD: 5, REFUND: 1}),
        TicketRow(id=105, waited_seconds=0, preferred={FRAUD: 5}),
    ]
    charlie = replace(CHARLIE, free_units=49)
    assert score(build(tickets, [ALICE, BOB, charlie])).eligible.tolist() == [
        [True, False, False],
        [True, False, True],
        [False, True, True],
        [True, True, False],
        [False, True, False],
        [True, True, True],
    ]
    nobody = [replace(ALICE, free_units=0), replace(BOB, max_pending=0)]
    assert not score(build(tickets, nobody)).eligible.any()


@settings(max_examples=100, deadline=None)
@given(problems(most_tickets=12, equal_units=False, pending=2))  # more than one: kinds are found
def test_one_pair_has_the_bits_of_the_matrix(problem):
    scores = score(problem)
    for i, j in np.ndindex(scores.value.shape):
        if scores.eligible[i, j]:
            assert terms(problem, i, j)["value"] == scores.value[i, j]
    assert (scores.value[scores.eligible] > 0).all()


@settings(max_examples=100, deadline=None)
@given(problems(most_tickets=12, equal_units=False), st.data())
def test_one_pair_has_the_bits_of_the_matrix_with_acceptance_by_pair(problem, data):
    n, m = len(problem.tickets), len(problem.agents)
    accept = data.draw(st.lists(st.floats(0, 1, width=32), min_size=n * m, max_size=n * m))
    problem = replace(problem, agents=replace(problem.agents, accept=np.array(accept).reshape(n, m)))
    scores = score(problem)
    for i, j in zip(*np.nonzero(scores.eligible), strict=True):
        assert terms(problem, int(i), int(j))["value"] == scores.value[i, j]


@settings(max_examples=100, deadline=None)
@given(problems(most_tickets=12, equal_units=False), st.data())
def test_one_row_of_acceptance_for_several_tickets_has_the_bits_of_a_row_each(problem, data):
    n, m = len(problem.tickets), len(problem.agents)
    row = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), np.int32)
    accept = np.array(data.draw(st.lists(st.floats(0, 1, width=32), min_size=3 * m, max_size=3 * m)))
    accept = accept.reshape(3, m)
    by_row = replace(
        problem,
        tickets=replace(problem.tickets, accept_row=row),
        agents=replace(problem.agents, accept=accept),
    )
    by_pair = replace(problem, agents=replace(problem.agents, accept=accept[row]))
    few, many = score(by_row), score(by_pair)
    assert len(few.kind_able) <= len(many.kind_able) == len(np.unique(many.kind))
    assert few.eligible.tolist() == many.eligible.tolist()
    assert few.value[few.eligible].tobytes() == many.value[many.eligible].tobytes()
    for i, j in zip(*np.nonzero(few.eligible), strict=True):
        assert terms(by_row, int(i), int(j))["value"] == few.value[i, j]


def test_hardly_ever_accepting_never_looks_better():
    ticket = TicketRow(id=100, waited_seconds=0, priority=-1)
    worst = replace(ALICE, load=1.0, share=90.0)
    problem = build([ticket], [worst, replace(worst, id=9, accept=0.0)], fair_share=1.0)
    value = score(problem).value[0]
    assert value[0] > 20 * value[1] * 0.999
    assert value[1] >= 0.05  # still asked when nobody else is there


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("waited_seconds", -1.0),
        ("waited_seconds", float("nan")),
        ("waited_seconds", float("inf")),
        ("target_seconds", 0.0),
        ("max_wait_seconds", 0.0),
        ("max_wait_seconds", float("nan")),
        ("priority", -2.0),
        ("units", 0),
        ("language", 62),
        ("required", {REFUND: 6}),
    ],
)
def test_bad_tickets_are_refused_by_name(field, bad):
    with pytest.raises(InvalidProblem, match="needs.level" if field == "required" else field):
        build([replace(TicketRow(id=1, waited_seconds=1.0), **{field: bad})], [ALICE])


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("free_units", -1),
        ("load", 1.5),
        ("load", float("nan")),
        ("idle_seconds", -1.0),
        ("share", float("inf")),
        ("accept", 1.1),
        ("max_pending", -1),
        ("languages", -1),
    ],
)
def test_bad_people_are_refused_by_name(field, bad):
    with pytest.raises(InvalidProblem, match=field):
        build([], [replace(ALICE, **{field: bad})])


def test_parts_that_do_not_fit_are_refused():
    problem = build([TicketRow(id=1, waited_seconds=1)], [ALICE, BOB])
    with pytest.raises(InvalidProblem, match="unique"):
        build([], [ALICE, ALICE])
    with pytest.raises(InvalidProblem, match=r"levels has shape"):
        replace(problem.agents, levels=np.zeros((1, 3)))
    with pytest.raises(InvalidProblem, match="differ in length"):
        replace(problem.agents, load=np.zeros(1))
    with pytest.raises(InvalidProblem, match="skill_demand"):
        replace(problem, skill_demand=np.ones(9))
    with pytest.raises(InvalidProblem, match="accept has shape"):
        replace(problem, agents=replace(problem.agents, accept=np.ones(3)))
    with pytest.raises(InvalidProblem, match="accept has shape"):
        replace(problem, agents=replace(problem.agents, accept=np.ones((1, 3))))
    for row in (-1, 1):
        with pytest.raises(InvalidProblem, match="accept_row"):
            replace(
                problem,
                tickets=replace(problem.tickets, accept_row=[row]),
                agents=replace(problem.agents, accept=np.ones((1, 2))),
            )
    with pytest.raises(InvalidProblem, match=r"required\.skill"):
        replace(problem, tickets=replace(problem.tickets, required=Needs([0], [9], [1])))
    with pytest.raises(InvalidProblem, match="one dimension"):
        replace(problem.tickets, id=np.ones((1, 1)))
    with pytest.raises(InvalidProblem, match=r"weights\.fit"):
        Weights(fit=-1)
    with pytest.raises(InvalidProblem, match="max_parallel"):
        Weights(max_parallel=4)
