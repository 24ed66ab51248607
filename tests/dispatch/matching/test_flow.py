"""Both solvers against every other way to share a match out, and against each other where there are too many ways."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from dispatch.matching.dense import dense
from dispatch.matching.flow import _equals, flow
from dispatch.matching.match import Match


def random_match(draw, r, c, t, *, slots=1, share=0.6, history=0.3, values=None):
    """``values``: how many different figures there are; None: all differ."""

    def figures(*shape):
        return 1 + (
            3 * draw.random(shape) if values is None else draw.integers(values, size=shape).astype(float)
        )

    kind = draw.integers(t, size=r)
    worth = figures(t, c)
    open_ = draw.random((t, c)) < share
    if c > 1:  # equal people
        open_[:, 1], worth[:, 1] = open_[:, 0], worth[:, 0]
    if t > 1:  # a kind that is stricter than another
        worth[1], open_[1] = worth[0], open_[0] & (draw.random(c) < 0.7)
    if t > 2 and draw.random() < 0.5:  # and one that is stricter still
        worth[2], open_[2] = worth[1], open_[1] & (draw.random(c) < 0.7)
    pairs = draw.random((r, c))
    barred = np.nonzero((pairs < history / 2) & open_[kind])
    known = np.nonzero((pairs > 1 - history / 2) & open_[kind])
    return Match(
        kind=kind,
        open=open_,
        worth=worth,
        ticket=figures(r) - 1,
        overdue=draw.random(r) < draw.choice([0.0, 0.3, 1.0]),
        slots=draw.integers(1, slots + 1, c),
        known=(*known, worth[kind[known[0]], known[1]] + 1),
        barred=barred,
    )


def merit(match, pairs):
    """What the rules 1 to 4 compare, best first by ``max``."""
    value = match.value()
    served = {i for i, _ in pairs}
    cards = [sum(1 for _, j in pairs if j == column) for column in range(len(match.slots))]
    return (
        [i in served for i in range(len(match)) if match.overdue[i]],
        len(pairs),
        round(sum(value[pair] for pair in pairs), 5),
        cards,
        [i in served for i in range(len(match))],
    )


def ways(match):
    """All ways to pair each ticket at most once within the slots."""
    allowed = match.allowed()
    choices = [[None, *np.flatnonzero(row).tolist()] for row in allowed]
    for choice in itertools.product(*choices):
        pairs = [(i, j) for i, j in enumerate(choice) if j is not None]
        if all(sum(1 for _, j in pairs if j == column) <= most for column, most in enumerate(match.slots)):
            yield pairs


@pytest.mark.parametrize("assign", [dense, flow])
@pytest.mark.parametrize("values", [1, 2, None])
@pytest.mark.parametrize("slots", [1, 3])
def test_four_rules(assign, values, slots):
    """400 matches of up to 4 × 5; with one or two figures everything ties, and rules 1 and 4 decide."""
    draw = np.random.default_rng([7, slots])
    for _ in range(400):
        r, c, t = draw.integers(1, 5), draw.integers(1, 6), draw.integers(1, 4)
        share, history = draw.choice([0.3, 0.6, 0.9]), draw.choice([0.0, 0.3])
        match = random_match(draw, r, c, t, slots=slots, share=share, history=history, values=values)
        found = list(zip(*(part.tolist() for part in assign(match)), strict=True))
        assert sorted(found) in list(ways(match))
        assert merit(match, found) == max(merit(match, pairs) for pairs in ways(match))


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize(("r", "c", "t"), [(120, 120, 10), (60, 200, 60), (200, 60, 5)])
def test_both_agree_where_nobody_can_count(r, c, t, slots):
    draw = np.random.default_rng([3, r, slots])
    for share in (0.05, 0.3):
        match = random_match(draw, r, c, t, slots=slots, share=share, history=0.02)
        by_dense, by_flow = (match.settled(*assign(match)) for assign in (dense, flow))
        value = match.value()
        assert match.allowed()[by_flow].all()
        assert len(by_flow[0]) == len(by_dense[0])
        assert (match.overdue[by_flow[0]].sum()) == match.overdue[by_dense[0]].sum()
        assert value[by_flow].sum() == pytest.approx(value[by_dense].sum(), abs=1e-4)
        assert sorted(by_flow[0].tolist()) == sorted(by_dense[0].tolist())
        assert sorted(by_flow[1].tolist()) == sorted(by_dense[1].tolist())


def test_equal_people_are_one_node_unless_somebody_knows_or_avoids_them():
    match = Match(
        kind=np.zeros(3, np.intp),
        open=np.array([[True, True, True, True, True, False, False]]),
        worth=np.array([[2.0, 1.0, 2.0, 2.0, 2.0, 5.0, 6.0]]),
        ticket=np.zeros(3),
        overdue=np.zeros(3, np.bool_),
        slots=np.ones(7, np.int64),
        known=(np.array([0]), np.array([3]), np.array([3.0])),
        barred=(np.array([1]), np.array([4])),
    )
    group, first = _equals(match)
    # The first and the third are equal; so are the last two, who may take nothing.
    assert group.tolist() == [0, 1, 0, 2, 3, 4, 4]
    assert first.tolist() == [0, 1, 3, 4, 5]


def test_of_equal_tickets_the_first_gets_the_best_person():
    match = Match(
        kind=np.array([0, 0, 1, 0]),
        open=np.ones((2, 4), np.bool_),
        worth=np.array([[1.0, 2.0, 3.0, 1.5], [9.0, 0.0, 0.0, 0.0]]),
        ticket=np.array([1.0, 2.0, 0.0, 0.0]),
        overdue=np.array([False, False, False, True]),
        slots=np.ones(4, np.int64),
        known=(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)),
        barred=(np.empty(0, np.intp), np.empty(0, np.intp)),
    )
    for assign in (dense, flow):
        row, column = match.settled(*assign(match))
        assert dict(zip(row.tolist(), column.tolist(), strict=True)) == {3: 2, 1: 1, 0: 3, 2: 0}
        known = replace(match, known=(np.array([0]), np.array([1]), np.array([7.0])))
        row, column = known.settled(*assign(known))
        assert dict(zip(row.tolist(), column.tolist(), strict=True)) == {0: 1, 3: 2, 1: 3, 2: 0}
        barred = replace(match, barred=(np.array([3]), np.array([2])))
        row, column = barred.settled(*assign(barred))
        assert dict(zip(row.tolist(), column.tolist(), strict=True))[1] == 2


@pytest.mark.parametrize("assign", [dense, flow])
def test_nobody_or_nothing_is_no_error(assign):
    draw = np.random.default_rng(1)
    match = random_match(draw, 3, 4, 2, history=0.0)
    shut = replace(match, open=np.zeros_like(match.open))
    assert [part.tolist() for part in assign(shut)] == [[], []]
    everybody = np.nonzero(match.open[match.kind])
    assert [part.tolist() for part in assign(replace(match, barred=everybody, known=shut.known))] == [[], []]
