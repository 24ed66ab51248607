"""The steps of a route as rules: they widen, and required skills stay required."""

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules import steps
from dispatch.rules.steps import Step

FIRST, SECOND, THIRD = 1, 2, 3
ROUTE = (
    Step(0, FIRST, least_level=4),
    Step(30, FIRST, least_level=2, preferred=False),
    Step(60, SECOND),
    Step(60, THIRD, least_level=5),
)

anything = st.lists(
    st.builds(
        Step,
        after_seconds=st.integers(0, 300),
        pool_id=st.integers(1, 4),
        least_level=st.integers(1, 5),
        preferred=st.booleans(),
    ),
    max_size=6,
).map(lambda more: (Step(0, FIRST), *more))


def test_the_step_of_a_pool_is_the_last_that_the_wait_has_reached() -> None:
    assert steps.at(ROUTE, FIRST, 0) == ROUTE[0]
    assert steps.at(ROUTE, FIRST, 29.9) == ROUTE[0]
    assert steps.at(ROUTE, FIRST, 30) == ROUTE[1]
    assert steps.at(ROUTE, FIRST, 1e9) == ROUTE[1]
    assert steps.at(ROUTE, SECOND, 59.9) is None
    assert steps.at(ROUTE, SECOND, 60) == ROUTE[2]


def test_pools_come_and_stay() -> None:
    assert [steps.pools(ROUTE, waited) for waited in (0, 30, 59, 60)] == [
        [FIRST],
        [FIRST],
        [FIRST],
        [FIRST, SECOND, THIRD],
    ]
    assert [steps.after(ROUTE, pool) for pool in (FIRST, SECOND, THIRD, 4)] == [0, 60, 60, None]
    assert [steps.ahead(ROUTE, waited) for waited in (0, 30, 59.9, 60)] == [True, True, True, False]


def test_levels_are_those_of_the_step_and_never_below_the_topics() -> None:
    needs = {7: 3, 8: 1}
    assert steps.required(needs, ROUTE[0]) == {7: 4, 8: 4}
    assert steps.required(needs, ROUTE[1]) == {7: 3, 8: 2}
    assert steps.required(needs, ROUTE[2]) == needs
    assert steps.preferred({9: 2}, ROUTE[0]) == {9: 2}
    assert steps.preferred({9: 2}, ROUTE[1]) == {}


@given(anything, st.floats(0, 400), st.floats(0, 400))
def test_who_waits_longer_may_go_to_more(route: tuple[Step, ...], one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert set(steps.pools(route, early)) <= set(steps.pools(route, late))
    assert FIRST in steps.pools(route, early)


@given(anything, st.floats(0, 400), st.dictionaries(st.integers(1, 9), st.integers(1, 5), max_size=4))
def test_required_skills_are_never_relaxed(
    route: tuple[Step, ...], waited: float, needs: dict[int, int]
) -> None:
    for pool in steps.pools(route, waited):
        step = steps.at(route, pool, waited)
        assert step is not None
        asked = steps.required(needs, step)
        assert asked.keys() == needs.keys()
        assert all(asked[skill] >= level for skill, level in needs.items())


@given(anything, st.integers(1, 4), st.floats(0, 400))
def test_a_pool_has_a_step_exactly_from_its_first_moment_on(
    route: tuple[Step, ...], pool: int, waited: float
) -> None:
    after = steps.after(route, pool)
    assert (steps.at(route, pool, waited) is not None) == (after is not None and waited >= after)
